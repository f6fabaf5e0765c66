# Writes golden.safetensors: for each kind of decoder random weights, and loss
# and gradients of a few captions as PyTorch computes them with its own
# recurrent layers and loss. Needs torch, numpy, safetensors.
import json
import numpy as np
import torch
from torch import nn
from safetensors.numpy import save_file

D, E, H, V, SMOOTH = 5, 6, 7, 11, 0.1
START, END = 1, 2
EXAMPLES = [  # photo, words, whether the caption ends there
    (0, [4, 5, 6], True), (1, [7], True), (1, [4, 4, 8, 9, 10], False),
    (2, [3, 5], True), (0, [6, 5, 7, 8, 3, 4], True)]
GATES = {"rnn": 1, "lstm": 4, "gru": 3}
TORCH = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}

rng = np.random.default_rng(1)
features = rng.uniform(-2, 2, (3, D)).astype(np.float32)
out, meta = {"features": features}, {"examples": json.dumps(EXAMPLES), "smooth": str(SMOOTH)}


def to_torch(w, cell):  # rows of gates i, f, o, g to PyTorch's i, f, g, o
    if cell != "lstm":
        return w
    i, f, o, g = np.split(w, 4)
    return np.concatenate([i, f, g, o])


def from_torch(w, cell):
    if cell != "lstm":
        return w
    i, f, g, o = np.split(w, 4)
    return np.concatenate([i, f, o, g])


for cell in GATES:
    for entry in "init", "every":
        G = GATES[cell] * H
        shapes = {"Embed": (V, E), "FirstW": (E, D), "FirstB": (E,), "Wx": (G, E), "Wh": (G, H), "B": (G,), "OutW": (V, H), "OutB": (V,)}
        if entry == "every":
            shapes |= {"EveryW": (E, D), "EveryB": (E,)}
        if cell == "gru":
            shapes |= {"BHn": (H,)}
        w = {k: rng.uniform(-0.7, 0.7, s).astype(np.float32) for k, s in shapes.items()}
        p = {k: torch.tensor(x, dtype=torch.float64, requires_grad=True) for k, x in w.items() if k in ("Embed", "FirstW", "FirstB", "EveryW", "EveryB", "OutW", "OutB")}
        net = TORCH[cell](E, H, batch_first=True).double()
        with torch.no_grad():
            net.weight_ih_l0[:] = torch.tensor(to_torch(w["Wx"], cell))
            net.weight_hh_l0[:] = torch.tensor(to_torch(w["Wh"], cell))
            net.bias_ih_l0[:] = torch.tensor(to_torch(w["B"], cell))
            net.bias_hh_l0[:] = 0
            if cell == "gru":
                net.bias_hh_l0[2 * H:] = torch.tensor(w["BHn"])
        steps = max(len(c) for _, c, _ in EXAMPLES) + 2
        x = torch.zeros(len(EXAMPLES), steps, E, dtype=torch.float64)
        target = torch.full((len(EXAMPLES), steps), -100)
        for i, (photo, words, whole) in enumerate(EXAMPLES):
            v = torch.tensor(features[photo], dtype=torch.float64)
            x[i, 0] = p["FirstW"] @ v + p["FirstB"]
            say = words + [END] if whole else words
            for t, word in enumerate([START] + words[:len(say) - 1], 1):
                x[i, t] = p["Embed"][word]
                if entry == "every":
                    x[i, t] = x[i, t] + p["EveryW"] @ v + p["EveryB"]
                target[i, t] = say[t - 1]
        h, _ = net(x)
        logits = h @ p["OutW"].T + p["OutB"]
        loss = nn.functional.cross_entropy(logits.reshape(-1, V), target.reshape(-1), ignore_index=-100, label_smoothing=SMOOTH)
        loss.backward()
        grad = {k: x.grad.numpy() for k, x in p.items()}
        grad["Wx"] = from_torch(net.weight_ih_l0.grad.numpy(), cell)
        grad["Wh"] = from_torch(net.weight_hh_l0.grad.numpy(), cell)
        grad["B"] = from_torch(net.bias_ih_l0.grad.numpy(), cell)
        if cell == "gru":
            grad["BHn"] = net.bias_hh_l0.grad.numpy()[2 * H:]
        name = f"{cell}/{entry}"
        meta[name] = repr(loss.item())
        for k in w:
            out[f"{name}/weight/{k}"] = w[k]
            out[f"{name}/gradient/{k}"] = grad[k].astype(np.float32)

save_file({k: np.ascontiguousarray(v) for k, v in out.items()}, "golden.safetensors", meta)
