import type { Answer } from "./answer.ts";
import { distinct } from "./compare.ts";
import { keyOf, leafOf } from "./leaf.ts";
import { intersect, point, region, without, writtenInterval } from "./regions.ts";
import { cut } from "./split.ts";
import type { Token } from "./tokens.ts";

/** Unions, intersections and differences of intervals and finite sets, from left to right. */
export function readSetAlgebra(tokens: readonly Token[], at: readonly number[], read: (tokens: readonly Token[]) => Answer): Answer {
  const key = keyOf(tokens);
  const operands = cut(tokens, at).map((part) => toRegion(read(part)));
  let result = operands[0]!;
  for (const [index, position] of at.entries()) {
    const next = setOperation(tokens[position]!.value, result, operands[index + 1]!, key);
    if (next === null) return leafOf(tokens);
    result = next;
  }
  return result;
}

function setOperation(operator: string, left: Answer, right: Answer, key: string): Answer | null {
  if (left.kind === "collection" && right.kind === "collection" && operator === "∪") {
    return { kind: "collection", key, listed: false, items: distinct([...left.items, ...right.items]) };
  }
  const [a, b] = [piecesOf(left), piecesOf(right)];
  if (a === null || b === null) return null;
  if (operator === "∪") return region([...a, ...b], key);
  if (operator === "∩") {
    const common = intersect(a, b);
    return common && region(common, key);
  }
  const points = right.kind === "collection" ? right.items.flatMap((item) => (item.kind === "leaf" ? [item] : [])) : right.kind === "leaf" ? [right] : null;
  const rest = points && without(a, points);
  return rest && region(rest, key);
}

function piecesOf(answer: Answer) {
  if (answer.kind === "region") return answer.pieces;
  if (answer.kind === "leaf") return [point(answer)];
  if (answer.kind !== "collection") return null;
  const points = answer.items.flatMap((item) => (item.kind === "leaf" ? [point(item)] : []));
  return points.length === answer.items.length ? points : null;
}

/** In a union, (a, b) and [a, b] are intervals. */
function toRegion(answer: Answer): Answer {
  if (answer.kind === "labelled") return toRegion(answer.value);
  if (answer.kind !== "sequence" || answer.items.length !== 2 || answer.brackets.length !== 1 || !"([".includes(answer.brackets)) return answer;
  const [low, high] = answer.items;
  if (low?.kind !== "leaf" || high?.kind !== "leaf") return answer;
  const closed = answer.brackets === "[";
  return writtenInterval(low, high, closed, closed, answer.key);
}
