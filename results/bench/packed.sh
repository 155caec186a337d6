#!/bin/bash
# results/bench/packed.sh [RUNS]: forty mixed runs (packed.yaml) on two ranks of one thread: what
# was foretold, how long it took, the share of the core time that went into steps; then the same
# sweep again, stopped at a random moment and continued on three ranks, and whether all bits are
# equal. Needs a quiet machine for the times. About six minutes on two cores.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
runs="$(realpath -m "${1:-$here/../../runs/results}")"
siren="${SIREN:-$here/../../build/siren}"
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi

sweep() { # RANKS DIRECTORY
  mpirun --oversubscribe --bind-to none -n "$1" "$siren" sweep "$here/packed.yaml" \
    output="$runs/$2"
}

weights() { # DIRECTORY: a line for each run
  local run
  for run in "$runs/$1"/*/run.h5; do
    [ -f "$run" ] || continue
    echo "$(basename "$(dirname "$run")") $("$siren" info "$run" | awk '$1 == "weights"')"
  done
}

rm -rf "$runs/packed" "$runs/packed-stopped"
"$siren" plan "$here/packed.yaml" threads=1 output="$runs/packed" | tail -n 3
sweep 2 packed 2>/dev/null

sweep 2 packed-stopped >/dev/null 2>&1 &
sleep $((20 + RANDOM % 60))
kill -USR1 $!
wait $! || echo "stopped with exit code $?: $(weights packed-stopped | wc -l) runs complete"
sweep 3 packed-stopped 2>/dev/null | head -n 1
if [ "$(weights packed)" = "$(weights packed-stopped)" ]; then
  echo "same weights in all $(weights packed | wc -l) runs"
else
  echo "different weights"
  exit 1
fi
