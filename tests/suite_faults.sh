#!/bin/bash
# What the world does to a run: each fault ends with the right exit code and one clear line, on one
# rank and on two, in time, and what was there before is still there.
set -uo pipefail
# shellcheck source=tests/suite.sh
. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"

limit=60
python3 "$here/make_media.py" "$scratch"
small=(run image scale=smoke data.size=0 train.steps=4 eval.pictures=false "output=$output")
smoke=(run image scale=smoke eval.pictures=false "output=$output")

usage() {
  fails 'no arguments' 2 'siren --help'
  fails 'unknown command' 2 'unknown command `runn`.*`run`' runn
  fails 'unknown experiment' 2 'imagee.*`image`' run imagee
  fails 'missing YAML file' 2 'none\.yaml: no such file' run none.yaml
  fails 'run without a file' 2 'FILE\.yaml' run
  fails 'not an override' 2 'unexpected argument `scale`' run image scale
  fails 'unknown key' 2 'train\.step\>.*`train\.steps`' "${small[@]}" train.step=5
  fails 'another experiment'\''s key' 2 'sdf\.lambda' "${small[@]}" sdf.lambda=1
  fails 'wrong type' 2 'train\.steps.*many.*whole number' "${small[@]}" train.steps=many
  fails 'out of range' 2 'train\.lr.*-1.*range' "${small[@]}" train.lr=-1
  fails 'not one of the words' 2 'network\.activation.*`sin`.*`sine`' "${small[@]}" \
    network.activation=sin
  fails 'unknown scale' 2 'scale=huge.*desk' run image scale=huge
  printf 'experiment: image\ntrain:\n  step: 5\n' >bad.yaml
  fails 'unknown key in a file' 2 '\<bad\.yaml:3:.*`train\.steps`' run bad.yaml
  printf 'experiment: image\ntrain: {steps: 5\n' >bad.yaml
  fails 'broken YAML' 2 '\<bad\.yaml:' run bad.yaml
  : >empty.yaml
  fails 'empty YAML' 2 'experiment' run empty.yaml
}

images() {
  OMP_NUM_THREADS=x fails 'unreadable OMP_NUM_THREADS' 2 'OMP_NUM_THREADS=x' "${small[@]}"
  fails 'missing image' 1 'none\.png.*No such file' "${small[@]}" data.file=none.png
  fails 'a directory as image' 1 "$scratch: .*directory" "${small[@]}" data.file="$scratch"
  fails 'truncated PNG' 1 'truncated\.png: ' "${small[@]}" data.file=truncated.png
  fails 'damaged PNG' 1 'damaged\.png: ' "${small[@]}" data.file=damaged.png
  fails 'huge PNG' 1 'huge\.png: ' "${small[@]}" data.file=huge.png
  fails 'empty image' 1 'empty\.png: .*empty' "${small[@]}" data.file=empty.png
  fails 'text as image' 1 'text\.png: ' "${small[@]}" data.file=text.png
  head -c 20000 "$here/data/rocket.jpg" >truncated.jpg
  fails 'truncated JPEG' 1 'truncated\.jpg: ' "${small[@]}" data.file=truncated.jpg
  fails 'CMYK JPEG' 1 'cmyk\.jpg: .*CMYK' "${small[@]}" data.file="$here/data/cmyk.jpg"
  fails 'grey image' 0 '^psnr ' "${small[@]}" data.file=grey.png
  fails 'colour image' 0 '^psnr ' "${small[@]}" data.file=colour.png eval.pictures=true
  fails '16-bit image' 0 '^psnr ' "${small[@]}" data.file=deep.png
  fails 'image of one pixel' 0 '^psnr ' "${small[@]}" data.file=pixel.png eval.pictures=true
  fails 'image of one line' 0 '^psnr ' "${small[@]}" data.file=line.png eval.pictures=true
  fails 'JPEG' 0 '^psnr ' "${small[@]}" data.file="$here/data/rocket.jpg" data.size=16
}

