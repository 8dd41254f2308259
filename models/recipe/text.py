"""Training text: tasks of suite_generator as chats, the tokenizer, and shards of tokens.

    python3 text.py TEXT FOLDER --generator PATH --seed N --shards N [--from GGUF]

writes FOLDER/TEXT.tokenizer.json, learned or the GGUF's, then the shards FOLDER/TEXT-easy-NNNN.npy
and FOLDER/TEXT-NNNN.npy in any order; training may begin before they are all there. A shard has
rows of ROW tokens, documents laid end to end, the rest of a row filled with END; marks in the upper
bits say where a document begins and what the assistant writes.
"""

import argparse
import itertools
import multiprocessing
import os
import random
import re
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from gguf_file import read_gguf
from guard_text import ask_about_ordinary_texts
from models import CONTEXT, TEXTS
from tasks import answer_of, generate
from tokenizer import END, START, STOP, learn_tokenizer

ROW = 65_536
BEGINS = 0x4000  # this bit of a token in a shard: a document, or the filling, begins here
ANSWERS = 0x8000  # and this one: the assistant writes it
TOKEN = 0x3FFF
TASKS_PER_SHARD = 25_000
TASKS_FOR_TOKENIZER = 100_000
EASY_SHARE = 0.25  # of the shards: levels 1 and 2 alone, short and many

SYSTEM_PROMPTS = ("You are a helpful assistant.", "You are Lichen.", "Answer the question.",
                  "Be brief.", "You are a careful assistant. Answer in English.")


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


def evenly(*streams):
    """Tasks of all streams, of each as much text as of the others, until one ends."""
    written = [0] * len(streams)
    while True:
        least = written.index(min(written))
        task = next(streams[least], None)
        if task is None:
            return
        written[least] += len(turns(task))
        yield task


def tasks_of(text, generator, seed, number, levels, rng):
    """The tasks of a shard. No two shards of a seed share one."""
    first = number * TASKS_PER_SHARD
    if not text.families:
        return generate(generator, "train", seed, first, TASKS_PER_SHARD, text.weights, levels)
    half = TASKS_PER_SHARD // 2
    general = generate(generator, "train", seed, first, half, text.weights)
    own = generate(generator, "train", seed, first + half, half,
                   dict.fromkeys(text.families, 1.0), families=text.families)
    if text.ordinary:
        ordinary = generate(generator, "train", seed, first + half, half, text.weights)
        own = ask_about_ordinary_texts(own, ordinary, rng)
    return evenly(general, own)


def write_shard(job):
    folder, name, generator, seed, number, easy, stem = job
    encoder = Encoder(Tokenizer.from_file(str(folder / f"{name}.tokenizer.json")))
    rng = random.Random(f"{seed}-{number}")
    tasks = tasks_of(TEXTS[name], generator, seed, number, "1,2" if easy else None, rng)
    documents = (d for d in encoder.encode(chats(tasks, rng)) if len(d) <= CONTEXT)
    rows = [row for row, _ in rows_of(documents, encoder.end)]
    part = folder / f".{stem}.part.npy"
    np.save(part, np.stack(rows[:-1]))  # the last one is not full
    part.rename(folder / f"{stem}.npy")


def tokenizer_from(text, o):
    """The GGUF's, if there is one, else learned from tasks that no shard holds."""
    tasks = generate(o.generator, "train", o.seed, o.shards * TASKS_PER_SHARD, TASKS_FOR_TOKENIZER,
                     text.weights)
    texts = chats(tasks, random.Random(o.seed))
    if o.base:
        tokenizer = read_gguf(o.base)[-1]
    else:
        texts = list(texts)
        tokenizer = learn_tokenizer(text.vocabulary, texts)
    encoder = Encoder(tokenizer)
    for chat in itertools.islice(texts, 2000):
        if encoder.ids_of(chat) != tokenizer.encode(chat).ids:
            raise RuntimeError(f"a token crosses a border between pieces: {chat!r}")
    return tokenizer


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("text", choices=TEXTS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--generator", required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shards", type=int, required=True)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    parser.add_argument("--from", dest="base", type=Path, metavar="GGUF",
                        help="has the vocabulary: the model to be trained further")
    o = parser.parse_args()
    text = TEXTS[o.text]
    if bool(o.base) == bool(text.vocabulary):
        parser.error(f"{o.text} is text for a new model: no --from" if o.base else
                     f"{o.text} is text for further training: --from models/lichen-small.gguf")
    o.folder.mkdir(parents=True, exist_ok=True)
    tokenizer = tokenizer_from(text, o)
    partial = o.folder / f".{o.text}.tokenizer.part"
    tokenizer.save(str(partial))
    partial.rename(o.folder / f"{o.text}.tokenizer.json")
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the processes are parallel already
    with multiprocessing.get_context("spawn").Pool(o.processes) as pool:
        easy = 0 if o.base else int(EASY_SHARE * o.shards)
        jobs = [(o.folder, o.text, o.generator, o.seed, n, n < easy,
                 f"{o.text}-easy-{n:04}" if n < easy else f"{o.text}-{n - easy:04}")
                for n in range(o.shards)]
        for _ in pool.imap_unordered(write_shard, jobs):
            pass
    (o.folder / f"{o.text}.done").touch()


if __name__ == "__main__":
    main()
