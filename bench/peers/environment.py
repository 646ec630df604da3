"""Where the peers are installed: a virtual environment that is given and left as it is, or one of ours, made on demand."""
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGES = {"torch": "torch", "jax": "jax", "tensorflow": "tensorflow", "mlx": "mlx[cpu]"}


def quiet(*command):
    """None, or the last thing that a failing command said."""
    try:
        done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
    except OSError as e:
        return str(e)
    lines = [line for line in done.stdout.splitlines() if line.strip()]
    return None if done.returncode == 0 else (lines[-1].strip() if lines else f"exit status {done.returncode}")


def missing(python, peer):
    """None if this Python can import the peer."""
    return quiet(python, "-c", f"import importlib.util as u, sys; sys.exit(u.find_spec('{peer}') is None)")


def prepare(peers, given, own):
    """The Python to run the peers with, and why those that it lacks are missing.

    given: a virtual environment to use as it is, or None; own: the folder of ours.
    """
    python = Path(given or own) / "bin" / "python"
    if given:
        reason = f"not in {given}, which is used as it is" if python.exists() else f"{given} is no virtual environment"
        return python, {p: reason for p in peers if missing(python, p)}
    if not python.exists():
        print(f"bench: making a virtual environment in {own}", file=sys.stderr)
        failed = quiet(sys.executable, "-m", "venv", own)
        if failed:
            return python, dict.fromkeys(peers, f"no virtual environment (on Debian: python3-venv): {failed}")
    lacking = {}
    for peer in peers:
        if missing(python, peer):
            print(f"bench: installing {peer}", file=sys.stderr)
            failed = quiet(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--constraint",
                           HERE / "requirements.txt", "numpy", PACKAGES[peer])
            if failed:
                lacking[peer] = failed
    return python, lacking


def given_environment(option):
    return option or os.environ.get("WEFT_PEERS_VENV")
