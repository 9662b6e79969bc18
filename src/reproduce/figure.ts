import type { Panel, Table, Verdict } from "../report/index.ts";
import type { Job } from "./job.ts";
import type { Results } from "./results.ts";

/** One claim, what it takes to put it to the test, and the rule that decides, which is written down before any run. */
export interface Figure {
  readonly name: string;
  readonly title: string;
  /** What the paper says. */
  readonly claim: string;
  /** When it counts as holding here. */
  readonly rule: string;
  readonly jobs: (seeds: readonly number[]) => readonly Job[];
  readonly read: (results: Results, seeds: readonly number[]) => Promise<Finding>;
}

/** What came of a claim. */
export interface Finding {
  readonly verdict: Verdict;
  /** Sizes of effects with their intervals. */
  readonly effect: string;
  /** Paragraphs. */
  readonly text: readonly string[];
  readonly table?: Table;
  readonly panels: readonly Panel[];
  /** Where the picture shows something else than means over seeds. */
  readonly caption?: string;
}

/** Whether all, some or none of the parts of a rule are met: `holds in part` takes at least so many. */
export function verdictOf(parts: readonly boolean[], some = 1): Verdict {
  const met = parts.filter(Boolean).length;
  return met === parts.length ? "holds" : met >= some ? "holds in part" : "does not hold here";
}
