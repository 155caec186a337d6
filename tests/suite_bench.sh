#!/bin/bash
# `siren bench` ends and reports what other programs can read.
set -uo pipefail
# shellcheck source=tests/suite.sh
. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"
limit=240 # a busy machine

launch 1 bench --json rounds=1 >bench.json 2>"$scratch/err"
expect "exit code $? and JSON: $(cat "$scratch/err")" python3 -m json.tool bench.json /dev/null
launch 2 bench threads=1 rounds=1 >bench.txt 2>"$scratch/err"
expect "two ranks: $(cat "$scratch/err")" grep -q '2 rank' bench.txt

launch 1 bench step=sdf_jets rounds=1 >one.txt 2>"$scratch/err"
expect "one step: $(cat "$scratch/err")" grep -q '^sdf_jets ' one.txt
expect "and no other" [ "$(grep -c image_ one.txt)" = 0 ]
fails "unknown step" 2 'step=sound: there is no such step; known are: image_256' bench step=sound

# Every layout is there, parts of a step add up to it, the model's work is the measured one, and its
# forecast goes down to the limit of whole tiles: 13 of them.
check_scaling='
import json, sys
report = json.load(open(sys.argv[1]))
layouts = [tuple(map(int, layout.split("x"))) for layout in sys.argv[2:]]
net, = report["networks"]
assert (net["in"], net["width"], net["layers"], net["out"]) == (3, 32, 1, 2), net
assert net["work"]["parameters"] == 3 * 32 + 32 + 32 * 32 + 32 + 32 * 2 + 2
assert net["work"]["tiles"] == net["measured_work"]["tiles"] == 13
assert [(row["ranks"], row["threads"]) for row in net["steps"]] == layouts, net["steps"]
for row in net["steps"]:
    t = row["measured"]
    parts = sum(t[k + "_ms"] for k in "compute wait sum_threads sum_ranks decode optimizer".split())
    assert 0.3 < parts / t["step_ms"] < 1.1, t
    assert t["compute_ms"] > t["add_ms"] > 0 and 0 < t["exact_sum_share"] < 1, t
    busiest = -(-(-(-13 // row["ranks"])) // row["threads"])
    model, mean = row["predicted"], 13 / (row["ranks"] * row["threads"])
    assert abs(1 + model["wait_ms"] / model["compute_ms"] - busiest / mean) < 1e-3, model
rows = net["forecast"]
assert [row["ranks"] for row in rows] == [1 << i for i in range(11)]
assert all(0 < row["strong"] <= row["weak"] < 1.2 for row in rows), rows
assert rows[10]["times"]["step_ms"] > 0.999 * rows[0]["times"]["compute_ms"] * 2 / 13, rows
assert report["forecast_threads"] == 2 and report["network"] is None
sizes = {row["ranks"]: 0 for row in report["sums"]}
for row in report["sums"]:
    assert row["us"] > 0 and row["fitted_us"] >= 0
    sizes[row["ranks"]] += 1
assert sizes == {ranks: 7 for ranks in sorted({a for a, b in layouts} - {1})}, sizes
'
small=(in=3 width=32 layers=1 out=2 tile=100 samples=1250 rounds=1 threads=2)
layouts=(1x1)
if [ "$(nproc)" -gt 1 ]; then layouts+=(1x2); fi
launch 1 bench scaling --json "${small[@]}" >scaling.json 2>"$scratch/err"
expect "scaling, exit code $?: $(cat "$scratch/err")" \
  python3 -c "$check_scaling" scaling.json "${layouts[@]}"
launch 3 bench scaling "${small[@]}" >scaling.txt 2>"$scratch/err"
expect "scaling on three ranks: $(cat "$scratch/err")" grep -q '^3 x 1 *measured' scaling.txt

fails "unknown key" 2 'unexpected argument .sample=3.; did you mean .samples' bench scaling sample=3
fails "no key" 2 'unexpected argument .--jsn' bench scaling --jsn
fails "no number" 2 'width=wide: expected a whole number from 1 to 16384' bench scaling width=wide
fails "half a layer" 2 'layers=1.5: expected a whole' bench scaling layers=1.5
fails "nan" 2 'latency_us=nan: expected a number from 0' bench scaling latency_us=nan
fails "too few" 2 'samples=0: expected' bench scaling samples=0
fails "unknown network" 2 'network=sound: expected image, video or' bench scaling network=sound
fails "two sizes" 2 'network=image has its own sizes: leave tile= or' bench scaling network=image \
  tile=9
fails "too large" 1 'network given takes .* MB on each' bench scaling width=16384 layers=62
fails_on "one rank knows no node" 2 'ranks_per_node=4: the sum within a node is not known' 1 \
  bench scaling ranks_per_node=4
fails "scaling is a word" 2 'unexpected argument .scale' bench scale
report
