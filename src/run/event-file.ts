import { PbfWriter } from "pbf";

/** What an event file says at one moment: figures of a step by their tags, or that the steps from this one on are run anew. */
export interface EventRecord {
  /** Seconds since 1970. */
  readonly wallTime: number;
  readonly step: number;
  readonly content: { readonly kind: "version" } | { readonly kind: "start" } | { readonly kind: "scalars"; readonly scalars: readonly (readonly [tag: string, value: number])[] };
}

/** The version of event files in which a start, and no other step that goes back, voids what was written of later steps. */
const VERSION = "brain.Event:2";
/** `SessionLog.START`. */
const START = 1;
/** The polynomial of CRC-32C (Castagnoli), reversed. */
const POLYNOMIAL = 0x82f63b78;
/** What TFRecord adds to a rotated checksum, so that no checksum is taken of a checksum. */
const MASK = 0xa282ead8;

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? (remainder >>> 1) ^ POLYNOMIAL : remainder >>> 1;
  return remainder;
});

/** CRC-32C of some bytes (RFC 3720, section 12.1 and appendix B.4), from 0 to 2^32 - 1. */
export function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** An event as a record of a TFRecord file: length, its checksum, the message `tensorflow.Event`, its checksum. */
export function encodeEvent(event: EventRecord): Uint8Array {
  const message = encodeMessage(event);
  const record = new Uint8Array(message.length + 16);
  const view = new DataView(record.buffer);
  view.setBigUint64(0, BigInt(message.length), true);
  view.setUint32(8, masked(crc32c(record.subarray(0, 8))), true);
  record.set(message, 12);
  view.setUint32(12 + message.length, masked(crc32c(message)), true);
  return record;
}

function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + MASK) >>> 0;
}

/** Field numbers are those of tensorflow's event.proto and summary.proto. */
function encodeMessage({ wallTime, step, content }: EventRecord): Uint8Array {
  const writer = new PbfWriter();
  writer.writeDoubleField(1, wallTime);
  writer.writeVarintField(2, step);
  if (content.kind === "version") writer.writeStringField(3, VERSION);
  else if (content.kind === "start") writer.writeMessage(7, (_, log) => log.writeVarintField(1, START), null);
  else {
    writer.writeMessage(5, (scalars, summary) => {
      for (const scalar of scalars) {
        summary.writeMessage(1, ([tag, value], entry) => {
          entry.writeStringField(1, tag);
          entry.writeFloatField(2, value);
        }, scalar);
      }
    }, content.scalars);
  }
  return writer.finish();
}
