#!/bin/bash
# `siren convert` of folders, archives and IDX files of images: a folder and its archives give the
# same bytes, the images are those that FFmpeg reads, what cannot be read is refused in one line or
# left out where that is asked for, and nothing is left behind.
set -uo pipefail
# shellcheck source=tests/suite.sh
. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"

need_h5py
limit=60
export PYTHONDONTWRITEBYTECODE=1

# 12 frames and a copy of one, in colour; things that are no images.
make_folder() {
  mkdir -p set/a set/b/c set/.hidden
  ffmpeg -y -v error -f lavfi -i testsrc=size=24x20:rate=10:duration=1.2 set/a/%02d.png </dev/null
  mv set/a/0[1-4].png set/b/c
  mv set/a/05.png set/b-5.png
  cp set/a/06.png set/a/twice.png
  cp set/a/07.png "set/b/$(printf 'ü').png"
  echo 'no image' | tee set/readme.txt set/.hidden/x.png >set/b/._01.png
}

make_archives() {
  (cd set && find . -type f | sort -r) >files
  tar -C set -cf set.tar -T files
  tar -C set --format=pax -czf set.tar.gz -T files
  tar -C set --format=v7 -czf set.tgz .
}

folders_and_archives() {
  local from
  turn set set.h5
  for from in set/ set.tar set.tar.gz set.tgz; do
    turn $from again.h5
    expect "$from: the same bytes" cmp again.h5 set.h5
  done
  turn set.tgz small.h5 size=10 channels=grey resize=area
  turn set.h5 back.png image=5
  mkdir mixed
  cp -r set/* mixed
  "$siren" convert small.h5 mixed/0.png image=3 >out
  ffmpeg -y -v error -i mixed/0.png -vf scale=30:40 mixed/00.jpg </dev/null
  turn mixed rgb.h5 size=20 channels=rgb
  fails_on 'siren info' 0 'images for +train [0-9]+, validation [0-9]+, test [0-9]+' 1 info set.h5
}

idx_files() {
  turn t-idx3-ubyte idx.h5
  turn t-idx3-ubyte.gz idx_gz.h5 size=0
  turn more.idx idx_more.h5 skip=true
  turn no_ending idx_content.h5
  turn more.idx idx_small.h5 size=5 resize=bicubic
}

# An archive of many images is read through in little memory.
memory() {
  local peak i
  mkdir many
  for i in $(seq 150); do echo "$i"; done | (cd many && xargs -I{} cp ../back.png {}.png)
  tar -cf many.tar many
  peak=$(peak_memory "$siren" convert many.tar many.h5 size=512)
  expect "118 MB of images: $peak kB" [ $((peak > 10000 && peak < 120000)) = 1 ]
  rm -rf many many.tar many.h5
}

unreadable() {
  mkdir bad none one
  cp -r set/* bad
  head -c 100 set/a/08.png >bad/a/080.png
  : >bad/z.jpeg
  cp set/a/08.png one
  tar -czf bad.tar.gz bad
  tar -cf none.tar none set/readme.txt
  ranks=2 refused 'a damaged image' 1 '^siren: rank 0: bad/a/080\.png: ' bad a.h5
  refused 'a damaged image of an archive' 1 '^siren: bad\.tar\.gz: bad/(a/080\.png|z\.jpeg): ' \
    bad.tar.gz a.h5
  fails_on 'images left out' 0 'skipped: bad/a/080\.png: ' 1 convert bad skipped.h5 skip=true
  expect 'each and their number' [ "$(grep -c '^siren: warning: skipped: bad/' err) \
$(tail -n 1 err)" = '2 siren: warning: bad: skipped 2 of 16 images' ]
  refused 'an empty folder' 1 '^siren: none: has no images' none a.h5
  refused 'no image in an archive' 1 '^siren: none\.tar: has no images' none.tar a.h5
  refused 'one image' 1 '^siren: one: has only one image; a set needs 2' one a.h5
  refused 'one image, IDX' 1 '^siren: one\.idx: has only one image' one.idx a.h5
  rm one/*
  cp bad/z.jpeg one
  refused 'no readable image' 1 '^siren: one: has no readable images' one a.h5 skip=true
  refused 'mixed sizes' 1 '^siren: mixed: 0\.png is 10x10, 00\.jpg is 30x40 pixels.*size=' \
    mixed a.h5
  refused 'mixed colours' 1 '^siren: mixed: 0\.png is grey, 00\.jpg is in colour.*channels=' mixed \
    a.h5 size=16
}

damaged() {
  local file
  for file in cut.tar cut.tgz flipped.tar short.idx long.idx mark.idx labels-idx1-ubyte \
    cut-ubyte.gz flipped-ubyte.gz; do
    refused "$file" 1 "^siren: $file: " $file a.h5 skip=true
  done
  cp t-idx3-ubyte idx.tar
  refused 'no archive' 1 'idx\.tar: not a tar archive' idx.tar a.h5
  refused 'no such folder' 1 'nothing/: cannot open' nothing/ a.h5
}

usage() {
  refused 'size of an image' 2 'size=3: is for what becomes a set' set/a/06.png a.h5 size=3
  refused 'size of a data set' 2 'size=3: is for what becomes a set' set.h5 a.png size=3
  refused 'rate of a folder' 2 'rate=3: ' set a.h5 rate=3
  refused 'image of a folder' 2 'image=3: chooses' set a.h5 image=3
  refused 'bad size' 2 'size=-3: .*from 0 to' set a.h5 size=-3
  refused 'bad filter' 2 'resize=box: .*area' set a.h5 resize=box
  refused 'bad colours' 2 'channels=4: .*grey' set a.h5 channels=4
  refused 'bad truth' 2 'skip=yes: .*true' set a.h5 skip=yes
  refused 'no image chosen' 2 'set\.h5: is a set of images; .*image=0' set.h5 a.png
  refused 'no such image' 2 'image=14: set\.h5 has 14 images' set.h5 a.png image=14
  refused 'an image of a set as a video' 1 'set\.h5: is a data set of kind images' set.h5 a.mkv
}

# A small file system, where a user may mount one: the images find no room, or their data set.
disk="$scratch/disk"
full_disk() {
  mkdir -p "$disk"
  if ! mount -t tmpfs -o size=400k none "$disk" 2>/dev/null; then
    echo 'note: cannot mount here: no full disk'
    return
  fi
  trap 'umount "$disk"; rm -rf "$scratch"' EXIT INT TERM
  fails_on 'no room for the images' 1 "$disk/a.h5.spool: cannot write: No space left" 1 \
    convert set "$disk/a.h5" size=256
  fails_on 'no room for the data set' 1 "$disk/a.h5.tmp: cannot write.*: No space left" 1 \
    convert set "$disk/a.h5" size=84
  expect 'nothing is left on the full disk' [ "$(ls -A "$disk")" = '' ]
}

make_folder
make_archives
$python "$here/converted_sets.py" make || exit 1
folders_and_archives
idx_files
memory
unreadable
damaged
usage
full_disk
expect 'the images and what stands beside them' "$python" "$here/converted_sets.py" check
report
