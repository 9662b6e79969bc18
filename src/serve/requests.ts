import { createHash } from "node:crypto";
import { z } from "zod";
import { endpoints } from "../tinker/wire.ts";

/** A request that has come. The same call with the same body has the same fingerprint, and no other has it. */
export type Received<Request> = Request & { readonly fingerprint: string };

/** The fingerprint of a call of this path. The body is hashed as it came: to hash what was read from it takes several times longer. */
export function fingerprintOf(path: string, body: string | Uint8Array): string {
  return createHash("sha256").update(`${path}\n`).update(body).digest("base64");
}

/** Requests that clients may make otherwise than this project's own does. */

/** Clients choose among optimizers; better refused than another than they chose. */
const optimizer_config = z.looseObject({ type: z.literal("adamw", "the only optimizer of this server is adamw") }).nullish();

const createModel = endpoints.createModel.request;
/** Clients may leave `lora_config` out, to train the whole model. */
export const createModelRequest = createModel.extend({ lora_config: createModel.shape.lora_config.nullish(), optimizer_config });

/** A `load_weights` that makes the model which it loads, of the shape that was saved. */
export const createFromWeightsRequest = createModel
  .pick({ session_id: true, model_seq_id: true })
  .extend({ base_model: createModel.shape.base_model.nullish(), ...endpoints.loadWeights.request.pick({ path: true, optimizer: true }).shape, optimizer_config });

/** Clients may ask for more than this server has; better refused than left out of the answer. */
export const sampleRequest = endpoints.sample.request.extend({ topk_prompt_logprobs: z.literal(0, "this server gives no top-k logprobs of prompts; expected 0").nullish() });
