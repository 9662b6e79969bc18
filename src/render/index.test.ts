import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { ModelError } from "../errors.ts";
import { createRandom } from "../util/random.ts";
import { PAPER_TEMPLATE } from "../options.ts";
import { loadRenderer } from "./index.ts";
import { createTokenizer } from "./tokenizer.ts";

const builtin = new URL("../../models/builtin/", import.meta.url);
const scratch: string[] = [];
/** A copy of the built-in model's text files, to alter. */
let folder: string;

async function temporaryFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "selftrain-render-"));
  scratch.push(path);
  return path;
}

async function edit(name: string, change: (content: Record<string, unknown>) => void): Promise<void> {
  const content = JSON.parse(await readFile(join(folder, name), "utf8")) as Record<string, unknown>;
  change(content);
  await writeFile(join(folder, name), JSON.stringify(content));
}

beforeEach(async () => {
  folder = await temporaryFolder();
  for (const name of ["tokenizer.json", "tokenizer_config.json", "config.json", "generation_config.json"]) {
    await cp(new URL(name, builtin), join(folder, name));
  }
});
afterAll(async () => {
  await Promise.all(scratch.map((path) => rm(path, { recursive: true })));
});

describe("the renderer of the built-in model", () => {
  // Ids by hand: <pad> 0, <eos> 1, <unk> 2, \boxed{ 3, newline 4, then ASCII from space (5) on: "0" is 21.
  it("makes one token of each character, and of \\boxed{", async () => {
    const renderer = await loadRenderer(folder, { template: "{problem}" });
    expect(renderer.encodePrompt("9-6=")).toEqual([30, 18, 27, 34]);
    expect(renderer.encodePrompt("0;\\boxed{0}\n")).toEqual([21, 32, 3, 21, 98, 4]);
    expect(renderer.encodePrompt("é")).toEqual([2]);
    expect(renderer.stopTokens).toEqual([1]);
  });

  it("takes the problem's own template, or the paper's, where it has none itself", async () => {
    const { encodePrompt } = await loadRenderer(folder, { template: "" });
    const given = await loadRenderer(folder, { template: "{problem}=" });
    expect(encodePrompt("1", "{problem}=")).toEqual(given.encodePrompt("1"));
    expect(encodePrompt("1")).toEqual((await loadRenderer(folder, { template: PAPER_TEMPLATE })).encodePrompt("1"));
    expect(given.encodePrompt("1", "{problem}+{problem}")).toEqual(given.encodePrompt("1"));
  });

  it("stops also at every token that contains the text it is told to stop at", async () => {
    const renderer = await loadRenderer(folder, { template: "{problem}", stopAt: "ox" });
    expect(renderer.stopTokens).toEqual([1, 3]);
  });

  it("puts the question into the template as it is, wherever the template has it", async () => {
    const renderer = await loadRenderer(folder, { template: "Q:{problem}|{problem}" });
    expect(renderer.decode(renderer.encodePrompt("$&{problem}"))).toBe("Q:$&{problem}|$&{problem}");
  });

  it("decodes completions to text without special tokens and without ids that have no token", async () => {
    const { decode } = await loadRenderer(folder, { template: "{problem}" });
    expect(decode([24, 32, 3, 24, 98, 1])).toBe("3;\\boxed{3}");
    expect(decode([0, 24, 111, 1, 24])).toBe("33");
    expect(decode([1])).toBe("");
    expect(decode([])).toBe("");
  });

  it("decodes as the tokenizer library does", async () => {
    const { decode } = await loadRenderer(folder, { template: "{problem}" });
    const files = await Promise.all(["tokenizer.json", "tokenizer_config.json"].map((name) => readFile(join(folder, name), "utf8")));
    const [tokenizer, config] = files.map((text) => JSON.parse(text) as object);
    const library = createTokenizer(tokenizer!, config!);
    const random = createRandom(1);
    for (let draw = 0; draw < 500; draw++) {
      const tokens = Array.from({ length: 1 + random.integer(20) }, () => random.integer(100));
      expect(decode(tokens)).toBe(library.decode(tokens, { skip_special_tokens: true }));
    }
  });

  it("decodes a step's completions in a few milliseconds", async () => {
    const { decode } = await loadRenderer(folder, { template: "{problem}" });
    const random = createRandom(2);
    const completions = Array.from({ length: 512 }, () => Array.from({ length: 14 }, () => random.integer(100)));
    const milliseconds = Array.from({ length: 20 }, () => {
      const started = performance.now();
      completions.forEach(decode);
      return performance.now() - started;
    });
    expect(Math.min(...milliseconds)).toBeLessThan(2);
  });
});

