import { MathText, RawText } from "../math/index.tsx";

/** Characters of an answer or a question that are shown. */
const LONGEST_SHOWN = 4000;

/** A question or an answer, typeset or as it is written, and no more of it than can be read. */
export function Short({ text, raw }: { text: string; raw: boolean }) {
  const shown = text.slice(0, LONGEST_SHOWN);
  return (
    <div class="untrusted">
      {raw ? <RawText text={shown} /> : <MathText text={shown} />}
      {text.length > shown.length && <em> … {text.length - shown.length} more characters</em>}
    </div>
  );
}
