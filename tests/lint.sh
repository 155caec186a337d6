#!/bin/bash
# tests/lint.sh [--self-test] [DIRECTORY]: rules that compilers do not check: who may know whom,
# sizes, wording. Prints "FILE:LINE: rule: text" for each offence and exits 1 if there is any. With
# --self-test it breaks each rule in a tree of its own making and expects to be told.
set -uo pipefail
export LC_ALL=C.UTF-8

self="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/$(basename "${BASH_SOURCE[0]}")"
offences=0

offence() {
  echo "$*"
  offences=$((offences + 1))
}

# Offences that a command lists, one a line.
offences_of() {
  local line
  while IFS= read -r line; do offence "$line"; done
}

# Files in git or about to be; where there is no git, all but builds and runs.
list_files() {
  if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git ls-files --cached --others --exclude-standard
  else
    find . -type f -not -path './build*' -not -path './.git/*' -not -path './runs/*' -printf '%P\n'
  fi | while IFS= read -r file; do if [ -f "$file" ]; then echo "$file"; fi; done | sort
}

files_in() { # REGEX
  grep -E "$1" <<<"$files" || true
}

# FILES REGEX: "FILE:LINE:text" of the lines that match.
grep_in() {
  files_in "$1" | xargs -r grep -nHE "$2"
}

# All C files without comments and literals, as "FILE:LINE:text".
strip_code() {
  files_in '^(core|mpi|io|hyper|experiments)/.*\.(c|h|def)$' | xargs -r awk '
    FNR == 1 { comment = 0 }
    { line = $0; out = ""
      if (line ~ /^#include/) { print FILENAME ":" FNR ":" line; next }
      while (line != "") {
        if (comment) { end = index(line, "*/")
          if (!end) break
          line = substr(line, end + 2); comment = 0; continue }
        if (match(line, /^\/\*/)) { comment = 1; line = substr(line, 3); continue }
        if (match(line, /^\/\//)) break
        if (match(line, /^("(\\.|[^"\\])*"|\x27(\\.|[^\x27\\])*\x27)/)) {
          out = out "0"; line = substr(line, RLENGTH + 1); continue }
        out = out substr(line, 1, 1); line = substr(line, 2) }
      print FILENAME ":" FNR ":" out }'
}

# NAME REGEX ALLOWED: the regex may match the code of C files only where the path matches ALLOWED.
fence() {
  local line file
  while IFS= read -r line; do
    file="${line%%:*}"
    if [[ $file =~ $3 ]]; then continue; fi
    line="${line#*:}"
    offence "$file:${line%%:*}: $1: ${line#*:}"
  done < <(grep -E "^[^:]*:[0-9]*:(.*[^A-Za-z0-9_])?($2)" <<<"$code")
}

rule_fences() {
  local code
  code="$(strip_code)"
  fence 'MPI outside mpi/' '\<MPI_|<mpi\.h>' '^(mpi/|io/hdf5_parallel\.c$)'
  fence 'HDF5 outside io/' '\<H5|<hdf5' '^io/'
  fence 'BLAS outside core/linalg.c' '\<(cblas|openblas)_|<cblas\.h>' '^core/linalg\.c$'
  fence 'SuperLU outside core/sparse.c' '<(superlu/)?slu_|\<(superlu_|SuperMatrix|zgs[st])' \
    '^core/sparse\.c$'
  fence 'stdout outside main.c' '\<(printf|puts|putchar|vprintf)[ ]*\(|\<stdout\>' \
    '^experiments/main\.c$'
  fence 'exit outside main.c' '\<(exit|_exit|_Exit|quick_exit|abort)[ ]*\(' \
    '^(experiments/main|mpi/comm)\.c$' # comm_abort ends the job
}

declare -A may_include=(
  [core]='core' [mpi]='mpi|core' [io]='io|mpi|core' [hyper]='hyper|core'
  [experiments]='experiments|hyper|io|mpi|core' [tests]='tests|experiments|hyper|io|mpi|core'
)
rule_includes() {
  local folder
  for folder in "${!may_include[@]}"; do
    offences_of < <(grep_in "^$folder/.*\.(c|h|def)\$" '^[ ]*#[ ]*include[ ]+"' |
      grep -vE "\"(${may_include[$folder]})/[a-z0-9_/]+\\.(h|c|def)\"" |
      sed "s|^\([^:]*:[0-9]*\):|\1: $folder may not include this: |")
  done
}

rule_places() {
  local entry
  for entry in $(cut -d/ -f1 <<<"$files" | uniq); do
    case $entry in
      .* | CMakeLists.txt | README.md | LICENSE | core | mpi | io | hyper | experiments | slurm) ;;
      tests | results) ;;
      *) offence "$entry: has no place at the top" ;;
    esac
  done
}

