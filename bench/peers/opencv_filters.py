"""OpenCV's side of the filter benchmark: one JSON command a line on stdin, one JSON answer a line on stdout.

load: {"do": "load", "id": N, "path": FILE, "type": "uint8"|"uint16"|"float32", "shape": [H, W, C]}
time: {"do": "time", "id": N, "operation": NAME, ..., "threads": T, "repeat": R} -> {"milliseconds": [...]}
run:  {"do": "run", "id": N, "operation": NAME, ..., "output": FILE}
Operations: GaussianBlur (size, sigma), sepFilter2D (column, row), filter2D (kernel), Sobel, copy.
Needs numpy and opencv-python.
"""
import json
import sys
import time

import cv2
import numpy as np

images = {}


def prepare(command):
    """The call to be timed, writing to a target that is allocated here, once."""
    source, target = images[command["id"]]
    name = command["operation"]
    if name == "GaussianBlur":
        size = (command["size"], command["size"])
        return lambda: cv2.GaussianBlur(source, size, command["sigma"], dst=target)
    if name == "sepFilter2D":
        column, row = np.array(command["column"]), np.array(command["row"])
        return lambda: cv2.sepFilter2D(source, -1, row, column, dst=target)
    if name == "filter2D":
        kernel = np.array(command["kernel"])
        return lambda: cv2.filter2D(source, -1, kernel, dst=target)
    if name == "Sobel":
        return lambda: cv2.Sobel(source, -1, 1, 0, dst=target)
    if name == "copy":
        return lambda: np.copyto(target, source)
    raise ValueError(f"operation {name} is unknown")


def answer(command):
    if command["do"] == "load":
        image = np.fromfile(command["path"], dtype=command["type"]).reshape(command["shape"])
        images[command["id"]] = image, np.zeros_like(image)
        return {"version": cv2.__version__}
    if command["do"] == "unload":
        del images[command["id"]]
        return {}
    call = prepare(command)
    if command["do"] == "run":
        call()
        images[command["id"]][1].tofile(command["output"])
        return {}
    cv2.setNumThreads(command["threads"])
    call()
    times = []
    for _ in range(command["repeat"]):
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1e3)
    return {"milliseconds": times}


for line in sys.stdin:
    try:
        result = answer(json.loads(line))
    except Exception as error:  # whatever it is, the other side should print it
        result = {"error": str(error)}
    print(json.dumps(result), flush=True)
