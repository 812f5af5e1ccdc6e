"""Makes filters.json: small pictures filtered by SciPy and OpenCV.

Run it in this folder with numpy, scipy and opencv-python installed: python3 make_filters.py
"""
import json

import cv2
import numpy as np
from scipy import ndimage

SCIPY_MODES = {"reflect101": "mirror", "reflect": "reflect", "replicate": "nearest", "wrap": "wrap", "constant": "constant"}
CV_BORDERS = {"reflect101": cv2.BORDER_REFLECT_101, "reflect": cv2.BORDER_REFLECT, "replicate": cv2.BORDER_REPLICATE}

rng = np.random.default_rng(2026)
cases = []


def numbers(array):
    return [float(f"{v:.9g}") for v in np.asarray(array, np.float64).ravel()]


def picture(kind, height, width, channels):
    if kind == "uint8":
        return rng.integers(0, 256, (height, width, channels), dtype=np.uint8)
    if kind == "uint16":
        return rng.integers(0, 65536, (height, width, channels), dtype=np.uint16)
    return (rng.integers(-1000, 1000, (height, width, channels)) / 1000).astype(np.float32)


def add(maker, image, kernel, border, convolve, expected, **more):
    cases.append({
        "maker": maker, "type": str(image.dtype), "shape": list(image.shape), "input": numbers(image),
        "kernelShape": list(kernel.shape), "kernel": [float(v) for v in kernel.ravel()], "border": border,
        "convolve": convolve, "expected": numbers(expected), **more})


def scipy_cases():
    # Even sizes, kernels larger than the picture, a single row.
    for (height, width), (rows, columns) in [((6, 7), (3, 3)), ((5, 6), (4, 2)), ((3, 4), (7, 9)), ((1, 9), (3, 5)), ((4, 1), (2, 3)), ((7, 8), (1, 6))]:
        kernel = np.round(rng.normal(size=(rows, columns)), 3)
        image = picture("float32", height, width, 1)
        for border, mode in SCIPY_MODES.items():
            for convolve in (False, True):
                run = ndimage.convolve if convolve else ndimage.correlate
                result = run(image[:, :, 0].astype(np.float64), kernel, mode=mode, cval=0.25)
                add("scipy", image, kernel, border, convolve, result, constant=0.25)


def opencv_cases():
    gauss = cv2.getGaussianKernel(7, 1.4)
    for border, flag in CV_BORDERS.items():
        for channels in (1, 3):
            image = picture("float32", 9, 11, channels)
            exact = image.astype(np.float64)
            kernel = np.round(rng.normal(size=(5, 3)), 3)
            add("filter2D", image, kernel, border, False, cv2.filter2D(exact, cv2.CV_64F, kernel, borderType=flag))
            column, row = np.round(rng.normal(size=5), 2), np.round(rng.normal(size=7), 2)
            add("sepFilter2D", image, np.outer(column, row), border, False, cv2.sepFilter2D(exact, cv2.CV_64F, row, column, borderType=flag))
            add("GaussianBlur", image, gauss @ gauss.T, border, False, cv2.GaussianBlur(image, (7, 7), 1.4, borderType=flag))
            sobel = np.outer([1, 2, 1], [-1, 0, 1])
            add("Sobel", image, sobel, border, False, cv2.Sobel(exact, cv2.CV_64F, 1, 0, borderType=flag))
    for kind in ("uint8", "uint16"):
        image = picture(kind, 8, 10, 3)
        kernel = np.abs(rng.normal(size=(3, 5)))
        kernel = np.round(kernel / kernel.sum(), 6)
        exact = cv2.filter2D(image.astype(np.float64), cv2.CV_64F, kernel)
        add("filter2D", image, kernel, "reflect101", False, exact)


scipy_cases()
opencv_cases()
with open("filters.json", "w") as file:
    file.write("{\"cases\":[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]}\n")
print(len(cases), "cases")
