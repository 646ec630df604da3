"""Weft and its peers on the same works, in turns; a table of the best of each. Needs nothing but Python.

    ./run bench --peers torch,jax,tensorflow,mlx --work W1,W2
    python3 bench/peers/compare.py --weft build/release/bench/weft_bench --peers torch,jax

The peers are those of --venv, or of WEFT_PEERS_VENV, or are installed in build/peers (requirements.txt says which
versions). Every mode of every contender (contenders.py) has a short first try; then each round runs the best mode of
each once, and a second one that was nearly as fast: one at a time, in a process of its own, with the settings that serve
it best. A contender's figure is the least of its rounds' medians: what the machine gave it when it was left alone. A
measurement whose check is not that of checks.jsonl is void, and the exit status then 1. The table goes to peers.md, all
measurements to peers.jsonl, in --out.
"""
import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from agree import spread
from contenders import contenders, mkl_shim, shim_folder
from environment import PACKAGES, given_environment, prepare
from tables import label, notes, table, tried

FIRST_TRY = {"steps": 5, "seconds": 0.5}
NEARLY = 1.25  # times the best of the first try: the second best is timed in turns too


def known_works(weft):
    """What the program runs: of each id its threads (0: any number) and how far its check may be off."""
    done = subprocess.run([weft, "--list"], stdout=subprocess.PIPE, text=True, check=True)
    return {work["work"]: work for work in map(json.loads, done.stdout.splitlines())}


def recorded_checks():
    """What the four contenders computed when the works were set up."""
    checks = {}
    for line in (HERE / "checks.jsonl").read_text().splitlines():
        row = json.loads(line)
        checks.setdefault((row["work"], row["dtype"]), []).append(row["check"])
    return checks


def is_void(row, recorded, tolerance):
    known = recorded.get((row["work"], row["dtype"]), [])
    return not spread(known + [row["check"]]) <= tolerance


def run(way, work, threads, seconds, steps=20, limit=900):
    """The measurements, and the last line of stderr."""
    command = ["taskset", "-c", ",".join(map(str, range(threads)))] + [str(c) for c in way.command]
    command += ["--work", work, "--threads", str(threads), "--seconds", str(seconds), "--steps", str(steps)]
    try:
        done = subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": str(threads), **way.environment},
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, timeout=limit)
    except subprocess.TimeoutExpired:
        return [], f"nothing after {limit} s"
    said = [line for line in done.stderr.splitlines() if line.strip()] or [f"exit status {done.returncode}"]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")], said[-1]


class Measured:
    """What came of it: rows; and of (work, threads, peer, label) why one failed, or was not tried."""

    def __init__(self, works, recorded, lines):
        self.rows, self.failures, self.skipped = [], {}, {}
        self.works, self.recorded, self.lines = works, recorded, lines

    def measure(self, way, work, threads, first_try, **timing):
        found, said = run(way, work, threads, **timing)
        if not found:
            self.failures[work, threads, way.peer, way.label] = said
        for row in found:
            row |= {"contender": way.peer, "variant": way.variant, "settings": way.settings, "load": os.getloadavg()[0],
                    "void": is_void(row, self.recorded, self.works[work]["tolerance"]), "first_try": first_try}
            self.rows.append(row)
            print(json.dumps(row), file=self.lines, flush=True)

    def chosen(self, ways, work, threads):
        """Of each contender the best way of the first try, and the next if it was nearly as fast: by their fastest steps,
        for in so short a time another process may have had the machine."""
        times = {(r["contender"], label(r)): r["min_us"] for r in self.rows
                 if (r["work"], r["threads"]) == (work, threads) and r["first_try"] and not r["void"]}
        chosen = []
        for peer in dict.fromkeys(way.peer for way in ways):
            mine = sorted((way for way in ways if (peer, way.label) in times and way.peer == peer),
                          key=lambda way: times[peer, way.label])
            chosen += [way for way in mine[:2] if times[peer, way.label] <= NEARLY * times[peer, mine[0].label]]
        return chosen


def measure(args, peers, python, recorded, out):
    """Tries everything, then times the best in turns."""
    with shim_folder() as folder, open(out / "peers.jsonl", "w") as lines:
        shim = mkl_shim(folder) if "torch" in peers else None
        measured, turns = Measured(args.works, recorded, lines), []
        for work in args.work:
            small = args.works[work]["threads"] == 1
            threads = args.threads or (1 if small else 2)
            ways = list(contenders(work, small, peers, args.weft, python, args.inductor, shim))
            for way in ways:
                if way.why_not:
                    measured.skipped[work, threads, way.peer, way.label] = way.why_not
                else:
                    print(f"bench: {work}, first try of {way.peer} {way.label}", file=sys.stderr)
                    measured.measure(way, work, threads, True, **FIRST_TRY)
            turns += [(way, work, threads) for way in measured.chosen(ways, work, threads)]
        for round_ in range(args.rounds):
            for way, work, threads in turns:
                print(f"bench: round {round_ + 1} of {args.rounds}, {work}, {way.peer} {way.label}", file=sys.stderr)
                measured.measure(way, work, threads, False, seconds=args.seconds)
    return measured


def positive(kind):
    def read(text):
        value = kind(text)
        if not 0 < value < float("inf"):
            raise ValueError
        return value
    read.__name__ = f"positive {kind.__name__}"  # argparse's word for it
    return read


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = lambda text: [name for name in text.split(",") if name]
    parser.add_argument("--peers", type=names, required=True, help="torch, jax, tensorflow, mlx, with commas")
    parser.add_argument("--weft", required=True, help="the program weft_bench")
    parser.add_argument("--venv", help="a virtual environment that has them")
    parser.add_argument("--work", type=names, help="ids with commas; default: all, in about two hours")
    parser.add_argument("--threads", type=int, default=0, help="1 or 2; default: 1 for the small works, else 2")
    parser.add_argument("--rounds", type=positive(int), default=3)
    parser.add_argument("--seconds", type=positive(float), default=2)
    parser.add_argument("--inductor", action="store_true", help="torch.compile on W6 and W7 too, where it compiles for long")
    parser.add_argument("--out", type=Path, default=HERE.parents[1] / "build" / "bench")
    args = parser.parse_args()
    args.works = known_works(args.weft)
    args.work = args.work or list(args.works)
    for chosen, known, what in ((args.peers, PACKAGES, "peer"), (args.work, args.works, "work")):
        for name in chosen:
            if name not in known:
                parser.error(f"there is no {what} {name}; there are {', '.join(known)}")
    return args


def main():
    args = arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    python, lacking = prepare(args.peers, given_environment(args.venv), HERE.parents[1] / "build" / "peers")
    for peer, why in lacking.items():
        print(f"bench: {peer} is not installed: {why}", file=sys.stderr)
    here = [p for p in args.peers if p not in lacking]
    m = measure(args, here, python, recorded_checks(), args.out)
    text = "\n\n".join([
        table(m.rows, m.failures, m.skipped, args.peers, lacking), notes(args.rounds, m.rows, m.failures, m.skipped, lacking),
        f"All that was tried, the fastest of {FIRST_TRY['steps']} steps or {FIRST_TRY['seconds']} s of each; in bold what was then timed in turns.",
        tried(m.rows, m.failures, m.skipped, here)])
    (args.out / "peers.md").write_text("# Weft and its peers\n\n" + text + "\n")
    print(text)
    return int(any(r["void"] for r in m.rows) or not m.rows)


if __name__ == "__main__":
    sys.exit(main())
