#!/bin/bash
# slurm/submit.sh SWEEP.yaml [array[%LIMIT] | packed] [--OPTION ...] [key=value ...]
#
# Submits a sweep and, behind it, the job that writes its table; prints "sweep ID" and "table ID".
#
#   array    (default) a job array with one element for each run; %LIMIT: so many at the same time
#   packed   one job, whose tasks (--ntasks) share all runs
#
# Options are sbatch's, written --name=value or -xvalue; those that say where and for whom a job
# runs also go to the table's. Words like key=value go to siren. Variables: see job.sh.
set -euo pipefail

folder="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=slurm/job.sh
. "$folder/job.sh"
export SIREN_SLURM="$folder"

usage() {
  echo "usage: $0 SWEEP.yaml [array[%LIMIT] | packed] [--OPTION ...] [key=value ...]" >&2
  exit 2
}

fail() {
  echo "submit.sh: $*" >&2
  exit 1
}

# Sets sweep, mode, options, common (those of both jobs) and keys.
read_arguments() {
  local word
  case "${1:-}" in '' | -*) usage ;; esac
  sweep="$1" mode=array options=() common=() keys=()
  shift
  for word in "$@"; do
    case "$word" in
      packed | array | array%[1-9]*) mode="$word" ;;
      --account=* | --partition=* | --qos=* | --reservation=* | --clusters=* | --chdir=* | \
        --export=* | -[ApqMD]?*) common+=("$word") ;;
      -*) options+=("$word") ;;
      *) if [[ $word =~ ^[a-z][a-z0-9_.]*= ]]; then keys+=("$word"); else
        echo "submit.sh: $word: neither --OPTION=VALUE nor key=value" >&2
        usage
      fi ;;
    esac
  done
}

# COUNT: fails where Slurm does not take an array of so many tasks.
check_size() {
  local largest
  largest="$(scontrol show config | sed -n 's/^MaxArraySize *= *//p')"
  if [ "$1" -gt "${largest:-$1}" ]; then
    fail "$1 runs, but this Slurm takes arrays of at most $largest: use packed"
  fi
}

# OPTION... SCRIPT ARGUMENT...: submits; prints the id alone, without the name of a cluster.
submit() {
  local id
  id="$(sbatch --parsable "$@")" || fail "sbatch refused the job"
  echo "${id%%;*}"
}

read_arguments "$@"
command -v sbatch >/dev/null || fail "no sbatch here: is this a login node of a Slurm cluster?"
job_find_siren
runs="$("${siren[@]}" plan "$sweep" "${keys[@]}" --count)" || exit
[[ $runs =~ ^[1-9][0-9]*$ ]] || fail "$sweep: expected a number of runs, got \"$runs\""

name="$(basename "$sweep" .yaml)"
script="$folder/packed.sbatch" own=()
if [ "$mode" != packed ]; then
  check_size "$runs"
  script="$folder/array.sbatch" own=("--array=0-$((runs - 1))${mode#array}")
fi
id="$(submit "--job-name=$name" "${own[@]}" "${common[@]}" "${options[@]}" "$script" "$sweep" \
  "${keys[@]}")"
echo "sweep $id ($runs runs, $mode)"
table="$(submit "--job-name=$name-table" "--dependency=afterany:$id" "${common[@]}" \
  "$folder/table.sbatch" "$sweep" "${keys[@]}")" ||
  fail "the sweep is submitted as job $id, but its table is not"
echo "table $table (after it)"
