#!/bin/bash
# The experiments with waves, through the command line: what is refused, and how; Gauss-Newton: the
# same bits on any number of ranks, and after a kill, and what it is good for; fields of finished
# runs on other grids.
set -uo pipefail
# shellcheck source=tests/suite.sh
. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"
need_h5py

limit=60
grid=data.file=grid.h5
short=(scale=smoke train.steps=2 eval.pictures=false threads=1 "output=$output")

make_files() {
  "$python" - <<'PYTHON'
import h5py
import numpy as np

with h5py.File("grid.h5", "w") as file:
    good = np.full((8, 9), 1.5)
    good[2:5, 3:6] = 3
    file["good"] = good
    for name, value in ("zero", 0), ("negative", -1), ("nan", np.nan), ("inf", np.inf):
        bad = good.copy()
        bad[4, 7] = value
        file[name] = bad
    file["line"] = good[0]
    file["cube"] = np.full((3, 3, 3, 3), 1.0)
    file["text"] = "fast"


def data(path, source, receivers):
    with h5py.File(path, "w") as file:
        file["source"], file["receivers"] = np.array(source), np.array(receivers)
        file["rec_val"] = np.full((len(receivers), len(source), 2), 0.1)


data("two.h5", [[0.1, 0.2], [-0.3, 0]], [[0, 0.4], [0.4, 0], [-0.4, 0.1]])
data("layer.h5", [[0.1, 0.2]], [[0, 0.4], [0.6, 0]])
data("outside.h5", [[0.1, -3]], [[0, 0.4]])
PYTHON
}

# ---- What is refused ----

# NAME CODE REGEX ARGUMENT...: `fails` on one rank, of options alone, which all ranks read alike.
single() {
  rm -rf "$output"
  fails_on "$1" "$2" "$3" 1 "${@:4}"
}

places() {
  fails 'source outside' 2 'helmholtz\.source_x=3: .*-0\.5 to 0\.5' \
    run helmholtz "${short[@]}" helmholtz.source_x=3
  single 'source in the layer' 2 'helmholtz\.source_y=-0\.51: .*layer' \
    run helmholtz "${short[@]}" helmholtz.source_y=-0.51
  single 'pulse outside' 2 'wave\.source_y=1\.5: .*outside' \
    run wave "${short[@]}" wave.source_y=1.5
  fails 'receiver in the layer' 1 'layer\.h5: receiver 2 at \(0\.6, 0\).*layer' \
    run fwi "${short[@]}" data.file=layer.h5
  single 'source of a file outside' 1 'outside\.h5: source 1 at \(0\.1, -3\).*layer' \
    run fwi "${short[@]}" data.file=outside.h5
  single 'source in the disc' 2 'fwi\.disc_radius=0\.4: source 2 ' \
    run fwi "${short[@]}" fwi.disc_radius=0.4
}

media() {
  local -a file=(run helmholtz "${short[@]}" helmholtz.medium=file "$grid")
  single 'no velocity' 2 'helmholtz\.medium_velocity: 0 is out of range' \
    run helmholtz "${short[@]}" helmholtz.medium=disc helmholtz.medium_velocity=0
  single 'negative velocity' 2 'wave\.medium_velocity: -2 is out of range' \
    run wave "${short[@]}" wave.medium=disc wave.medium_velocity=-2
  single 'velocity 0 in a grid' 1 'grid\.h5: .*row 4, column 7 is 0;' \
    "${file[@]}" helmholtz.dataset=/zero
  single 'negative velocity in a grid' 1 'grid\.h5: .*row 4, column 7 is -1;' \
    run wave "${short[@]}" wave.medium=file "$grid" wave.dataset=/negative
  fails 'NaN in a grid' 1 'grid\.h5: .*row 4, column 7 is -?nan;' \
    "${file[@]}" helmholtz.dataset=/nan
  single 'infinite velocity' 1 'grid\.h5: .*row 4, column 7 is inf;' \
    "${file[@]}" helmholtz.dataset=/inf
  single 'grid of one axis' 1 'grid\.h5: .*line.* 2 axes' "${file[@]}" helmholtz.dataset=/line
  single 'grid of four axes' 1 'grid\.h5: .*cube.* 2 axes' "${file[@]}" helmholtz.dataset=/cube
  single 'text as a grid' 1 'grid\.h5: .*text' "${file[@]}" helmholtz.dataset=/text
  single 'no grid' 2 'data\.file.*needs a grid of velocities' \
    run helmholtz "${short[@]}" helmholtz.medium=file
  single 'which grid' 1 'grid\.h5: .*good' "${file[@]}"
  single 'missing grid' 1 'none\.h5: .*No such file' "${file[@]}" data.file=none.h5
  single 'data for inversion as a grid' 1 'two\.h5' "${file[@]}" data.file=two.h5
  single 'a grid as data for inversion' 1 'grid\.h5: .*source' run fwi "${short[@]}" "$grid"
  single 'grid' 0 '^error ' "${file[@]}" helmholtz.dataset=/good
  single 'file of two sources' 0 '^misfit ' run fwi "${short[@]}" data.file=two.h5
}

