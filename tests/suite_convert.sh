#!/bin/bash
# `siren convert` there and back: the samples are those that FFmpeg and h5py read, a network learns
# the same from a file and from its data set, memory does not grow with a video, and what cannot be
# converted is refused in one line and leaves nothing behind.
set -uo pipefail
# shellcheck source=tests/suite.sh
. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"

need_h5py
limit=60
python3 "$here/make_media.py" "$scratch"
$python "$here/converted.py" make || exit 1
cp "$here/data/rocket.jpg" .

# FILTER FILE OPTION...: a test picture or sound by FFmpeg.
media() { ffmpeg -y -v error -f lavfi -i "$1" -threads 1 "${@:3}" "$2" </dev/null; }

# EXTENSIONS FILE...: each file into FILE.h5, and that into FILE.h5.EXTENSION.
there_and_back() {
  local file extension
  for file in "${@:2}"; do
    turn "$file" "$file.h5"
    for extension in $1; do turn "$file.h5" "$file.h5.$extension"; done
  done
}

round_trips() {
  media 'testsrc=size=24x20' deep_colour.png -frames:v 1 -pix_fmt rgb48be
  there_and_back png grey.png colour.png pixel.png deep.png deep_colour.png rocket.jpg
  turn foreign.h5 foreign.png dataset=/a/image
  expect 'images there and back' "$python" "$here/converted.py" images

  media 'sine=duration=0.2' mono.flac
  media 'aevalsrc=0.5*sin(700*t)|0.3*sin(900*t):d=0.2:s=22050' two.flac -sample_fmt s16
  media 'sine=duration=0.2' mono.ogg -c:a libvorbis
  media 'aevalsrc=0.5*sin(700*t)|0.3*sin(900*t):d=0.2:s=22050' two.ogg -c:a libvorbis
  there_and_back wav tone.wav stereo.wav one.wav
  there_and_back 'wav flac' mono.flac two.flac
  there_and_back 'wav ogg' mono.ogg two.ogg
  expect 'sounds there and back' "$python" "$here/converted.py" sounds

  media 'testsrc=size=64x48:rate=25/2:duration=0.8' exact.mkv -c:v ffv1 -pix_fmt bgr0
  media 'testsrc=size=64x48:rate=25:duration=0.4' h264.mp4 -c:v libx264 -pix_fmt yuv420p
  media 'testsrc=size=21x15:rate=10:duration=0.3' odd.mkv -c:v ffv1 -pix_fmt bgr0
  there_and_back 'mkv mp4' exact.mkv h264.mp4 odd.mkv
  turn foreign.h5 foreign.mkv dataset=film rate=12
  expect 'videos there and back' "$python" "$here/converted.py" videos
  MALLOC_PERTURB_=85 turn exact.mkv.h5 again.mp4
  expect 'equal frames, equal bytes' cmp exact.mkv.h5.mp4 again.mp4

  there_and_back ply mesh.off mesh.obj mesh.stl mesh.ply points.xyz cloud.xyz cloud.ply
  for file in {mesh.off,mesh.obj,mesh.stl,mesh.ply,points.xyz,cloud.xyz,cloud.ply}.h5.ply; do
    turn "$file" "$file.h5"
  done
  expect 'shapes there and back' "$python" "$here/converted.py" shapes
  gzip -k mesh.off
  turn mesh.off.gz packed.h5
  expect 'gzipped: the same bytes' cmp packed.h5 mesh.off.h5
  fails_on 'siren info' 0 '/data +10x48x64x3 .*rate: 12\.5' 1 info exact.mkv.h5
}

