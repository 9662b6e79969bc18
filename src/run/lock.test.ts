import { spawnSync } from "node:child_process";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RunDirectoryError } from "../errors.ts";
import { currentOwner, isHeld, removeLockRemains, takeLock } from "./lock.ts";
import type { LockOwner } from "./lock.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "lock-"));
});
afterEach(() => rm(folder, { recursive: true }));

const leave = (owner: LockOwner) => writeFile(join(folder, "lock"), JSON.stringify(owner));

async function refusal(): Promise<string> {
  const error: unknown = await takeLock(folder, await currentOwner()).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(RunDirectoryError);
  expect(await readdir(folder)).toEqual(["lock"]);
  return (error as Error).message;
}

it("removes what the dead left of taking a lock, not what a living process may need", async () => {
  const { pid } = spawnSync(process.execPath, ["--version"]);
  const owner = await currentOwner();
  const remains = { dead: { ...owner, pid }, alive: owner, elsewhere: { ...owner, pid, host: "elsewhere" } };
  for (const [name, content] of Object.entries(remains)) await writeFile(join(folder, `.lock-${name}`), JSON.stringify(content));
  await writeFile(join(folder, ".lock-empty"), "");
  await removeLockRemains(folder);
  expect((await readdir(folder)).sort()).toEqual([".lock-alive", ".lock-elsewhere"]);
});

describe("takeLock", () => {
  it("holds until it is released", async () => {
    const release = await takeLock(folder, await currentOwner());
    expect(JSON.parse(await readFile(join(folder, "lock"), "utf8"))).toMatchObject({ pid: process.pid });
    expect(await refusal()).toContain(`process ${process.pid} on this machine holds it`);
    await release();
    expect(await readdir(folder)).toEqual([]);
    await (await takeLock(folder, await currentOwner()))();
  });

  it("takes over from a process that died", async () => {
    const { pid } = spawnSync(process.execPath, ["--version"]);
    await leave({ ...(await currentOwner()), pid });
    const release = await takeLock(folder, await currentOwner());
    expect(JSON.parse(await readFile(join(folder, "lock"), "utf8"))).toMatchObject({ pid: process.pid });
    expect(await readdir(folder)).toEqual(["lock"]);
    await release();
  });

  it.skipIf(process.platform !== "linux")("is not fooled by a process number that is used again (needs /proc)", async () => {
    await leave({ ...(await currentOwner()), processStart: "1" });
    await (await takeLock(folder, await currentOwner()))();
  });

  it("does not judge a process of another machine", async () => {
    await leave({ ...(await currentOwner()), pid: 42, host: "elsewhere" });
    expect(await refusal()).toContain("process 42 on elsewhere");
  });

  it("does not take over a lock that it cannot read", async () => {
    await writeFile(join(folder, "lock"), "{");
    expect(await refusal()).toContain("unreadable");
  });

  it("goes to one of two who find a dead one at once", async () => {
    const { pid } = spawnSync(process.execPath, ["--version"]);
    await leave({ ...(await currentOwner()), pid });
    const owners = await Promise.all([1, 2].map(async (number) => ({ ...(await currentOwner()), started: `attempt ${number}` })));
    const outcomes = await Promise.allSettled(owners.map((owner) => takeLock(folder, owner)));
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  });
});

it("tells whether somebody alive holds it, and touches nothing", async () => {
  expect(await isHeld(folder)).toBe(false);
  const owner = await currentOwner();
  const { pid } = spawnSync(process.execPath, ["--version"]);
  for (const [held, content] of [
    [true, JSON.stringify(owner)],
    [false, JSON.stringify({ ...owner, pid })],
    [true, JSON.stringify({ ...owner, pid, host: "elsewhere" })],
    [false, "{"],
  ] as const) {
    await writeFile(join(folder, "lock"), content);
    expect(await isHeld(folder)).toBe(held);
    expect(await readFile(join(folder, "lock"), "utf8")).toBe(content);
  }
});
