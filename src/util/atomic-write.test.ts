import { mkdtemp, mkdir, readFile, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { filesBelow, partialPath, removePartials, writeDirectoryAtomically, writeFileAtomically } from "./atomic-write.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "atomic-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("writeFileAtomically", () => {
  it("replaces a file and leaves nothing else", async () => {
    const path = join(folder, "notes.txt");
    await writeFileAtomically(path, "one");
    await writeFileAtomically(path, new TextEncoder().encode("two"));
    expect(await readFile(path, "utf8")).toBe("two");
    expect(await readdir(folder)).toEqual(["notes.txt"]);
  });

  it.skipIf(process.platform !== "linux")("keeps the old file when the disk is full (needs /dev/full)", async () => {
    const path = join(folder, "notes.txt");
    await writeFileAtomically(path, "one");
    await symlink("/dev/full", partialPath(path));
    await expect(writeFileAtomically(path, "two")).rejects.toThrow("ENOSPC");
    expect(await readFile(path, "utf8")).toBe("one");
    expect(await readdir(folder)).toEqual(["notes.txt"]);
  });
});

describe("writeDirectoryAtomically", () => {
  it("names the directory only when it is filled", async () => {
    const path = join(folder, "model");
    await writeDirectoryAtomically(path, async (directory) => {
      expect(await readdir(folder)).toEqual([".model.partial"]);
      await mkdir(join(directory, "inner"));
      await writeFile(join(directory, "inner", "weights"), "w");
      await writeFile(join(directory, "config"), "c");
    });
    expect(await readdir(folder)).toEqual(["model"]);
    expect(await filesBelow(path)).toEqual(["config", join("inner", "weights")]);
  });

  it("leaves nothing when filling it fails, and clears what a kill left", async () => {
    const path = join(folder, "model");
    await mkdir(partialPath(path));
    await writeFile(join(partialPath(path), "stale"), "");
    const failing = writeDirectoryAtomically(path, async (directory) => {
      expect(await readdir(directory)).toEqual([]);
      throw new Error("no more");
    });
    await expect(failing).rejects.toThrow("no more");
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("removePartials", () => {
  it("removes only unfinished entries", async () => {
    await mkdir(partialPath(join(folder, "step-000002")));
    await writeFile(join(folder, "step-000001"), "");
    await writeFile(join(folder, ".hidden"), "");
    await removePartials(folder);
    expect((await readdir(folder)).sort()).toEqual([".hidden", "step-000001"]);
  });
});
