import { PolicyError } from "../errors.ts";
import type { Policy } from "../policy.ts";

/** Lets each call of a policy begin when the one before has ended, and none after `close`. */
export function inOrder(policy: Policy): Policy {
  let last: Promise<unknown> = Promise.resolve();
  let closed = false;
  const queue = <T>(call: () => Promise<T>): Promise<T> => {
    if (closed) return Promise.reject(new PolicyError("The policy is closed."));
    const result = last.then(call);
    last = result.catch(() => undefined);
    return result;
  };
  return {
    description: policy.description,
    sample: (request) => queue(() => policy.sample(request)),
    logprobs: (sequences, weights) => queue(() => policy.logprobs(sequences, weights)),
    update: (rows, options) => queue(() => policy.update(rows, options)),
    snapshot: (name) => queue(() => policy.snapshot(name)),
    average: (name, decay) => queue(() => policy.average(name, decay)),
    values: (sequences) => queue(() => policy.values(sequences)),
    saveState: (directory) => queue(() => policy.saveState(directory)),
    loadState: (directory) => queue(() => policy.loadState(directory)),
    exportModel: (directory) => queue(() => policy.exportModel(directory)),
    close: () => {
      const result = queue(() => policy.close());
      closed = true;
      return result;
    },
  };
}
