/** `learningRate` as files and flags write it: `learning-rate`. */
export function kebabCase(property: string): string {
  return property.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** An object with each value at its path; `nameOf` renames every property on the way. */
export function nested(entries: readonly (readonly [{ readonly path: readonly string[] }, unknown])[], nameOf = (property: string): string => property): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const [{ path }, value] of entries) {
    let node = root;
    for (const section of path.slice(0, -1)) node = (node[nameOf(section)] ??= {}) as Record<string, unknown>;
    node[nameOf(path.at(-1)!)] = value;
  }
  return root;
}
