/**
 * What it takes to read the answers of a step of the paper's size and to count them, 16 questions with 32 completions of
 * 3,072 tokens each: all at the end, and what is left at the end when a server tells of each question as it is sampled.
 *
 *   npm run bench:answers [-- --tokenizer FOLDER]
 *
 * The tokenizer is that of a Hugging Face model folder, the built-in model's by default.
 */
import { parseArgs } from "node:util";
import { createGrader } from "../src/grading/index.ts";
import type { Policy } from "../src/policy.ts";
import { loadRenderer } from "../src/render/index.ts";
import { answer } from "../src/step/voters.ts";
import { builtinModelFolder } from "../src/tasks/index.ts";
import type { Completion } from "../src/types.ts";

const [PROMPTS, SAMPLES, TOKENS, ROUNDS] = [16, 32, 3072, 5];
const { values } = parseArgs({ options: { tokenizer: { type: "string", default: builtinModelFolder() } } });
const renderer = await loadRenderer(values.tokenizer, { template: "{problem}", chat: "none" });
const encode = (text: string): readonly number[] => renderer.encodePrompt(text, "{problem}");

/** A long solution whose last tokens are the answer: eight different ones, in several spellings. */
function completion(member: number): Completion {
  const written = [`\\boxed{${member % 8}}`, `\\boxed{${member % 8}.0}`, `\\boxed{\\frac{${2 * (member % 8)}}{2}}`][member % 3]!;
  const end = encode(` so \\boxed{7}=7*1, and 3+4*2-1=${written}`);
  const line = encode("3+4=7;7*2=4;4-1=3; ");
  const body = Array.from({ length: TOKENS - end.length }, (_, t) => line[t % line.length]!);
  const tokens = [...body, ...end];
  return { tokens, logprobs: new Float32Array(tokens.length), stopReason: "stop" };
}
const sampled = Array.from({ length: PROMPTS }, () => Array.from({ length: SAMPLES }, (_, member) => completion(member)));
const parts = { renderer, grader: createGrader(), rewardOf: () => { throw new Error("not rewarded here"); }, clock: () => 0 };
const settings = { samplesPerPrompt: SAMPLES, temperature: 1, topP: 1, topK: 0, maxTokens: TOKENS, seed: 0 } as Parameters<typeof answer>[2];
const problems = Array.from({ length: PROMPTS }, (_, index) => ({ id: String(index), prompt: "1+1=", source: "" }));

/** Seconds from the last completion's arrival to the last vote, the median of some rounds. */
async function secondsLeft(oneByOne: boolean): Promise<number> {
  const seconds: number[] = [];
  for (let round = 0; round <= ROUNDS; round++) {
    let start = performance.now();
    const sample: Policy["sample"] = (_, arrived) => {
      for (const [prompt, completions] of oneByOne ? sampled.entries() : []) {
        start = performance.now();
        arrived?.(prompt, completions);
      }
      return Promise.resolve(sampled);
    };
    const answered = await answer(problems, { ...parts, policy: { sample } as Policy }, settings);
    // The first round warms up.
    if (round > 0) seconds.push((performance.now() - start) / 1000);
    if (answered.some(({ vote }) => vote.classes.length !== 8)) throw new Error("eight answers were written, others were read");
  }
  return seconds.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]!;
}
console.log(`${PROMPTS * SAMPLES} completions of ${TOKENS} tokens (medians of ${ROUNDS}), from the last one's arrival until all answers are read and counted:`);
console.log(`${(await secondsLeft(false)).toFixed(3)} s when all come together, ${(await secondsLeft(true)).toFixed(3)} s when ${PROMPTS} questions come one by one`);
