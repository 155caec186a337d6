#!/bin/bash
# Sweeps: which runs there are, the same bits however they are run, stops and kills, failures of
# single runs, and everything that must be refused.
set -uo pipefail
# shellcheck source=tests/suite.sh
. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"

# NAME: standard input as the sweep NAME.yaml.
sweep_file() { cat >"$scratch/$1.yaml"; }

# Four runs of very different length: one is so long that it gets several ranks.
sweep_file mixed <<'YAML'
title: Mixed
base: image
set: {scale: smoke, train: {steps: 40, checkpoint_every: 5}, eval: {pictures: false}, threads: 1}
axes:
  - {network.width: [32, 96], train.steps: [40, 150]}
seeds: 2
YAML

# DIRECTORY: a digest of weights, losses and fields for every run, one a line.
digests() {
  local run
  for run in "$1"/*/; do echo "$(basename "$run") $(file_digest "$run")"; done
}

# ---- Which runs ----

sweep_file cells <<'YAML'
base: image
set:
  scale: smoke
  train: {lr: 1.0e-3}
axes:
  - variant: ["", relu]
  - network.omega_first: {from: 10, to: 1000, count: 3, log: true}
  - {network.width: [16, 24], train.steps: [7, 9]}
seeds: [3, 5]
only: [{variant: ""}, {network.omega_first: [10, 100]}]
skip: [{variant: relu, seed: 5}]
YAML
"$siren" plan cells.yaml >cells.txt 2>err </dev/null
expect "plan: a line for each run" [ "$(grep -cE '^ +[0-9]+  [0-9a-f]{16} ' cells.txt)" = 16 ]
expect "plan: --count" [ "$("$siren" plan cells.yaml --count)" = 16 ]
expect "plan: ranges are exact" \
  [ "$(grep -oE 'omega_first=[^ ]+' cells.txt | sort -u | tr '\n' ' ')" = \
  "omega_first=10 omega_first=100 omega_first=1000 " ]
expect "plan: axes together" [ -z "$(grep 'width=16' cells.txt | grep -v 'steps=7')" ]
expect "plan: only" [ -z "$(grep 'variant=relu' cells.txt | grep 'omega_first=1000')" ]
expect "plan: skip" [ -z "$(grep 'variant=relu' cells.txt | grep 'seed=5')" ]
expect "plan: minutes and memory" [ "$(awk 'length($2) == 16 && $3 > 0 && $4 > 10' cells.txt |
  wc -l)" = 16 ]
id="$(awk '$1 == 3 { print $2 }' cells.txt)"

# ---- Same bits ----

reference="$scratch/serial"
launch 1 sweep mixed.yaml output="$reference" >out 2>err </dev/null
expect "serial sweep" grep -q "4 of 4 runs complete, 4 of them now" out
digests "$reference" >serial.txt
expect "serial sweep: four different runs" [ "$(cut -d' ' -f2 serial.txt | sort -u | wc -l)" = 4 ]

same() { # NAME DIRECTORY
  digests "$2" >other.txt
  if diff serial.txt other.txt >difference; then good "$1"; else bad "$1: $(cat difference)"; fi
}

for ranks in 2 4; do
  launch $ranks sweep mixed.yaml output="$scratch/packed$ranks" >out 2>err </dev/null
  expect "packed sweep, $ranks ranks" grep -q "4 of 4 runs complete, 4 of them now" out
  same "packed sweep, $ranks ranks: same bits" "$scratch/packed$ranks"
done
expect "a long run gets several ranks" grep -qE '"ranks": [234]' "$scratch"/packed4/*/state.json
expect "a short run gets one" grep -qE '"ranks": 1' "$scratch"/packed4/*/state.json
expect "nothing is left of claims" [ ! -e "$scratch/packed4/.claims" ]

for index in 0 1 2 3; do launch 1 sweep mixed.yaml index=$index output="$scratch/array"; done \
  >out 2>err </dev/null
same "one by one: same bits" "$scratch/array"

fails_on "complete sweep" 0 "4 of 4 runs complete, 0 of them now" 2 \
  sweep mixed.yaml output="$reference"
fails_on "complete run of a sweep" 0 "already complete" 1 sweep mixed.yaml index=1 \
  output="$reference"

# ---- Stops and kills ----

# RANKS DIRECTORY: a sweep in the background, as process $leader in a session of its own.
start() {
  setsid mpirun -n "$1" "$siren" sweep mixed.yaml output="$2" >out 2>err </dev/null &
  leader=$!
}

# DIRECTORY: until some run of it has logged a step.
await_steps() {
  local i
  for i in $(seq 400); do
    if grep -qs step "$1"/*/log.jsonl; then return; fi
    sleep 0.02
  done
  echo "no step after $i waits"
}

