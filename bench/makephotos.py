#!/usr/bin/env python3
"""Makes the photos for bench.py photos from a folder of real ones, the same each time.

    makephotos.py FROM TO        FROM: JPEGs of 500 pixels or so, 1,000 or more (Flickr8k's)

TO/big: 20 photos of 12 megapixels, mosaics of four photos enlarged, with the
texture of sixteen others at their own scale and a sensor's noise. Baseline 4:2:0
at qualities 85 to 92, every fifth 4:4:4, every tenth progressive: 2 to 3 MB.
TO/big500: the same 500 times, as links. TO/middle: 100 photos as they are.
TO/small: 1,000 photos of 224x224, quality 90.
"""
import os
import shutil
import sys

import numpy as np
from PIL import Image

W, H = 4000, 3000


def texture(paths):
    """What photos have beyond themselves blurred, side by side."""
    out = np.zeros((H, W, 3), np.float32)
    w, h = 500, 375
    for i in range(W // w * H // h):
        x, y = i % (W // w) * w, i // (W // w) * h
        im = Image.open(paths[i % len(paths)]).convert("RGB").resize((w, h), Image.BICUBIC)
        coarse = im.resize((w // 4, h // 4), Image.BOX).resize((w, h), Image.BICUBIC)
        out[y:y + h, x:x + w] = np.asarray(im, np.float32) - np.asarray(coarse, np.float32)
    return out


def big(paths, seed):
    rng = np.random.default_rng(seed)
    pick = [paths[i] for i in rng.choice(len(paths), 20, replace=False)]
    a = np.empty((H, W, 3), np.float32)
    for i, path in enumerate(pick[:4]):
        x, y = i % 2 * W // 2, i // 2 * H // 2
        a[y:y + H // 2, x:x + W // 2] = Image.open(path).convert("RGB").resize((W // 2, H // 2), Image.BICUBIC)
    a += 0.5 * texture(pick[4:]) + rng.normal(0, 2.5, (H, W, 1))
    return Image.fromarray(np.clip(a + 0.5, 0, 255).astype("u1"))


def main(source, to):
    paths = sorted(os.path.join(source, f) for f in os.listdir(source) if f.endswith(".jpg"))
    for folder in ("big", "big500", "middle", "small"):
        os.makedirs(os.path.join(to, folder), exist_ok=True)
    names = []
    for i in range(20):
        kind = "progressive" if i % 10 == 9 else "444" if i % 5 == 4 else "420"
        names.append(os.path.join(to, "big", f"{i:02}-{kind}.jpg"))
        big(paths, i).save(names[-1], quality=(85, 88, 90, 92)[i % 4],
                           subsampling="4:4:4" if kind == "444" else "4:2:0", progressive=kind == "progressive")
    for i in range(500):
        link = os.path.join(to, "big500", f"{i:03}.jpg")
        if not os.path.exists(link):
            os.link(names[i % len(names)], link)
    for path in paths[::len(paths) // 1000][:1000]:
        im = Image.open(path).convert("RGB").resize((224, 224), Image.BICUBIC)
        im.save(os.path.join(to, "small", os.path.basename(path)), quality=90)
    for path in paths[::len(paths) // 100][:100]:
        shutil.copy(path, os.path.join(to, "middle"))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
