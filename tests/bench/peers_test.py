"""bench/peers/compare.py: what its table says of rows that are right, void, failed or not installed."""
import contextlib
import io
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PEERS = Path(__file__).resolve().parents[2] / "bench" / "peers"
sys.path.insert(0, str(PEERS))
import compare
import contenders
import environment
import tables

EVERYBODY = ["torch", "jax", "tensorflow", "mlx"]
WORKS = compare.known_works(os.environ["WEFT_BENCH"])


def row(contender, median, mode="compile", check=0.698166, work="W1", first=1.0, settings="", load=1.0, variant="",
        first_try=False):
    made = {"contender": contender, "peer": contender + " 1.0", "mode": mode, "work": work, "dtype": "f32", "threads": 1,
            "median_us": median, "min_us": median, "first_call_s": first, "check": check, "settings": settings, "load": load,
            "variant": variant, "first_try": first_try}
    return made | {"void": compare.is_void(made, compare.recorded_checks(), WORKS[work]["tolerance"])}


def cells(text):
    return [[c.strip() for c in line.split("|")[1:-1]] for line in text.splitlines()[2:]]


class Table(unittest.TestCase):
    def test_best_of_each_and_ratios(self):
        rows = [row("weft", 2.0, first=0.02), row("weft", 17.0, "eager"), row("torch", 90.0, "eager"),
                row("torch", 80.0, "fused"), row("jax", 9.0, first=0.4), row("jax", 5.0, "scan", variant="long"),
                row("jax", 1.0, first=0.3, first_try=True)]  # too short to count, but its first call was one
        self.assertEqual(cells(tables.table(rows, {}, {}, ["torch", "jax"], {})),
                         [["W1", "1", "2 (compile)", "80 (fused)", "5 (scan, long)", "2.50x", "20 ms, 15.00x"]])

    def test_a_row_whose_check_differs_is_void(self):
        rows = [row("weft", 2.0), row("jax", 1.0, check=0.7), row("jax", 9.0, "eager"), row("torch", 3.0, check=float("nan"))]
        self.assertEqual([r["void"] for r in rows], [False, True, False, True])
        self.assertEqual(cells(tables.table(rows, {}, {}, ["torch", "jax"], {}))[0][2:6],
                         ["2 (compile)", "VOID", "9 (eager)", "4.50x"])
        self.assertIn("- VOID: jax 1.0 compile on W1: its check is 0.7", tables.notes(1, rows, {}, {}, {}))
        rows = [row("weft", 2.0, check=1.0), row("jax", 9.0)]
        self.assertEqual(cells(tables.table(rows, {}, {}, ["jax"], {}))[0][2:5], ["VOID", "9 (compile)", "void"])

    def test_an_empty_cell_says_why(self):
        failures = {("W1", 1, "mlx", "eager"): "Killed", ("W1", 1, "mlx", "compile"): "Killed"}
        skipped = {("W1", 1, "tensorflow", ""): "no program", ("W2", 2, "tensorflow", ""): "no program"}
        lacking = {"jax": "no such package"}
        made = cells(tables.table([row("weft", 2.0, load=1.5)], failures, skipped, ["jax", "mlx", "tensorflow"], lacking))
        self.assertEqual(made[0][2:7], ["2 (compile)", "not installed", "failed", "not tried", "no peer"])
        said = tables.notes(1, [row("weft", 2.0, load=1.5)], failures, skipped, lacking)
        for line in ("- jax: not installed: no such package", "- mlx eager failed on W1: Killed",
                     "- mlx compile failed on W1: Killed", "- tensorflow not tried on W1, W2: no program", "Load 1.5 to 1.5."):
            self.assertIn(line, said)

    def test_what_was_tried(self):
        rows = [row("weft", 3.0, first_try=True), row("weft", 2.0), row("torch", 9.0, "eager", first_try=True),
                row("torch", 4.0, "fused", first_try=True), row("torch", 5.0, "fused")]
        made = cells(tables.tried(rows, {("W1", 1, "torch", "compile"): "Killed"}, {("W1", 1, "jax", ""): "why"}, ["torch", "jax"]))
        self.assertEqual(made, [["W1", "1", "**compile: 3**", "**fused: 4**; eager: 9; compile: failed", "all: not tried"]])


