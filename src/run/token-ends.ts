/** What a decoder gives for bytes that are not a whole character. */
const INCOMPLETE = "\uFFFD";

/**
 * A function to the places in a completion's text, in UTF-16 units, where each of its tokens ends. Time is linear
 * in the tokens: the text of each id is decoded once. A token that holds a part of a character ends where the
 * characters before it do, and the one that completes it holds it. A space that a decoder puts between tokens or
 * takes from the first one belongs to the token after it. `null` where the tokens do not spell the text this way.
 */
export function tokenEnds(decode: (tokens: readonly number[]) => string): (tokens: readonly number[], text: string) => readonly number[] | null {
  const texts = new Map<number, string>();
  const textOf = (token: number): string => {
    const known = texts.get(token) ?? decode([token]);
    texts.set(token, known);
    return known;
  };
  return (tokens, text) => {
    const ends: number[] = [];
    let place = 0;
    let parts: number[] = [];
    for (const token of tokens) {
      const single = textOf(token);
      let spelled: string | null = single;
      if (single.includes(INCOMPLETE)) {
        parts.push(token);
        const whole = decode(parts);
        // Bytes that never become a character stay as they are, and are matched with the token after them.
        spelled = whole.includes(INCOMPLETE) ? null : whole;
      } else if (parts.length > 0 && single !== "") {
        spelled = decode(parts) + single;
      }
      if (spelled !== null && spelled !== "") {
        const found = endAt(text, place, spelled);
        if (found === null) return null;
        place = found;
        parts = [];
      }
      ends.push(place);
    }
    if (parts.length > 0) place = endAt(text, place, decode(parts)) ?? place;
    if (place !== text.length) return null;
    if (parts.length > 0) ends.splice(ends.length - 1, 1, place);
    return ends;
  };
}

/** Where a piece of text ends that begins at a place, or after a space there; `null` where it does not. */
function endAt(text: string, place: number, piece: string): number | null {
  if (text.startsWith(piece, place)) return place + piece.length;
  if (text.startsWith(` ${piece}`, place)) return place + piece.length + 1;
  return piece.startsWith(" ") && place === 0 && text.startsWith(piece.slice(1)) ? piece.length - 1 : null;
}
