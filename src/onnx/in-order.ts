import { PolicyError } from "../errors.ts";
import type { Policy } from "../policy.ts";

type Method = (...parameters: readonly unknown[]) => Promise<unknown>;

/** Lets each call of a policy begin when the one before has ended, and none after `close`. */
export function inOrder<P extends Policy>(policy: P): P {
  let last: Promise<unknown> = Promise.resolve();
  let closed = false;
  const queued = (name: string, method: Method): Method => (...parameters) => {
    if (closed) return Promise.reject(new PolicyError("The policy is closed."));
    closed = name === "close";
    const result = last.then(() => method(...parameters));
    last = result.catch(() => undefined);
    return result;
  };
  // A policy is a record of methods and its description.
  const members = Object.entries(policy).map(([name, member]) => [name, typeof member === "function" ? queued(name, member as Method) : (member as unknown)] as const);
  return Object.fromEntries(members) as unknown as P;
}
