import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { writeDirectoryAtomically } from "../util/atomic-write.ts";
import type { RunDirectory } from "./directory.ts";
import { explained, resumeAdvice } from "./explain.ts";

/** Writes the trained model and its card into model/, replacing one that an interrupted end left there. */
export async function saveModel(run: RunDirectory, card: string, write: (directory: string) => Promise<void>): Promise<void> {
  const path = join(run.path, "model");
  await explained(`${path} could not be written`, resumeAdvice(run.path), async () => {
    await rm(path, { recursive: true, force: true });
    await writeDirectoryAtomically(path, async (directory) => {
      await write(directory);
      await writeFile(join(directory, "README.md"), card);
    });
  });
}