points() {
  local experiment
  for experiment in helmholtz fwi wave; do
    single "$experiment: all samples" 2 'train\.samples=(all|0): .*how many' \
      run $experiment "${short[@]}" train.samples=all
  done
  single 'too many near the source' 2 'helmholtz\.source_samples=301: .*only 300 points' \
    run helmholtz "${short[@]}" helmholtz.source_samples=301
  single 'too many near sources' 2 'train\.samples=300: 30 receivers and 55 points .* need 305 ' \
    run fwi "${short[@]}" fwi.source_samples=55
  single 'too many near the pulse' 2 'wave\.near_samples=301: .*only 300 points' \
    run wave "${short[@]}" wave.near_samples=301
  single 'too many at time 0' 2 'wave\.initial_samples=301: .*only 300 points' \
    run wave "${short[@]}" wave.initial_samples=301
  single 'core as large as the radius' 2 'helmholtz\.source_core=0\.05: .*source_radius, 0\.05' \
    run helmholtz "${short[@]}" helmholtz.source_core=0.05
  single 'core above the radius' 2 'fwi\.source_core=0\.1: .*source_radius, 0\.05' \
    run fwi "${short[@]}" fwi.source_core=0.1
}

judges() {
  local experiment
  for experiment in helmholtz fwi wave; do
    single "$experiment: grid too small for a solver" 2 'eval\.size=15: .*at least 16' \
      run $experiment "${short[@]}" eval.size=15
    single "$experiment: smallest grid" 0 '^weights ' run $experiment "${short[@]}" eval.size=16
  done
  single 'film beyond what is determined' 0 '^error_1 ' run wave "${short[@]}" wave.end=3
  expect 'no metric of what is not' [ "$(grep -ciE 'nan|^error_5' "$scratch/out")" = 0 ]
}

newton=(train.optimizer=gauss_newton train.lr=1)
optimisers() {
  local experiment
  fails 'helmholtz: no squares' 2 'train\.optimizer=gauss_newton: .*loss=square' \
    run helmholtz "${short[@]}" "${newton[@]}"
  for experiment in fwi wave; do
    single "$experiment: no squares" 2 'train\.optimizer=gauss_newton: .*loss=square' \
      run $experiment "${short[@]}" "${newton[@]}"
  done
  single 'trained encoding' 2 'train\.optimizer=gauss_newton: .*encoding' \
    run helmholtz "${short[@]}" "${newton[@]}" helmholtz.loss=square variant=rbf
  single 'no wave' 2 'train\.optimizer=gauss_newton: .*' \
    run image "${short[@]}" "${newton[@]}"
  single 'damping 0' 2 'train\.damping: 0 is out of range' \
    run helmholtz "${short[@]}" "${newton[@]}" helmholtz.loss=square train.damping=0
}

# Losses of the steps in $output.
losses() { sed -n 's/.*"total":\([^,]*\),.*/\1/p' "$output/log.jsonl"; }

# Points that stay the same, as L-BFGS wants them, or for some steps: here of weights that stay.
redraw() {
  local -a every=(run helmholtz scale=smoke train.steps=6 train.log_every=1 eval.pictures=false
    "output=$output")
  rm -rf "$output"
  single 'physics-informed network' 0 '^error ' "${every[@]}" variant=pinn
  expect 'its loss falls in all steps' \
    [ "$(losses | sort -rgu | tr '\n' ' ')" = "$(losses | tr '\n' ' ')" ]
  rm -rf "$output"
  single 'new points after three steps' 0 '^error ' "${every[@]}" train.redraw=3 train.lr=1e-30
  expect 'and the same ones before' \
    [ "$(losses | uniq -cw 8 | awk '{ print $1 }' | xargs)" = '3 3' ]
}

# What a complete run left is still there after a command that is refused.
nothing_lost() {
  local before
  rm -rf "$output"
  launch 1 run wave "${short[@]}" >"$scratch/out" 2>&1
  before="$(sha256sum "$output"/*)"
  fails_on 'other options than a complete run' 2 'wave\.source_x is 0 there, 2 here' 1 \
    run wave "${short[@]}" wave.source_x=2
  fails_on 'eval of a field that there is not' 2 'eval\.fields.*speed' 1 \
    eval "$output" eval.fields=speed
  expect 'a complete run is untouched' [ "$(sha256sum "$output"/*)" = "$before" ]
}

# ---- The same bits ----

