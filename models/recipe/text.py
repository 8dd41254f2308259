"""Training text: tasks of suite_generator as chats, the tokenizer, and shards of tokens.

    python3 text.py VOCABULARY FOLDER --generator PATH --seed N --shards N

writes FOLDER/VOCABULARY.tokenizer.json, then the shards FOLDER/VOCABULARY-easy-NNNN.npy and
FOLDER/VOCABULARY-NNNN.npy in any order; training may begin before they are all there. A shard has rows of ROW tokens, documents laid end to
end, the rest of a row filled with END; marks in the upper bits say where a document begins and what
the assistant writes.
"""

import argparse
import json
import multiprocessing
import os
import random
import re
import subprocess
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from models import CONTEXT, VOCABULARIES

END, START, STOP = "<|endoftext|>", "<|im_start|>", "<|im_end|>"
ROW = 65_536
BEGINS = 0x4000  # this bit of a token in a shard: a document, or the filling, begins here
ANSWERS = 0x8000  # and this one: the assistant writes it
TOKEN = 0x3FFF
TASKS_PER_SHARD = 25_000
TASKS_FOR_TOKENIZER = 100_000
EASY_SHARE = 0.25  # of the shards: levels 1 and 2 alone, short and many

SYSTEM_PROMPTS = ("You are a helpful assistant.", "You are Lichen.", "Answer the question.",
                  "Be brief.", "You are a careful assistant. Answer in English.")


def generate(generator, split, seed, first, count, weights=None, levels=None):
    """Yields tasks as dictionaries (docs/suite.md)."""
    command = [generator, "--split", split, "--seed", str(seed), "--from", str(first),
               "--count", str(count)]
    if levels:
        command += ["--levels", levels]
    if weights:
        command += ["--weights", ",".join(f"{name}:{weight}" for name, weight in weights.items())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8") as process:
        for line in process.stdout:
            yield json.loads(line)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}")


def answer_of(task):
    return task.get("answer", task["reference"])


def turns(task):
    """The task's question and answer, and further ones about the same text."""
    exchanges = [(task["prompt"], answer_of(task)), *task.get("follow_ups", [])]
    return "".join(f"{START}user\n{question}{STOP}\n{START}assistant\n{answer}{STOP}\n"
                   for question, answer in exchanges)


def chats(tasks, rng):
    """One chat of most tasks; some have a system prompt, some go on with a second task."""
    pending = ""
    for task in tasks:
        begin = pending
        if not begin and rng.random() < 0.06:
            begin = f"{START}system\n{rng.choice(SYSTEM_PROMPTS)}{STOP}\n"
        chat = begin + turns(task)
        pending = chat if not pending and len(chat) < 1000 and rng.random() < 0.06 else ""
        if not pending:
            yield chat


def learn_tokenizer(vocabulary, texts):
    """Byte-level BPE with single digits: llama.cpp's pre-tokenizer `smollm`."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=vocabulary.size, special_tokens=[END, START, STOP],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return tokenizer


class Encoder:
    """Chats to tokens, with those that the assistant writes marked.

    No token spans a digit and its neighbour, or the border before a space that follows a character
    and is followed by one. The pieces between such borders are few, so their tokens are remembered:
    ten times as fast as asking the tokenizer for each text."""

    BORDER = re.compile(r"(?<=\S)(?= \S)|(?<=\d)|(?=\d)")
    REMEMBERED = 500_000  # pieces

    def __init__(self, tokenizer):
        self.tokenizer = tokenizer
        self.pieces = {}
        self.end = tokenizer.token_to_id(END)
        self.start = tokenizer.token_to_id(START)
        self.stop = tokenizer.token_to_id(STOP)
        self.header = tokenizer.encode("assistant\n").ids

    def ids_of(self, text):
        ids = []
        for piece in self.BORDER.split(text):
            found = self.pieces.get(piece)
            if found is None:
                found = self.tokenizer.encode(piece).ids
                if len(self.pieces) < self.REMEMBERED:
                    self.pieces[piece] = found
            ids += found
        return ids

    def encode(self, texts):
        """Yields one array of uint16 for each text, with its marks."""
        n = len(self.header)
        for text in texts:
            ids = self.ids_of(text)
            writes = False
            marked = np.array(ids, dtype=np.uint16)
            i = 0
            while i < len(ids):
                if writes:
                    marked[i] |= ANSWERS
                    writes = ids[i] != self.stop
                elif ids[i] == self.start and ids[i + 1:i + 1 + n] == self.header:
                    writes = True
                    i += n
                i += 1
            marked[0] |= BEGINS
            yield marked


def rows_of(documents, filling):
    """Whole documents, in order, as many in a row as fit. Yields rows and how many each holds."""
    held, size = [], 0

    def row():
        rest = np.full(ROW - size, filling, dtype=np.uint16)
        rest[:1] |= BEGINS
        return np.concatenate([*held, rest]), len(held)

    for document in documents:
        if size + len(document) > ROW:
            yield row()
            held, size = [], 0
        held.append(document)
        size += len(document)
    if held:
        yield row()


def write_shard(job):
    folder, name, generator, seed, number, easy, stem = job
    vocabulary = VOCABULARIES[name]
    encoder = Encoder(Tokenizer.from_file(str(folder / f"{name}.tokenizer.json")))
    rng = random.Random(f"{seed}-{number}")
    tasks = generate(generator, "train", seed, number * TASKS_PER_SHARD, TASKS_PER_SHARD,
                     vocabulary.weights, "1,2" if easy else None)
    documents = (d for d in encoder.encode(chats(tasks, rng)) if len(d) <= CONTEXT)
    rows = [row for row, _ in rows_of(documents, encoder.end)]
    part = folder / f".{stem}.part.npy"
    np.save(part, np.stack(rows[:-1]))  # the last one is not full
    part.rename(folder / f"{stem}.npy")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("vocabulary", choices=VOCABULARIES)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--generator", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shards", type=int, required=True)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    o = parser.parse_args()
    o.folder.mkdir(parents=True, exist_ok=True)
    vocabulary = VOCABULARIES[o.vocabulary]
    # Tasks that no shard holds.
    tasks = generate(o.generator, "train", o.seed, o.shards * TASKS_PER_SHARD, TASKS_FOR_TOKENIZER,
                     vocabulary.weights)
    texts = list(chats(tasks, random.Random(o.seed)))
    tokenizer = learn_tokenizer(vocabulary, texts)
    encoder = Encoder(tokenizer)
    for text in texts[:2000]:
        if encoder.ids_of(text) != tokenizer.encode(text).ids:
            raise RuntimeError(f"a token crosses a border between pieces: {text!r}")
    partial = o.folder / f".{o.vocabulary}.tokenizer.part"
    tokenizer.save(str(partial))
    partial.rename(o.folder / f"{o.vocabulary}.tokenizer.json")
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the processes are parallel already
    with multiprocessing.get_context("spawn").Pool(o.processes) as pool:
        easy = int(EASY_SHARE * o.shards)
        jobs = [(o.folder, o.vocabulary, o.generator, o.seed, n, n < easy,
                 f"{o.vocabulary}-easy-{n:04}" if n < easy else f"{o.vocabulary}-{n - easy:04}")
                for n in range(o.shards)]
        for _ in pool.imap_unordered(write_shard, jobs):
            pass
    (o.folder / f"{o.vocabulary}.done").touch()


if __name__ == "__main__":
    main()
