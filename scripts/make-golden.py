"""Makes test/golden/: tiny random models of each decoder family, with what the reference implementation says of them.

    python3 -m venv golden && golden/bin/pip install torch==2.13.0 transformers==5.24.0 peft==0.21.2
    golden/bin/python scripts/make-golden.py

Each folder holds a model (config.json, weights in BF16, those of the Llama spread over two files) and expected.json:
next-token logprobs of a sequence, the gradient of a policy-gradient loss by every tensor (its norm and three of its
elements), and a greedy continuation. The weights are rounded to BF16 first, so that both sides start from the same numbers.
adapters/ holds LoRA adapters of each model as PEFT saves them, with the same expectations (the gradient by the adapters
alone), and three elements of each merged weight.
"""

import copy
import json
import shutil
from pathlib import Path

import torch
from peft import LoraConfig, get_peft_model
from transformers import LlamaConfig, LlamaForCausalLM, Qwen2Config, Qwen2ForCausalLM, Qwen3Config, Qwen3ForCausalLM

ROOT = Path(__file__).resolve().parent.parent / "test" / "golden"
SHAPE = dict(
    vocab_size=48, hidden_size=32, intermediate_size=56, num_hidden_layers=2, num_attention_heads=4,
    num_key_value_heads=2, max_position_embeddings=128, bos_token_id=None, eos_token_id=None, pad_token_id=None,
)
LLAMA3 = dict(rope_type="llama3", rope_theta=500.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32)
FAMILIES = {
    "llama": lambda: LlamaForCausalLM(LlamaConfig(**SHAPE, head_dim=8, rope_parameters=LLAMA3, tie_word_embeddings=False)),
    "qwen2": lambda: Qwen2ForCausalLM(Qwen2Config(**SHAPE, tie_word_embeddings=True)),
    "qwen3": lambda: Qwen3ForCausalLM(Qwen3Config(**SHAPE, head_dim=16, tie_word_embeddings=True)),
}
# Rank, alpha, adapted layers: all of them; parts of q, k, v and of gate, up; some beside the head norms.
ADAPTERS = {
    "llama": (4, 8, ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]),
    "qwen2": (3, 8, ["q_proj", "v_proj", "up_proj"]),
    "qwen3": (2, 3, ["q_proj", "k_proj", "o_proj", "gate_proj", "down_proj"]),
}
TIME, PROMPT, CONTINUATION = 40, 12, 24


def randomize(model):
    for name, parameter in model.named_parameters():
        scale = 0.3 if parameter.ndim == 1 else 0.25
        center = 1.0 if name.endswith("norm.weight") else 0.0
        parameter.data = (center + scale * torch.randn_like(parameter)).to(torch.bfloat16).to(torch.float32)


def elements(tensor):
    flat = tensor.flatten()
    places = torch.randint(0, len(flat), (3,)).tolist()
    return dict(places=places, values=[flat[place].item() for place in places])


def expectations(model):
    ids = torch.randint(0, SHAPE["vocab_size"], (1, TIME))
    logprobs = torch.log_softmax(model(ids).logits, -1)[0, :-1]
    chosen = logprobs.gather(1, ids[0, 1:, None])[:, 0]
    completion = chosen[PROMPT - 1:]
    advantages = torch.linspace(-1, 1, len(completion))
    model.zero_grad()
    (-(advantages * completion).sum()).backward()
    gradients = {}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            gradients[name.replace(".default", "")] = dict(norm=parameter.grad.norm().item(), **elements(parameter.grad))
    greedy = model.generate(ids[:, :PROMPT], attention_mask=torch.ones(1, PROMPT, dtype=torch.long), max_new_tokens=CONTINUATION, do_sample=False)
    return dict(
        ids=ids[0].tolist(), prompt=PROMPT, logprobs=chosen.tolist(), advantages=advantages.tolist(),
        gradients=gradients, greedy=greedy[0, PROMPT:].tolist(),
    )


def adapt(model, folder, rank, alpha, targets):
    adapted = get_peft_model(copy.deepcopy(model), LoraConfig(r=rank, lora_alpha=alpha, target_modules=targets, task_type="CAUSAL_LM"))
    for name, parameter in adapted.named_parameters():
        if "lora_B" in name:
            parameter.data = 0.2 * torch.randn_like(parameter)
    expected = expectations(adapted)
    adapted.save_pretrained(folder)
    (folder / "README.md").unlink()
    # PEFT keeps the names as a set: their order would change from run to run.
    settings = json.loads((folder / "adapter_config.json").read_text())
    (folder / "adapter_config.json").write_text(json.dumps(dict(settings, target_modules=sorted(targets)), indent=2))
    weights = adapted.merge_and_unload().named_parameters()
    merged = {name: elements(parameter) for name, parameter in weights if any(target in name for target in targets) and name.endswith(".weight")}
    (folder / "expected.json").write_text(json.dumps(dict(**expected, merged=merged)))


for seed, (family, create) in enumerate(FAMILIES.items()):
    torch.manual_seed(seed)
    model = create().eval()
    randomize(model)
    folder = ROOT / family
    shutil.rmtree(folder, ignore_errors=True)
    expected = expectations(model)
    adapt(model, ROOT / "adapters" / family, *ADAPTERS[family])
    model.to(torch.bfloat16).save_pretrained(folder, max_shard_size="40KB" if family == "llama" else "1MB")
    (folder / "generation_config.json").unlink(missing_ok=True)
    (folder / "expected.json").write_text(json.dumps(expected))