class Ways(unittest.TestCase):
    def ways(self, work, inductor=False, shim=None):
        return list(contenders.contenders(work, WORKS[work]["threads"] == 1, EVERYBODY, "weft_bench", "python", inductor, shim))

    def modes(self, work, peer, inductor=False):
        return [way.label for way in self.ways(work, inductor, "s.so") if way.peer == peer and not way.why_not]

    def test_every_mode_of_every_script(self):
        for work in WORKS:
            with self.subTest(work):
                if work not in contenders.NO_PROGRAM["tensorflow"]:
                    self.assertEqual(self.modes(work, "tensorflow"), ["eager", "function", "compile"])
                    self.assertEqual(self.modes(work, "mlx"), ["eager", "compile"])
                torch = {label.split(",")[0] for label in self.modes(work, "torch", inductor=True)}
                trains = not work.startswith(contenders.UPDATES_NOTHING)
                self.assertEqual(torch, {"eager", "compile"} | ({"fused"} if trains else set()))
                self.assertEqual("compile" in {label.split(",")[0] for label in self.modes(work, "torch")},
                                 work not in contenders.SLOW_INDUCTOR)
        self.assertEqual(self.modes("W1", "jax"), ["compile", "eager", "scan"])
        self.assertEqual(self.modes("W4", "torch"), ["eager", "fused", "fused, channels_last", "compile, update whole",
                                                     "compile, update fused", "compile, update compiled"])

    def test_what_is_not_tried_says_why(self):
        skipped = {(w, way.peer, way.mode): way.why_not for w in ("W7", "W7b")
                   for way in self.ways(w) if way.why_not}
        self.assertEqual(skipped, {("W7", "torch", "compile"): "it compiles for long; --inductor tries it",
                                   ("W7b", "tensorflow", ""): "tf_bench.py has no program for it",
                                   ("W7b", "mlx", ""): "mlx_bench.py has no program for it"})
        path, os.environ["PATH"] = os.environ["PATH"], "/nonexistent"
        try:
            self.assertEqual(contenders.no_inductor("W2", True), "there is no C++ compiler")
        finally:
            os.environ["PATH"] = path

    def test_every_work_has_a_recorded_check_and_ways_of_their_own_names(self):
        recorded = compare.recorded_checks()
        for work in WORKS:
            self.assertIn((work, WORKS[work]["dtype"]), recorded)
            labels = [(w.peer, w.label) for w in self.ways(work, True)]
            self.assertEqual(len(labels), len(set(labels)))
            self.assertEqual({peer for peer, _ in labels}, {"weft", *EVERYBODY})


