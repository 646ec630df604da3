#!/usr/bin/env python3
"""Writes tests/goldens/pytorch.safetensors: what PyTorch gives where libraries differ in their definitions.

Ties, padding, epsilons, alignment, the order of gates, the momentum of running statistics; all else is tested against
definitions, not against a library. Small, f64, with gradients of the sum of squares.

    pip install torch==2.15.0
    tools/goldens.py tests/goldens/pytorch.safetensors
"""
import json
import struct
import sys

import torch
import torch.nn.functional as F

VERSION = "2.15"
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
    case("rms_norm", lambda x, w: F.rms_norm(x, (6, 3), w, 1e-1), x=x, w=draw(6, 3))


def reductions_and_ties():
    x = torch.tensor([[1.0, 3, 3, 2], [5, 5, 5, 5], [-0.0, 0.0, -1, 0.0]], dtype=torch.float64)
    case("amax", lambda x: torch.amax(x, 1), x=x)
    keep("argmax.x", x)
    keep("argmax.y", torch.argmax(x, 1))
    case("amin", lambda x: torch.amin(x, 1), x=x)
    case("max_of_axis", lambda x: torch.max(x, 1).values, x=x)
    for name, columns in (("even", 4), ("odd", 5)):  # of equal elements its gradients go to any
        values = draw(3, columns)
        case(f"median_{name}", lambda x: torch.quantile(x, 0.5, 1), x=values)
        case(f"quantile_{name}", lambda x: torch.quantile(x, 0.3, 1), x=values)
    unordered = torch.tensor([[2.0, torch.nan, -1, 2, -torch.inf], [0.0, -0.0, torch.nan, -torch.inf, 0.0]]).double()
    keep("order.x", unordered)
    keep("order.ascending", torch.argsort(unordered, stable=True))
    keep("order.quantile", torch.quantile(unordered, 0.5, 1))
    keep("order.argmax", torch.argmax(unordered, 1))
    keep("order.argmin", torch.argmin(unordered, 1))
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


def images():
    def resized(name, x, size, mode):
        for corners in (False, True) if mode != "nearest" else (None,):
            case(f"{name}_{mode}" + ("_corners" if corners else ""),
                 lambda x: F.interpolate(x, size, mode=mode, align_corners=corners), x=x)

    x = draw(1, 2, 5)
    for size in (1, 3, 7, 10):
        resized(f"resize_{size}", x, size, "nearest")
        resized(f"resize_{size}", x, size, "linear")
    x = draw(1, 2, 3, 4)
    for name, size in (("up", (5, 9)), ("down", (2, 3)), ("both", (7, 1))):
        resized(f"resize_{name}", x, size, "nearest")
        resized(f"resize_{name}", x, size, "bilinear")
    x = draw(1, 1, 2, 3, 2)
    for mode in ("nearest", "trilinear"):
        resized("resize", x, (3, 2, 5), mode)
    case("pixel_shuffle", lambda x: F.pixel_shuffle(x, 2), x=draw(1, 8, 1, 2))
    case("unfold", lambda x: F.unfold(x, (2, 3), dilation=(1, 2), padding=1, stride=(2, 1)), x=draw(1, 2, 3, 4))
    case("pad_reflect", lambda x: F.pad(x, (2, 1, 1, 2), mode="reflect"), x=draw(1, 1, 3, 4))
    case("pad_circular", lambda x: F.pad(x, (2, 1, 1, 3), mode="circular"), x=draw(1, 1, 3, 4))
    for axes, size in ((1, (8,)), (3, (2, 1, 3))):
        x = draw(1, 2, 5, 3, 2) if axes == 3 else draw(1, 2, 5)
        for kind in ("avg", "max"):
            case(f"adaptive_{kind}{axes}d", lambda x: getattr(F, f"adaptive_{kind}_pool{axes}d")(x, size), x=x)


def losses():
    labels = torch.tensor([[1, 2, 2], [3, 1, 3], [2, 1, 1]])
    lengths, steps = torch.tensor([3, 2, 0]), torch.tensor([6, 4, 5])
    keep("ctc.labels", labels)
    keep("ctc.lengths", lengths)
    keep("ctc.steps", steps)
    x = draw(6, 3, 4)
    for reduction in ("none", "sum", "mean"):
        case(f"ctc_{reduction}",
             lambda x: F.ctc_loss(F.log_softmax(x, -1), labels, steps, lengths, reduction=reduction), x=x)
    other = torch.where(labels == 3, 0, labels)
    case("ctc_blank", lambda x: F.ctc_loss(F.log_softmax(x, -1), other, steps, lengths, blank=3, reduction="none"), x=x)
    # Of three labels, two of them equal, in three steps: there is no way.
    few = torch.tensor([3, 4, 5])
    keep("ctc.few", few)
    for zero in (False, True):
        y = F.ctc_loss(F.log_softmax(x, -1), labels, few, lengths, reduction="none", zero_infinity=zero)
        keep(f"ctc_impossible{'_zeroed' if zero else ''}.y", y)
    case("ctc_zeroed", lambda x: F.ctc_loss(F.log_softmax(x, -1), labels, few, lengths, zero_infinity=True), x=x)

    classes, logits = torch.tensor([2, 0, 1, 2]), draw(4, 3)
    keep("cross_entropy.classes", classes)
    case("cross_entropy", lambda x: F.cross_entropy(x, classes, reduction="none"), x=logits)
    case("cross_entropy_probabilities", lambda x, p: F.cross_entropy(x, p, reduction="none"), x=logits,
         p=torch.softmax(draw(4, 3), 1))
    case("huber", lambda x, p: F.huber_loss(x, p, delta=0.7), x=logits, p=draw(4, 3))
    case("binary_cross_entropy", lambda x, p: F.binary_cross_entropy_with_logits(x, p), x=logits,
         p=torch.rand(4, 3).double())


def attention():
    q, k, v, mask = draw(2, 3, 4), draw(2, 5, 4), draw(2, 5, 2), draw(3, 5)
    sees = mask > -0.5
    sees[:, 0] = True
    keep("attention.sees", sees)
    attend = F.scaled_dot_product_attention
    case("attention_masked", lambda q, k, v: attend(q, k, v, attn_mask=sees), q=q, k=k, v=v)
    case("attention_biased", lambda q, k, v, m: attend(q, k, v, attn_mask=m, scale=0.3), q=q, k=k, v=v, m=mask)
    case("attention_causal", lambda q, k, v: attend(q, k, v, is_causal=True), q=q, k=k, v=v)


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
    for kind in ("tanh", "relu"):
        layer = torch.nn.RNN(3, 4, batch_first=True, nonlinearity=kind).double()
        name, state = f"rnn_{kind}", draw(1, 2, 4)
        keep(f"{name}.weight_ih", layer.weight_ih_l0.T)
        keep(f"{name}.weight_hh", layer.weight_hh_l0.T)
        keep(f"{name}.bias", layer.bias_ih_l0 + layer.bias_hh_l0)
        keep(f"{name}.h", state[0])
        case(name, lambda x: layer(x, state)[0], x=x)
        keep(f"{name}.last", layer(x, state)[1][0])


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
    images()
    losses()
    attention()
    write(sys.argv[1])
