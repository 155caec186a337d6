#!/bin/bash
# tests/run.sh: installs what is missing, builds with gcc and clang, runs all tests and checks. The
# last line is "N passed, M failed"; the exit code is 1 if anything failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

passed=0 failed=0
started=$SECONDS

say() { echo "==== [$((SECONDS - started)) s] $*"; }

finish() {
  say "done"
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
  exit
}

# NAME COMMAND...: one check that passes or fails.
check() {
  local name="$1"
  shift
  say "$name"
  if "$@"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $name"
    return 1
  fi
}

# Adds what ctest counted; a run without a count is one failure.
count() { # JUNIT
  local tests failures
  tests="$(sed -n 's/^[[:space:]]*tests="\([0-9]*\)".*/\1/p' "$1" | head -n 1)"
  failures="$(sed -n 's/^[[:space:]]*failures="\([0-9]*\)".*/\1/p' "$1" | head -n 1)"
  if [ -z "$tests" ] || [ -z "$failures" ] || [ "$tests" = 0 ]; then
    failed=$((failed + 1))
    echo "FAILED: no test was run"
    return
  fi
  passed=$((passed + tests - failures))
  failed=$((failed + failures))
}

build() { # DIRECTORY OPTION...
  cmake -S . -B "$1" -DSIREN_WERROR=ON "${@:2}" >/dev/null &&
    cmake --build "$1" --parallel "$(nproc)" -- --no-print-directory -s
}

run_tests() { # DIRECTORY OPTION...
  rm -f "$1/junit.xml"
  say "tests in $1"
  ctest --test-dir "$1" --parallel 2 --output-on-failure --output-junit junit.xml "${@:2}" \
    </dev/null
  count "$1/junit.xml"
}

c_files() {
  if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git ls-files '*.c' '*.h'
  else
    find . -name '*.[ch]' -not -path './build*'
  fi
}
format() { c_files | xargs clang-format --dry-run --Werror; }
shell_scripts() {
  find . \( -name '*.sh' -o -name '*.sbatch' \) -not -path './build*' -exec shellcheck .ci/run {} +
}

# Leaks can be looked for where processes may trace themselves.
leaks_found() {
  local probe
  probe="$(mktemp -d)"
  echo 'int main(void) { return 0; }' >"$probe/a.c"
  clang -fsanitize=address -o "$probe/a" "$probe/a.c" && ASAN_OPTIONS=detect_leaks=1 "$probe/a"
  local result=$?
  rm -rf "$probe"
  return $result
}

# The weights do not depend on the compiler, nor on optimisation and checks.
digest() { # DIRECTORY
  ASAN_OPTIONS="detect_leaks=0" "$1/siren" run image scale=smoke eval.pictures=false threads=2 \
    output="$2/$1" 2>/dev/null | sed -n 's/^weights  *//p'
}
same_bits() {
  local scratch first second
  scratch="$(mktemp -d)"
  first="$(digest build-test "$scratch")"
  second="$(digest build-sanitize "$scratch")"
  rm -rf "$scratch"
  echo "gcc: $first, clang: $second"
  [ -n "$first" ] && [ "$first" = "$second" ]
}

say "packages"
if ! bash tests/install.sh build run test; then
  failed=1
  finish
fi

if check "build with gcc" build build-test -DCMAKE_C_COMPILER=gcc; then run_tests build-test; fi

check "code is formatted" format
check "shell scripts" shell_scripts

# Leaks are looked for in programs without MPI, which itself never frees all of its own.
leaks=0
if leaks_found 2>/dev/null; then leaks=1; else echo "no leak detection on this machine"; fi
export UBSAN_OPTIONS="print_stacktrace=1"
if check "build with clang and sanitizers" build build-sanitize -DCMAKE_C_COMPILER=clang \
  -DSIREN_SANITIZE=ON; then
  ASAN_OPTIONS="detect_leaks=$leaks" LSAN_OPTIONS="suppressions=$PWD/tests/leaks.supp" \
    run_tests build-sanitize -L unit
  ASAN_OPTIONS="detect_leaks=0" run_tests build-sanitize -R '^test_mpi_.*_2$|^suite_contract$'
  check "gcc and clang give the same bits" same_bits
fi

finish
