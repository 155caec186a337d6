#!/bin/bash
# results/tables/make.sh NAME [key=value ...]: does the runs of experiments/tables/NAME.yaml that
# are missing, on two ranks of one thread, and writes their table to results/tables/NAME. Stop it at
# any time; it goes on where it was. Variables: DATA, the directory whose files the sweep names
# (audio: gt_bach.wav and gt_counting.wav, data/ of github.com/vsitzmann/siren), RUNS (runs/tables),
# RANKS (2), SIREN. The tables here were made by
#
#   DATA=IMAGES results/tables/make.sh image data.file=cameraman_original_512.png   (see image.yaml)
#   results/tables/make.sh omega
#   results/tables/make.sh poisson
#   DATA=SOUNDS results/tables/make.sh audio
#   DATA=SHAPES results/tables/make.sh sdf data.file=bunny_glmark2.obj   (Debian: glmark2-data)
#   siren convert /usr/share/datasets/fashion-mnist/train-images-idx3-ubyte.gz fashion.h5 size=32
#   results/tables/make.sh celeba data.file=fashion.h5   (Debian: dataset-fashion-mnist)
#   siren sweep experiments/tables/NAME.yaml threads=2 output=DIR      (NAME: helmholtz, wave; the
#   siren table experiments/tables/NAME.yaml threads=2 output=DIR ...   same on one rank)
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
name="${1:?NAME of experiments/tables/NAME.yaml}"
siren="${SIREN:-$here/../../build/siren}"
sweep="$here/../../experiments/tables/$name.yaml"
output="$(realpath -m "${RUNS:-$here/../../runs/tables}/$name")"
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi

cd "${DATA:-.}"
mpirun --bind-to none -n "${RANKS:-2}" "$siren" sweep "$sweep" threads=1 output="$output" "${@:2}"
"$siren" table "$sweep" threads=1 output="$output" into="$here/$name" "${@:2}" >/dev/null
echo "$here/$name/table.md"
