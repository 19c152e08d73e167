#!/usr/bin/env python3
"""Writes the HDF5 fixtures of tests/fixtures/containers/hdf5.

    hdf5_fixtures.py FOLDER           with h5py; each file holds one feature of the format
    hdf5_fixtures.py --keras FOLDER   keras3_*.h5, with Keras 3

The committed ones are from h5py 3.16 (HDF5 2.0.0); gzip_new_114.h5 is gzip_new.h5 by h5py 3.14 (HDF5
1.14.6), which writes layout 4 instead of 5. names.crc is what h5py reads in those that are not
refused:
    hdf5_oracle.py --list FOLDER FILE... > FOLDER/names.crc
"""
import sys

import h5py
import ml_dtypes
import numpy as np


def numbers(f):
    for t in "f4 f8 f2 i1 i2 i4 i8 u1 u2 u4 u8".split():
        f["data_" + t] = np.arange(-3, 3).astype(t).reshape(2, 3)
        f.attrs["attr_" + t] = np.arange(250, 254).astype(t)
    f["scalar"] = np.float32(1.5)
    f["count"] = np.int64(7)
    f["empty"] = np.zeros((0, 4), "f4")
    f["bool"] = np.array([True, False, True])
    f["bfloat16"] = np.arange(5).astype(ml_dtypes.bfloat16)
    f.attrs["flag"] = True
    f.attrs["nothing"] = np.array([], "f8")


def text(f):
    f.attrs["vlen"] = "vari\u00e4ble"
    f.attrs["ascii"] = b"plain"
    f.attrs["none"] = ""
    f.attrs["long"] = "x" * 9000
    f.attrs["list"] = ["a", "\u00fcb", "", "ccc"]
    f.attrs["fixed"] = np.array([b"dense_1", b"dense_22", b"d"])
    f.attrs["one_fixed"] = np.bytes_("exactly")
    f.attrs["utf8_bytes"] = np.array(["schl\u00fcssel".encode(), b"k"], dtype=h5py.string_dtype("ascii"))
    f.attrs["no_strings"] = np.array([], dtype="S5")
    f.attrs["not_utf8"] = np.bytes_(b"caf\xe9")


def split(f):
    names = [b"a_layer_with_quite_a_long_name_%05d" % i for i in range(70)]
    for i, part in enumerate(np.array_split(names, 3)):
        f.attrs["layer_names%d" % i] = part
    f.attrs["whole"] = names[:3]


def many_links(n):
    def write(f):
        for i in range(n):
            f["g%04d" % i] = np.int16(i)
    return write


def umlauts(n):
    def write(f):
        for i in range(n):
            g = f.create_group("schl\u00fcssel_%d" % i)
            g["w\u00e4rme"] = np.full(2, i, "f4")
    return write


def nested(f):
    g = f
    for i in range(20):
        g = g.create_group("level")
    g["x"] = np.arange(2, dtype="f4")


def many_attrs(f):
    for i in range(40):
        f.attrs["attribute_%d" % i] = i
    f.attrs["large"] = np.arange(600, dtype="f8")
    f["x"] = np.arange(3, dtype="f4")


def null(f):
    f.attrs["numbers"] = h5py.Empty("f4")
    f.attrs["text"] = h5py.Empty(h5py.string_dtype())


def big_endian(f):
    f["f4"] = np.arange(3, dtype=">f4")
    f["i8"] = np.arange(-1, 3, dtype=">i8")
    f.attrs["f8"] = np.arange(3, dtype=">f8")


def fill(f):
    f.create_dataset("absent", (3, 2), "f4", fillvalue=2.5)
    f.create_dataset("zeros", (5,), "i2")


def compact(f):
    space, plist = h5py.h5s.create_simple((3,)), h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_layout(h5py.h5d.COMPACT)
    d = h5py.h5d.create(f.id, b"x", h5py.h5t.NATIVE_FLOAT, space, plist)
    d.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([1, 2, 3], "f4"))


def chunked(**options):
    def write(f):
        a = (np.arange(40 * 30) % 17).astype("f4").reshape(40, 30)
        f.create_dataset("a", data=a, chunks=(16, 16), **options)
        f.create_dataset("one", data=a, chunks=(40, 30), **options)
        d = f.create_dataset("holes", (100, 3), "i2", chunks=(10, 3), fillvalue=-7, **options)
        d[35:37] = 5
    return write


def many_chunks(n):
    def write(f):
        f.create_dataset("x", data=np.arange(n, dtype="i4"), chunks=(1,))
    return write


def implicit(f):
    plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plist.set_chunk((2, 3))
    plist.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    space = h5py.h5s.create_simple((5, 7))
    d = h5py.h5d.create(f.id, b"x", h5py.h5t.NATIVE_FLOAT, space, plist)
    d.write(h5py.h5s.ALL, h5py.h5s.ALL, np.arange(35, dtype="f4").reshape(5, 7))


