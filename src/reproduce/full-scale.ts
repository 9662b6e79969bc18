import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { formatConfig, resolveConfig } from "../config/index.ts";
import { presets } from "../data/index.ts";
import { ReproductionError } from "../errors.ts";
import { writeFileAtomically } from "../util/atomic-write.ts";
import type { Changes } from "./job.ts";

/** Hyperparameters of the paper (appendix B) and of the authors' script, for a server that speaks the Tinker training API. */
const BASE: Changes = {
  model: "Qwen/Qwen2.5-Math-7B", "engine.kind": "tinker", "engine.url": "http://127.0.0.1:8000", "lora.rank": 0,
  train: "dapo", "held-out": "aime24", "max-prompt-tokens": 1024, "max-tokens": 3072,
  algorithm: "rloo", "learning-rate": 1e-6, beta1: 0.9, beta2: 0.999, "weight-decay": 0.01, "max-gradient-norm": 1,
  "kl-coefficient": 0.001, "prompts-per-step": 16, "samples-per-prompt": 32, temperature: 1, "top-p": 1,
  steps: 1087, "evaluate-every": 100, "evaluate-samples": 32, "evaluate-temperature": 1, "checkpoint-every": 50, "record-samples-every": 100,
};
const TRUTH: Changes = { reward: "ground-truth" };
const MATH: Changes = { train: "math-12k", steps: 750 };
const AIME: Changes = { train: "aime-1983-2023", steps: 280 };

/** What a figure takes at full scale: runs by name, and commands before and after them. */
interface FullFigure {
  readonly runs: Readonly<Record<string, Changes>>;
  readonly before?: readonly string[];
  readonly after?: readonly string[];
  readonly note?: string;
}

const SERVER = "--model Qwen/Qwen2.5-Math-7B --engine.kind tinker --engine.url http://127.0.0.1:8000";
const SRT: FullFigure["runs"] = { "dapo-srt": {} };
const SRT_AND_TRUTH: FullFigure["runs"] = { ...SRT, "dapo-ground-truth": TRUTH };
const LABELS = `npx selftrain label ${SERVER} --data dapo --samples 32 --max-tokens 3072 --out labels.jsonl`;
const select = (criterion: string): string => `npx selftrain select labels.jsonl --data dapo --keep 1/3 --by ${criterion} --out third-${criterion}.jsonl`;
const third = (criterion: string): Changes => ({ train: `third-${criterion}.jsonl`, steps: 1086 });

const FIGURES: Readonly<Record<string, FullFigure>> = {
  "vote-gap": { runs: {}, after: ["aime24", "aime25", "amc23", "math500"].map((data) => `npx selftrain evaluate ${SERVER} --data ${data} --samples 64 --max-tokens 3072 --out start-${data}`) },
  rise: { runs: { ...SRT_AND_TRUTH, "math-12k-srt": MATH, "math-12k-ground-truth": { ...MATH, ...TRUTH }, "aime-srt": AIME, "aime-ground-truth": { ...AIME, ...TRUTH } } },
  collapse: { runs: { "dapo-srt-long": { steps: 2174 } }, note: "Two epochs: the authors' sample of a collapsed model is from step 1,200." },
  "test-time": { runs: {}, after: ["aime24", "aime25", "amc23"].map((data) => `npx selftrain adapt ${data} ${SERVER} --steps 200 --prompts-per-step 16 --samples-per-prompt 32 --max-tokens 3072 --learning-rate 1e-6 --evaluate-samples 32 --out adapt-${data}`) },
  "early-stopping": { runs: { "dapo-early-stopping": { validation: "amc23", "evaluate-every": 50 } }, note: "The authors label 1 % of DAPO; here AMC stands for it, since a data set that is trained on cannot be watched." },
  "offline-labels": { before: [LABELS], runs: { ...SRT_AND_TRUTH, "dapo-offline": { reward: "offline-labels", labels: "labels.jsonl" } } },
  curriculum: {
    before: [LABELS, ...["majority-share", "pass-rate", "random"].map(select)],
    runs: { ...SRT_AND_TRUTH, "third-majority-share": third("majority-share"), "third-pass-rate": third("pass-rate"), "third-random": third("random") },
    note: "Three epochs of a third.",
  },
  ablations: {
    runs: {
      ...SRT, "samples-4": { "samples-per-prompt": 4 }, "rate-half": { "learning-rate": 5e-7 }, "kl-0.01": { "kl-coefficient": 0.01 }, "entropy-0.003": { "entropy-coefficient": 0.003 },
      grpo: { algorithm: "grpo", "kl-placement": "loss", "kl-estimator": "k3" }, "reinforce-pp": { algorithm: "reinforce++" },
    },
    note: "PPO needs a critic, which the Tinker API has not.",
  },
  controls: { runs: { ...SRT, "control-random": { reward: "random" }, "control-format": { reward: "format" } } },
  ladder: {
    runs: { "knights-2-ground-truth": { ...TRUTH, ...ladderOf(2) }, ...Object.fromEntries([3, 5, 7].flatMap((level) => [[`knights-${level}-srt`, ladderOf(level)], [`knights-${level}-fixed`, { ...ladderOf(level), "teacher.kind": "start" }]])) },
    note: "A run on a server leaves no model folder: give each rung the rung below as `engine.base-model`, under the name that the server has for it.",
  },
  cure: { runs: { ...SRT_AND_TRUTH, "dapo-snapshot-teacher": { "teacher.kind": "snapshot", "teacher.every": 50 } }, note: "A server does not average weights: the voter is a snapshot that is renewed every 50 steps." },
};

