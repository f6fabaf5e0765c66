"""The peers that bench.py measures against: ONNX Runtime and Pillow."""
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
import numpy as np
import onnx
import onnxruntime as ort


def options(threads):
    opt = ort.SessionOptions()
    opt.intra_op_num_threads = threads
    opt.inter_op_num_threads = 1
    opt.log_severity_level = 3
    return opt


def session(model, threads):
    """Opens a model, a path or its bytes; all optimisations are on by default."""
    return ort.InferenceSession(model, options(threads), providers=["CPUExecutionProvider"])


def cut(path, feature):
    """The model's bytes with `feature` as its only output and any number of
    pictures as its input, so that both sides compute the same."""
    model = onnx.load(path)
    del model.graph.output[:]
    model.graph.output.add().name = feature
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_param = "batch"
    return model.SerializeToString()


class Peer:
    """One network in ONNX Runtime, as worker/main.go has it."""

    def __init__(self, path, feature, threads, x):
        self.session = session(cut(path, feature), threads)
        self.feed = {self.session.get_inputs()[0].name: x}
        self.out = None

    def run(self):
        """Nanoseconds of one run."""
        start = time.perf_counter_ns()
        self.out = self.session.run(None, self.feed)[0]
        return time.perf_counter_ns() - start


class Opening:
    """Creating a session, again and again."""

    def __init__(self, path, threads, x):
        self.path, self.threads, self.x = path, threads, x
        self.session = None

    def open(self):
        self.session = None
        start = time.perf_counter_ns()
        self.session = session(self.path, self.threads)
        return time.perf_counter_ns() - start

    def run(self):
        start = time.perf_counter_ns()
        self.session.run(None, {self.session.get_inputs()[0].name: self.x})
        return time.perf_counter_ns() - start
