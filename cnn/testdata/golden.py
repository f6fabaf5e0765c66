"""Features of the shared CNNs by ONNX Runtime, for TestGolden.

python golden.py SHARED    writes NAME.npy beside itself, float32 of one picture
"""
import pathlib
import sys

import numpy as np
import onnx
import onnxruntime as ort

SHARED = {  # model: the value in front of the classifier, the picture's size
    "default-cnn/efficientnet-lite0": ("flatten", 224),
    "default-cnn/efficientnet-lite2": ("flatten", 260),
    "models/mobilenetv2": ("features", 224),
    "models/squeezenet1.1": ("features", 224),
}


def picture(n, size):
    """The pictures that the Go tests make, too: values from -1 to 1."""
    count = n * 3 * size * size
    i = np.arange(count, dtype=np.int64)
    return ((i * 7919 % 1009) / 504.5 - 1).astype(np.float32).reshape(n, 3, size, size)


def run(model, value, x):
    if value not in [o.name for o in model.graph.output]:
        model.graph.output.append(onnx.ValueInfoProto(name=value))
    s = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return s.run([value], {s.get_inputs()[0].name: x})[0]


if __name__ == "__main__":
    here = pathlib.Path(__file__).parent
    for name, (value, size) in SHARED.items():
        y = run(onnx.load(f"{sys.argv[1]}/{name}.onnx"), value, picture(1, size))
        np.save(here / (pathlib.Path(name).name + ".npy"), y.reshape(-1).astype(np.float32))
