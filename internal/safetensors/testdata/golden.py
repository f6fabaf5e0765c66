# Writes golden.safetensors with the Python package safetensors (0.8.0), and
# prints the half precision values of half_test.go;
# then checks that ours.safetensors reads as it should:
#   python golden.py
import numpy as np
from safetensors import safe_open
from safetensors.numpy import save_file

save_file(
    {
        "f32": np.array([[0, 1.5, -2], [np.pi, 1e-30, np.inf]], np.float32),
        "f16": np.array([0, -0.0, 1, 65504, 6e-8, 0.333251953125, -np.inf], np.float16),
        "i8": np.array([[-128], [127]], np.int8),
        "i64": np.array(-5, np.int64),
        "empty": np.zeros((0, 3), np.float32),
        "wörter": np.array([7], np.float32),
    },
    "golden.safetensors",
    metadata={"format": "np", "quote": 'a "b" <c> & ünï\n'},
)
for x in [1 + 2**-11, 1 + 3 * 2**-11, 65519.996, 65520, 2**-25, 2**-25 * 1.0001, 3 * 2**-25, 2**-14 - 2**-25,
          2**-14 - 2**-26, 0.1, -1 / 3, 1e-8, 1e9, 2047.5, 2048.5, 2049, 2051, np.nan]:
    h = np.float32(x).astype(np.float16)
    print(f"{{{float(np.float32(x))!r}, {h.view(np.uint16):#06x}}},")

# What the Go package writes (ours.safetensors, checked by TestWrite) reads back.

with safe_open("ours.safetensors", "np") as f:
    assert f.metadata() == {"z": '"ü"\n', "a": "<&>", "": ""}, f.metadata()
    assert set(f.keys()) == {"h", "b", "a<b>", "none"}, f.keys()
    assert f.get_tensor("a<b>") == np.float32(np.pi) and f.get_tensor("a<b>").shape == ()
    assert f.get_tensor("none").shape == (0,)
    assert (f.get_tensor("b") == np.array([[1, 2], [3, np.finfo(np.float32).min]])).all()
    assert (f.get_tensor("h") == np.array([1, -0.1, np.inf], np.float16)).all()
print("ours.safetensors reads back")
