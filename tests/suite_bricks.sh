#!/bin/bash
# Fields that stay in their file: the same bits on any number of ranks and after a kill, less memory
# than the field takes, and clear words where the options do not fit.
set -uo pipefail
# shellcheck source=tests/suite.sh
. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"

need_h5py

# field.h5: 40 x 33 x 36; large.h5: 256 x 192 x 192, 38 MB; bad.h5 has a NaN.
$python - <<'PYTHON' || exit 1
import h5py
import numpy as np

def field(z, y, x):
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in (z, y, x)), indexing="ij")
    return (np.sin(5 * z + 3 * y) * np.cos(4 * x) + x * y).astype(np.float32)

for name, size in (("field", (40, 33, 36)), ("large", (256, 192, 192))):
    with h5py.File(f"{name}.h5", "w") as file:
        file.create_dataset("density", data=field(*size), chunks=(16, 16, 16))
with h5py.File("bad.h5", "w") as file:
    data = field(20, 20, 20)
    data[7, 8, 9] = np.nan
    file["density"] = data
PYTHON

run=(run volume scale=smoke data.size=0 data.file=field.h5 threads=1 train.tile=64
  train.checkpoint_every=2 eval.pictures=false)
bricks=(data.brick=8 data.resident=20 data.window=3)

# NAME RANKS KEY=VALUE...: a run whose weights, losses and fields are the first one's.
reference=
same() {
  local digest
  rm -rf run
  if launch "$2" "${run[@]}" output=run "${@:3}" >out 2>err; then
    digest="$(printed_digest out) $(file_digest run)"
  else
    digest="$(tail -n 2 err)"
  fi
  if [ -z "$reference" ]; then reference="$digest"; fi
  expect "$1: $digest" [ "$digest" = "$reference" ]
}

for supervision in value gradient; do
  reference=
  for ranks in 1 2 3 4; do
    same "$supervision, $ranks ranks" $ranks "${bricks[@]}" volume.supervision=$supervision
  done
  same "$supervision, 2 threads" 2 "${bricks[@]}" volume.supervision=$supervision threads=2
  turns="$reference" reference=
  for ranks in 1 3; do
    same "$supervision, all bricks, $ranks ranks" $ranks data.brick=8 \
      volume.supervision=$supervision
  done
  expect "$supervision: which bricks are there is part of the bits" [ "$reference" != "$turns" ]
done

# Stopped twice on the way, on other numbers of ranks.
reference=
same 'undisturbed' 1 "${bricks[@]}" train.steps=2000
rm -rf run
for ranks in 2 3; do
  launch $ranks "${run[@]}" output=run "${bricks[@]}" train.steps=2000 train.time_limit=0.3 \
    >out 2>err
  code=$?
  expect "stopped on $ranks ranks: exit code $code" [ $code = 75 ]
done
launch 1 "${run[@]}" output=run "${bricks[@]}" train.steps=2000 >out 2>err
expect 'resumed on one rank' [ "$(printed_digest out) $(file_digest run)" = "$reference" ]

# KEY=VALUE...: the memory that a run takes, in $peak.
peak_of() {
  rm -rf run
  peak="$(peak_memory "$siren" run volume scale=smoke data.size=0 data.file=large.h5 threads=1 \
    output=run eval.pictures=false volume.stride=16 "$@" 2>err)"
}
peak_of
whole=$peak
peak_of data.brick=32 data.resident=16
expect "memory in bricks: $peak kB instead of $whole kB" \
  [ $((peak > 0 && whole - peak > 25000)) = 1 ]

# NAME REGEX KEY=VALUE...: refused with one line.
refused() {
  local code=0
  rm -rf run
  launch 2 "${run[@]}" output=run "${@:3}" >out 2>err || code=$?
  expect "$1: $(grep '^siren: ' err)" grep -qE -- "^siren: .*$2" err
  expect "$1: exit code $code" [ $((code == 1 || code == 2)) = 1 ]
}
refused 'all samples of bricks' 'train\.samples.*at random' data.brick=8 train.samples=0
refused 'bricks of what is built in' 'data\.brick.*data\.file' data.file= data.brick=8
refused 'NaN in bricks' 'bad\.h5: .*not finite.*\[7, 8, 9\]' data.file=bad.h5 data.brick=6
refused 'NaN in memory' 'bad\.h5: .*not finite.*\[7, 8, 9\]' data.file=bad.h5
code=0
launch 1 run image scale=smoke output=run data.brick=8 >out 2>err || code=$?
expect "bricks of an image: $(cat err)" [ $code = 2 ]
report
