import type { AnswerReading } from "../options.ts";
import { asciiDigits, WORDS } from "./spellings.ts";
import { boxedSpans, lastGroup, mathSpans } from "./spans.ts";

/**
 * Where an answer was found, strictest first:
 * - `boxed`: the last group of `\boxed{...}`;
 * - `final-answer`: what follows the last "final answer is";
 * - `answer`: what follows the last "answer is", "answer:" or the like in another language;
 * - `math`: the last mathematics;
 * - `number`: the last number.
 */
export const EXTRACTION_RULES = ["boxed", "final-answer", "answer", "math", "number"] as const;
export type ExtractionRule = (typeof EXTRACTION_RULES)[number];

export interface Extraction {
  readonly answer: string;
  readonly rule: ExtractionRule;
}

/** Training pays only for a box: a looser rule would let the policy be paid for any number it writes. */
export const STRICT_RULES: readonly ExtractionRule[] = ["boxed"];

/** The rules of each way of reading that a config can choose. */
export const RULES_OF_READING: Readonly<Record<AnswerReading, readonly ExtractionRule[]>> = { boxed: STRICT_RULES, any: EXTRACTION_RULES };

/** Rules other than `boxed` look at the end of a completion, where its answer is; in characters. */
const TAIL = 6000;
const SENTENCE = 400;
const THOUGHT = "</think>";

const FINAL_PHRASES = ["final answer is", "final answer:", "final answer :", "final answer\n", "最终答案是", "最终答案为", "最终答案：", "最终答案:"];
const PHRASES = [
  "answer is", "answers are", "answer:", "answer :", "answer =", "answer**:", "answer:**",
  "答案是", "答案为", "答案：", "答案:", "答え:", "答え：", "答えは", "답:", "답은",
  "réponse est", "réponse :", "réponse:", "respuesta es", "respuesta:", "resposta é", "resposta:",
  "đáp án là", "đáp số:", "câu trả lời là", "cevap:", "odpowiedź:", "odpowiedź to", "الإجابة هي", "الجواب هو",
  "الإجابة:", "الجواب:", "उत्तर है", "उत्तर:", "উত্তর:", "উত্তর হল", "คำตอบคือ", "คำตอบ:", "відповідь:",
  "antwort ist", "antwort:", "antwort lautet", "risposta è", "risposta:", "ответ:", "ответ —",
];

/**
 * Reads the final answer of a text by the first of the rules that finds one, or returns `null`: the text
 * abstains. Where both are asked for, a "final answer is" after the last box counts before it. Time and
 * memory are linear in the text.
 */
export function extractAnswer(written: string, rules: readonly ExtractionRule[] = STRICT_RULES): Extraction | null {
  const text = asciiDigits(written.slice(afterThinking(written)));
  const bothFinal = rules.includes("boxed") && rules.includes("final-answer") && lastBox(text) < lastPhrase(text, FINAL_PHRASES);
  for (const rule of bothFinal ? ["final-answer" as const, ...rules] : rules) {
    const answer = READERS[rule](text)?.trim() ?? "";
    if (answer !== "") return { answer, rule };
  }
  return null;
}

/** Where the answer of a model that thinks first begins; a box in its thoughts is none. */
function afterThinking(text: string): number {
  const end = text.lastIndexOf(THOUGHT);
  return end < 0 ? 0 : end + THOUGHT.length;
}

/** Where the last box begins, and where the last of some phrases ends; -1 for none. */
const lastBox = (text: string): number => text.lastIndexOf("\\boxed");
function lastPhrase(text: string, phrases: readonly string[]): number {
  const lower = text.toLowerCase();
  let end = -1;
  for (const phrase of phrases) {
    const at = lower.lastIndexOf(phrase);
    if (at >= 0) end = Math.max(end, at + phrase.length);
  }
  return end;
}

const READERS: Readonly<Record<ExtractionRule, (text: string) => string | null>> = {
  boxed: (text) => (text.includes("boxed") || text.includes("\\fbox") ? lastGroup(text, boxedSpans(text)) : null),
  "final-answer": (text) => afterPhrase(text.slice(-TAIL), FINAL_PHRASES),
  answer: (text) => afterPhrase(text.slice(-TAIL), PHRASES),
  math: (text) => lastMath(text.slice(-TAIL)),
  number: (text) => numbersOf(text.slice(-TAIL)).at(-1) ?? null,
};

/** The last mathematics, unless a later sentence has a number. */
function lastMath(tail: string): string | null {
  const spans = mathSpans(tail);
  const last = spans.at(-1);
  if (!last) return wholeMath(tail) ?? bareMath(tail);
  const rest = tail.slice(last.end);
  // "... of $f(x)$ is 19": what the mathematics is about, not the answer.
  if (/^[^.。]{0,80}?(?:\b(?:is|are|equals?|be)\b|=)[^.。]{0,20}\d/.test(rest)) return null;
  const sentence = last.content.trimEnd().endsWith(".") ? 0 : rest.search(/[.。]\s/);
  return sentence >= 0 && /\d/.test(rest.slice(sentence)) ? null : lastGroup(tail, spans);
}

