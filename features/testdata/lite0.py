"""Makes lite0.json: the features that ONNX Runtime and Pillow give for the
photos of ../shared/photos with EfficientNet-Lite0, as float16 in base64.
Needs pillow, numpy, onnx, onnxruntime.

    python lite0.py SHARED
"""
import base64, glob, json, os, sys
import numpy as np, onnx, onnxruntime
from PIL import Image

shared = sys.argv[1]
model = onnx.load(shared + "/default-cnn/efficientnet-lite0.onnx")
pooled = [n for n in model.graph.node if n.op_type == "Flatten"][-1].output[0]
model.graph.output.append(onnx.helper.make_empty_tensor_value_info(pooled))
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
out = {}
for f in sorted(glob.glob(shared + "/photos/*.*g")):
    img = Image.open(f).convert("RGB").resize((224, 224), Image.BILINEAR)
    x = (np.asarray(img).astype("f4") - 127) / 128
    row = session.run([pooled], {"image": x.transpose(2, 0, 1)[None]})[0][0]
    out[os.path.basename(f)] = base64.b64encode(row.astype("f2").tobytes()).decode()
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "lite0.json"), "w") as f:
    json.dump(out, f, indent=0)
