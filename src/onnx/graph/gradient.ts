import type { Cotangent, GraphBuilder, RowGradient, Value } from "./builder.ts";
import { addProduct } from "./matmul.ts";

/** Gradient of a scalar with respect to one parameter: the dense part plus the single rows. */
export interface ParameterGradient {
  readonly dense: Value | null;
  readonly rows: readonly RowGradient[];
}

/** What pullbacks have said of one value so far. */
interface Collected {
  readonly value: Value;
  readonly terms: Cotangent[];
  readonly rows: RowGradient[];
}

/**
 * Appends the reverse pass (Linnainmaa 1970) of everything traced so far: gradients of the scalar `loss` by
 * the parameters, in their order. Operations that no parameter leads to, or that do not lead to the loss,
 * add nothing. `sumOf` gives what a parameter's dense gradient is added to, if anything.
 */
export function gradients(builder: GraphBuilder, loss: Value, parameters: readonly Value[], sumOf?: (parameter: Value) => Value): readonly ParameterGradient[] {
  // A copy: pullbacks trace further nodes, and those are not differentiated again.
  const tape = [...builder.tape()];
  const dependent = new Set(parameters.map(({ name }) => name));
  for (const entry of tape) {
    if (entry.inputs.some(({ name }) => dependent.has(name))) entry.outputs.forEach(({ name }) => dependent.add(name));
  }
  const collected = new Map<string, Collected>();
  const collectedOf = (value: Value): Collected => {
    let found = collected.get(value.name);
    if (!found) collected.set(value.name, (found = { value, terms: [], rows: [] }));
    return found;
  };
  collectedOf(loss).terms.push({ dense: builder.constant(Float32Array.of(1), []) });

  for (const { inputs, outputs, pullback } of tape.reverse()) {
    if (!outputs.some(({ name }) => collected.has(name))) continue;
    const needed = inputs.map(({ name }) => dependent.has(name));
    if (!needed.includes(true)) continue;
    const incoming = outputs.map(({ name }) => total(builder, collected.get(name)) ?? undefined);
    pullback(incoming, needed).forEach((cotangent, index) => {
      if (needed[index] && cotangent) collect(builder, collectedOf(inputs[index]!), cotangent);
    });
  }

  // ONNX Runtime goes for the last of the results first, with all that it needs. So what is known first, the
  // gradients of the last layer, comes last: otherwise those of the first layer would be the first, and what
  // the other ones are made of would be kept until then.
  const dense = new Map<string, Value | null>();
  for (const found of [...collected.values()].reverse()) {
    if (builder.isParameter(found.value)) dense.set(found.value.name, total(builder, found, sumOf));
  }
  return parameters.map(({ name }) => ({ dense: dense.get(name) ?? null, rows: collected.get(name)?.rows ?? [] }));
}

function collect(builder: GraphBuilder, { value, terms, rows }: Collected, cotangent: Cotangent): void {
  if (cotangent.rows) {
    if (!builder.isParameter(value)) throw new Error(`internal: row gradients reach ${value.name}, which is no parameter`);
    rows.push(cotangent.rows);
  }
  if (cotangent.dense ?? cotangent.product) terms.push(cotangent);
}

/** Sum of the terms, added to `sumOf` the value; `null` where there are none. */
function total(builder: GraphBuilder, found: Collected | undefined, sumOf?: (value: Value) => Value): Value | null {
  if (!found || found.terms.length === 0) return null;
  const { value, terms } = found;
  let sum = sumOf?.(value) ?? null;
  for (const { dense, product } of terms) {
    if (dense) sum = sum ? builder.node("Add", [sum, dense], value.shape) : dense;
    if (product) sum = addProduct(builder, product, sum);
  }
  return sum;
}