start 3 "$scratch/stopped"
await_steps "$scratch/stopped"
kill -USR1 $leader
wait $leader
code=$?
if [ $code = 0 ]; then
  good "USR1 came too late"
else
  expect "USR1: exit code 75, not $code" [ $code = 75 ]
  expect "USR1: says how it stands" grep -qE 'stopped: [0-9] of 4 runs are complete' err
fi
launch 2 sweep mixed.yaml output="$scratch/stopped" >out 2>err </dev/null
same "stopped, then on 2 ranks: same bits" "$scratch/stopped"

start 4 "$scratch/killed"
await_steps "$scratch/killed"
victim="$(pgrep -s $leader -f "^$siren sweep" | tail -n 1)"
kill -9 "$victim"
wait $leader
expect "a killed rank ends all four" [ $? != 0 ]
start 2 "$scratch/killed"
sleep 0.7
kill -9 -- -$leader 2>/dev/null
wait $leader 2>/dev/null
for _ in $(seq 100); do pgrep -s $leader >/dev/null || break; sleep 0.05; done
launch 3 sweep mixed.yaml output="$scratch/killed" >out 2>err </dev/null
same "killed twice, then on 3 ranks: same bits" "$scratch/killed"

# ---- Failures of single runs ----

sweep_file failing <<'YAML'
base: image
set: {scale: smoke, eval: {pictures: false}, threads: 1}
axes:
  - train.lr: [1.0e-4, 1000, 2.0e-4]
