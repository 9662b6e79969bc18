import { Template } from "@huggingface/jinja";
import { ModelError, UsageError } from "../errors.ts";
import { PAPER_TEMPLATE } from "../options.ts";
import type { ChatMode } from "../options.ts";
import type { Renderer } from "../types.ts";
import { createDecoder } from "./decoder.ts";
import { readRenderFiles } from "./model-files.ts";
import type { RenderFiles } from "./model-files.ts";
import { createTokenizer } from "./tokenizer.ts";
import type { Tokenizer } from "./tokenizer.ts";

export interface RendererOptions {
  /** Prompt made from a question, which replaces `{problem}`; when empty, each problem's own, or the paper's. */
  readonly template: string;
  /** `none` leaves a chat template that the model has unused; `auto` when absent. */
  readonly chat?: ChatMode;
  /** A completion ends with the first token whose text contains this; only with end tokens when absent or empty. */
  readonly stopAt?: string;
}

/**
 * The renderer of a Hugging Face model folder. A prompt is the template with the question in it, as the
 * one user message of the model's chat template where it has one (which is told the same day on every day),
 * else as it is with the special tokens that the tokenizer adds. Stop tokens are the end tokens of
 * generation_config.json, config.json and the tokenizer together, and every token whose text contains
 * `stopAt`. Throws ModelError, naming the file, when one is missing or wrong.
 */
export async function loadRenderer(modelFolder: string, { template, chat = "auto", stopAt = "" }: RendererOptions): Promise<Renderer> {
  const files = await readRenderFiles(modelFolder);
  const tokenizer = tokenizerOf(modelFolder, files);
  const toConversation = chat === "auto" ? createChat(modelFolder, files) : null;
  const special = new Set(files.tokenizer.added_tokens.flatMap(({ id, special }) => (special === true ? [id] : [])));
  const decode = createDecoder(tokenizer, {
    concatenates: files.tokenizer.decoder?.type === "Fuse",
    specialTokens: special,
  });
  return {
    encodePrompt: (prompt, own = PAPER_TEMPLATE) => {
      const question = (template || own).replaceAll("{problem}", () => prompt);
      if (toConversation === null) return tokenizer.encode(question).ids;
      // A chat template writes the special tokens itself.
      return tokenizer.encode(toConversation(question), { add_special_tokens: false }).ids;
    },
    decode,
    stopTokens: [...new Set([...endTokens(modelFolder, files, tokenizer), ...tokensContaining(stopAt, tokenizer, decode)])].sort((a, b) => a - b),
  };
}

function tokenizerOf(folder: string, { tokenizer, tokenizerConfig }: RenderFiles): Tokenizer {
  try {
    return createTokenizer(tokenizer, tokenizerConfig);
  } catch (error) {
    throw new ModelError(`${folder}/tokenizer.json is of a kind that is not supported: ${(error as Error).message}`, { cause: error });
  }
}

/**
 * The day that Llama's chat templates write into a prompt where they are told none. They are told this one, since
 * else they ask the clock: a run has to make the same prompts on every day.
 */
const DATE = "26 Jul 2024";

/** Renders a user message and the opening of the reply, or is `null` for a model without a chat template. */
function createChat(folder: string, { chatTemplate, tokenizerConfig }: RenderFiles): ((content: string) => string) | null {
  if (chatTemplate === null) return null;
  const { bos_token, eos_token, pad_token, unk_token } = tokenizerConfig;
  const refusing = <T>(action: () => T): T => {
    try {
      return action();
    } catch (error) {
      throw new ModelError(`the chat template of ${folder} fails: ${(error as Error).message}`, { cause: error });
    }
  };
  const chat = refusing(() => new Template(chatTemplate));
  return (content) => {
    const messages = [{ role: "user", content }];
    const values = { messages, add_generation_prompt: true, date_string: DATE, bos_token, eos_token, pad_token, unk_token };
    return refusing(() => chat.render(values));
  };
}

function endTokens(folder: string, { endTokenIds, tokenizerConfig }: RenderFiles, tokenizer: Tokenizer): readonly number[] {
  const named = tokenizerConfig.eos_token == null ? undefined : tokenizer.token_to_id(tokenizerConfig.eos_token);
  const tokens = [...endTokenIds, ...(named === undefined ? [] : [named])];
  if (tokens.length === 0) {
    throw new ModelError(`${folder} names no end token, so no completion would ever end; set eos_token_id in its generation_config.json`);
  }
  return tokens;
}

function tokensContaining(text: string, tokenizer: Tokenizer, decode: Renderer["decode"]): readonly number[] {
  if (text === "") return [];
  const tokens = [...tokenizer.get_vocab().values()].filter((token) => decode([token]).includes(text));
  if (tokens.length === 0) throw new UsageError(`no token of the model contains the text of \`stop-at\` (${JSON.stringify(text)}), so nothing would end there; give a shorter one.`);
  return tokens;
}
