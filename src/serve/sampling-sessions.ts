import type { z } from "zod";
import { REFERENCE } from "../policy.ts";
import type { endpoints } from "../tinker/wire.ts";
import { shapeOf } from "./adapters.ts";
import { parsePath, refuseReplaced } from "./checkpoints.ts";
import { Refusal } from "./refusal.ts";
import type { Received } from "./requests.ts";
import type { Sampler } from "./sampler.ts";
import { createSamplingSession } from "./sampling.ts";
import type { SamplingSession, SamplingSource } from "./sampling.ts";
import { checkBase } from "./state.ts";
import type { State } from "./state.ts";

export type SamplingSessionRequest = Received<z.output<typeof endpoints.createSamplingSession.request>>;

/** A sampling session of the base model or of what was saved, once for each number of its session. Throws Refusal, and CheckpointError of the disk. */
export async function makeSamplingSession(state: State, request: SamplingSessionRequest): Promise<object> {
  const { session_id: session, sampling_session_seq_id: number } = request;
  const { samplingSessions } = state.sessions.get(session);
  const source = await sourceOf(state, request);
  return { type: "create_sampling_session", sampling_session_id: samplingSessions.once(number, request.fingerprint, () => openSampling(state, session, source)) };
}

async function sourceOf(state: State, { base_model, model_path }: SamplingSessionRequest): Promise<SamplingSource> {
  const { engines, models, checkpoints } = state;
  if (typeof model_path !== "string") {
    if (typeof base_model !== "string") throw new Refusal(400, "create_sampling_session has neither a `base_model` nor a `model_path`; give one of them.");
    checkBase(state, base_model);
    return { weights: REFERENCE, path: null, directory: null, sampler: (task) => engines.forSampling(null, ({ sampler }) => sampler(task)) };
  }
  if (typeof base_model === "string") throw new Refusal(400, "create_sampling_session has both a `base_model` and a `model_path`; give one of them.");
  const path = parsePath(model_path);
  const { adapters, baseModel, directory, time } = await checkpoints.find(path);
  checkBase(state, baseModel);
  const sampler: Sampler = async (task) => {
    await refuseReplaced(checkpoints, path, time);
    const trained = await models.get(path.model)?.engine;
    return trained ? trained.sampler(task) : engines.forSampling(shapeOf(adapters), (engine) => engine.sampler(task));
  };
  return { weights: `${model_path} of ${time}`, path: model_path, directory, sampler };
}

/** Opens a sampling session and returns its id. */
export function openSampling({ options, futures, samplings }: State, session: string, source: SamplingSource): string {
  const id = `sampling-${options.newId()}`;
  samplings.set(id, createSamplingSession({ id, session, source, futures, endTokens: options.model.endTokens, anySeed: options.anySeed }));
  return id;
}

/** Ends the sampling sessions for which it holds. */
export function endSamplings({ samplings }: Pick<State, "samplings">, holds: (sampling: SamplingSession) => boolean): void {
  for (const [id, sampling] of samplings) if (holds(sampling)) samplings.delete(id);
}

/** A sampling session that is open. Throws Refusal (404). */
export function liveSampling({ samplings, sessions, options }: State, id: string): SamplingSession {
  const found = samplings.get(id);
  if (!found) {
    throw new Refusal(404, `there is no sampling session ${id}: it was never made, its model was unloaded, or its weights made room for newer ones: of a model, the ${options.limits.snapshotsPerModel} that were sampled from last are kept.`);
  }
  sessions.get(found.session);
  return found;
}
