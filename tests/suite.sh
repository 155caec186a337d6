# shellcheck shell=bash disable=SC2034
# Sourced by tests/suite_*.sh: end-to-end tests of the program SIREN, through its command line only.
# A test prints one line for each case and ends with `report`.

siren="${SIREN:?the path of the program}"
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
scratch="$(mktemp -d /tmp/suite-XXXXXX)"
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1

# Any user, more ranks than cores, and nothing left outside the scratch directory by killed runs.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 TMPDIR="$scratch"
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_hwloc_base_binding_policy=none
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
export OMPI_MCA_btl_vader_backing_directory="$scratch"
export OMPI_MCA_ess_singleton_isolated=1 # one rank needs no daemon of its own, which takes 0.2 s
unset OMP_NUM_THREADS SIREN_DEADLINE

limit=90 # seconds after which a run counts as hanging
output="$scratch/run"
cases=0 failures=0

good() {
  cases=$((cases + 1))
  echo "ok: $*"
}

bad() {
  cases=$((cases + 1)) failures=$((failures + 1))
  echo "FAILED: $*"
}

# NAME COMMAND...: a case that is good when the command succeeds.
expect() {
  if "${@:2}"; then good "$1"; else bad "$1"; fi
}

report() {
  echo "$((cases - failures)) of $cases cases good"
  [ $cases -gt 0 ] && [ $failures -eq 0 ]
  exit
}

# The Python that has h5py in $python; where there is none, the test is skipped.
need_h5py() {
  for python in python3 /usr/bin/python3; do
    if $python -c 'import h5py' 2>/dev/null; then return; fi
  done
  echo "skipped: no Python with h5py"
  exit 77
}

# RANKS ARGUMENT...: the program on so many ranks; one rank starts without mpirun.
launch() {
  if [ "$1" = 1 ]; then
    timeout -k 5 $limit "$siren" "${@:2}"
  else
    timeout -k 5 $limit mpirun -n "$1" "$siren" "${@:2}"
  fi
}

# What siren said beside warnings and news of a resumed run.
errors() { grep -E '^siren: ' "$scratch/err" | grep -vE '^siren: (warning: |resuming at )'; }

# NAME CODE REGEX RANKS ARGUMENT...: one case; with code 0, no error and the regex anywhere.
fails_on() {
  local name="$1, $4 ranks" code=0 lines
  launch "$4" "${@:5}" >"$scratch/out" 2>"$scratch/err" </dev/null || code=$?
  lines="$(errors)"
  if [ "$code" != "$2" ]; then
    bad "$name: exit code $code instead of $2: $(tail -n 3 "$scratch/err")"
  elif [ "$2" = 0 ]; then
    if [ -z "$lines" ] && grep -qE -- "$3" "$scratch/out" "$scratch/err"; then
      good "$name"
    else
      bad "$name: no \"$3\" in: $(cat "$scratch/out" "$scratch/err")"
    fi
  elif [ "$(wc -l <<<"$lines")" = 1 ] && grep -qE -- "$3" <<<"$lines"; then
    good "$name: $lines"
  else
    bad "$name: \"$lines\" instead of one line with \"$3\""
  fi
}

# NAME CODE REGEX ARGUMENT...: with $output gone before, on one and two ranks.
fails() {
  local ranks
  for ranks in 1 2; do
    rm -rf "$output"
    fails_on "$1" "$2" "$3" $ranks "${@:4}"
  done
}

# FROM TO [KEY=VALUE...]: `siren convert` that succeeds without a word.
turn() {
  local code=0
  launch 1 convert "$@" >out 2>err </dev/null || code=$?
  if [ $code != 0 ] || [ "$(cat out)" != "written         $2" ] || grep -q '^siren:' err; then
    bad "convert $*: exit code $code, $(cat out err)"
  fi
}

# NAME CODE REGEX FROM TO [KEY=VALUE...]: `siren convert` refuses; a file that was there still is,
# and no other.
refused() {
  local there=0
  if echo old >"$5"; then there=1; fi 2>/dev/null
  fails_on "$1" "$2" "$3" "${ranks:-1}" convert "${@:4}"
  if [ $there = 1 ] && [ "$(cat "$5")" != old ]; then bad "$1: $5 is not what it was"; fi
  if [ -e "$5.tmp" ]; then bad "$1: $5.tmp is left"; fi
  rm -f "$5"
}

experiments() { "$siren" list | sed -n 's/^\([a-z][a-z0-9_]*\) .*/\1/p'; }

# EXPERIMENT: its variants, one a line.
variants() {
  "$siren" list | sed -n "/^$1 /,/^[a-z]/s/^ *variants: *//p" | sed 's/ (default)//; s/, */\n/g'
}

# COMMAND...: the largest resident set of a program and its children in kB; 0 if it fails.
peak_memory() {
  python3 -c '
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss if code == 0 else 0)' "$@"
}

# LOG: the digest of the weights that a run printed.
printed_digest() { sed -n 's/^weights *//p' "$1"; }

# RUN_DIR [GROUP...]: SHA-256 of meshes and data sets of the run file's groups (by default all), by
# the tools of HDF5.
file_digest() {
  local set raw="$scratch/raw.bin"
  for set in $(h5ls -r "$1/run.h5" | awk '$2 == "Dataset" { print $1 }' |
    grep -E "^/(${2:-network|loss|fields})/"); do
    rm -f "$raw"
    h5dump -d "$set" -b LE -o "$raw" "$1/run.h5" >/dev/null || return 1
    echo "$set $(sha256sum <"$raw")"
  done | cat - "$1"/*.ply 2>/dev/null | sha256sum
}
