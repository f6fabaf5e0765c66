"""Times BenchmarkRun and ONNX Runtime in turns, one picture on one thread, and
prints the ratio of the medians (ours / ONNX Runtime's; below 1 we are faster).

    python compare.py MODEL.onnx...     from the folder cnn/testdata

Needs the PyPI packages onnxruntime and numpy, and the Go tool.
"""
import os
import re
import statistics
import subprocess
import sys
import time

import numpy as np
import onnxruntime as ort

ROUNDS = 7


def session(path):
    opt = ort.SessionOptions()
    opt.intra_op_num_threads = opt.inter_op_num_threads = 1
    s = ort.InferenceSession(path, opt, providers=["CPUExecutionProvider"])
    shape = [d if isinstance(d, int) and d > 0 else default
             for d, default in zip(s.get_inputs()[0].shape, [1, 3, 224, 224])]
    x = {s.get_inputs()[0].name: np.random.default_rng(1).random(shape, np.float32)}
    return lambda: s.run(None, x)


def time_ort(run):
    """Milliseconds of one run: the best of three."""
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - start)
    return 1e3 * best


def time_ours(binary, path):
    env = dict(os.environ, CNN_MODEL=os.path.abspath(path), GOMAXPROCS="1")
    out = subprocess.run([binary, "-test.run=^$", "-test.bench=^BenchmarkModel$", "-test.benchtime=1x", "-test.count=4"],
                         env=env, cwd="..", capture_output=True, text=True, check=True).stdout
    times = [float(t) / 1e6 for t in re.findall(r"([\d.]+) ns/op", out)]
    return min(times[1:])


def main():
    binary = os.path.abspath("../compare.test")
    subprocess.run(["go", "test", "-c", "-o", binary, ".."], check=True)
    try:
        print(f"{'model':32} {'ours ms':>9} {'ORT ms':>9} {'ratio':>6}")
        for path in sys.argv[1:]:
            run = session(path)
            run()
            ours, theirs = [], []
            for _ in range(ROUNDS):
                theirs.append(time_ort(run))
                ours.append(time_ours(binary, path))
            a, b = statistics.median(ours), statistics.median(theirs)
            print(f"{os.path.basename(path):32} {a:9.2f} {b:9.2f} {a / b:6.2f}", flush=True)
    finally:
        os.remove(binary)


if __name__ == "__main__":
    main()
