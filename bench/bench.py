#!/usr/bin/env python3
"""Times caption and its peers in turns, in one go, and prints ratios of medians:
ours / the peer's, so that below 1 we are faster.

    bench.py cnn [--models DIR] [--only NAME] [--batch 1,8] [--threads 1,2] [--cpu avx2]
    bench.py bf16 [--models DIR]     networks in bf16, batch 8, 2 threads: our own float32
    bench.py load [--models DIR]     opening ResNet-50: a session of ONNX Runtime's
    bench.py cold [PHOTO]            `caption PHOTO`, start to exit: the CNN alone in ONNX Runtime
    bench.py decode PHOTOS           photos of the folder PHOTOS, made ready for the CNN: Pillow with draft()
    bench.py photos PHOTOS           `extract`, the whole process: Pillow and ONNX Runtime

Needs Go and the PyPI packages numpy, onnx, onnxruntime and Pillow. DIR holds what
cnn/testdata/export.py writes. Results are added to results.json beside this
file, from which page.py makes README.md and the plot.
"""
import argparse
import glob
import itertools
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

import peers
import pillow

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
DEFAULT = os.path.join(ROOT, "models", "default", "cnn.onnx")

# What a turn is: one run that warms the caches up, then timed ones for about
# TURN seconds. Sides take turns for ROUNDS rounds with a pause between, in which
# threads that spin come to rest.
ROUNDS, TURN, PAUSE = 7, 0.3, 0.02

# name, batch, threads, the ratio to reach
CNN = [
    ("resnet50", 1, 1, 1.0), ("resnet50", 8, 2, 1.0), ("vgg16", 1, 1, 0.8), ("mobilenet_v2", 1, 1, 1.0),
    ("efficientnet_b0", 1, 1, 1.0), ("default", 1, 1, 1.0), ("default", 1, 2, 1.0), ("default", 8, 2, 1.0),
    ("densenet121", 1, 1, 1.3), ("convnext_tiny", 1, 1, 1.3), ("regnet_y_400mf", 1, 1, 1.3),
]
MODELS = list(dict.fromkeys(c[0] for c in CNN))


def processor():
    with open("/proc/cpuinfo") as f:
        info = dict(line.split(":", 1) for line in f.read().split("\n\n")[0].splitlines())
    info = {k.strip(): v.strip() for k, v in info.items()}
    flags = info["flags"].split()
    has = [f for f in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if f in flags]
    name = f'{info["model name"]} (family {info["cpu family"]}, model {info["model"]})'
    return f'{name}, {os.cpu_count()} cores, {", ".join(has)}'


