#!/bin/bash
# `siren check`: the gradient of every experiment and every variant agrees with finite differences.
set -uo pipefail
# shellcheck source=tests/suite.sh
. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"

small=(network.width=24 network.rbf_centres=40)

check() { # NAME RANKS ARGUMENT...
  if launch "$2" check "${@:3}" scale=smoke "${small[@]}" >"$scratch/out" 2>"$scratch/err" &&
    grep -q ' ok$' "$scratch/out"; then
    good "$1"
  else
    bad "$1: $(grep WRONG "$scratch/out") $(cat "$scratch/err")"
  fi
}

for experiment in $(experiments); do
  check "$experiment" 1 "$experiment"
  check "$experiment, 2 ranks" 2 "$experiment"
  for variant in $(variants "$experiment"); do
    check "$experiment, $variant" 1 "$experiment" variant="$variant"
  done
done
report
