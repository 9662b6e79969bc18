/**
 * Writes the tokenizer and configuration of the built-in model as ordinary Hugging Face files into
 * models/builtin. Its weights are made by pretraining (`npm run pretrain`). Deterministic.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { builtinModelFolder } from "../src/tasks/index.ts";

const FIRST_PRINTABLE = 0x20;
const LAST_PRINTABLE = 0x7e;
const characters = Array.from({ length: LAST_PRINTABLE - FIRST_PRINTABLE + 1 }, (_, offset) => String.fromCharCode(FIRST_PRINTABLE + offset));

/** Tokens by id. `\boxed{` is one token, so that opening an answer is one choice of the model. */
const special = ["<pad>", "<eos>", "<unk>"];
const boxed = "\\boxed{";
const vocabulary = [...special, boxed, "\n", ...characters];
const idOf = (token: string) => vocabulary.indexOf(token);

/** Rows of the embedding: a multiple of 16 suits the matrix kernels. Ids without a token are never trained towards. */
const vocabularySize = Math.ceil(vocabulary.length / 16) * 16;
const contextLength = 256;

const addedToken = (content: string) => ({
  id: idOf(content),
  content,
  single_word: false,
  lstrip: false,
  rstrip: false,
  normalized: false,
  special: special.includes(content),
});

const tokenizer = {
  version: "1.0",
  truncation: null,
  padding: null,
  added_tokens: [...special, boxed].map(addedToken),
  normalizer: null,
  pre_tokenizer: null,
  post_processor: null,
  decoder: { type: "Fuse" },
  // Byte-pair encoding without a merge: every character is a token.
  model: {
    type: "BPE",
    dropout: null,
    unk_token: "<unk>",
    continuing_subword_prefix: null,
    end_of_word_suffix: null,
    fuse_unk: false,
    byte_fallback: false,
    vocab: Object.fromEntries(vocabulary.map((token, id) => [token, id])),
    merges: [],
  },
};

const tokenizerConfig = {
  tokenizer_class: "PreTrainedTokenizerFast",
  model_max_length: contextLength,
  clean_up_tokenization_spaces: false,
  eos_token: "<eos>",
  pad_token: "<pad>",
  unk_token: "<unk>",
};

const config = {
  architectures: ["LlamaForCausalLM"],
  model_type: "llama",
  vocab_size: vocabularySize,
  hidden_size: 128,
  intermediate_size: 384,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 32,
  hidden_act: "silu",
  attention_bias: false,
  mlp_bias: false,
  tie_word_embeddings: true,
  max_position_embeddings: contextLength,
  rope_theta: 10000,
  rms_norm_eps: 1e-5,
  initializer_range: 0.02,
  torch_dtype: "float32",
  bos_token_id: null,
  eos_token_id: idOf("<eos>"),
  pad_token_id: idOf("<pad>"),
};

const generationConfig = { eos_token_id: idOf("<eos>"), pad_token_id: idOf("<pad>") };

const folder = builtinModelFolder();
mkdirSync(folder, { recursive: true });
const files = {
  "tokenizer.json": tokenizer,
  "tokenizer_config.json": tokenizerConfig,
  "config.json": config,
  "generation_config.json": generationConfig,
};
for (const [name, content] of Object.entries(files)) {
  writeFileSync(join(folder, name), `${JSON.stringify(content, null, 2)}\n`);
}
console.log(`${folder}: ${vocabulary.length} tokens, ${vocabularySize} embedding rows`);
