/** Which fields of a row hold what. */
export interface Fields {
  readonly id: string;
  readonly prompt: string;
  readonly answer: string;
}

export const PRESET_SPLITS = ["train", "test"] as const;
export type PresetSplitName = (typeof PRESET_SPLITS)[number];

/** One split of a preset. */
export interface PresetSplit {
  /** Name, without its ending, of the file that holds it in a data folder. */
  readonly file: string;
  /** Config (a folder of the hub's repository), or `null`, and split on the hub. */
  readonly config: string | null;
  readonly split: string;
  /** Rows of the published split, or `null` where we have not seen the figure. */
  readonly rows: number | null;
}

/** A data set that is known by name. */
export interface Preset {
  readonly name: string;
  /** Data set id on the hub. */
  readonly repository: string;
  /** As the data set's page, or the work that it was made from, states it. */
  readonly licence: string;
  /** Fields of the hub's rows. Files in a data folder may also have `id`, `problem` and `answer`. */
  readonly fields: Fields;
  readonly splits: Readonly<Partial<Record<PresetSplitName, PresetSplit>>>;
  /** The final answer stands after the last of these marks, where the answer field holds a whole solution. */
  readonly answerMark?: string;
  /** Prompt made from a question where the config names no template; when absent, the paper's. */
  readonly template?: string;
  /** Rows that belong to the preset, where the hub's data set holds more. */
  readonly keep?: (fields: Readonly<Record<string, unknown>>) => boolean;
}

const plain: Fields = { id: "id", prompt: "problem", answer: "answer" };
const asked: Fields = { ...plain, prompt: "question" };
const prompted: Fields = { ...plain, prompt: "prompt" };

const PRESETS: readonly Preset[] = [
  {
    name: "math-12k",
    repository: "hiyouga/math12k",
    licence: "MIT (MATH)",
    fields: plain,
    splits: {
      train: { file: "math-12k-train", config: null, split: "train", rows: 12_000 },
      test: { file: "math-12k-test", config: null, split: "test", rows: 500 },
    },
  },
  {
    name: "math500",
    repository: "HuggingFaceH4/MATH-500",
    licence: "MIT (MATH)",
    fields: { ...plain, id: "unique_id" },
    splits: { test: { file: "math500", config: null, split: "test", rows: 500 } },
  },
  {
    name: "gsm8k",
    repository: "openai/gsm8k",
    licence: "MIT",
    fields: asked,
    splits: {
      train: { file: "gsm8k-train", config: "main", split: "train", rows: 7473 },
      test: { file: "gsm8k-test", config: "main", split: "test", rows: 1319 },
    },
    answerMark: "####",
  },
  {
    name: "aime-1983-2023",
    repository: "di-zhang-fdu/AIME_1983_2024",
    licence: "MIT",
    fields: { id: "ID", prompt: "Question", answer: "Answer" },
    splits: { train: { file: "aime1983-2023", config: null, split: "train", rows: 919 } },
    keep: ({ Year }) => Year === undefined || Number(Year) <= 2023,
  },
  {
    name: "aime24",
    repository: "HuggingFaceH4/aime_2024",
    licence: "Apache-2.0 (AI-MO/aimo-validation-aime)",
    fields: plain,
    splits: { test: { file: "aime2024", config: null, split: "train", rows: 30 } },
  },
  {
    name: "aime25",
    repository: "math-ai/aime25",
    licence: "Apache-2.0",
    fields: plain,
    splits: { test: { file: "aime2025", config: null, split: "test", rows: 30 } },
  },
  {
    name: "amc23",
    repository: "math-ai/amc23",
    licence: "not stated",
    fields: asked,
    splits: { test: { file: "amc", config: null, split: "test", rows: 40 } },
  },
  {
    name: "minerva",
    repository: "math-ai/minervamath",
    licence: "not stated",
    fields: asked,
    splits: { test: { file: "minerva", config: null, split: "test", rows: 272 } },
  },
  {
    name: "olympiadbench",
    repository: "math-ai/olympiadbench",
    licence: "Apache-2.0 (Hothan/OlympiadBench)",
    fields: { ...asked, answer: "final_answer" },
    splits: { test: { file: "olympiadbench", config: null, split: "test", rows: 674 } },
  },
  {
    name: "dapo",
    repository: "ftajwar/deduplicated_dapo_dataset",
    licence: "Apache-2.0 (DAPO-Math-17k)",
    fields: prompted,
    splits: { train: { file: "dapo", config: null, split: "train", rows: 17_398 } },
  },
  {
    name: "dapo-easy-pass-rate",
    repository: "ftajwar/dapo_easy_one_third_sorted_by_pass_rate",
    licence: "Apache-2.0 (DAPO-Math-17k)",
    fields: prompted,
    splits: { train: { file: "dapo-easy-pass-rate", config: null, split: "train", rows: null } },
  },
  {
    name: "dapo-easy-majority",
    repository: "ftajwar/dapo_easy_one_third_sorted_by_frequency_of_majority_answer",
    licence: "Apache-2.0 (DAPO-Math-17k)",
    fields: prompted,
    splits: { train: { file: "dapo-easy-majority", config: null, split: "train", rows: null } },
  },
];

/** Every preset by its name: the training and test sets of the paper (arXiv 2505.21444), and gsm8k. */
export const presets: ReadonlyMap<string, Preset> = new Map(PRESETS.map((preset) => [preset.name, preset]));