/** Reasoning Gym, section 5 of the paper's second version: another model and GRPO. */
function ladderOf(level: number): Changes {
  const task = `task:knights/${level}`;
  return { model: "Qwen/Qwen3-4B-Base", train: task, "train-problems": 16_000, "held-out": task, "held-out-problems": 100, algorithm: "grpo", "kl-placement": "loss", "kl-estimator": "k3", "kl-coefficient": 1e-4, "evaluate-samples": 16, steps: 950 };
}

export interface FullScale {
  /** Config files by name, each with every default written out. */
  readonly configs: Readonly<Record<string, string>>;
  /** Markdown: the commands of each figure, in their order. */
  readonly commands: string;
}

/**
 * The paper's runs as configs and commands for some figures, checked as far as is possible without running them: every
 * key, value and data set is known. Throws UsageError for a setting that no run could have, RangeError for a data set
 * that nothing provides.
 */
export function fullScale(names: readonly string[]): FullScale {
  const chosen = names.map((name) => [name, FIGURES[name]] as const);
  const configs: Record<string, string> = {};
  const sections = chosen.map(([name, figure]) => {
    if (figure === undefined) throw new RangeError(`no figure is called ${name}`);
    const { runs, before = [], after = [], note } = figure;
    for (const [run, changes] of Object.entries(runs)) configs[`${run}.yaml`] = configOf(run, changes, before);
    const trains = Object.keys(runs).map((run) => `npx selftrain train ${run}.yaml --out runs/${run}`);
    return `## ${name}\n\n${note === undefined ? "" : `${note}\n\n`}\`\`\`sh\n${[...before, ...trains, ...after].join("\n")}\n\`\`\`\n`;
  });
  const head = "# The paper's runs\n\nFor a server that speaks the Tinker training API at the address in the configs (`engine.url`); `npx selftrain engines check` says what it can do. None of this was run by those who wrote it.\n\nAs in the paper all weights are trained (`lora.rank: 0`) and KL is taken against the start, for which a server has to hold a second model. Where it can't (docs/scaling.md), train adapters: `lora.rank: 32` and about ten times the learning rate.\n";
  return { configs, commands: `${head}\n${sections.join("\n")}` };
}

function configOf(run: string, changes: Changes, before: readonly string[]): string {
  const settings = new Map(Object.entries({ ...BASE, ...changes }).map(([name, value]) => [name, { value, from: run }]));
  const config = resolveConfig(settings, run);
  for (const source of [config.train, config.heldOut, config.validation, config.labels]) {
    if (typeof source !== "string" || source === "" || source === "none" || source.startsWith("task:")) continue;
    const made = before.some((command) => command.endsWith(`--out ${source}`));
    if (!made && !presets.has(source)) throw new RangeError(`${run} reads ${source}, which is no data set, and no command makes it`);
  }
  return formatConfig(config);
}

/** Writes the configs and `commands.md` into a folder. Throws ReproductionError, and writes nothing, where a file of these names is another. */
export async function writeFullScale(out: string, { configs, commands }: FullScale): Promise<void> {
  const files = Object.entries({ ...configs, "commands.md": commands });
  for (const [name, text] of files) {
    const file = join(out, name);
    if (existsSync(file) && (await readFile(file, "utf8")) !== text) throw new ReproductionError(`${file} is there already with other text, perhaps edited; take another folder with --out, or delete it.`);
  }
  await mkdir(out, { recursive: true });
  for (const [name, text] of files) await writeFileAtomically(join(out, name), text);
}
