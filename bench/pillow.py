#!/usr/bin/env python3
"""The peer of extract: features of the photos of a folder by Pillow and ONNX Runtime.

    pillow.py MODEL OUT THREADS BATCH PHOTO...      OUT: .npy

Decoded with draft(), bilinear, (value - 127) / 128: what the default CNN wants.
"""
import io
import sys
import time

import numpy as np
from PIL import Image

import peers

SIZE = 260


def prepare(path, size, out):
    """A photo as the CNN takes it, [3,size,size]."""
    with Image.open(path) as photo:
        photo.draft("RGB", (size, size))
        pixels = np.asarray(photo.convert("RGB").resize((size, size), Image.BILINEAR))
    np.subtract(pixels.transpose(2, 0, 1), np.float32(127), out=out)
    out *= np.float32(1 / 128)


def time_decode(path):
    """Nanoseconds to decode a JPEG, in memory, at the scale for SIZE."""
    with open(path, "rb") as f:
        data = f.read()
    start = time.perf_counter_ns()
    photo = Image.open(io.BytesIO(data))
    photo.draft("RGB", (SIZE, SIZE))
    photo.load()
    return time.perf_counter_ns() - start


def time_prepare(path):
    """Nanoseconds from file to the CNN's input."""
    out = np.empty((3, SIZE, SIZE), np.float32)
    start = time.perf_counter_ns()
    prepare(path, SIZE, out)
    return time.perf_counter_ns() - start


def main(model, out, threads, batch, *photos):
    session = peers.session(model, int(threads))
    name = session.get_inputs()[0].name
    x = np.empty((int(batch), 3, SIZE, SIZE), np.float32)
    rows = []
    for i in range(0, len(photos), len(x)):
        some = photos[i:i + len(x)]
        for path, row in zip(some, x):
            prepare(path, SIZE, row)
        rows.append(session.run(None, {name: x[:len(some)]})[0])
    np.save(out, np.concatenate(rows))


if __name__ == "__main__":
    main(*sys.argv[1:])
