"""Makes resize.json: small pictures resized by PyTorch, in double precision.

Run it in this folder with numpy and torch (1.11 or newer) installed: python3 make_resize.py
"""
import json

import numpy as np
import torch
from torch.nn.functional import interpolate

# What each of PyTorch's modes is in the words of the operator: coordinates, rounding, antialias.
MODES = {
    "nearest": (dict(mode="nearest"), "Asymmetric", "Floor", "None"),
    "nearest-exact": (dict(mode="nearest-exact"), "TfHalfPixelForNearest", "Floor", "None"),
    "bilinear": (dict(mode="bilinear", align_corners=False), "HalfPixel", "Floor", "None"),
    "bilinear-corners": (dict(mode="bilinear", align_corners=True), "AlignCorners", "Floor", "None"),
    "bilinear-antialias": (dict(mode="bilinear", align_corners=False, antialias=True), "HalfPixel", "Floor", "ExcludeOutside"),
}
SIZES = [((5, 7), (10, 14)), ((8, 9), (4, 3)), ((11, 13), (5, 6)), ((1, 4), (3, 9)), ((6, 1), (2, 5)), ((17, 10), (3, 20)), ((4, 5), (1, 1)), ((3, 3), (3, 3))]

rng = np.random.default_rng(2026)


def numbers(array):
    return [float(f"{v:.9g}") for v in np.asarray(array, np.float64).ravel()]


def cases():
    for index, ((height, width), (out_height, out_width)) in enumerate(SIZES):
        channels = 1 + index % 4
        image = rng.integers(0, 256, (1, height, width, channels))
        planes = torch.from_numpy(image.astype(np.float64)).permute(0, 3, 1, 2).contiguous()
        for name, (arguments, coordinates, rounding, antialias) in MODES.items():
            resized = interpolate(planes, (out_height, out_width), **arguments).permute(0, 2, 3, 1)
            yield {
                "maker": name, "coordinates": coordinates, "rounding": rounding, "antialias": antialias,
                "shape": list(image.shape), "input": image.ravel().tolist(), "size": [out_height, out_width], "expected": numbers(resized)}


with open("resize.json", "w") as file:
    file.write('{"cases":[\n' + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases()) + "\n]}\n")
