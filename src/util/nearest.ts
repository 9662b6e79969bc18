/**
 * The candidate that a mistyped word most likely stands for: the one with the smallest edit distance
 * (insertion, deletion, substitution, swap of neighbours), the earliest on a tie; `undefined` when even
 * that one differs in more than a third of its letters (rounded up).
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let smallest = Infinity;
  for (const candidate of candidates) {
    const distance = editDistance(word, candidate);
    if (distance < smallest && distance <= Math.ceil(candidate.length / 3)) [best, smallest] = [candidate, distance];
  }
  return best;
}

/** Optimal string alignment distance (Damerau 1964): no letter takes part in two edits. */
export function editDistance(left: string, right: string): number {
  const a = Array.from(left);
  const b = Array.from(right);
  let beforePrevious: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substitution = previous[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      let distance = Math.min(substitution, previous[column]! + 1, current[column - 1]! + 1);
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (swapped) distance = Math.min(distance, beforePrevious[column - 2]! + 1);
      current.push(distance);
    }
    [beforePrevious, previous] = [previous, current];
  }
  return previous[b.length]!;
}
