#!/bin/bash
# `siren run --dry-run`: the memory that a run will take, compared with what it then takes; flops
# and times; and that nothing is written.
set -uo pipefail
# shellcheck source=tests/suite.sh
. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"

tolerance=0.2
sanitized=0 # a sanitizer takes memory of its own, which nobody foretells
if grep -q __asan_init "$siren"; then sanitized=1; fi

# NAME LOG: the value of a result line.
value() { sed -n "s/^$1  *\([^ ]*\).*/\1/p" "$2"; }

# LOG NAME...: the values are finite and above 0.
positive() {
  local log="$1" name
  for name in "${@:2}"; do
    value "$name" "$log" | grep -E '^[0-9.]+(e[-+][0-9]+)?$' |
      awk '{ found = $1 > 0 && $1 < 1e30 } END { exit !found }' || return 1
  done
}

# NAME: foretold in forecast.txt and taken in run.txt, within the tolerance.
held() {
  awk -v foretold="$(value "$1" forecast.txt)" -v taken="$(value "$1" run.txt)" \
    -v tolerance="$tolerance" 'BEGIN {
      print "  '"$1"': " foretold " MB foretold, " taken " MB taken"
      least = (1 - tolerance) * taken
      exit !(taken > 0 && foretold > least && foretold < (1 + tolerance) * taken) }'
}

# RANKS ARGUMENT...: the forecast, then the run, and what became of it.
compare() {
  local ranks="$1" before name="${*:2}, $1 rank(s)" figure
  shift
  rm -rf out
  touch forecast.txt run.txt "$scratch/err"
  before="$(find . -path './o*mpi*' -prune -o -print | sort)"
  launch "$ranks" run "$@" threads=1 --dry-run output=out >forecast.txt 2>"$scratch/err"
  expect "$name: forecast: $(cat "$scratch/err")" [ $? = 0 ]
  expect "$name: writes nothing" \
    [ "$(find . -path './o*mpi*' -prune -o -print | sort)" = "$before" ]
  expect "$name: flops and times" positive forecast.txt flops_step flops step_ms train_minutes \
    evaluate_minutes core_minutes checkpoint
  launch "$ranks" run "$@" threads=1 output=out >run.txt 2>"$scratch/err"
  expect "$name: run: $(tail -n 1 "$scratch/err")" [ $? = 0 ]
  for figure in memory_rank0 memory_rank; do
    if [ $figure = memory_rank ] && [ "$ranks" = 1 ]; then continue; fi
    if [ $sanitized = 0 ]; then
      expect "$name: $figure" held $figure
    else
      expect "$name: $figure is there" positive forecast.txt $figure
    fi
  done
}

# An output that is there is left alone, whatever it holds.
other_outputs() {
  local before after
  launch 1 run image scale=smoke output=done >/dev/null 2>&1
  before="$(sha256sum done/*)"
  launch 1 run --dry-run image scale=smoke output=done >forecast.txt 2>&1
  expect "a complete run: forecast" positive forecast.txt memory_rank0
  launch 1 run image --dry-run scale=smoke seed=5 output=done >forecast.txt 2>&1
  expect "another run's output: forecast" positive forecast.txt memory_rank0
  after="$(sha256sum done/*)"
  expect "complete run is untouched" [ "$before" = "$after" ]
}

mistakes() {
  local code
  launch 1 run image scale=smoke train.stepz=3 --dry-run >/dev/null 2>"$scratch/err"
  code=$?
  expect "unknown key: exit code $code" [ $code = 2 ]
  expect "unknown key is named" grep -q 'train.stepz' "$scratch/err"
  launch 2 run --dry-run image scale=smoke data.file=missing.png >/dev/null 2>"$scratch/err"
  code=$?
  expect "missing file: exit code $code" [ $code = 1 ]
  launch 1 run image scale=smoke init=missing.h5 --dry-run >/dev/null 2>"$scratch/err"
  code=$?
  expect "missing weights: exit code $code" [ $code = 1 ]
  launch 1 run --dry-run >/dev/null 2>"$scratch/err"
  code=$?
  expect "nothing to run: exit code $code" [ $code = 2 ]
}

for experiment in $(experiments); do
  for ranks in 1 2; do compare $ranks "$experiment" scale=smoke; done
done
for ranks in 1 2; do # data and pictures that outweigh the program
  compare $ranks image data.size=1024 network.width=32 network.layers=1 train.steps=1
done
compare 2 image scale=smoke network.width=512 train.steps=2 # and a network
# a hypernetwork, whose moments the ranks have in parts
compare 2 celeba scale=smoke network.width=160 network.layers=1 celeba.hyper_width=256 train.steps=2
compare 1 poisson precision=double scale=smoke train.optimizer=lbfgs
other_outputs
mistakes
report
