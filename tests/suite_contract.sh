#!/bin/bash
# What users and other programs rely on: commands and their exit codes, what a run leaves behind.
set -uo pipefail
# shellcheck source=tests/suite.sh
. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"

# NAME REGEX COMMAND...: the command succeeds and prints a line that matches.
prints() {
  if "${@:3}" >"$scratch/out" 2>"$scratch/err" && grep -qE -- "$2" "$scratch/out"; then
    good "$1"
  else
    bad "$1: no \"$2\" in: $(cat "$scratch/out" "$scratch/err")"
  fi
}

is_png() { [ "$(head -c 8 "$1" | od -An -tx1)" = " 89 50 4e 47 0d 0a 1a 0a" ]; }

# FILE REGEX: HDF5's own tools list this group, data set or attribute.
holds() { { h5ls -r "$1" && h5dump -A "$1"; } | grep -E -- "$2" >/dev/null; }

commands() {
  local command
  prints 'help' 'siren run FILE' "$siren" --help
  prints 'version' '^siren [0-9]' "$siren" --version
  for command in list run check eval info bench; do
    prints "$command --help" "^siren $command" "$siren" $command --help
  done
  prints 'help has the options' 'train\.steps' "$siren" run --help
}

# One run of the experiment, in $output.
run_file() {
  local output="$1" picture
  rm -rf "$output"
  prints "$experiment: run" '^weights +xxh3-128 [0-9a-f]{32}$' \
    "$siren" run "$experiment" scale=smoke output="$output"
  expect "$experiment: no colour off a terminal" \
    [ "$(cat "$scratch/out" "$scratch/err" | tr -dc '\033')" = "" ]
  for group in config provenance network network/layer0 loss metrics fields; do
    expect "$experiment: run file has /$group" holds "$output/run.h5" "^/$group +Group"
  done
  for set in loss/total loss/step fields/value; do
    expect "$experiment: run file has /$set" holds "$output/run.h5" "^/$set +Dataset"
  done
  expect "$experiment: run file is complete" holds "$output/run.h5" 'ATTRIBUTE "complete"'
  expect "$experiment: network's attributes" holds "$output/run.h5" 'ATTRIBUTE "omega_first"'
  expect "$experiment: log" grep -q '"step":0' "$output/log.jsonl"
  for picture in "$output"/*.png; do
    expect "$experiment: $(basename "$picture") is a PNG" is_png "$picture"
  done
}

# A complete run is shown, not done again.
once() {
  local before after
  before="$(sha256sum "$1/run.h5" "$1/log.jsonl")"
  prints "$experiment: complete run" 'already complete' \
    "$siren" run "$experiment" scale=smoke output="$1"
  after="$(sha256sum "$1/run.h5" "$1/log.jsonl")"
  expect "$experiment: complete run is untouched" [ "$before" = "$after" ]
}

readers() {
  prints "$experiment: info of the run file" 'layer0' "$siren" info "$1/run.h5"
  prints "$experiment: info of a checkpoint" 'layer0' "$siren" info "$1/checkpoint.h5"
  prints "$experiment: eval" '^fields' launch 2 eval "$1" eval.size=33
  expect "$experiment: eval on another grid" holds "$1/eval.h5" '^/fields/value +Dataset \{33'
  expect "$experiment: eval keeps the run" holds "$1/run.h5" 'ATTRIBUTE "complete"'
}

commands
for experiment in $(experiments); do
  run_file "$scratch/$experiment"
  once "$scratch/$experiment"
  readers "$scratch/$experiment"
done
report
