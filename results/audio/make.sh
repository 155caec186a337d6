#!/bin/bash
# results/audio/make.sh SOUNDS [RUNS]: makes everything in this folder, from the paper's clips
# gt_bach.wav and gt_counting.wav (data/ of github.com/vsitzmann/siren) in the directory SOUNDS.
# Fits both with the network and the paper's baselines, at desk scale, two runs at a time with one
# thread each, in the directory RUNS (default runs/results). Complete runs there are only read, so
# it can be interrupted. Takes about half an hour on two cores; `make.sh tables RUNS` only writes
# the table again.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
sounds="${1:?SOUNDS or tables}"
runs="$(realpath -m "${2:-$here/../../runs/results}")"
siren="${SIREN:-$here/../../build/siren}"

run() { # NAME OVERRIDE...: in the background, two at a time
  while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n; done
  "$siren" run "$here/../../experiments/audio.yaml" threads=1 output="$runs/$1" "${@:2}" &
}

if [ "$sounds" != tables ]; then
  mkdir -p "$runs"
  for clip in bach counting; do run "audio-$clip" data.file="$sounds/gt_$clip.wav"; done
  for clip in bach counting; do
    for kind in relu positional; do
      run "audio-$clip-$kind" variant=$kind data.file="$sounds/gt_$clip.wav"
    done
  done
  wait
fi

fact() { # NAME KEY
  "$siren" info "$runs/$1/run.h5" | awk -v key="$2" '$1 == key { print $2; exit }'
}

row() { # NAME TITLE PAPER PUBLISHED
  if [ ! -f "$runs/$1/run.h5" ]; then
    echo "| $2 | missing | $3 | $4 | | | | | | |"
    return
  fi
  awk -v title="$2" -v paper="$3" -v published="$4" -v mse="$(fact "$1" mse)" \
    -v share="$(fact "$1" mse_share)" -v snr="$(fact "$1" snr)" -v error="$(fact "$1" error_max)" \
    -v steps="$(fact "$1" train.steps)" -v seconds="$(fact "$1" train_seconds)" \
    -v commit="$(fact "$1" commit)" \
    'BEGIN {
      printf "| %s | %.3e | %s | %s | %.2f %% | %.1f ", title, mse, paper, published, 100 * share,
        snr
      printf "| %.3f | %d | %d | %.8s |\n", error, steps, seconds, commit }'
}

silence() { # NAME TITLE
  if [ ! -f "$runs/$1/run.h5" ]; then
    echo "| $2 | missing | | | | | | | | |"
    return
  fi
  printf '| %s | %.3e | | | 100.00 %% | 0.0 | 1.000 | | | %.8s |\n' "$2" \
    "$(fact "$1" mse_silence)" "$(fact "$1" commit)"
}

{
  echo "<!-- written by results/audio/make.sh -->"
  echo "# Sounds (suppl. 8)"
  echo
  cat <<'TEXT'
Mean squared error of the waveform, whose largest magnitude is 1. Desk scale of
experiments/audio.yaml: 3×256, a part of the samples in every step, evaluated on all of them; the
paper takes all samples in each of 9,001 steps. Paper: its Table 3; published: measured on the sound
files of the authors' project page. Of silence: the error as a share of that of a silent network;
SNR in dB; largest: of the error's magnitude. Time: seconds of training on one thread of a shared
machine.

| run | MSE | paper | published | of silence | SNR | largest | steps | time | commit |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
TEXT
  row audio-bach "Bach, SIREN" 1.101e-5 2.325e-5
  row audio-bach-relu "Bach, ReLU" 2.504e-2 2.417e-2
  row audio-bach-positional "Bach, ReLU P.E." 2.380e-2 2.186e-2
  silence audio-bach "Bach, silence"
  row audio-counting "counting, SIREN" 3.816e-4 2.463e-4
  row audio-counting-relu "counting, ReLU" 7.466e-3 7.436e-3
  row audio-counting-positional "counting, ReLU P.E." 9.078e-3 7.026e-3
  silence audio-counting "counting, silence"
  echo
  echo "Spectrograms: Bach by SIREN, by ReLU, by ReLU P.E.; the counting voice by SIREN."
  echo
  for name in bach bach-relu bach-positional counting; do echo "![$name]($name.png)"; done
  echo
  echo "![waveform of Bach by SIREN](bach-waveform.png)"
} >"$here/README.md"

for name in bach bach-relu bach-positional counting; do
  cp "$runs/audio-$name/spectrogram.png" "$here/$name.png"
done
cp "$runs/audio-bach/waveform.png" "$here/bach-waveform.png"