# EXPERIMENT FILE [KEY=VALUE...]: weights after a few steps on it and on FILE.h5.
same_weights() {
  local first='' digest from
  for from in "$2" "$2.h5"; do
    rm -rf run
    launch 1 run "$1" scale=smoke train.steps=3 threads=1 eval.pictures=false output=run \
      data.file="$from" "${@:3}" >out 2>err || bad "$1 of $from: $(tail -n 1 err)"
    digest="$(printed_digest out)"
    if [ -z "$first" ]; then first="$digest"; fi
  done
  expect "$1 of $2: $first" [ ${#first} -gt 20 -a "$first" = "$digest" ]
}

weights() {
  local file
  for file in colour.png deep.png rocket.jpg; do same_weights image $file; done
  for file in stereo.wav mono.ogg; do same_weights audio $file audio.seconds=0.1; done
  for file in exact.mkv h264.mp4; do
    same_weights video $file video.frames=0 video.every=1 video.share=0.2
  done
  for file in mesh.stl cloud.ply; do same_weights sdf $file sdf.resolution=8; done
}

# 320 MB of frames.
memory() {
  local peak way
  media 'testsrc=size=640x480:rate=25:duration=14' long.mp4 -c:v libx264 -preset ultrafast
  for way in 'long.mp4 long.h5' 'long.h5 long.mkv'; do
    # shellcheck disable=SC2086
    peak=$(peak_memory "$siren" convert $way 2>err)
    expect "$way: $peak kB, $(cat err)" [ $((peak > 10000 && peak < 200000)) = 1 ]
  done
}

# A signal in the middle.
stopped() {
  local way pid code
  for way in 'long.mp4 stopped.h5' 'long.h5 stopped.mkv'; do
    # shellcheck disable=SC2086
    "$siren" convert $way >out 2>err &
    pid=$!
    for _ in $(seq 200); do
      if [ -s "${way#* }.tmp" ]; then break; fi
      sleep 0.05
    done
    kill -TERM $pid
    wait $pid
    code=$?
    expect "stopped: exit code $code, $(errors)" [ "$code $(errors)" = \
      "1 siren: stopped; ${way#* } was not written" ]
  done
  expect 'nothing is left of them' [ "$(find . -name 'stopped*')" = '' ]
}

usage() {
  fails_on 'no arguments' 2 'FROM and TO' 1 convert
  fails_on 'one argument' 2 'FROM and TO' 1 convert grey.png
  ranks=2 refused 'unknown key' 2 'unknown key `rat` .*`rate`' tone.wav a.h5 rat=3
  refused 'no key' 2 'unexpected argument `rate`' tone.wav a.h5 rate
  refused 'bad rate' 2 'rate=-1: .*above 0' tone.wav a.h5 rate=-1
  refused 'rate of an image' 2 'rate=3: images' grey.png a.h5 rate=3
  refused 'data set of a file' 2 'dataset=x: ' grey.png a.h5 dataset=x
  refused 'unknown ending' 2 'a\.gif: cannot write .*\.png' grey.png.h5 a.gif
  refused 'no HDF5 on either side' 2 'grey\.png: .*\.h5' grey.png a.png
  refused 'HDF5 on both sides' 2 'grey\.png\.h5: .*already' grey.png.h5 a.h5
  fails_on 'onto itself' 2 'onto itself' 1 convert grey.png ./grey.png
  mkdir directory.h5
  fails_on 'a directory' 2 'directory\.h5: is a directory' 1 convert grey.png directory.h5
  refused 'no such directory' 1 'nowhere/a\.h5.*No such file' grey.png nowhere/a.h5
  refused 'no such file' 1 'none\.mp4: .*No such file' none.mp4 a.h5
}

damaged() {
  local file
  : >empty.mp4
  cp text.png text.mp4
  head -c 700 h264.mp4 >cut.mp4
  head -c 2000 exact.mkv >cut.mkv
  head -c 1000 two.flac >cut.flac
  head -c 3000 mono.ogg >cut.ogg
  head -c 20000 rocket.jpg >cut.jpg
  head -c 3000 exact.mkv.h5 >cut.h5
  media 'testsrc=size=64x48:rate=10:duration=0.2' changing.avi -c:v mjpeg -f mjpeg
  media 'testsrc=size=48x64:rate=10:duration=0.2' other.avi -c:v mjpeg -f mjpeg
  cat other.avi >>changing.avi
  for file in truncated.png damaged.png huge.png empty.png text.png cut.jpg truncated.wav none.wav \
    nan.wav empty.wav text.wav cut.flac cut.ogg cut.mp4 cut.mkv text.mp4 empty.mp4 truncated.off \
    nan.off outside.off empty.ply; do
    refused "$file" 1 "^siren: $file: " $file a.h5
  done
  ranks=2 refused 'video whose size changes' 1 'changing\.avi: frame 2 has 48 x 64 .*64 x 48' \
    changing.avi a.h5
  ranks=2 refused 'cut data set' 1 'cut\.h5: ' cut.h5 a.mkv
  cp tone.wav tone.mp4
  refused 'a sound as a video' 1 'tone\.mp4: .*no video' tone.mp4 a.h5
}

unsuitable() {
  refused 'NaN in an image' 1 'nan\.h5: is nan at \[3, 4\]' nan.h5 a.png dataset=image
  refused 'NaN in a video' 1 'nan\.h5: is nan at \[3, 4, 5\]' nan.h5 a.mp4 dataset=film rate=9
  refused 'NaN in a sound' 1 'nan\.h5: is nan at \[70\]' nan.h5 a.wav dataset=sound rate=9
  refused 'NaN in a shape' 1 'nan_points\.h5: .*point 2 is nan' nan_points.h5 a.ply
  refused 'too bright' 1 'large\.h5: is 1\.0.* at \[0, 2\]; .*\[0, 1\]' large.h5 a.png dataset=image
  refused 'too dark' 1 'large\.h5: is -0\.5 at \[0, 0, 0\]' large.h5 a.mkv dataset=film rate=9
  refused 'wrong rank' 1 'cube\.h5: /cube has the shape 3x4x5x6x7; a video' cube.h5 a.mkv
  refused 'text' 1 'text\.h5: /words holds text' text.h5 a.wav
  refused 'truth values' 1 'truth\.h5: .*truth values' truth.h5 a.png
  refused 'complex numbers' 1 'pairs\.h5: .*compound' pairs.h5 a.png
  refused 'five colours' 1 'five\.h5: 5 components' five.h5 a.png
  refused 'empty axis' 1 'empty\.h5: /image is empty' empty.h5 a.png
  refused 'several data sets' 1 'foreign\.h5: has no data set b; it has /a/image' foreign.h5 a.png \
    dataset=b
  refused 'another kind' 1 'grey\.png\.h5: is a data set of kind image; a\.wav' grey.png.h5 a.wav
  refused 'no shape' 1 'foreign\.h5: no data set /points' foreign.h5 a.ply
  refused 'missing corner' 1 'corner\.h5: triangle 0 has the corner 6' corner.h5 a.ply
  refused 'half a corner' 1 'half\.h5: /triangles holds no whole numbers' half.h5 a.ply
  refused 'missing normals' 1 'few\.h5: /normals has 2 rows for 6 points' few.h5 a.ply
  refused 'shape in a plane' 1 'flat\.h5: /points has the shape 6x2' flat.h5 a.ply
}

# More than 100 kB of everything.
noise() {
  media 'nullsrc=size=320x240:rate=10:duration=0.5,geq=random(1)*255:128:128' noise.mkv -c:v ffv1
  media 'nullsrc=size=400x400,geq=random(1)*255:128:128' noise.png -frames:v 1
  media 'anoisesrc=duration=12:sample_rate=44100' noise.wav
  awk 'BEGIN { for (i = 0; i < 20000; i++) print rand(), rand(), rand() }' >noise.xyz
  there_and_back '' noise.mkv noise.png noise.wav noise.xyz
}

# A file system of 100 kB, where a user may mount one.
disk="$scratch/disk"
full_disk() {
  local from to
  mkdir -p "$disk"
  if ! mount -t tmpfs -o size=100k none "$disk" 2>/dev/null; then
    echo 'note: cannot mount here; only the fault library stands for a full disk'
    return
  fi
  trap 'umount "$disk"; rm -rf "$scratch"' EXIT INT TERM
  while read -r from to; do
    fails_on "full disk, $to" 1 "^siren: $disk/$to.tmp: cannot write.*: No space left" 1 \
      convert "$from" "$disk/$to"
  done <<'FILES'
noise.mkv a.h5
noise.png b.h5
noise.wav c.h5
noise.xyz d.h5
noise.mkv.h5 e.mkv
noise.mkv.h5 f.mp4
noise.png.h5 g.png
noise.wav.h5 h.wav
noise.wav.h5 i.flac
noise.wav.h5 j.ogg
noise.xyz.h5 k.ply
FILES
  expect 'nothing is left on the full disk' [ "$(ls -A "$disk")" = '' ]
}

# One operation fails that no reservation foresees, and all later ones: HDF5 does not crash.
faults() {
  local at
  export FAULT_KIND=eio FAULT_STICKY=1 FAULT_PATH=faulty FAULT_LOG=fault
  for at in 3 5 8 10 13; do
    rm -f fault
    FAULT_AT=$at LD_PRELOAD="${FAULT_LIBRARY:?}" refused "operation $at" 1 \
      'faulty\.h5\.tmp: cannot (create|write|flush|close).*: Input/output error' noise.mkv faulty.h5
    expect "operation $at: $(cat fault)" [ -s fault ]
  done
  unset FAULT_KIND FAULT_STICKY FAULT_PATH FAULT_LOG
}

round_trips
weights
memory
stopped
usage
damaged
unsuitable
noise
faults
full_disk
report
