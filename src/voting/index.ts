/** What the votes of a model are used for, beside training on them: labels made before it, and answers after it. */
export { adaptedAnswers, sampleVotes, samplesPerQuestion, summarizeAdaptation } from "./adapt.ts";
export type { AdaptationSummary, AdaptedAnswer, AnswerVote, SampledAnswers, VoteSummary } from "./adapt.ts";
export { labelProblems, summarizeLabels, voteFigures } from "./label.ts";
export type { LabelOptions, LabelSummary, ProblemLabel, VoteFigures } from "./label.ts";
