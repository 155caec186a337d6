#!/bin/bash
# Many small networks at once: what the run file holds for others to learn from, beginnings, going
# on from another run's networks, and what is asked for in vain.
set -uo pipefail
# shellcheck source=tests/suite.sh
. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"

small=(run population scale=smoke train.steps=5 threads=1 eval.pictures=false "output=$output")

# NAME: of a data set of the run file, its shape as h5ls has it.
shape() { h5ls -r "$output/run.h5" | sed -n "s|^$1  *Dataset {\(.*\)}\$|\1|p"; }

# NAME SHAPE
has_shape() { expect "$1 is [$2]" [ "$(shape "$1")" = "$2" ]; }

the_data_set() {
  fails_on 'a run' 0 '^psnr_learned ' 1 "${small[@]}"
  has_shape /population/layer0/weight '16, 16, 2'
  has_shape /population/layer1/bias '16, 16'
  has_shape /population/layer2/weight '16, 1, 16'
  has_shape /population/initial/layer1/weight '16, 16'
  has_shape /network/layer1/weight '16, 16'
  has_shape /statistics/psnr 16
  has_shape /statistics/layer1/weight/counts '3, 128'
  has_shape /statistics/layer1/weight/singular '3, 16'
  has_shape /statistics/learned/variance 11
  has_shape /fields/value '16, 28, 28'
}

# Digest of what all networks begin with, or of the first two of them after no step.
first_weights() { # INIT NAME
  rm -rf "$output"
  launch 1 "${small[@]}" train.steps=1 train.lr=1e-12 population.init="$1" >/dev/null 2>&1
  h5dump -d /population/layer1/weight -s "$2,0,0" -c 1,16,16 "$output/run.h5" |
    sed -n 's/^ *([0-9,]*): //p' | tr -d '\n'
}

beginnings() {
  local first second init
  for init in mean same each; do
    first="$(first_weights $init 0)"
    second="$(first_weights $init 1)"
    expect "init=$init: weights are there" [ ${#first} -gt 1000 ]
    if [ $init = each ]; then
      expect "init=$init: networks differ" [ "$first" != "$second" ]
    else
      expect "init=$init: networks are the same" [ "$first" = "$second" ]
    fi
  done
  expect "init=each: nothing in common" [ "$(shape /population/initial/layer1/weight)" = "" ]
}

# The networks of a run are another one's first weights.
goes_on() {
  rm -rf "$output"
  launch 1 "${small[@]}" >/dev/null 2>&1
  mv "$output" other
  fails_on 'from another run' 0 '^psnr ' 2 "${small[@]}" init=other/run.h5
  fails 'from networks of another shape' 1 '/population/layer0/weight is 16x16x2' "${small[@]}" \
    init=other/run.h5 network.width=8
  fails 'from another number of networks' 1 '/population/layer0/weight is 16x16x2' "${small[@]}" \
    init=other/run.h5 population.networks=11
}

mistakes() {
  fails 'more networks than images' 2 'population.networks=500: the set has 198 images' \
    "${small[@]}" population.networks=500
  fails 'more held-out networks than images' 2 'population.held_out=60: the set has [0-9]+ images' \
    "${small[@]}" population.held_out=60
  fails 'a network that is not there' 2 'population.eval_network=16: there are 16 networks' \
    "${small[@]}" population.eval_network=16
  fails 'some of the pixels' 2 'train.samples=100: every step has all pixels' "${small[@]}" \
    train.samples=100
  fails 'another size' 2 'data.size=16: sets of images are resized' "${small[@]}" data.size=16
  fails 'another optimiser' 2 'whole gradient' "${small[@]}" train.optimizer=lbfgs
  fails 'an image that is no set' 1 'photo.png: is not HDF5' "${small[@]}" data.file=photo.png
}

touch photo.png
the_data_set
beginnings
goes_on
mistakes
report
