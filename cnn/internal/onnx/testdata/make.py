#!/usr/bin/env python3
"""Make the small models of this folder with the onnx package and both of PyTorch's exporters.

    make.py        (in this folder; needs onnx, numpy, torch, onnxscript)

types.onnx   an initialiser of every element type, in raw_data (NAME_raw), in the typed list
             (NAME_list) and as a Constant's attribute (NAME_attr); read_test.go has the values
forms.onnx   what decoders get wrong: x*x, optional inputs left out, nodes without inputs,
             without names, with the same name, in the wrong order; many outputs; empty lists;
             open dimensions; initialisers among the inputs
ts.onnx      a small net from the TorchScript exporter, opset 11
dyn.onnx     the same from today's exporter, opset 20, weights in dyn.onnx.data
net.npy      its weights, concatenated in the order of state_dict
"""
import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto as T, helper as h

TYPES = {
    "FLOAT": [1.5, -2, 3.4e38, 1e-40, float("inf"), 0],
    "FLOAT16": [1.5, -2, 65504, 2**-24, float("-inf"), 0],
    "BFLOAT16": [1.5, -2, 2.0**127, 2.0**-126, 0, 1],
    "DOUBLE": [1.5, -2, 1e30, 1e-30, 0, 0.1],
    "INT8": [1, -1, 127, -128, 0, 2],
    "UINT8": [1, 255, 127, 128, 0, 2],
    "INT16": [1, -1, 32767, -32768, 0, 2],
    "UINT16": [1, 65535, 32767, 32768, 0, 2],
    "INT32": [1, -1, 2**31 - 1, -(2**31), 0, 2],
    "UINT32": [1, 2**32 - 1, 2**31, 3, 0, 2],
    "INT64": [1, -1, 2**63 - 1, -(2**63), 0, 2],
    "UINT64": [1, 2**63 - 1, 2**32, 3, 0, 2],
    "BOOL": [True, False, True, True, False, False],
    "INT4": [1, -1, 7, -8, 0],
    "UINT4": [1, 15, 7, 8, 0],
}


def types():
    nodes, inits, outs = [], [], []
    for name, vals in TYPES.items():
        typ = getattr(T, name)
        shape = [5] if name.endswith("INT4") else [2, 3]
        a = np.array(vals).astype(h.tensor_dtype_to_np_dtype(typ)).reshape(shape)
        raw = onnx.numpy_helper.from_array(a, name + "_raw")
        assert raw.raw_data and raw.data_type == typ
        lst = h.make_tensor(name + "_list", typ, shape, a.flatten())
        assert not lst.raw_data
        inits += [raw, lst]
        nodes.append(h.make_node("Constant", [], [name + "_attr"], value=onnx.numpy_helper.from_array(a)))
        outs += [h.make_tensor_value_info(name + "_attr", typ, shape)]
    inits.append(onnx.numpy_helper.from_array(np.float32(7), "scalar"))
    inits.append(onnx.numpy_helper.from_array(np.zeros((0, 3), np.float32), "empty"))
    g = h.make_graph(nodes, "types", [], outs, inits)
    m = h.make_model(g, opset_imports=[h.make_opsetid("", 21)], producer_name="make.py", ir_version=10)
    onnx.checker.check_model(m)
    onnx.save(m, "types.onnx")


def forms():
    f = h.make_tensor_value_info
    n = h.make_node
    nodes = [
        n("Add", ["sum", "one"], ["y"]),  # before what it reads
        n("Mul", ["x", "x"], ["xx"], "same"),
        n("Clip", ["xx", "", "six"], ["clipped"], "same"),
        n("Clip", ["xx"], ["clipped2"], "Clip_4"),
        n("Clip", ["clipped", "", ""], ["unclipped"]),
        n("Split", ["unclipped"], ["a", "", "b"], axis=1, num_outputs=3),
        n("Constant", [], ["seven"], "x", value_float=7.0),  # its made-up input would be called x/input
        n("Constant", [], ["ints"], value_ints=[1, 2]),
        n("Constant", [], ["none"]),
        n("Constant", [], ["floats"], value_floats=[0.5, 1.5]),
        n("RandomNormal", [], ["noise"], shape=[1], dtype=1, mean=0.5, seed=1.0),
        n("Identity", ["seven"], ["x/input"]),
        n("Sum", ["a", "b", "a", "seven", "x/input", "clipped2"], ["sum"]),
        n("Dropout", ["y"], ["out", "mask"], domain="ai.onnx"),
        n("Resize", ["x", "", "scales"], ["big"], mode="nearest", coordinate_transformation_mode="asymmetric"),
    ]
    nodes[8].attribute.append(onnx.AttributeProto(name="value_ints", type=onnx.AttributeProto.INTS))
    x = f("x", T.FLOAT, ["batch", 3, None, -1])
    one = onnx.numpy_helper.from_array(np.float32([1]), "one")
    six = onnx.numpy_helper.from_array(np.float32(6), "six")
    scales = onnx.numpy_helper.from_array(np.float32([1, 1, 2, 2]), "scales")
    g = h.make_graph(nodes, "forms", [f("one", T.FLOAT, [1]), x], [f("out", T.FLOAT, None), f("big", T.FLOAT, None)], [one, six, scales])
    m = h.make_model(g, opset_imports=[h.make_opsetid("", 18), h.make_opsetid("unused", 1)], producer_name="make.py", producer_version="1", ir_version=8)
    h.set_model_props(m, {"mean": "0.5,0.5,0.5", "labels": ""})
    onnx.save(m, "forms.onnx")


def torch_nets():
    import torch
    from torch import nn

    torch.manual_seed(1)
    net = nn.Sequential(
        nn.Conv2d(3, 4, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(4), nn.ReLU6(),
        nn.Conv2d(4, 8, 1), nn.Hardswish(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5), nn.Softmax(1),
    ).eval()
    net[1].running_mean.normal_()
    net[1].running_var.uniform_(0.5, 2)
    x = torch.randn(1, 3, 8, 8)
    names = dict(input_names=["image"], output_names=["prob"])
    torch.onnx.export(net, (x,), "ts.onnx", dynamo=False, opset_version=11, dynamic_axes={"image": {0: "n"}}, do_constant_folding=False,
                      training=torch.onnx.TrainingMode.PRESERVE, **names)
    torch.onnx.export(net, (x,), "dyn.onnx", dynamo=True, optimize=False, external_data=True, **names)
    for p in ("ts.onnx", "dyn.onnx"):
        m = onnx.load(p, load_external_data=False)
        for n in m.graph.node:  # stack traces name files of the machine
            n.doc_string = ""
            keep = [p for p in n.metadata_props if "stack_trace" not in p.key]
            del n.metadata_props[:]
            n.metadata_props.extend(keep)
        onnx.save(m, p)
    np.save("net.npy", np.concatenate([v.numpy().ravel() for k, v in net.state_dict().items() if "num_batches" not in k]))


types()
forms()
torch_nets()
