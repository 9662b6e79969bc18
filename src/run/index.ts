/** The run directory: everything that a run leaves behind, and all that resuming and looking need. */
export { checkpointPath, checkpointSteps, saveCheckpoint, setAsideCheckpoint, verifyCheckpoint } from "./checkpoint.ts";
export { createRunDirectory, openRunDirectory } from "./directory.ts";
export type { RunDirectory } from "./directory.ts";
export { describeEnvironment } from "./environment.ts";
export type { Environment, FileHash, Inputs } from "./environment.ts";
export { evaluationMetrics, stepMetrics } from "./metrics.ts";
export type { EvaluationFigures, EvaluationMetrics, MetricsLine, StepMetrics, StepTiming } from "./metrics.ts";
export { openMetricsLog } from "./step-log.ts";
export type { AnswersLine, StepLog, VotesLine } from "./step-log.ts";
export { isHeld } from "./lock.ts";
export { stepName, stepOfName } from "./step-name.ts";
export { saveModel } from "./model.ts";
export { modelCard } from "./model-card.ts";
export { recordSamples, rewindSamples } from "./samples.ts";
export type { SampleRow } from "./samples.ts";
export { readSummary, summarizeEvaluation, writeSummary } from "./summary.ts";
export type { EvaluationSummary, RunStop, RunSummary } from "./summary.ts";
export { withTensorBoard, writeEventFile } from "./tensorboard.ts";
