#!/bin/bash
# experiments/quickstart.sh [key=value ...]: on a bare Debian 12, installs what is missing, builds,
# and fits the built-in photograph on two ranks. The arguments are passed on to `siren run`.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"

bash "$root/tests/install.sh" build run

if ! command -v mpirun >/dev/null; then
  echo "quickstart: mpirun is not in PATH; install the package openmpi-bin, or load the MPI" \
    "module of your cluster" >&2
  exit 1
fi

cmake -S "$root" -B "$root/build" -DSIREN_TESTS=OFF >/dev/null
cmake --build "$root/build" --parallel "$(nproc)"

output="$root/runs/quickstart"
for argument in "$@"; do
  case $argument in output=*) output="${argument#output=}" ;; esac
done

# Two ranks on any number of cores, in any container, for any user; for this one call.
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
if [ "$(id -u)" = 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
mpirun --bind-to none -n 2 "$root/build/siren" run "$root/experiments/image.yaml" scale=desk \
  output="$output" "$@"

echo
echo "Pictures:"
ls -- "$output"/*.png
