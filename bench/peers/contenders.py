"""How each contender runs a work at its best: modes and settings."""
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
WORKS = ["W1", "W2", "W3", "W4", "W5", "W6n", "W6", "W7", "W7b", "W8-20", "W8-24", "W8g", "W9-softmax", "W9-softmax-grad",
         "W9-layernorm", "W9-layernorm-grad", "W10-add", "W10-matmul", "W10-grad", "W11-mlp1", "W11-mlp256", "W11-cnn1",
         "W12", "W13", "W13-grad", "W14-jacobian", "W14-hvp"]
SMALL = ("W1", "W10-add", "W10-matmul", "W10-grad", "W11-mlp1", "W11-cnn1", "W14-jacobian", "W14-hvp")  # one thread
UPDATES_NOTHING = ("W8", "W9", "W10", "W11", "W13", "W14")  # so they have no mode of PyTorch's fused optimizer
ONLY_TORCH_AND_JAX = ("W7b",)  # tf_bench.py and mlx_bench.py have no program for it
ONEDNN = "--xla_cpu_use_onednn=true --xla_cpu_experimental_onednn_custom_call=true"
KEEP_MEMORY = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1", "MALLOC_MMAP_MAX_": "0",
               "MALLOC_TRIM_THRESHOLD_": "8000000000", "MALLOC_TOP_PAD_": "67108864"}  # as torch.compile and XLA like it


def mkl_shim(folder):
    """A library that makes MKL take its AVX-512 path on any CPU; None without a C compiler."""
    source, library = Path(folder) / "mkl.c", Path(folder) / "mkl.so"
    source.write_text("int mkl_serv_intel_cpu_true(void) { return 1; }\n")
    try:
        made = subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=False)
    except OSError:
        return None
    return str(library) if made.returncode == 0 else None


def contenders(work, peers, weft, python, inductor=False, shim=None):
    """(peer, settings for the table, program and arguments, environment) of each way to run a work."""
    eager_only = work.startswith("W10")  # the time of an eager op
    memory = {} if work in SMALL else KEEP_MEMORY
    tuned = [] if work in SMALL else ["malloc that keeps its memory, on huge pages"]
    yield "weft", "", [weft, "--json", "--mode", "eager" if eager_only else "eager,compile"], {}
    if "torch" in peers:
        note = ", ".join(["MKL on its AVX-512 path"] * bool(shim) + tuned)
        environment = ({"LD_PRELOAD": shim} if shim else {}) | memory
        program = [python, HERE / "torch_bench.py"]
        modes = "eager" if work.startswith(UPDATES_NOTHING) else "eager,fused"
        yield "torch", note, program + ["--mode", modes, "--note", note], environment
        if inductor and not eager_only:
            yield "torch", note, program + ["--mode", "compile", "--update", "whole", "--note", note], environment
    if "jax" in peers:
        program = [python, HERE / "jax_bench.py", "--note", ", ".join(tuned)]
        modes = "eager,compile" if eager_only else "compile"
        sync = ["--sync"] if work in SMALL else []
        flags = {"XLA_FLAGS": ONEDNN} if work == "W7b" else {}  # without it bf16 takes four times as long
        note = ", ".join(tuned + ["synchronous dispatch"] * bool(sync) + ["products by oneDNN"] * bool(flags))
        yield "jax", note, program + ["--mode", modes] + sync, flags | memory
        if work in ("W2", "W3"):
            yield ("jax", ", ".join(tuned + ["vectors of 512 bits"]), program + ["--mode", "compile"],
                   {"XLA_FLAGS": "--xla_cpu_prefer_vector_width=512"} | memory)
        if work in ("W1", "W2"):
            yield "jax", ", ".join(tuned), program + ["--mode", "scan"], memory
    if "tensorflow" in peers and work not in ONLY_TORCH_AND_JAX:
        modes = "eager" if eager_only else "compile"
        yield "tensorflow", ", ".join(tuned), [python, HERE / "tf_bench.py", "--mode", modes], memory
    if "mlx" in peers and work not in ONLY_TORCH_AND_JAX:
        modes = "eager" if eager_only else "eager,compile"
        yield "mlx", ", ".join(tuned), [python, HERE / "mlx_bench.py", "--mode", modes], memory


def shim_folder():
    return tempfile.TemporaryDirectory(prefix="mkl_")
