"""Writes golden.json: tiny random decoders and, for one feature vector each,
every sentence of at most 3 words with its log-probabilities, computed by
PyTorch's nn.RNN, nn.LSTM and nn.GRU in float64.

    python golden.py > golden.json
"""
import itertools
import json
import sys

import torch
from torch import nn

D, E, H, V, WORDS = 3, 4, 5, 8, 3
PAD, START, END, UNK = range(4)


def numbers(t):
    return [float("%.9g" % x) for x in t.flatten().tolist()]


def f32(*shape, scale=1.0):
    return (torch.randn(*shape) * scale).float().double()


def rows(t, order):
    """Reorders blocks of H rows."""
    return torch.cat([t[i * H:(i + 1) * H] for i in order])


def case(cell, entry):
    net = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[cell](E, H).double()
    with torch.no_grad():
        for p in net.parameters():
            p.copy_(f32(*p.shape, scale=0.8))
    wx, wh = net.weight_ih_l0.detach(), net.weight_hh_l0.detach()
    bx, bh = net.bias_ih_l0.detach(), net.bias_hh_l0.detach()
    bhn = None
    if cell == "gru":
        # The recurrent bias of the candidate is inside r∘(…), so kept apart.
        bhn = bh[2 * H:]
        b = bx + torch.cat([bh[:2 * H], torch.zeros(H)])
    else:
        b = bx + bh
    if cell == "lstm":  # PyTorch: i f g o; ours: i f o g
        order = [0, 1, 3, 2]
        wx, wh, b = rows(wx, order), rows(wh, order), rows(b, order)

    mean, std = f32(D), f32(D).abs() + 0.5
    first, every = nn.Linear(D, E).double(), nn.Linear(D, E).double()
    embed, out = f32(V, E), nn.Linear(H, V).double()
    with torch.no_grad():
        for m in (first, every, out):
            m.weight.copy_(f32(*m.weight.shape))
            m.bias.copy_(f32(*m.bias.shape))

    features = f32(D, scale=2)
    v = (features - mean) / std
    sentences = []
    with torch.no_grad():
        for n in range(1, WORDS + 1):
            for ids in itertools.product(range(UNK + 1, V), repeat=n):
                x = embed[torch.tensor([START, *ids])]
                if entry == "every":
                    x = x + every(v)
                x = torch.cat([first(v)[None], x])
                h, _ = net(x[:, None])
                lp = torch.log_softmax(out(h[1:, 0]), -1)
                want = torch.tensor([*ids, END])
                sentences.append({"ids": ids, "logprobs": numbers(lp[torch.arange(n + 1), want])})
    dec = {
        "Cell": cell, "Entry": entry, "D": D, "E": E, "H": H, "V": V,
        "Mean": numbers(mean), "Std": numbers(std),
        "FirstW": numbers(first.weight), "FirstB": numbers(first.bias),
        "Embed": numbers(embed), "Wx": numbers(wx), "Wh": numbers(wh), "B": numbers(b),
        "OutW": numbers(out.weight), "OutB": numbers(out.bias),
    }
    if entry == "every":
        dec |= {"EveryW": numbers(every.weight), "EveryB": numbers(every.bias)}
    if bhn is not None:
        dec["BHn"] = numbers(bhn)
    return {"decoder": dec, "features": numbers(features), "maxWords": WORDS, "sentences": sentences}


torch.manual_seed(7)
cases = [case(c, e) for c in ("rnn", "lstm", "gru") for e in ("init", "every")]
json.dump(cases, sys.stdout, separators=(",", ":"))
print()