inpainting() {
  local -a inpaint=("${small[@]/image/inpaint}" data.file=grey.png)
  fails 'mask' 0 '^psnr_hidden ' "${inpaint[@]}" inpaint.mask=stripes.png eval.pictures=true
  fails 'mask with its image, resized' 0 '^psnr_hidden ' "${inpaint[@]}" inpaint.mask=stripes.png \
    data.crop=true data.size=40
  fails 'missing mask' 1 'none\.png.*No such file' "${inpaint[@]}" inpaint.mask=none.png
  fails 'damaged mask' 1 'damaged\.png: ' "${inpaint[@]}" inpaint.mask=damaged.png
  fails 'mask of another size' 1 'line\.png: .*1 x 24.*20 x 24' "${inpaint[@]}" \
    inpaint.mask=line.png
  fails 'mask without white' 1 'black\.png: .*empty' "${inpaint[@]}" inpaint.mask=black.png
  fails 'share 0' 2 'inpaint\.share=0: ' "${inpaint[@]}" inpaint.share=0
  fails 'more samples than known pixels' 2 'train\.samples=49: .*48' "${inpaint[@]}" \
    train.samples=49
  fails 'all pixels known' 0 '^psnr_known ' "${inpaint[@]}" inpaint.share=1
  expect 'no metric of no hidden pixels' [ "$(grep -c -e hidden -e nan "$scratch/out")" = 0 ]
  fails 'all-white mask' 0 '^psnr_known ' "${inpaint[@]}" inpaint.mask=white.png
  fails 'inpainting one pixel' 0 '^psnr_known ' "${inpaint[@]/grey/pixel}" eval.pictures=true \
    inpaint.prior=hessian
  fails 'inpainting a line' 0 '^psnr_hidden ' "${inpaint[@]/grey/line}" eval.pictures=true \
    inpaint.prior=tv inpaint.kernel=box
}

# Two images and a mask.
blends() {
  local -a edit=(run poisson_edit scale=smoke data.size=0 poisson_edit.size=0 train.steps=2
    eval.pictures=false "output=$output" data.file=grey.png)
  fails 'missing second image' 1 'none\.png.*No such file' "${edit[@]}" poisson_edit.file=none.png
  edit+=(poisson_edit.file=colour.png)
  fails 'missing mask' 1 'none\.png.*No such file' "${edit[@]}" poisson_edit.mask=none.png
  fails 'mask of another size' 1 'line\.png: .*24x1.*24x20' "${edit[@]}" \
    poisson_edit.mask=line.png
  fails 'black mask' 1 'black\.png: .*all black' "${edit[@]}" poisson_edit.mask=black.png
  fails 'second image outside' 2 'poisson_edit\.row.*outside the first' "${edit[@]}" \
    poisson_edit.row=2
  fails 'grey and colour' 0 '^psnr_gradient ' "${edit[@]}" poisson_edit.mask=grey.png
  fails 'blended in one pixel' 0 '^loss_final ' "${edit[@]}" data.file=pixel.png
  fails 'one pixel in a line' 0 '^psnr_gradient ' "${edit[@]}" data.file=line.png \
    poisson_edit.file=pixel.png poisson_edit.blend=replace poisson_edit.column=0
}

