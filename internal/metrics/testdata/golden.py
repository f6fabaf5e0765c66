# Writes golden.json: made-up captions and their scores by the COCO caption
# code (PyPI pycocoevalcap 1.2), on tokens that are already apart by spaces.
# With a file argument ({"hyps": [...], "refs": [[...], ...]}) it prints the
# scores of those instead.
import json
import random
import sys

from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider
from pycocoevalcap.rouge.rouge import Rouge


def score(name, hyps, refs):
    gts = dict(enumerate(refs))
    res = {i: [h] for i, h in enumerate(hyps)}
    bleu, bleus = Bleu(4).compute_score(gts, res, verbose=0)
    rouge, rouges = Rouge().compute_score(gts, res)
    cider, ciders = Cider().compute_score(gts, res)
    return {
        "name": name,
        "hyps": hyps,
        "refs": refs,
        "set": {"BLEU": bleu, "ROUGEL": float(rouge), "CIDErD": float(cider)},
        "photos": [
            {"BLEU": [bleus[k][i] for k in range(4)], "ROUGEL": float(rouges[i]), "CIDErD": float(ciders[i])}
            for i in range(len(hyps))
        ],
    }


if len(sys.argv) > 1:
    case = json.load(open(sys.argv[1]))
    json.dump(score("", case["hyps"], case["refs"])["set"], sys.stdout)
    sys.exit()

rng = random.Random(1)
nouns = "dog cat man woman kite boat bench bike".split()
verbs = "sits runs jumps swims".split()
places = "grass beach street hill".split()


def sentence():
    s = f"a {rng.choice(nouns)} and a {rng.choice(nouns)}" if rng.random() < 0.3 else f"the {rng.choice(nouns)}"
    s += f" {rng.choice(verbs)} on the {rng.choice(places)}"
    if rng.random() < 0.3:
        s += f" near a {rng.choice(nouns)} 's {rng.choice(nouns)}"
    return s


park = [
    ["a brown dog runs over the wet grass", "a dog is running on grass", "the dog runs"],
    ["two children build a castle of sand at the beach", "kids play with sand", "a boy and a girl at the sea"],
    ["a red kite above a hill", "someone flies a red kite on a hill", "a kite in the sky"],
]
cases = [
    score("plain", ["a brown dog is running on the grass", "two kids play at the beach", "a red kite on a hill"], park),
    score("perfect", [r[0] for r in park], park),
    score("empty caption", ["", "two kids play at the beach", "a red kite on a hill"], park),
    score("all empty", ["", "", ""], park),
    score("nothing in common", ["x y z", "u v w q r s t", "one"], park),
    score("one word", ["dog", "sand", "kite"], park),
    score("repeated words", ["a a a a a a a", "the sand the sand the sand the sand", "kite kite a red kite kite"], park),
    score("much too long", [" and ".join(r) for r in park], park),
    score("one photo", ["a brown dog runs on the grass"], park[:1]),
    score("one reference", ["a dog runs", "two children at the beach", "a kite above a hill"], [r[:1] for r in park]),
    score("equally close lengths", ["a dog on the grass", "a kite up"], [["a dog", "a big dog lies on the green grass"], ["a kite flies up high", "kite"]]),
    score("the same references everywhere", ["a dog", "a dog runs", "a cat"], [["a dog runs"]] * 3),
    score("empty references", ["a dog", "", "a cat"], [["", "a dog runs"], [""], ["", ""]]),
    score("many", [sentence() for _ in range(40)], [[sentence() for _ in range(rng.randint(1, 5))] for _ in range(40)]),
]
with open("golden.json", "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
