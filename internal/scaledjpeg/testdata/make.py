"""Makes the pictures of this folder. Needs pillow and numpy.

    python make.py
"""
import os
import numpy as np
from PIL import Image

os.chdir(os.path.dirname(os.path.abspath(__file__)))
W, H = 83, 61
y, x = np.mgrid[0:H, 0:W].astype(float)
a = np.stack([128 + 90 * np.sin(x / 9), 128 + 90 * np.cos(y / 7), 20 + 200 * (x + y) / (W + H)], -1)
a += np.random.default_rng(1).normal(0, 12, a.shape)
a[20:40, 30:50] = (210, 70, 40)
rgb = Image.fromarray(np.clip(a, 0, 255).astype("u1"))
for name, sub in (("444", 0), ("422", 1), ("420", 2)):
    rgb.save(name + ".jpg", quality=85, subsampling=sub)
rgb.save("optimised.jpg", quality=97, subsampling=2, optimize=True)
rgb.save("restart.jpg", quality=85, subsampling=2, restart_marker_blocks=2)
rgb.rotate(90, expand=True).save("tall.jpg", quality=60, subsampling=2)
rgb.convert("L").save("gray.jpg", quality=85)
rgb.save("progressive.jpg", quality=85, subsampling=2, progressive=True)
rgb.save("progressive_restart420.jpg", quality=85, subsampling=2, progressive=True, restart_marker_blocks=2)  # the same coefficients
rgb.save("progressive422.jpg", quality=95, subsampling=1, progressive=True)
rgb.save("progressive_restart.jpg", quality=75, subsampling=0, progressive=True, restart_marker_blocks=3)
rgb.convert("L").save("progressive_gray.jpg", quality=85, progressive=True)
rgb.crop((0, 0, 9, 7)).save("tiny.jpg", quality=85, subsampling=2)
