import type { Expression } from "./expression.ts";
import type { Residues } from "./modular.ts";
import type { Probes } from "./probes.ts";
import type { Rational } from "./rational.ts";

/** A formula with what is known of its value. The costly parts are worked out on first use and kept. */
export interface Leaf {
  readonly kind: "leaf";
  /** The tokens in one spelling: equal keys are equal answers. */
  readonly key: string;
  readonly expression: Expression | null;
  /** Exact value of a rational constant. */
  readonly exact: Rational | null;
  readonly variables: ReadonlySet<string>;
  /** +1 or -1 for an infinity. */
  readonly infinite: 1 | -1 | null;
  /** Fraction digits, when the leaf is a decimal numeral (perhaps times a power of ten). */
  readonly decimal: Decimal | null;
  readonly imaginary: boolean;
  /** What was worked out of its values so far. */
  readonly known: { residues: Residues | null | undefined; probes: Probes | undefined };
  /** The same tokens read in another way, and the policy that allows it. */
  readonly alternative: { readonly policy: "logarithm" | "degree" | "percent"; readonly leaf: Leaf } | null;
}

/** A decimal numeral: significant digits, and half a unit in the last place. */
export interface Decimal {
  readonly digits: number;
  readonly halfUnit: number;
}

/** The structure of an answer. */
export type Answer =
  | Leaf
  /** `letters`: a word so short that it may be a product of variables. */
  | { readonly kind: "text"; readonly key: string; readonly letters: string | null }
  /** Order counts; brackets are `(` or `[`, `:` for a ratio, `time` for a time of day, `∨` for inequalities of which one holds. */
  | { readonly kind: "sequence"; readonly key: string; readonly brackets: string; readonly items: readonly Answer[] }
  /** Order doesn't count. `listed`: written without braces; otherwise each item is there once. */
  | { readonly kind: "collection"; readonly key: string; readonly listed: boolean; readonly items: readonly Answer[]; readonly decimal?: () => Answer }
  | { readonly kind: "region"; readonly key: string; readonly pieces: readonly Piece[] }
  | { readonly kind: "matrix"; readonly key: string; readonly rows: readonly (readonly Answer[])[] }
  /**
   * `name = value` or `name in value`. `equation` gives the difference of the sides, where both are formulas.
   * `decimal`, here and of a collection: what 3,14 is when its comma is a decimal point.
   */
  | {
      readonly kind: "labelled"; readonly key: string; readonly label: string; readonly value: Answer;
      readonly equation: (() => Leaf | null) | null; readonly decimal?: () => Answer;
    }
  /** `difference operator 0`. */
  | { readonly kind: "relation"; readonly key: string; readonly operator: Operator; readonly difference: Leaf }
  | { readonly kind: "quantity"; readonly key: string; readonly unit: string; readonly value: Answer };

export type Operator = "=" | "≠" | "<" | "≤";

/** An interval of the real line; a point has equal, closed ends. */
export interface Piece {
  readonly low: Leaf;
  readonly high: Leaf;
  readonly lowClosed: boolean;
  readonly highClosed: boolean;
}
