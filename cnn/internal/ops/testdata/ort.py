"""Writes ort.zip: single nodes of many forms and operator sets, with what ONNX Runtime makes of them.

    python ort.py

The ONNX node tests (nodetests.py) show each operator in its newest form only.
These cases add the older ones, and the geometry of convolutions and poolings.
The format is that of nodetests.zip.
"""

import io
import itertools
import struct
import zipfile

import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

rng = np.random.default_rng(1)
cases, names, refused = io.BytesIO(), [], []


def rand(*shape):
    """Numbers of few digits, which compress well, and are exact in float32."""
    return (rng.integers(-512, 512, shape) / 256).astype(np.float32)


def ints(*v):
    return np.array(v, np.int64)


def floats(*v):
    return np.array(v, np.float32)


def case(op, opset, *inputs, outputs=1, **attrs):
    names_in = ["" if x is None else f"x{i}" for i, x in enumerate(inputs)]
    given = {n: np.asarray(x) for n, x in zip(names_in, inputs) if x is not None}
    outs = [f"y{i}" for i in range(outputs)]
    node = helper.make_node(op, names_in, outs, **attrs)
    vi = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(x.dtype), x.shape) for n, x in given.items()]
    graph = helper.make_graph([node], op, vi, [helper.make_empty_tensor_value_info(o) for o in outs])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    name = f"{op}-{opset}-{len(names)}"
    opts = ort.SessionOptions()
    opts.log_severity_level = 4
    opts.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        result = ort.InferenceSession(model.SerializeToString(), opts, providers=["CPUExecutionProvider"]).run(None, given)
    except Exception as e:  # ONNX Runtime lacks some forms
        refused.append(f"{name} {attrs}: {str(e)[:150]}")
        return
    for prefix, values in (("in/", given.items()), ("out/", zip(outs, result))):
        for n, x in values:
            model.graph.initializer.append(numpy_helper.from_array(np.asarray(x), prefix + n))
    model.producer_name = ""
    model.metadata_props.add(key="tolerance", value="5e-5")
    for b in (name.encode(), model.SerializeToString()):
        cases.write(struct.pack("<I", len(b)) + b)
    names.append(f"{name} {op}\n")


def convolutions():
    for opset in (7, 11, 22):
        case("Conv", opset, rand(1, 3, 7, 6), rand(4, 3, 3, 3), rand(4), pads=[1, 1, 1, 1])
    case("Conv", 11, rand(2, 2, 9), rand(4, 1, 3), rand(4), group=2, strides=[2], pads=[0, 2])
    case("Conv", 11, rand(1, 2, 4, 5, 6), rand(3, 2, 2, 3, 2), rand(3), strides=[1, 2, 1], pads=[1, 0, 1, 0, 1, 2])
    case("Conv", 11, rand(1, 4, 8, 8), rand(4, 1, 3, 3), rand(4), group=4, pads=[1, 1, 1, 1], strides=[2, 2])
    case("Conv", 11, rand(1, 4, 6, 6), rand(8, 1, 3, 3), group=4, kernel_shape=[3, 3])
    case("Conv", 11, rand(1, 2, 9, 9), rand(3, 2, 3, 2), dilations=[2, 3], pads=[2, 0, 1, 3])
    case("Conv", 11, rand(2, 3, 5, 5), rand(4, 3, 1, 1), rand(4))
    case("Conv", 11, rand(1, 3, 5, 5), rand(4, 3, 1, 1), rand(4), strides=[2, 2])
    case("Conv", 11, rand(1, 3, 4, 4), rand(2, 3, 4, 4), rand(2))
    for auto, stride, size in itertools.product(("SAME_UPPER", "SAME_LOWER", "VALID"), (1, 2, 3), (6, 7)):
        case("Conv", 11, rand(1, 2, size, size), rand(2, 2, 4, 3), rand(2), auto_pad=auto, strides=[stride, stride])
    for opset in (7, 11):
        case("ConvTranspose", opset, rand(1, 3, 4, 3), rand(3, 2, 3, 3), rand(2), strides=[2, 3], pads=[1, 0, 0, 1], output_padding=[1, 0])
    case("ConvTranspose", 11, rand(2, 4, 5), rand(4, 2, 3), group=2, dilations=[2], strides=[2])
    case("ConvTranspose", 11, rand(1, 2, 3, 2, 3), rand(2, 1, 2, 2, 2), rand(1), strides=[2, 1, 2])
    case("ConvTranspose", 11, rand(1, 2, 4, 4), rand(2, 1, 3, 3), strides=[2, 2], output_shape=[8, 8])
    case("ConvTranspose", 11, rand(1, 2, 4, 4), rand(2, 1, 3, 3), strides=[2, 2], output_shape=[8, 8], auto_pad="SAME_UPPER")
    for auto in ("SAME_UPPER", "SAME_LOWER", "VALID"):
        case("ConvTranspose", 11, rand(1, 2, 4, 3), rand(2, 1, 3, 4), strides=[2, 2], auto_pad=auto)


