#!/bin/bash
# Spaces of images, through the command line: the same bits on any number of ranks and threads and
# after a kill, what a run leaves behind, what is refused, and how.
set -uo pipefail
# shellcheck source=tests/suite.sh
. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"
need_h5py

limit=60
short=(run celeba scale=smoke eval.pictures=false celeba.eval_images=20 threads=1 "output=$output")

make_files() {
  "$python" - <<'PYTHON'
import h5py
import numpy as np

rng = np.random.default_rng(1)
low = rng.integers(0, 256, (80, 3, 2, 3))
images = np.uint8(np.kron(low, np.ones((1, 4, 4, 1))))  # 12 x 8
with h5py.File("colour.h5", "w") as file:
    file.create_dataset("images", data=images, chunks=(10, 12, 8, 3))
with h5py.File("bad.h5", "w") as file:
    file["real"] = np.zeros((80, 4, 4))
    file["four"] = np.zeros((80, 4, 4, 4), np.uint8)
    file["alike"] = np.zeros((80, 4, 4), np.uint8)
    file["one"] = np.zeros((4, 4), np.uint8)
whole = open("colour.h5", "rb").read()
open("truncated.h5", "wb").write(whole[:len(whole) // 2])
open("text.h5", "w").write("no images\n")
PYTHON
}

# NAME CODE REGEX ARGUMENT...: `fails` on one rank, of options alone, which all ranks read alike.
single() {
  rm -rf "$output"
  fails_on "$1" "$2" "$3" 1 "${short[@]}" "${@:4}"
}

# ---- The same bits ----

bits() {
  echo "$(printed_digest "$scratch/out") $(file_digest "$output" 'hyper|network|loss|fields')"
}

# NAME RANKS THREADS: the run in $arguments again has the bits of $reference.
same_bits() {
  rm -rf "$output"
  launch "$2" "${arguments[@]}" threads="$3" >"$scratch/out" 2>"$scratch/err" </dev/null
  expect "$1" [ "$(bits)" = "$reference" ]
}

first_bits() {
  rm -rf "$output"
  launch 1 "${arguments[@]}" threads=1 >"$scratch/out" 2>"$scratch/err" </dev/null
  reference="$(bits)"
  expect "$1: digest" [ ${#reference} -gt 90 ]
}

every_variant() {
  local variant
  while read -r variant; do
    arguments=("${short[@]}" train.steps=6 ${variant:+variant="$variant"})
    variant="variant ${variant:-none}"
    first_bits "$variant"
    same_bits "$variant: same bits on 2 ranks" 2 1
    same_bits "$variant: same bits on 3 ranks of 2 threads" 3 2
  done < <(echo && variants celeba)
  arguments=("${short[@]}" data.file=colour.h5 train.tile=1 train.samples=all celeba.context_most=97
    celeba.context=chance train.steps=3)
  first_bits 'colour images'
  SIREN_RANKS_PER_NODE=1 same_bits 'colour images: same bits on 2 nodes' 2 1
  SIREN_RANKS_PER_NODE=2 same_bits 'colour images: same bits on 2 nodes of 2 ranks' 4 1
}

# Killed at work on two ranks, it goes on with three.
killed() {
  local leader
  arguments=("${short[@]}" train.steps=60 train.log_every=1 train.checkpoint_every=1)
  first_bits 'many steps'
  rm -rf "$output"
  setsid mpirun -n 2 "$siren" "${arguments[@]}" >"$scratch/out" 2>"$scratch/err" &
  leader=$!
  for _ in $(seq 500); do
    if [ "$(wc -l 2>/dev/null <"$output/log.jsonl")" -gt 2 ] 2>/dev/null; then break; fi
    sleep 0.02
  done
  # shellcheck disable=SC2046
  kill -9 $(ps -o pid= -s "$leader")
  wait "$leader" 2>/dev/null
  launch 3 "${arguments[@]}" >"$scratch/out" 2>"$scratch/err"
  expect 'goes on where it was killed' grep -q 'resuming at step [1-9]' "$scratch/err"
  expect 'same bits after a kill' [ "$(bits)" = "$reference" ]
}

# ---- Gradients ----

check() { # NAME ARGUMENT...
  fails_on "gradient, $1" 0 ' ok$' 1 check celeba scale=smoke threads=2 network.width=10 \
    celeba.code=7 celeba.encoder_width=8 celeba.hyper_width=9 train.samples=3 "${@:2}"
  expect "gradient, $1: every tensor" [ "$(grep -c WRONG "$scratch/out")" = 0 ]
}

gradients() {
  check 'tiles of one image' train.tile=1
  check 'two hidden layers' celeba.hyper_layers=2 celeba.encoder_layers=0
  check 'colour' data.file=colour.h5 celeba.context_most=97 celeba.context=chance
  check 'an encoding' network.encoding=positional network.activation=tanh
}

# ---- What a run leaves behind ----

# The stored SIREN is that of the image from all of its pixels.
render() { # IMAGE
  "$python" - "$output" "$1" <<'PYTHON'
import sys

import h5py
import numpy as np

with h5py.File(sys.argv[1] + "/run.h5") as file:
    wanted = file["fields/from_all"][int(sys.argv[2])]
    wanted = wanted.reshape(wanted.shape[:2] + (-1,))
    rows, columns = wanted.shape[:2]
    network = file["network"]
    x = np.stack(np.meshgrid(np.linspace(-1, 1, rows), np.linspace(-1, 1, columns),
                             indexing="ij"), -1).reshape(-1, 2)
    last = int(network.attrs["layers"]) + 1
    for k in range(last + 1):
        layer = network[f"layer{k}"]
        x = x @ layer["weight"][:].T.astype(float) + layer["bias"][:].ravel()
        if k < last:
            x = np.sin(network.attrs["omega_hidden" if k else "omega_first"] * x)
    for got in (wanted, file["fields/value"][:].reshape(wanted.shape)):
        error = np.abs(x.reshape(wanted.shape) - got).max()
        assert error < 1e-4, error
    assert wanted.std() > 1e-3
PYTHON
}

left_behind() {
  local field
  rm -rf "$output"
  launch 2 "${short[@]}" train.steps=30 train.lr=1e-3 >"$scratch/out" 2>"$scratch/err"
  expect '/network renders the first image' render 0
  rm -rf "$output"
  launch 1 "${short[@]}" data.file=colour.h5 celeba.context_most=97 celeba.eval_image=2 \
    >"$scratch/out" 2>"$scratch/err"
  expect '/network renders another image, in colour' render 2
  fails_on 'eval' 0 '^fields' 2 eval "$output" eval.fields=value,gradient,laplacian threads=1
  for field in 'value *Dataset \{12, 8, 3\}' 'gradient *Dataset \{12, 8, 6\}' \
    'laplacian *Dataset \{12, 8, 3\}'; do
    expect "eval has $field" grep -qE "$field" <(h5ls "$output/eval.h5/fields")
  done
  fails_on 'eval of another image' 0 '^fields' 1 eval "$output" celeba.eval_image=1 eval.size=9
  mv "$output" "$scratch/first"
  fails_on 'init from a run' 0 '^weights' 2 "${short[@]}" data.file=colour.h5 \
    celeba.context_most=97 init="$scratch/first/run.h5" train.steps=1 train.lr=1e-30
  expect 'init: the same weights' [ "$(file_digest "$output" hyper)" = \
    "$(file_digest "$scratch/first" hyper)" ]
  single 'init of another width' 1 \
    'run\.h5: /hyper/hyper0/layer0/weight is 16x16, the configuration needs 8x16' \
    data.file=colour.h5 celeba.context_most=97 init="$scratch/first/run.h5" celeba.hyper_width=8
  launch 1 run image scale=smoke data.file="$here/data/rocket.jpg" data.size=16 network.width=16 \
    network.layers=0 train.steps=1 eval.pictures=false threads=1 init="$scratch/first/run.h5" \
    output="$scratch/image" >"$scratch/out" 2>"$scratch/err"
  expect "a stored SIREN begins a run of one image $(errors)" grep -q '^weights' "$scratch/out"
  single 'init of a single network' 1 'image/run\.h5: .*/hyper' init="$scratch/image/run.h5"
}

# ---- What is refused ----

options() {
  single 'more known pixels than there are' 2 'celeba\.context_most=786: .*28 x 28 .*most 785' \
    celeba.context_most=786
  single 'all pixels known' 0 '^weights' celeba.context_most=785 celeba.context_least=784 \
    train.steps=1
  single 'no numbers to draw' 2 'celeba\.context_most=10: must be over celeba\.context_least, 10' \
    celeba.context_most=10
  single 'least over most' 2 'celeba\.context_most=200: must be over .*least, 300' \
    celeba.context_least=300
  single 'size of images' 2 'data\.size=16: .*siren convert' data.size=16
  single 'image that is not in the test' 2 'celeba\.eval_image=32: .*32 images, 0 to 31' \
    celeba.eval_image=32
  single 'negative image' 2 'celeba\.eval_image' celeba.eval_image=-1
  single 'unknown encoder' 2 'celeba\.encoder' celeba.encoder=sets
  single 'L-BFGS' 2 'lbfgs.* whole gradient .* adam' train.optimizer=lbfgs
  single 'Gauss-Newton' 2 'gauss_newton.* whole gradient .* adam' train.optimizer=gauss_newton
  single 'one network of all tensors' 0 '^weights' variant=cnp train.optimizer=lbfgs train.clip=0 \
    train.steps=2
  single 'too many tensors' 2 'take fewer layers' network.layers=60 celeba.hyper_layers=8
  single 'too large a rate' 1 'step [0-9]*: .*(not finite|diverged)' train.lr=1000
}

sets() {
  fails 'no file' 1 'none\.h5: .*No such file' "${short[@]}" data.file=none.h5
  fails 'no HDF5' 1 'text\.h5: .*HDF5' "${short[@]}" data.file=text.h5
  fails 'truncated set' 1 'truncated\.h5: ' "${short[@]}" data.file=truncated.h5
  single 'which set' 1 'bad\.h5: .*(real|four|alike)' data.file=bad.h5
  single 'real numbers' 1 'bad\.h5: holds real' data.file=bad.h5 celeba.dataset=/real
  single 'four channels' 1 'bad\.h5: has 4 components' data.file=bad.h5 celeba.dataset=/four
  single 'one image' 1 'bad\.h5: .*/?one' data.file=bad.h5 celeba.dataset=/one
  single 'no image for some split' 1 'bad\.h5: none of its 80 images' data.file=bad.h5 \
    celeba.dataset=/alike
  single 'no such set' 1 'bad\.h5: .*nothing' data.file=bad.h5 celeba.dataset=/nothing
  single 'a few images of a set' 0 '^test_images +1$' data.file=colour.h5 celeba.images=1 \
    celeba.context_most=97
}

make_files
every_variant
killed
gradients
left_behind
options
sets
report