YAML
for ranks in 1 2; do
  fails_on "a run that diverges" 1 "1 of 3 runs failed, such as train.lr=1000: .*diverged" $ranks \
    sweep failing.yaml output="$scratch/failing$ranks"
  expect "the others are complete, $ranks ranks" \
    [ "$(grep -l '"complete"' "$scratch/failing$ranks"/*/state.json | wc -l)" = 2 ]
  expect "the failure is kept, $ranks ranks" \
    grep -q 'diverged' "$scratch/failing$ranks"/*/state.json
done
fails_on "plan shows states" 0 "failed +train.lr=1000" 1 plan failing.yaml \
  output="$scratch/failing1"
fails_on "nothing can be forecast" 1 "not all runs can be forecast: .*nowhere.png" 1 \
  plan failing.yaml data.file=nowhere.png
fails_on "every run fails" 1 "3 of 3 runs failed, .*nowhere.png" 2 \
  sweep failing.yaml output="$scratch/nowhere" data.file=nowhere.png

# ---- Refused ----

busy="$scratch/busy"
mkdir -p "$busy/$id"
flock -x "$busy/.lock" sleep 20 &
holder=$!
sleep 0.2
fails_on "two sweeps in one directory" 1 "is in use" 2 sweep mixed.yaml output="$busy"
kill $holder
flock -x "$busy/$id/.lock" sleep 20 &
holder=$!
sleep 0.2
fails_on "two processes in one run" 1 "is in use" 1 sweep cells.yaml index=3 output="$busy"
kill $holder

rm -rf "$scratch/foreign"
mkdir -p "$scratch/foreign"
first="$(cut -d' ' -f1 serial.txt | head -n 1)"
second="$(cut -d' ' -f1 serial.txt | tail -n 1)"
cp -r "$reference/$second" "$scratch/foreign/$first"
fails_on "a directory with a run of another configuration" 1 \
  "1 of 4 runs failed.*(network.width|train.steps|seed)" 1 sweep mixed.yaml \
  output="$scratch/foreign"

# NAME REGEX: standard input is a sweep that no command takes.
refused() {
  sweep_file bad
  fails_on "$1" 2 "$2" 1 plan bad.yaml
  fails_on "$1" 2 "$2" 2 sweep bad.yaml
}
refused "unknown axis" 'bad.yaml:2:.*network.widht.*did you mean `network.width`' <<'YAML'
base: image
axes: [{network.widht: [1, 2]}]
YAML
refused "ten million runs" "10000000 combinations" <<'YAML'
base: image
axes:
  - network.width: {from: 1, to: 1000, step: 1}
  - network.omega_first: {from: 1, to: 1000, count: 1000}
seeds: 10
YAML
refused "too many runs" "at most 20000" <<'YAML'
base: image
axes: [{network.width: {from: 1, to: 300, step: 1}}]
seeds: 100
YAML
refused "value out of range" 'bad.yaml:2:.*network.width.*-3' <<'YAML'
base: image
axes: [{network.width: [16, -3]}]
YAML
refused "two runs that are the same" "compute the same" <<'YAML'
base: image
axes: [{network.width: [16, 16]}]
YAML
refused "an axis that changes nothing" "compute the same" <<'YAML'
base: image
axes: [{threads: [1, 2]}]
YAML
refused "lists of two lengths" "has 1 values, but" <<'YAML'
base: image
axes: [{network.width: [16, 32], train.lr: [1.0e-4]}]
YAML
refused "a curve of what no run has" 'bad.yaml:3:.*`total` is not loss/total' <<'YAML'
base: image
axes: [{network.width: [16, 32]}]
table: {metrics: [{name: psnr}], curves: {value: total}}
YAML
refused "a rule that no run meets" "is no value of the axis" <<'YAML'
base: image
axes: [{network.width: [16, 32]}]
skip: [{network.width: 24}]
YAML
refused "a rule over no axis" "is no axis" <<'YAML'
base: image
axes: [{network.width: [16, 32]}]
only: [{train.lr: 1}]
YAML
refused "no run is left" "leave no run" <<'YAML'
base: image
axes: [{network.width: [16, 32]}]
skip: [{network.width: [16, 32]}]
YAML
refused "unknown key" 'unknown key `axis`; did you mean `axes`' <<'YAML'
base: image
axis: [{network.width: [16, 32]}]
YAML
refused "no base" '`base` is missing' <<<'axes: []'
refused "no such base" "bad.yaml:1:.*nothing.yaml: no such file" <<<'base: nothing.yaml'
refused "no YAML" "is not valid YAML" <<<'base: [image'
refused "a list as base" "expected one value" <<<'base: [image]'
refused "empty" "is empty" </dev/null
refused "precision as an axis" "one precision" <<'YAML'
base: image
axes: [{precision: [float, double]}]
YAML
refused "one key on two axes" "is an axis already, in line 2" <<'YAML'
base: image
axes: [{seed: [1, 2]}]
seeds: 3
YAML
refused "a step that leads nowhere" "does not lead" <<'YAML'
base: image
axes: [{network.width: {from: 8, to: 1, step: 1}}]
YAML
refused "a variant that is not declared" 'did you mean `relu`' <<'YAML'
base: image
axes: [{variant: [relu, rulu]}]
YAML
fails_on "an override of an axis" 2 "is an axis" 1 sweep mixed.yaml train.steps=3
fails_on "an unknown override" 2 "did you mean" 2 sweep mixed.yaml train.stebs=3
fails_on "no run of that index" 2 "from 0 to 3" 1 sweep mixed.yaml index=4
fails_on "an index that is no number" 2 "from 0 to 3" 1 sweep mixed.yaml index=x
fails_on "an experiment instead of a sweep" 2 "is an experiment" 1 sweep image
fails_on "no file" 2 "no such file" 2 sweep nothing.yaml
export SLURM_STEP_NUM_TASKS=3
fails_on "single processes instead of ranks" 2 "srun --mpi=pmix" 1 sweep mixed.yaml
unset SLURM_STEP_NUM_TASKS

sweep_file double <<'YAML'
base: image
set: {scale: smoke, precision: double, train: {steps: 4}, eval: {pictures: false}}
YAML
fails_on "a sweep in double precision" 0 "1 of 1 runs complete" 2 sweep double.yaml \
  output="$scratch/double"
expect "its weights are doubles" grep -q 'IEEE_F64LE' \
  <(h5dump -d /network/layer0/weight "$scratch"/double/*/run.h5)

# A disk of a megabyte, where one may be mounted.
small="$scratch/small"
mkdir "$small"
if mount -t tmpfs -o size=300k siren_small "$small" 2>/dev/null; then
  fails_on "a full disk" 1 "No space left" 2 sweep mixed.yaml output="$small/o"
  umount "$small"
fi

report
