#!/bin/bash
# The same bits for any number of ranks and threads, on one node and on several (pretended on one
# machine): of the weights, of the logged losses and of the evaluated fields, for every experiment.
# Open MPI's reductions, clipping, and ranks with threads, which know nothing of experiments, take
# turns: the first experiment has all of them, each other one some.
set -uo pipefail
# shellcheck source=tests/suite.sh
. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"

reference=

# NAME RANKS THREADS [KEY=VALUE ...]: runs $experiment; the first run is the reference for all.
run_case() {
  local output="$scratch/run" digest
  rm -rf "$output"
  if ! launch "$2" run "$experiment" scale=smoke train.tile=64 eval.pictures=false threads="$3" \
    output="$output" "${@:4}" >"$scratch/out" 2>"$scratch/err"; then
    bad "$1: $(tail -n 3 "$scratch/err")"
    return
  fi
  digest="$(printed_digest "$scratch/out") $(file_digest "$output")"
  if [ -z "$reference" ]; then reference="$digest"; fi
  if [ ${#digest} -gt 64 ] && [ "$digest" = "$reference" ]; then
    good "$1"
  else
    bad "$1: $digest instead of $reference"
  fi
}

turn=0
for experiment in $(experiments); do
  reference=
  algorithms=($((turn % 6 + 1)))
  if [ $turn = 0 ]; then algorithms=(1 2 3 4 5 6); fi
  turn=$((turn + 1))
  for ranks in 1 2 3 4; do
    for threads in 1 2; do
      if [ $turn -gt 1 ] && [ $ranks -gt 1 ] && [ $(((ranks + threads + turn) % 2)) = 0 ]; then
        continue
      fi
      run_case "$experiment: $ranks ranks x $threads threads" $ranks $threads
    done
  done
  for algorithm in "${algorithms[@]}"; do
    export OMPI_MCA_coll_tuned_use_dynamic_rules=1 SIREN_RANKS_PER_NODE=1
    export OMPI_MCA_coll_tuned_allreduce_algorithm=$algorithm
    export OMPI_MCA_coll_tuned_reduce_scatter_block_algorithm=$((algorithm % 5))
    run_case "$experiment: 3 nodes, reduction $algorithm" 3 1
    unset OMPI_MCA_coll_tuned_use_dynamic_rules OMPI_MCA_coll_tuned_allreduce_algorithm
    unset OMPI_MCA_coll_tuned_reduce_scatter_block_algorithm SIREN_RANKS_PER_NODE
  done
  export SIREN_RANKS_PER_NODE=2
  run_case "$experiment: 2 nodes of 2 ranks" 4 1
  unset SIREN_RANKS_PER_NODE
  expect "$experiment: the digest covers weights" \
    [ "$(file_digest "$scratch/run" network)" != "$(sha256sum </dev/null)" ]

  single="$reference" reference=
  if [ $((turn % 4)) = 1 ]; then
    run_case "$experiment: clipped" 1 1 train.clip=0.001
    run_case "$experiment: clipped, 3 ranks" 3 1 train.clip=0.001
    expect "$experiment: clipping gives other bits" [ "$reference" != "$single" ]
    reference=
  fi
  run_case "$experiment: double precision" 1 2 precision=double
  run_case "$experiment: double precision, 3 ranks" 3 1 precision=double
  expect "$experiment: double precision gives other bits" [ "$reference" != "$single" ]

  # Another seed is another run: the digests can tell runs apart.
  launch 1 run "$experiment" scale=smoke seed=1 eval.pictures=false output="$scratch/seed" \
    >"$scratch/out" 2>&1
  expect "$experiment: another seed gives other bits" \
    [ "$(printed_digest "$scratch/out") $(file_digest "$scratch/seed")" != "$single" ]
  rm -rf "$scratch/seed"
done
report
