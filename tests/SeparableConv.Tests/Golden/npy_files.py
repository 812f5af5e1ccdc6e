#!/usr/bin/env python3
"""Makes npy_files.tsv: small .npy files as NumPy writes them.

usage: npy_files.py > npy_files.tsv

Each line: what is special, the type's name, shape, elements in C order, and the file in base64.
"""
import base64
import io

import numpy as np

six = np.arange(6).reshape(2, 3)
solid = np.arange(24).reshape(2, 3, 4)
arrays = [
    ("little endian float", "Float32", six.astype("<f4") / 4, None),
    ("big endian float", "Float32", (six / 4).astype(">f4"), None),
    ("double", "Float64", six.astype("<f8") / 3, None),
    ("big endian double", "Float64", (six / 3).astype(">f8"), None),
    ("Fortran order", "Float64", np.asfortranarray(six / 4), None),
    ("Fortran order, three axes, big endian", "Int16", np.asfortranarray(solid.astype(">i2")), None),
    ("Fortran order, one byte", "UInt8", np.asfortranarray(solid.astype("u1")), None),
    ("version 2", "UInt8", six.astype("u1"), (2, 0)),
    ("version 3", "Int8", (six - 3).astype("i1"), (3, 0)),
    ("unsigned short", "UInt16", (six * 10000).astype("<u2"), None),
    ("big endian unsigned short", "UInt16", (six * 10000).astype(">u2"), None),
    ("int", "Int32", (six - 3).astype("<i4") * 100000, None),
    ("big endian long", "Int64", ((six - 3) * 10**12).astype(">i8"), None),
    ("single number", "Float64", np.array(2.5), None),
    ("one axis", "Float32", np.arange(3, dtype="<f4"), None),
    ("no elements", "Float32", np.zeros((0, 3), "<f4"), None),
]
for name, kind, array, version in arrays:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version=version)
    shape = ",".join(str(extent) for extent in array.shape)
    values = ",".join(repr(value) for value in array.flatten(order="C").tolist())
    print(name, kind, shape, values, base64.b64encode(file.getvalue()).decode(), sep="\t")
