import type { z } from "zod";
import { CURRENT } from "../policy.ts";
import type { Loss, OptimizerOptions } from "../policy.ts";
import type { endpoints, LossInput } from "../tinker/wire.ts";
import type { Serial } from "../util/serial.ts";
import { formatPath, parsePath } from "./checkpoints.ts";
import type { CheckpointKind, Checkpoints } from "./checkpoints.ts";
import { checkLogprobs, lossOf, lossOutput, rowsOf } from "./datums.ts";
import type { Engine } from "./engines.ts";
import { createOrder } from "./order.ts";
import type { Answer } from "./order.ts";
import type { Futures } from "./futures.ts";
import { Refusal } from "./refusal.ts";
import type { Received } from "./requests.ts";

type Request<E extends { readonly request: z.ZodType }> = Received<z.output<E["request"]>>;

/** A model in training. Each method takes a request and returns the id of its future; requests are done in the order of their numbers. */
export interface Model {
  readonly id: string;
  readonly session: string;
  readonly engine: Promise<Engine>;
  readonly forward: (request: Request<typeof endpoints.forward>) => string;
  readonly forwardBackward: (request: Request<typeof endpoints.forwardBackward>) => string;
  readonly optimStep: (request: Request<typeof endpoints.optimStep>) => string;
  readonly saveWeights: (request: Request<typeof endpoints.saveWeights>) => string;
  readonly saveWeightsForSampler: (request: Request<typeof endpoints.saveWeightsForSampler>) => string;
  readonly loadWeights: (request: Request<typeof endpoints.loadWeights>) => string;
  /** The same future each time: an unload that comes again has nothing left to close. */
  readonly unload: () => string;
}

export interface ModelOptions {
  readonly id: string;
  readonly session: string;
  readonly baseModel: string;
  readonly engine: Promise<Engine>;
  readonly futures: Futures;
  readonly checkpoints: Checkpoints;
  readonly turns: Serial;
  readonly gapSeconds: number;
  /** Makes a sampling session of a snapshot of this name. */
  readonly openSampling: (snapshot: string) => string;
  readonly unloaded: () => void;
}

export function createModel(options: ModelOptions): Model {
  const { id, session, engine, futures, turns } = options;
  const order = createOrder(futures, session, options.gapSeconds);
  /** Passes since the last optimizer step, and whether one failed whose gradient the next was to use. */
  let [passes, failed, snapshots] = [0, false, 0];
  let unloading: string | undefined;

  const submit = (request: Received<{ readonly seq_id?: number | null | undefined }>, action: (engine: Engine) => Promise<Answer>): string =>
    order({ fingerprint: request.fingerprint, sequence: request.seq_id ?? null, run: () => inTurn(turns, engine, action) });

  return {
    id,
    session,
    engine,
    forward: (request) => submit(request, (opened) => forward(opened, request.forward_input)),
    forwardBackward: (request) =>
      submit(request, async (opened) => {
        try {
          passes++;
          return await forwardBackward(opened, request.forward_backward_input);
        } catch (error) {
          failed = true;
          throw error;
        }
      }),
    optimStep: (request) =>
      submit(request, async (opened) => {
        if (passes === 0) throw new Refusal(409, "there was no forward_backward since the last optim_step: there is no gradient to apply.");
        passes = 0;
        if (failed) {
          failed = false;
          await opened.policy.dropGradient();
          throw new Refusal(409, "a forward_backward since the last optim_step failed: the weights stay as they are, and the gradient is dropped; send all of the step's data again.");
        }
        return optimStep(opened, optimizerOf(request.adam_params));
      }),
    saveWeights: (request) => submit(request, (opened) => save(opened, "weights", request.path, options)),
    saveWeightsForSampler: (request) => {
      const { path, sampling_session_seq_id: number } = request;
      if ((path ?? null) === null && (number ?? null) === null) throw new Refusal(400, "save_weights_for_sampler has neither a `path` nor a `sampling_session_seq_id`; give one of them.");
      return submit(request, async (opened) => {
        if ((path ?? null) !== null) return save(opened, "sampler_weights", path!, options);
        const snapshot = `${id}#${++snapshots}`;
        await opened.snapshots.take(snapshot);
        const sampling_session_id = options.openSampling(snapshot);
        return () => ({ type: "save_weights_for_sampler", path: null, sampling_session_id });
      });
    },
    loadWeights: (request) =>
      submit(request, async (opened) => {
        const { directory } = await options.checkpoints.find(parsePath(request.path, ["weights"]));
        await opened.policy.loadWeights(directory, request.optimizer);
        [passes, failed] = [0, false];
        return () => ({ type: "load_weights", path: request.path, model_id: id });
      }),
    unload: () =>
      (unloading ??= submit({ fingerprint: "" }, async (opened) => {
        options.unloaded();
        await opened.close();
        return () => ({ type: "unload_model", model_id: id });
      })),
  };
}

/** Unloads a model unless there are as many unfinished operations as there may be: then another time. */
export function unloadIfPossible({ unload }: Model): void {
  try {
    unload();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}

/** Waits for the engine before its turn, not in it: the engine may wait for room, until others have sampled in theirs. */
async function inTurn(turns: Serial, engine: Promise<Engine>, action: (engine: Engine) => Promise<Answer>): Promise<Answer> {
  const opened = await engine;
  return turns(() => action(opened));
}

async function forward({ policy }: Engine, input: LossInput): Promise<Answer> {
  const [rows, loss] = [rowsOf(input), lossOf(input)];
  const sequences = rows.map(({ prompt, completion, targets }) => ({ prompt, completion, targets }));
  const logprobs = await policy.logprobs(sequences, CURRENT);
  checkLogprobs(logprobs);
  return () => lossOutput(rows, loss, logprobs);
}

async function forwardBackward({ policy }: Engine, input: LossInput): Promise<Answer> {
  const rows = rowsOf(input);
  const loss: Loss = lossOf(input);
  const { logprobs, clipFraction, tokens } = await policy.forwardBackward(rows, { loss });
  checkLogprobs(logprobs);
  return () => lossOutput(rows, loss, logprobs, { "clipped:sum": Math.round(clipFraction * tokens) });
}

async function optimStep({ policy }: Engine, options: OptimizerOptions): Promise<Answer> {
  const { gradientNorm, skipped } = await policy.optimizerStep(options);
  // JSON has no number for a norm that is not finite; then the weights are unchanged.
  return () => ({ type: "optim_step", metrics: { ...(skipped ? { skipped: 1 } : { grad_norm: gradientNorm, skipped: 0 }), learning_rate: options.learningRate } });
}

function optimizerOf({ learning_rate, beta1, beta2, eps, weight_decay, grad_clip_norm }: Request<typeof endpoints.optimStep>["adam_params"]): OptimizerOptions {
  return { learningRate: learning_rate, beta1, beta2, epsilon: eps, weightDecay: weight_decay, maxGradientNorm: grad_clip_norm === 0 ? Infinity : grad_clip_norm };
}

async function save({ policy, adapters }: Engine, kind: CheckpointKind, name: string, { id, baseModel, checkpoints }: ModelOptions): Promise<Answer> {
  const path = { model: id, kind, name };
  const about = { baseModel, adapters, time: new Date().toISOString() };
  await checkpoints.save(path, about, (directory) => policy.saveWeights(directory, CURRENT, kind === "weights"));
  return () => ({ type: kind === "weights" ? "save_weights" : "save_weights_for_sampler", path: formatPath(path) });
}
