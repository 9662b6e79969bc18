/** Characters that don't show, or that change what others show, made visible. */

export interface Run {
  readonly text: string;
  /** Whether `text` stands for characters that would not show. */
  readonly escaped: boolean;
}

/** Controls but for tab and line feed, zero-width characters, marks of direction, lone surrogates, tags and variation. */
const HIDDEN =
  /(?:[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb]|[\u{e0000}-\u{e007f}]|[\ud800-\udfff])+/gu;

/** The text as runs that show as they are and runs of `\u202e` and the like; joined they stand for all of it. */
export function visible(text: string): Run[] {
  const runs: Run[] = [];
  let from = 0;
  for (const match of text.matchAll(HIDDEN)) {
    if (match.index > from) runs.push({ text: text.slice(from, match.index), escaped: false });
    runs.push({ text: Array.from(match[0], escape).join(""), escaped: true });
    from = match.index + match[0].length;
  }
  if (from < text.length) runs.push({ text: text.slice(from), escaped: false });
  return runs;
}

function escape(character: string): string {
  const code = character.codePointAt(0)!.toString(16);
  return code.length > 4 ? `\\u{${code}}` : `\\u${code.padStart(4, "0")}`;
}