def pools():
    for op in ("MaxPool", "AveragePool"):
        case(op, 7, rand(1, 2, 7, 6), kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1])
        case(op, 10, rand(1, 2, 9), kernel_shape=[3], strides=[2], ceil_mode=1)
        case(op, 11, rand(1, 1, 4, 5, 4), kernel_shape=[2, 3, 2], strides=[2, 2, 1], ceil_mode=1, pads=[0, 1, 0, 1, 1, 1])
        for auto, stride, size in itertools.product(("SAME_UPPER", "SAME_LOWER", "VALID"), (1, 2, 3), (6, 7)):
            case(op, 11, rand(1, 1, size, size), kernel_shape=[3, 4], auto_pad=auto, strides=[stride, stride])
        for size, ceil, pad in itertools.product((6, 7, 8, 9), (0, 1), (0, 1)):
            case(op, 11, rand(1, 1, size, size), kernel_shape=[3, 3], strides=[3, 2], ceil_mode=ceil, pads=[pad] * 4)
    for size, ceil, pad in itertools.product((6, 7, 8, 9), (0, 1), (0, 1)):
        case("AveragePool", 22, rand(1, 1, size, size), kernel_shape=[3, 3], strides=[3, 2], ceil_mode=ceil, pads=[pad] * 4, count_include_pad=1)
    case("AveragePool", 19, rand(1, 2, 9, 9), kernel_shape=[3, 2], dilations=[2, 3], pads=[1, 1, 1, 1], count_include_pad=1)
    case("AveragePool", 19, rand(1, 2, 9, 9), kernel_shape=[3, 2], dilations=[2, 3], pads=[1, 1, 1, 1])
    case("MaxPool", 12, rand(1, 2, 9, 9), kernel_shape=[3, 2], dilations=[2, 3], pads=[1, 1, 1, 1], strides=[2, 1])
    case("MaxPool", 12, rng.integers(-9, 9, (1, 2, 5, 5)).astype(np.int8), kernel_shape=[2, 2])
    for p in (1, 2, 3):
        case("LpPool", 11, rand(1, 2, 7, 6), kernel_shape=[3, 2], strides=[2, 1], pads=[1, 0, 1, 1], p=p)
        case("GlobalLpPool", 2, rand(2, 2, 3, 4), p=p)
    for op in ("GlobalMaxPool", "GlobalAveragePool"):
        case(op, 7, rand(2, 3, 5))
        case(op, 7, rand(1, 2, 3, 4, 2))