/** A short text without words other than the names of functions, such as (3, 4) or 2*sqrt(5), is an answer as it stands. */
function wholeMath(text: string): string | null {
  const trimmed = text.trim();
  if (trimmed.length > 60 || !/\d/.test(trimmed) || trimmed.includes("#") || !/[,()[\]^=<>*]|[^\s+-]\s*[+-]\s*[^\s+-]/.test(trimmed)) return null;
  const withoutNames = trimmed.replace(/[A-Za-z]+/g, (word) => (WORDS.get(word)?.startsWith("\\") ? " " : word));
  return /\p{L}{2}/u.test(withoutNames) ? null : trimmed;
}

/** The last run of LaTeX without delimiters: words that are commands, numerals, operators or single letters. */
function bareMath(tail: string): string | null {
  const words = tail.split(/\s+/).filter((word) => word !== "");
  const isCommand = (word: string): boolean => /\\[A-Za-z]/.test(word);
  const isMath = (word: string): boolean => isCommand(word) || !/[A-Za-z]{2}|[^\x20-\x7e]/.test(word);
  const end = words.findLastIndex(isCommand);
  if (end < 0) return null;
  const start = words.findLastIndex((word, index) => index < end && !isMath(word)) + 1;
  const after = words.findIndex((word, index) => index > end && !isMath(word));
  const run = words.slice(start, after < 0 ? words.length : after).join(" ").replace(/[.,;:]+$/, "");
  return run.length <= SENTENCE ? run : null;
}

function afterPhrase(tail: string, phrases: readonly string[]): string | null {
  const start = lastPhrase(tail, phrases);
  return start < 0 ? null : answerOfSentence(tail.slice(start, start + SENTENCE).replace(/^[\s*:：="“\\_]+(?![([$])/, ""));
}

/** `5, obviously` and `5, since 4 is too few`: words after a value and a comma say something about it. */
const ASIDE = /^([^,，]{0,40}\d[^,，]{0,40})(?:,\s+(?:since|because|which|where|not)\b.{0,400}|,\s+(?!and\b|or\b|inf)[a-z]{3}[^\d\\,=]{0,200}|，\p{Script=Han}[^\d\\]{0,200})$/su;

/** `A because (B) is wrong`: a choice and its reason. */
const REASONED_CHOICE = /^\(?([A-J])\)?[,;:]?\s+(?:because|since|as|for|and not|not)\b|^([A-J])，\s*因为/;

/** The answer in the sentence that follows a phrase: a choice, its mathematics, else a short text, else its first number. */
function answerOfSentence(text: string): string | null {
  const choice = REASONED_CHOICE.exec(text);
  if (choice) return choice[1] ?? choice[2]!;
  const end = /\.(?:\s|$)|[。।]|<\||\n/.exec(text);
  const sentence = text.slice(0, end?.index ?? text.length).trim();
  const verb = /^[^]*(?:\b(?:is|are|equals)\b|是|为)(?=[^]*(?:\d|\\[A-Za-z(]))/.exec(sentence);
  if (verb) return answerOfSentence(text.slice(text.indexOf(sentence) + verb[0].length));
  const math = mathSpans(text).filter(({ start }) => start <= sentence.length);
  if (math.length > 0) return lastGroup(text, math);
  const plain = sentence.replace(ASIDE, "$1").replace(/[*"”'\s]+$/, "");
  if (plain === "") return null;
  const words = plain.match(/\p{L}{3,}/gu)?.length ?? 0;
  return words <= 2 ? plain : (bareMath(plain) ?? numbersOf(plain)[0] ?? null);
}

/** Letters before a numeral are a name such as K2; scripts without spaces between words are no such letters. */
const NUMBER = /(?<!(?![\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}])[\p{L}\d.,/])(?:(?<![)\d]\s{0,2})[-−+](?:\\?[$€£])?)?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d{1,3}(?: \d{3})+(?!\d)|\d+|(?=\.\d))(?:[.,]\d+)?(?:\/\d+(?![\d/]))?(?:\s?(?:\\?%|percent\b|pct\b))?/gu;

/** Numbers as written, without currency, and with a decimal comma made a point where it can't group thousands. */
function numbersOf(text: string): string[] {
  return [...text.matchAll(NUMBER)].map(([written]) => {
    const number = written.replace(/\\?[$€£]/, "");
    return /^[-−+]?(?:\d+),(?:\d{1,2}|\d{4,})(?!\d)/.test(number) ? number.replace(",", ".") : number;
  });
}
