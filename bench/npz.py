"""NumPy's .npz written a piece at a time with the standard library, so that the writer stays small in memory."""
import zipfile


def header(kind, shape):
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': ({', '.join(map(str, shape))},), }}"
    text += " " * (63 - (10 + len(text)) % 64) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


def write(path, **arrays):
    """arrays: name = (kind, shape, pieces): "<f4" or the like, and an iterable of bytes."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, (kind, shape, pieces) in arrays.items():
            with archive.open(name + ".npy", "w", force_zip64=True) as file:
                file.write(header(kind, shape))
                for piece in pieces:
                    file.write(piece)