# EXPERIMENT: a short run of it in $arguments.
short_run() {
  arguments=(run "$1" scale=smoke "$1.loss=square" "${newton[@]}" train.steps=40 train.log_every=1
    train.checkpoint_every=1 eval.pictures=false "output=$output")
  if [ "$1" = fwi ]; then
    arguments+=(data.file=two.h5 train.samples=100 fwi.pretrain_steps=20 fwi.fields=one
      fwi.scale=4 fwi.reach=0.3 train.momentum=0.6)
  fi
}

# NAME RANKS THREADS: the run again has the bits of $reference.
same_bits() {
  rm -rf "$output"
  launch "$2" "${arguments[@]}" threads="$3" >"$scratch/out" 2>"$scratch/err"
  expect "$1" [ "$(printed_digest "$scratch/out") $(file_digest "$output")" = "$reference" ]
}

# Killed at work on two ranks, it goes on with three.
killed() {
  local leader
  rm -rf "$output"
  setsid mpirun -n 2 "$siren" "${arguments[@]}" threads=1 >"$scratch/out" 2>"$scratch/err" &
  leader=$!
  for _ in $(seq 500); do
    if [ "$(wc -l 2>/dev/null <"$output/log.jsonl")" -gt 2 ] 2>/dev/null; then break; fi
    sleep 0.02
  done
  # shellcheck disable=SC2046
  kill -9 $(ps -o pid= -s "$leader")
  wait "$leader" 2>/dev/null
  launch 3 "${arguments[@]}" threads=1 >"$scratch/out" 2>"$scratch/err"
  expect "$1: goes on where it was killed" grep -q 'resuming at step [1-9]' "$scratch/err"
  expect "$1: same bits after a kill" \
    [ "$(printed_digest "$scratch/out") $(file_digest "$output")" = "$reference" ]
}

gauss_newton() {
  local experiment
  for experiment in helmholtz fwi wave; do
    short_run $experiment
    rm -rf "$output"
    launch 1 "${arguments[@]}" threads=1 >"$scratch/out" 2>"$scratch/err"
    reference="$(printed_digest "$scratch/out") $(file_digest "$output")"
    expect "$experiment: digest" [ ${#reference} -gt 90 ]
    same_bits "$experiment: same bits on 2 ranks" 2 1
    same_bits "$experiment: same bits on 3 ranks" 3 1
    same_bits "$experiment: same bits on 2 threads" 1 2
    killed $experiment
    evaluate $experiment
  done
}

# The run in $output on a grid of its own, by two ranks.
evaluate() {
  local shape="17, 17"
  if [ "$1" = wave ]; then shape="17, 17, 17"; fi
  launch 2 eval "$output" eval.size=17 eval.fields=value,laplacian >"$scratch/out" \
    2>"$scratch/err"
  expect "$1: eval" grep -q '^fields' "$scratch/out"
  expect "$1: eval has the grid" \
    [ "$(h5dump -H -d /fields/laplacian "$output/eval.h5" | grep -c "SIMPLE { ( $shape")" = 1 ]
}

# ---- What it is good for ----

# OPTION...: metric `error` of a run in $error.
error_of() {
  rm -rf "$output"
  launch 1 "$@" scale=smoke train.steps=40 eval.pictures=false "output=$output" threads=2 \
    >"$scratch/out" 2>"$scratch/err"
  error="$(sed -n 's/^error  *//p' "$scratch/out")"
}

# NAME CONDITION: about $error.
error_is() { expect "$1: $error $2" awk "BEGIN { exit !(${error:-nan} $2) }"; }

better() {
  local -a helmholtz=(run helmholtz helmholtz.wavenumber=10 network.width=96 train.samples=400
    network.omega_first=10 eval.size=97 helmholtz.points=even helmholtz.box_share=0.7
    helmholtz.source_samples=120 helmholtz.source_core=0.004 helmholtz.source_radius=0.5)
  local -a wave=(run wave network.layers=1 train.samples=500 network.omega_first=5
    network.omega_hidden=10 eval.size=65 wave.points=even wave.near_samples=300
    wave.near_radius=0.6 wave.initial_samples=200 wave.pulse_height=1 wave.pulse_variance=0.02
    wave.horizon=0.3 wave.loss=square wave.weight_displacement=1000 wave.weight_velocity=100)
  error_of "${helmholtz[@]}" "${newton[@]}" helmholtz.loss=square helmholtz.source_weight=1 \
    helmholtz.weight_radius=0.3 helmholtz.weight_layer=5
  error_is 'helmholtz by Gauss-Newton' '< 0.8'
  error_of "${helmholtz[@]}" train.lr=2e-4
  error_is 'helmholtz by as many steps of Adam' '> 0.9'
  error_of "${wave[@]}" "${newton[@]}"
  error_is 'wave by Gauss-Newton' '< 0.2'
  error_of "${wave[@]}" train.lr=1e-3
  error_is 'wave by as many steps of Adam' '> 0.5'
}

make_files
places
media
points
judges
optimisers
redraw
nothing_lost
gauss_newton
better
report
