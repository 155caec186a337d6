#!/bin/bash
# `siren bench` ends and reports what other programs can read.
set -uo pipefail
# shellcheck source=tests/suite.sh
. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"

launch 1 bench --json rounds=1 >bench.json 2>"$scratch/err"
expect "exit code $? and JSON: $(cat "$scratch/err")" python3 -m json.tool bench.json /dev/null
launch 2 bench threads=1 rounds=1 >bench.txt 2>"$scratch/err"
expect "two ranks: $(cat "$scratch/err")" grep -q '2 rank' bench.txt
report
