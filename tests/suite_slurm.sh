#!/bin/bash
# Sweeps under a real Slurm: two throw-away clusters at once, of one node and of two pretended ones.
# Whatever is killed, stopped or out of time on the way, each run is done once, with the bits of a
# sweep that nobody disturbed.
set -uo pipefail
# shellcheck source=tests/suite.sh
. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"

slurm="$here/../slurm"
for program in slurmctld slurmd munged sbatch; do
  if ! PATH="$PATH:/usr/sbin:/sbin" command -v $program >/dev/null; then
    echo "skipped: no $program"
    exit 77
  fi
done

# ---- Clusters ----

declare -A environment

stop_clusters() {
  local cluster
  for cluster in one two; do
    SIREN_CLUSTER="$scratch/$cluster" bash "$slurm/local.sh" stop &
  done
  wait
}
trap 'jobs -p | xargs -r kill 2>/dev/null; stop_clusters; rm -rf "$scratch"' EXIT

# CLUSTER NODES CPUS
start_cluster() {
  environment[$1]="$(SIREN_CLUSTER="$scratch/$1" bash "$slurm/local.sh" start "$2" "$3")" || {
    echo "skipped: no cluster here"
    exit 77
  }
}

on() { (eval "${environment[$1]}" && "${@:2}"); } # CLUSTER COMMAND...

# ---- The sweep: the last three runs are long enough to be disturbed ----

cat >six.yaml <<'YAML'
title: Six small runs
base: image
set: {scale: smoke, threads: 1, eval.pictures: false, train.log_every: 20}
axes:
  - train.steps: [50, 51, 52, 700, 701, 702]
table: {metrics: [psnr]}
YAML

steps_of() { # RUN: what a run has to show: its losses and weights
  h5dump -a /provenance/weights -d /loss/step -d /loss/total "$1/run.h5" | tail -n +2 | sha256sum
}

# OUTPUT: one line for each run.
results() {
  local id
  for id in "${ids[@]}"; do echo "$id $(steps_of "$1/$id")"; done
}

# RUN: how often it was begun or gone on with.
attempts() { sed -n 's/^ *"attempts": *\([0-9]*\).*/\1/p' "$1/state.json"; }

# OUTPUT: the process of a run, once it is at work.
await_work() {
  local tries=1200
  until [ "$(wc -l 2>/dev/null <"$1/log.jsonl")" -gt 2 ] 2>/dev/null; do
    tries=$((tries - 1))
    if [ $tries = 0 ]; then return 1; fi
    sleep 0.05
  done
  sed -n 's/^ *"process": *\([0-9]*\).*/\1/p' "$1/state.json"
}

# ---- Disturbances: each in the background, on CLUSTER, JOB, the DIRECTORY of a run ----

kill_program() {
  local process
  process="$(await_work "$3")" && kill -9 "$process"
}

# As Slurm sends it ahead of a time limit, to the batch script alone.
signal_script() { await_work "$3" >/dev/null && on "$1" scancel --batch --signal=USR1 "$2"; }

# The program makes no step until its time is over, which it finds out by itself.
run_out_of_time() {
  local process
  process="$(await_work "$3")" && kill -STOP "$process" && sleep 6 && kill -CONT "$process"
}

# ---- Jobs ----

# What submit.sh printed: the id of the line "sweep ID" or "table ID".
id_of() { sed -n "s/^$1 \\([0-9]*\\).*/\\1/p" "$2"; }

# The last run of an array has six seconds in its first attempt.
cat >setup.sh <<'SETUP'
if [ "${SLURM_ARRAY_TASK_ID:-} ${SLURM_RESTART_COUNT:-0}" = '5 0' ]; then SIREN_MARGIN=294; fi
SETUP

# CLUSTER LAUNCHER OPTION...: an array sweep, disturbed; the directory is CLUSTER-array.
submit_array() {
  local cluster="$1" job
  SIREN_LAUNCHER="$2" SIREN_SETUP="$scratch/setup.sh" on "$1" bash "$slurm/submit.sh" six.yaml \
    array --time=5 "--output=$1-array-%a.log" "${@:3}" "output=$1-array" >"$1-array.out" 2>&1 ||
    bad "$1: submission: $(cat "$1-array.out")"
  job="$(id_of sweep "$1-array.out")"
  kill_program "$cluster" "${job}_3" "$1-array/${ids[3]}" &
  signal_script "$cluster" "${job}_4" "$1-array/${ids[4]}" &
  run_out_of_time "$cluster" "${job}_5" "$1-array/${ids[5]}" &
}

