"""Trains one of the bundled models on the shards of text.py and writes it as GGUF.

    python3 train.py MODEL SHARDS OUT [--from GGUF] [--tokens N] [--within SECONDS] [--seed N]
    torchrun --standalone --nproc-per-node=4 train.py ...    # a row of tokens on each of 4 GPUs

One pass over fresh text; the learning rate is constant, then falls to nothing. Waits for shards
that are still being written.
"""

import argparse
import itertools
import json
import os
import time
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch
import torch.distributed
import torch.nn.functional as F
from tokenizers import Tokenizer
from torch.nn.attention.flex_attention import BlockMask

from gguf_file import load_gguf, write_gguf
from models import CONTEXT, MODELS, TEXTS, Network
from text import ANSWERS, BEGINS, ROW, TOKEN
from tokenizer import END, parts_of

BLOCK = 128  # of the attention mask
PROMPT_WEIGHT = 0.1  # of a prompt's token in the loss: keeps rare words' embeddings alive
WARM_UP = 200  # steps
DECAY = 0.5  # share of the steps in which the learning rate falls
WEIGHT_DECAY = 0.02

started = time.time()
rank, gpus = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))


def log(*words):
    if rank == 0:
        print(f"[{time.time() - started:6.1f}]", *words, flush=True)


def rows(folder, model):
    """All rows of the shards in order, easy ones first where the model wants them; from the first
    one again at the end."""
    prefixes = [f"{model.text}-easy"] if model.easy_first else []
    prefixes.append(model.text)
    done = folder / f"{model.text}.done"
    while True:
        for prefix in prefixes:
            number = 0
            while True:
                file = folder / f"{prefix}-{number:04}.npy"
                if file.exists():
                    yield from torch.from_numpy(np.load(file).view(np.int16)).cuda()
                    number += 1
                elif done.exists():
                    break
                else:
                    time.sleep(0.2)
        log("all text was read; from the beginning again")


