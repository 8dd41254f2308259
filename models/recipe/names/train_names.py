"""Trains the names model on the shards of generate.py and writes it as GGUF.

    python3 train_names.py SHARDS OUT [--within SECONDS] [--tokens N]

One pass over fresh text while it is being written. The model is an encoder: the network of models.py
without its last matrix, every token seeing all of its text, and a linear head over the kinds of names.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch import nn
from torch.nn.attention.flex_attention import BlockMask

sys.path.insert(0, str(Path(__file__).parents[1]))
import gguf
from generate import BEGINS, KINDS, LABELS, LONGEST, ROW
from gguf_file import KINDS as FILE_TYPES
from gguf_file import write_gguf
from models import Architecture, Network
from tokenizer import END
from train import Muon

ENCODER = Architecture(width=256, layers=6, heads=4, kv_heads=4, hidden=704, file_type="Q8_0")
MATRIX_RATE, VECTOR_RATE = 0.02, 3e-3
WARM_UP, DECAY = 200, 0.6
HIDDEN_TOKENS, HIDDEN_NAMES = 0.02, 0.08  # shares of tokens that the model is not shown
SMOOTHING = 0.02
BLOCK = 128
PATIENCE = 60  # seconds for the next shard
TOKENS = 400e6
THRESHOLD = 0.5  # default: a word is private from this probability on
# What the test of the program compares with: texts, and probabilities that tokens are private.
FIXED = ("My name is Zelda Vorschtein and I work for Quorbix in Lisbon.",
         "improve: hi tarek, please ask miriam from nordwind gmbh to call back on friday",
         "The quick brown fox jumps over the lazy dog.",
         "Ich heiße Jürgen Großmann und wohne in Düsseldorf.")

started = time.time()


def log(*words):
    print(f"[{time.time() - started:6.1f}]", *words, flush=True)


class Encoder(Network):
    def __init__(self, architecture, vocabulary):
        super().__init__(architecture, vocabulary)
        self.head = nn.Linear(architecture.width, LABELS)

    def forward(self, tokens, positions, mask):
        """(1, tokens). Returns the logits of the labels, (1, tokens, LABELS)."""
        x = self.token_embd(tokens)
        cos, sin = self.cos[positions[0]].to(x.dtype), self.sin[positions[0]].to(x.dtype)
        for block in self.blk:
            x = block(x, cos, sin, mask)
        return self.head(self.output_norm(x))


def rows(folder):
    number, waited = 0, 0
    while True:
        file = folder / f"{number:04}.npz"
        if file.exists():
            with np.load(file) as shard:
                tokens, labels = shard["tokens"].astype(np.int32), shard["labels"].astype(np.int64)
            for t, l in zip(tokens, labels):
                yield torch.from_numpy(t).cuda(), torch.from_numpy(l).cuda()
            number, waited = number + 1, 0
        elif (folder / "done").exists():
            log("all text was read; from the beginning again")
            number = 0
        elif waited > PATIENCE:
            raise SystemExit(f"{file} does not come: has generate.py ended?")
        else:
            time.sleep(0.1)
            waited += 0.1


class Row:
    """Texts end to end; each sees itself alone, all of it."""

    def __init__(self, hidden):
        self.hidden = hidden

        def buffer(kind):
            return torch.zeros(1, ROW, dtype=kind, device="cuda")

        self.ids, self.positions, self.labels = (buffer(torch.int64) for _ in range(3))
        self.text = torch.zeros(ROW, dtype=torch.int32, device="cuda")
        self.index = torch.arange(ROW, dtype=torch.int32, device="cuda")
        self.blocks = torch.arange(ROW // BLOCK, dtype=torch.int32, device="cuda")
        text = self.text

        def same_text(b, h, q, kv):
            return text[q] == text[kv]

        self.mask_mod = same_text

    def load(self, marked, labels, training=True):
        ids = (marked & (BEGINS - 1)).long()
        if training:
            drawn = torch.rand(ROW, device="cuda")
            share = torch.where(labels > 0, HIDDEN_NAMES, HIDDEN_TOKENS)
            ids = torch.where(drawn < share, self.hidden, ids)
        self.ids[0], self.labels[0] = ids, labels
        begins = (marked & BEGINS) != 0
        first = torch.where(begins, self.index, 0).cummax(0).values
        following = torch.where(begins, self.index, ROW).flip(0).cummin(0).values.flip(0)
        end = torch.cat((following[1:], following.new_tensor([ROW])))
        self.text.copy_(first)
        self.positions[0] = self.index - first
        lowest = first[::BLOCK] // BLOCK
        highest = (end[BLOCK - 1::BLOCK] - 1) // BLOCK
        columns = (lowest[:, None] + self.blocks[None, :]).clamp(max=len(self.blocks) - 1)
        return BlockMask.from_kv_blocks((highest - lowest + 1)[None, None].int(),
                                        columns[None, None].int(), BLOCK_SIZE=BLOCK,
                                        mask_mod=self.mask_mod, seq_lengths=(ROW, ROW))


def train(network, shards, hidden, tokens, within):
    matrices = [p for p in network.blk.parameters() if p.dim() == 2]
    vectors = [p for p in network.parameters() if p.dim() == 1]
    vectors += [network.token_embd.weight, network.head.weight]
    optimizers = [Muon(matrices, MATRIX_RATE),
                  torch.optim.AdamW(vectors, lr=VECTOR_RATE, betas=(0.9, 0.95), weight_decay=0,
                                    fused=True)]
    base = [[g["lr"] for g in o.param_groups] for o in optimizers]
    row = Row(hidden)

    @torch.compile(dynamic=False)
    def loss_of(mask):
        with torch.autocast("cuda", torch.bfloat16):
            logits = network(row.ids, row.positions, mask)
        return F.cross_entropy(logits[0].float(), row.labels[0], label_smoothing=SMOOTHING)

    steps, history = int(tokens / ROW), []
    for step, (marked, labels) in enumerate(rows(shards)):
        done = max(step / steps, (time.time() - started) / within if within else 0)
        if done >= 1:
            break
        loss = loss_of(row.load(marked, labels))
        loss.backward()
        torch.nn.utils.clip_grad_norm_(vectors, 1.0)
        scale = min(1.0, (step + 1) / WARM_UP, (1 - done) / DECAY)
        for optimizer, rates in zip(optimizers, base):
            for group, rate in zip(optimizer.param_groups, rates):
                group["lr"] = rate * scale
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        if step % 200 == 0:
            history.append((step, round(loss.item(), 4)))
            log(f"step {step} loss {loss.item():.4f}, {(step + 1) * ROW / 1e6:.0f}M tokens")
    return step, history


def spans_of(labels):
    """(begin, end, kind) of tokens; a kind that changes begins a span, too."""
    spans, open_kind = [], None
    for i, label in enumerate(labels):
        kind = (label - 1) // 2 if label else None
        if kind is None or label % 2 == 1 or kind != open_kind:
            if open_kind is not None:
                spans.append((begin, i, open_kind))
            begin = i
        open_kind = kind
    if open_kind is not None:
        spans.append((begin, len(labels), open_kind))
    return spans


def evaluate(network, shards, hidden):
    """Precision and recall of whole names on held-out names and templates, by kind."""
    row, kinds = Row(hidden), len(KINDS)
    right, known, found = [0] * kinds, [0] * kinds, [0] * kinds
    threshold = {t: [0, 0, 0, 0] for t in (0.2, 0.35, 0.5, 0.65, 0.8)}
    forward = torch.compile(network, dynamic=False)
    with np.load(shards / "valid.npz") as shard:
        tokens, labels = shard["tokens"].astype(np.int32), shard["labels"].astype(np.int64)
    for marked, wanted in zip(tokens, labels):
        mask = row.load(torch.from_numpy(marked).cuda(), torch.from_numpy(wanted).cuda(), False)
        with torch.no_grad(), torch.autocast("cuda", torch.bfloat16):
            probabilities = forward(row.ids, row.positions, mask)[0].float().softmax(-1)
        given = probabilities.argmax(-1).cpu().numpy()
        private = 1 - probabilities[:, 0].cpu().numpy()
        truth, guess = set(spans_of(wanted)), set(spans_of(given))
        for k in range(kinds):
            mine, theirs = {s for s in guess if s[2] == k}, {s for s in truth if s[2] == k}
            right[k] += len(mine & theirs)
            found[k] += len(mine)
            known[k] += len(theirs)
        for t, counts in threshold.items():
            for i, n in enumerate((((private >= t) & (wanted > 0)).sum(), (wanted > 0).sum(),
                                   ((private >= t) & (wanted == 0)).sum(), (private >= t).sum())):
                counts[i] += int(n)
    for k, name in enumerate(KINDS):
        log(f"{name:13} {known[k]:6} known, recall {right[k] / max(1, known[k]):.3f}, "
            f"precision {right[k] / max(1, found[k]):.3f}")
    for t, (hit, names, wrong, all_) in threshold.items():
        log(f"tokens at {t}: recall {hit / names:.4f}, precision {1 - wrong / max(1, all_):.4f}")
    return {"kinds": {n: {"known": known[k], "recall": right[k] / max(1, known[k]),
                          "precision": right[k] / max(1, found[k])} for k, n in enumerate(KINDS)}}


def rounded(network):
    """As the file has them: the matrices' values after Q8_0 and back."""
    kind = FILE_TYPES[ENCODER.file_type][0]
    state = {}
    for name, tensor in network.state_dict().items():
        if tensor.dim() == 2 and not name.startswith("head"):
            data = gguf.quants.quantize(tensor.float().cpu().numpy(), kind)
            tensor = torch.from_numpy(np.array(gguf.quants.dequantize(data, kind), np.float32))
        state[name] = tensor.cuda().float()
    return state


