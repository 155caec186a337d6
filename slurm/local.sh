#!/bin/bash
# slurm/local.sh start [NODES [CPUS]] | stop | status | env: a throw-away Slurm on one Debian
# machine, for tests and for trying things out. As any user, without systemd and cgroups.
#
#   eval "$(slurm/local.sh start)"      # now sbatch, srun, squeue, ... of this shell know it
#   slurm/local.sh stop
#
# NODES (1): with more, so many nodes are pretended, one slurmd each. CPUS (those of this machine)
# is what each node claims to have, and may be more than there are. All files lie in SIREN_CLUSTER
# (by default a directory below TMPDIR) and are removed by `stop`, unless SIREN_CLUSTER_KEEP is set;
# free ports are found, so several clusters may run at once, each with a SIREN_CLUSTER of its own.
# Packages: slurmctld slurmd slurm-client munge.
set -uo pipefail
export LC_ALL=C PATH="$PATH:/usr/sbin:/sbin"

directory="${SIREN_CLUSTER:-${TMPDIR:-/tmp}/siren-slurm-$(id -u)}"
conf="$directory/slurm.conf"
user="$(id -un 2>/dev/null)"
host="$(uname -n)"
host="${host%%.*}"

fail() {
  echo "local.sh: $*" >&2
  exit 1
}

# SECONDS COMMAND...: waits until the command succeeds.
await() {
  local tries=$(($1 * 20))
  shift
  until "$@" >/dev/null 2>&1; do
    tries=$((tries - 1))
    if [ $tries -le 0 ]; then return 1; fi
    sleep 0.05
  done
}

# ---- Daemons: each has a file run/NAME.pid, and the directory in its command line ----

# NAME: whether that very daemon runs, and not another process that has its number now.
alive() {
  local pid
  pid="$(cat "$directory/run/$1.pid" 2>/dev/null)" || return 1
  { tr '\0' ' ' <"/proc/$pid/cmdline"; } 2>/dev/null | grep -qF "$directory/"
}

# NAME COMMAND...: starts a daemon that stays in the foreground of a session of its own.
daemon() {
  setsid "${@:2}" </dev/null >>"$directory/log/$1.out" 2>&1 &
  echo $! >"$directory/run/$1.pid"
  disown # bash would announce its end
}

# NAME: ends a daemon, kindly at first.
end() {
  local pid
  if alive "$1"; then
    pid="$(cat "$directory/run/$1.pid")"
    kill "$pid"
    await 10 dead "$1" || kill -9 "$pid"
  fi
  rm -f "$directory/run/$1.pid"
}
dead() { ! alive "$1"; }

