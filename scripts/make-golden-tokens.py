"""Writes test/golden/tokenizers/expected.json: what the reference implementation makes of 10,000 mixed strings.

    npx tsx scripts/tokenizers.ts           # and scripts/smollm2.py, for the tokenizers that are compared
    python3 -m venv venv
    venv/bin/pip install tokenizers==0.23.3 transformers==5.24.0
    venv/bin/python scripts/make-golden-tokens.py

The strings are those of test/mixed-strings.ts. Of every 100 of them the file has a digest of the token ids and one of the
texts that these become again, and for each chat template the prompts that it makes of a few questions.
"""

import json
import os
import subprocess
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "selftrain"
FOLDERS = {"builtin": ROOT / "models" / "builtin", "smollm2": CACHE / "smollm2-135m-instruct"}
FOLDERS |= {name: CACHE / "tokenizers" / name for name in ["llama-3.2", "qwen2.5", "qwen3"]}
STRINGS, SEED, BLOCK = 10_000, 0, 100
QUESTIONS = [
    "What is 7 + 5?", " Spaces  around \n", "已知 $x^2=4$,求 $x$。🙂", "<think>{{ 'x' }}</think> {% if %} <|im_end|>",
    "Natalia sold clips to 48 of her friends.\nHow many? Let's think step by step and output the final answer within \\boxed{}.",
]


def mixed_strings():
    script = f'import {{ mixedStrings }} from "./test/mixed-strings.ts"; console.log(JSON.stringify(mixedStrings({STRINGS}, {SEED})));'
    command = ["node", "--import", "tsx", "--input-type=module", "--eval", script]
    return json.loads(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)


def digests(items):
    return [sha256("\n".join(items[start:start + BLOCK]).encode()).hexdigest()[:16] for start in range(0, len(items), BLOCK)]


def expectations(folder, strings):
    from tokenizers import Tokenizer
    from transformers import AutoTokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    ids = [tokenizer.encode(string).ids for string in strings]
    # Backwards too, which cuts characters apart.
    texts = [text for tokens in ids for text in (tokenizer.decode(tokens), tokenizer.decode(tokens[::-1]))]
    chat = AutoTokenizer.from_pretrained(folder)
    render = lambda question: chat.apply_chat_template(
        [dict(role="user", content=question)], add_generation_prompt=True, tokenize=False,
        date_string="26 Jul 2024",  # where a template would write the day
    )
    return dict(
        ids=digests([" ".join(map(str, tokens)) for tokens in ids]), texts=digests(texts),
        chats=[dict(question=question, prompt=render(question)) for question in QUESTIONS] if chat.chat_template else [],
    )


def main():
    strings = mixed_strings()
    expected = dict(strings=STRINGS, seed=SEED, block=BLOCK, tokenizers={name: expectations(folder, strings) for name, folder in FOLDERS.items()})
    path = ROOT / "test" / "golden" / "tokenizers" / "expected.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(expected, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8")
    print(path)


if __name__ == "__main__":
    main()
