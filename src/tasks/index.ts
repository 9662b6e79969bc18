export { builtinModelFolder } from "./builtin-model.ts";
export { chainFamilies, taskFamilies } from "./families.ts";
export type { GeneratedProblem, TaskFamily } from "./family.ts";
export { loadTask, splitOf } from "./load-task.ts";
export type { Split, TaskOptions } from "./load-task.ts";
