#!/usr/bin/env python3
"""Makes pngsuite.tsv: what libpng, through ctypes, decodes every good file of PngSuite to.

usage: pngsuite_hashes.py FOLDER > pngsuite.tsv

Each line: file, width, height, channels, bits, SHA-256 of the samples (row-major, channels interleaved, 16 bits in
little endian). libpng is asked for what PngCodec promises: palettes to RGB, tRNS to an alpha channel, gray of less
than 8 bits scaled to 8, and nothing else.
"""
import ctypes as c
import hashlib
import os
import sys

PNG_TRANSFORM_EXPAND = 0x0010
PNG_TRANSFORM_SWAP_ENDIAN = 0x0200

png = c.CDLL("libpng16.so.16")
libc = c.CDLL(None)
pointer = c.c_void_p


def function(library, name, result, *arguments):
    made = getattr(library, name)
    made.restype, made.argtypes = result, arguments
    return made


fopen = function(libc, "fopen", pointer, c.c_char_p, c.c_char_p)
fclose = function(libc, "fclose", c.c_int, pointer)
version = function(png, "png_get_libpng_ver", c.c_char_p, pointer)
create_read = function(png, "png_create_read_struct", pointer, c.c_char_p, pointer, pointer, pointer)
create_info = function(png, "png_create_info_struct", pointer, pointer)
init_io = function(png, "png_init_io", None, pointer, pointer)
read_png = function(png, "png_read_png", None, pointer, pointer, c.c_int, pointer)
get_rows = function(png, "png_get_rows", c.POINTER(pointer), pointer, pointer)
numbers = {
    name: function(png, "png_get_" + name, kind, pointer, pointer)
    for name, kind in [
        ("image_width", c.c_uint32),
        ("image_height", c.c_uint32),
        ("channels", c.c_uint8),
        ("bit_depth", c.c_uint8),
        ("rowbytes", c.c_size_t),
    ]
}


def decode(path):
    stream = fopen(path.encode(), b"rb")
    reader = create_read(version(None), None, None, None)
    info = create_info(reader)
    init_io(reader, stream)
    read_png(reader, info, PNG_TRANSFORM_EXPAND | PNG_TRANSFORM_SWAP_ENDIAN, None)
    width, height, channels, bits, row_bytes = (get(reader, info) for get in numbers.values())
    rows = get_rows(reader, info)
    samples = b"".join(c.string_at(rows[y], row_bytes) for y in range(height))
    fclose(stream)
    return width, height, channels, bits, hashlib.sha256(samples).hexdigest()


for file in sorted(os.listdir(sys.argv[1])):
    if file.endswith(".png") and not file.startswith("x"):
        print(file[:-4], *decode(os.path.join(sys.argv[1], file)), sep="\t")
