import { CheckpointError, ModelError, PolicyError } from "../errors.ts";
import type { PolicyDescription, ServablePolicy } from "../policy.ts";

/** What passes between the policy's thread and the one that drives it. */

/** The calls of a policy, by name, with their arguments. */
export type Method = Exclude<keyof ServablePolicy, "description">;

export interface Call {
  readonly id: number;
  readonly method: Method;
  readonly parameters: readonly unknown[];
}

export type Reply =
  | { readonly kind: "ready"; readonly description: PolicyDescription }
  | { readonly kind: "result"; readonly id: number; readonly result: unknown }
  | { readonly kind: "failure"; readonly id: number; readonly failure: Failure }
  /** The model could not be loaded: there is no policy. */
  | { readonly kind: "unusable"; readonly failure: Failure };

export interface Failure {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

export function describeFailure(error: unknown): Failure {
  if (!(error instanceof Error)) return { name: "Error", message: String(error), stack: "" };
  return { name: error.name, message: error.message, stack: error.stack ?? "" };
}

/** The error that was described; the classes that a person can mend keep their class. */
export function restoreFailure({ name, message, stack }: Failure): Error {
  const mendable = [PolicyError, ModelError, CheckpointError].find((candidate) => candidate.name === name);
  const error = mendable ? new mendable(message) : new Error(message);
  error.stack = stack;
  return error;
}
