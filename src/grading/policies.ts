/** Which answer of a pair leaves something open: that one joins a class only if just one class would have it. */
type OpenSide = "reader" | "other";

export interface Policy {
  /** What is taken to be equal. */
  readonly says: string;
  /** Pairs that are the same by this policy alone. */
  readonly same: readonly (readonly [string, string])[];
  /** Pairs close by that stay different. */
  readonly different: readonly (readonly [string, string])[];
  /** In a vote, the side that must be unambiguous: the one that is read in another way, or its counterpart. */
  readonly open: OpenSide;
}

/**
 * The matters of taste, in one table. Each is an extra reading of one side of a comparison; a pair that is
 * equal without them is never reported under them. No policy may serve both sides at once: x = 3 is 3 and
 * y = 3 is 3, but x = 3 is not y = 3.
 */
export const POLICIES = {
  label: {
    says: "A named value is its value.",
    same: [["x=3", "3"], ["f(x)=2x+1", "2x+1"], ["(p,q)=(3,2)", "(3,2)"], ["x\\in[1,2)", "[1,2)"]],
    different: [["x=3", "y=3"], ["x+y=3", "3"]],
    open: "other",
  },
  choice: {
    says: "A choice with its value is its letter, and its value.",
    same: [["\\textbf{(B) } 12", "B"], ["\\text{(C)}\\ \\frac12", "(C)"], ["B) Paris", "B"], ["C. x = 42", "C"]],
    different: [["\\textbf{(B) } 12", "C"], ["(B) Paris", "(C) Paris"]],
    open: "other",
  },
  unit: {
    says: "A value with a unit, currency or degree sign is the bare value; different units differ.",
    same: [["5\\text{ cm}", "5"], ["\\$10", "10"], ["90^\\circ", "90"]],
    different: [["5\\text{ cm}", "5\\text{ m}"], ["90^\\circ", "\\frac{\\pi}{2}"]],
    open: "other",
  },
  percent: {
    says: "p% is p/100, and also the number p, as the answer to `how many percent?`.",
    same: [["50\\%", "50"]],
    different: [["50", "0.5"], ["50\\%", "5"]],
    open: "reader",
  },
  comma: {
    says: "Whole numbers with a comma and no space between them are also one decimal; 1,234 is a thousand and more.",
    same: [["3,14", "3.14"], ["0,5 \\text{ cm}", "0.5"], ["x=1,5", "x=1.5"]],
    different: [["3, 14", "3.14"], ["3,14", "3.15"], ["1,234", "1.234"], ["1,2,3", "1.23"]],
    open: "reader",
  },
  rounded: {
    says: "A decimal of at least four significant digits is an exact value that rounds to it.",
    same: [["0.3333", "\\frac13"], ["3.1416", "\\pi"], ["2.2361", "\\sqrt5"]],
    different: [["0.33", "\\frac13"], ["3.14", "\\pi"], ["0.3333", "0.33333"]],
    open: "reader",
  },
  letters: {
    says: "A word of three or four letters is also their product.",
    same: [["abc", "a \\cdot b \\cdot c"]],
    different: [["abc", "abd"], ["odd", "2d"]],
    open: "reader",
  },
  degree: {
    says: "Degree signs inside functions may be left out.",
    same: [["\\cos 20^\\circ", "\\cos 20"]],
    different: [["\\cos 20^\\circ", "\\cos 21"]],
    open: "other",
  },
  domain: {
    says: "Formulas that agree wherever both are real are the same, although one is real at more points.",
    same: [["\\ln(x^2)", "2\\ln x"]],
    different: [["\\sqrt{x^2}", "x"]],
    open: "reader",
  },
  interval: {
    says: "(a, b) is also the open interval, [a, b] the closed one.",
    same: [["(-1,4)", "-1<x<4"], ["[0,1]", "0\\le x\\le 1"]],
    different: [["(2,1)", "\\emptyset"], ["1,2", "1<x<2"], ["(0,1)", "[0,1]"], ["(0,1)", "0\\le x\\le 1"]],
    open: "reader",
  },
  ordered: {
    says: "A list without brackets is also the tuple in that order.",
    same: [["1,2", "(1,2)"], ["x=2, y=3", "(2,3)"]],
    different: [["2,1", "(1,2)"], ["\\{1,2\\}", "(1,2)"]],
    open: "reader",
  },
  vector: {
    says: "A matrix of one column or row is the tuple of its entries.",
    same: [["\\begin{pmatrix}1\\\\2\\end{pmatrix}", "(1,2)"]],
    different: [["\\begin{pmatrix}1\\\\2\\end{pmatrix}", "\\begin{pmatrix}1&2\\end{pmatrix}"]],
    open: "other",
  },
  ratio: {
    says: "a:b is the fraction a/b.",
    same: [["3:4", "\\frac34"]],
    different: [["3:4", "\\frac43"], ["10:30", "\\frac13"]],
    open: "other",
  },
  logarithm: {
    says: "log without a base is the natural logarithm, and also the one to the base 10.",
    same: [["\\log 5", "\\log_{10} 5"]],
    different: [["\\ln 5", "\\log_{10} 5"]],
    open: "reader",
  },
} as const satisfies Readonly<Record<string, Policy>>;

export type PolicyName = keyof typeof POLICIES;
