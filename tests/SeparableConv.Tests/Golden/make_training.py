"""Makes training.safetensors: losses, gradients, ten steps of each optimizer and learning rates, from PyTorch.

Run it in this folder with numpy and PyTorch 1.13 or later installed: python3 make_training.py

Weights and pictures are exact in single precision; everything is computed from them in double precision, so that a difference is
the reader's own rounding. Tensors have PyTorch's layouts: images (N, C, H, W), kernels (out, in, kH, kW), matrices (out, in).
"""
import json
import struct

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

torch.manual_seed(2026)
torch.set_default_dtype(torch.float64)
rng = np.random.default_rng(2026)
tensors = {}

BATCH, CLASSES, SMOOTHING = 6, 5, 0.1
STEPS, STEPS_PER_EPOCH = 40, 5
NAMES = {
    "Conv2d": {"weight": "kernel", "bias": "bias"},
    "Linear": {"weight": "kernel", "bias": "bias"},
    "PReLU": {"weight": "alpha"},
    "BatchNorm2d": {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"},
}


def keep(name, values, kind=np.float32):
    tensors[name] = np.ascontiguousarray(values.detach().numpy() if torch.is_tensor(values) else values).astype(kind)


def save(path):
    kinds = {"float32": "F32", "float64": "F64", "int32": "I32"}
    header, parts, at = {}, [], 0
    for name in sorted(tensors, key=lambda name: (-tensors[name].itemsize, name)):
        data = tensors[name].tobytes()
        header[name] = {"dtype": kinds[str(tensors[name].dtype)], "shape": list(tensors[name].shape), "data_offsets": [at, at + len(data)]}
        parts.append(data)
        at += len(data)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))
    print(len(tensors), "tensors,", 8 + len(text) + at, "bytes")


