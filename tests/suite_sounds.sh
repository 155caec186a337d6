#!/bin/bash
# Sounds from file to file: the same sound in WAV and in HDF5, whole and in part, gives the same
# bits; the sound files that a run leaves are the fit and the target; what is no sound is refused.
set -uo pipefail
# shellcheck source=tests/suite.sh
. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"

need_h5py
python3 "$here/make_media.py" "$scratch"
sound=(run audio scale=smoke audio.seconds=0 train.steps=4 threads=1 "output=$output")

# sound.py: read(NAME) gives rate and samples of a 32-bit float WAV file.
cat >sound.py <<'PYTHON'
import struct
import numpy as np

def read(name):
    data = open(name, "rb").read()
    at, chunks = 12, {}
    while at + 8 <= len(data):
        kind, size = struct.unpack("<4sI", data[at:at + 8])
        chunks[kind], at = data[at + 8:at + 8 + size], at + 8 + size + size % 2
    form, channels, rate = struct.unpack("<HHI", chunks[b"fmt "][:8])
    assert form == 3 and channels == 1, (form, channels)
    return rate, np.frombuffer(chunks[b"data"], "<f4")
PYTHON

$python - <<'PYTHON' || exit 1
import h5py
import numpy as np
import sound

rate, tone = sound.read("tone.wav")
def write(name, data, **attributes):
    with h5py.File(name, "w") as file:
        file["sound"] = data
        file["sound"].attrs.update(attributes)

write("tone.h5", tone, rate=float(rate))
write("stereo.h5", np.stack([2 * tone, 0 * tone], 1), rate=float(rate))
write("no_rate.h5", tone)
write("cube.h5", np.ones((4, 5, 6), np.float32))
write("words.h5", np.array([b"do", b"re", b"mi"]))
write("one.h5", tone[:1])
write("integers.h5", np.round(1e4 * tone).astype(np.int16))
tone = tone.copy()
tone[71] = np.inf
write("infinite.h5", tone)
with h5py.File("two.h5", "w") as file:
    file["left"], file["right"] = tone[100:300], tone[300:600]
PYTHON

# NAME RANKS KEY=VALUE...: a run; its digest in $digest.
train() {
  rm -rf "$output"
  if launch "$2" "${sound[@]}" "${@:3}" >"$scratch/out" 2>"$scratch/err"; then
    digest="$(printed_digest "$scratch/out") $(file_digest "$output")"
  else
    digest="$(tail -n 2 "$scratch/err")"
  fi
}

same() {
  train "$@"
  expect "$1: $digest" [ "$digest" = "$reference" ]
}

