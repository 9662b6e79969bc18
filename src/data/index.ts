export { problemsOfStep } from "./order.ts";
export { assertDisjoint, loadLabelledProblems, loadProblems } from "./problems.ts";
export type { LoadOptions } from "./problems.ts";
export { readRows } from "./rows.ts";
export type { Row } from "./rows.ts";
