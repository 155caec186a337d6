#!/bin/bash
# results/sdf/make.sh SHAPES [RUNS]: makes everything in this folder, from the meshes
# bunny_glmark2.obj (bunny.obj of Debian's glmark2-data), refined_elephant.off and
# ChineseDragon-10kv.off (data/meshes of Debian's libcgal-demo) in the directory SHAPES. Fits the
# bunny with the network and the paper's baselines, and a scene of all three, at desk scale, two
# runs at a time with one thread each, in the directory RUNS (default runs/results). Complete runs
# there are only read, so it can be interrupted. Takes half an hour on two cores; `make.sh tables
# RUNS` only writes the table again.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
shapes="${1:?SHAPES or tables}"
runs="$(realpath -m "${2:-$here/../../runs/results}")"
siren="${SIREN:-$here/../../build/siren}"

run() { # NAME OVERRIDE...: in the background, two at a time
  while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n; done
  "$siren" run "$here/../../experiments/sdf.yaml" threads=1 output="$runs/$1" "${@:2}" &
}

if [ "$shapes" != tables ]; then
  mkdir -p "$runs"
  python3 "$here/scene.py" "$runs/scene.off" "$shapes/refined_elephant.off" \
    "$shapes/bunny_glmark2.obj" "$shapes/ChineseDragon-10kv.off"
  run sdf-bunny data.file="$shapes/bunny_glmark2.obj"
  run sdf-scene data.file="$runs/scene.off"
  for kind in relu positional; do
    run "sdf-bunny-$kind" variant=$kind data.file="$shapes/bunny_glmark2.obj"
  done
  wait
fi

fact() { # NAME KEY
  "$siren" info "$runs/$1/run.h5" | awk -v key="$2" '$1 == key { print $2; exit }'
}

row() { # NAME TITLE
  if [ ! -f "$runs/$1/run.h5" ]; then
    echo "| $2 | missing | | | | | | | | | |"
    return
  fi
  awk -v title="$2" -v chamfer="$(fact "$1" chamfer)" -v normals="$(fact "$1" normal_consistency)" \
    -v eikonal="$(fact "$1" eikonal)" -v tight="$(fact "$1" watertight)" \
    -v phantom="$(fact "$1" phantom_area)" -v lost="$(fact "$1" missing_area)" \
    -v parts="$(fact "$1" components)" -v steps="$(fact "$1" train.steps)" \
    -v seconds="$(fact "$1" train_seconds)" -v commit="$(fact "$1" commit)" \
    'BEGIN {
      printf "| %s | %.3f %% | %.4f | %.4f | %.2f %% ", title, 100 * chamfer, normals, eikonal,
        100 * tight
      printf "| %.2f %% | %.2f %% | %d | %d | %d | %.8s |\n", 100 * phantom, 100 * lost, parts,
        steps, seconds, commit }'
}

{
  echo "<!-- written by results/sdf/make.sh -->"
  echo "# Signed distance functions (Fig. 4)"
  echo
  cat <<'TEXT'
Desk scale of experiments/sdf.yaml: 2,500 points of the surface and as many of the box a step,
3×256, meshed at 256³. Chamfer distance: mean of both ways, in per cent of the diagonal of the
shape's box; normals: mean |n·n'|; eikonal: mean of ||∇Φ|−1| in the box; closed: share of the
mesh's edges with exactly two triangles; phantom: share of the mesh's area over 2 % of the
diagonal off the shape; missing: share of the shape over 2 % off the mesh; parts: connected, with
over 1 % of the area. Time: seconds of training on one thread of a shared machine. The paper shows
pictures only.

| run | chamfer | normals | eikonal | closed | phantom | missing | parts | steps | time | commit |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
TEXT
  row sdf-bunny "bunny, SIREN"
  row sdf-bunny-relu "bunny, ReLU"
  row sdf-bunny-positional "bunny, ReLU P.E."
  row sdf-scene "scene of three, SIREN"
  echo
  echo "![bunny: the shape, the network's, slices](bunny.png)"
  echo
  echo "Left to right: ReLU, ReLU P.E., the scene by SIREN."
  echo
  for name in bunny-relu bunny-positional scene; do echo "![$name]($name.png)"; done
  echo
  echo "The bunny is a scan of the Stanford Computer Graphics Laboratory; elephant and dragon come"
  echo "with CGAL's demos."
} >"$here/README.md"

cp "$runs/sdf-bunny/figure.png" "$here/bunny.png"
for name in bunny-relu bunny-positional scene; do
  cp "$runs/sdf-$name/mesh.png" "$here/$name.png"
done
