#!/usr/bin/env python3
"""Prints what h5py reads in HDF5 files, in the text that tests/containers/hdf5_dump.h prints too.

    hdf5_oracle.py FILE...                  the text of each file
    hdf5_oracle.py --list ROOT PATH...      one line a file: CRC-32 of its text, lines, path under ROOT
                                            (a .keras file is read through its model.weights.h5)

A line is one group (G), dataset (D) or attribute (A); values are given by their CRC-32:
little-endian bytes of numbers, length (u32) and bytes of each string.
"""
import io
import os
import sys
import zipfile
import zlib

import h5py
import numpy as np


def shape_text(shape):
    return "null" if shape is None else "x".join(map(str, shape)) if shape else "-"


def text_crc(strings):
    crc = 0
    for s in strings:
        b = s if isinstance(s, bytes) else str(s).encode("utf-8", "surrogateescape")
        crc = zlib.crc32(len(b).to_bytes(4, "little") + b, crc)
    return crc


def number_text(dtype, shape, values):
    values = np.asarray(values)
    if dtype.kind == "V" and dtype.itemsize == 2:
        name = "bfloat16"
    else:
        name = dtype.newbyteorder("=").name
        values = values.astype(dtype.newbyteorder("<"))
    return "%s %s %08x" % (name, shape_text(shape), zlib.crc32(values.tobytes()))


def attribute_text(obj, name):
    aid = obj.attrs.get_id(name)
    shape = None if aid.get_space().get_simple_extent_type() == h5py.h5s.NULL else aid.shape
    if isinstance(aid.get_type(), h5py.h5t.TypeStringID):
        value = [] if shape is None else np.asarray(obj.attrs[name], dtype=object).reshape(-1)
        return "text %s %08x" % (shape_text(shape), text_crc(value))
    value = [] if shape is None else obj.attrs[name]
    return number_text(aid.dtype, shape, np.asarray(value, dtype=aid.dtype))


def dump(obj, path, out):
    if isinstance(obj, h5py.Group):
        out.append(b"G " + path)
    else:
        out.append(b"D " + path + b" " + number_text(obj.dtype, obj.shape, obj[()]).encode())
    names = sorted((n.encode("utf-8", "surrogateescape"), n) for n in obj.attrs)
    for raw, name in names:
        out.append(b"A " + path + b" " + raw + b" " + attribute_text(obj, name).encode())
    if isinstance(obj, h5py.Group):
        base = b"" if path == b"/" else path
        for raw, name in sorted((n.encode("utf-8", "surrogateescape"), n) for n in obj):
            dump(obj[name], base + b"/" + raw, out)


def file_text(path):
    source = path
    if path.endswith(".keras"):
        with zipfile.ZipFile(path) as z:
            source = io.BytesIO(z.read("model.weights.h5"))
    out = []
    with h5py.File(source, "r") as f:
        dump(f, b"/", out)
    return b"".join(line + b"\n" for line in out)


def main():
    args = sys.argv[1:]
    if args[:1] == ["--list"]:
        root = args[1]
        for path in args[2:]:
            text = file_text(path)
            print("%08x %5d %s" % (zlib.crc32(text), text.count(b"\n"),
                                   os.path.relpath(path, root)))
        return
    for path in args:
        sys.stdout.buffer.write(file_text(path))


if __name__ == "__main__":
    main()