class Net(nn.Module):
    """Layers by the names that they have in the tests' networks."""

    def __init__(self):
        super().__init__()
        self.layers = {}

    def layer(self, name, module):
        self.layers[name] = module
        self.add_module("layer_" + name, module)
        return module

    def conv(self, name, inputs, outputs, size, stride=1, bias=False, groups=1):
        return self.layer(name, nn.Conv2d(inputs, outputs, size, stride, size // 2, groups=groups, bias=bias))

    def norm(self, name, channels):
        return self.layer(name, nn.BatchNorm2d(channels))

    def stored(self):
        for name, module in self.layers.items():
            for own, ours in NAMES[type(module).__name__].items():
                value = getattr(module, own)
                if value is not None:
                    yield f"{name}/{ours}", value

    def randomize(self):
        for name, value in self.stored():
            kind = name.rsplit("/", 1)[1]
            noise = rng.normal(size=tuple(value.shape))
            if kind == "kernel":
                numbers = noise * np.sqrt(2 / np.prod(value.shape[1:]))
            elif kind in ("gamma", "moving_variance"):
                numbers = np.exp(0.3 * noise)
            else:
                numbers = 0.25 + 0.1 * noise if kind == "alpha" else 0.2 * noise
            value.data.copy_(torch.tensor(numbers.astype(np.float32).astype(np.float64)))
        return self


class MobileNetV1(Net):
    BLOCKS = [(8, 16, 3, 1), (16, 24, 5, 2), (24, 32, 3, 1)]

    def __init__(self):
        super().__init__()
        self.conv("conv", 3, 8, 3, 2)
        self.norm("conv_bn", 8)
        for i, (inputs, outputs, size, stride) in enumerate(self.BLOCKS):
            self.conv(f"dw{i}", inputs, inputs, size, stride, groups=inputs)
            self.norm(f"dw{i}_bn", inputs)
            self.conv(f"pw{i}", inputs, outputs, 1)
            self.norm(f"pw{i}_bn", outputs)
        self.layer("dense", nn.Linear(32, CLASSES))

    def forward(self, x):
        at = self.layers
        x = F.relu6(at["conv_bn"](at["conv"](x)))
        for i in range(len(self.BLOCKS)):
            x = F.relu6(at[f"dw{i}_bn"](at[f"dw{i}"](x)))
            x = F.relu(at[f"pw{i}_bn"](at[f"pw{i}"](x)))
        return at["dense"](x.mean((2, 3)))


class MobileNetV2(Net):
    BLOCKS = [(8, 8, 1), (8, 12, 2)]

    def __init__(self):
        super().__init__()
        self.conv("conv", 3, 8, 3, 2)
        self.norm("conv_bn", 8)
        for i, (inputs, outputs, stride) in enumerate(self.BLOCKS):
            self.conv(f"expand{i}", inputs, 3 * inputs, 1)
            self.norm(f"expand{i}_bn", 3 * inputs)
            self.conv(f"dw{i}", 3 * inputs, 3 * inputs, 3, stride, groups=3 * inputs)
            self.norm(f"dw{i}_bn", 3 * inputs)
            self.conv(f"project{i}", 3 * inputs, outputs, 1)
            self.norm(f"project{i}_bn", outputs)
        self.conv("head", 12, 20, 1)
        self.norm("head_bn", 20)
        self.layer("dense", nn.Linear(20, CLASSES))

    def forward(self, x):
        at = self.layers
        x = F.relu6(at["conv_bn"](at["conv"](x)))
        for i, (inputs, outputs, stride) in enumerate(self.BLOCKS):
            y = F.relu6(at[f"expand{i}_bn"](at[f"expand{i}"](x)))
            y = F.relu6(at[f"dw{i}_bn"](at[f"dw{i}"](y)))
            y = at[f"project{i}_bn"](at[f"project{i}"](y))
            x = x + y if inputs == outputs and stride == 1 else y
        x = F.relu6(at["head_bn"](at["head"](x)))
        return at["dense"](x.mean((2, 3)))


class Residual(Net):
    def __init__(self):
        super().__init__()
        self.conv("conv", 3, 8, 3, bias=True)
        self.layer("prelu", nn.PReLU(8))
        for name in ("first", "second"):
            self.conv(name, 8, 8, 3)
            self.norm(f"{name}_bn", 8)
        self.layer("dense", nn.Linear(8, CLASSES))

    def forward(self, x):
        at = self.layers
        x = F.max_pool2d(at["prelu"](at["conv"](x)), 2)
        y = F.relu(at["first_bn"](at["first"](x)))
        x = F.relu(x + at["second_bn"](at["second"](y)))
        return at["dense"](F.dropout(x.mean((2, 3)), 0))


def smooth(logits, labels):
    return F.cross_entropy(logits, labels, label_smoothing=SMOOTHING, reduction="none")


def network(name, net, loss):
    """A step's forward and backward pass, and the statistics behind it."""
    net.randomize().train()
    pixels = rng.normal(size=(BATCH, 3, 16, 16)).astype(np.float32)
    keep(f"{name}/input", pixels)
    for own, value in net.stored():
        keep(f"{name}/before/{own}", value)
    counts = {}
    for own, layer in net.layers.items():
        if isinstance(layer, nn.BatchNorm2d):
            layer.register_forward_hook(lambda layer, inputs, output, own=own: counts.update({own: output.numel() // output.shape[1]}))
    logits = net(torch.tensor(pixels.astype(np.float64)))
    losses = loss(logits)
    losses.mean().backward()
    keep(f"{name}/losses", losses)
    keep(f"{name}/logits", logits)
    for own, value in net.stored():
        if value.requires_grad:
            keep(f"{name}/gradient/{own}", value.grad)
        else:
            keep(f"{name}/after/{own}", value)
    for own, count in counts.items():
        keep(f"{name}/count/{own}", np.array([count]), np.int32)


def labels(name, count=BATCH):
    numbers = rng.integers(0, CLASSES, count)
    keep(name, numbers, np.int32)
    return torch.tensor(numbers)


def networks():
    first = labels("v1/labels")
    network("v1", MobileNetV1(), lambda logits: smooth(logits, first))

    # Pictures that are mixed of two classes.
    first, second = labels("v2/labels"), labels("v2/second_labels")
    shares = rng.uniform(size=BATCH).astype(np.float32)
    keep("v2/shares", shares)
    mix = torch.tensor(shares.astype(np.float64))
    network("v2", MobileNetV2(), lambda logits: mix * smooth(logits, first) + (1 - mix) * smooth(logits, second))

    # Classes that count differently. The sum is divided by the number of pictures, not by that of their weights.
    first = labels("residual/labels")
    weights = torch.tensor([0.5, 2.0, 1.0, 1.5, 0.25])
    keep("residual/class_weights", weights)
    network("residual", Residual(), lambda logits: F.cross_entropy(logits, first, weight=weights, reduction="none"))


class Mlp(Net):
    def __init__(self):
        super().__init__()
        self.layer("hidden", nn.Linear(6, 9))
        self.layer("prelu", nn.PReLU(9))
        self.layer("dense", nn.Linear(9, CLASSES))

    def forward(self, x):
        at = self.layers
        return at["dense"](at["prelu"](at["hidden"](x)))


OPTIMIZERS = {
    "sgd": (torch.optim.SGD, dict(lr=0.5), 0),
    "sgd_momentum": (torch.optim.SGD, dict(lr=0.1, momentum=0.9), 0),
    "sgd_momentum_clip": (torch.optim.SGD, dict(lr=0.1, momentum=0.9, weight_decay=0.01), 1.2),
    "sgd_nesterov_decay": (torch.optim.SGD, dict(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.05), 0),
    "adam": (torch.optim.Adam, dict(lr=0.02), 0),
    "adam_decay": (torch.optim.Adam, dict(lr=0.02, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.05), 0),
    "adam_clip": (torch.optim.Adam, dict(lr=0.02), 0.4),
    "adamw": (torch.optim.AdamW, dict(lr=0.02, weight_decay=0.1), 0),
    "rmsprop": (torch.optim.RMSprop, dict(lr=0.02), 0),
    "rmsprop_momentum": (torch.optim.RMSprop, dict(lr=0.01, alpha=0.9, momentum=0.8, weight_decay=0.01), 0),
}


def optimizers():
    """Ten steps, each on a batch of its own, with another rate in each; weight decay on matrices alone."""
    net = Mlp().randomize()
    before = {own: value.detach().clone() for own, value in net.stored()}
    pixels = rng.normal(size=(10, 8, 6)).astype(np.float32)
    keep("optimizer/input", pixels)
    classes = labels("optimizer/labels", (10, 8))
    for own, value in before.items():
        keep(f"optimizer/before/{own}", value)
    for name, (make, options, clip) in OPTIMIZERS.items():
        for own, value in net.stored():
            value.data.copy_(before[own])
        parameters = [value for _, value in net.stored()]
        plain = [value for value in parameters if value.dim() == 1]
        groups = [{"params": [value for value in parameters if value.dim() > 1]}, {"params": plain, "weight_decay": 0}]
        optimizer = make(groups, **options)
        norms = []
        for step in range(10):
            for group in optimizer.param_groups:
                group["lr"] = options["lr"] * (1 - 0.05 * step)
            optimizer.zero_grad()
            F.cross_entropy(net(torch.tensor(pixels[step].astype(np.float64))), classes[step]).backward()
            if clip:
                norms.append(float(nn.utils.clip_grad_norm_(parameters, clip)))
            optimizer.step()
            if step in (0, 9):
                for own, value in net.stored():
                    keep(f"optimizer/{name}/{step + 1}/{own}", value)
        if clip:
            keep(f"optimizer/{name}/norms", np.array(norms), np.float64)


def rates(name, make, every=1, steps=STEPS):
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1)
    schedule = make(optimizer)
    factors = []
    for step in range(steps):
        factors.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if (step + 1) % every == 0 and step + 1 < steps:
            schedule.step()
    keep(f"schedule/{name}", np.array(factors), np.float64)


def cosine(optimizer, rise, last):
    lr = torch.optim.lr_scheduler
    up = lr.LinearLR(optimizer, 1 / (rise + 1), 1, rise)
    return lr.SequentialLR(optimizer, [up, lr.CosineAnnealingLR(optimizer, STEPS - rise, last)], [rise])


def schedules():
    lr = torch.optim.lr_scheduler
    rates("step", lambda optimizer: lr.StepLR(optimizer, 3, 0.5), STEPS_PER_EPOCH)
    rates("cosine", lambda optimizer: lr.CosineAnnealingLR(optimizer, STEPS))
    rates("cosine_warm", lambda optimizer: cosine(optimizer, 10, 0.05))
    for name, steps, rise in (("one_cycle", STEPS, 0.3), ("one_cycle_rise", STEPS, 0.45), ("one_cycle_short", 7, 0.3)):
        rates(
            name,
            lambda optimizer: lr.OneCycleLR(optimizer, 1, total_steps=steps, pct_start=rise, cycle_momentum=False),
            steps=steps)


networks()
optimizers()
schedules()
save("training.safetensors")
