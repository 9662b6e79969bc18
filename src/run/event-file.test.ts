import { PbfReader } from "pbf";
import { describe, expect, it } from "vitest";
import { crc32c, encodeEvent } from "./event-file.ts";

describe("crc32c", () => {
  const bytes = (value: (index: number) => number) => Uint8Array.from({ length: 32 }, (_, index) => value(index));
  /** A SCSI Read (10) command, RFC 3720, appendix B.4. */
  const read10 = Uint8Array.from(Buffer.from("01c00000000000000000000000000000140000000000040000000014000000182800000000000000" + "0200000000000000", "hex"));

  it.each([
    ["32 bytes of zeroes", bytes(() => 0), 0x8a9136aa],
    ["32 bytes of ones", bytes(() => 0xff), 0x62a8ab43],
    ["32 bytes that ascend", bytes((index) => index), 0x46dd794e],
    ["32 bytes that descend", bytes((index) => 31 - index), 0x113fdb5c],
    ["a command", read10, 0xd9963a56],
  ])("is that of RFC 3720, appendix B.4, for %s", (_, data, checksum) => {
    expect(crc32c(data)).toBe(checksum);
  });
});

describe("encodeEvent", () => {
  it("frames a message with its length, and names the version of the file", () => {
    const record = encodeEvent({ wallTime: 1.5, step: 0, content: { kind: "version" } });
    const view = new DataView(record.buffer);
    expect(view.getBigUint64(0, true)).toBe(BigInt(record.length - 16));
    const fields = new PbfReader(record.subarray(12, -4)).readFields((tag, found: Record<number, unknown>, reader) => {
      found[tag] = tag === 1 ? reader.readDouble() : tag === 2 ? reader.readVarint() : reader.readString();
    }, {});
    expect(fields).toEqual({ 1: 1.5, 2: 0, 3: "brain.Event:2" });
  });
});