shapes() {
  local -a sdf=(run sdf scale=smoke train.steps=2 sdf.resolution=12 "output=$output")
  fails 'mesh' 0 '^chamfer ' "${sdf[@]}" data.file=shape.off
  fails 'open mesh in a plane' 0 '^chamfer ' "${sdf[@]}" data.file=flat.off
  fails 'oriented cloud' 0 '^chamfer ' "${sdf[@]}" data.file=oriented.xyz
  fails 'degenerate triangles' 0 'thin\.off: .*2 .*triangles' "${sdf[@]}" data.file=thin.off
  fails 'only degenerate triangles' 1 'lines\.off: none of its 2 polygons has an area' "${sdf[@]}" \
    data.file=lines.off
  fails 'missing shape' 1 'none\.ply.*No such file' "${sdf[@]}" data.file=none.ply
  fails 'NaN in a mesh' 1 'nan\.off: line 3: .*nan' "${sdf[@]}" data.file=nan.off
  fails 'corner that does not exist' 1 'outside\.off: .*9' "${sdf[@]}" data.file=outside.off
  fails 'truncated mesh' 1 'truncated\.off: ' "${sdf[@]}" data.file=truncated.off
  fails 'empty mesh' 1 'empty\.ply: .*empty' "${sdf[@]}" data.file=empty.ply
  fails 'image as a shape' 1 'grey\.png: ' "${sdf[@]}" data.file=grey.png
  fails 'cloud without normals' 1 'cloud\.xyz: .*normals' "${sdf[@]}" data.file=cloud.xyz
  fails 'normal of no length' 1 'normal\.xyz: .*point 2' "${sdf[@]}" data.file=normal.xyz
  fails 'all points in one place' 1 'place\.xyz: .*one place' "${sdf[@]}" data.file=place.xyz
}

# Ten frames of a test picture as NAME.
clip() { # NAME WIDTHxHEIGHT CODEC
  ffmpeg -y -v error -f lavfi -i "testsrc=size=$2:rate=10:duration=1" -c:v "$3" "$1" </dev/null
}

videos() {
  local -a video=(run video scale=smoke video.frames=0 video.every=1 train.steps=2
    eval.pictures=false "output=$output")
  clip clip.mkv 64x48 libx264
  clip clip.ts 64x48 mpeg2video
  clip other.ts 48x64 mpeg2video
  cat clip.ts other.ts >changing.ts
  head -c 2000 clip.mkv >truncated.mkv
  fails 'video' 0 '^psnr_worst ' "${video[@]}" data.file=clip.mkv eval.pictures=true
  fails 'part of a video' 0 '^psnr_worst ' "${video[@]}" data.file=clip.mkv video.first=2 \
    video.every=3 video.frames=3 data.crop=true data.colour=grey video.share=1 train.samples=all
  fails 'one frame' 0 '^psnr_deviation +0 dB' "${video[@]}" data.file=clip.mkv video.first=9 \
    train.samples=100 eval.pictures=true
  fails 'a line of pixels' 0 '^psnr_worst ' "${video[@]}" data.file=clip.mkv video.height=1 \
    train.samples=100 eval.pictures=true
  fails 'missing video' 1 'none\.mp4: .*No such file' "${video[@]}" data.file=none.mp4
  fails 'empty video' 1 'empty\.png: .*empty' "${video[@]}" data.file=empty.png
  fails 'text as a video' 1 'text\.png: ' "${video[@]}" data.file=text.png
  fails 'truncated video' 1 'truncated\.mkv: ' "${video[@]}" data.file=truncated.mkv
  fails 'video whose size changes' 1 'changing\.ts: .*frame' "${video[@]}" data.file=changing.ts
  fails 'first frame behind the end' 2 'video\.first=10: .*only 10 frames' "${video[@]}" \
    data.file=clip.mkv video.first=10
  fails 'too many frames' 2 'video\.frames=6: .*leave 5' "${video[@]}" data.file=clip.mkv \
    video.every=2 video.frames=6
  fails 'size of a video' 2 'data\.size=16: .*video\.height' "${video[@]}" data.size=16
  fails 'more samples than pixels' 2 'train\.samples=7681: .*7680' "${video[@]}" \
    train.samples=7681
  fails 'video without a file' 0 '^psnr_worst ' "${video[@]}"
  cp "$output/run.h5" clip.h5
  fails 'numbers that are no shares' 1 'clip\.h5: holds .*\[0, 1\]' "${video[@]}" \
    data.file=clip.h5 video.dataset=/fields/value
  fails 'a data set that is no video' 1 'clip\.h5: .*frame_psnr.*24.*3 axes' "${video[@]}" \
    data.file=clip.h5 video.dataset=/fields/frame_psnr
}

