/**
 * A number in [0, 1) that depends on a name and a lane only, so that it is the same in every process:
 * FNV-1a, then the finalizer of MurmurHash3.
 */
export function unitHash(name: string, lane: number): number {
  let hash = Math.imul(2_166_136_261 ^ lane, 16_777_619);
  for (let index = 0; index < name.length; index++) hash = Math.imul(hash ^ name.charCodeAt(index), 16_777_619);
  hash = Math.imul(hash ^ (hash >>> 16), 2_246_822_507);
  hash = Math.imul(hash ^ (hash >>> 13), 3_266_489_909);
  return ((hash ^ (hash >>> 16)) >>> 0) / 4_294_967_296;
}
