"""Writes a trained network as GGUF, by gguf-py of llama.cpp's source."""

import json

import gguf
import numpy as np

from models import CONTEXT, RMS_EPS, ROPE_BASE
from text import END, START, STOP

CHAT_TEMPLATE = (
    "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] "
    "+ '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")


def write_gguf(path, name, model, network, tokenizer):
    kind = {"F16": (gguf.GGMLQuantizationType.F16, gguf.LlamaFileType.MOSTLY_F16),
            "Q8_0": (gguf.GGMLQuantizationType.Q8_0, gguf.LlamaFileType.MOSTLY_Q8_0)}
    quantization, file_type = kind[model.file_type]
    head_width = model.width // model.heads
    w = gguf.GGUFWriter(path, "llama")
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
    for tensor_name, tensor in network.state_dict().items():
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
    learned = json.loads(tokenizer.to_str())["model"]
    vocabulary = learned["vocab"]
    tokens = sorted(vocabulary, key=vocabulary.get)
    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("smollm")
    w.add_token_list(tokens)
    w.add_token_types([control if t in (END, START, STOP) else normal for t in tokens])
    w.add_token_merges([m if isinstance(m, str) else " ".join(m) for m in learned["merges"]])
    w.add_bos_token_id(vocabulary[END])
    w.add_eos_token_id(vocabulary[STOP])
    w.add_pad_token_id(vocabulary[END])
    w.add_add_bos_token(False)
    w.add_chat_template(CHAT_TEMPLATE)
