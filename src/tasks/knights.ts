import type { Random } from "../util/random.ts";
import type { TaskFamily } from "./family.ts";

/**
 * Knights and knaves (Smullyan, *What Is the Name of This Book?*, 1978): knights tell the truth, knaves lie,
 * everybody says one thing, and one assignment of the two kinds alone agrees with all of it.
 */

/** That somebody is a knight, or is none. People are numbered in order. */
interface Claim {
  readonly person: number;
  readonly knight: boolean;
}

const CONNECTIVES = ["and", "or", "if", "iff"] as const;
type Statement = { readonly kind: "alone"; readonly first: Claim } | { readonly kind: (typeof CONNECTIVES)[number]; readonly first: Claim; readonly second: Claim };

const NAMES = ["Ann", "Bob", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hal"];

/** The level is the number of people. The answer has a digit for each: 1 for a knight, 0 for a knave. */
export const knights: TaskFamily = {
  name: "knights",
  lowestLevel: 2,
  highestLevel: NAMES.length,
  generate: (level, random) => {
    for (;;) {
      const statements = Array.from({ length: level }, (_, speaker) => drawStatement(speaker, level, random));
      const solution = onlySolution(statements);
      if (solution === null) continue;
      const answer = statements.map((_, person) => (isKnight(solution, person) ? "1" : "0")).join("");
      return { prompt: promptOf(statements), answer };
    }
  },
};

/** Alone, a claim is about another person: nobody can call himself a knave, and a knight tells nothing by calling himself one. */
function drawStatement(speaker: number, people: number, random: Random): Statement {
  const other = (than: number): number => (than + 1 + random.integer(people - 1)) % people;
  const claim = (person: number): Claim => ({ person, knight: random.integer(2) === 0 });
  const kind = (["alone", ...CONNECTIVES] as const)[random.integer(1 + CONNECTIVES.length)]!;
  if (kind === "alone") return { kind, first: claim(other(speaker)) };
  const first = claim(random.integer(people));
  return { kind, first, second: claim(other(first.person)) };
}

/** The assignment, a bit per person, in which knights alone tell the truth; `null` unless there is exactly one. */
function onlySolution(statements: readonly Statement[]): number | null {
  let solution: number | null = null;
  for (let assignment = 0; assignment < 2 ** statements.length; assignment++) {
    if (!statements.every((statement, speaker) => holds(statement, assignment) === isKnight(assignment, speaker))) continue;
    if (solution !== null) return null;
    solution = assignment;
  }
  return solution;
}

function isKnight(assignment: number, person: number): boolean {
  return ((assignment >> person) & 1) === 1;
}

function holds(statement: Statement, assignment: number): boolean {
  const first = isTrue(statement.first, assignment);
  if (statement.kind === "alone") return first;
  const second = isTrue(statement.second, assignment);
  switch (statement.kind) {
    case "and":
      return first && second;
    case "or":
      return first || second;
    case "if":
      return !first || second;
    case "iff":
      return first === second;
  }
}

function isTrue({ person, knight }: Claim, assignment: number): boolean {
  return isKnight(assignment, person) === knight;
}

function promptOf(statements: readonly Statement[]): string {
  const names = NAMES.slice(0, statements.length);
  const said = statements.map((statement, speaker) => `${names[speaker]!} says: "${sentence(statement, speaker)}."`);
  const people = `${names.slice(0, -1).join(", ")} and ${names.at(-1)!}`;
  return `Knights always tell the truth, knaves always lie, and everybody is one or the other. ${said.join(" ")} Which of ${people} are knights? Answer with one digit for each of them in this order, 1 for a knight and 0 for a knave.`;
}

function sentence(statement: Statement, speaker: number): string {
  const clause = ({ person, knight }: Claim): string => `${person === speaker ? "I am" : `${NAMES[person]!} is`} a ${knight ? "knight" : "knave"}`;
  const first = clause(statement.first);
  if (statement.kind === "alone") return first;
  const second = clause(statement.second);
  switch (statement.kind) {
    case "and":
      return `${first} and ${second}`;
    case "or":
      return `${first} or ${second}, or both`;
    case "if":
      return `If ${first}, then ${second}`;
    case "iff":
      return `${first} if and only if ${second}`;
  }
}
