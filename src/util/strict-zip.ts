/** Pairs of two equally long lists; throws with both lengths when they differ. */
export function strictZip<A, B>(left: readonly A[], right: readonly B[]): [A, B][] {
  if (left.length !== right.length) {
    throw new RangeError(`strictZip: ${left.length} items against ${right.length}`);
  }
  return left.map((item, index) => [item, right[index] as B]);
}
