#!/usr/bin/env python3
"""Writes tests/goldens/pytorch.safetensors: what PyTorch gives where libraries differ in their definitions.

Ties, padding, epsilons, alignment, the order of gates, the momentum of running statistics; all else is tested against
definitions, not against a library. Small, f64, with gradients of the sum of squares.

    apt-get install python3-torch      # Debian 12
    tools/goldens.py tests/goldens/pytorch.safetensors
"""
import json
import struct
import sys

import torch
import torch.nn.functional as F

VERSION = "1.13"
TENSORS = {}


def keep(name, tensor):
    TENSORS[name] = tensor.detach().to(torch.float64).contiguous()


def draw(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def case(name, f, **inputs):
    """Inputs, result, and the gradient of the sum of the result's squares for each input."""
    leaves = {k: v.clone().requires_grad_() for k, v in inputs.items()}
    y = f(**leaves)
    (y * y).sum().backward()
    for k, v in leaves.items():
        keep(f"{name}.{k}", v)
        keep(f"{name}.d{k}", v.grad)
    keep(f"{name}.y", y)


def norms():
    x = draw(4, 6, 3) * 2 + 1
    for training in (True, False):
        norm = torch.nn.BatchNorm1d(6, eps=1e-3, momentum=0.2).double()
        with torch.no_grad():
            norm.weight.copy_(draw(6))
            norm.bias.copy_(draw(6))
            norm.running_mean.copy_(draw(6))
            norm.running_var.copy_(draw(6) ** 2 + 0.1)
        name = "batch_norm_training" if training else "batch_norm_evaluation"
        for k, v in (("weight", norm.weight), ("bias", norm.bias), ("mean", norm.running_mean), ("var", norm.running_var)):
            keep(f"{name}.{k}", v.clone())
        norm.train(training)
        case(name, lambda x: norm(x), x=x)
        keep(f"{name}.new_mean", norm.running_mean)
        keep(f"{name}.new_var", norm.running_var)
    case("layer_norm", lambda x, w, b: F.layer_norm(x, (6, 3), w, b, 1e-3), x=x, w=draw(6, 3), b=draw(6, 3))
    case("group_norm", lambda x, w, b: F.group_norm(x, 3, w, b, 1e-3), x=x, w=draw(6), b=draw(6))
    case("instance_norm", lambda x: F.instance_norm(x, eps=1e-3), x=x)


def reductions_and_ties():
    x = torch.tensor([[1.0, 3, 3, 2], [5, 5, 5, 5], [-0.0, 0.0, -1, 0.0]], dtype=torch.float64)
    case("amax", lambda x: torch.amax(x, 1), x=x)
    keep("argmax.x", x)
    keep("argmax.y", torch.argmax(x, 1))
    case("var_unbiased", lambda x: torch.var(x, 1), x=x)
    case("gelu", lambda x: F.gelu(x), x=draw(9))
    case("gelu_tanh", lambda x: F.gelu(x, approximate="tanh"), x=draw(9))
    keep("round.x", torch.tensor([0.5, 1.5, 2.5, -0.5, -1.5, -2.5], dtype=torch.float64))
    keep("round.y", torch.round(TENSORS["round.x"]))


def windows():
    ties = torch.tensor([[1.0, 2, 2, 0, 2], [2, 2, 1, 0, 0], [0, 0, 0, 3, 3], [1, 1, 3, 3, 3], [0, 2, 0, 2, 0]])
    ties = ties.double().reshape(1, 1, 5, 5)
    case("max_pool", lambda x: F.max_pool2d(x, 2), x=ties)
    case("max_pool_padded", lambda x: F.max_pool2d(x, 3, stride=2, padding=1), x=-ties - 1)
    case("max_pool_overlapping", lambda x: F.max_pool2d(x, 3, stride=1), x=ties)
    x = draw(2, 3, 7, 6)
    case("avg_pool_padded", lambda x: F.avg_pool2d(x, 3, stride=2, padding=1), x=x)
    case("avg_pool_excluded", lambda x: F.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False), x=x)
    case("adaptive_avg", lambda x: F.adaptive_avg_pool2d(x, (3, 4)), x=x)
    case("adaptive_max", lambda x: F.adaptive_max_pool2d(x, (3, 4)), x=x)
    x = draw(2, 4, 7, 6)
    case("conv_same", lambda x, w, b: F.conv2d(x, w, b, padding="same"), x=x, w=draw(3, 4, 3, 2), b=draw(3))
    case("conv_groups", lambda x, w: F.conv2d(x, w, stride=2, padding=(2, 1), dilation=(2, 1), groups=2), x=x,
         w=draw(6, 2, 3, 3))
    case("conv_transpose",
         lambda x, w, b: F.conv_transpose2d(x, w, b, stride=(3, 2), padding=1, output_padding=(1, 0), groups=2), x=x,
         w=draw(4, 3, 3, 3), b=draw(6))


def sequences():
    x = draw(2, 5, 3)
    for kind, gates in (("LSTM", 4), ("GRU", 3)):
        layer = getattr(torch.nn, kind)(3, 4, batch_first=True).double()
        name = kind.lower()
        # as weft has them: [in, gates]
        keep(f"{name}.weight_ih", layer.weight_ih_l0.T)
        keep(f"{name}.weight_hh", layer.weight_hh_l0.T)
        keep(f"{name}.bias_ih", layer.bias_ih_l0)
        keep(f"{name}.bias_hh", layer.bias_hh_l0)
        state = draw(1, 2, 4), draw(1, 2, 4)
        keep(f"{name}.h", state[0][0])
        keep(f"{name}.c", state[1][0])
        case(name, lambda x: layer(x, state if kind == "LSTM" else state[0])[0], x=x)
        last = layer(x, state if kind == "LSTM" else state[0])[1]
        keep(f"{name}.last", (last[0] if kind == "LSTM" else last)[0])


def write(path):
    header, data = {"__metadata__": {"torch": torch.__version__, "by": "tools/goldens.py"}}, b""
    for name, t in sorted(TENSORS.items()):
        raw = struct.pack(f"<{t.numel()}d", *t.flatten().tolist())
        header[name] = {"dtype": "F64", "shape": list(t.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + data)


if __name__ == "__main__":
    if not torch.__version__.startswith(VERSION):
        sys.exit(f"PyTorch {VERSION} is wanted, this is {torch.__version__}")
    torch.manual_seed(5)
    norms()
    reductions_and_ties()
    windows()
    sequences()
    write(sys.argv[1])
