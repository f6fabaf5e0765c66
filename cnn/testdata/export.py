#!/usr/bin/env python3
"""Export torchvision's classifiers with random weights, as test vectors for the CNN engine.

    export.py OUT [MODEL...] [--variants ts,dyn,tsbn,dynbn]

For every model and variant it writes to OUT:

    MODEL-VARIANT.onnx   (and .onnx.data)
    MODEL-VARIANT.x.npy  the input, [1,3,H,W], of the size the network is made for
    MODEL-VARIANT.y.npy  ONNX Runtime's output
    MODEL-VARIANT.f.npy  ONNX Runtime's pooled feature: what the last Gemm (or the
                         last 1x1 Conv, SqueezeNet) gets, per picture flattened

Variants: ts (TorchScript, opset 13, dynamic batch, batch norm folded; ts11 to ts18 give
another opset), tsbn (opset 17, training mode preserved and constants not folded, so that
BatchNormalization stays, in eval mode, batch 1), dyn (dynamo: opset 20, weights beside the model, batch 1), dynbn (dynamo
without its optimiser: BatchNormalization stays, dynamic batch).

Weights, batch-norm statistics and scales and ConvNeXt's layer scale are all random: a
network with its initial values (running mean 0, layer scale 1e-6) does not show whether
these blocks work. Needs torch, torchvision, onnx, onnxscript, onnxruntime.
"""
import argparse, os, sys, zlib

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np
import onnx
import onnxruntime as ort
import torch
import torchvision

MODELS = """resnet18 resnet50 mobilenet_v2 efficientnet_b0 convnext_tiny shufflenet_v2_x1_0 alexnet vgg11_bn
vgg16 resnext50_32x4d wide_resnet50_2 densenet121 googlenet inception_v3 squeezenet1_1 mobilenet_v3_small
mobilenet_v3_large mnasnet1_0 efficientnet_v2_s regnet_y_400mf regnet_x_400mf""".split()
SIZES = {"inception_v3": 299}


def build(name):
    torch.manual_seed(zlib.crc32(name.encode()))
    kw = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
    net = torchvision.models.get_model(name, weights=None, **kw).eval()
    for mod in net.modules():
        if isinstance(mod, (torch.nn.BatchNorm2d, torch.nn.LayerNorm)):
            mod.weight.data.uniform_(0.5, 1.5)
            mod.bias.data.normal_(0, 0.2)
        if isinstance(mod, (torch.nn.Conv2d, torch.nn.Linear)):
            fan = mod.weight[0].numel()
            mod.weight.data.normal_(0, (2 / fan) ** 0.5)
            if mod.bias is not None:
                mod.bias.data.normal_(0, 0.1)
        if hasattr(mod, "layer_scale"):
            mod.layer_scale.data.uniform_(0.2, 0.6)
    calibrate(net, SIZES.get(name, 224))
    return net


@torch.no_grad()
def calibrate(net, size):
    """Random batch-norm statistics, near those of the data so that values keep their size."""

    def hook(mod, args):
        x = args[0]
        mean, var = x.mean((0, 2, 3)), x.var((0, 2, 3)) + 1e-3
        mod.running_mean.copy_(mean + var.sqrt() * torch.empty_like(mean).normal_(0, 0.3))
        mod.running_var.copy_(var * torch.empty_like(var).uniform_(0.5, 2))

    hooks = [m.register_forward_pre_hook(hook) for m in net.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    net(torch.randn(2, 3, size, size))
    for h in hooks:
        h.remove()


def export(net, x, path, variant):
    common = dict(input_names=["input"], output_names=["output"])
    if variant == "tsbn":
        torch.onnx.export(net, (x,), path, dynamo=False, opset_version=17, do_constant_folding=False,
                          training=torch.onnx.TrainingMode.PRESERVE, **common)
    elif variant.startswith("ts"):
        torch.onnx.export(net, (x,), path, dynamo=False, opset_version=int(variant[2:] or 13),
                          dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}}, **common)
    elif variant == "dyn":
        torch.onnx.export(net, (x,), path, dynamo=True, external_data=True, **common)
    elif variant == "dynbn":
        # Two pictures: with one the exporter takes the batch for a constant in places.
        torch.onnx.export(net, (torch.cat([x, x]),), path, dynamo=True, external_data=True, optimize=False,
                          dynamic_shapes=({0: "batch"},), **common)
    else:
        sys.exit(f"unknown variant {variant}")


def feature_value(path):
    """The value that the last Gemm or MatMul reads, or the last Conv's where there is none."""
    g = onnx.load(path, load_external_data=False).graph
    consts = {i.name for i in g.initializer} | {o for n in g.node if n.op_type in ("Constant", "Identity") for o in n.output}
    dense = [n for n in g.node if n.op_type in ("Gemm", "MatMul")]
    last = dense[-1] if dense else [n for n in g.node if n.op_type == "Conv"][-1]
    return last.input[0]


def run(path, x):
    value = feature_value(path)
    m = onnx.load(path, load_external_data=False)
    out = m.graph.output[0].name
    if value not in {o.name for o in m.graph.output}:
        m.graph.output.append(onnx.helper.make_empty_tensor_value_info(value))
    tmp = path + ".tmp.onnx"  # in the same folder: external data lie there
    onnx.save(m, tmp)
    opt = ort.SessionOptions()
    opt.intra_op_num_threads = 1
    opt.log_severity_level = 3
    try:
        s = ort.InferenceSession(tmp, opt, providers=["CPUExecutionProvider"])
        y, f = s.run([out, value], {s.get_inputs()[0].name: x.numpy()})
    finally:
        os.remove(tmp)
    return y, f.reshape(f.shape[0], -1) if f.ndim == 2 or f.shape[2:] == (1, 1) else f


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("out")
    ap.add_argument("models", nargs="*", default=MODELS)
    ap.add_argument("--variants", default="ts,dyn,tsbn,dynbn")
    a = ap.parse_args()
    torch.set_num_threads(1)
    os.makedirs(a.out, exist_ok=True)
    failed = 0
    for name in a.models or MODELS:
        net = None
        for variant in a.variants.split(","):
            base = os.path.join(a.out, f"{name}-{variant}")
            if os.path.exists(base + ".f.npy"):
                continue
            try:
                net = net or build(name)
                size = SIZES.get(name, 224)
                x = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(1))
                with torch.no_grad():
                    want = net(x)
                    export(net, x, base + ".onnx", variant)
                y, f = run(base + ".onnx", x)
                err = np.linalg.norm(y - want.numpy()) / np.linalg.norm(want.numpy())
                np.save(base + ".x.npy", x.numpy())
                np.save(base + ".y.npy", y)
                np.save(base + ".f.npy", f)  # last: it marks the set as complete
                print(f"{name:20s} {variant:6s} ORT vs PyTorch {err:.1e}  feature {f.shape}  |f| {np.abs(f).mean():.3g}  output std {y.std():.3g}", flush=True)
            except Exception as e:
                failed += 1
                print(f"{name} {variant}: {type(e).__name__}: {str(e)[:500]}", flush=True)
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
