import { describe, it } from "vitest";
import { critic } from "./conformance/critic.ts";
import { sampling } from "./conformance/sampling.ts";
import { inputs, logprobs } from "./conformance/scoring.ts";
import { state, versions } from "./conformance/state.ts";
import type { Check, Subject } from "./conformance/subject.ts";
import { updates } from "./conformance/updates.ts";

/** A test that an implementation does not pass, by its title, and why it need not. */
export interface Deviation {
  readonly test: string;
  readonly reason: string;
}

const checks: Record<string, Record<string, Check>> = { inputs, sampling, logprobs, updates, versions, critic, state };

/** Runs what `src/policy.ts` promises as a vitest suite over one implementation. */
export function policyConformance(name: string, create: () => Promise<Subject>, deviations: readonly Deviation[] = []): void {
  const unknown = deviations.find(({ test }) => !Object.values(checks).some((group) => test in group));
  if (unknown) throw new Error(`the conformance suite has no test "${unknown.test}"`);
  describe(`${name} conforms to the policy port`, () => {
    for (const [group, tests] of Object.entries(checks)) {
      describe(group, () => {
        for (const [title, check] of Object.entries(tests)) {
          it(title, async (context) => {
            const deviation = deviations.find(({ test }) => test === title);
            if (deviation) {
              console.warn(`${name} deviates: ${title}: ${deviation.reason}`);
              context.skip(deviation.reason);
            }
            const open: Subject[] = [];
            const createOpen = async () => {
              const subject = await create();
              open.push(subject);
              return subject;
            };
            try {
              await check(await createOpen(), createOpen);
            } finally {
              await Promise.allSettled(open.map(({ policy }) => policy.close()));
            }
          });
        }
      });
    }
  });
}