max_lines=500 max_function=60
rule_sizes() {
  local sources='\.(c|h|def|sh|sbatch|py|cmake)$|CMakeLists.txt$'
  offences_of < <(files_in "$sources" | grep -v '^tests/golden/' |
    xargs -r awk -v limit=$max_lines '
      FNR == limit + 1 { long[FILENAME] = 1 }
      { lines[FILENAME] = FNR }
      END { for (file in long)
              print file ":" lines[file] ": file of over " limit " lines" }')
  offences_of < <(files_in '\.[ch]$' | grep -v '^tests/golden/' |
    xargs -r awk -v limit=$max_function '
      /^[A-Za-z_].*[^:]$/ { start = FNR; name = $0 }
      /^}$/ { if (FNR - start + 1 > limit)
                print FILENAME ":" start ": function of " FNR - start + 1 " lines: " name }')
  offences_of < <(grep_in '\.(c|h|def|sh|sbatch|py|yaml|txt|cmake)$' '^.{101,}' |
    grep -v '^tests/golden/' |
    sed -E 's|^([^:]*:[0-9]*):(.{30}).*|\1: line of over 100 columns: \2...|')
}

# Letters in brackets so that this file does not offend itself.
rule_words() {
  local words='\<(TO[D]O|FIX[M]E|X[X]X)\>|/(wor[k]|roo[t]|hom[e])/|\.\./share[d]'
  words+='|\<(this|my|our|next) s[e]ssion|[b]rowser_tool|str_re[p]lace|\<A[I] assistant'
  offences_of < <(grep_in '\.(c|h|def|sh|py|yaml|md|txt|supp|sbatch)$|^\.ci/' "$words" |
    sed 's|^\([^:]*:[0-9]*\):|\1: wording: |')
}

rule_headers() {
  local file guard first
  for file in $(files_in '^(core|mpi|io|hyper|experiments|tests)/.*\.h$'); do
    guard="$(tr 'a-z/.-' 'A-Z___' <<<"$file")"
    if ! grep -qE "^#ifndef ($guard|${guard#TESTS_})\$" "$file"; then
      offence "$file:1: no include guard $guard"
    fi
    IFS= read -r first <"$file"
    if [[ $first != '/*'* ]]; then
      offence "$file:1: does not begin by saying what it is"
    fi
  done
}

# Shell scripts must fail when something fails; sourced ones begin with a comment.
rule_scripts() {
  local file
  for file in $(files_in '\.(sh|sbatch)$'); do
    if ! head -n 1 "$file" | grep -qE '^#(!/bin/bash$| )'; then
      offence "$file:1: begins neither with #!/bin/bash nor with a comment"
    fi
    if head -c 2 "$file" | grep -q '^#!' && ! [ -x "$file" ] && [[ $file == *.sh ]]; then
      offence "$file:1: is a program that may not be run: chmod +x"
    fi
  done
}

lint() { # DIRECTORY
  cd "$1" || exit 1
  files="$(list_files)"
  for rule in fences includes places sizes words headers scripts; do "rule_$rule"; done
  if [ $offences -gt 0 ]; then
    echo "lint: $offences offences"
    exit 1
  fi
}

# ---- Self-test ----

# EXPECTED PATH [MODE]: standard input, put at PATH of a clean tree, must give the one offence
# EXPECTED.
breaks() {
  local tree output
  tree="$(mktemp -d "$scratch/tree.XXXX")"
  mkdir -p "$tree/core" "$tree/$(dirname "$2")"
  printf '/* A thing. MPI_Send, stdout and exit(1) in a comment. */\n#include "core/real.h"\n' \
    >"$tree/core/thing.c"
  cat >"$tree/$2"
  chmod "${3:-755}" "$tree/$2"
  output="$(bash "$self" "$tree")"
  if [ $? = 1 ] && grep -qF -- "$1" <<<"$output" && [ "$(wc -l <<<"$output")" = 2 ]; then
    echo "ok: $1"
  else
    echo "self-test: expected one offence \"$1\", got: $output"
    offences=$((offences + 1))
  fi
}

self_test() {
  scratch="$(mktemp -d)"
  trap 'rm -rf "$scratch"' EXIT
  local clean
  mkdir -p "$scratch/clean/core"
  echo 'static const char text[] = "MPI_ and exit(1)"; /* printf( */' >"$scratch/clean/core/a.c"
  clean="$(bash "$self" "$scratch/clean")" || { echo "clean tree: $clean"; offences=1; }
  breaks 'core/a.c:1: MPI outside' core/a.c <<<'int n = MPI_SUCCESS;'
  breaks 'io/runfile.c:1: MPI outside' io/runfile.c <<<'int n = MPI_SUCCESS;'
  breaks 'io/image.c:2: MPI outside' io/image.c <<<$'/* x */\n#include <mpi.h>'
  breaks 'mpi/a.c:1: HDF5 outside' mpi/a.c <<<'hid_t a = H5P_DEFAULT;'
  breaks 'core/jet.c:1: BLAS outside' core/jet.c <<<'void f(void) { cblas_sgemm(); }'
  breaks 'core/jet.c:1: SuperLU outside' core/jet.c <<<'void f(void) { zgstrf(); }'
  breaks 'io/a.c:2: SuperLU outside' io/a.c <<<$'/* x */\n#include <slu_zdefs.h>'
  breaks 'io/a.c:1: stdout outside' io/a.c <<<'void f(void) { printf("x"); }'
  breaks 'experiments/a.c:1: stdout outside' experiments/a.c <<<'FILE *f = stdout;'
  breaks 'core/a.c:1: exit outside' core/a.c <<<'void f(void) { exit(1); }'
  breaks 'core/a.c:1: core may not' core/a.c <<<'#include "mpi/comm.h"'
  breaks 'mpi/a.c:1: mpi may not' mpi/a.c <<<'#include "io/file.h"'
  breaks 'io/a.c:1: io may not' io/a.c <<<'#include "experiments/suite.h"'
  breaks 'hyper/a.c:1: hyper may not' hyper/a.c <<<'#include "io/file.h"'
  breaks 'core/a.c:1: core may not' core/a.c <<<'#include "status.h"'
  breaks 'extra: has no place' extra/a.c <<<'int a;'
  breaks 'file of over 500' core/a.c < <(for _ in {1..501}; do echo; done)
  breaks 'core/a.c:1: function of 61' core/a.c \
    < <(echo 'int f(void) {'; for _ in {1..59}; do echo; done; echo '}')
  breaks 'core/a.c:1: line of over' core/a.c < <(printf '// %098d\n' 0)
  breaks 'core/a.c:1: wording' core/a.c <<<'// TO''DO later'
  breaks 'README.md:1: wording' README.md <<<'see /wor''k/main'
  breaks 'tests/a.sh:2: wording' tests/a.sh <<<$'#!/bin/bash\n# in this s''ession'
  breaks 'core/a.h:1: no include guard CORE_A_H' core/a.h <<<'/* A. */'
  breaks 'core/a.h:1: does not begin' core/a.h <<<'#ifndef CORE_A_H'
  breaks 'tests/a.sh:1: begins neither' tests/a.sh <<<'true'
  breaks 'tests/a.sh:1: is a program' tests/a.sh 644 <<<'#!/bin/bash'
  breaks 'slurm/a.sbatch:1: begins neither' slurm/a.sbatch <<<'#SBATCH --time=1'
  breaks 'slurm/a.sbatch:2: wording' slurm/a.sbatch <<<$'#!/bin/bash\n# TO''DO later'
  breaks 'slurm/a.sbatch:2: line of over' slurm/a.sbatch < <(printf '#!/bin/bash\n# %099d\n' 0)
  if [ $offences -gt 0 ]; then exit 1; fi
}

if [ "${1:-}" = --self-test ]; then self_test; else lint "${1:-$(dirname "$self")/..}"; fi
