"""Packs the ONNX backend node tests into nodetests.zip.

    pip install onnx==1.23.2
    go generate ./cnn/internal/ops
    python cnn/internal/ops/testdata/nodetests.py [--all FILE]

index.txt lists every node test of the onnx package, "name operator" a line.
cases.bin holds those made of tensors of numbers and of operators that
cnn/OPERATORS.md names, which go generate brings up to date: name and ONNX model, each preceded by its length as 4 bytes,
little endian. The model is that of the test, with its inputs added as
initialisers named in/NAME, and the outputs that it expects as out/NAME.

To keep the archive small, tests of the bodies of functions are left out where
the function itself is no operator of the table, tests of poolings keep their
first channel, and models over 50 kB, bodies over 15 kB, are left out. --all packs all of them into
FILE, for go test -run TestNodes -nodes FILE.

The tests come from the Python package onnx (1.23.2), Apache-2.0, see NOTICE.
"""

import argparse
import io
import re
import struct
import warnings
import zipfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper
from onnx.backend.test.case.node import collect_testcases

warnings.filterwarnings("ignore")

VERSION = "1.23.2"
HERE = Path(__file__).resolve().parent
OPERATORS = HERE.parents[2] / "OPERATORS.md"

NUMBERS = {
    TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.BOOL,
    TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64, TensorProto.INT4,
    TensorProto.UINT8, TensorProto.UINT16, TensorProto.UINT32, TensorProto.UINT64, TensorProto.UINT4,
}

# Relative tolerance by the type of the outputs; the ONNX project's own is 1e-3.
TOLERANCE = {TensorProto.FLOAT16: "2e-3", TensorProto.BFLOAT16: "2e-2"}

POOLS = {"AveragePool", "MaxPool", "LpPool"}


def operators():
    return set(re.findall(r"^\| ([A-Za-z0-9]+) \| [0-9]", OPERATORS.read_text(encoding="utf-8"), re.M))


def add(case, prefix, values, tensors, crop):
    """Adds the tensors of a test to its model; false where the model has other types."""
    for value, t in zip(values, tensors, strict=True):
        if not value.type.HasField("tensor_type"):
            return False
        if crop and t.ndim > 3 and t.shape[1] > 1:
            t = t[:, :1]
            value.type.tensor_type.shape.dim[1].dim_value = 1
        if not isinstance(t, TensorProto):
            t = numpy_helper.from_array(np.asarray(t))
        if t.data_type not in NUMBERS:
            return False
        if prefix == "out/" and t.data_type in TOLERANCE:
            p = case.model.metadata_props.add()
            p.key, p.value = "tolerance", TOLERANCE[t.data_type]
        p = case.model.graph.initializer.add()
        p.CopyFrom(t)
        p.name = prefix + value.name
    return True


def pack(case, op, known, everything):
    model = case.model
    if any(n.op_type not in known or n.domain not in ("", "ai.onnx") for n in model.graph.node):
        return None
    if not everything and op not in known:
        return None
    crop = not everything and op in POOLS and len(model.graph.output) == 1
    (inputs, outputs), = case.data_sets
    if not add(case, "in/", model.graph.input, inputs, crop) or not add(case, "out/", model.graph.output, outputs, crop):
        return None
    model.ClearField("producer_name")
    b = model.SerializeToString()
    return b if everything or len(b) < (15_000 if "_expanded" in case.name else 50_000) else None


def main():
    parser = argparse.ArgumentParser(description="Packs the ONNX backend node tests.")
    parser.add_argument("--all", metavar="FILE", type=Path, help="pack all of them into FILE, not those of moderate size into nodetests.zip")
    args = parser.parse_args()
    if onnx.__version__ != VERSION:
        parser.error(f"onnx is {onnx.__version__}: pip install onnx=={VERSION}")
    known, everything = operators(), args.all is not None
    index, ops, cases, packed = [], {}, io.BytesIO(), 0
    for case in collect_testcases():
        function = case.name.partition("_expanded")[0]
        op = ops.setdefault(function, case.model.graph.node[0].op_type)
        index.append(f"{case.name} {op}\n")
        model = pack(case, op, known, everything)
        if model is not None:
            for b in (case.name.encode(), model):
                cases.write(struct.pack("<I", len(b)) + b)
            packed += 1
    with zipfile.ZipFile(args.all or HERE / "nodetests.zip", "w") as z:
        for name, data in (("index.txt", "".join(index)), ("cases.bin", cases.getvalue())):
            z.writestr(zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED, 9)
    print(f"{len(index)} tests, {packed} packed")


if __name__ == "__main__":
    main()
