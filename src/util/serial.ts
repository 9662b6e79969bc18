/** Runs tasks one at a time, each when the one before has ended, in the order in which they were given. */
export type Serial = <T>(task: () => Promise<T>) => Promise<T>;

/** An empty line of tasks. A task that fails holds none up. */
export function createSerial(): Serial {
  let last: Promise<unknown> = Promise.resolve();
  return (task) => {
    const result = last.then(task);
    last = result.catch(() => undefined);
    return result;
  };
}
