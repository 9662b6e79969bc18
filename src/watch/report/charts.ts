import type { Chart, Panel, Point, Series } from "../../report/index.ts";
import type { EvaluationPoint, StepColumn } from "../protocol.ts";
import type { ReportedRun } from "./runs.ts";

/** Points of a curve that are drawn, about. */
const MAX_POINTS = 600;
/** Runs that colors alone tell apart; as many more are dashed. */
const COLORS = 7;

interface StepPanel {
  readonly column: StepColumn;
  readonly title: string;
  readonly label: string;
  /** Ends of the axis where the figure is a share. */
  readonly share?: boolean;
}

const STEP_PANELS: readonly StepPanel[] = [
  { column: "pseudoReward", title: "Pseudo-reward: agreement with the labels that training gives itself", label: "mean reward" },
  { column: "trainPassAt1", title: "True accuracy of the same samples, where it is known", label: "pass@1", share: true },
  { column: "majorityShareOfAll", title: "Majority share", label: "share of samples", share: true },
  { column: "kl", title: "KL of a completion to the reference", label: "nats" },
  { column: "lostSupport", title: "Sign of collapse: support for the first model's answers, below its best", label: "share" },
  { column: "lostSureness", title: "Sign of collapse: sureness gone over to other answers", label: "share" },
  { column: "answerExcess", title: "Sign of collapse: one answer beyond its first share", label: "share" },
  { column: "tokenKl", title: "Sign of collapse: KL of a token to the first model", label: "nats" },
  { column: "abstentionRate", title: "Sign of collapse: completions without an answer", label: "share" },
  { column: "entropy", title: "Entropy of a token", label: "nats" },
  { column: "meanLength", title: "Length of a completion", label: "tokens" },
];

/** What a person looks at first, all runs in each panel: held-out accuracy, that of validations where there are any, then the figures of the steps. */
export function chartOf(runs: readonly ReportedRun[]): Chart {
  const evaluation = (title: string, figure: (point: EvaluationPoint) => Point, kind: EvaluationPoint["kind"] = "evaluation"): Panel => ({
    title,
    x: { label: "step" },
    y: { label: title.split(" ").at(-1)! },
    series: runs.map((run, index) => series(run, index, run.evaluations[kind].map(figure))),
  });
  const passAt1 = ({ step, passAt1: y, standardError }: EvaluationPoint): Point => ({ x: step, y, low: y - standardError, high: y + standardError });
  const shades = "Bands: one standard error on either side. Dotted: limit of the alarm, the lowest of the runs.";
  const same = runs.length > 2 * COLORS ? ` With more than ${2 * COLORS} runs some look alike.` : "";
  return {
    title: runs.length === 1 ? `Run ${runs[0]!.name}` : `${runs.length} runs`,
    caption: `${shades}${same}`,
    panels: [
      evaluation("Held-out pass@1", passAt1),
      evaluation("Held-out maj@k", ({ step, majAtK, majStandardError }) => ({ x: step, y: majAtK, low: majAtK - majStandardError, high: majAtK + majStandardError })),
      ...(runs.some(({ evaluations }) => evaluations.validation.length > 0) ? [evaluation("Validation pass@1", passAt1, "validation")] : []),
      ...STEP_PANELS.map((panel) => stepPanel(panel, runs)),
    ],
  };
}

/** With the lowest limit that the alarm has for the figure in any of the runs, where it is one of its signs. */
function stepPanel({ column, title, label, share = false }: StepPanel, runs: readonly ReportedRun[]): Panel {
  const limits = runs.flatMap(({ overview }) => overview.health.signs.flatMap(({ key, limit }) => (key === column && limit !== null ? [limit] : [])));
  return {
    title,
    x: { label: "step" },
    y: { label, ...(share && { min: 0, max: 1 }) },
    series: runs.map((run, index) => series(run, index, thinned(pointsOf(run.column(column))))),
    ...(limits.length > 0 && { limit: Math.min(...limits) }),
  };
}

function series({ name }: ReportedRun, index: number, points: readonly Point[]): Series {
  return { name, points, dashed: index % (2 * COLORS) >= COLORS };
}

/** A point for each step that has a value, from step 1. */
function pointsOf(values: Float32Array): readonly Point[] {
  return Array.from(values, (y, index) => ({ x: index + 1, y })).filter(({ y }) => Number.isFinite(y));
}

/** Of more points than can be drawn, the lowest and the highest of each of equal stretches, so that no peak is lost. */
export function thinned(points: readonly Point[], most: number = MAX_POINTS): readonly Point[] {
  if (points.length <= most) return points;
  const length = Math.ceil((2 * points.length) / most);
  return Array.from({ length: Math.ceil(points.length / length) }, (_, index) => points.slice(index * length, (index + 1) * length)).flatMap((stretch) => {
    const lowest = stretch.reduce((best, point) => (point.y < best.y ? point : best));
    const highest = stretch.reduce((best, point) => (point.y > best.y ? point : best));
    return [...new Set(lowest.x < highest.x ? [lowest, highest] : [highest, lowest])];
  });
}
