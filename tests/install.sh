#!/bin/bash
# tests/install.sh GROUP...: installs those Debian packages of the groups (tests/packages.txt) that
# are missing. Asks nothing, needs no network when all are there, and does nothing without apt-get.
set -euo pipefail

list="$(dirname "${BASH_SOURCE[0]}")/packages.txt"

if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
  echo "install: no Debian packages here; taking what PATH and pkg-config offer" >&2
  exit 0
fi

installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

missing=()
while read -r group package _; do
  for wanted in "$@"; do
    if [ "$group" = "$wanted" ] && ! installed "$package"; then missing+=("$package"); fi
  done
done <"$list"
if [ ${#missing[@]} -eq 0 ]; then exit 0; fi

as_root=()
if [ "$(id -u)" != 0 ]; then
  as_root=(sudo)
  if ! [ -t 0 ]; then as_root+=(-n); fi
  if ! command -v sudo >/dev/null; then
    echo "install: not root, no sudo; ask for these packages: ${missing[*]}" >&2
    exit 1
  fi
fi
as_root+=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=120)

echo "install: ${missing[*]}"
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
if ! { "${as_root[@]}" update &&
  "${as_root[@]}" install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
  tail -n 15 "$log" >&2
  echo "install: apt-get failed; without network, install these first: ${missing[*]}" >&2
  exit 1
fi
