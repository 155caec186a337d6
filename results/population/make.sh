#!/bin/bash
# results/population/make.sh FASHION.gz [RUNS]: makes everything in this folder: 1,000 networks of
# Fashion-MNIST's test images (the IDX file of Debian's dataset-fashion-mnist), by four ways to
# begin and to train, in the directory RUNS (default runs/population). FACES=SET.h5 adds a set of
# images of one's own, without pictures. Complete runs are only read. A run takes about one
# core-minute; `make.sh tables RUNS` only writes the tables again.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
images="${1:?FASHION.gz or tables}"
runs="$(realpath -m "${2:-$here/../../runs/population}")"
siren="${SIREN:-$here/../../build/siren}"
variants=("" same each adam)

fit() { # SET FILE
  local variant
  for variant in "${variants[@]}"; do
    "$siren" run population data.file="$2" population.networks=900 population.held_out=100 \
      threads=2 variant="$variant" output="$runs/$1${variant:+-$variant}"
  done
}

if [ "$images" != tables ]; then
  mkdir -p "$runs"
  if [ ! -e "$runs/fashion.h5" ]; then "$siren" convert "$images" "$runs/fashion.h5"; fi
  fit fashion "$runs/fashion.h5"
  if [ -n "${FACES:-}" ]; then fit faces "$FACES"; fi
fi

fact() { # RUN KEY
  "$siren" info "$runs/$1/run.h5" | awk -v key="$2" '$1 == key { print $2; exit }'
}

round() { # DECIMALS NUMBER
  LC_ALL=C awk -v decimals="$1" -v number="$2" 'BEGIN { printf "%.*f", decimals, number }'
}

# RUN DATASET: its numbers, rounded, as cells of a table.
cells() {
  h5dump -y -w 1 -d "/statistics/learned/$2" "$runs/$1/run.h5" |
    awk '/DATA {/ { on = 1; next } on && /}/ { exit } on && NF { printf "| %.*f ", '"$3"', $1 }'
}

names() { case $1 in
  *-same) echo "one random network" ;;
  *-each) echo "a random network each" ;;
  *-adam) echo "mean image, omega 30, Adam with eps 1e-8" ;;
  *) echo "one network of the mean image" ;;
esac; }

table() { # SET
  local run variant
  for variant in "${variants[@]}"; do
    run="$1${variant:+-$variant}"
    if [ ! -e "$runs/$run/run.h5" ]; then continue; fi
    echo "| $1: $(names "$run") | $(round 2 "$(fact "$run" psnr)") |" \
      "$(round 2 "$(fact "$run" psnr_least)") | $(round 2 "$(fact "$run" psnr_held)") |" \
      "$(round 2 "$(fact "$run" psnr_learned)") | $(round 2 "$(fact "$run" psnr_pixels)") |" \
      "$(round 3 "$(fact "$run" explained)") | $(round 1 "$(fact "$run" effective_rank)") |" \
      "$(round 0 "$(fact "$run" train_seconds)") |"
  done
}

curves() { # SET
  local run variant
  for variant in "${variants[@]}"; do
    run="$1${variant:+-$variant}"
    if [ ! -e "$runs/$run/run.h5" ]; then continue; fi
    echo "| $1: $(names "$run") $(cells "$run" psnr_weights 1)|"
  done
  if [ -e "$runs/$1/run.h5" ]; then echo "| $1: pixels $(cells "$1" psnr_pixels 1)|"; fi
}

cp "$runs"/fashion/{figure,samples}.png "$here"
{
  cat <<'TEXT'
<!-- written by results/population/make.sh -->
# What can be learned from the weights of many small networks

1,000 networks at once (width 32, two hidden layers after the first, 2,241 weights), one to an
image: 900 of training images, from which principal components are learned, and 100 held-out ones.
200 steps of Adam on all pixels, seed 0. PSNR in dB, means over the networks. The paper has no such
figures: it says that the distribution of SIRENs' weights can be learned, and shows it by a
hypernetwork.

- fit, least, held: of all fitted networks, of the worst, of the held-out ones.
- learned: held-out networks put together from 256 principal components of the training images'
  networks, rendered; pixels: held-out images from 256 components of the training images.
- explained: share of the held-out weights' variance that these components have; where each network
  began on its own it is that of the first layer's random numbers. Rank: participation ratio of the
  spectrum. Seconds: of training, two threads on two cores that others used, too; about 60
  core-seconds each for fashion (28²), 75 for faces (32²).

| networks, first weights | fit | least | held | learned | pixels | explained | rank | seconds |
| --- | --- | --- | --- | --- | --- | --- | --- | --- |
TEXT
  table fashion
  table faces
  cat <<'TEXT'

Held-out networks from so many components:

TEXT
  echo "| networks $(cells fashion components 0)|"
  echo "| --- $(cells fashion components 0 | sed 's/[0-9][0-9]*/---/g')|"
  curves fashion
  curves faces
  cat <<'TEXT'

## What it shows

- Much of the weights' distribution can be learned where all networks begin with the same ones: the
  more components, the better held-out images come out, with no sign yet of an end at 256. What is
  drawn from the Gaussian are shapes with clear edges, of which few can be recognised. Where each
  network begins with weights of its own nothing is learned: the components render worse than the
  mean image.
- A network that already has the mean image is the best beginning. Small omegas, and descent along
  the gradient (Adam with eps 0.1) instead of Adam as it is, leave more to be learned, from worse
  fits.
- Linear components of weights are worse than as many of pixels, by some dB: what a linear model has
  of the weights bends the picture. Their pictures have edges where those of pixels have blurs and
  noise.

Held-out networks from principal components, with their PSNR:

![Truth, the fitted network, and what components of weights and of pixels make](figure.png)

Networks and images that nobody fitted, drawn from the Gaussian of the coefficients:

![Samples](samples.png)

Fashion-MNIST: Zalando SE, MIT licence.
TEXT
} >"$here/README.md"