class Worker:
    """worker/main.go, with the environment given."""

    def __init__(self, binary, **env):
        self.process = subprocess.Popen([binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env=dict(os.environ, **env))

    def ask(self, *words):
        self.process.stdin.write(" ".join(map(str, words)) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline().split()
        if not answer:
            sys.exit("the worker ended")
        return answer

    def run(self):
        return int(self.ask("run")[0])

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def build(package, folder):
    """The path of the program of a package, built into folder."""
    out = os.path.join(folder, os.path.basename(package))
    subprocess.run(["go", "build", "-o", out, package], cwd=ROOT, check=True, env=dict(os.environ, CGO_ENABLED="0"))
    return out


def turn(run):
    """Times run again and again for a turn, without its first time."""
    run()
    times, end = [], time.perf_counter() + TURN
    while not times or time.perf_counter() < end:
        times.append(run())
    return times


def in_turns(sides, rounds=ROUNDS):
    """Medians of the times of functions that each return one time."""
    times = [[] for _ in sides]
    for i in range(rounds):
        order = range(len(sides)) if i % 2 == 0 else reversed(range(len(sides)))
        for side in order:
            times[side] += turn(sides[side])
            time.sleep(PAUSE)
    return [statistics.median(t) for t in times]


def error(got, want):
    """The largest difference, relative to the largest value of each picture."""
    got = got.reshape(len(want), -1)
    want = want.reshape(len(want), -1)
    return float((np.abs(got - want).max(1) / np.abs(want).max(1)).max())


def record(kind, **fields):
    """Adds a result to results.json, in place of an older one of the same kind, name and processor."""
    path = os.path.join(HERE, "results.json")
    results = []
    if os.path.exists(path):
        with open(path) as f:
            results = json.load(f)
    entry = dict(kind=kind, processor=processor(), versions=versions(), date=time.strftime("%Y-%m-%d"), **fields)
    key = lambda e: (e["kind"], e["name"], e["processor"])
    results = [e for e in results if key(e) != key(entry)] + [entry]
    results.sort(key=key)
    with open(path + ".tmp", "w") as f:
        json.dump(results, f, indent=1, ensure_ascii=False)
        f.write("\n")
    os.replace(path + ".tmp", path)


def versions():
    go = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True, cwd=ROOT).stdout.strip()
    return f"{go}, onnxruntime {peers.ort.__version__}, Python {platform.python_version()}"


def report(kind, name, ours, theirs, mark, command, **more):
    """Prints a result and keeps it. Times are nanoseconds."""
    ratio = ours / theirs
    verdict = "" if mark is None else ("ok" if ratio <= mark else "MISSED")
    limit = "" if mark is None else f"{mark:.2f}"
    extra = "  ".join(f"{k} {v}" for k, v in more.items())
    print(f"{name:44} {ours / 1e6:9.2f} {theirs / 1e6:9.2f} {ratio:6.2f} {limit:>5} {verdict:6} {extra}", flush=True)
    record(kind, name=name, ours_ms=round(ours / 1e6, 3), peer_ms=round(theirs / 1e6, 3), ratio=round(ratio, 3),
           mark=mark, command=command, **more)


def heading(title):
    print(f"{title}\n{'':44} {'ours ms':>9} {'peer ms':>9} {'ratio':>6} {'mark':>5}", flush=True)


def model_file(name, models):
    return DEFAULT if name == "default" else os.path.join(models, name + "-ts.onnx")


def cnn(args):
    heading("CNN, float32, ours / ONNX Runtime")
    ours_env = {"CAPTION_CPU": args.cpu} if args.cpu else {}
    for name in MODELS:
        path = model_file(name, args.models)
        if name not in (args.only or MODELS):
            continue
        if not os.path.exists(path):
            print(f"{name}: {path} is not there; see --models")
            continue
        for batch in args.batch:
            for threads in args.threads:
                mark = next((m for c in CNN if c[:3] == (name, batch, threads) for m in c[3:]), None)
                one_cnn(args, name, path, batch, threads, mark, ours_env)


def one_cnn(args, name, path, batch, threads, mark, env):
    """Times one network against ONNX Runtime on the same pictures."""
    with tempfile.TemporaryDirectory() as tmp:
        worker = Worker(args.worker, GOMAXPROCS=str(threads), **env)
        _, feature, *shape = worker.ask("open", path, threads)
        x = np.random.default_rng(1).normal(size=(batch, *map(int, shape))).astype(np.float32)
        x.tofile(f"{tmp}/x")
        worker.ask("input", batch, f"{tmp}/x")
        peer = peers.Peer(path, feature, threads, x)
        ours, theirs = in_turns([worker.run, peer.run])
        worker.ask("save", f"{tmp}/y")
        err = error(np.fromfile(f"{tmp}/y", np.float32), peer.out)
        worker.close()
    cpu = f", CAPTION_CPU={args.cpu}" if args.cpu else ""
    if args.cpu:
        mark = {"avx2": 2.1}.get(args.cpu) if (name, batch, threads) == ("resnet50", 1, 1) else None
    command = f"bench.py cnn --only {name} --batch {batch} --threads {threads}" + (f" --cpu {args.cpu}" if args.cpu else "")
    report("cnn", f"{name}, batch {batch}, {threads} thread{'s'[:threads > 1]}{cpu}", ours, theirs, mark, command,
           error=f"{err:.1e}")


def bf16_mark(name):
    """What bf16 is to reach of float32's time, by what the processor has."""
    amx, avx512 = {"resnet50": (0.3, 0.6), "mobilenet_v2": (0.6, 0.85)}.get(name, (None, None))
    return amx if "amx_bf16" in processor() else avx512


def bf16(args):
    heading("bf16, batch 8, 2 threads, ours / our own float32")
    for name in ["resnet50", "mobilenet_v2", "default"]:
        path = model_file(name, args.models)
        with tempfile.TemporaryDirectory() as tmp:
            workers = []
            for precision in "bf16", "float32":
                w = Worker(args.worker, GOMAXPROCS="2")
                shape = list(map(int, w.ask("open", path, 2, precision)[2:]))
                np.random.default_rng(1).normal(size=(8, *shape)).astype(np.float32).tofile(f"{tmp}/x")
                w.ask("input", 8, f"{tmp}/x")
                workers.append(w)
            times = in_turns([w.run for w in workers])
            for w in workers:
                w.close()
        report("bf16", f"{name}, batch 8, 2 threads", *times, bf16_mark(name), "bench.py bf16")


def load(args):
    """Opening a model that is in the file cache, alone and with its first run,
    which pays for what opening has put off."""
    heading("Opening, ours / creating a session of ONNX Runtime")
    for name, path in [("resnet50", model_file("resnet50", args.models)), ("default", DEFAULT)]:
        for threads in 1, 2:
            worker = Worker(args.worker, GOMAXPROCS=str(threads))
            first = worker.ask("open", path, threads)
            shape = list(map(int, first[2:]))
            x = np.random.default_rng(1).normal(size=(1, *shape)).astype(np.float32)
            with tempfile.NamedTemporaryFile() as f:
                x.tofile(f.name)
                worker.ask("input", 1, f.name)
            peer = peers.Opening(path, threads, x)
            open_ours = lambda: int(worker.ask("open", path, threads)[0])
            sides = [open_ours, lambda: open_ours() + worker.run(), peer.open, lambda: peer.open() + peer.run()]
            times = in_turns(sides)
            worker.close()
            s = f'{threads} thread{"s"[:threads > 1]}'
            report("load", f"{name}, open, {s}", times[0], times[2], 0.333 if name == "resnet50" else None, "bench.py load")
            report("load", f"{name}, open and first run, {s}", times[1], times[3], None, "bench.py load")


def peak_memory(command):
    """Peak resident memory of a command in bytes. A process counts the memory of
    the one that it was forked from, so that a small one starts the command."""
    launcher = ("import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=True); "
                "print(1024 * resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)")
    out = subprocess.run([sys.executable, "-S", "-c", launcher, *command], capture_output=True, text=True, check=True)
    return int(out.stdout)


def cold(args):
    """A caption, from the start of the process to its end, and its peak memory."""
    heading("caption PHOTO, cold process, ours / the CNN alone in ONNX Runtime (1 thread, warm)")
    with tempfile.TemporaryDirectory() as tmp:
        program = build("./cmd/caption", tmp)
        worker = Worker(args.worker)
        _, feature, *shape = worker.ask("open", DEFAULT, 1)
        worker.close()
        x = np.random.default_rng(1).normal(size=(1, *map(int, shape))).astype(np.float32)
        peer = peers.Peer(DEFAULT, feature, 1, x)
        command = [program, args.photo, "--beam", "3"]

        def caption():
            start = time.perf_counter_ns()
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
            return time.perf_counter_ns() - start

        ours, theirs = in_turns([caption, peer.run])
        mb = statistics.median(peak_memory(command) for _ in range(ROUNDS)) / 1e6
    report("cold", "caption, 500-pixel photo", ours, theirs, 3.0, "bench.py cold", peak_MB=round(mb))


def decode(args):
    """JPEGs of 12 megapixels decoded at the scale that 260x260 pixels need, and
    a photo of 12 megapixels and of 500 pixels from file to the CNN's input."""
    heading("Photos, ours / Pillow with draft(), 1 thread")
    big = sorted(glob.glob(os.path.join(args.photos, "big", "*.jpg")))
    kinds = {k: [p for p in big if k in p] for k in ("420", "444", "progressive")}
    middle = sorted(glob.glob(os.path.join(args.photos, "middle", "*.jpg")))[:20]
    worker = Worker(args.worker, GOMAXPROCS="1")

    def side(ask, paths):
        """A function that goes through the photos in turn."""
        several = itertools.cycle(paths)
        return lambda: ask(next(several))

    ours = lambda what: lambda path: int(worker.ask(what, path)[0])
    for what, name, paths, peer in [
        *(("decode", f"decoding 12 MP, {k}", p, pillow.time_decode) for k, p in kinds.items()),
        ("prepare", "file to CNN input, 12 MP, 420", kinds["420"], pillow.time_prepare),
        ("prepare", "file to CNN input, 500 pixels", middle, pillow.time_prepare),
    ]:
        times = in_turns([side(ours(what), paths), side(peer, paths)])
        report("decode", name, *times, 1.0 if what == "decode" else None, "bench.py decode")
    worker.close()


def photos(args):
    """Many photos from file to feature file, whole processes."""
    heading("extract, default CNN, 2 threads, whole process, ours / Pillow and ONNX Runtime")
    with tempfile.TemporaryDirectory() as tmp:
        program = build("./cmd/extract", tmp)
        model, out = os.path.join(tmp, "cut.onnx"), os.path.join(tmp, "ours.npy")
        worker = Worker(args.worker)
        with open(model, "wb") as f:
            f.write(peers.cut(DEFAULT, worker.ask("open", DEFAULT, 1)[1]))
        worker.close()

        def timed(*commands):
            start = time.perf_counter_ns()
            processes = [subprocess.Popen(c, env=dict(os.environ, GOMAXPROCS="2")) for c in commands]
            if any([p.wait() for p in processes]):
                sys.exit(f"failed: {commands[0][:4]}")
            return time.perf_counter_ns() - start

        def ours(folder):
            return timed([program, "-q", "-j", "2", folder, "-o", out])

        def theirs(folder, processes, threads, batch):
            paths = [p.path for p in sorted(os.scandir(folder), key=lambda e: e.name)]
            script = os.path.join(HERE, "pillow.py")
            return timed(*([sys.executable, script, model, f"{tmp}/{i}.npy", str(threads), str(batch), *paths[i::processes]]
                           for i in range(processes)))

        for name, folder, mark, ways in [
            ("1,000 photos of 224 pixels", "small", 0.9, [(1, 2, 1), (1, 2, 8)]),
            ("500 photos of 12 MP", "big500", 0.8, [(2, 1, 1)]),
        ]:
            folder = os.path.join(args.photos, folder)
            sides = [lambda: ours(folder), *(lambda w=w: theirs(folder, *w) for w in ways)]
            times = [statistics.median(t) for t in zip(*([side() for side in sides] for _ in range(args.rounds)))]
            best = min(range(len(ways)), key=lambda i: times[1 + i])
            processes, threads, batch = ways[best]
            report("photos", name, times[0], times[1 + best], mark, "bench.py photos",
                   peer=f"processes {processes}, threads {threads}, batch {batch}")


def numbers(text):
    return [int(n) for n in text.split(",")]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    p = commands.add_parser("cnn", help="networks against ONNX Runtime")
    p.add_argument("--models", default=os.environ.get("CNN_EXPORTS", "."), help="folder of torchvision's exports")
    p.add_argument("--only", action="append", choices=MODELS)
    p.add_argument("--batch", type=numbers, default=[1, 8])
    p.add_argument("--threads", type=numbers, default=[1, 2])
    p.add_argument("--cpu", help="CAPTION_CPU for our side")
    p.set_defaults(do=cnn)
    p = commands.add_parser("bf16", help="bf16 against float32")
    p.add_argument("--models", default=os.environ.get("CNN_EXPORTS", "."), help="folder of torchvision's exports")
    p.set_defaults(do=bf16)
    p = commands.add_parser("load", help="opening a model")
    p.add_argument("--models", default=os.environ.get("CNN_EXPORTS", "."), help="folder of torchvision's exports")
    p.set_defaults(do=load)
    p = commands.add_parser("cold", help="one caption, from start to exit")
    p.add_argument("photo", nargs="?", default=os.path.join(ROOT, "testdata", "images", "astronaut.jpg"))
    p.set_defaults(do=cold)
    p = commands.add_parser("decode", help="photos against Pillow")
    p.add_argument("photos", help="folder that makephotos.py wrote")
    p.set_defaults(do=decode)
    p = commands.add_parser("photos", help="extract against Pillow and ONNX Runtime")
    p.add_argument("photos", help="folder that makephotos.py wrote")
    p.add_argument("--rounds", type=int, default=3)
    p.set_defaults(do=photos)
    args = parser.parse_args()
    print(processor())
    print(versions())
    with tempfile.TemporaryDirectory() as tmp:
        args.worker = build("./bench/worker", tmp)
        args.do(args)


if __name__ == "__main__":
    main()
