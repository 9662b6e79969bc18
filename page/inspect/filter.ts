import type { ProblemOverview } from "../../src/watch/protocol.ts";

export const CONDITIONS = ["wrong", "tie", "flipped", "nobox"] as const;
export type Condition = (typeof CONDITIONS)[number];

/** What a problem must be to be listed: all the conditions, and a beginning that holds the search text. */
export interface Filter {
  readonly conditions: readonly Condition[];
  readonly search: string;
}

/** Reads `wrong,tie:apples` as it stands in the address; words that are no condition are as if not there. */
export function parseFilter(text: string): Filter {
  const [words = "", ...search] = text.split(":");
  const named = words.split(",");
  return { conditions: CONDITIONS.filter((condition) => named.includes(condition)), search: search.join(":") };
}

/** The text that `parseFilter` reads as this filter. */
export function formatFilter({ conditions, search }: Filter): string {
  return conditions.join(",") + (search === "" ? "" : `:${search}`);
}

const HOLDS: Readonly<Record<Condition, (problem: ProblemOverview) => boolean>> = {
  wrong: ({ majorityCorrect }) => majorityCorrect === false,
  tie: ({ tied }) => tied,
  flipped: ({ flipped }) => flipped === true,
  nobox: ({ abstentions }) => abstentions > 0,
};

/** The problems for which the filter holds, in their order. */
export function filterProblems(problems: readonly ProblemOverview[], { conditions, search }: Filter): ProblemOverview[] {
  const sought = search.toLowerCase();
  return problems.filter(
    (problem) => conditions.every((condition) => HOLDS[condition](problem)) && problem.prompt.toLowerCase().includes(sought),
  );
}
