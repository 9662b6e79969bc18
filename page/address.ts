import { useEffect, useMemo, useRef, useState } from "preact/hooks";

/** What the page shows, all of it in the URL's hash: a link restores it, and the back button goes back. */

export const VIEWS = ["overview", "inspect", "compare"] as const;
export type View = (typeof VIEWS)[number];

export interface Address {
  readonly view: View;
  /** Ids of the chosen runs; `null`: all (no choice was made). */
  readonly runs: readonly string[] | null;
  readonly logX: boolean;
  readonly logY: boolean;
  /** Steps of the moving mean; 0: off. */
  readonly smoothing: number;
  /** First and last step in sight; `null`: all. */
  readonly range: readonly [first: number, last: number] | null;
  /** The step that is looked at, pinned in the charts and opened by the inspector, and its problem; `null`: the last, the first. */
  readonly step: number | null;
  readonly problem: number | null;
  /** The inspector's filter; `""`: none. */
  readonly filter: string;
  /** Id of the run whose details are open; `null`: none. */
  readonly details: string | null;
}

/**
 * Changes the address, which changes the page. `push` (when absent) is for a change of view or selection, to which the
 * back button returns; `replace` for what moves on and on: the cursor, a slider, a text that is being typed.
 */
export type Go = (change: Partial<Address>, how?: "push" | "replace") => void;

/** Milliseconds in which replaced addresses are held together: browsers refuse hundreds of them in a few seconds. */
const HOLD = 200;

const EMPTY: Address = {
  view: "overview",
  runs: null,
  logX: false,
  logY: false,
  smoothing: 0,
  range: null,
  step: null,
  problem: null,
  filter: "",
  details: null,
};

/** Reads a hash such as `#run=a&run=b&log=x&smooth=20&from=1&to=400`; what it can't read is as if not there. */
export function parseAddress(hash: string): Address {
  const query = new URLSearchParams(hash.replace(/^#/, ""));
  const whole = (name: string): number | null => {
    const text = query.get(name);
    return text !== null && /^\d{1,9}$/.test(text) ? Number(text) : null;
  };
  const from = whole("from");
  const to = whole("to");
  const log = query.get("log") ?? "";
  return {
    view: VIEWS.find((view) => view === query.get("view")) ?? EMPTY.view,
    runs: query.has("run") ? query.getAll("run").filter((id) => id !== "") : null,
    logX: log.includes("x"),
    logY: log.includes("y"),
    smoothing: whole("smooth") ?? 0,
    range: from !== null && to !== null && from < to ? [from, to] : null,
    step: whole("step"),
    problem: whole("problem"),
    filter: query.get("filter") ?? "",
    details: query.get("details"),
  };
}

/** The hash that `parseAddress` reads as this address, without what is as it is when nothing was chosen. */
export function formatAddress(address: Address): string {
  const query = new URLSearchParams();
  if (address.view !== EMPTY.view) query.set("view", address.view);
  for (const id of address.runs ?? []) query.append("run", id);
  if (address.runs?.length === 0) query.append("run", "");
  if (address.logX || address.logY) query.set("log", (address.logX ? "x" : "") + (address.logY ? "y" : ""));
  if (address.smoothing > 0) query.set("smooth", String(address.smoothing));
  if (address.range !== null) {
    query.set("from", String(address.range[0]));
    query.set("to", String(address.range[1]));
  }
  if (address.step !== null) query.set("step", String(address.step));
  if (address.problem !== null) query.set("problem", String(address.problem));
  if (address.filter !== "") query.set("filter", address.filter);
  if (address.details !== null) query.set("details", address.details);
  return `#${query.toString()}`;
}

/** The address as it is, and what changes it. */
export function useAddress(): [Address, Go] {
  const [address, setAddress] = useState(() => parseAddress(location.hash));
  const current = useRef(address);
  const held = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const { go, read } = useMemo(() => {
    const show = (next: Address): void => setAddress((current.current = next));
    const write = (): void => {
      clearTimeout(held.current);
      held.current = undefined;
      history.replaceState(null, "", formatAddress(current.current));
    };
    return {
      read: (): void => {
        clearTimeout(held.current);
        held.current = undefined;
        show(parseAddress(location.hash));
      },
      go: (change: Partial<Address>, how: "push" | "replace" = "push"): void => {
        const next = { ...current.current, ...change };
        if (formatAddress(next) === formatAddress(current.current)) return;
        if (how === "replace") held.current ??= setTimeout(write, HOLD);
        else {
          if (held.current !== undefined) write();
          history.pushState(null, "", formatAddress(next));
        }
        show(next);
      },
    };
  }, []);
  useEffect(() => {
    addEventListener("hashchange", read);
    return () => removeEventListener("hashchange", read);
  }, []);
  return [address, go];
}
