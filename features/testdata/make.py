"""Makes the pictures and feature files that the tests read, and what Pillow
sees in them. Needs pillow, numpy, safetensors.

    python make.py
"""
import base64, io, json, os, struct, zlib
import numpy as np
from PIL import Image, ImageOps
from safetensors.numpy import save_file

os.chdir(os.path.dirname(os.path.abspath(__file__)))
W, H = 26, 18


def scene(w=W, h=H):
    """A smooth colourful picture with an edge."""
    y, x = np.mgrid[0:h, 0:w].astype(float)
    r = 128 + 100 * np.sin(x / w * 5)
    g = 128 + 100 * np.cos(y / h * 4)
    b = 255 * (x + y) / (w + h)
    a = np.stack([r, g, b], -1)
    a[h // 3: h // 3 * 2, w // 3: w // 3 * 2] = (230, 60, 20)
    return Image.fromarray(a.round().astype("u1"))


rgb = scene()
alpha = np.tile(np.linspace(0, 255, W).round().astype("u1"), (H, 1))
rgba = rgb.copy()
rgba.putalpha(Image.fromarray(alpha))


def png16(name, a):
    """Pillow writes no 16-bit colour: a PNG by hand. a: [H,W,channels] u2."""
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[a.shape[2]]
    raw = b"".join(b"\0" + row.astype(">u2").tobytes() for row in a)
    chunk = lambda t, d: struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d))
    with open(name, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", a.shape[1], a.shape[0], 16, kind, 0, 0, 0))
                + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b""))


def ycck(name):
    """A YCCK JPEG is a CMYK one whose Adobe marker says transform 2; the
    first three channels then hold YCbCr."""
    inv = np.asarray(rgb.convert("YCbCr")).astype(int)
    k = np.full((H, W, 1), 255)
    Image.fromarray(np.concatenate([255 - inv, 255 - k], -1).astype("u1"), "CMYK").save(name, quality=95, subsampling=0)
    d = bytearray(open(name, "rb").read())
    at = d.index(b"Adobe")
    d[at + 11] = 2
    open(name, "wb").write(d)


P = "pictures/"
for black in (0, 1):  # the same picture; PhotometricInterpretation says which bit is white
    rgb.convert("1").save(P + f"fax{black}.tif", compression="group4", tiffinfo={262: black})
rgb.save(P + "444.jpg", quality=92, subsampling=0)
rgb.save(P + "420.jpg", quality=92, subsampling=2)
rgb.save(P + "422.jpg", quality=92, subsampling=1)
rgb.save(P + "restart.jpg", quality=92, subsampling=2, restart_marker_blocks=1)
rgb.save(P + "progressive.jpg", quality=92, subsampling=2, progressive=True)
rgb.convert("L").save(P + "gray.jpg", quality=92)
rgb.convert("CMYK").save(P + "cmyk.jpg", quality=95, subsampling=0)
ycck(P + "ycck.jpg")
rgb.save(P + "rgb.png")
rgba.save(P + "rgba.png")
rgba.convert("LA").save(P + "la.png")
rgb.convert("1").save(P + "bilevel.png")
pal = rgb.quantize(15)
arr = np.asarray(pal).copy()
arr[:, :4] = 15
pal2 = Image.fromarray(arr, "P")
pal2.putpalette(pal.getpalette()[:45] + [0, 0, 0])
pal2.save(P + "palette_alpha.png", transparency=15)
pal2.save(P + "transparent.gif", transparency=15)
png16(P + "rgb16.png", np.asarray(rgb).astype("u2") * 257)
png16(P + "rgba16.png", np.asarray(rgba).astype("u2") * 257)
png16(P + "gray16.png", np.asarray(rgb.convert("L")).astype("u2")[..., None] * 257)
rgb.quantize(32).save(P + "palette.gif")
rgb.quantize(32).save(P + "animated.gif", save_all=True, append_images=[Image.new("P", (W, H))], duration=50)
rgb.save(P + "lossy.webp", quality=90)
rgb.convert("L").convert("RGB").save(P + "gray_lossy.webp", quality=95)
rgb.save(P + "lossless.webp", lossless=True)
rgba.save(P + "alpha.webp", lossless=True, exact=True)
rgba.save(P + "lossy_alpha.webp", quality=90)
rgb.save(P + "animated.webp", save_all=True, append_images=[Image.new("RGB", (W, H))], duration=50, lossless=True)
rgb.save(P + "rgb.bmp")
rgb.quantize(32).save(P + "palette.bmp")
rgb.save(P + "raw.tif")
rgb.save(P + "lzw.tif", compression="tiff_lzw")
rgb.save(P + "deflate.tif", compression="tiff_adobe_deflate")
rgb.convert("L").save(P + "gray.tif")
exif = Image.Exif()
exif[0x0112] = 6
rgb.save(P + "turned.png", exif=exif)
rgb.save(P + "turned.webp", exif=exif, lossless=True)
rgb.save(P + "turned.tif", exif=exif)
rgb.save(P + "turned.jpg", exif=exif, quality=92, subsampling=2)


