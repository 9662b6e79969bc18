import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { z } from "zod";

const root = fileURLToPath(new URL("..", import.meta.url));
const readme = readFileSync(`${root}README.md`, "utf8");
const { scripts } = z.object({ scripts: z.record(z.string(), z.string()) }).parse(JSON.parse(readFileSync(`${root}package.json`, "utf8")));

/** Names in the README's tree at a depth, e.g. `src/` and `step.ts`. */
function inTree(indent: number): string[] {
  const block = /```\nselftrain\/\n([\s\S]*?)```/.exec(readme)![1]!;
  return [...block.matchAll(/^( +)(\S+)/gm)].filter(([, spaces]) => spaces!.length === indent).map(([, , name]) => name!.replace(/\/$/, ""));
}

const visible = (folder: string, keep: (name: string) => boolean): string[] => readdirSync(root + folder).filter(keep).sort();

describe("the README", () => {
  it("shows the folders that there are", () => {
    const passing = new Set(["node_modules", "dist", "runs", "coverage", ".git"]);
    const folders = readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isDirectory() && !passing.has(entry.name));
    expect(inTree(2).sort()).toEqual(folders.map(({ name }) => name).sort());
  });

  it("shows what there is in src/", () => {
    expect(inTree(4)).toEqual(visible("src", (name) => !name.endsWith(".test.ts")));
  });

  it("and AGENTS.md name only scripts that exist", () => {
    const agents = readFileSync(`${root}AGENTS.md`, "utf8");
    const named = [...`${readme}${agents}`.matchAll(/npm run ([\w:-]+)/g)].map(([, name]) => name!);
    expect(named.length).toBeGreaterThan(3);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
    expect(agents.trim().split("\n").length).toBeLessThanOrEqual(100);
  });
});
