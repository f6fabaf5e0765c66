# Rewrites the second column of ptb.tsv: the tokens of the first as the COCO
# caption evaluation makes them (PyPI pycocoevalcap 1.2, needs Java). It keeps
# brackets in lower case and the signs & # $ % @ /, which are dropped here.
from pycocoevalcap.tokenizer.ptbtokenizer import PTBTokenizer

lines = [s.split("\t")[0] for s in open("ptb.tsv", encoding="utf-8").read().splitlines()]
tokens = PTBTokenizer().tokenize({i: [{"caption": s}] for i, s in enumerate(lines)})
drop = {"-lrb-", "-rrb-", "&", "#", "$", "%", "@", "/"}
with open("ptb.tsv", "w", encoding="utf-8") as f:
    for i, s in enumerate(lines):
        f.write(s + "\t" + " ".join(w for w in tokens[i][0].split() if w not in drop) + "\n")