# Makes $scratch/finished, a complete run with two checkpoints.
finish_run() {
  output="$scratch/finished"
  launch 1 "${smoke[@]/%output=*/output=$output}" train.checkpoint_every=5 >"$scratch/out" 2>&1 ||
    bad "the run to damage: $(cat "$scratch/out")"
  reference="$(printed_digest "$scratch/out")"
  output="$scratch/run"
}

# FILE WHERE: one bit of the file flipped at byte WHERE (a negative one from the end).
flip() {
  python3 -c 'import sys
data = bytearray(open(sys.argv[1], "rb").read())
data[int(sys.argv[2])] ^= 1
open(sys.argv[1], "wb").write(data)' "$1" "$2"
}

first_weights() {
  cp -r finished nan
  h5dump -d /network/layer0/bias -b LE -o bias.bin nan/run.h5 >/dev/null
  python3 -c 'import struct
run, bias = open("nan/run.h5", "rb").read(), open("bias.bin", "rb").read()
assert run.count(bias) == 1
nan = struct.pack("<f", float("nan"))
open("nan/run.h5", "wb").write(run.replace(bias, bias[:8] + nan + bias[12:]))'
  fails 'NaN in init' 1 'nan/run\.h5.*layer0/bias' "${smoke[@]}" init=nan/run.h5
  fails 'init with other shapes' 1 'run\.h5.*layer0' "${smoke[@]}" \
    init=finished/run.h5 network.width=32
  fails 'missing init' 1 'none\.h5.*No such file' "${smoke[@]}" init=none.h5
  fails 'init that is no HDF5' 1 'text\.png' "${smoke[@]}" init=text.png
  fails 'init' 0 '^psnr ' "${smoke[@]}" init=finished/run.h5
}

outputs() {
  : >file
  fails 'output below a file' 1 'file: is not a directory' "${small[@]}" output=file/run
  fails 'output not writable' 1 '/proc/run' "${small[@]}" output=/proc/run
  if "$siren" list >/dev/full 2>"$scratch/err"; then
    bad 'full standard output is not noticed'
  else
    expect 'full standard output' grep -q 'standard output' "$scratch/err"
  fi
}

# Diverges after some steps; the checkpoint before is kept.
divergence() {
  fails 'divergence' 1 'step [0-9]+.*(image|layer|weight).*checkpoint of step [0-9]+.*is intact' \
    "${smoke[@]}" network.activation=relu network.layers=8 train.lr=1000 train.checkpoint_every=1
  expect 'divergence keeps a checkpoint' "$siren" info "$output/checkpoint.h5" >/dev/null
}

# NAME FILES DAMAGE...: does DAMAGE to a copy of the finished run and goes on with it.
damage() {
  local ranks
  for ranks in 1 2; do
    rm -rf "$output"
    cp -r finished "$output"
    rm "$output/run.h5"
    (cd "$output" && "${@:4}")
    fails_on "$1" "$2" "$3" $ranks "${smoke[@]}" train.checkpoint_every=5
    if [ "$2" = 0 ]; then
      expect "$1: same bits in the end" [ "$(printed_digest "$scratch/out")" = "$reference" ]
    fi
  done
}

cut_both() { truncate -s 1000 checkpoint.h5 checkpoint.previous.h5; }

damaged_checkpoints() {
  local fallback='warning: .*checkpoint\.h5.*checkpoint\.previous\.h5'
  damage 'truncated checkpoint' 0 "$fallback" truncate -s 3000 checkpoint.h5
  damage 'empty checkpoint' 0 "$fallback" truncate -s 0 checkpoint.h5
  damage 'flipped bit in a checkpoint' 0 "$fallback" flip checkpoint.h5 5000
  damage 'flipped bit in its end' 0 "$fallback" flip checkpoint.h5 -3
  damage 'missing checkpoint' 0 'resuming' rm checkpoint.h5
  damage 'two damaged checkpoints' 1 'checkpoint\.h5.*checkpoint\.previous\.h5' cut_both
  damage 'no checkpoint' 0 '^psnr ' rm checkpoint.h5 checkpoint.previous.h5
}

