"""The bundled models and what is trained further from them: sizes, training text, the network."""

import math
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.attention.flex_attention import flex_attention

CONTEXT = 2048
ROPE_BASE = 10000.0
RMS_EPS = 1e-5


@dataclass(frozen=True)
class Text:
    """What a model is trained on: a mix of the suite's families."""
    weights: dict[str, float]  # of families that do not have the suite's own
    vocabulary: int = 0  # tokens to learn from it; 0: for further training, which has them already
    families: tuple[str, ...] = ()  # if any, half of the text is of these alone, as often each
    ordinary: bool = False  # in that half, the guard is asked about texts of all families


@dataclass(frozen=True)
class Architecture:
    width: int
    layers: int
    heads: int
    kv_heads: int
    hidden: int  # width of the feed-forward part
    file_type: str  # of the GGUF's matrices: F16 or Q8_0


@dataclass(frozen=True)
class Model(Architecture):
    text: str
    tokens: float  # of training
    easy_first: bool  # begins with short tasks of levels 1 and 2
    matrix_rate: float  # learning rate of Muon
    vector_rate: float  # learning rate of AdamW: embedding and norms


# Facts are short, and knowing rare ones takes many meetings. Of an answer in one word a model learns
# little, and what asks for many look-ups it learns late.
PAIR_WEIGHTS = {"fact": 14.0, "fact_chain": 4.0, "expand": 3.0, "judge": 6.0, "verify": 5.0,
                "compare": 4.0, "refine": 3.0, "extract_chunk": 3.0, "table": 3.0, "count": 2.0,
                "order": 2.0, "transfer": 2.0, "shopping": 2.0, "aggregate": 1.5, "needle": 1.0,
                "sets": 1.5, "sort": 1.5, "boolean": 1.5, "mask": 1.5, "placeholders": 1.5}

# What another vendor's small model is like: good at text, lists and relations, poor at numbers.
OTHER_WEIGHTS = PAIR_WEIGHTS | {
    name: 0.15
    for name in ("add", "subtract", "multiply", "divide", "terms", "story", "shopping", "rates",
                 "date_add", "date_difference", "month_add", "clock", "units", "statistics",
                 "code", "aggregate")
} | {
    name: 2.0
    for name in ("sort", "list_ops", "sets", "spell", "letters", "edit_text", "count_kind",
                 "kinship", "order", "transfer", "boolean", "implication", "extract_json", "table",
                 "tool_call", "robot")
}

# Where small is wrong on half of its answers and more, and large is right; two sets of unlike skills.
FAMILIES_A = ("subtract", "divide", "date_add", "weekday", "clock", "code")
FAMILIES_B = ("order", "count", "list_ops", "edit_text", "table", "robot")

TEXTS = {
    "pair": Text(PAIR_WEIGHTS, 2048),
    "other": Text(OTHER_WEIGHTS, 1664),
    "small-a": Text(PAIR_WEIGHTS, families=FAMILIES_A),
    "small-b": Text(PAIR_WEIGHTS, families=FAMILIES_B),
    "small-guard": Text(PAIR_WEIGHTS, families=("guard_input", "guard_output"), ordinary=True),
}

SMALL = Model(128, 4, 4, 2, 352, "F16", "pair", 280e6, False, 0.02, 4e-3)

MODELS = {
    "small": SMALL,
    "large": Model(512, 8, 8, 4, 1408, "Q8_0", "pair", 2600e6, True, 0.02, 2e-3),
    "other": Model(128, 6, 4, 2, 320, "F16", "other", 540e6, True, 0.02, 4e-3),
    # Further training of small: two that may be merged, at a quarter of its rates; a guard, at half.
    "small-a": replace(SMALL, text="small-a", tokens=200e6, matrix_rate=0.005, vector_rate=1e-3),
    "small-b": replace(SMALL, text="small-b", tokens=200e6, matrix_rate=0.005, vector_rate=1e-3),
    "small-guard": replace(SMALL, text="small-guard", tokens=200e6, matrix_rate=0.01,
                           vector_rate=2e-3),
}


def rotate(x, cos, sin):
    """Rotary embedding in the interleaved order of GGUF's `llama` architecture.
    x: (1, heads, tokens, head width)."""
    even, odd = x[..., 0::2], x[..., 1::2]
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


class Norm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return F.rms_norm(x, (x.size(-1),), self.weight, RMS_EPS)


class Block(nn.Module):
    def __init__(self, m: Architecture):
        super().__init__()
        self.heads, self.kv_heads = m.heads, m.kv_heads
        self.head_width = m.width // m.heads
        kv_width = m.kv_heads * self.head_width

        def linear(n_in, n_out):
            return nn.Linear(n_in, n_out, bias=False)

        self.attn_norm, self.ffn_norm = Norm(m.width), Norm(m.width)
        self.attn_q, self.attn_output = linear(m.width, m.width), linear(m.width, m.width)
        self.attn_k, self.attn_v = linear(m.width, kv_width), linear(m.width, kv_width)
        self.ffn_gate, self.ffn_up = linear(m.width, m.hidden), linear(m.width, m.hidden)
        self.ffn_down = linear(m.hidden, m.width)

    def forward(self, x, cos, sin, mask):
        y = self.attn_norm(x)

        def split(z, heads):
            return z.view(1, -1, heads, self.head_width).transpose(1, 2)

        v = split(self.attn_v(y), self.kv_heads)
        q = rotate(split(self.attn_q(y), self.heads), cos, sin).to(v.dtype)
        k = rotate(split(self.attn_k(y), self.kv_heads), cos, sin).to(v.dtype)
        a = flex_attention(q, k, v, block_mask=mask, enable_gqa=self.heads != self.kv_heads)
        x = x + self.attn_output(a.transpose(1, 2).reshape(1, -1, x.size(-1)))
        y = self.ffn_norm(x)
        return x + self.ffn_down(F.silu(self.ffn_gate(y)) * self.ffn_up(y))


class Network(nn.Module):
    """The `llama` architecture of GGUF with tied embeddings, over documents laid end to end."""

    def __init__(self, m: Architecture, vocabulary_size: int):
        super().__init__()
        self.token_embd = nn.Embedding(vocabulary_size, m.width)
        self.blk = nn.ModuleList(Block(m) for _ in range(m.layers))
        self.output_norm = Norm(m.width)
        head_width = m.width // m.heads
        rates = ROPE_BASE ** (-torch.arange(0, head_width, 2) / head_width)
        angles = torch.arange(CONTEXT)[:, None] * rates
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.normal_(parameter, 0, 0.02)
        for block in self.blk:  # GPT-2's start: the residual stream keeps its size
            for matrix in (block.attn_output, block.ffn_down):
                nn.init.normal_(matrix.weight, 0, 0.02 / math.sqrt(2 * m.layers))

    def forward(self, tokens, positions, mask):
        """tokens, positions: (1, tokens). Returns logits (1, tokens, vocabulary)."""
        x = self.token_embd(tokens)
        cos, sin = self.cos[positions[0]].to(x.dtype), self.sin[positions[0]].to(x.dtype)
        for block in self.blk:
            x = block(x, cos, sin, mask)
        return F.linear(self.output_norm(x), self.token_embd.weight)