class Program(unittest.TestCase):
    def run_with(self, check, peers="torch,mlx", times={}, more=()):
        """The whole program, with a contender of ours that prints one line; of the peers there are those of `times`,
        whose modes take so long, or fail at 0. Its result, peers.md, and of each run the peer, the mode and the steps."""
        with tempfile.TemporaryDirectory() as folder:
            line = {"peer": "weft 0", "mode": "compile", "work": "W1", "dtype": "f32", "threads": 1, "median_us": 2.0,
                    "min_us": 2.0, "first_call_s": 0.02, "check": check, "note": ""}
            weft = Path(folder) / "weft"
            known = {"work": "W1", "dtype": "f32", "threads": 1, "tolerance": 1e-3}
            weft.write_text(f"#!/bin/sh\n[ $1 = --list ] && echo '{json.dumps(known)}' || echo '{json.dumps(line)}'\n")
            if times:
                python = Path(folder) / "bin" / "python"
                python.parent.mkdir()
                python.write_text(f"""#!{sys.executable}
import json, sys
times, a = {times!r}, sys.argv
if a[1] == "-c":  # is it there?
    sys.exit(not any("'" + peer + "'" in a[2] for peer in times))
peer = dict(torch_bench="torch", tf_bench="tensorflow", jax_bench="jax", mlx_bench="mlx")[a[1].split("/")[-1][:-3]]
mode, steps = a[a.index("--mode") + 1], a[a.index("--steps") + 1]
print(peer, mode, steps, file=open({folder!r} + "/log", "a"))
if times[peer][mode] == 0:
    sys.exit("no such luck")
print(json.dumps({line!r} | dict(peer=peer + " 1", mode=mode, median_us=times[peer][mode], min_us=times[peer][mode])))
""")
                python.chmod(0o755)
            weft.chmod(0o755)
            done = subprocess.run([sys.executable, PEERS / "compare.py", "--weft", weft, "--peers", peers, "--venv", folder,
                                   "--work", "W1", "--rounds", "2", "--out", folder, *more], text=True, check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            table, log = Path(folder) / "peers.md", Path(folder) / "log"
            return (done, table.read_text() if table.exists() else "",
                    [tuple(line.split()) for line in log.read_text().splitlines()] if log.exists() else [])

    def test_every_mode_is_tried_and_the_best_are_timed_in_turns(self):
        done, text, runs = self.run_with(0.698166, "tensorflow,mlx", {"tensorflow": {"eager": 900, "function": 30, "compile": 90},
                                                                      "mlx": {"eager": 50, "compile": 60}})
        self.assertEqual(done.returncode, 0, done.stderr)
        tries = [(peer, mode) for peer, mode, steps in runs if steps == "5"]
        self.assertEqual(tries, [("tensorflow", "eager"), ("tensorflow", "function"), ("tensorflow", "compile"),
                                 ("mlx", "eager"), ("mlx", "compile")])
        turns = [(peer, mode) for peer, mode, steps in runs if steps == "20"]
        self.assertEqual(turns, [("tensorflow", "function"), ("mlx", "eager"), ("mlx", "compile")] * 2)
        self.assertIn("| W1 | 1 | 2 (compile) | 30 (function) | 50 (eager) | 15.00x |", text)
        self.assertIn("| **function: 30**; compile: 90; eager: 900 | **eager: 50**; **compile: 60** |", text)

    def test_a_mode_that_fails_leaves_the_others(self):
        done, text, _ = self.run_with(0.698166, "mlx", {"mlx": {"eager": 50, "compile": 0}})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("| W1 | 1 | 2 (compile) | 50 (eager) |", text)
        self.assertIn("- mlx compile failed on W1: no such luck", text)

    def test_without_any_peer(self):
        done, table, _ = self.run_with(0.698166)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("| W1 | 1 | 2 (compile) | not installed | not installed | no peer |", done.stdout)
        self.assertIn(done.stdout.strip(), table)
        self.assertEqual(sum("torch is not installed: " in line for line in done.stderr.splitlines()), 1)

    def test_a_void_row_fails(self):
        done, _, _ = self.run_with(0.8)
        self.assertEqual(done.returncode, 1)
        self.assertIn("| W1 | 1 | VOID |", done.stdout)

    def test_arguments_that_cannot_be(self):
        done, _, _ = self.run_with(0.698166, "tourch")
        self.assertEqual(done.returncode, 2)
        self.assertIn("there is no peer tourch; there are torch, jax, tensorflow, mlx", done.stderr)
        for wrong in (("--rounds", "0"), ("--seconds", "-1"), ("--seconds", "nan")):
            done, _, _ = self.run_with(0.698166, more=wrong)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f"argument {wrong[0]}: invalid positive ", done.stderr)


class Environment(unittest.TestCase):
    def test_a_peer_that_cannot_be_installed_is_one_line(self):
        packages, environment.PACKAGES = environment.PACKAGES, {"absent_": "./no-such-file.whl"}
        try:
            with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()) as said:
                own = Path(folder) / "peers"
                os.makedirs(own / "bin")  # whose Python has no such module
                os.symlink(sys.executable, own / "bin" / "python")
                _, lacking = environment.prepare(["absent_", "json"], None, own)
            self.assertEqual(list(lacking), ["absent_"])
            self.assertEqual(len(lacking["absent_"].splitlines()), 1)
            self.assertIn("installing absent_", said.getvalue())
        finally:
            environment.PACKAGES = packages


if __name__ == "__main__":
    unittest.main()
