import { rm } from "node:fs/promises";
import { expect, it } from "vitest";
import { writeTinyModel } from "../../../test/tiny-model.ts";
import { createEngine } from "../engine.ts";
import { loadModel } from "../model-folder.ts";
import type { LoadedModel } from "../model-folder.ts";

/**
 * Llama written out position by position in double precision, from the papers' formulas: an independent
 * reference for the traced graphs. Gives log p(token t+1 | tokens up to t) for each t.
 */
function referenceLogprobs({ config, layout, flat }: LoadedModel, tokens: readonly number[]): number[] {
  const { width, heads, keyValueHeads, headWidth, normEpsilon, ropeTheta } = config;
  const weight = (name: string): { rows: number; row: (index: number) => Float32Array } => {
    const { shape, offset } = layout.stored.find((tensor) => tensor.name === name)!;
    const columns = shape[1] ?? shape[0]!;
    return { rows: shape[0]!, row: (index) => flat.subarray(offset + index * columns, offset + (index + 1) * columns) };
  };
  const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => Array.from(a).reduce((total, value, index) => total + value * b[index]!, 0);
  const apply = (name: string, x: readonly number[]): number[] => {
    const { rows, row } = weight(name);
    return Array.from({ length: rows }, (_, index) => dot(row(index), x));
  };
  const normalize = (name: string, x: readonly number[]): number[] => {
    const scale = 1 / Math.sqrt(dot(x, x) / width + normEpsilon);
    return x.map((value, index) => value * scale * weight(name).row(0)[index]!);
  };
  const rotate = (head: readonly number[], position: number): number[] =>
    head.map((value, index) => {
      const pair = index % (headWidth / 2);
      const angle = position * ropeTheta ** ((-2 * pair) / headWidth);
      const partner = index < headWidth / 2 ? -head[index + headWidth / 2]! : head[index - headWidth / 2]!;
      return value * Math.cos(angle) + partner * Math.sin(angle);
    });
  const headOf = (x: readonly number[], head: number): number[] => x.slice(head * headWidth, (head + 1) * headWidth);
  const sum = (a: readonly number[], b: readonly number[]): number[] => a.map((value, index) => value + b[index]!);

  let states = tokens.slice(0, -1).map((token) => Array.from(weight("model.embed_tokens.weight").row(token)));
  for (let layer = 0; layer < config.layers; layer++) {
    const name = (rest: string): string => `model.layers.${layer}.${rest}.weight`;
    const normalized = states.map((x) => normalize(name("input_layernorm"), x));
    const keys = normalized.map((x) => apply(name("self_attn.k_proj"), x));
    const values = normalized.map((x) => apply(name("self_attn.v_proj"), x));
    states = states.map((x, position) => {
      const queries = apply(name("self_attn.q_proj"), normalized[position]!);
      const mixed = Array.from({ length: heads }, (_, head) => {
        const shared = Math.floor(head / (heads / keyValueHeads));
        const query = rotate(headOf(queries, head), position);
        const scores = keys.slice(0, position + 1).map((key, past) => Math.exp(dot(query, rotate(headOf(key, shared), past)) / Math.sqrt(headWidth)));
        const total = scores.reduce((a, b) => a + b, 0);
        return Array.from({ length: headWidth }, (__, index) => scores.reduce((result, score, past) => result + (score / total) * headOf(values[past]!, shared)[index]!, 0));
      }).flat();
      return sum(x, apply(name("self_attn.o_proj"), mixed));
    });
    states = states.map((x) => {
      const inner = normalize(name("post_attention_layernorm"), x);
      const gate = apply(name("mlp.gate_proj"), inner);
      const up = apply(name("mlp.up_proj"), inner);
      return sum(x, apply(name("mlp.down_proj"), gate.map((value, index) => (value / (1 + Math.exp(-value))) * up[index]!)));
    });
  }
  const head = config.tiedEmbeddings ? "model.embed_tokens.weight" : "lm_head.weight";
  return states.map((x, position) => {
    const logits = apply(head, normalize("model.norm.weight", x));
    return logits[tokens[position + 1]!]! - Math.log(logits.reduce((total, logit) => total + Math.exp(logit), 0));
  });
}

for (const tied of [true, false]) {
  it(`gives the logprobs of the formulas, ${tied ? "tied" : "untied"} embeddings`, async () => {
    const folder = await writeTinyModel({ tie_word_embeddings: tied });
    const tokens = [3, 17, 8, 8, 25, 0, 11, 28];
    const expected = referenceLogprobs(await loadModel(folder), tokens);
    const policy = await createEngine({ model: folder, threads: 1 });
    const sequences = [3, 1].map((cut) => ({ prompt: tokens.slice(0, cut), completion: tokens.slice(cut) }));
    const [short, long] = await policy.logprobs(sequences, "current");
    await policy.close();
    await rm(folder, { recursive: true });
    expect(Math.max(...expected.map((value, index) => Math.abs(value - long![index]!)))).toBeLessThan(2e-5);
    expect(Math.max(...expected.slice(2).map((value, index) => Math.abs(value - short![index]!)))).toBeLessThan(2e-5);
  });
}
