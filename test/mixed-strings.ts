import { createRandom, deriveSeed } from "../src/util/random.ts";
import type { Random } from "../src/util/random.ts";

const SNIPPETS = [
  // LaTeX
  "\\frac{1}{2}", "\\boxed{42}", "$x^2+y_1$", "\\sqrt[3]{27}", "\\begin{pmatrix}1&-2\\\\0&3.5\\end{pmatrix}", "\\left(\\pi,\\infty\\right)", "10^{-3}",
  "\\text{ cm}^2", "\\[\\sum_{k=1}^{n}k=\\frac{n(n+1)}{2}\\]\n", "$$a\\equiv b\\pmod{7}$$", "\\angle ABC=60^\\circ", "\\overline{AB}", "%", "&=", "\\\\\n",
  // Chinese and other scripts
  "已知函数", "求 ", "的值。", "，", "若实数满足不等式，则最小值为", "（1）", "①", "𠮷野", "日本語", "カタカナ", "한국어", "Привет", "عربي", "हिन्दी", "ไทย", "ελληνικά", "עברית", "Việt",
  // Digits
  "1,234.5", "0042", "1234567890", "３７", "²³", "½", "Ⅷ", "٤٢", "९", "7", "0.", "-1",
  // Whitespace
  " ", "  ", "   ", "\t", "\n", "\n\n", "\r\n", " \n ", "\r", "\v", "\f", " \t\n", "\u00a0", "\u2009", "\u3000", "\u2028", "\u200b", "\u0085", "\ufeff",
  // Emoji
  "🙂", "👩‍👩‍👧", "🇨🇭", "👍🏽", "❤️", "1️⃣", "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
  // Composed and decomposed characters
  "e\u0301", "é", "ß", "A\u030a", "Å", "ﬁ", "q\u0307\u0323", "\u1112\u1161\u11ab", "か\u3099", "\u0958", "Ǆ", "İ", "ſ",
  // English, signs and code
  "don't", "I'LL", "we've", "'s", "it''s", "'D", "'\u017f", "O’Neil’s", "the", " answer", "Hello", "World", "a.b", "...", "—", "“quoted”", "==", "!?", "_x_", "CamelCase", "def f(x):\n    return x\n", "<b>", "#",
  // Control characters and the special tokens of the models, whole and cut
  "\x00", "\x07", "\x7f", "<|im_end|>", "<|im_start|>", " <|endoftext|> ", "<|im", "<|begin_of_text|>", "<|eot_id|>", "<|start_header_id|>user", "<think>", "</think>\n\n", "<tool_call>", "<eos>", "<unk>",
] as const;

/**
 * First and last code points of what arbitrary strings are made of. All were assigned long ago: what a letter is, and
 * in which order accents stand, depends on the version of Unicode, of which Node has a newer one than the reference.
 */
const ARBITRARY = [
  [0x0000, 0x0377], [0x0400, 0x052f], [0x05d0, 0x05ea], [0x0620, 0x064a], [0x0905, 0x0939], [0x0e01, 0x0e3a], [0x1100, 0x11ff], [0x1e00, 0x1eff], [0x2010, 0x2027],
  [0x2070, 0x2071], [0x20a0, 0x20b5], [0x2100, 0x214f], [0x2190, 0x22ff], [0x2460, 0x24ff], [0x2600, 0x26ff], [0x3041, 0x3096], [0x30a0, 0x30ff], [0x4e00, 0x9fa5],
  [0xac00, 0xd7a3], [0xe000, 0xe0ff], [0xf900, 0xfa2d], [0xff01, 0xff5e], [0x10400, 0x1044f], [0x1d400, 0x1d454], [0x1f600, 0x1f64f], [0x20000, 0x2a6d6],
] as const;

const LONGEST = 8;

/**
 * Distinct strings of LaTeX, Chinese, digits, whitespace, emoji and more, the same for the same seed: three in
 * four are joined snippets, the others arbitrary characters.
 */
export function mixedStrings(count: number, seed: number): readonly string[] {
  const random = createRandom(deriveSeed(seed, "mixed strings"));
  const strings = new Set<string>();
  while (strings.size < count) {
    const draw = random.integer(4) === 0 ? arbitrary : snippet;
    strings.add(Array.from({ length: 1 + random.integer(LONGEST) }, () => draw(random)).join(""));
  }
  return [...strings];
}

const snippet = (random: Random): string => pick(SNIPPETS, random);

function arbitrary(random: Random): string {
  const [first, last] = pick(ARBITRARY, random);
  return String.fromCodePoint(first + random.integer(last - first + 1));
}

const pick = <T>(items: readonly T[], random: Random): T => items[random.integer(items.length)]!;
