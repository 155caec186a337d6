#!/bin/bash
# siren watch and siren report on sweeps and runs as they are, and while they run.
set -uo pipefail
# shellcheck source=tests/suite.sh
. "$(dirname "${BASH_SOURCE[0]}")/suite.sh"

if ! command -v python3 >/dev/null; then
  echo "skipped: no Python"
  exit 77
fi

cat >grid.yaml <<'YAML'
title: "Widths & <losses>"
base: image
set: {scale: smoke, train: {steps: 200, log_every: 5}, threads: 1}
axes:
  - network.width: [16, 24]
seeds: 2
YAML

# The page must be XML, too: that is stricter than HTML, and Python has a parser for it.
cat >page.py <<'PYTHON'
import base64, re, sys
import xml.etree.ElementTree as tree

text = open(sys.argv[1], encoding="utf-8").read()
assert text.startswith("<!DOCTYPE html>\n")
page = tree.fromstring(text.split("\n", 1)[1])
everything = list(page.iter())
ids = [element.get("id") for element in everything if element.get("id")]
assert len(ids) == len(set(ids)), "an id stands twice"
pictures = 0
for element in everything:
    assert element.tag not in ("script", "link", "iframe", "object"), element.tag
    assert not any(name.startswith("on") for name in element.attrib), element.attrib
    target, source = element.get("href"), element.get("src")
    assert target is None or target[1:] in ids or target.startswith("https://"), target
    if source is not None:
        kind, data = source.split(",", 1)
        assert kind == "data:image/png;base64", kind
        assert base64.b64decode(data, validate=True).startswith(b"\x89PNG\r\n\x1a\n")
        pictures += 1
    if element.tag == "path":
        assert re.fullmatch(r"[MLHVh0-9. -]+", element.get("d")), element.get("d")
assert not re.search(r"url\(|@import", text), "something is loaded"
counts = {name: len(page.findall(f".//{name}")) for name in ("svg", "details", "table")}
print(f"pictures={pictures}", *(f"{name}={n}" for name, n in counts.items()))
PYTHON

# COLUMNS ROWS CTRL_C_AFTER COMMAND...: the command on a terminal of this size, interrupted after so
# many seconds; prints its output and ends with its exit code.
cat >terminal.py <<'PYTHON'
import fcntl, os, pty, select, signal, struct, sys, termios, time

columns, rows, patience = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
child, master = pty.fork()
if child == 0:
    for name in ("COLUMNS", "LINES", "NO_COLOR"):
        os.environ.pop(name, None)
    os.environ["TERM"] = "xterm"
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    os.execvp(sys.argv[4], sys.argv[4:])
end, told = time.time() + patience, False
while True:
    if select.select([master], [], [], 0.1)[0]:
        try:
            data = os.read(master, 65536)
        except OSError:
            break
        if not data:
            break
        os.write(1, data)
    if time.time() > end and not told:
        os.kill(child, signal.SIGINT)
        told = True
sys.exit(os.WEXITSTATUS(os.waitpid(child, 0)[1]))
PYTHON

# ---- While a sweep runs ----

launch 2 sweep grid.yaml output=grid >sweep.txt 2>&1 </dev/null &
sweep=$!
for _ in $(seq 200); do
  if [ -e grid/plan.json ]; then break; fi
  sleep 0.05
done
looks=0 busy=0
while kill -0 $sweep 2>/dev/null; do
  "$siren" watch grid >look.txt 2>err </dev/null || bad "a look: $(cat err)"
  looks=$((looks + 1))
  if grep -q ' running' look.txt; then busy=$((busy + 1)); fi
  sleep 0.05
done
wait $sweep
expect "the sweep is not disturbed" grep -q '4 of 4 runs complete' sweep.txt
expect "runs are seen as they run ($busy of $looks looks)" [ $busy -gt 0 ]

"$siren" watch grid >look.txt 2>err </dev/null
expect "a complete sweep" grep -q ' 4/4  4 complete$' look.txt
expect "its title" grep -qF 'Widths & <losses>' look.txt
expect "its best run" grep -qE 'network.width=24 seed=. +[0-9.]+ dB' look.txt
expect "no control characters" [ -z "$(tr -d '\n' <look.txt | grep -P '[\x00-\x1f]')" ]

# ---- On a terminal ----

python3 terminal.py 70 20 30 "$siren" watch grid >screen.txt
expect "a terminal: ends when all have ended" [ $? = 0 ]
expect "a terminal: colours" grep -q $'\x1b\\[32m' screen.txt
rm grid/*/run.h5 # nobody is at work, and all is to be done again
for state in grid/*/state.json; do rm "$state"; done
rm grid/*/checkpoint*.h5
python3 terminal.py 70 20 1 "$siren" watch grid interval=0.2 >screen.txt
expect "a terminal: Ctrl-C is no failure" [ $? = 0 ]
expect "a terminal: it was drawn again" [ "$(grep -c $'\x1b\\[J' screen.txt)" -gt 1 ]
expect "nothing runs" grep -q 'nothing is running' screen.txt

# ---- Reports ----

rm -rf grid
launch 1 sweep grid.yaml output=grid >sweep.txt 2>&1 </dev/null
one="$(find grid -mindepth 1 -maxdepth 1 -type d | head -n 1)"
"$siren" report grid >out 2>err </dev/null
expect "report: says where" grep -qx 'grid/report.html' out
said="$(python3 page.py grid/report.html 2>&1)"
expect "report: well formed: $said" grep -qE '^pictures=3[0-9] svg=5 details=12 ' <<<"$said"
expect "report: all runs" [ "$(grep -c '<div id="run[0-3]">' grid/report.html)" = 4 ]
expect "report: title" grep -qF '<h1>Widths &amp; &lt;losses&gt;</h1>' grid/report.html
expect "report: configuration" grep -qF '<th scope="row">network.width</th><td>24</td>' \
  grid/report.html
"$siren" report "$one" into=one.html >out 2>err </dev/null
said="$(python3 page.py one.html 2>&1)"
expect "report of a run: $said" grep -qE '^pictures=[89] svg=1 details=2 ' <<<"$said"
printf '| run | PSNR |\n| --- | ---: |\n| wide | 31.2 |\n' >grid/table.md
cp "$one/fit.png" grid/map.png
"$siren" report grid into=two.html >out 2>err </dev/null
said="$(python3 page.py two.html 2>&1)"
row='<tr><td>wide</td><td class="n">31.2</td></tr>'
expect "report with a table: $said" grep -qF "$row" two.html
for file in "$one"/*; do head -c 300 "$file" >part && cat part >"$file"; done
"$siren" report grid into=three.html >out 2>err </dev/null
expect "report of a damaged run: $(python3 page.py three.html 2>&1)" grep -q 'failed' three.html

# ---- What is refused ----

fails_on "watch: no such directory" 2 'nothing_here: no such directory' 1 watch nothing_here
fails_on "report: no such directory" 2 'nothing_here: no such directory' 1 report nothing_here
mkdir empty
fails_on "watch: neither sweep nor run" 2 'empty: holds neither a sweep nor a run' 1 watch empty
fails_on "report: neither sweep nor run" 2 'empty: holds neither a sweep nor a run' 2 report empty
fails_on "report: a page that cannot be" 1 'nothing_here/page.html' 1 report grid \
  into=nothing_here/page.html
fails_on "watch: no directory" 2 'DIR' 1 watch
echo '{"title": 7}' >grid/plan.json
fails_on "watch: a damaged plan" 1 'grid/plan.json' 1 watch grid
report
