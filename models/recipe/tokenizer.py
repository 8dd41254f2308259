"""The byte-level BPE tokenizer: learned from text, or made again from what a GGUF says of it."""

import json

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

END, START, STOP = "<|endoftext|>", "<|im_start|>", "<|im_end|>"


def byte_level(bpe):
    """With single digits: llama.cpp's pre-tokenizer `smollm`."""
    tokenizer = Tokenizer(bpe)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def learn_tokenizer(size, texts):
    tokenizer = byte_level(models.BPE())
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(
        vocab_size=size, special_tokens=[END, START, STOP],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet()))
    return tokenizer


def parts_of(tokenizer):
    """Returns what byte_level's BPE is made from: the tokens in order of their ids, and the merges,
    as pairs, in order of their rank."""
    learned = json.loads(tokenizer.to_str())["model"]
    tokens = sorted(learned["vocab"], key=learned["vocab"].get)
    return tokens, [tuple(m.split(" ") if isinstance(m, str) else m) for m in learned["merges"]]


def tokenizer_of(tokens, merges):
    """The reverse of parts_of."""
    bpe = models.BPE(vocab={token: i for i, token in enumerate(tokens)}, merges=merges)
    tokenizer = byte_level(bpe)
    tokenizer.add_special_tokens([END, START, STOP])
    return tokenizer