def over_white(name, img):
    if name.startswith("turned"):
        return ImageOps.exif_transpose(img).convert("RGB")
    if name.startswith(("rgb16", "gray16")):  # Pillow reads 16-bit grey without scaling it
        return rgb.convert("L").convert("RGB") if name[0] == "g" else rgb
    if name == "rgba16.png":
        img = rgba
    img.seek(0) if hasattr(img, "seek") else None
    img = img.convert("RGBA") if img.mode in ("LA", "PA", "RGBA") or "transparency" in img.info else img.convert("RGB")
    if img.mode == "RGBA":
        white = Image.new("RGBA", img.size, "white")
        white.alpha_composite(img)
        img = white.convert("RGB")
    return img


def pixels(img):
    return base64.b64encode(np.asarray(img).tobytes()).decode()


golden = {n: pixels(over_white(n, Image.open(P + n))) for n in sorted(os.listdir(P)) if n != "scene.png"}

# Resizing: a larger picture with noise, which shows differences.
big = np.asarray(scene(49, 31)).astype(int) + np.random.default_rng(1).integers(-40, 40, (31, 49, 3))
big = Image.fromarray(np.clip(big, 0, 255).astype("u1"))
big.save(P + "scene.png")
resized = []
for w, h in [(12, 12), (24, 15), (49, 10), (5, 31), (48, 30), (60, 40), (4, 60), (75, 4)]:
    resized.append({"resize": "squash", "width": w, "height": h, "rgb": pixels(big.resize((w, h), Image.BILINEAR))})
for w, h in [(12, 12), (16, 16), (10, 20), (40, 40)]:
    # torchvision: Resize to cover (long side truncated), CenterCrop
    if 49 * h <= 31 * w:
        cw, ch = w, max(h, w * 31 // 49)
    else:
        cw, ch = max(w, h * 49 // 31), h
    x, y = round((cw - w) / 2), round((ch - h) / 2)
    img = big.resize((cw, ch), Image.BILINEAR).crop((x, y, x + w, y + h))
    resized.append({"resize": "crop", "width": w, "height": h, "rgb": pixels(img)})

with open("golden.json", "w") as f:
    json.dump({"pictures": golden, "resized": resized}, f, indent=0)

# Feature files as Python writes them.
F = "files/"
names = ["a.jpg", "sub/b c.jpg", "naïve-日本-😀.png"]
x = (np.arange(12, dtype="f4").reshape(3, 4) - 5) / 7
np.save(F + "f4.npy", x)
np.save(F + "f8.npy", x.astype("f8"))
np.save(F + "f2.npy", x.astype("f2"))
for n in ("f4", "f8", "f2"):
    open(F + n + ".npy.names.txt", "w").write("".join(n + "\n" for n in names))
m = np.arange(3 * 2 * 2 * 4, dtype="f4").reshape(3, 2, 2, 4) / 3
np.savez(F + "map.npz", features=m, names=np.array(names))
np.savez_compressed(F + "packed.npz", features=x, names=np.array(names))
np.savez(F + "bytes.npz", features=x, names=np.array([n.encode() for n in names]))
save_file({"features": x}, F + "x.safetensors", metadata={"names": json.dumps(names), "cnn": "test"})
with open(F + "x.jsonl", "w") as f:
    for n, r in zip(names, x):
        f.write(json.dumps({"path": n, "features": [float(v) for v in r]}) + "\n")