def normalisations():
    stats = rand(3), rand(3), rand(3), np.abs(rand(3))
    for opset in (7, 9, 14, 15):
        case("BatchNormalization", opset, rand(2, 3, 4, 4), *stats, epsilon=1e-3)
    case("BatchNormalization", 9, rand(4, 3), *stats)
    case("BatchNormalization", 9, rand(2, 3, 5), *stats)
    case("InstanceNormalization", 7, rand(2, 3, 5), rand(3), rand(3))
    case("InstanceNormalization", 22, rand(2, 3, 2, 3, 2), rand(3), rand(3), epsilon=1e-2)
    for opset, n in ((18, 2), (21, 6)):
        case("GroupNormalization", opset, rand(2, 6, 3, 2), rand(n), rand(n), num_groups=2)
    for axis in (-1, 1, 2):
        shape = (2, 3, 4, 5)[axis:]
        case("LayerNormalization", 17, rand(2, 3, 4, 5), rand(*shape), rand(*shape), axis=axis)
    case("LayerNormalization", 17, rand(2, 3, 5), rand(5), epsilon=1e-2, outputs=3)
    case("LayerNormalization", 17, rand(2, 3, 5), rand(1), rand(1, 5), axis=1)
    for size in (1, 3, 5, 9):
        case("LRN", 13, rand(2, 5, 3, 2), size=size, alpha=0.5, beta=0.6, bias=2.0)
    case("LpNormalization", 1, rand(3, 4, 2), axis=1, p=1)
    case("LpNormalization", 1, rand(3, 4), p=2)
    case("MeanVarianceNormalization", 9, rand(2, 3, 4, 2), axes=[1, 3])


