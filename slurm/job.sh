# shellcheck shell=bash
# Sourced by the batch scripts beside it and by submit.sh: how siren runs in a Slurm allocation.
# `job_main ARGUMENT...` runs it on all tasks of the allocation and ends the script:
#
#   siren's exit code                               what happens
#   0, 1, 2                                         the job ends with it
#   75, or any after USR1                           this task is requeued and goes on later
#   over 128: killed (memory, a crash, a person)    requeued, but not for ever
#   any after TERM (scancel, time limit)            the job ends with it
#
# After USR1 no code but 0 and 2 is trusted, since launchers have their own for programs that got a
# signal; a run that really failed does so again when it is started again. Variables:
#
#   SIREN                the program; else build/siren beside this folder, else siren of PATH
#   SIREN_SETUP          a file to source first: modules, Spack, a container, MPI's variables
#   SIREN_LAUNCHER       srun (default), mpirun (Open MPI), or a whole command to put before siren
#   SIREN_MARGIN         seconds between SIREN_DEADLINE and the time limit (30)
#   SIREN_MAX_RESTARTS   of one task (20)
#   SIREN_MAX_KILLED     a killed program is started again up to this restart (2)

job_folder="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
job_signal='' job_process=''

job_say() { echo "job: $*" >&2; }

# Sets siren, to be used as "${siren[@]}".
job_find_siren() {
  # shellcheck source=/dev/null
  if [ -n "${SIREN_SETUP:-}" ] && ! . "$SIREN_SETUP"; then
    job_say "SIREN_SETUP=$SIREN_SETUP: failed"
    exit 2
  fi
  if [ -n "${SIREN:-}" ]; then
    read -ra siren <<<"$SIREN"
    if [ -x "$SIREN" ]; then siren=("$SIREN"); fi
  elif [ -x "$job_folder/../build/siren" ]; then
    siren=("$job_folder/../build/siren")
  else
    siren=(siren)
  fi
  if ! command -v "${siren[0]}" >/dev/null; then
    job_say "${siren[0]}: no such program; build it, or set SIREN to its path"
    exit 2
  fi
}

# Sets job_id. Of an array's last task SLURM_JOB_ID is the id of the whole array.
job_find_id() {
  job_id="$SLURM_JOB_ID"
  if [ -n "${SLURM_ARRAY_TASK_ID:-}" ]; then
    job_id="${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
  fi
}

# Threads are what the allocation gives to a task.
job_threads() {
  export OMP_NUM_THREADS="${SLURM_CPUS_PER_TASK:-1}" OMP_PLACES=cores
  export SRUN_CPUS_PER_TASK="$OMP_NUM_THREADS" # srun does not take it from the job by itself
}

# Threads are bound to cores only where the task has CPUs for them alone: tasks that share a set of
# CPUs would all bind themselves to the first ones. So each task decides; its command follows.
job_task='
if [ -z "${OMP_PROC_BIND:-}" ]; then
  cpus="$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)"
  if [ "$cpus" -le "$OMP_NUM_THREADS" ]; then OMP_PROC_BIND=close; else OMP_PROC_BIND=false; fi
  export OMP_PROC_BIND
fi
exec "$@"'

# Whether Slurm confines the job to CPUs of its own. If not, mpirun may not bind its ranks either:
# it would take the same cores in every job of a node.
job_confined() {
  [ "${OMP_PROC_BIND:-}" != false ] &&
    [ "$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)" -le "${SLURM_CPUS_ON_NODE:-0}" ]
}

# When siren has to have stopped, in case the signal ahead of the limit is lost.
job_deadline() {
  local end
  end="$(SLURM_TIME_FORMAT=%s squeue -h -j "$job_id" -o %e 2>/dev/null)"
  if [[ $end =~ ^[0-9]+$ ]]; then export SIREN_DEADLINE=$((end - ${SIREN_MARGIN:-30})); fi
}

# Sets launcher.
job_launcher() {
  case "${SIREN_LAUNCHER:-srun}" in
    srun) launcher=(srun --kill-on-bad-exit=1 "--mpi=${SLURM_MPI_TYPE:-pmix}") ;;
    mpirun)
      launcher=(mpirun --bind-to none)
      if job_confined; then
        launcher=(mpirun --map-by "slot:PE=$OMP_NUM_THREADS" --bind-to core)
      fi
      ;;
    *) read -ra launcher <<<"$SIREN_LAUNCHER" ;;
  esac
}

# SIGNAL: passes it on to the program. TERM says that Slurm ends the job, and is never forgotten.
job_on_signal() {
  job_say "$1 from Slurm"
  if [ "$job_signal" != TERM ]; then job_signal="$1"; fi
  if [ -n "$job_process" ]; then kill "-$1" "$job_process" 2>/dev/null; fi
}

# COMMAND...: runs it to its end, whatever signals come; its exit code in job_code.
job_run() {
  job_code=75
  if [ -n "$job_signal" ]; then return; fi
  "$@" &
  job_process=$!
  if [ -n "$job_signal" ]; then kill "-$job_signal" "$job_process" 2>/dev/null; fi
  while kill -0 "$job_process" 2>/dev/null; do wait "$job_process"; done # also returns on signals
  wait "$job_process"
  job_code=$?
}

# LIMIT REASON: starts this task again later. Returns if that cannot be.
job_requeue() {
  local restarts="${SLURM_RESTART_COUNT:-0}"
  if [ "$restarts" -ge "$1" ]; then
    job_say "$2 after $restarts restarts; submit it again to go on"
    return
  fi
  job_say "$2; requeued, restart $((restarts + 1))"
  # Slurm ends the script with TERM.
  if scontrol requeue "$job_id"; then sleep 120; fi
  job_say "not requeued; submit it again to go on"
}

job_end() {
  trap - USR1 TERM
  case "$job_signal $job_code" in
    *' 0' | *' 2' | TERM*) ;;
    USR1* | *' 75') job_requeue "${SIREN_MAX_RESTARTS:-20}" "stopped (exit code $job_code)" ;;
    *) if [ "$job_code" -gt 128 ]; then
      job_requeue "${SIREN_MAX_KILLED:-2}" "killed (exit code $job_code)"
    fi ;;
  esac
  exit "$job_code"
}

# ARGUMENT...: siren with these, on all tasks.
job_main() {
  trap 'job_on_signal USR1' USR1
  trap 'job_on_signal TERM' TERM
  job_find_siren
  job_find_id
  job_threads
  job_deadline
  job_launcher
  job_say "$job_id on ${SLURM_JOB_NODELIST:-?}: ${launcher[*]} ${siren[*]} $*"
  job_run "${launcher[@]}" bash -c "$job_task" siren "${siren[@]}" "$@"
  job_end
}