def expectations(network, tokenizer):
    """Of FIXED texts, by plain attention in F32."""
    found = []
    for text in FIXED:
        ids = tokenizer.encode(text).ids
        with torch.no_grad():
            x = network.token_embd(torch.tensor(ids, device="cuda")[None])
            cos, sin = network.cos[:len(ids)], network.sin[:len(ids)]
            for block in network.blk:
                x = plain_block(block, x, cos, sin)
            chances = network.head(network.output_norm(x))[0].softmax(-1)
        found.append({"text": text, "tokens": ids,
                      "private": [round(v, 4) for v in (1 - chances[:, 0]).tolist()],
                      "label": chances.argmax(-1).tolist()})
    return found


def plain_block(block, x, cos, sin):
    from models import rotate
    y = block.attn_norm(x)

    def split(z, heads):
        return z.view(1, -1, heads, block.head_width).transpose(1, 2)

    q = rotate(split(block.attn_q(y), block.heads), cos, sin)
    k = rotate(split(block.attn_k(y), block.kv_heads), cos, sin)
    a = F.scaled_dot_product_attention(q, k, split(block.attn_v(y), block.kv_heads))
    x = x + block.attn_output(a.transpose(1, 2).reshape(1, -1, x.size(-1)))
    y = block.ffn_norm(x)
    return x + block.ffn_down(F.silu(block.ffn_gate(y)) * block.ffn_up(y))