class Row:
    """A row of tokens in buffers that stay where they are, so that one compiled graph and one mask
    function serve all rows."""

    def __init__(self, filling):
        def buffer(kind):
            return torch.zeros(1, ROW, dtype=kind, device="cuda")

        self.filling = filling
        self.ids, self.positions = buffer(torch.int64), buffer(torch.int64)
        self.targets, self.weight = buffer(torch.int64), buffer(torch.float32)
        self.first = torch.zeros(ROW, dtype=torch.int32, device="cuda")
        self.index = torch.arange(ROW, dtype=torch.int32, device="cuda")
        self.blocks = torch.arange(ROW // BLOCK, dtype=torch.int32, device="cuda")
        first = self.first

        def same_document_and_not_later(b, h, q, kv):
            return (first[q] == first[kv]) & (kv <= q)

        self.mask_mod = same_document_and_not_later

    def load(self, marked):
        """marked: (ROW,) int16 on the GPU. Returns the attention mask for its documents."""
        marked = marked.long() & 0xFFFF
        ids, following = marked & TOKEN, marked.roll(-1)
        self.ids[0] = ids
        self.targets[0] = following & TOKEN
        # A token is weighed by what comes next, within its document.
        weight = torch.where((following & ANSWERS) != 0, 1.0, PROMPT_WEIGHT)
        ends = ((following & BEGINS) != 0) | (ids == self.filling)
        self.weight[0] = weight.masked_fill(ends, 0)
        begins = torch.where((marked & BEGINS) != 0, self.index, 0)
        self.first.copy_(begins.cummax(0).values)
        self.positions[0] = (self.index - self.first).clamp(max=CONTEXT - 1)
        # Queries of a block look back to the block in which the first one's document begins.
        lowest = self.first[::BLOCK] // BLOCK
        n_blocks = self.blocks - lowest + 1
        columns = (lowest[:, None] + self.blocks[None, :]).clamp(max=len(self.blocks) - 1)
        return BlockMask.from_kv_blocks(n_blocks[None, None], columns[None, None].int(),
                                        BLOCK_SIZE=BLOCK, mask_mod=self.mask_mod,
                                        seq_lengths=(ROW, ROW))


class Muon(torch.optim.Optimizer):
    """Momentum orthogonalised by Newton-Schulz (K. Jordan et al., 2024), for matrices of one shape
    together."""

    def __init__(self, matrices, lr):
        by_shape = {}
        for matrix in matrices:
            by_shape.setdefault(tuple(matrix.shape), []).append(matrix)
        super().__init__([{"params": group} for group in by_shape.values()], {"lr": lr})
        self.momentum = 0.95

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            matrices = group["params"]
            gradient = torch.stack([m.grad for m in matrices])
            state = self.state[matrices[0]]
            if "momentum" not in state:
                state["momentum"] = torch.zeros_like(gradient)
            momentum = state["momentum"].lerp_(gradient, 1 - self.momentum)
            update = orthogonal(gradient.lerp(momentum, self.momentum))  # Nesterov
            rows, columns = matrices[0].shape
            lr = group["lr"]
            scale = lr * max(1, rows / columns) ** 0.5
            torch._foreach_mul_(matrices, 1 - lr * WEIGHT_DECAY)
            torch._foreach_sub_(matrices, list((update * scale).to(matrices[0].dtype).unbind()))


@torch.compile
def orthogonal(x):
    """(n, rows, columns): each matrix with its singular values brought near one."""
    tall = x.size(-2) > x.size(-1)
    x = x.bfloat16()
    if tall:
        x = x.mT
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(5):
        square = x @ x.mT
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return (x.mT if tall else x).float()


def agreed(number):
    """What the first GPU says, since all must take as many steps."""
    if gpus == 1:
        return number
    held = torch.tensor(number, device="cuda")
    torch.distributed.broadcast(held, 0)
    return int(held)


def average(gradients):
    """Over the GPUs."""
    if gpus == 1:
        return
    flat = torch.cat([g.flatten() for g in gradients])
    torch.distributed.all_reduce(flat, torch.distributed.ReduceOp.AVG)
    parts = flat.split([g.numel() for g in gradients])
    torch._foreach_copy_(gradients, [p.view_as(g) for p, g in zip(parts, gradients)])


def rate_at(step, steps):
    falling = (steps - step) / (DECAY * steps)
    return min(1.0, (step + 1) / WARM_UP, falling)


def train(model, network, rows_of_text, filling, within):
    """Returns the number of steps and the losses on the way. Where `within` seconds (since the
    start) are not enough for all tokens, there are fewer steps: how many is found at step 500."""
    steps = int(model.tokens / (ROW * gpus))
    matrices = [p for p in network.blk.parameters() if p.dim() == 2]
    vectors = [p for p in network.parameters() if p.dim() == 1] + [network.token_embd.weight]
    optimizers = [Muon(matrices, model.matrix_rate),
                  torch.optim.AdamW(vectors, lr=model.vector_rate, betas=(0.9, 0.95),
                                    weight_decay=0, fused=True)]
    base = [[group["lr"] for group in optimizer.param_groups] for optimizer in optimizers]
    row = Row(filling)

    @torch.compile(dynamic=False)
    def loss_of(mask):
        with torch.autocast("cuda", torch.bfloat16):
            logits = network(row.ids, row.positions, mask)
        losses = F.cross_entropy(logits[0].float(), row.targets[0], reduction="none")
        return (losses * row.weight[0]).sum() / row.weight.sum()

    history = []
    for step, marked in enumerate(rows_of_text):
        if step == steps:
            break
        loss = loss_of(row.load(marked))
        loss.backward()
        average([p.grad for p in network.parameters()])
        torch.nn.utils.clip_grad_norm_(vectors, 1.0)
        for optimizer, rates in zip(optimizers, base):
            for group, rate in zip(optimizer.param_groups, rates):
                group["lr"] = rate * rate_at(step, steps)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        if step == 20:
            torch.cuda.synchronize()
            begun = time.time()
        if (step + 1) % 500 == 0 or step + 1 in (1, steps):
            history.append((step + 1, round(loss.item(), 4)))
            rate = (step - 20) * ROW * gpus / (time.time() - begun) / 1e6 if step > 20 else 0
            if step + 1 == 500 and within:
                left = (within - time.time() + started) * rate * 1e6 / (ROW * gpus)
                steps = agreed(min(steps, int(500 + left)))
            log(f"step {step + 1}/{steps} loss {loss.item():.4f} {rate:.2f} Mtokens/s")
    return {"steps": steps, "losses": history}


def start(model, tokenizer, base):
    """The network before training: random, or `base`'s."""
    if not base:
        return Network(model, tokenizer.get_vocab_size())
    network, architecture, its_tokenizer = load_gguf(base)
    if any(getattr(model, key) != value for key, value in asdict(architecture).items()):
        raise SystemExit(f"{base} is {architecture}, not of the size of {model}")
    if parts_of(its_tokenizer) != parts_of(tokenizer):
        raise SystemExit(f"the text was made with another vocabulary than {base}'s")
    return network


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("shards", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--from", dest="base", type=Path, metavar="GGUF",
                        help="begin with the weights of this model, which the text was made for")
    parser.add_argument("--tokens", type=float)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--within", type=float, metavar="SECONDS", help="fewer tokens if need be")
    parser.add_argument("--name", help="of the files, where it is not the model's")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE",
                        help="another value for a field of models.py, for trials")
    o = parser.parse_args()
    if not o.base and not TEXTS[MODELS[o.model].text].vocabulary:
        parser.error(f"{o.model} is trained further: --from models/lichen-small.gguf")
    stem = o.name or o.model
    model = MODELS[o.model]
    if o.tokens:
        model = replace(model, tokens=o.tokens)
    for setting in o.set:
        name, value = setting.split("=")
        model = replace(model, **{name: type(getattr(model, name))(value)})
    torch.manual_seed(o.seed)
    if gpus > 1:
        torch.cuda.set_device(rank)
        torch.distributed.init_process_group("nccl", device_id=torch.device("cuda", rank))
    torch.set_float32_matmul_precision("high")
    file = o.shards / f"{model.text}.tokenizer.json"
    while not file.exists():
        time.sleep(0.2)
    tokenizer = Tokenizer.from_file(str(file))
    network = start(model, tokenizer, o.base).cuda()
    n_parameters = sum(p.numel() for p in network.parameters())
    log(f"{stem}: {n_parameters / 1e6:.2f}M parameters, {model}")
    found = train(model, network, itertools.islice(
        rows(o.shards, model), rank, None, gpus), tokenizer.token_to_id(END),
                  o.within)
    found |= {"model": asdict(model), "parameters": n_parameters,
              "tokens": found["steps"] * ROW * gpus, "seconds": round(time.time() - started)}
    if gpus > 1:
        torch.distributed.destroy_process_group()
    if rank > 0:
        return
    o.out.mkdir(parents=True, exist_ok=True)
    (o.out / f"{stem}.json").write_text(json.dumps(found))
    write_gguf(o.out / f"lichen-{stem}.gguf", f"lichen-{o.model}", model, network.state_dict(),
               tokenizer)
    log(f"{stem}: written")


if __name__ == "__main__":
    main()
