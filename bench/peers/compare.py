"""Weft and its peers on the same works, in turns; a table of the best of each. Needs nothing but Python.

    python3 bench/peers/compare.py --weft build/release/bench/weft_bench --torch /tmp/peers/bin/python --jax /tmp/peers/bin/python

Each round runs every contender once, one at a time, in a process of its own, with the settings that serve it best. A
contender's figure is the least of its rounds' medians: what the machine gave it when it was left alone. All lines go to
--lines; a check that differs voids its row (agree.py says which).
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from agree import TOLERANCES, spread

SMALL = ("W1", "W10-add", "W10-matmul", "W10-grad", "W11-mlp1", "W11-cnn1", "W14-jacobian", "W14-hvp")  # one thread
WORKS = ["W1", "W2", "W3", "W4", "W5", "W6n", "W6", "W7", "W8-20", "W8-24", "W8g", "W9-softmax", "W9-softmax-grad",
         "W9-layernorm", "W9-layernorm-grad", "W10-add", "W10-matmul", "W10-grad", "W11-mlp1", "W11-mlp256", "W11-cnn1",
         "W12", "W13", "W13-grad", "W14-jacobian", "W14-hvp"]
UPDATES_NOTHING = ("W8", "W9", "W10", "W11", "W13", "W14")  # so they have no mode of PyTorch's fused optimizer
KEEP_MEMORY = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1", "MALLOC_MMAP_MAX_": "0",
               "MALLOC_TRIM_THRESHOLD_": "8000000000", "MALLOC_TOP_PAD_": "67108864"}


def mkl_shim():
    """A library that makes MKL take its AVX-512 path on any CPU; None without a C compiler."""
    folder = Path(tempfile.mkdtemp(prefix="mkl_"))
    (folder / "m.c").write_text("int mkl_serv_intel_cpu_true(void) { return 1; }\n")
    made = subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / "mkl.so", folder / "m.c"], check=False)
    return str(folder / "mkl.so") if made.returncode == 0 else None


def contenders(args, work):
    """(program and arguments, environment) of each way to run a work."""
    eager_only = work.startswith("W10")
    memory = {} if work in SMALL else KEEP_MEMORY
    tuned = [] if work in SMALL else ["tuned malloc"]
    if args.weft:
        yield [args.weft, "--json", "--mode", "eager,compile"], {}
    if args.torch:
        torch = [args.torch, HERE / "torch_bench.py"]
        shim = {"LD_PRELOAD": args.shim} if args.shim else {}
        note = ["--note", ", ".join(["MKL forced to AVX-512"] * bool(shim) + tuned)]
        yield torch + ["--mode", "eager" if work.startswith(UPDATES_NOTHING) else "eager,fused"] + note, shim | memory
        if args.inductor and not eager_only:
            yield torch + ["--mode", "compile", "--update", "whole"] + note, shim | memory
    if args.jax:
        jax = [args.jax, HERE / "jax_bench.py"]
        note = ["--note", ", ".join(tuned)]
        yield jax + ["--mode", "compile"] + (["--sync"] if work in SMALL else []) + note, memory
        if work in ("W2", "W3"):
            yield jax + ["--mode", "compile"], {"XLA_FLAGS": "--xla_cpu_prefer_vector_width=512"}
        if work in ("W1", "W2"):
            yield jax + ["--mode", "scan"], {}
    if args.tf and not eager_only:
        yield [args.tf, HERE / "tf_bench.py", "--mode", "compile"], memory


def run(command, environment, work, threads, args):
    command = ["taskset", "-c", ",".join(map(str, range(threads)))] + [str(c) for c in command]
    command += ["--work", work, "--threads", str(threads), "--seconds", str(args.seconds)]
    done = subprocess.run(command, env={**os.environ, "OMP_NUM_THREADS": str(threads), **environment},
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def table(rows):
    """A row a work and number of threads: the best of each contender, and ours against the best other."""
    peers = list(dict.fromkeys(r["peer"].split()[0] for r in rows))
    lines = ["| work | threads | " + " | ".join(peers) + " | best peer / Weft | checks |",
             "|---" * (len(peers) + 4) + "|"]
    for work, threads in dict.fromkeys((r["work"], r["threads"]) for r in rows):
        mine = [r for r in rows if (r["work"], r["threads"]) == (work, threads)]
        best = {}
        for r in mine:
            peer = r["peer"].split()[0]
            if peer not in best or r["median_us"] < best[peer]["median_us"]:
                best[peer] = r
        cells = [f"{best[p]['median_us']:.4g} ({best[p]['mode']})" if p in best else "" for p in peers]
        others = [r["median_us"] for p, r in best.items() if p != "weft"]
        ratio = f"{min(others) / best['weft']['median_us']:.2f}x" if others and "weft" in best else ""
        # the fifth call of a scan is step 500
        agree = spread([r["check"] for r in mine if r["mode"] != "scan"]) <= TOLERANCES.get(work, 1e-3)
        lines.append(f"| {work} | {threads} | " + " | ".join(cells) + f" | {ratio} | {'agree' if agree else 'DIFFER'} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("weft", "torch", "jax", "tf"):
        parser.add_argument(f"--{name}", help="the program" if name == "weft" else f"a Python that has {name}")
    parser.add_argument("--work", default=",".join(WORKS))
    parser.add_argument("--threads", type=int, default=0, help="1 or 2; default: 1 for the small works, else 2")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--inductor", action="store_true", help="torch.compile too: a quarter of a minute each")
    parser.add_argument("--lines", default="lines.jsonl")
    args = parser.parse_args()
    args.shim = mkl_shim() if args.torch else None
    rows = []
    with open(args.lines, "a") as out:
        for _ in range(args.rounds):
            for work in args.work.split(","):
                threads = args.threads or (1 if work in SMALL else 2)
                for command, environment in contenders(args, work):
                    for row in run(command, environment, work, threads, args):
                        row["load"] = os.getloadavg()[0]
                        rows.append(row)
                        print(json.dumps(row), file=out, flush=True)
    print(table(rows))


if __name__ == "__main__":
    main()
