#!/bin/bash
# results/poisson/make.sh CAMERAMAN.png [RUNS]: makes everything in this folder: the built-in
# photograph from its gradients, for the picture, and the table on the cameraman (not free, so not
# included: camera.png of scikit-image 0.16), the network and its baselines, two runs at a time
# with one thread each, in the directory RUNS (default runs/results). Complete runs there are only
# read, so it can be interrupted. Takes over an hour on two cores; `make.sh tables RUNS` only
# writes the table again.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
image="${1:?CAMERAMAN.png or tables}"
runs="$(realpath -m "${2:-$here/../../runs/results}")"
siren="${SIREN:-$here/../../build/siren}"
kinds=(sine tanh positional relu softplus)
# The baselines get more steps on fewer pixels; so does the Laplacian, with which SIREN diverges at
# the baselines' settings.
quarter=(train.samples=16384 train.steps=1000)
laplacian=(train.samples=8192 train.steps=3000 train.lr=2.5e-4)
baselines=(train.samples=4096 train.steps=4000 train.lr=3e-4)

run() { # NAME VARIANT [OVERRIDE...]: in the background, two at a time
  while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n; done
  "$siren" run "$here/../../experiments/poisson.yaml" threads=1 output="$runs/poisson-$1" \
    variant="$2" "${@:3}" &
}

if [ "$image" != tables ]; then
  run gradient-sine "" data.file="$image"
  run laplacian-sine laplacian "${laplacian[@]}" data.file="$image"
  run photograph "" "${quarter[@]}"
  run gradient-quarter "" "${quarter[@]}" data.file="$image"
  for kind in "${kinds[@]:1}"; do
    run "gradient-$kind" "$kind" "${quarter[@]}" data.file="$image"
    run "laplacian-$kind" "laplacian_$kind" "${baselines[@]}" data.file="$image"
  done
  wait
fi

fact() { # NAME KEY
  if [ -f "$runs/poisson-$1/run.h5" ]; then
    "$siren" info "$runs/poisson-$1/run.h5" | awk -v key="$2" '$1 == key { print $2; exit }'
  else
    echo missing
  fi
}
number() { # FORMAT VALUE
  if [ "$2" = all ]; then
    echo all
  elif [ "$2" = missing ]; then
    echo missing
  else
    awk "BEGIN { printf \"$1\", $2 }"
  fi
}

# SUPERVISION METRIC TITLE PAPER...: ours (the paper's), for each kind.
row() {
  local kind i=4
  printf '| %s | %s |' "$1" "$3"
  for kind in "${kinds[@]}"; do
    printf ' %s%s |' "$(number %.2f "$(fact "$1-$kind" "$2")")" "${!i:+ (${!i})}"
    i=$((i + 1))
  done
  echo
}

# The first logged step at which the image of a run reaches 30 dB.
reaches() { # NAME
  python3 -c 'import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
print(next((row["step"] for row in rows if row["psnr"] >= 30), "never"))' \
    "$runs/poisson-$1/log.jsonl" 2>/dev/null || echo missing
}

facts() { # SUPERVISION KEY TITLE FORMAT
  printf '| %s | %s |' "$1" "$3"
  for kind in "${kinds[@]}"; do printf ' %s |' "$(number "$4" "$(fact "$1-$kind" "$2")")"; done
  echo
}

{
  echo "<!-- written by results/poisson/make.sh -->"
  echo "# An image from its gradients, or from its Laplacian (Fig. 3)"
  echo
  cat <<'TEXT'
The cameraman at 256², desk scale of experiments/poisson.yaml, but for the steps and samples
below, seed 0, Adam with a cosine schedule. PSNR in dB, in brackets the paper's on its own image,
a starfish (10,000 full-batch steps; those of the Laplacian's gradient and of the baselines'
Laplacian are not confirmed). Ours: the image in its own units after the best shift, range 1;
gradient and Laplacian against the image's finite differences over their range. The paper does not
say how it scales; "min-max" maps image and fit each from its minimum and maximum to 0 and 1, as
the released code's pictures. Sobel's operator smooths, and so does what is reconstructed from it.

| supervised on | dB of | SIREN | tanh | ReLU P.E. | ReLU | softplus |
| --- | --- | --- | --- | --- | --- | --- |
TEXT
  row gradient psnr image 32.91 25.79 26.35
  row gradient psnr_minmax "image, min-max"
  row gradient psnr_gradient gradient 46.85 19.11 19.33
  row gradient psnr_laplacian Laplacian 19.88 18.59 14.24
  row laplacian psnr image 14.95 7.11 11.14
  row laplacian psnr_minmax "image, min-max"
  row laplacian psnr_gradient gradient 23.45 11.14 11.35
  row laplacian psnr_laplacian Laplacian 57.13 16.35 18.31
  facts gradient train.steps steps %d
  facts gradient train.samples "samples a step" %d
  facts gradient train.lr "learning rate" %g
  facts gradient train_seconds "seconds" %.0f
  facts laplacian train.steps steps %d
  facts laplacian train.samples "samples a step" %d
  facts laplacian train.lr "learning rate" %g
  facts laplacian train_seconds "seconds" %.0f
  echo
  echo "From gradients, the image passes 30 dB at step $(reaches gradient-sine). With a quarter of"
  echo "the pixels a step, as the baselines have, SIREN passes it at step" \
    "$(reaches gradient-quarter), and has" \
    "$(number %.2f "$(fact gradient-quarter psnr)") dB after" \
    "$(fact gradient-quarter train.steps) steps. Commit $(fact gradient-sine commit)."
  echo
  echo "![The built-in photograph from its gradients](gradient.png)"
} >"$here/README.md"

cp "$runs/poisson-photograph/figure.png" "$here/gradient.png"
