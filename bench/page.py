#!/usr/bin/env python3
"""Writes the tables and the plot of results.json into README.md, between its
marks, and into plot.svg. Needs nothing but Python."""
import html
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))

KINDS = {
    "cnn": ("Networks, float32", "ONNX Runtime"),
    "bf16": ("Networks, bf16 against our own float32", "our float32"),
    "load": ("Opening a model", "creating ONNX Runtime's session"),
    "cold": ("One caption, from the start of the process to its end", "the CNN alone in ONNX Runtime, warm"),
    "decode": ("Photos, 1 thread", "Pillow"),
    "photos": ("Many photos, whole processes", "Pillow + ONNX Runtime"),
}


def verdict(e):
    if e["mark"] is None:
        return ""
    return "reached" if e["ratio"] <= e["mark"] else "**missed**"


def extras(e):
    known = {"kind", "processor", "versions", "date", "name", "ours_ms", "peer_ms", "ratio", "mark", "command"}
    return ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in e.items() if k not in known)


def table(entries, peer):
    lines = [f"| | ours, ms | {peer}, ms | ratio | at most | | | command |", "|---|---:|---:|---:|---:|---|---|---|"]
    for e in entries:
        mark = "" if e["mark"] is None else f'{e["mark"]:.2g}'
        lines.append(f'| {e["name"]} | {e["ours_ms"]:.1f} | {e["peer_ms"]:.1f} | {e["ratio"]:.2f} | {mark} '
                     f'| {verdict(e)} | {extras(e)} | `{e["command"]}` |')
    return "\n".join(lines) + "\n"


def text(results):
    parts = []
    for machine in dict.fromkeys(e["processor"] for e in results):
        here = [e for e in results if e["processor"] == machine]
        dates = sorted({e["date"] for e in here})
        parts.append(f"## {machine}\n\n{dates[-1]}; {here[-1]['versions']}\n")
        for kind, (title, peer) in KINDS.items():
            if entries := [e for e in here if e["kind"] == kind]:
                parts.append(f"### {title}\n\n{table(entries, peer)}")
    return "\n".join(parts)


def plot(entries):
    """Bars of the ratios of networks against ONNX Runtime."""
    left, top, step, unit = 250, 46, 22, 300
    height, width = top + step * len(entries) + 16, left + round(1.5 * unit) + 60
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
           f'<rect width="{width}" height="{height}" fill="#fff"/>',
           f'<text x="{left}" y="18">time of caption ÷ time of ONNX Runtime; shorter is faster</text>',
           f'<text x="{left}" y="34" fill="#777">{html.escape(entries[0]["processor"])}</text>']
    for i, e in enumerate(entries):
        y = top + step * i
        bar = min(e["ratio"], 1.5) * unit
        colour = "#2a7f62" if e["ratio"] <= 1 else "#c2703d"
        out += [f'<text x="{left - 8}" y="{y + 13}" text-anchor="end">{html.escape(e["name"])}</text>',
                f'<rect x="{left}" y="{y}" width="{bar:.0f}" height="17" fill="{colour}"/>',
                f'<text x="{left + bar + 5:.0f}" y="{y + 13}">{e["ratio"]:.2f}</text>']
    out += [f'<line x1="{left + unit}" x2="{left + unit}" y1="{top - 4}" y2="{height - 10}" stroke="#333" stroke-dasharray="4 3"/>', "</svg>"]
    return "\n".join(out) + "\n"


def main():
    with open(os.path.join(HERE, "results.json")) as f:
        results = json.load(f)
    readme = os.path.join(HERE, "README.md")
    with open(readme) as f:
        page = f.read()
    begin, end = "<!-- results -->\n", "<!-- end of results -->\n"
    head, rest = page.split(begin)
    _, tail = rest.split(end)
    with open(readme, "w") as f:
        f.write(head + begin + "\n" + text(results) + "\n" + end + tail)
    nets = [e for e in results if e["kind"] == "cnn" and "CAPTION_CPU" not in e["name"]]
    with open(os.path.join(HERE, "plot.svg"), "w") as f:
        f.write(plot([e for e in nets if e["processor"] == nets[-1]["processor"]]))


if __name__ == "__main__":
    main()
