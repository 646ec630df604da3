"""Weft and its peers on the same works, in turns; a table of the best of each. Needs nothing but Python.

    ./run bench --peers torch,jax,tensorflow,mlx --work W1,W2
    python3 bench/peers/compare.py --weft build/release/bench/weft_bench --peers torch,jax

The peers are those of --venv, or of WEFT_PEERS_VENV, or are installed in build/peers (requirements.txt says which
versions). Each round runs every contender once, one at a time, in a process of its own, with the settings that serve it
best. A contender's figure is the least of its rounds' medians: what the machine gave it when it was left alone. A
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
from agree import DEFAULT, TOLERANCES, spread
from contenders import SMALL, WORKS, contenders, mkl_shim, shim_folder
from environment import PACKAGES, given_environment, prepare


def recorded_checks():
    """What the four contenders computed when the works were set up."""
    checks = {}
    for line in (HERE / "checks.jsonl").read_text().splitlines():
        row = json.loads(line)
        checks.setdefault((row["work"], row["dtype"]), []).append(row["check"])
    return checks


def is_void(row, recorded):
    known = recorded.get((row["work"], row["dtype"]), [])
    return not spread(known + [row["check"]]) <= TOLERANCES.get(row["work"], DEFAULT[row["dtype"]])


def run(command, environment, work, threads, seconds, limit=900):
    """The measurements, and the last line of stderr."""
    command = ["taskset", "-c", ",".join(map(str, range(threads)))] + [str(c) for c in command]
    command += ["--work", work, "--threads", str(threads), "--seconds", str(seconds)]
    try:
        done = subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": str(threads), **environment},
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, timeout=limit)
    except subprocess.TimeoutExpired:
        return [], f"nothing after {limit} s"
    said = [line for line in done.stderr.splitlines() if line.strip()] or [f"exit status {done.returncode}"]
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")], said[-1]


def measure(args, peers, python, recorded, out):
    """All rows, each with peer, settings and whether it is void; and why contenders gave none."""
    rows, failures = [], {}
    with shim_folder() as folder, open(out / "peers.jsonl", "w") as lines:
        shim = mkl_shim(folder) if "torch" in peers else None
        for round_ in range(args.rounds):
            for work in args.work:
                threads = args.threads or (1 if work in SMALL else 2)
                for peer, settings, command, environment in contenders(work, peers, args.weft, python, args.inductor, shim):
                    print(f"bench: round {round_ + 1} of {args.rounds}, {work}, {peer}", file=sys.stderr)
                    found, said = run(command, environment, work, threads, args.seconds)
                    if not found:
                        failures[work, threads, peer] = said
                    for row in found:
                        row |= {"contender": peer, "settings": settings, "load": os.getloadavg()[0],
                                "void": is_void(row, recorded)}
                        rows.append(row)
                        print(json.dumps(row), file=lines, flush=True)
    return rows, failures


def best(rows, key, modes=None):
    """The row with the least of `key`, void ones left out; None if there is none."""
    return min((r for r in rows if not r["void"] and (modes is None or r["mode"] in modes)), key=lambda r: r[key],
               default=None)


def table(rows, failures, peers, lacking):
    """A line a work and number of threads: the best of each contender, and the best peer against ours."""
    names = ["weft"] + peers
    lines = ["| work | threads | " + " | ".join(names) + " | best peer / Weft | first call: Weft, best compiler / Weft |",
             "|---" * (len(names) + 4) + "|"]
    keys = list(dict.fromkeys([(r["work"], r["threads"]) for r in rows] + [k[:2] for k in failures]))
    for work, threads in keys:
        of_work = [r for r in rows if (r["work"], r["threads"]) == (work, threads)]
        of = {name: [r for r in of_work if r["contender"] == name] for name in names}
        fastest = {name: best(of[name], "median_us") for name in names}

        def cell(name):
            row = fastest[name]
            if row:
                return f"{row['median_us']:.4g} ({row['mode']})"
            return "not installed" if name in lacking else "VOID" if of[name] else "failed"

        def ratio(mine, others, key):
            others = [r[key] for r in others if r]
            return f"{min(others) / mine[key]:.2f}x" if mine and others else "void" if not mine else "no peer"

        compiled = {name: best(of[name], "first_call_s", ("compile",)) for name in names}
        first = compiled["weft"]
        start = f"{1e3 * first['first_call_s']:.0f} ms, " if first else ""
        lines.append(f"| {work} | {threads} | " + " | ".join(map(cell, names)) + " | "
                     + ratio(fastest["weft"], [fastest[p] for p in peers], "median_us") + " | "
                     + (start + ratio(first, [compiled[p] for p in peers], "first_call_s") if first else "") + " |")
    return "\n".join(lines)


def notes(args, rows, failures, lacking):
    """What the table means, and what is not in it."""
    loads = [r["load"] for r in rows] or [0]
    lines = [f"Microseconds a step (W10: an op), the best mode of each; least of the medians of {args.rounds} rounds in turns. "
             f"Load {min(loads):.1f} to {max(loads):.1f}. weft: its own allocator, no settings."]
    for contender, version in dict.fromkeys((r["contender"], r["peer"]) for r in rows):
        settings = dict.fromkeys(r["settings"] for r in rows if r["contender"] == contender and r["settings"])
        lines.append(f"- {version}: " + ("; or ".join(settings) or "no settings"))
    lines += [f"- {peer}: not installed: {why}" for peer, why in lacking.items()]
    lines += [f"- {peer} failed on {work}, {threads} threads: {why}" for (work, threads, peer), why in failures.items()]
    void = dict.fromkeys((r["peer"], r["mode"], r["work"], r["check"]) for r in rows if r["void"])
    lines += [f"- VOID: {peer} {mode} on {work}: its check is {check}" for peer, mode, work, check in void]
    return "\n".join(lines)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    names = lambda text: [name for name in text.split(",") if name]
    parser.add_argument("--peers", type=names, required=True, help="torch, jax, tensorflow, mlx, with commas")
    parser.add_argument("--weft", required=True, help="the program weft_bench")
    parser.add_argument("--venv", help="a virtual environment that has them")
    parser.add_argument("--work", type=names, default=WORKS, help="ids with commas; default: all, in about 90 minutes")
    parser.add_argument("--threads", type=int, default=0, help="1 or 2; default: 1 for the small works, else 2")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--inductor", action="store_true", help="torch.compile too: a quarter of a minute each")
    parser.add_argument("--out", type=Path, default=HERE.parents[1] / "build" / "bench")
    args = parser.parse_args()
    for chosen, known, what in ((args.peers, PACKAGES, "peer"), (args.work, WORKS, "work")):
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
    rows, failures = measure(args, [p for p in args.peers if p not in lacking], python, recorded_checks(), args.out)
    text = table(rows, failures, args.peers, lacking) + "\n\n" + notes(args, rows, failures, lacking)
    (args.out / "peers.md").write_text("# Weft and its peers\n\n" + text + "\n")
    print(text)
    return int(any(r["void"] for r in rows) or not rows)


if __name__ == "__main__":
    sys.exit(main())
