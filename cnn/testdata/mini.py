"""Small networks of the building blocks of today's classifiers, for TestMini.

python mini.py    writes mini/NAME-WAY.onnx and mini/NAME.npy beside itself

WAY is how it was exported from PyTorch: ts (TorchScript, opset 13, batch norm
folded, any batch), tsbn (TorchScript, opset 17, nothing folded, batch 1), dyn
(today's default exporter, opset 20, batch 1). The .npy holds ONNX Runtime's
features of three pictures, one at a time, float32 [3,D]; the three ways must
agree. All weights and statistics are random: a block that does nothing at its
initial values would go unseen.
"""
import pathlib
import tempfile

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from torch import nn

from golden import picture, run

SIZE = 24


def conv(i, o, k=1, s=1, g=1, act=nn.ReLU, p=None, d=1):
    layers = [nn.Conv2d(i, o, k, s, k // 2 * d if p is None else p, d, g, bias=False), nn.BatchNorm2d(o)]
    return nn.Sequential(*layers + ([act()] if act else []))


class Residual(nn.Module):  # ResNet, with and without a projection
    def __init__(self, i, o, s):
        super().__init__()
        self.a, self.b = conv(i, o, 3, s), conv(o, o, 3, act=None)
        self.short = conv(i, o, 1, s, act=None) if s > 1 or i != o else nn.Identity()

    def forward(self, x):
        return F.relu(self.b(self.a(x)) + self.short(x))


class Inverted(nn.Module):  # MobileNetV3, EfficientNet: depthwise, squeeze-and-excitation
    def __init__(self, c, act, gate):
        super().__init__()
        self.up, self.dw = conv(c, 3 * c, act=act), conv(3 * c, 3 * c, 5, g=3 * c, act=act)
        self.fc1, self.fc2 = nn.Conv2d(3 * c, c, 1), nn.Conv2d(c, 3 * c, 1)
        self.act, self.gate, self.down = act(), gate(), conv(3 * c, c, act=None)

    def forward(self, x):
        y = self.dw(self.up(x))
        s = self.fc2(self.act(self.fc1(F.adaptive_avg_pool2d(y, 1))))
        return x + self.down(y * self.gate(s))


class Dense(nn.Module):  # DenseNet: batch norm and activation first, concatenation
    def __init__(self, c, n, k):
        super().__init__()
        self.layers = nn.ModuleList(
            nn.Sequential(nn.BatchNorm2d(c + i * k), nn.ReLU(), nn.Conv2d(c + i * k, k, 3, padding=1, bias=False)) for i in range(n)
        )
        self.norm, self.out = nn.BatchNorm2d(c + n * k), nn.Conv2d(c + n * k, c, 1, bias=False)

    def forward(self, x):
        for f in self.layers:
            x = torch.cat([x, f(x)], 1)
        return F.avg_pool2d(self.out(F.relu(self.norm(x))), 2)


class Branches(nn.Module):  # Inception: asymmetric kernels, pools, ceil mode
    def __init__(self, c):
        super().__init__()
        self.a, self.b = conv(c, 6), nn.Sequential(conv(c, 4), conv(4, 6, (1, 7), p=(0, 3)), conv(6, 5, (7, 1), p=(3, 0)))
        self.c = conv(c, 4)

    def forward(self, x):
        x = F.max_pool2d(x, 3, 2, ceil_mode=True)
        return torch.cat([self.a(x), self.b(x), self.c(F.avg_pool2d(x, 3, 1, 1)), F.max_pool2d(x, 3, 1, 1)], 1)


class Shuffle(nn.Module):  # ShuffleNetV2: channel split and shuffle
    def __init__(self, c):
        super().__init__()
        self.f = nn.Sequential(conv(c // 2, c // 2), conv(c // 2, c // 2, 3, g=c // 2, act=None), conv(c // 2, c // 2))

    def forward(self, x):
        a, b = x.chunk(2, 1)
        x = torch.cat([a, self.f(b)], 1)
        n, c, h, w = x.size()
        return x.view(n, 2, c // 2, h, w).transpose(1, 2).contiguous().view(n, c, h, w)


class ConvNeXt(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.dw, self.norm = nn.Conv2d(c, c, 7, padding=3, groups=c), nn.LayerNorm(c, 1e-6)
        self.up, self.down, self.scale = nn.Linear(c, 4 * c), nn.Linear(4 * c, c), nn.Parameter(torch.rand(c, 1, 1))

    def forward(self, x):
        y = self.norm(self.dw(x).permute(0, 2, 3, 1))
        y = self.down(F.gelu(self.up(y))).permute(0, 3, 1, 2)
        return x + self.scale * y


class Grouped(nn.Module):  # ResNeXt: groups, dilation; padding of its own
    def __init__(self, c):
        super().__init__()
        self.f = nn.Sequential(conv(c, 2 * c), conv(2 * c, 2 * c, 3, g=4, d=2), nn.ZeroPad2d((0, 1, 0, 1)), conv(2 * c, c, 2, p=0, act=None))

    def forward(self, x):
        return F.leaky_relu(x + self.f(x), 0.1)


class Net(nn.Module):
    def __init__(self, *body, c=4, head=None):
        super().__init__()
        self.stem, self.body = conv(3, 4, 3, 2), nn.Sequential(*body)
        self.head = head or nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2), nn.Linear(c, 10))

    def forward(self, x):
        return self.head(self.body(self.stem(x)))


NETS = {
    "resnet": lambda: Net(Residual(4, 4, 1), Residual(4, 6, 2), c=6),
    "mobilenet": lambda: Net(Inverted(4, nn.Hardswish, nn.Hardsigmoid)),
    "efficientnet": lambda: Net(Inverted(4, nn.SiLU, nn.Sigmoid)),
    "densenet": lambda: Net(Dense(4, 2, 3)),
    "inception": lambda: Net(Branches(4), c=19),
    "shufflenet": lambda: Net(Shuffle(4)),
    "convnext": lambda: Net(ConvNeXt(4), ConvNeXt(4)),
    "resnext": lambda: Net(Grouped(4)),
    "squeezenet": lambda: Net(head=nn.Sequential(nn.Dropout(), nn.Conv2d(4, 10, 1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())),
    "vgg": lambda: Net(nn.MaxPool2d(4), head=nn.Sequential(nn.Flatten(), nn.Linear(4 * 9, 12), nn.ReLU(), nn.Dropout(), nn.Linear(12, 10))),
}


def randomise(net):
    for m in net.modules():
        if isinstance(m, (nn.BatchNorm2d, nn.LayerNorm)):
            nn.init.uniform_(m.weight, 0.5, 1.5)
            nn.init.normal_(m.bias, 0, 0.3)
        if isinstance(m, nn.BatchNorm2d):
            nn.init.normal_(m.running_mean, 0, 0.3)
            nn.init.uniform_(m.running_var, 0.5, 2)
        if isinstance(m, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(m.weight)


def export(net, way):
    with tempfile.TemporaryDirectory() as tmp:
        path, x = tmp + "/m.onnx", torch.zeros(1, 3, SIZE, SIZE)
        names = dict(input_names=["x"], output_names=["y"])
        if way == "ts":
            torch.onnx.export(net, (x,), path, dynamo=False, opset_version=13, dynamic_axes={"x": [0], "y": [0]}, **names)
        elif way == "tsbn":
            mode = torch.onnx.TrainingMode.PRESERVE
            torch.onnx.export(net, (x,), path, dynamo=False, opset_version=17, do_constant_folding=False, training=mode, **names)
        else:
            torch.onnx.export(net, (x,), path, dynamo=True, external_data=False, **names)
        m = onnx.load(path)
    for n in m.graph.node:  # stack traces and the like
        del n.metadata_props[:]
        n.doc_string = ""
    del m.graph.value_info[:]
    del m.metadata_props[:], m.graph.metadata_props[:]
    return m


def feature(m):
    consts = {i.name for i in m.graph.initializer}
    heads = [n for n in m.graph.node if n.op_type == "Gemm"] or [n for n in m.graph.node if n.op_type == "Conv"]
    return heads[-1].input[0]


if __name__ == "__main__":
    out = pathlib.Path(__file__).parent / "mini"
    x = picture(3, SIZE)
    for i, (name, make) in enumerate(NETS.items()):
        torch.manual_seed(i)
        net = make().eval()
        randomise(net)
        got = []
        for way in ["ts", "tsbn", "dyn"]:
            m = export(net, way)
            onnx.save(m, out / f"{name}-{way}.onnx")
            f = np.concatenate([run(m, feature(m), x[j : j + 1]) for j in range(3)])
            got.append(f.mean((2, 3)) if f.ndim == 4 and f.shape[2] > 1 else f.reshape(3, -1))
            assert np.linalg.norm(got[-1] - got[0]) < 1e-5 * np.linalg.norm(got[0]), (name, way)
            print(name, way, got[-1].shape, (out / f"{name}-{way}.onnx").stat().st_size)
        np.save(out / f"{name}.npy", got[0].astype(np.float32))