def older_forms():
    x = rand(3, 4, 5)
    case("Clip", 6, x, min=-0.5, max=1.0)
    case("Clip", 6, x, max=0.25)
    case("Clip", 11, x, None, np.float32(0.5))
    case("Clip", 12, x, np.float32(1), np.float32(-1))
    case("Clip", 12, ints(-5, 0, 7), np.int64(-1), np.int64(3))
    for mode in ("constant", "reflect", "edge"):
        case("Pad", 2, x, pads=[1, 0, 2, 0, 3, 1], mode=mode, value=1.5)
        case("Pad", 11, x, ints(1, 0, -2, 0, -3, 1), np.float32(2), mode=mode)
    case("Pad", 13, ints(1, 2, 3), ints(2, 1), np.int64(9))
    case("Pad", 18, x, ints(1, 2, 3, 0), None, ints(-1, 0), mode="edge")
    case("Pad", 19, x, ints(1, 2, 3, 0), None, ints(-1, 0), mode="wrap")
    case("Slice", 1, x, starts=[1, -3], ends=[3, 2**62], axes=[1, 2])
    case("Slice", 1, x, starts=[1, 0], ends=[2, -1])
    for s, e, a, k in (
        ([0, -1], [2, -100], [2, 0], [2, -2]), ([-1, 3], [-(2**31), 0], [0, 1], [-1, -3]),
        ([10], [-10], [2], [-2]), ([4], [1], [2], [1]), ([-10], [10], [-1], [3]), ([0], [2**63 - 1], [2], [2**40]),
    ):
        case("Slice", 10, x, ints(*s), ints(*e), ints(*a), ints(*k))
        case("Slice", 13, x, ints(*s), ints(*e), ints(*a), ints(*k))
    case("Squeeze", 1, rand(1, 3, 1, 2), axes=[2])
    case("Squeeze", 11, rand(1, 3, 1, 2), axes=[-4, -2])
    case("Squeeze", 11, rand(1, 3, 1, 2))
    case("Squeeze", 13, rand(1, 3, 1, 2), ints(0, -2))
    case("Unsqueeze", 1, x, axes=[0, 4])
    case("Unsqueeze", 11, x, axes=[-1, 1])
    case("Unsqueeze", 13, x, ints(-1, 1))
    case("Split", 2, x, axis=1, outputs=2)
    case("Split", 11, x, axis=-1, split=[1, 4], outputs=2)
    case("Split", 13, x, ints(3, 0, 2), axis=2, outputs=3)
    case("Split", 18, x, axis=2, num_outputs=2, outputs=2)
    case("Split", 18, x, axis=1, num_outputs=3, outputs=3)
    for op in ("Sum", "Mean", "Max", "Min", "Prod", "L1", "L2", "SumSquare", "LogSum", "LogSumExp"):
        op, v = "Reduce" + op, np.abs(rand(2, 3, 4)) + 1
        case(op, 7, v, axes=[1])
        case(op, 11, v, axes=[-1, 0], keepdims=0)
        case(op, 13, v, ints(0), keepdims=0) if op == "ReduceSum" else case(op, 13, v, axes=[2])
        case(op, 18, v, ints(0, 2), keepdims=0)
        case(op, 18, v)
        case(op, 18, v, noop_with_empty_axes=1)
    case("ReduceMean", 18, ints(1, 2, 4, 5).reshape(2, 2), ints(1))
    for op in ("Softmax", "LogSoftmax", "Hardmax"):
        for axis in (0, 1, 2):
            case(op, 7, x, axis=axis)
            case(op, 13, x, axis=axis - 2)
        case(op, 11, x)
        case(op, 13, x)
    for opset in (7, 10, 12, 13):
        case("Dropout", opset, x)
    case("Flatten", 9, x, axis=2)
    case("Flatten", 11, x, axis=-1)
    case("Flatten", 11, x, axis=0)
    case("Reshape", 5, x, ints(0, -1, 2, 5))
    case("Reshape", 14, np.zeros((0, 3), np.float32), ints(3, 0), allowzero=1)
    case("Cast", 9, floats(-1.5, 2.7, 300, -0.0), to=TensorProto.INT64)
    case("Cast", 13, ints(-1, 256, 70000), to=TensorProto.UINT8)
    case("Cast", 13, floats(1 / 3, 65519, 1e-7, 2e-8, -7e4), to=TensorProto.FLOAT16)
    case("Gather", 1, x, ints(2, 0).reshape(2, 1), axis=1)
    case("Gather", 11, x, np.int64(-1), axis=2)
    case("Gemm", 7, rand(3, 4), rand(4, 2), rand(2))
    case("Gemm", 9, rand(4, 3), rand(2, 4), rand(3, 1), transA=1, transB=1, alpha=0.5, beta=2.0)
    case("Gemm", 11, rand(3, 4), rand(4, 2))
    case("MatMul", 9, rand(2, 1, 3, 4), rand(5, 4, 2))
    case("MatMul", 9, rand(4), rand(2, 4, 3))
    case("MatMul", 9, rand(2, 3, 4), rand(4))
    case("MatMul", 9, rand(4), rand(4))
    case("Mod", 10, ints(-7, 7, -7, 7), ints(3, -3, -3, 3))
    case("Mod", 10, floats(-7, 7, -5.5), floats(3, -3, 2), fmod=1)
    case("Div", 7, ints(-7, 7, 8), ints(2, -2, 3))
    case("Pow", 12, ints(2, 3, -2), floats(2, 0.5, 3))
    case("Pow", 12, floats(2, 0.5, -1.5), ints(3, -1, 2))
    case("PRelu", 7, rand(2, 3, 4), rand(3, 1))
    case("Where", 9, rand(3, 1) > 0, rand(1, 4), rand(3, 4))
    case("DequantizeLinear", 10, np.array([0, 3, 128, 255], np.uint8), np.float32(2), np.uint8(128))
    case("DequantizeLinear", 13, rng.integers(-128, 127, (2, 3, 2)).astype(np.int8), floats(2, 0.5, 4), np.array([0, 1, -5], np.int8), axis=1)
    case("DepthToSpace", 1, rand(1, 8, 2, 3), blocksize=2)
    case("DepthToSpace", 11, rand(1, 8, 2, 3), blocksize=2, mode="CRD")
    for op in ("Max", "Min", "Sum", "Mean"):
        case(op, 8, rand(2, 3), rand(3), rand(2, 1))


