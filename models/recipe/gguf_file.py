"""Networks as GGUF files, written and read by gguf-py of llama.cpp's source.

    python3 gguf_file.py FILE...    # reads each and writes it again: the same bytes, or an error
"""

import sys
import tempfile
from pathlib import Path

import gguf
import numpy as np
import torch

from models import CONTEXT, RMS_EPS, ROPE_BASE, Architecture, Network
from tokenizer import END, START, STOP, parts_of, tokenizer_of

CHAT_TEMPLATE = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] "
    "+ '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")

KINDS = {"F16": (gguf.GGMLQuantizationType.F16, gguf.LlamaFileType.MOSTLY_F16),
         "Q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0)}


def write_gguf(path, name, model, weights, tokenizer, architecture="llama", more=None):
    """weights: by name, as Network's state_dict has them. `more` adds keys of its own."""
    quantization, file_type = KINDS[model.file_type]
    head_width = model.width // model.heads
    w = gguf.GGUFWriter(path, architecture)
    w.add_name(name)
    w.add_license("apache-2.0")
    w.add_context_length(CONTEXT)
    w.add_embedding_length(model.width)
    w.add_block_count(model.layers)
    w.add_feed_forward_length(model.hidden)
    w.add_head_count(model.heads)
    w.add_head_count_kv(model.kv_heads)
    w.add_layer_norm_rms_eps(RMS_EPS)
    w.add_rope_freq_base(ROPE_BASE)
    w.add_rope_dimension_count(head_width)
    w.add_vocab_size(tokenizer.get_vocab_size())
    w.add_file_type(file_type)
    w.add_quantization_version(gguf.GGML_QUANT_VERSION)
    add_tokenizer(w, tokenizer)
    if more:
        more(w)
    for tensor_name, tensor in weights.items():
        data = tensor.float().cpu().numpy().astype(np.float32)
        if data.ndim == 1:
            w.add_tensor(tensor_name, data)
        else:
            w.add_tensor(tensor_name, gguf.quants.quantize(data, quantization),
                         raw_dtype=quantization)
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def add_tokenizer(w, tokenizer):
    tokens, merges = parts_of(tokenizer)
    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("smollm")
    w.add_token_list(tokens)
    w.add_token_types([control if t in (END, START, STOP) else normal for t in tokens])
    w.add_token_merges([" ".join(m) for m in merges])
    w.add_bos_token_id(tokens.index(END))
    w.add_eos_token_id(tokens.index(STOP))
    w.add_pad_token_id(tokens.index(END))
    w.add_add_bos_token(False)
    w.add_chat_template(CHAT_TEMPLATE)


def read_gguf(path):
    """A file that write_gguf wrote. Returns its name, its architecture, its weights in F32 by name,
    and its tokenizer."""
    reader = gguf.GGUFReader(path)

    def field(key):
        return reader.fields[key].contents()

    kinds = {int(file_type): kind for kind, (_, file_type) in KINDS.items()}
    architecture = Architecture(
        width=field("llama.embedding_length"), layers=field("llama.block_count"),
        heads=field("llama.attention.head_count"), kv_heads=field("llama.attention.head_count_kv"),
        hidden=field("llama.feed_forward_length"), file_type=kinds[field("general.file_type")])
    weights = {t.name: torch.from_numpy(np.array(gguf.quants.dequantize(t.data, t.tensor_type),
                                                 dtype=np.float32)) for t in reader.tensors}
    tokenizer = tokenizer_of(field("tokenizer.ggml.tokens"),
                             [tuple(m.split(" ")) for m in field("tokenizer.ggml.merges")])
    return field("general.name"), architecture, weights, tokenizer


def load_gguf(path):
    """Returns the network of a file that write_gguf wrote, its architecture and its tokenizer."""
    _, architecture, weights, tokenizer = read_gguf(path)
    network = Network(architecture, tokenizer.get_vocab_size())
    network.load_state_dict(weights)
    return network, architecture, tokenizer


def main():
    for path in map(Path, sys.argv[1:]):
        name, architecture, weights, tokenizer = read_gguf(path)
        with tempfile.TemporaryDirectory() as folder:
            again = Path(folder) / path.name
            write_gguf(again, name, architecture, weights, tokenizer)
            if again.read_bytes() != path.read_bytes():
                raise SystemExit(f"{path}: read and written again, it is another file")
        print(f"{path}: read and written again, the same {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
