#!/bin/bash
# The README's Python lines load a run and evaluate it as siren does.
set -uo pipefail
# shellcheck source=tests/suite.sh
. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"

python=
for candidate in python3 /usr/bin/python3; do
  if $candidate -c 'import h5py' 2>/dev/null; then python=$candidate; fi
done
if [ -z "$python" ]; then
  echo "skipped: no Python with h5py here"
  exit 77
fi

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
