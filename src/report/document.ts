import type { Chart } from "./chart.ts";

export type Verdict = "holds" | "holds in part" | "does not hold here";

/** Rows of cells under a row of headings; a cell may hold anything, such as what a model wrote. */
export interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A part of a report. All strings are plain text. */
export interface Section {
  /** Lower-case letters, digits and dashes: the address within the report and the name of the figure's file. */
  readonly id: string;
  readonly title: string;
  /** Paragraphs. */
  readonly text: readonly string[];
  readonly table?: Table;
  readonly chart?: Chart;
  /** What makes the section's runs and figure again, as typed into a shell. */
  readonly commands: readonly string[];
  /** Whether HTML shows the title alone until it is asked for the rest. */
  readonly folded?: boolean;
}

/** One claim and what came of it: a section that is judged. */
export interface Claim extends Section {
  readonly claim: string;
  /** When the claim counts as holding, written down before the run. */
  readonly rule: string;
  readonly verdict: Verdict;
  /** The size of the effect with its interval. */
  readonly effect: string;
}

export function isClaim(section: Section | Claim): section is Claim {
  return "verdict" in section;
}

export interface Report {
  readonly title: string;
  /** Paragraphs. */
  readonly intro: readonly string[];
  readonly sections: readonly (Section | Claim)[];
  /** What the runs were made with: names and values. */
  readonly environment: readonly (readonly [name: string, value: string])[];
}
