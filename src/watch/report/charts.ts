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
  /** Whether the column is a sign of Health by the same name, whose limit is drawn. */
  readonly sign?: true;
}

const STEP_PANELS: readonly StepPanel[] = [
  { column: "pseudoReward", title: "Pseudo-reward: agreement with the labels that training gives itself", label: "mean reward" },
  { column: "trainPassAt1", title: "True accuracy of the same samples, where it is known", label: "pass@1", share: true },
  { column: "majorityShareOfAll", title: "Majority share", label: "share of samples", share: true },
  { column: "kl", title: "KL of a completion to the reference", label: "nats" },
  { column: "lostSupport", title: "Sign of collapse: support for the first model's answers, below its best", label: "share", sign: true },
  { column: "lostSureness", title: "Sign of collapse: sureness gone over to other answers", label: "share", sign: true },
  { column: "answerExcess", title: "Sign of collapse: one answer beyond its first share", label: "share", sign: true },
  { column: "entropy", title: "Entropy of a token", label: "nats" },
  { column: "meanLength", title: "Length of a completion", label: "tokens" },
];

/** What a person looks at first, all runs in each panel: held-out accuracy, then the figures of the steps. */
export function chartOf(runs: readonly ReportedRun[]): Chart {
  const evaluation = (title: string, label: string, figure: (point: EvaluationPoint) => Point): Panel => ({
    title,
    x: { label: "step" },
    y: { label },
    series: runs.map((run, index) => series(run, index, run.evaluations.map(figure))),
  });
  const shades = "Bands: one standard error on either side. Dotted: limit of the alarm.";
  const same = runs.length > 2 * COLORS ? ` With more than ${2 * COLORS} runs some look alike.` : "";
  return {
    title: runs.length === 1 ? `Run ${runs[0]!.name}` : `${runs.length} runs`,
    caption: `${shades}${same}`,
    panels: [
      evaluation("Held-out pass@1", "pass@1", ({ step, passAt1, standardError }) => ({ x: step, y: passAt1, low: passAt1 - standardError, high: passAt1 + standardError })),
      evaluation("Held-out maj@k", "maj@k", ({ step, majAtK, majStandardError }) => ({ x: step, y: majAtK, low: majAtK - majStandardError, high: majAtK + majStandardError })),
      ...STEP_PANELS.map((panel) => stepPanel(panel, runs)),
    ],
  };
}

function stepPanel({ column, title, label, share = false, sign }: StepPanel, runs: readonly ReportedRun[]): Panel {
  const limit = sign === undefined ? null : (runs.map(({ overview }) => overview.health.signs.find(({ key }) => key === column)?.limit ?? null).find((each) => each !== null) ?? null);
  return {
    title,
    x: { label: "step" },
    y: { label, ...(share && { min: 0, max: 1 }) },
    series: runs.map((run, index) => series(run, index, thinned(pointsOf(run.column(column))))),
    ...(limit !== null && { limit }),
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