def resizing():
    x = rand(1, 2, 4, 5)
    for mode in ("nearest", "linear"):
        for s in ((1.0, 1.0, 2.0, 3.0), (1.0, 1.0, 1.5, 1.4)):
            case("Upsample", 7, x, mode=mode, scales=s)
            case("Upsample", 9, x, floats(*s), mode=mode)
        for s in ((1, 1, 0.5, 0.6), (1, 1, 1.5, 1.4)):
            case("Resize", 10, x, floats(*s), mode=mode)
    transforms = ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", "tf_half_pixel_for_nn")
    sizes = (7, 8), (3, 2), (1, 9)
    for t, n, (h, w) in itertools.product(transforms, ("round_prefer_floor", "round_prefer_ceil", "floor", "ceil"), sizes):
        case("Resize", 11, x, floats(), floats(), ints(1, 2, h, w), mode="nearest", nearest_mode=n, coordinate_transformation_mode=t)
    for t, mode, (h, w) in itertools.product(transforms, ("linear", "cubic"), sizes):
        case("Resize", 11, x, floats(), floats(), ints(1, 2, h, w), mode=mode, coordinate_transformation_mode=t)
        if not t.startswith("tf"):
            case("Resize", 13, x, None, floats(1, 1, h / 4, w / 5), mode=mode, coordinate_transformation_mode=t)
    roi = floats(0, 0, 0.2, -0.1, 1, 1, 0.7, 1.1)
    for mode in ("nearest", "linear"):
        case("Resize", 13, x, roi, None, ints(1, 2, 5, 6), mode=mode, coordinate_transformation_mode="tf_crop_and_resize", extrapolation_value=7.0)
    case("Resize", 13, x, None, None, ints(1, 2, 7, 3), mode="cubic", exclude_outside=1, cubic_coeff_a=-0.5)
    case("Resize", 19, x, None, floats(1, 1, 1.3, 0.7), mode="linear", coordinate_transformation_mode="half_pixel_symmetric")
    for mode, antialias in itertools.product(("linear", "cubic"), (0, 1)):
        case("Resize", 18, rand(1, 1, 9, 10), None, None, ints(4, 3), mode=mode, antialias=antialias, axes=[2, 3])
    for policy in ("not_larger", "not_smaller"):
        case("Resize", 18, x, None, None, ints(7, 8), axes=[2, 3], keep_aspect_ratio_policy=policy)


