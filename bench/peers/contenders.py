"""Every way to run a work that a contender has: its modes, each with the settings that serve it best."""
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
SHORT = ("W2", "W11-mlp256")  # as in small works, the way from Python into a tf.function counts
UPDATES_NOTHING = ("W8", "W9", "W10", "W11", "W13", "W14")  # so there is no optimizer to be fused
CONVOLUTIONS = ("W4", "W11-cnn1", "W12")
NO_PROGRAM = {"tensorflow": ("W7b",), "mlx": ("W7b",)}
SLOW_INDUCTOR = ("W6", "W7")  # its best there was far behind fused on record
LARGE_GPT = ("W6", "W7", "W7b")  # where the update was best left to the fused optimizer, and a whole step compiles for minutes
ONEDNN = "--xla_cpu_use_onednn=true --xla_cpu_experimental_onednn_custom_call=true"
KEEP_MEMORY = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1", "MALLOC_MMAP_MAX_": "0",
               "MALLOC_TRIM_THRESHOLD_": "8000000000", "MALLOC_TOP_PAD_": "67108864"}  # as torch.compile and XLA like it
SCRIPTS = {"torch": "torch_bench.py", "jax": "jax_bench.py", "tensorflow": "tf_bench.py", "mlx": "mlx_bench.py"}


@dataclass
class Way:
    """One mode of a contender; `why_not`: it is not tried, for this reason."""
    peer: str
    mode: str = ""
    variant: str = ""
    command: list = field(default_factory=list)
    environment: dict = field(default_factory=dict)
    settings: str = ""
    why_not: str = ""

    @property
    def label(self):
        return ", ".join(filter(None, [self.mode, self.variant]))


def mkl_shim(folder):
    """A library that makes MKL take its AVX-512 path on any CPU; None without a C compiler."""
    source, library = Path(folder) / "mkl.c", Path(folder) / "mkl.so"
    source.write_text("int mkl_serv_intel_cpu_true(void) { return 1; }\n")
    try:
        made = subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=False)
    except OSError:
        return None
    return str(library) if made.returncode == 0 else None


def shim_folder():
    return tempfile.TemporaryDirectory(prefix="mkl_")


def no_inductor(work, asked):
    """Why torch.compile is not tried; empty if it is."""
    if not (shutil.which("g++") or shutil.which("clang++")):
        return "there is no C++ compiler"
    return "it compiles for long; --inductor tries it" if work in SLOW_INDUCTOR and not asked else ""


def modes(peer, work, small, inductor):
    """(mode, variant, arguments, environment, settings, why not) of each way of a peer. `small`: a work of one thread."""
    if peer == "torch":
        trains = not work.startswith(UPDATES_NOTHING)
        plain = ["eager"] + ["fused"] * trains
        for mode in plain:
            yield mode, "", [], {}, "", ""
        if work in CONVOLUTIONS:
            chaotic = "its fifth loss is off by more than it may, for W12 is chaotic" if work == "W12" else ""
            yield plain[-1], "channels_last", ["--with", "channels_last"], {}, "", chaotic
        why_not = no_inductor(work, inductor)
        if why_not or work.startswith("W11"):
            yield "compile", "" if why_not else "freezing", ["--with", "freezing"], {}, "", why_not
            return
        for update in ["fused"] if work in LARGE_GPT else ["whole", "fused", "compiled"] if trains else ["whole"]:
            yield "compile", f"update {update}" if trains else "", ["--update", update], {}, "", ""
        if work == "W1":
            yield "compile", "update whole, cpp_wrapper", ["--update", "whole", "--with", "cpp_wrapper"], {}, "", ""
    elif peer == "jax":
        sync = (["--sync"], {}, "synchronous dispatch", "") if small else ([], {}, "", "")
        if work == "W7b":  # without it bf16 takes four times as long
            yield "compile", "", [], {"XLA_FLAGS": ONEDNN}, "products by oneDNN", ""
        else:
            yield "compile", "", *sync
        if work in ("W2", "W3"):
            yield "compile", "512 bits", [], {"XLA_FLAGS": "--xla_cpu_prefer_vector_width=512"}, "vectors of 512 bits", ""
        if work == "W1" or work.startswith("W10"):
            yield "eager", "", *sync
        if work in ("W1", "W2"):
            yield "scan", "", [], {}, "", ""
    elif peer == "tensorflow":
        yield "eager", "", [], {}, "", ""
        for mode in ("function", "compile"):
            if small or work in SHORT:
                yield mode, "", ["--concrete"], {}, "concrete functions", ""
            else:
                yield mode, "", [], {}, "", ""
    elif peer == "mlx":
        for mode in ("eager", "compile"):
            yield mode, "", [], {}, "", ""


def contenders(work, small, peers, weft, python, inductor=False, shim=None):
    """All ways of Weft and of these peers to run a work, which is `small` if it is of one thread."""
    for mode in ["eager"] if work.startswith("W10") else ["eager", "compile"]:  # W10 is the time of an eager op
        yield Way("weft", mode, command=[weft, "--json", "--mode", mode])
    for peer in peers:
        if work in NO_PROGRAM.get(peer, ()):
            yield Way(peer, why_not=f"{SCRIPTS[peer]} has no program for it")
            continue
        ours = {} if small else dict(KEEP_MEMORY)
        kept = [] if small else ["malloc that keeps its memory, on huge pages"]
        if peer == "torch" and shim:
            ours["LD_PRELOAD"] = shim
            kept.insert(0, "MKL on its AVX-512 path")
        for mode, variant, arguments, environment, settings, why_not in modes(peer, work, small, inductor):
            command = [python, HERE / SCRIPTS[peer], "--mode", mode, *arguments]
            yield Way(peer, mode, variant, command, ours | environment, ", ".join(kept + [settings] * bool(settings)), why_not)
