import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * The layer of every part of src/: a folder, a file, or both under one name. A file imports only from a
 * lower layer or its own part.
 */
const LAYERS: Readonly<Record<string, number>> = {
  util: 0,
  types: 0,
  errors: 0,
  options: 0,
  grading: 1,
  srt: 1,
  render: 1,
  policy: 1,
  config: 1,
  hub: 1,
  step: 2,
  rewards: 2,
  data: 2,
  tasks: 2,
  run: 2,
  onnx: 2,
  tinker: 2,
  evaluate: 3,
  report: 3,
  voting: 4,
  train: 4,
  serve: 4,
  reproduce: 5,
  watch: 5,
  index: 5,
  cli: 6,
};
/** The engines. All the rest knows the port alone, but for what wires a run. */
const ENGINES = ["onnx", "tinker"];
/** What an engine and the server of it speak. */
const SHARED = ["tinker/wire.ts"];
const ENGINE_USERS = ["cli"];

interface SourceFile {
  /** Path under src/, e.g. `srt/vote.ts`. */
  readonly path: string;
  /** Files of ours that it imports, as paths under src/. */
  readonly ours: readonly string[];
  /** Names of the packages that it imports. */
  readonly packages: readonly string[];
}

const sources = new Map(
  readdirSync(join(root, "src"), { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".test.ts"))
    .map((path) => readSource(path.replaceAll("\\", "/")))
    .map((source) => [source.path, source]),
);

function readSource(path: string): SourceFile {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(root, "src", path), "utf8"), true, true);
  const names = importedFiles.map(({ fileName }) => fileName);
  return {
    path,
    ours: names.filter((name) => name.startsWith(".")).map((name) => posix.join(dirname(path), name)),
    packages: names.filter((name) => !name.startsWith(".")),
  };
}

/** The part of src/ that a path belongs to. */
const partOf = (path: string): string => path.split("/")[0]!.replace(/\.ts$/, "");

/** Every import of our own files, as `importer -> imported`, for which `wrong` holds. */
function imports(wrong: (importer: string, imported: string) => boolean): string[] {
  return [...sources.values()].flatMap(({ path, ours }) => ours.filter((imported) => wrong(path, imported)).map((imported) => `${path} -> ${imported}`));
}

/** The files along the first cycle that a walk from `path` finds, or `null`. */
function cycleFrom(path: string, trail: readonly string[], done: Set<string>): readonly string[] | null {
  if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
  if (done.has(path)) return null;
  for (const imported of sources.get(path)?.ours ?? []) {
    const cycle = cycleFrom(imported, [...trail, path], done);
    if (cycle) return cycle;
  }
  done.add(path);
  return null;
}

describe("the layers of src/", () => {
  it("hold every file", () => {
    expect([...sources.keys()].map(partOf).filter((part) => !(part in LAYERS))).toEqual([]);
    expect(sources.size).toBeGreaterThan(10);
  });

  it("are read from real imports", () => {
    expect(sources.get("step.ts")?.ours).toContain("srt/batch.ts");
    expect(sources.get("config.ts")?.packages).toContain("zod");
  });

  it("import only from lower layers", () => {
    const upwards = (importer: string, imported: string) =>
      partOf(importer) !== partOf(imported) && LAYERS[partOf(imported)]! >= LAYERS[partOf(importer)]!;
    expect(imports(upwards)).toEqual([]);
  });

  it("keep the engines behind the port: only what wires a run imports one", () => {
    const engine = (importer: string, imported: string) =>
      ENGINES.includes(partOf(imported)) && !SHARED.includes(imported) && partOf(importer) !== partOf(imported) && !ENGINE_USERS.includes(partOf(importer));
    expect(imports(engine)).toEqual([]);
  });

  it("have no import cycles", () => {
    const done = new Set<string>();
    const cycles = [...sources.keys()].map((path) => cycleFrom(path, [], done)?.join(" -> ")).filter((cycle) => cycle !== undefined);
    expect([...new Set(cycles)]).toEqual([]);
  });

  it("use onnxruntime-node in onnx/ alone", () => {
    const users = [...sources.values()].filter(({ packages }) => packages.some((name) => name.startsWith("onnxruntime")));
    expect([...new Set(users.map(({ path }) => partOf(path)))].filter((part) => part !== "onnx")).toEqual([]);
  });

  it("load no native code for the public API", () => {
    const script = `
      const native = () => process.report.getReport().sharedObjects.filter((path) => path.endsWith(".node"));
      const before = native();
      await import("./src/index.ts");
      console.log(JSON.stringify(native().filter((path) => !before.includes(path))));`;
    const output = execFileSync(process.execPath, ["--import", "tsx", "--input-type=module", "--eval", script], { cwd: root, encoding: "utf8" });
    expect(JSON.parse(output)).toEqual([]);
  });
});
