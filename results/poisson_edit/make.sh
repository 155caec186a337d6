#!/bin/bash
# results/poisson_edit/make.sh IMAGES [RUNS]: makes everything in this folder. IMAGES is a directory
# with apple.jpg and orange.jpg of OpenCV's samples (Debian's opencv-doc, examples/data) and
# astronaut.png of scikit-image (python3-skimage, skimage/data). Runs on two ranks of one thread, in
# the directory RUNS (default runs/results). Complete runs there are only read, so it can be
# interrupted. Takes about ten minutes on two cores.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
images="$(realpath "${1:?IMAGES}")"
runs="$(realpath -m "${2:-$here/../../runs/results}")"
siren="${SIREN:-$here/../../build/siren}"
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi

run() { # NAME OVERRIDE...
  mpirun --bind-to none -n 2 "$siren" run "$here/../../experiments/poisson_edit.yaml" threads=1 \
    output="$runs/edit-$1" "${@:2}"
}

mkdir -p "$runs/masks"
python3 "$here/masks.py" "$runs/masks"
run orange variant=replace poisson_edit.row=0.5 data.file="$images/apple.jpg" \
  poisson_edit.file="$images/orange.jpg" poisson_edit.mask="$runs/masks/orange.png"
run shuttle variant=replace poisson_edit.row=0.344 poisson_edit.column=0.58 \
  poisson_edit.size=180 data.colour=grey poisson_edit.file="$images/astronaut.png" \
  poisson_edit.mask="$runs/masks/shuttle.png"
run mix

pictures=(first second mask target_gradient gradient result)
show() { # NAME: the pictures of a run, as in the paper's figure
  local picture line=""
  mkdir -p "$here/$1"
  for picture in "${pictures[@]}"; do
    cp "$runs/edit-$1/$picture.png" "$here/$1/"
    line+="| ![$1, $picture]($1/$picture.png) "
  done
  echo "$line|"
}

fact() { # NAME KEY
  "$siren" info "$runs/edit-$1/run.h5" | awk -v key="$2" '$1 == key && !n++ { print $2 }'
}

row() { # NAME TITLE
  local background
  background="$(fact "$1" psnr_background)"
  if [ -n "$background" ]; then background="$(printf '%.1f' "$background")"; fi
  printf '| %s | %.1f | %.1f | %s | %.4f | %.4f | %.0f | %.8s |\n' "$2" "$(fact "$1" psnr)" \
    "$(fact "$1" psnr_gradient)" "$background" "$(fact "$1" loss_final)" \
    "$(fact "$1" loss_least)" "$(fact "$1" train_seconds)" "$(fact "$1" commit)"
}

{
  echo "<!-- written by results/poisson_edit/make.sh -->"
  echo "# Two images blended by their gradients (Fig. 3, right)"
  echo
  echo "| first | second | mask | blended gradients | gradient of the fit | result |"
  echo "| --- | --- | --- | --- | --- | --- |"
  for name in orange shuttle mix; do show "$name"; done
  echo
  cat <<'EOF'
Scale `desk`: 256², Adam, learning rate 1e-4, an eighth of the pixels in every step, seed 0. PSNR in
dB: of the result against the least-squares solution of the same gradients (on [-1, 1], best
constant), of the fit's gradient over the range of the blended one, and of the result against the
first image away from the mask. The loss of no function that the grid resolves comes below `least`,
as blended gradients are nothing's gradient. Seconds of training on two cores, which were shared.
The step in the third result is the edge of the paper's canvas, which is blended, too; a mask, as in
the others, leaves no edge.

| run | result | gradient | background | loss | least | seconds | commit |
| --- | --- | --- | --- | --- | --- | --- | --- |
EOF
  row orange "apple and orange, replace"
  row shuttle "shuttle, replace, grey"
  row mix "the paper's, built-in photographs"
  cat <<'EOF'

Apple and orange are samples of OpenCV (Apache 2.0), the photographer is by Lav Varshney (CC0), the
coffee by Rachel Michetti (CC0), the astronaut by NASA (public domain).
EOF
} >"$here/README.md"
