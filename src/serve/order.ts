import { setImmediate } from "node:timers/promises";
import { createSerial } from "../util/serial.ts";
import type { Futures } from "./futures.ts";
import { Refusal } from "./refusal.ts";
import { createRepetitions } from "./repetitions.ts";

/** Makes what an operation gives. It is called after the operation's turn, so that it holds up no other. */
export type Answer = () => object;

/** What is to be done to a model. */
export interface Submission {
  /** Tells a repetition from another request of the same number. */
  readonly fingerprint: string;
  /** Its number, from 1; without one it is done after all that can be done when it comes. */
  readonly sequence: number | null;
  readonly run: () => Promise<Answer>;
}

/**
 * Takes a request of a model and returns the id of its future. The same request again gets the same id and is not done
 * again. Throws Refusal when its number was used for something else.
 */
export type Submit = (submission: Submission) => string;

/**
 * The requests of one model, done one at a time in the order of their numbers. One that is ahead waits until those before
 * it have come, since they may have been overtaken on the way; if they do not within `gapSeconds` it fails, and counts as
 * not sent: it was meant to act on what they do.
 */
export function createOrder(futures: Futures, session: string, gapSeconds: number): Submit {
  const serial = createSerial();
  const repetitions = createRepetitions();
  const waiting = new Map<number, () => void>();
  let next = 1;

  const turn = (sequence: number): Promise<void> =>
    new Promise((resolve, reject) => {
      if (sequence === next) {
        resolve();
        return;
      }
      const timer = setTimeout(() => {
        waiting.delete(sequence);
        repetitions.forget(sequence);
        reject(new Refusal(409, `request ${sequence} of the model was not carried out, since request ${next} did not come before it within ${gapSeconds} seconds; send ${next}, then ${sequence} again.`));
      }, gapSeconds * 1000);
      waiting.set(sequence, () => {
        clearTimeout(timer);
        waiting.delete(sequence);
        resolve();
      });
    });

  return ({ fingerprint, sequence, run }) => {
    if (sequence === null) return futures.start(session, () => answerOf(serial(run)));
    if (sequence < 1) throw new Refusal(400, `seq_id is ${sequence}; requests of a model are numbered from 1.`);
    return repetitions.once(sequence, fingerprint, () => {
      if (sequence < next) throw new Refusal(409, `the number ${sequence} was used already; the next one is ${next}.`);
      return futures.start(session, async () => {
        await turn(sequence);
        const result = serial(run);
        next++;
        waiting.get(next)?.();
        return answerOf(result);
      });
    });
  };
}

/** The answer of what was done, made once the next turn has begun. */
async function answerOf(done: Promise<Answer>): Promise<object> {
  const answer = await done;
  await setImmediate();
  return answer();
}
