import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { figures } from "../src/reproduce/index.ts";

const docs = fileURLToPath(new URL("../docs", import.meta.url));
const text = readFileSync(join(docs, "reproduction.md"), "utf8");
/** Markdown escapes some signs. */
const plain = text.replaceAll(/\\(?=[^\w\s])/g, "");

describe("docs/reproduction.md", () => {
  it("has every figure, with the claim, the rule and the command that the program has for it now", () => {
    for (const { name, title, claim, rule } of figures) {
      for (const part of [title, claim, rule, `npx selftrain reproduce --figure ${name} --seeds 3`]) expect(plain, name).toContain(part);
    }
    expect([...text.matchAll(/npx selftrain reproduce --figure (\S+)/g)].map(([, name]) => name)).toEqual(figures.map(({ name }) => name));
  });

  it("shows figures that are there, and each of them says the command that drew it", () => {
    const shown = [...text.matchAll(/\]\((reproduction\/[^)]+\.svg)\)/g)].map(([, path]) => path!);
    expect(shown).toEqual(figures.map(({ name }) => `reproduction/${name}.svg`));
    for (const [index, path] of shown.entries()) {
      expect(existsSync(join(docs, path)), path).toBe(true);
      expect(readFileSync(join(docs, path), "utf8").replaceAll(/<[^>]*>/g, " "), path).toContain(`--figure ${figures[index]!.name}`);
    }
  });

  it("gives a verdict for each, above and in its place", () => {
    for (const { title } of figures) expect(text.split(title).length - 1, title).toBeGreaterThanOrEqual(2);
    expect(text.match(/holds in part|does not hold here|\bholds\b/g)!.length).toBeGreaterThanOrEqual(2 * figures.length);
  });
});
