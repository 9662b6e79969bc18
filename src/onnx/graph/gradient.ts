import type { Cotangent, GraphBuilder, RowGradient, Value } from "./builder.ts";

/** Gradient of a scalar with respect to one parameter: the dense part plus the single rows. */
export interface ParameterGradient {
  readonly dense: Value | null;
  readonly rows: readonly RowGradient[];
}

interface Accumulated {
  dense: Value | null;
  readonly rows: RowGradient[];
}

/**
 * Appends the reverse pass (Linnainmaa 1970) of everything traced so far: gradients of the scalar `loss` by
 * the parameters, in their order. Operations that no parameter leads to, or that do not lead to the loss,
 * add nothing.
 */
export function gradients(builder: GraphBuilder, loss: Value, parameters: readonly Value[]): readonly ParameterGradient[] {
  // A copy: pullbacks trace further nodes, and those are not differentiated again.
  const tape = [...builder.tape()];
  const dependent = new Set(parameters.map(({ name }) => name));
  for (const entry of tape) {
    if (entry.inputs.some(({ name }) => dependent.has(name))) entry.outputs.forEach(({ name }) => dependent.add(name));
  }
  const accumulated = new Map<string, Accumulated>();
  const gradientOf = (value: Value): Accumulated => {
    let found = accumulated.get(value.name);
    if (!found) accumulated.set(value.name, (found = { dense: null, rows: [] }));
    return found;
  };
  gradientOf(loss).dense = builder.constant(Float32Array.of(1), []);

  for (const { inputs, outputs, pullback } of tape.reverse()) {
    const incoming = outputs.map(({ name }) => accumulated.get(name)?.dense ?? undefined);
    if (incoming.every((gradient) => gradient === undefined)) continue;
    const needed = inputs.map(({ name }) => dependent.has(name));
    if (!needed.includes(true)) continue;
    pullback(incoming, needed).forEach((cotangent, index) => {
      if (needed[index]) accumulate(builder, gradientOf(inputs[index]!), inputs[index]!, cotangent);
    });
  }
  return parameters.map(gradientOf);
}

function accumulate(builder: GraphBuilder, into: Accumulated, value: Value, cotangent: Cotangent | undefined): void {
  if (cotangent?.rows) {
    if (!builder.isParameter(value)) throw new Error(`internal: row gradients reach ${value.name}, which is no parameter`);
    into.rows.push(cotangent.rows);
  }
  if (cotangent?.dense) {
    into.dense = into.dense ? builder.node("Add", [into.dense, cotangent.dense], value.shape) : cotangent.dense;
  }
}
