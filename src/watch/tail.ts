import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { systemCode } from "../util/system-error.ts";

/** Bytes before the place read so far, by which a file that was written anew is told from one that grew. */
const MEMORY = 64;
/** Bytes that are read at once: while the next are on their way, others are answered. */
const CHUNK = 2 ** 18;
export const LINE_BREAK = 10;

/** Reads a file of JSON lines as it grows, a part at a time. */
export interface Tail {
  /**
   * Values of whole lines that are new, in order: some of them, none once all are read, and `null` where the file is
   * another than before (then read again after `restart`). A file that isn't there has no lines. Throws the system's error.
   */
  readonly next: () => Promise<readonly unknown[] | null>;
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
  /** Of the last look that found no more, to see that there is nothing to look for. */
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
    next: async () => {
      const file = await openIfThere(path);
      if (file === null) return place.inode === null ? [] : null;
      try {
        return await readOn(file, place);
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

async function readOn(file: FileHandle, place: Place): Promise<readonly unknown[] | null> {
  const { ino, size, mtimeNs } = await file.stat({ bigint: true });
  if (place.inode !== null && (ino !== place.inode || size < place.offset)) return null;
  if (ino === place.inode && size === place.size && mtimeNs === place.modified) return [];
  // A new file may have been given the number of the old one, and be longer.
  const found = await readAt(file, place.offset - place.before.length, place.before.length);
  if (!found.equals(place.before)) return null;
  place.inode = ino;
  const bytes = place.damaged === null ? await wholeLines(file, place.offset, Number(size)) : Buffer.alloc(0);
  if (place.offset + bytes.length === Number(size) || bytes.length === 0) Object.assign(place, { size, modified: mtimeNs });
  return bytes.length === 0 ? [] : taken(bytes, place);
}

/** The whole lines of a file from a place on that a chunk holds; of a line that is longer, as many chunks as it takes. A cut-off last line is left for later. */
export async function wholeLines(file: FileHandle, offset: number, size: number): Promise<Buffer> {
  for (let length = CHUNK; ; length *= 2) {
    const bytes = await readAt(file, offset, Math.min(length, size - offset));
    const end = bytes.lastIndexOf(LINE_BREAK) + 1;
    if (end > 0 || length >= size - offset) return bytes.subarray(0, end);
  }
}

/** Values of lines that end in a line break, up to one that is no JSON; the place is then behind them. */
function taken(bytes: Buffer, place: Place): readonly unknown[] {
  const values: unknown[] = [];
  for (const line of bytes.toString("utf8").slice(0, -1).split("\n")) {
    place.lines++;
    const value = parsed(line);
    if (value === undefined) {
      place.damaged = place.lines;
      break;
    }
    values.push(value);
  }
  const before = Buffer.concat([place.before, bytes.subarray(-MEMORY)]).subarray(-MEMORY);
  Object.assign(place, { offset: place.offset + bytes.length, before });
  return values;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** A file to be read; `null` where there is none. Throws the system's error for all else. */
export async function openIfThere(path: string): Promise<FileHandle | null> {
  try {
    return await open(path, "r");
  } catch (error) {
    if (systemCode(error) === "ENOENT") return null;
    throw error;
  }
}
