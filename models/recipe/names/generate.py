"""Training text for the names model: templates filled with names, in the shapes in which people send
text to an assistant, as shards of tokens with a label each.

    python3 generate.py LISTS OUT [--workers N] [--shards N]   # a tokenizer, then shards
    python3 generate.py LISTS --show 20                         # some texts with their names marked

LISTS is what lists.mjs writes. A shard is ROWS rows of ROW tokens: OUT/NNNN.npz with `tokens` (the
high bit set where a text begins) and `labels`. OUT/valid.npz has names and templates that no shard has.
"""

import argparse
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from writer import HERE, KINDS, Writer

# 0: no name. 1 + 2 * kind: its first token; 2 + 2 * kind: a later one.
LABELS = 1 + 2 * len(KINDS)

VOCABULARY = 8192
ROW, ROWS = 65536, 8
BEGINS = 0x8000
LONGEST = 256  # tokens of a text
TOKENIZER_TEXTS = 40_000


def plain_and_spans(out):
    text, spans = "", []
    for piece, kind in out:
        if kind is not None and piece.strip():
            lead = len(piece) - len(piece.lstrip())
            spans.append((len(text) + lead, len(text) + len(piece.rstrip()), kind))
        text += piece
    return text, spans


def labels_of(offsets, spans):
    """Of tokens at character `offsets`; those of a span's first letter begin it."""
    labels, at = [0] * len(offsets), 0
    for begin, end, kind in spans:
        while at < len(offsets) and offsets[at][1] <= begin:
            at += 1
        first = at
        i = at
        while i < len(offsets) and offsets[i][0] < end:
            labels[i] = 1 + 2 * kind + (i > first)
            i += 1
        at = max(at, i - 1) if i > at and offsets[i - 1][1] > end else i
    return labels


def make_shard(lists_file, out, number, seed, rows, validation=False):
    import numpy as np
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(out / "tokenizer.json"))
    writer = Writer(json.loads(Path(lists_file).read_text(encoding="utf-8")), seed, validation)
    tokens = np.zeros((rows, ROW), np.uint16)
    labels = np.zeros((rows, ROW), np.uint8)
    for row in range(rows):
        filled = 0
        while filled < ROW:
            texts = [plain_and_spans(writer.text()) for _ in range(64)]
            for (text, spans), coded in zip(texts, tokenizer.encode_batch([t for t, _ in texts])):
                ids, marks = coded.ids, labels_of(coded.offsets, spans)
                if len(ids) > LONGEST:
                    cut = writer.rng.randrange(len(ids) - LONGEST)
                    ids, marks = ids[cut:cut + LONGEST], marks[cut:cut + LONGEST]
                length = min(len(ids), ROW - filled)
                if length == 0:
                    continue
                tokens[row, filled:filled + length] = ids[:length]
                tokens[row, filled] |= BEGINS
                labels[row, filled:filled + length] = marks[:length]
                filled += length
                if filled == ROW:
                    break
    name = "valid" if validation else f"{number:04}"
    np.savez(out / f"{name}.tmp.npz", tokens=tokens, labels=labels)
    (out / f"{name}.tmp.npz").rename(out / f"{name}.npz")
    return number


def sample(lists_file, seed, count):
    writer = Writer(json.loads(Path(lists_file).read_text(encoding="utf-8")), seed)
    return [plain_and_spans(writer.text())[0] for _ in range(count)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("lists", type=Path)
    parser.add_argument("out", type=Path, nargs="?")
    parser.add_argument("--workers", type=int, default=16)
    parser.add_argument("--shards", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, metavar="TEXTS")
    o = parser.parse_args()
    if o.show:
        writer = Writer(json.loads(o.lists.read_text(encoding="utf-8")), o.seed)
        for _ in range(o.show):
            print("".join(f"⟦{t}|{KINDS[k]}⟧" if k is not None else t for t, k in writer.text()))
            print("----")
        return
    sys.path.insert(0, str(HERE.parent))
    from tokenizer import learn_tokenizer

    o.out.mkdir(parents=True, exist_ok=True)
    started = time.time()
    with ProcessPoolExecutor(o.workers) as pool:
        parts = list(pool.map(sample, [o.lists] * o.workers, range(9000, 9000 + o.workers),
                              [TOKENIZER_TEXTS // o.workers] * o.workers))
        tokenizer = learn_tokenizer(VOCABULARY, (t for part in parts for t in part))
        tokenizer.save(str(o.out / "tokenizer.tmp"))
        (o.out / "tokenizer.tmp").rename(o.out / "tokenizer.json")
        print(f"tokenizer after {time.time() - started:.0f} s", flush=True)
        jobs = [pool.submit(make_shard, o.lists, o.out, 0, 777, 3, True)]
        jobs += [pool.submit(make_shard, o.lists, o.out, n, o.seed * 100_000 + n, ROWS)
                 for n in range(o.shards)]
        for job in jobs:
            job.result()
    (o.out / "done").touch()
    print(f"{o.shards} shards, {o.shards * ROWS * ROW / 1e6:.0f}M tokens, {time.time() - started:.0f} s",
          flush=True)


if __name__ == "__main__":
    main()
