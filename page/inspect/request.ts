import { useEffect, useState } from "preact/hooks";

export interface Requested<T> {
  /** The last answer for this key or, while a newer one of the same `keep` is on its way, the one before. */
  readonly value: T | null;
  readonly error: string | null;
}

/**
 * Asks when `key` changes, and forgets an answer that was overtaken; a `null` key asks nothing. While the key changes
 * but not its `keep` (a new version of the same thing), the old answer stays in sight.
 */
export function useRequest<T>(keep: string | null, version: string, ask: (signal: AbortSignal) => Promise<T>): Requested<T> {
  const [answer, setAnswer] = useState<Requested<T> & { readonly of: string | null }>({ of: null, value: null, error: null });
  useEffect(() => {
    if (keep === null) return;
    const abort = new AbortController();
    ask(abort.signal).then(
      (value) => setAnswer({ of: keep, value, error: null }),
      (error: unknown) => {
        if (!abort.signal.aborted) setAnswer({ of: keep, value: null, error: error instanceof Error ? error.message : String(error) });
      },
    );
    return () => abort.abort();
  }, [keep, version]);
  return answer.of === keep ? answer : { value: null, error: null };
}
