#!/bin/bash
# results/image/make.sh CAMERAMAN.png [RUNS]: makes everything in this folder. Fits the built-in
# photograph, and the paper's cameraman (not free, so not included: camera.png of scikit-image 0.16)
# with the network and the baselines of Fig. 1, on two ranks of one thread, in the directory RUNS
# (default runs/results). Complete runs there are only read, so it can be interrupted. Takes one to
# two hours on two cores; `make.sh tables RUNS` only writes the table again.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
image="${1:?CAMERAMAN.png or tables}"
runs="$(realpath -m "${2:-$here/../../runs/results}")"
siren="${SIREN:-$here/../../build/siren}"
if [ "$(id -u)" = 0 ]; then export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1; fi

run() { # NAME OVERRIDE...
  [ "$image" = tables ] && return
  mpirun --bind-to none -n 2 "$siren" run "$here/../../experiments/image.yaml" threads=1 \
    output="$runs/$1" "${@:2}"
}

paper() { run "$1" scale=paper train.steps=500 data.file="$image" variant="${1#cameraman-512-}"; }

run photograph scale=desk
run cameraman-256 scale=desk data.file="$image"
run cameraman-512-sine scale=paper train.steps=500 data.file="$image"
for baseline in rbf positional relu tanh; do paper "cameraman-512-$baseline"; done

fact() { # NAME KEY
  "$siren" info "$runs/$1/run.h5" | awk -v key="$2" '$1 == key { print $2; exit }'
}

row() { # NAME TITLE REFERENCE
  if [ ! -f "$runs/$1/run.h5" ]; then
    echo "| $2 | missing | $3 | | | | | |"
    return
  fi
  printf '| %s | %.2f | %s | %.3f | %.2f | %.2f | %.0f | %.8s |\n' "$2" "$(fact "$1" psnr)" "$3" \
    "$(fact "$1" ssim)" "$(fact "$1" psnr_gradient)" "$(fact "$1" psnr_laplacian)" \
    "$(fact "$1" train_seconds)" "$(fact "$1" commit)"
}

{
  echo "<!-- written by results/image/make.sh -->"
  echo "# An image from its pixels (Fig. 1)"
  echo
  cat <<'EOF'
500 steps of Adam, learning rate 1e-4, all pixels in every step, seed 0; PSNR in dB, of the image as
in the released code, of gradient and Laplacian over the range of the image's finite differences.
Reference: the notebook of the released code at 256², the curves of the authors' project page at
512² (about ±0.3 dB; ReLU: the paper's Fig. 1). Seconds of training on two cores, which were shared.

| run | PSNR | reference | SSIM | gradient | Laplacian | seconds | commit |
| --- | --- | --- | --- | --- | --- | --- | --- |
EOF
  row photograph "built-in photograph, 256²" ""
  row cameraman-256 "cameraman, 256², SIREN" 35.5
  row cameraman-512-sine "cameraman, 512², SIREN" 33.8
  row cameraman-512-rbf "cameraman, 512², RBF-ReLU" 22.6
  row cameraman-512-positional "cameraman, 512², ReLU P.E." 18.7
  row cameraman-512-relu "cameraman, 512², ReLU" 18.6
  row cameraman-512-tanh "cameraman, 512², tanh" 15.9
} >"$here/README.md"

cp "$runs"/photograph/{figure,psnr}.png "$here/"
