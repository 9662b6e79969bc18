/** Control characters but line feed, bidirectional overrides, lone surrogates and what XML forbids. */
const UNPRINTABLE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\ufffe\uffff]|\p{Surrogate}/gu;

/**
 * The text with every character that cannot be shown made visible: control characters of ASCII as their symbols
 * (U+2400 and on), tabs as spaces, all others, such as those that reverse the direction of reading, as U+FFFD. What
 * a model writes may hold any of them, and XML allows few. Line feeds stay.
 */
export function printable(text: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll(UNPRINTABLE, (character) => {
    if (character === "\t") return " ";
    const code = character.codePointAt(0)!;
    return code < 0x20 ? String.fromCodePoint(0x2400 + code) : code === 0x7f ? "\u2421" : "\ufffd";
  });
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** The text as HTML or XML shows it literally, in content and in quoted attributes. */
export function escapeMarkup(text: string): string {
  return printable(text).replaceAll(/[&<>"']/g, (character) => ENTITIES[character]!);
}

/** About how wide a sans-serif font sets a character, as a share of its size; rather too wide than too narrow. */
function characterWidth(character: string): number {
  if (/[iljI.,:;'|!]/.test(character)) return 0.28;
  if (/[ tfr()[\]{}/\\"-]/.test(character)) return 0.36;
  if (/[mwMW@%]/.test(character)) return 0.9;
  if (/[A-Z]/.test(character)) return 0.68;
  return character.codePointAt(0)! < 0x2e80 ? 0.57 : 1;
}

/** About how wide, in pixels, a text of a font size in pixels is. Without a font at hand this is an estimate. */
export function textWidth(text: string, size: number): number {
  return size * Array.from(text).reduce((total, character) => total + characterWidth(character), 0);
}

/**
 * The lines of a text that is broken at spaces, and within words that are longer than a line, so that none is wider
 * than `width` pixels in a font size in pixels. Line feeds break, too.
 */
export function wrapped(text: string, width: number, size: number): readonly string[] {
  return printable(text).split("\n").flatMap((paragraph) => {
    const lines: string[] = [];
    let line = "";
    for (const word of paragraph.split(" ").filter((each) => each !== "")) {
      const longer = line === "" ? word : `${line} ${word}`;
      if (textWidth(longer, size) <= width) {
        line = longer;
        continue;
      }
      if (line !== "") lines.push(line);
      line = "";
      for (const character of word) {
        if (line !== "" && textWidth(line + character, size) > width) {
          lines.push(line);
          line = "";
        }
        line += character;
      }
    }
    return [...lines, line];
  });
}
