import type { Policy } from "../../src/policy.ts";

/** A fresh policy with a vocabulary of at most 1,024 tokens. Every call of a suite's `create` gives the same weights. */
export interface Subject {
  readonly policy: Policy;
  /** At least two prompts of different lengths, on which the next token is not nearly certain. */
  readonly prompts: readonly (readonly number[])[];
}

/** A test that an implementation does not pass, by its title, and why it need not. */
export interface Deviation {
  readonly test: string;
  readonly reason: string;
}

export type Check = (subject: Subject, create: () => Promise<Subject>) => Promise<void>;
