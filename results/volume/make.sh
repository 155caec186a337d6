#!/bin/bash
# results/volume/make.sh [RUNS]: makes everything in this folder: simulates a density field of 256^3
# samples (cosmos.py: Zel'dovich's approximation), fits it with SIREN and ReLU networks at desk
# scale, and trains for 20 steps on a field of 1024^3 samples, 4.3 GB, with the memory of a process
# limited to LIMIT (default 1.5) GB, on 1, 2 and 4 ranks, in the directory RUNS (default
# runs/results). Complete runs there are only read, so it can be interrupted. Needs python3 with
# numpy and h5py, and 5 GB of disk; `make.sh tables RUNS` only writes the table again.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
mode=all
if [ "${1:-}" = tables ]; then mode=tables && shift; fi
runs="$(realpath -m "${1:-$here/../../runs/results}")"
siren="${SIREN:-$here/../../build/siren}"
python="${PYTHON:-python3}"
limit="${LIMIT:-1.5}"

if [ "$(id -u)" = 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

# RANKS: 20 steps by bricks; the address space of every process is limited.
by_bricks() {
  (
    ulimit -v "$(awk -v gb="$limit" 'BEGIN { printf "%d", gb * 1e6 }')"
    mpirun --oversubscribe --bind-to none -n "$1" "$siren" run \
      "$here/../../experiments/volume.yaml" \
      data.file="$runs/synthetic.h5" data.brick=64 data.resident=256 data.window=5 train.steps=20 \
      network.width=64 train.log_every=1 volume.stride=16 threads=1 output="$runs/volume-bricks-$1"
  )
}

if [ "$mode" = all ]; then
  mkdir -p "$runs"
  if [ ! -f "$runs/cosmos.h5" ]; then "$python" "$here/cosmos.py" "$runs/cosmos.h5"; fi
  for kind in siren relu; do
    variant=$kind
    if [ $kind = siren ]; then variant=; fi
    "$siren" run "$here/../../experiments/volume.yaml" variant=$variant \
      data.file="$runs/cosmos.h5" output="$runs/volume-$kind"
  done
  if [ ! -f "$runs/synthetic.h5" ]; then
    "$python" "$here/synthetic.py" 1024 "$runs/synthetic.h5"
  fi
  for ranks in 1 2 4; do by_bricks $ranks; done
fi

fact() { # NAME KEY
  "$siren" info "$runs/$1/run.h5" | awk -v key="$2" '$1 == key { print $2; exit }'
}

row() { # NAME TITLE
  if [ ! -f "$runs/$1/run.h5" ]; then
    echo "| $2 | missing | | | | | | |"
    return
  fi
  awk -v title="$2" -v psnr="$(fact "$1" psnr)" -v rms="$(fact "$1" error_rms)" \
    -v largest="$(fact "$1" error_largest)" -v share="$(fact "$1" error_largest_share)" \
    -v ratio="$(fact "$1" compression_ratio)" -v steps="$(fact "$1" train.steps)" \
    -v seconds="$(fact "$1" train_seconds)" -v commit="$(fact "$1" commit)" \
    'BEGIN {
      printf "| %s | %.2f dB | %.4f | %.3f (%.1f %%) | %.1f | %d | %d | %.8s |\n", title, psnr, rms,
        largest, 100 * share, ratio, steps, seconds, commit }'
}

brick_row() { # RANKS
  local run="volume-bricks-$1"
  if [ ! -f "$runs/$run/run.h5" ]; then
    echo "| $1 | missing | | |"
    return
  fi
  echo "| $1 | $("$siren" info "$runs/$run/run.h5" | awk '$1 == "weights" { print $3; exit }')" \
    "| $(fact "$run" loss_final) | $(fact "$run" memory_mb_rank0) |"
}

{
  echo "<!-- written by results/volume/make.sh -->"
  echo "# Volumes"
  echo
  cat <<'TEXT'
Desk scale of experiments/volume.yaml: 3×256, 16,384 of 16.8 million samples a step. The field is
the logarithm of a density, 256³ float32, by Zel'dovich's approximation (cosmos.py). PSNR over the
field's range; errors in the field's units, the largest one also as a share of the range; ratio:
bytes of the field over bytes of the weights; time: seconds of training.

| run | PSNR | rms error | largest error | ratio | steps | time | commit |
| --- | --- | --- | --- | --- | --- | --- | --- |
TEXT
  row volume-siren "SIREN"
  row volume-relu "ReLU"
  echo
  echo "![slices of the field, of the fit, and the error](slices.png)"
  echo
  echo "## A field that memory does not hold"
  echo
  echo "1,024³ float32 (synthetic.py), 4.3 GB, trained for 20 steps by bricks of 64³, 256 of them"
  echo "resident, every process with an address space of at most $limit GB (ulimit -v):"
  echo
  echo "| ranks | weights | loss | peak memory of a rank, MB |"
  echo "| --- | --- | --- | --- |"
  for ranks in 1 2 4; do brick_row $ranks; done
} >"$here/README.md"

cp "$runs/volume-siren/slices.png" "$here/slices.png"