daemons() { # REGEX
  local file
  for file in "$directory"/run/*.pid; do
    if [ -e "$file" ]; then basename "$file" .pid; fi
  done | grep -E "$1"
}

# PID: whether it has this cluster in its environment, and belongs to a job or is Slurm's own step.
# Shells that merely know the cluster do not count.
of_a_job() {
  local variables
  variables="$(tr '\0' '\n' <"/proc/$1/environ" | grep -xE "SLURM_JOB_ID=.*|SLURM_CONF=.*")"
  grep -qxF "SLURM_CONF=$conf" <<<"$variables" &&
    { grep -q '^SLURM_JOB_ID=' <<<"$variables" || grep -qxE 'slurmstepd|srun' "/proc/$1/comm"; }
}

# Processes of this cluster's jobs that have outlived it.
leftovers() {
  local process
  for process in /proc/[0-9]*; do
    process="${process#/proc/}"
    if [ "$process" != $$ ] && of_a_job "$process"; then echo "$process"; fi
  done 2>/dev/null
}

# ---- Configuration ----

closed() { ! (: <"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# COUNT: the first of so many neighbouring ports that nobody listens on, below those that systems
# give away by themselves.
free_ports() {
  local port i
  while :; do
    port=$((15000 + RANDOM % 15000))
    for ((i = 0; i < $1; i++)); do closed $((port + i)) || continue 2; done
    echo "$port"
    return
  done
}

# NODES CPUS PORT
write_configuration() {
  local i
  cat >"$conf" <<CONF || return 1
ClusterName=local
SlurmctldHost=$host(127.0.0.1)
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
CredType=cred/munge
# A requeued job waits until its credentials have expired; Slurm's default is two minutes.
AuthInfo=socket=$directory/run/munge.socket,cred_expire=${SIREN_CLUSTER_EXPIRE:-5}
SlurmctldPort=$3
SlurmctldPidFile=$directory/run/slurmctld.own
SlurmdPidFile=$directory/run/%n.own
SlurmctldLogFile=$directory/log/slurmctld.log
SlurmdLogFile=$directory/log/%n.log
StateSaveLocation=$directory/state
SlurmdSpoolDir=$directory/spool/%n
# PMIx keeps a directory for each step here; nodes must not share it.
TmpFS=$directory/tmp/%n
# Nothing that needs cgroups.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
JobCompType=jobcomp/filetxt
JobCompLoc=$directory/log/completed.txt
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SlurmdParameters=config_overrides
ReturnToService=2
PropagateResourceLimitsExcept=MEMLOCK
# Quick decisions: there are few jobs.
SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1
KillWait=5
PartitionName=local Nodes=ALL Default=YES MaxTime=INFINITE State=UP OverSubscribe=NO
CONF
  for ((i = 1; i <= $1; i++)); do
    mkdir -p "$directory/tmp/$(node "$i" "$1")"
    echo "NodeName=$(node "$i" "$1") NodeHostname=$host NodeAddr=127.0.0.1 Port=$(($3 + i))" \
      "CPUs=$2 Boards=1 SocketsPerBoard=1 CoresPerSocket=$2 ThreadsPerCore=1 RealMemory=1000"
  done >>"$conf"
}

# INDEX NODES: a single node has the host's own name, as MPI libraries expect it.
node() { if [ "$2" = 1 ]; then echo "$host"; else echo "node$1"; fi; }

# ---- Commands ----

print_environment() {
  local nodes
  nodes="$(grep -c '^NodeName=' "$conf")" || fail "no cluster in $directory; try: $0 start"
  echo "export SLURM_CONF='$conf' SLURM_MPI_TYPE=pmix"
  # Slurm assigns CPUs here without confining jobs to them; jobs that bind themselves would collide.
  echo "export OMP_PROC_BIND=false OMPI_MCA_btl_vader_single_copy_mechanism=none"
  # Pretended nodes share a host name, so Open MPI's shared memory would mix them up.
  if [ "$nodes" != 1 ]; then
    echo "export OMPI_MCA_pml=ob1 OMPI_MCA_btl=self,tcp OMPI_MCA_btl_tcp_if_include=lo"
  fi
  if [ "$(id -u)" = 0 ]; then
    echo "export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1"
  fi
}

idle() { [ "$(sinfo -h -t idle -o %D 2>/dev/null)" = "$1" ]; }

# NODES CPUS: one attempt, on some free ports.
try_start() {
  local i
  write_configuration "$1" "$2" "$(free_ports $(($1 + 1)))" || return 1
  daemon slurmctld slurmctld -D -c -f "$conf"
  for ((i = 1; i <= $1; i++)); do
    daemon "slurmd.$i" slurmd -D -f "$conf" -N "$(node "$i" "$1")"
  done
  for ((i = 0; i < 300; i++)); do
    if idle "$1"; then return 0; fi
    if [ "$(for_each_daemon alive)" != "$(daemons .)" ]; then return 1; fi # a port was taken
    sleep 0.1
  done
  return 1
}
for_each_daemon() { for name in $(daemons .); do if "$1" "$name"; then echo "$name"; fi; done; }

# An empty directory of this user, or one where a cluster was: its remains go.
prepare_directory() {
  if [ -e "$directory/munge.key" ]; then SIREN_CLUSTER_KEEP='' stop; fi
  if [ -n "$(ls -A "$directory" 2>/dev/null)" ]; then
    fail "$directory: there is something else in it; set SIREN_CLUSTER to another directory"
  fi
  if ! { mkdir -p "$directory" && mkdir "$directory"/{run,log,state,spool,tmp}; }; then
    fail "$directory: cannot be used"
  fi
  chmod 755 "$directory" "$directory"/*
}

start() { # NODES CPUS
  local program attempts=3
  for program in slurmctld slurmd munged munge sbatch; do
    command -v $program >/dev/null ||
      fail "no $program: install the packages slurmctld slurmd slurm-client munge"
  done
  [ -n "$user" ] || fail "user $(id -u) has no name, which Slurm needs"
  [[ $1 =~ ^[1-9][0-9]{0,2}$ && $2 =~ ^[1-9][0-9]{0,3}$ ]] || usage
  if alive slurmctld; then fail "there is one in $directory already: $0 stop"; fi
  if [ ${#directory} -gt 60 ]; then
    fail "$directory: too long a name for the sockets in it; set SIREN_CLUSTER to a shorter one"
  fi
  prepare_directory
  export SLURM_CONF="$conf"
  (umask 077 && head -c 1024 /dev/urandom >"$directory/munge.key")
  # --force: it is particular about owners and modes of directories.
  daemon munged munged --foreground --force --key-file="$directory/munge.key" \
    --socket="$directory/run/munge.socket" --pid-file="$directory/run/munged.own" \
    --log-file="$directory/log/munged.log" --seed-file="$directory/run/munged.seed"
  await 10 munge -n --socket="$directory/run/munge.socket" || give_up "munged does not start"
  until try_start "$1" "$2"; do
    end_slurm
    attempts=$((attempts - 1))
    if [ $attempts = 0 ]; then give_up "Slurm does not start"; fi
  done
  print_environment
}

give_up() {
  tail -n 5 "$directory"/log/*.{log,out} >&2
  stop
  fail "$*"
}

end_slurm() {
  local name
  for name in $(daemons slurmd) slurmctld; do end "$name"; done
}

no_jobs() { [ -z "$(squeue -h 2>&1)" ]; }

stop() {
  local pids
  if ! [ -e "$directory/munge.key" ]; then return 0; fi
  export SLURM_CONF="$conf"
  if alive slurmctld; then
    timeout 10 scancel --quiet --user="$user" 2>/dev/null
    await 10 no_jobs
  fi
  end_slurm
  end munged
  pids="$(leftovers)"
  # shellcheck disable=SC2086
  if [ -n "$pids" ]; then kill -9 $pids 2>/dev/null; fi
  if [ -z "${SIREN_CLUSTER_KEEP:-}" ]; then
    rm -rf "$directory"/{run,log,state,spool,tmp,slurm.conf,munge.key}
    rmdir "$directory"
  fi
}

status() {
  if ! alive slurmctld; then fail "no cluster in $directory; try: $0 start"; fi
  export SLURM_CONF="$conf"
  sinfo -N -l && squeue
}

usage() {
  echo "usage: $0 start [NODES [CPUS]] | stop | status | env" >&2
  exit 2
}

case "${1:-}" in
  start) start "${2:-1}" "${3:-$(nproc)}" ;;
  stop) stop ;;
  status) status ;;
  env) print_environment ;;
  *) usage ;;
esac
