import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { systemCode } from "../util/system-error.ts";

/** Bytes before the place read so far, by which a file that was written anew is told from one that grew. */
const MEMORY = 64;
const CHUNK = 2 ** 20;
const LINE_BREAK = 10;

/** Reads a file of JSON lines as it grows. */
export interface Tail {
  /**
   * Hands each whole line that is new to `take`, in order, and returns whether the file is another than before (then
   * nothing is taken: read again after `restart`). A file that isn't there has no lines. Throws the system's error.
   */
  readonly read: (take: (value: unknown) => void) => Promise<"grown" | "same" | "rewritten">;
  /** Forgets what was read. */
  readonly restart: () => void;
  /** Line, from 1, that is no JSON: nothing after it is read. `null` for none. */
  readonly damagedLine: () => number | null;
}

interface Place {
  /** Bytes taken: up to and including the last line break. */
  offset: number;
  /** The last bytes before the offset. */
  before: Buffer;
  inode: bigint | null;
  /** Of the last look, to see that there is nothing to look for. */
  size: bigint;
  modified: bigint;
  lines: number;
  damaged: number | null;
}

const atStart = (): Place => ({ offset: 0, before: Buffer.alloc(0), inode: null, size: -1n, modified: -1n, lines: 0, damaged: null });

/** A tail of the file at a path, which need not be there yet. */
export function createTail(path: string): Tail {
  let place = atStart();
  return {
    read: async (take) => {
      const file = await openIfThere(path);
      if (file === null) return place.inode === null ? "same" : "rewritten";
      try {
        return await readOn(file, place, take);
      } finally {
        await file.close();
      }
    },
    restart: () => {
      place = atStart();
    },
    damagedLine: () => place.damaged,
  };
}

async function readOn(file: FileHandle, place: Place, take: (value: unknown) => void): Promise<"grown" | "same" | "rewritten"> {
  const { ino, size, mtimeNs } = await file.stat({ bigint: true });
  if (place.inode !== null && (ino !== place.inode || size < place.offset)) return "rewritten";
  if (ino === place.inode && size === place.size && mtimeNs === place.modified) return "same";
  // A new file may have been given the number of the old one, and be longer.
  const found = await readAt(file, place.offset - place.before.length, place.before.length);
  if (!found.equals(place.before)) return "rewritten";
  Object.assign(place, { inode: ino, size, modified: mtimeNs });
  const before = place.lines;
  await takeLines(file, Number(size), place, take);
  return place.lines > before ? "grown" : "same";
}

/** Takes the whole lines from the place on, up to a size. A cut-off last line is left for later. */
async function takeLines(file: FileHandle, size: number, place: Place, take: (value: unknown) => void): Promise<void> {
  let rest: Buffer = Buffer.alloc(0);
  let at = place.offset;
  while (at < size && place.damaged === null) {
    const chunk = await readAt(file, at, Math.min(CHUNK, size - at));
    if (chunk.length === 0) break;
    at += chunk.length;
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const end = bytes.lastIndexOf(LINE_BREAK) + 1;
    if (end > 0) takeWhole(bytes.subarray(0, end), place, take);
    rest = bytes.subarray(end);
  }
}

/** Lines that end in a line break. */
function takeWhole(bytes: Buffer, place: Place, take: (value: unknown) => void): void {
  for (const line of bytes.toString("utf8").slice(0, -1).split("\n")) {
    place.lines++;
    const value = parsed(line);
    if (value === undefined) {
      place.damaged = place.lines;
      return;
    }
    take(value);
  }
  const before = Buffer.concat([place.before, bytes.subarray(-MEMORY)]).subarray(-MEMORY);
  Object.assign(place, { offset: place.offset + bytes.length, before: Buffer.from(before) });
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return null;
    throw error;
  }
}