def refused_soft(f):
    f.create_group("a")
    f["b"] = h5py.SoftLink("/a")


def refused_external(f):
    f["b"] = h5py.ExternalLink("other.h5", "/a")


def refused_hard(f):
    f["a"] = np.arange(3, dtype="f4")
    f["b"] = f["a"]


def refused_cycle(f):
    f.create_group("a")["up"] = f["/"]


def refused_lzf(f):
    f.create_dataset("a", data=np.zeros(100, "f4"), compression="lzf")


def refused_scaleoffset(f):
    f.create_dataset("a", data=np.zeros(100, "i4"), scaleoffset=3)


def refused_compound(f):
    f["a"] = np.zeros(3, dtype=[("x", "f4"), ("y", "i4")])


def refused_strings(f):
    f["a"] = ["x", "y"]


def refused_reference(f):
    f.attrs["a"] = f.ref


def refused_named_type(f):
    f["t"] = np.dtype("f4")


def refused_opaque(f):
    f["a"] = np.zeros(3, ml_dtypes.float8_e4m3fn)


def refused_external_data(f):
    f.create_dataset("a", (4,), "f4", external=[("other.bin", 0, 16)])


def refused_virtual(f):
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", (4,))
    f.create_virtual_dataset("a", layout)


def refused_unlimited(f):
    f.create_dataset("a", data=np.arange(9, dtype="f4"), maxshape=(None,), chunks=(3,))


OLD, NEW = {}, {"libver": ("latest", "latest")}
V108 = {"libver": ("v108", "v108")}
FILES = [
    ("numbers", numbers, OLD), ("numbers_new", numbers, NEW),
    ("text", text, OLD), ("text_new", text, NEW), ("split", split, OLD),
    ("links_210", many_links(210), OLD), ("links_new", many_links(7), NEW),
    ("links_dense", many_links(60), V108),
    ("umlauts_3", umlauts(3), OLD), ("umlauts_12", umlauts(12), OLD), ("nested", nested, OLD),
    ("attrs_dense", many_attrs, NEW), ("attrs_v108", many_attrs, V108),
    ("order", many_links(20), {"track_order": True}),
    ("null", null, OLD), ("null_new", null, NEW), ("big_endian", big_endian, OLD),
    ("fill", fill, OLD), ("fill_new", fill, NEW),
    ("compact", compact, OLD), ("compact_new", compact, NEW),
    ("chunked", chunked(), OLD), ("chunked_new", chunked(), NEW),
    ("gzip", chunked(compression="gzip", shuffle=True, fletcher32=True), OLD),
    ("gzip_new", chunked(compression="gzip", shuffle=True), NEW),
    ("chunks_200", many_chunks(200), OLD), ("chunks_2100_new", many_chunks(2100), NEW),
    ("implicit_new", implicit, NEW),
    ("userblock", numbers, {"userblock_size": 1024}),
    ("paged", numbers, {"fs_strategy": "page"}),
    ("refused_soft", refused_soft, OLD), ("refused_soft_new", refused_soft, NEW),
    ("refused_external", refused_external, OLD), ("refused_hard", refused_hard, OLD),
    ("refused_hard_new", refused_hard, NEW), ("refused_cycle", refused_cycle, OLD),
    ("refused_lzf", refused_lzf, OLD), ("refused_scaleoffset", refused_scaleoffset, OLD),
    ("refused_compound", refused_compound, OLD), ("refused_strings", refused_strings, OLD),
    ("refused_reference", refused_reference, OLD),
    ("refused_named_type", refused_named_type, OLD), ("refused_opaque", refused_opaque, OLD),
    ("refused_external_data", refused_external_data, OLD),
    ("refused_virtual", refused_virtual, NEW), ("refused_unlimited", refused_unlimited, NEW),
]


def keras_models(folder):
    import keras

    layers = [keras.layers.Dense(1, name="schl\u00fcssel_%d" % i, use_bias=i < 2) for i in range(10)]
    keras.Sequential([keras.Input((2,))] + layers).save(folder + "/keras3_umlauts.h5")
    layers = [keras.layers.Dense(4, name="d", dtype="bfloat16"),
              keras.layers.Dense(1, name="e", dtype="bfloat16")]
    model = keras.Sequential([keras.Input((3,))] + layers)
    model.compile(loss="mean_squared_error")
    model.fit(np.ones((4, 3)), np.ones((4, 1)), verbose=0)
    model.save(folder + "/keras3_bfloat16.h5")


def main():
    if sys.argv[1] == "--keras":
        return keras_models(sys.argv[2])
    for name, write, options in FILES:
        with h5py.File("%s/%s.h5" % (sys.argv[1], name), "w", **options) as f:
            write(f)


if __name__ == "__main__":
    main()