def add_head(network):
    """What a reader of the file needs beside the encoder."""
    names = ["O"] + [f"{part}-{kind}" for kind in KINDS for part in "BI"]

    def add(writer):
        writer.add_array("lichen.names.labels", names)
        writer.add_array("lichen.names.head", network.head.weight.float().cpu().flatten().tolist())
        writer.add_array("lichen.names.bias", network.head.bias.float().cpu().tolist())
        writer.add_uint32("lichen.names.window", LONGEST)
        writer.add_float32("lichen.names.threshold", THRESHOLD)

    return add


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("shards", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--tokens", type=float, default=TOKENS)
    parser.add_argument("--within", type=float, default=0, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=1)
    o = parser.parse_args()
    torch.manual_seed(o.seed)
    torch.set_float32_matmul_precision("high")
    while not (o.shards / "tokenizer.json").exists():
        time.sleep(0.2)
    tokenizer = Tokenizer.from_file(str(o.shards / "tokenizer.json"))
    hidden = tokenizer.token_to_id(END)
    network = Encoder(ENCODER, tokenizer.get_vocab_size()).cuda()
    log(f"{sum(p.numel() for p in network.parameters()) / 1e6:.2f}M parameters, {ENCODER}")
    steps, history = train(network, o.shards, hidden, o.tokens, o.within)
    o.out.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), o.out / "names.pt")
    state = rounded(network)
    weights = {n: t for n, t in state.items() if not n.startswith("head")}
    write_gguf(o.out / "lichen-names.gguf", "lichen-names", ENCODER, weights, tokenizer,
               architecture="llama-embed", more=add_head(network))
    network.load_state_dict(state)
    report = {"steps": steps, "losses": history, "tokens": steps * ROW,
              "expected": expectations(network, tokenizer)}
    (o.out / "names.json").write_text(json.dumps(report))
    log("written")
    report |= evaluate(network, o.shards, hidden)
    (o.out / "names.json").write_text(json.dumps(report))


if __name__ == "__main__":
    main()
