"""How often a trained network would write exactly the expected answer, without writing it: all
tokens of the answer are the likeliest ones when it is read (the same as greedy decoding giving it).

    python3 evaluate.py GGUF... --generator PATH [--tasks N] [--split test] [--json FILE]

A lower bound of what the checks of `lichen eval` accept, in seconds instead of minutes: by model,
family and level; of each further model, the share of answer tokens on which it agrees with the
first one, and how many points both together have over the better one.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch

from gguf_file import load_gguf
from models import CONTEXT
from tasks import generate
from text import ANSWERS, TOKEN, Encoder, rows_of, turns
from tokenizer import END, parts_of
from train import Row, log


@torch.no_grad()
def read(network, documents, filling):
    """For each document: the network's likeliest next token after each of its tokens."""
    row, found = Row(filling), []
    forward = torch.compile(network, dynamic=False)
    for marked, n in rows_of(documents, filling):
        mask = row.load(torch.from_numpy(marked.view(np.int16)).cuda())
        with torch.autocast("cuda", torch.bfloat16):
            best = forward(row.ids, row.positions, mask)[0].argmax(-1)
        lengths = [len(d) for d in documents[len(found):len(found) + n]]
        found.extend(np.split(best.cpu().numpy(), np.cumsum(lengths))[:-1])
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+", type=Path, metavar="GGUF")
    parser.add_argument("--generator", required=True)
    parser.add_argument("--split", default="test")
    parser.add_argument("--tasks", type=int, default=12_000)
    parser.add_argument("--json", type=Path)
    o = parser.parse_args()
    families = sorted({t["family"] for t in generate(o.generator, o.split, 1, 0, 5000)})
    same_share = {family: 1.0 for family in families}
    tasks = list(generate(o.generator, o.split, 7, 0, o.tasks, same_share))
    right, best_tokens, vocabularies = {}, {}, {}
    names = [file.stem for file in o.files]
    for name, file in zip(names, o.files):
        network, _, tokenizer = load_gguf(file)
        network = network.cuda()
        vocabularies[name] = parts_of(tokenizer)
        documents = list(Encoder(tokenizer).encode([turns(t) for t in tasks]))
        long = [i for i, d in enumerate(documents) if len(d) > CONTEXT]
        for i in long:
            documents[i] = documents[i][:CONTEXT]
        best = read(network, documents, tokenizer.token_to_id(END))
        answers = [np.flatnonzero(d & ANSWERS) for d in documents]
        ids = [d & TOKEN for d in documents]
        right[name] = np.array([(b[a - 1] == d[a]).all() and i not in long for i, (b, a, d) in
                                enumerate(zip(best, answers, ids))])
        best_tokens[name] = [b[a - 1] for b, a in zip(best, answers)]
        log(name, f"exact {right[name].mean():.3f}", f"too long: {len(long)}",
            f"mean tokens {np.mean([len(d) for d in documents]):.0f}",
            f"longest {max(len(d) for d in documents)}")
    report = {"cells": {}, "all": {s: float(r.mean()) for s, r in right.items()}}
    cells = defaultdict(list)
    for i, task in enumerate(tasks):
        cells[task["family"], task["level"]].append(i)
    for family in families:
        line = []
        for name in names:
            values = [float(right[name][cells[family, level]].mean()) for level in (1, 2, 3, 4)]
            report["cells"].setdefault(family, {})[name] = values
            line.append(name + " " + " ".join(f"{v:.2f}" for v in values))
        log(f"{family:16}", " | ".join(line))
    first = names[0]
    for other in names[1:]:
        both = float((right[first] | right[other]).mean())
        better = max(report["all"][first], report["all"][other])
        report.setdefault("oracle", {})[f"{first}+{other}"] = both
        log(f"oracle {first}+{other}: {both:.3f}, over the better one {both - better:+.3f}")
        if vocabularies[first] == vocabularies[other]:
            same = np.concatenate([a == b for a, b in zip(best_tokens[first], best_tokens[other])])
            report.setdefault("agreement", {})[f"{first}+{other}"] = float(same.mean())
            log(f"agreement {first}+{other}: {same.mean():.3f} of answer tokens")
    if o.json:
        o.json.write_text(json.dumps(report))


if __name__ == "__main__":
    main()
