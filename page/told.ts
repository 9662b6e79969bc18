import { useEffect, useState } from "preact/hooks";

/** A value that moves with the mouse: those who follow are told at most once a frame, and nothing else is drawn for it. */
export interface Told<T> {
  readonly set: (value: T) => void;
  /** Returns what ends it. */
  readonly follow: (listener: (value: T) => void) => () => void;
}

export function createTold<T>(first: T): Told<T> {
  const listeners = new Set<(value: T) => void>();
  let next = first;
  let told = first;
  let frame = 0;
  return {
    set(value) {
      next = value;
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        if (next === told) return;
        told = next;
        for (const listener of listeners) listener(told);
      });
    },
    follow(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

/** The value now; draws again whenever it is another. */
export function useTold<T>(told: Told<T>, first: T): T {
  const [value, setValue] = useState(first);
  useEffect(() => told.follow(setValue), [told]);
  return value;
}
