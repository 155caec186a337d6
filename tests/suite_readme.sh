#!/bin/bash
# The README's Python lines load a run and evaluate it as siren does.
set -uo pipefail
# shellcheck source=tests/suite.sh
. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"

need_h5py

sed -n '/^```python$/,/^```$/{/^```/d; p}' "$here/../README.md" >snippet.py
expect 'the README has the lines' grep -q 'h5py.File("runs/quickstart/run.h5")' snippet.py
for settings in '' 'network.activation=sine network.omega_first=20 network.layers=1' \
  'network.activation=tanh' 'data.colour=rgb'; do
  rm -rf runs
  # shellcheck disable=SC2086
  "$siren" run image scale=smoke $settings output=runs/quickstart >out 2>&1 || bad "run: $(cat out)"
  error="$($python snippet.py)"
  expect "difference to /fields/value: $error ($settings)" \
    $python -c "import sys; sys.exit(not 0 <= float('$error') < 1e-4)"
done
report
