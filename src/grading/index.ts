/** The judge of "same answer": reads final answers and says which are equal. See docs/grading.md. */
export { EXTRACTION_RULES, RULES_OF_READING, STRICT_RULES, extractAnswer } from "./extract.ts";
export type { Extraction, ExtractionRule } from "./extract.ts";
export { answerClasses, compareAnswers, createGrader, sameAnswer } from "./grader.ts";
export type { Comparison } from "./grader.ts";
export { POLICIES } from "./policies.ts";
export type { Policy, PolicyName } from "./policies.ts";