# CLUSTER LAUNCHER DISTURBANCE OPTION...: a packed sweep, disturbed in its longest run.
submit_packed() {
  SIREN_LAUNCHER="$2" on "$1" bash "$slurm/submit.sh" six.yaml packed "--output=$1-packed.log" \
    "${@:4}" "output=$1-packed" >"$1-packed.out" 2>&1 ||
    bad "$1: submission: $(cat "$1-packed.out")"
  "$3" "$1" "$(id_of sweep "$1-packed.out")" "$1-packed/${ids[5]}" &
}

no_jobs() { [ -z "$(on "$1" squeue --noheader 2>&1)" ]; }

await_jobs() { # CLUSTER
  local tries=500
  until no_jobs "$1"; do
    tries=$((tries - 1))
    if [ $tries = 0 ]; then
      bad "$1: jobs hang: $(on "$1" squeue)"
      return
    fi
    sleep 0.5
  done
}

# ---- Checks ----

# NAME REGEX FILE
shows() { expect "$1" grep -qE -- "$2" "$3"; }

# NAME: the sweep in the directory NAME is as good as the undisturbed one.
check_sweep() {
  local count
  count="$(find "$1" -name run.h5 | wc -l)"
  expect "$1: each of 6 runs once ($count)" [ "$count" = 6 ]
  expect "$1: the same losses and weights" [ "$(results "$1")" = "$reference" ]
  expect "$1: six rows in the table, none missing" table_is_whole "$1"
}

# The table's job has run, behind everything else: all but the times is as in the serial one.
figures() { sed 's/,[^,]*$//' "$1/table.csv"; }
table_is_whole() {
  [ "$(wc -l <"$1/table.csv")" = 7 ] && ! grep -q missing "$1/table.csv" &&
    [ "$(figures "$1")" = "$(figures serial)" ] && [ -s "$1/table.md" ]
}

check_array() { # CLUSTER
  local run log="$1-array"
  shows "$1: a killed program is started again" 'killed \(exit code 137\); requeued' "$log-3.log"
  shows "$1: a signal reaches the program" 'USR1 from Slurm' "$log-4.log"
  shows "$1: and stops it at a checkpoint" 'stopped \(exit code 75\); requeued' "$log-4.log"
  shows "$1: and it goes on there" 'siren: resuming at' "$log-4.log"
  shows "$1: time runs out, for the last of an array" 'stopped .*; requeued' "$log-5.log"
  expect "$1: nobody else is requeued" [ "$(grep -l requeued "$log"-[0-9].log | wc -l)" = 3 ]
  for run in 0 1 2 3 4 5; do
    expect "$1: attempts of run $run" [ "$(attempts "$1-array/${ids[run]}")" = $((1 + run / 3)) ]
  done
  check_sweep "$1-array"
}

# CLUSTER: a complete run is not redone.
check_again() {
  local id="$1-array/${ids[0]}" before
  before="$(stat -c %Y "$id/run.h5")"
  expect "$1: a task whose run is complete ends well" \
    on "$1" sbatch --quiet --wait --array=0 --output=again.log "$slurm/array.sbatch" six.yaml \
    "output=$1-array"
  expect "$1: and does nothing" [ "$(stat -c %Y "$id/run.h5")" = "$before" ]
}

# CLUSTER: processes that do not see each other.
check_alone() {
  local code=0
  on "$1" srun --mpi=none -n 2 --overcommit "$siren" run image scale=smoke output=alone >out 2>&1 ||
    code=$?
  expect "lone processes are refused: exit code $code" [ $code = 2 ]
  shows "and told how to start: $(grep -m 1 '^siren:' out)" 'start with `srun --mpi=pmix`' out
  expect "and nothing is written" [ ! -e alone ]
  expect "a lone task of a step is welcome" \
    on "$1" srun --quiet --mpi=none -n 1 --output=out "$siren" list
}

phase() { echo "---- [$SECONDS s] $*"; }

start_cluster one 1 6
start_cluster two 2 3
good "two clusters at once"
mapfile -t ids < <("$siren" plan six.yaml | awk '$1 ~ /^[0-9]+$/ { print $2 }')
expect "six runs" [ ${#ids[@]} = 6 ]
export SIREN="$siren"

phase "submission"
submit_array one srun
submit_array two mpirun --nodes=2 --ntasks=2
launch 1 sweep six.yaml output=serial >out 2>&1 || bad "serial sweep: $(cat out)"
launch 1 table six.yaml output=serial >out 2>&1 || bad "serial table: $(cat out)"
reference="$(results serial)"
check_alone one
submit_packed one mpirun signal_script --ntasks=2
submit_packed two srun kill_program --nodes=2 --ntasks=2
phase "waiting for jobs"
await_jobs one
await_jobs two
wait

phase "results"

check_array one
check_array two
check_sweep one-packed
shows "one: a packed sweep stops at checkpoints" 'stopped \(exit code 75\); requeued' one-packed.log
check_sweep two-packed
shows "two: a packed sweep is started again" 'killed \(exit code 137\); requeued' two-packed.log
check_again one
phase "done"
report
