import type { Config } from "../config.ts";
import { UsageError } from "../errors.ts";
import type { Capability, Policy } from "../policy.ts";

/** Throws UsageError where a config needs what the engine of its model cannot do. */
export function checkCapabilities({ algorithm, teacher }: Pick<Config, "algorithm" | "teacher">, { description }: Policy): void {
  const need = (capability: Capability, setting: string, means: string): void => {
    if (!description.capabilities.includes(capability)) throw new UsageError(`\`${setting}\`, which the engine of ${description.model} can't do: ${means}.`);
  };
  if (algorithm === "gae") need("critic", "algorithm: gae", "it has no critic; make one that has, or use another `algorithm`");
  if (teacher.kind === "average") need("average", "teacher.kind: average", "it keeps no moving average of the weights; use `teacher.kind: snapshot`");
}