good_sounds() {
  train 'WAV' 1 data.file=tone.wav
  reference="$digest"
  expect "WAV: $digest" [ ${#digest} -gt 64 ]
  same 'stereo' 2 data.file=stereo.wav
  same 'HDF5' 1 data.file=tone.h5
  same 'HDF5, two channels, 3 ranks' 3 data.file=stereo.h5
  same 'HDF5 without a rate' 1 data.file=no_rate.h5
  expect 'without a rate there are no sound files' [ ! -e "$output/fit.wav" ]
  expect 'but pictures' [ -s "$output/waveform.png" ]
  train 'part' 1 data.file=part.wav
  reference="$digest"
  same 'part of a WAV' 2 data.file=tone.wav audio.first=0.05 audio.seconds=0.05
  same 'part of HDF5' 2 data.file=tone.h5 audio.first=0.05 audio.seconds=0.05
  fails 'integers in HDF5' 0 '^snr ' "${sound[@]}" data.file=integers.h5
  fails 'a data set by its name' 0 '^snr ' "${sound[@]}" data.file=two.h5 audio.dataset=left
}

# The files are what the run file says, and `siren eval` has twice the rate on twice the grid.
files() {
  train 'files' 1 data.file=tone.wav train.steps=60 train.lr=0.001
  launch 2 eval "$output" eval.size=2399 >"$scratch/out" 2>"$scratch/err" || bad "$(cat err)"
  expect 'sound files are the fields' "$python" - <<'PYTHON'
import h5py
import numpy as np
import sound

rate, tone = sound.read("tone.wav")
with h5py.File("run/run.h5") as file:
    value, target = file["fields/value"], file["fields/target_value"]
    assert (value.attrs["lower"], value.attrs["upper"]) == (-100, 100)
    assert np.allclose(target[:], tone / abs(tone).max(), atol=1e-7)
    for name, field in ("fit", value[:]), ("target", target[:]):
        r, samples = sound.read(f"run/{name}.wav")
        assert r == rate and np.array_equal(samples, np.clip(field, -1, 1)), name
    error = value[:].astype(float) - target[:]
    m = file["metrics"].attrs
    assert np.isclose(m["mse"], (error**2).mean(), rtol=1e-9)
    silence = (target[:].astype(float)**2).mean()
    assert np.isclose(m["mse_silence"], silence, rtol=1e-9)
    assert np.isclose(m["snr"], 10 * np.log10(silence / m["mse"]), rtol=1e-9)
    assert m["error_max"] == abs(error).max() and m["mse_share"] < 1
    fit = np.clip(value[:], -1, 1)
r, samples = sound.read("run/eval.wav")
assert r == 2 * rate and len(samples) == 2399 and abs(samples[::2] - fit).max() < 1e-4
PYTHON
  expect 'pictures' [ -s run/waveform.png -a -s run/spectrogram.png -a -s run/mse.png ]
  expect 'picture of siren eval' [ -s run/eval_waveform.png ]
  launch 1 eval "$output" eval.size=1 eval.lower=0.5 >"$scratch/out" 2>"$scratch/err"
  expect 'siren eval of one point' [ $? = 0 ]
}

bad_sounds() {
  fails 'missing sound' 1 'nowhere\.wav.*No such file' "${sound[@]}" data.file=nowhere.wav
  fails 'a directory as sound' 1 "$scratch: .*directory" "${sound[@]}" data.file="$scratch"
  fails 'empty sound' 1 'empty\.wav: .*empty' "${sound[@]}" data.file=empty.wav
  fails 'text as sound' 1 'text\.wav: ' "${sound[@]}" data.file=text.wav
  fails 'image as sound' 1 'grey\.png: ' "${sound[@]}" data.file=grey.png
  fails 'truncated sound' 1 'truncated\.wav: .*ends' "${sound[@]}" data.file=truncated.wav
  fails 'sound without frames' 1 'none\.wav: ' "${sound[@]}" data.file=none.wav
  fails 'sound of one sample' 1 'one\.wav: a sound of one sample' "${sound[@]}" data.file=one.wav
  fails 'silent sound' 1 'silent\.wav: silent' "${sound[@]}" data.file=silent.wav
  fails 'NaN in a sound' 1 'nan\.wav: .*70.*finite' "${sound[@]}" data.file=nan.wav
  fails 'infinity in HDF5' 1 'infinite\.h5: .*finite.*71' "${sound[@]}" data.file=infinite.h5
  fails 'HDF5 of the wrong rank' 1 'cube\.h5: .*sound' "${sound[@]}" data.file=cube.h5
  fails 'HDF5 of the wrong type' 1 'words\.h5: ' "${sound[@]}" data.file=words.h5
  fails 'one sample in HDF5' 1 'one\.h5: .*one sample' "${sound[@]}" data.file=one.h5
  fails 'several data sets' 1 'two\.h5: .*left.*right' "${sound[@]}" data.file=two.h5
  fails 'no such data set' 1 'two\.h5: .*middle' "${sound[@]}" data.file=two.h5 \
    audio.dataset=middle
  sound+=(data.file=tone.wav)
  fails 'more samples than there are' 2 'train\.samples=1201: .*1200' "${sound[@]}" \
    train.samples=1201
  fails 'a part after the end' 2 'audio\.first=0\.15: tone\.wav has 0\.15 seconds' "${sound[@]}" \
    audio.first=0.15
  fails 'a part over the end' 2 'audio\.seconds=0\.1: .*0\.05 seconds' "${sound[@]}" \
    audio.first=0.1 audio.seconds=0.1
  fails 'a part without a rate' 2 'audio\.seconds=0\.1: .*samples a second' "${sound[@]}" \
    data.file=no_rate.h5 audio.seconds=0.1
}

good_sounds
files
bad_sounds
report
