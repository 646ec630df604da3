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
from types import SimpleNamespace

PEERS = Path(__file__).resolve().parents[2] / "bench" / "peers"
sys.path.insert(0, str(PEERS))
import compare
import contenders
import environment


def row(contender, median, mode="compile", check=0.698166, work="W1", first=1.0, settings="", load=1.0):
    made = {"contender": contender, "peer": contender + " 1.0", "mode": mode, "work": work, "dtype": "f32", "threads": 1,
            "median_us": median, "first_call_s": first, "check": check, "settings": settings, "load": load}
    return made | {"void": compare.is_void(made, compare.recorded_checks())}


def cells(rows, failures, peers, lacking, line=0):
    return [c.strip() for c in compare.table(rows, failures, peers, lacking).splitlines()[2 + line].split("|")[1:-1]]


class Table(unittest.TestCase):
    def test_best_of_each_and_ratios(self):
        rows = [row("weft", 2.0, first=0.02), row("weft", 17.0, "eager"), row("torch", 90.0, "eager"),
                row("torch", 80.0, "fused"), row("jax", 9.0, first=0.4), row("jax", 5.0, "scan")]
        self.assertEqual(cells(rows, {}, ["torch", "jax"], {}),
                         ["W1", "1", "2 (compile)", "80 (fused)", "5 (scan)", "2.50x", "20 ms, 20.00x"])

    def test_a_row_whose_check_differs_is_void(self):
        rows = [row("weft", 2.0), row("jax", 1.0, check=0.7), row("jax", 9.0, "eager"), row("torch", 3.0, check=float("nan"))]
        self.assertEqual([r["void"] for r in rows], [False, True, False, True])
        self.assertEqual(cells(rows, {}, ["torch", "jax"], {})[2:6], ["2 (compile)", "VOID", "9 (eager)", "4.50x"])
        said = compare.notes(SimpleNamespace(rounds=1), rows, {}, {})
        self.assertIn("- VOID: jax 1.0 compile on W1: its check is 0.7", said)
        self.assertEqual(cells([row("weft", 2.0, check=1.0), row("jax", 9.0)], {}, ["jax"], {})[2:5],
                         ["VOID", "9 (compile)", "void"])

    def test_who_is_not_there_has_a_column_that_says_so(self):
        failures = {("W1", 1, "mlx"): "Killed"}
        lacking = {"jax": "no such package"}
        self.assertEqual(cells([row("weft", 2.0)], failures, ["jax", "mlx"], lacking)[2:6],
                         ["2 (compile)", "not installed", "failed", "no peer"])
        said = compare.notes(SimpleNamespace(rounds=1), [row("weft", 2.0, load=1.5)], failures, lacking)
        self.assertIn("- jax: not installed: no such package", said)
        self.assertIn("- mlx failed on W1, 1 threads: Killed", said)
        self.assertIn("Load 1.5 to 1.5.", said)

    def test_every_work_has_a_recorded_check_and_a_way_for_everybody(self):
        recorded = compare.recorded_checks()
        for work in contenders.WORKS:
            self.assertIn((work, "bf16" if work == "W7b" else "f32"), recorded)
            ways = contenders.contenders(work, ["torch", "jax", "tensorflow", "mlx"], "weft_bench", "python", True, "s.so")
            others = set() if work in contenders.ONLY_TORCH_AND_JAX else {"tensorflow", "mlx"}
            self.assertEqual({way[0] for way in ways}, {"weft", "torch", "jax"} | others)


class Program(unittest.TestCase):
    def run_with(self, check, peers="torch,mlx"):
        """The whole program, with a contender of ours that prints one line, and an empty virtual environment."""
        with tempfile.TemporaryDirectory() as folder:
            line = {"peer": "weft 0", "mode": "compile", "work": "W1", "dtype": "f32", "threads": 1, "median_us": 2.0,
                    "min_us": 2.0, "first_call_s": 0.02, "check": check, "note": ""}
            weft = Path(folder) / "weft"
            weft.write_text(f"#!/bin/sh\necho '{json.dumps(line)}'\n")
            weft.chmod(0o755)
            done = subprocess.run([sys.executable, PEERS / "compare.py", "--weft", weft, "--peers", peers, "--venv", folder,
                                   "--work", "W1", "--rounds", "1", "--out", folder], text=True, check=False,
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            table = Path(folder) / "peers.md"
            return done, table.read_text() if table.exists() else ""

    def test_without_any_peer(self):
        done, table = self.run_with(0.698166)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("| W1 | 1 | 2 (compile) | not installed | not installed | no peer |", done.stdout)
        self.assertIn(done.stdout.strip(), table)
        self.assertEqual(sum("torch is not installed: " in line for line in done.stderr.splitlines()), 1)

    def test_a_void_row_fails(self):
        done, _ = self.run_with(0.8)
        self.assertEqual(done.returncode, 1)
        self.assertIn("| W1 | 1 | VOID |", done.stdout)

    def test_an_unknown_peer(self):
        done, _ = self.run_with(0.698166, "tourch")
        self.assertEqual(done.returncode, 2)
        self.assertIn("there is no peer tourch; there are torch, jax, tensorflow, mlx", done.stderr)


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