describe("loadRenderer", () => {
  it("stops at the end tokens of all files together", async () => {
    await edit("generation_config.json", (content) => (content["eos_token_id"] = [7, 5]));
    await edit("config.json", (content) => (content["eos_token_id"] = 9));
    expect((await loadRenderer(folder, { template: "{problem}" })).stopTokens).toEqual([1, 5, 7, 9]);
    await rm(join(folder, "generation_config.json"));
    expect((await loadRenderer(folder, { template: "{problem}" })).stopTokens).toEqual([1, 9]);
  });

  it("renders the question as the user message of a chat template, with the opening of the reply", async () => {
    const chat = "{{ bos_token }}{% for m in messages %}[{{ m['role'] }}]{{ m['content'] }}{% endfor %}{% if add_generation_prompt %}[assistant]{% endif %}";
    await edit("tokenizer_config.json", (content) => Object.assign(content, { chat_template: chat, bos_token: "<pad>" }));
    const plain = await loadRenderer(new URL(".", builtin).pathname, { template: "{problem}" });
    const renderer = await loadRenderer(folder, { template: "{problem}!" });
    expect(renderer.encodePrompt("1+1")).toEqual(plain.encodePrompt("<pad>[user]1+1![assistant]"));
    await writeFile(join(folder, "chat_template.jinja"), "<{{ messages[0].content }}>");
    expect((await loadRenderer(folder, { template: "{problem}" })).encodePrompt("2")).toEqual(plain.encodePrompt("<2>"));
  });

  it("tells a chat template that writes the day always the same one", async () => {
    const { encodePrompt } = await loadRenderer(folder, { template: "{problem}" });
    const chat = "{% if not date_string is defined %}{% set date_string = strftime_now('%d %b %Y') %}{% endif %}{{ date_string }}";
    await edit("tokenizer_config.json", (content) => (content["chat_template"] = chat));
    expect((await loadRenderer(folder, { template: "{problem}" })).encodePrompt("1+1")).toEqual(encodePrompt("26 Jul 2024"));
  });

  it("leaves the chat template unused when told so", async () => {
    const template = "{problem}=";
    const plain = (await loadRenderer(folder, { template })).encodePrompt("1+1");
    await edit("tokenizer_config.json", (content) => (content["chat_template"] = "[{{ messages[0].content }}]"));
    expect((await loadRenderer(folder, { template })).encodePrompt("1+1")).not.toEqual(plain);
    expect((await loadRenderer(folder, { template, chat: "none" })).encodePrompt("1+1")).toEqual(plain);
  });

  it("adds the tokenizer's own special tokens to a plain prompt, but not to a chat, whose template writes them", async () => {
    await edit("tokenizer.json", (content) => {
      const single = [{ SpecialToken: { id: "<pad>", type_id: 0 } }, { Sequence: { id: "A", type_id: 0 } }];
      const special_tokens = { "<pad>": { id: "<pad>", ids: [0], tokens: ["<pad>"] } };
      content["post_processor"] = { type: "TemplateProcessing", single, pair: single, special_tokens };
    });
    expect((await loadRenderer(folder, { template: "{problem}" })).encodePrompt("0")).toEqual([0, 21]);
    await edit("tokenizer_config.json", (content) => (content["chat_template"] = "{{ eos_token }}{{ messages[0].content }}"));
    expect((await loadRenderer(folder, { template: "{problem}" })).encodePrompt("0")).toEqual([1, 21]);
  });

  it("takes the default among several chat templates", async () => {
    const templates = [{ name: "tool_use", template: "tool" }, { name: "default", template: "A{{ messages[0].content }}" }];
    await edit("tokenizer_config.json", (content) => (content["chat_template"] = templates));
    expect((await loadRenderer(folder, { template: "{problem}" })).encodePrompt("0")).toEqual([38, 21]);
  });

  describe("with a tokenizer on bytes", () => {
    beforeEach(async () => {
      // Byte-level tokens: the two bytes of é are written Ã and ©; Ġ is the space.
      await edit("tokenizer.json", (content) => {
        content["model"] = { type: "BPE", vocab: { "Ã": 0, "©": 1, a: 2, "Ġ": 3, "<end>": 4 }, merges: [] };
        content["pre_tokenizer"] = { type: "ByteLevel", add_prefix_space: false, use_regex: true };
        content["decoder"] = { type: "ByteLevel" };
        content["added_tokens"] = [{ id: 4, content: "<end>", special: true }];
      });
      await edit("tokenizer_config.json", (content) => (content["eos_token"] = { content: "<end>" }));
    });

    it("joins the bytes of a character across tokens", async () => {
      const renderer = await loadRenderer(folder, { template: "{problem}" });
      expect(renderer.encodePrompt("é a")).toEqual([0, 1, 3, 2]);
      expect(renderer.decode([0, 1, 3, 2, 4])).toBe("é a");
      expect(renderer.stopTokens).toContain(4);
    });

    it("keeps the spaces before signs, whatever the files say", async () => {
      await edit("tokenizer.json", (content) => (content["model"] = { type: "BPE", vocab: { a: 0, "Ġ": 1, ",": 2, "?": 3 }, merges: [] }));
      await edit("tokenizer_config.json", (content) => (content["clean_up_tokenization_spaces"] = true));
      expect((await loadRenderer(folder, { template: "{problem}" })).decode([0, 1, 2, 1, 3])).toBe("a , ?");
    });
  });

  it.each([
    ["a missing tokenizer", () => rm(join(folder, "tokenizer.json")), "tokenizer.json does not exist"],
    ["a missing config", () => rm(join(folder, "config.json")), "config.json does not exist"],
    ["half a file", () => writeFile(join(folder, "tokenizer.json"), '{"model": {'), "tokenizer.json is not valid JSON"],
    ["a file of another kind", () => writeFile(join(folder, "tokenizer.json"), '{"vocab": 3}'), "tokenizer.json: model"],
    ["an unknown model", () => edit("tokenizer.json", (content) => (content["model"] = { type: "Magic" })), "not supported"],
    ["a wrong end token", () => edit("generation_config.json", (content) => (content["eos_token_id"] = "x")), "eos_token_id"],
    ["a chat template that does not parse", () => edit("tokenizer_config.json", (content) => (content["chat_template"] = "{% if %}")), "chat template"],
  ])("refuses %s with a sentence that names it", async (_case, spoil, message) => {
    await spoil();
    const loading = loadRenderer(folder, { template: "{problem}" });
    await expect(loading).rejects.toThrow(ModelError);
    await expect(loading).rejects.toThrow(message);
    await expect(loading).rejects.toThrow(folder);
  });

  it("refuses a folder that names no end token", async () => {
    await edit("config.json", (content) => delete content["eos_token_id"]);
    await edit("generation_config.json", (content) => delete content["eos_token_id"]);
    await edit("tokenizer_config.json", (content) => delete content["eos_token"]);
    await expect(loadRenderer(folder, { template: "{problem}" })).rejects.toThrow("names no end token");
  });

  it("refuses a folder that does not exist", async () => {
    await expect(loadRenderer(join(folder, "nowhere"), { template: "{problem}" })).rejects.toThrow("tokenizer.json does not exist");
  });
});
