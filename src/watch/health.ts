import type { RunStop, StepMetrics, VotesLine } from "../run/index.ts";
import { passedSign, readSigns, signStarts, toldApart, WINDOW } from "../srt/collapse.ts";
import type { Alarm, Signals } from "../srt/collapse.ts";
import { agree, emptyMemory, remember, signalsOf } from "../train/memory.ts";
import type { Grader } from "../types.ts";
import type { Health, SignStatus } from "./protocol.ts";

/** A sign is worth a look beyond this share of the way from where it began to its limit. */
const WATCH_SHARE = 2 / 3;
/** An answer is named when more than this share of the prompts of a window give it. */
const DOMINATES = 0.5;
/** Characters of an answer that a sentence takes. */
const MAX_ANSWER = 40;

/** What the replay says of one step. */
export interface Replayed {
  /** The signs of collapse of which no figure of the step itself tells. */
  readonly lostSupport: number | null;
  readonly lostSureness: number | null;
  readonly answerExcess: number | null;
  readonly tokenKl: number | null;
  /** For each problem of the step whether its majority is another than last time; `null` where it was not seen before. */
  readonly flips: readonly (boolean | null)[];
}

/** The alarm, asked anew at each step: it says what `collapseAlarm` says of the whole history, at the cost of the new steps alone. */
export interface Replay {
  readonly take: (metrics: StepMetrics, votes: VotesLine | undefined) => Replayed;
  /** The verdict now. `startVotes` is the config's, `stopped` what the summary says. */
  readonly health: (run: { readonly startVotes: number; readonly stopped: RunStop | null }) => Health;
}

/** The alarm, but for where it goes back to. */
type Raised = Omit<Alarm, "lastHealthy">;

/** A replay from the first step. `same` is the grader's. */
export function createReplay(same: Grader["same"]): Replay {
  const memory = emptyMemory();
  const window: Signals[] = [];
  const voted: VotesLine[] = [];
  let starts: readonly (number | null)[] | null = null;
  let signs: readonly SignStatus[] = [];
  let raised: Raised | null = null;
  return {
    take: (metrics, votes = { kind: "votes", step: metrics.step, votes: [], start: [] }) => {
      const flips = votes.votes.map(([id, answer]) => {
        const before = memory.newest.get(id);
        return before === undefined ? null : !agree(before, answer, same);
      });
      remember(memory, votes);
      push(window, signalsOf(votes, metrics, memory, same));
      push(voted, votes);
      if (window.length < WINDOW) return { lostSupport: null, lostSureness: null, answerExcess: null, tokenKl: null, flips };
      starts ??= signStarts(window);
      signs = readSigns(window, starts);
      const passed = passedSign(signs);
      if (passed !== null) raised ??= { ...passed, step: metrics.step };
      const [support, sureness, excess, kl] = signs;
      return { lostSupport: support!.value, lostSureness: sureness!.value, answerExcess: excess!.value, tokenKl: kl!.value, flips };
    },
    health: ({ startVotes, stopped }) => ({ ...verdict({ steps: window.length, signs, raised, voted, startVotes, stopped }), signs }),
  };
}

function push<T>(list: T[], item: T): void {
  list.push(item);
  if (list.length > WINDOW) list.shift();
}

interface Standing {
  /** At most a window. */
  readonly steps: number;
  readonly signs: readonly SignStatus[];
  readonly raised: Raised | null;
  readonly voted: readonly VotesLine[];
  readonly startVotes: number;
  readonly stopped: RunStop | null;
}

function verdict({ steps, signs, raised, voted, startVotes, stopped }: Standing): Pick<Health, "level" | "text"> {
  const wentBack = stopped === null ? null : `stopped at step ${stopped.step}, went back to step ${stopped.restored}`;
  // Weights from before the alarm are not those that collapsed.
  if (raised !== null && (stopped === null || raised.step <= stopped.restored)) {
    return { level: "collapsed", text: `collapsed at step ${raised.step}: ${topAnswer(voted) ?? signWords(raised.sign, raised.value, raised.limit)}${wentBack === null ? "" : `; ${wentBack}`}` };
  }
  if (wentBack !== null) return { level: "healthy", text: wentBack };
  if (steps < WINDOW) return { level: "unknown", text: `unknown: ${steps} of the ${WINDOW} steps that the alarm looks at` };
  const near = signs.find(({ value, start, limit }) => value !== null && start !== null && limit !== null && value > start + WATCH_SHARE * (limit - start));
  if (near !== undefined) return { level: "watch", text: `watch: ${signWords(near.name, near.value!, near.limit!)}` };
  // The signs of the votes come first; without the first model's votes both are blank.
  if (signs.slice(0, 3).every(({ value }) => value === null)) {
    return { level: "unknown", text: `unknown: ${startVotes === 0 ? "the first model was not asked for its votes (start-votes is 0)" : "the first model's votes are not recorded"}, only KL and missing answers are watched` };
  }
  return { level: "healthy", text: "healthy" };
}

function signWords(name: string, value: number, limit: number): string {
  const [shown, bound] = toldApart(value, limit);
  return `${name} is ${shown}, the alarm is at ${bound}`;
}

/** `93 % of prompts answer 1`, over the last window; `null` where no answer dominates. */
function topAnswer(voted: readonly VotesLine[]): string | null {
  const all = voted.flatMap(({ votes }) => votes.map(([, answer]) => answer));
  const counts = new Map<string, number>();
  for (const answer of all) if (answer !== null) counts.set(answer, (counts.get(answer) ?? 0) + 1);
  const [top] = [...counts].sort(([, first], [, second]) => second - first);
  if (top === undefined || top[1] <= DOMINATES * all.length) return null;
  const [answer, count] = top;
  const shown = answer.length > MAX_ANSWER ? `${answer.slice(0, MAX_ANSWER)}…` : answer;
  return `${Math.round((100 * count) / all.length)} % of prompts answer ${shown}`;
}