other_config() {
  local ranks before
  before="$(sha256sum finished/* | sha256sum)"
  for ranks in 1 2; do
    fails_on 'run file of another config' 2 'train\.lr.*0\.001' $ranks \
      "${smoke[@]/%output=*/output=finished}" train.lr=0.001
    rm -rf "$output"
    cp -r finished "$output"
    rm "$output/run.h5"
    fails_on 'checkpoint of another config' 2 'seed.*7' $ranks "${smoke[@]}" seed=7
  done
  expect 'a refused run is untouched' [ "$(sha256sum finished/* | sha256sum)" = "$before" ]
}

in_use() {
  local first
  rm -rf "$output"
  "$siren" "${smoke[@]}" train.steps=100000 >/dev/null 2>&1 &
  first=$!
  for _ in $(seq 100); do
    if [ -s "$output/log.jsonl" ]; then break; fi
    sleep 0.1
  done
  fails_on 'output in use' 1 'in use' 1 "${smoke[@]}" train.steps=100000
  fails_on 'output in use' 1 'in use' 2 "${smoke[@]}" train.steps=100000
  kill "$first"
  wait "$first"
}

# A file system of some hundred kilobytes, where a user may mount one, else a library that plays it.
mounted="$scratch/disk"
full_disk() {
  local where="$scratch/faulty" checkpoint
  local -a command=("${smoke[@]}" train.checkpoint_every=2)
  checkpoint=$(stat -c %s finished/checkpoint.h5)
  mkdir -p "$mounted"
  if mount -t tmpfs -o size=$((checkpoint * 5 / 2)) none "$mounted" 2>/dev/null; then
    where="$mounted/run"
    trap 'umount "$mounted"; rm -rf "$scratch"' EXIT INT TERM
  else
    echo "note: cannot mount here; the fault library stands for a full disk"
    export FAULT_AT=40 FAULT_KIND=enospc FAULT_STICKY=1 FAULT_PATH="$where" FAULT_LOG=/dev/null
    export LD_PRELOAD="${FAULT_LIBRARY:?}"
  fi
  command=("${command[@]/%output=*/output=$where}")
  fails_on 'full disk' 1 'No space left.*checkpoint of step [0-9]+.*is intact' 2 "${command[@]}"
  unset LD_PRELOAD
  if [ "$where" = "$mounted/run" ]; then mount -o remount,size=64m none "$mounted"; fi
  fails_on 'after the full disk' 0 'resuming at step [1-9]' 1 "${command[@]}"
  expect 'after the full disk: same bits in the end' \
    [ "$(printed_digest "$scratch/out")" = "$reference" ]
}

few_tiles() {
  rm -rf "$output"
  launch 1 "${smoke[@]}" train.tile=4096 >"$scratch/out" 2>&1
  local expected
  expected="$(printed_digest "$scratch/out")"
  rm -rf "$output"
  fails_on 'more ranks than tiles' 0 '^psnr ' 3 "${smoke[@]}" train.tile=4096
  expect 'more ranks than tiles: same bits' [ "$(printed_digest "$scratch/out")" = "$expected" ]
}

no_mpirun() {
  local code=0
  mkdir bin
  ln -s /usr/bin/* /bin/* bin/ 2>/dev/null
  rm -f bin/mpirun bin/mpirun.* bin/mpiexec* bin/orterun
  PATH="$scratch/bin" bash "$here/../experiments/quickstart.sh" >"$scratch/out" \
    2>"$scratch/err" || code=$?
  if [ $code = 1 ] && grep -q 'mpirun is not in PATH.*openmpi-bin' "$scratch/err"; then
    good 'quickstart without mpirun'
  else
    bad "quickstart without mpirun: exit code $code, $(cat "$scratch/err")"
  fi
}

usage
images
inpainting
blends
shapes
videos
finish_run
first_weights
outputs
divergence
damaged_checkpoints
other_config
in_use
few_tiles
no_mpirun
full_disk
report
