"""Makes kernels.json: kernels by OpenCV, SciPy and NumPy that the kernel library and the decomposition are compared with.

Run: python3 make_kernels.py   (needs numpy, scipy, opencv-python; made with NumPy 1.24, SciPy 1.10, OpenCV 4.6)
"""

import json
import math
import os

import cv2
import numpy as np
from scipy import ndimage

kernels = []  # what the library must reproduce: text to parse, tolerance relative to the largest number, values
svds = []  # matrices and their singular values, and errors of their truncations


def kernel(text, values, tolerance=1e-13):
    values = np.atleast_2d(np.asarray(values, dtype=np.float64))
    kernels.append({"kernel": text, "tolerance": tolerance, "values": values.tolist()})


for size, sigma in [(1, 1.0), (3, 0.8), (5, 0.3), (7, 1.5), (15, 2.6), (9, 12.0)]:
    g = cv2.getGaussianKernel(size, sigma, cv2.CV_64F)
    kernel(f"gauss:{size}:{sigma}", g @ g.T)
for size in (3, 5, 9, 15):
    # OpenCV has a table for sizes up to 7 where sigma is left out, so its rule is written out here.
    g = cv2.getGaussianKernel(size, 0.3 * ((size - 1) * 0.5 - 1) + 0.8, cv2.CV_64F)
    kernel(f"gauss:{size}", g @ g.T)
for sigma in (0.5, 2, 2.6):
    # GaussianBlur with size (0, 0) on 8-bit pixels: an impulse shows the size that OpenCV chose.
    blurred = cv2.GaussianBlur(np.pad([[np.uint8(255)]], 40).astype(np.float64), (round(6 * sigma + 1) | 1,) * 2, sigma)
    half = (round(6 * sigma + 1) | 1) // 2
    kernel(f"gauss:{sigma}", blurred[40 - half : 41 + half, 40 - half : 41 + half] / 255)
    smooth = cv2.GaussianBlur(np.pad([[np.uint8(255)]], 40), (0, 0), sigma)
    assert not smooth[: 40 - half].any() and not smooth[41 + half :].any()

for size in (1, 3, 5, 7, 13):
    for dx, dy in [(1, 0), (0, 1), (1, 1), (2, 0), (0, 2), (2, 1)]:
        kx, ky = cv2.getDerivKernels(dx, dy, size, normalize=False, ktype=cv2.CV_64F)
        kernel(f"sobel-x:{size}:{dx}:{dy}", ky @ kx.T, 0)
kx, ky = cv2.getDerivKernels(3, 2, 31, normalize=False, ktype=cv2.CV_64F)
kernel("sobel-x:31:3:2", ky @ kx.T, 1e-15)
for name, dx, dy in [("x", 1, 0), ("y", 0, 1)]:
    kx, ky = cv2.getDerivKernels(dx, dy, -1, normalize=False, ktype=cv2.CV_64F)
    kernel(f"scharr-{name}", ky @ kx.T, 0)
    impulse = np.zeros((3, 3))
    impulse[1, 1] = 1
    kernel(f"prewitt-{name}", np.flip(ndimage.prewitt(impulse, axis=1 if name == "x" else 0, mode="constant")), 0)
for size in (1, 3, 5, 7):
    impulse = np.zeros((15, 15))
    impulse[7, 7] = 1
    half = max(1, size // 2)
    response = cv2.Laplacian(impulse, cv2.CV_64F, ksize=size)
    kernel(f"laplacian:{size}", np.flip(response[7 - half : 8 + half, 7 - half : 8 + half]), 1e-15)

for size, sigma in [(17, 1.4), (25, 2.0)]:
    # SciPy does not shift the sum to 0; at four standard deviations the difference is small.
    impulse = np.zeros((size, size))
    impulse[size // 2, size // 2] = 1
    kernel(f"log:{size}:{sigma}", ndimage.gaussian_laplace(impulse, sigma, mode="constant", truncate=(size // 2) / sigma), 0.005)
for height, width in [(3, 3), (4, 2), (1, 9)]:
    kernel(f"box:{height}:{width}", np.full((height, width), 1 / (height * width)), 1e-16)
for length in (5, 8):
    # An even line ends half way into the pixels at its ends.
    line = np.ones(length) if length % 2 else np.array([0.5] + [1.0] * (length - 1) + [0.5])
    kernel(f"motion:{length}", line / line.sum())
    kernel(f"motion:{length}:90", (line / line.sum())[:, None])
for radius in (0.5, 1, 3.3, 5):
    # Areas by counting: every pixel cut into 400x400.
    half = math.ceil(radius - 0.5)
    fine = (np.arange((2 * half + 1) * 400) + 0.5) / 400 - half - 0.5
    inside = (fine[:, None] ** 2 + fine[None, :] ** 2 <= radius**2).astype(np.float64)
    areas = inside.reshape(2 * half + 1, 400, 2 * half + 1, 400).sum(axis=(1, 3))
    kernel(f"disk:{radius}", areas / areas.sum(), 2e-4)
for size, sigma, theta, lambd, gamma, psi in [(9, 2.0, 30.0, 5.0, 0.5, 0.0), (11, 3.0, 0.0, 6.0, 1.0, 90.0), (7, 2.5, 200.0, 4.0, 0.7, 45.0)]:
    values = cv2.getGaborKernel((size, size), sigma, math.radians(theta), lambd, gamma, math.radians(psi), cv2.CV_64F)
    kernel(f"gabor:{size}:{sigma}:{theta}:{lambd}:{gamma}:{psi}", values, 1e-12)

rng = np.random.default_rng(20)
shapes = [(3, 3), (2, 5), (5, 2), (7, 7), (4, 9), (9, 4), (1, 6), (6, 1)]
matrices = [rng.standard_normal(shape) for shape in shapes]
matrices += [rng.integers(-9, 10, shape).astype(np.float64) for shape in shapes[:4]]
matrices += [
    np.eye(5),
    np.array([[1.0, 2, 3], [0, 0, 0], [4, 5, 6]]),
    np.array([[1.0, 0, 3], [2, 0, 5], [1, 0, 9]]),
    np.array([[1.0, 1, 1], [1e-5, -1e-5, 3e-5], [1, 1, 1]]),
    np.array([[0.0, 1, 0], [0, -4, 5], [0, 1, 0]]),
    1e-9 * rng.standard_normal((4, 4)),
    1e9 * rng.standard_normal((4, 4)),
]
for matrix in matrices:
    u, s, vt = np.linalg.svd(matrix, full_matrices=False)
    errors = []
    for rank in range(len(s)):
        residual = matrix - (u[:, :rank] * s[:rank]) @ vt[:rank]
        errors.append({
            "maximum": float(np.abs(residual).max()),
            "frobenius": float(np.linalg.norm(residual)),
            "sum": float(np.abs(residual).sum()),
            "bound": float(sum(s[t] * np.abs(u[:, t]).sum() * np.abs(vt[t]).sum() for t in range(rank, len(s)))),
        })
    svds.append({
        "matrix": matrix.tolist(),
        "singularValues": s.tolist(),
        "rank": int(np.linalg.matrix_rank(matrix)),
        "errors": errors,
    })

path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "kernels.json")
with open(path, "w", encoding="utf-8", newline="\n") as file:
    file.write('{\n"kernels": [\n')
    file.write(",\n".join(json.dumps(k) for k in kernels))
    file.write('\n],\n"svds": [\n')
    file.write(",\n".join(json.dumps(s) for s in svds))
    file.write("\n]\n}\n")