def others():
    case("Mish", 18, rand(3, 4, 5))
    case("Tile", 13, rand(2, 3), ints(1, 2))
    case("CumSum", 14, ints(1, -2, 3, 4).reshape(2, 2), np.int64(0), reverse=1)
    case("TopK", 11, rand(3, 4, 5), ints(2), axis=1, outputs=2)
    case("TopK", 11, ints(3, 1, 3, 2), ints(3), largest=0, outputs=2)
    case("TopK", 1, rand(4, 5), k=3, outputs=2)
    for equation, *shapes in (
        ("bhid,bhjd->bhij", (2, 3, 4, 5), (2, 3, 6, 5)), ("...ij,...jk->...ik", (2, 3, 4), (1, 4, 2)), ("ij,jk,kl", (2, 3), (3, 4), (4, 5)),
        ("ii->i", (3, 3)), ("iji->j", (3, 2, 3)), ("ij->", (3, 4)), ("i,j->ji", (3,), (4,)), ("b...c,cd->b...d", (2, 3, 4, 5), (5, 3)),
        ("abc,bd->cd", (2, 3, 4), (3, 5)), ("...->...", (2, 3)), ("i...->...", (2, 3, 4)), ("ba,ab", (2, 3), (3, 2)), (" i , i -> ", (5,), (5,)),
    ):
        case("Einsum", 12, *(rand(*s) for s in shapes), equation=equation)
    for mode, padding, align in itertools.product(("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection"), (0, 1)):
        case("GridSample", 16, rand(2, 2, 3, 4), rand(2, 3, 2, 2), mode=mode, padding_mode=padding, align_corners=align)
    for mode, padding in itertools.product(("linear", "nearest"), ("zeros", "border", "reflection")):
        case("GridSample", 20, rand(2, 2, 3, 4, 2), rand(2, 2, 3, 2, 3), mode=mode, padding_mode=padding)
    case("AffineGrid", 20, rand(2, 2, 3), ints(2, 1, 3, 4))
    case("AffineGrid", 20, rand(1, 3, 4), ints(1, 1, 2, 3, 2), align_corners=1)
    case("Trilu", 14, rand(2, 3, 4), np.int64(1), upper=0)
    case("Trilu", 14, ints(1, 2, 3, 4).reshape(2, 2), np.int64(-9), upper=0)
    case("EyeLike", 9, rand(3, 4), k=1)
    case("OneHot", 11, ints(0, 2, -1, 5).reshape(2, 2), np.int64(3), floats(0.5, 2), axis=1)
    case("Scatter", 9, rand(3, 3), ints(1, 0, 2, 0, 2, 1).reshape(2, 3), rand(2, 3))
    for how in ("none", "add", "mul", "max", "min"):
        case("ScatterElements", 18, rand(2, 4), ints(1, 3, 0, -1, 2, 0).reshape(2, 3), rand(2, 3), axis=1, reduction=how)
        case("ScatterND", 18, rand(4, 3), ints(1, 3, 0).reshape(3, 1), rand(3, 3), reduction=how)
    case("ScatterND", 11, rand(4, 3, 2), ints(1, 2, 0, 1).reshape(2, 2), rand(2, 2))
    u8, i8 = (lambda *s: rng.integers(0, 256, s).astype(np.uint8)), (lambda *s: rng.integers(-128, 128, s).astype(np.int8))
    for zero in (np.uint8(100), np.int8(-3)):
        case("QuantizeLinear", 13, rand(3, 4), np.float32(0.03), zero)
    case("QuantizeLinear", 13, rand(2, 3, 2), floats(0.1, 0.02, 0.01), i8(3), axis=1)
    case("QuantizeLinear", 10, rand(3, 4), np.float32(0.03))
    case("DynamicQuantizeLinear", 11, rand(3, 4), outputs=3)
    case("ConvInteger", 10, u8(2, 2, 4, 4), u8(2, 2, 3, 3), np.uint8(7), np.uint8(9), pads=[1, 1, 1, 1])
    case("ConvInteger", 10, u8(1, 4, 5, 4), i8(2, 2, 3, 3), np.uint8(7), group=2, strides=[2, 1])
    case("MatMulInteger", 10, u8(2, 3, 4), i8(4, 5), np.uint8(7), i8(5))
    case("MatMulInteger", 10, u8(2, 3, 4), u8(2, 4, 5), np.uint8(7))
    for zero, channels in itertools.product((np.uint8(100), np.int8(-3)), (1, 2)):
        x, w = (u8(2, 2, 4, 4), np.uint8(120)) if zero.dtype == np.uint8 else (i8(2, 2, 4, 4), np.int8(5))
        case("QLinearConv", 10, x, np.float32(0.02), w, i8(2, 2, 3, 3) // 2, floats(*[0.01, 0.02][:channels]), np.zeros(channels, np.int8), np.float32(0.4), zero,
             np.array([300, -700], np.int32), pads=[1, 1, 1, 1])
        case("QLinearMatMul", 10, x, np.float32(0.02), w, i8(4, 3) // 2, np.float32(0.01), np.int8(0), np.float32(0.4), zero)


for part in (convolutions, pools, normalisations, older_forms, resizing, others):
    part()
with zipfile.ZipFile("ort.zip", "w") as z:
    for name, data in (("index.txt", "".join(names)), ("cases.bin", cases.getvalue())):
        z.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED, 9)
print(f"{len(names)} cases by onnxruntime {ort.__version__}; refused by it:", *refused, sep="\n  ")
