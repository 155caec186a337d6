#!/bin/bash
# Runs that are killed or asked to stop, and go on with another number of ranks, on one node or on
# several (pretended on one machine), end with the bits of a run that nobody disturbed. KILLS and
# KILL_SEED change what is tried.
set -uo pipefail
# shellcheck source=tests/suite.sh
. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"

RANDOM=${KILL_SEED:-1}
mapfile -t all < <(experiments)
kills=$((${KILLS:-20} / ${#all[@]}))
if [ $kills -lt 2 ]; then kills=2; fi

output="$scratch/run"
settings=(scale=smoke train.steps=800 train.log_every=1 train.checkpoint_every=3
  eval.pictures=false)
arguments() { echo run "$experiment" "${settings[@]}" "output=$output" threads=1; }

# RANKS: starts a run in a session of its own, whose id, also the process's, is $leader.
start() {
  local command=("$siren")
  if [ "$1" != 1 ]; then command=(mpirun -n "$1" "$siren"); fi
  export SIREN_RANKS_PER_NODE=$((RANDOM % 3 + 1))
  # shellcheck disable=SC2046
  setsid "${command[@]}" $(arguments) >"$scratch/out" 2>"$scratch/err" </dev/null &
  leader=$!
}

running() { kill -0 "$leader" 2>/dev/null; }

# Waits until the run is at work.
await_steps() {
  local i
  for i in $(seq 300); do
    if [ "$(wc -l 2>/dev/null <"$output/log.jsonl")" -gt 1 ] 2>/dev/null; then return 0; fi
    if ! running; then return 1; fi
    sleep 0.02
  done
  echo "no step within $((i / 50)) s"
  return 1
}

# Waits for the end of the run; its exit code in $code, 124 if it hangs.
await_end() {
  local i
  for i in $(seq $((limit * 10))); do
    if ! running; then
      wait "$leader"
      code=$?
      return
    fi
    sleep 0.1
  done
  # shellcheck disable=SC2046
  kill -9 $(ps -o pid= -s "$leader")
  code=124
}

# The undisturbed run's digests in $reference.
make_reference() {
  output="$scratch/reference"
  rm -rf "$output"
  # shellcheck disable=SC2046
  launch 1 $(arguments) >"$scratch/out" 2>"$scratch/err" || bad "$experiment: $(cat "$scratch/err")"
  reference="$(printed_digest "$scratch/out") $(file_digest "$output")"
  output="$scratch/run"
}

# NAME: the run that was just finished has the bits of the reference.
compare() {
  local digest
  digest="$(printed_digest "$scratch/out") $(file_digest "$output")"
  if [ "$digest" = "$reference" ] && [ ${#digest} -gt 64 ]; then
    good "$1"
  else
    bad "$1: $digest instead of $reference; $(tail -n 3 "$scratch/err")"
  fi
}

# Goes on with what is there, to the end.
finish() { # NAME RANKS
  start "$2"
  await_end
  if [ "$code" = 0 ]; then
    compare "$1"
  else
    bad "$1: exit code $code; $(tail -n 3 "$scratch/err")"
  fi
}

# Counts the runs that went on where a killed one was.
count_resumed() {
  if grep -q 'resuming at' "$scratch/err"; then resumed=$((resumed + 1)); fi
}

# The first kill waits for the run to be at work; the others come at any time, starting included.
random_kills() {
  local done=0 resumed=0 code
  rm -rf "$output"
  while [ $done -lt $kills ]; do
    start $((RANDOM % 4 + 1))
    if [ ! -e "$output" ]; then await_steps; else sleep "$(printf '0.%03d' $((RANDOM % 700)))"; fi
    sleep "$(printf '0.%03d' $((RANDOM % 200)))"
    # shellcheck disable=SC2046
    if kill -9 $(ps -o pid= -s "$leader") 2>/dev/null; then done=$((done + 1)); fi
    wait "$leader" 2>/dev/null
    count_resumed
    if [ -f "$output/run.h5" ]; then
      finish "$experiment: killed and resumed" $((RANDOM % 4 + 1))
      rm -rf "$output"
    fi
  done
  finish "$experiment: killed $kills times" 2
  count_resumed
  expect "$experiment: $resumed kills hit runs at work" [ $resumed -gt 0 ]
}

# One rank of three dies: the others do not hang, and the run goes on later.
killed_rank() {
  local victim
  rm -rf "$output"
  start 3
  await_steps
  victim="$(ps -o pid=,comm= -s "$leader" | awk '$2 == "siren" { pid = $1 } END { print pid }')"
  kill -9 "$victim"
  await_end
  if [ "$code" != 0 ] && [ "$code" != 124 ]; then
    good "$experiment: a killed rank ends the run"
  else
    bad "$experiment: a killed rank: exit code $code"
  fi
  finish "$experiment: resumed after a killed rank" 1
}

# SIGNAL RANKS CODES: a request to stop ends at a checkpoint with one of the exit codes. TERM goes
# to every process, as batch systems send it; mpirun passes USR1 on.
stopped() {
  rm -rf "$output"
  start "$2"
  await_steps
  if [ "$1" = TERM ]; then
    # shellcheck disable=SC2046
    kill -TERM $(ps -o pid= -s "$leader")
  else
    kill "-$1" "$leader"
  fi
  await_end
  if [[ " $3 " == *" $code "* ]] && [ -f "$output/checkpoint.h5" ] &&
    [ ! -f "$output/run.h5" ]; then
    good "$experiment: $1 on $2 ranks stops at a checkpoint"
  else
    bad "$experiment: $1 on $2 ranks: exit code $code; $(tail -n 3 "$scratch/err")"
  fi
  finish "$experiment: resumed after $1" $((3 - $2))
}

# NAME COMMAND...: a run that ends itself in time.
out_of_time() {
  local code=0
  rm -rf "$output"
  "${@:2}" >"$scratch/out" 2>"$scratch/err" || code=$?
  if [ $code = 75 ] && [ -f "$output/checkpoint.h5" ] && [ ! -f "$output/run.h5" ]; then
    good "$experiment: $1 stops at a checkpoint"
  else
    bad "$experiment: $1: exit code $code; $(tail -n 3 "$scratch/err")"
  fi
  finish "$experiment: resumed after $1" 2
}

# WAY: one of six to end in order, which know nothing of experiments.
end_in_order() {
  case $1 in
    0) stopped USR1 1 75 ;;
    1) stopped TERM 1 75 ;;
    2) stopped USR1 2 75 ;;
    3) stopped TERM 2 '75 1 143' ;; # mpirun has its own code for it
    4)
      # shellcheck disable=SC2046
      out_of_time "train.time_limit" launch 1 $(arguments) train.time_limit=0.2
      ;;
    5)
      # shellcheck disable=SC2046
      out_of_time "SIREN_DEADLINE" env SIREN_DEADLINE="$(date +%s)" "$siren" $(arguments)
      ;;
  esac
}

# The first experiment has all of them, the others take turns.
turn=0
for experiment in "${all[@]}"; do
  make_reference
  random_kills
  killed_rank
  for way in 0 1 2 3 4 5; do
    if [ $turn = 0 ] || [ $((turn % 6)) = $way ]; then end_in_order $way; fi
  done
  turn=$((turn + 1))
done
report
