import { PolicyError, ServerError, UsageError } from "../errors.ts";
import { LORA_TARGETS } from "../options.ts";
import type { LoraTarget, LossReduction } from "../options.ts";
import type { Policy } from "../policy.ts";
import { createRandom } from "../util/random.ts";
import { systemClock } from "./clock.ts";
import type { Clock } from "./clock.ts";
import type { Connection } from "./http.ts";
import { createLimit } from "./limit.ts";
import { createModel } from "./model.ts";
import type { ModelOptions, RemoteModel } from "./model.ts";
import { readModelLimits } from "./model-limits.ts";
import { checkAdapters, policyOver } from "./policy.ts";
import { chooseModel, offerOf, traitsOf } from "./server.ts";
import type { OfferedModel, ServerTraits } from "./server.ts";
import { openSession } from "./session.ts";
import type { Session } from "./session.ts";
import { referenceVersion } from "./versions.ts";
import type { LoraConfig } from "./wire.ts";

export interface TinkerOptions {
  /** The server's address, without `/api/v1`. */
  readonly url: string;
  /** Its key; `null` for servers without one. */
  readonly key: string | null;
  /** The server's name of the model; empty for its only one. */
  readonly baseModel: string;
  /** The model's Hugging Face folder, which tells its limits; no weights are read from it. */
  readonly folder: string;
  /** Rank 0 trains the model's own weights, where a server can. */
  readonly lora: { readonly rank: number; readonly alpha: number; readonly targets: readonly LoraTarget[]; readonly seed: number };
  readonly lossReduction: LossReduction;
  /** Prompts that are sampled at once. */
  readonly concurrency: number;
  /** Seconds for which the server may work at one request. */
  readonly resultTimeout: number;
  /** Is told, once, what the server cannot do as configured. */
  readonly warn: (message: string) => void;
  /** Ends every request. */
  readonly signal?: AbortSignal;
  readonly fetch?: typeof fetch;
  readonly clock?: Clock;
}

/** Seconds for which a server may be away. */
const PATIENCE = 300;

/** A policy with what was found out of its server. */
export interface ServedPolicy {
  readonly policy: Policy;
  readonly offered: OfferedModel;
  readonly traits: ServerTraits;
}

/**
 * A policy whose model is sampled and trained by a server of the Tinker API. Asks what the server can do, and checks
 * that it can do what is asked, before it returns. Throws ServerError, UsageError, PolicyError, and ModelError
 * for a folder that does not tell the model's limits.
 */
export async function createTinkerPolicy(options: TinkerOptions): Promise<Policy> {
  return (await connectPolicy(options)).policy;
}

/** Like `createTinkerPolicy`, and tells what was found out. */
export async function connectPolicy(options: TinkerOptions): Promise<ServedPolicy> {
  // What is still waited for when a policy is closed, after a failure beside it, ends then.
  const closed = new AbortController();
  const given = connectionTo(options);
  const connection = { ...given, signal: AbortSignal.any([given.signal, closed.signal]) };
  const offer = await offerOf(connection);
  const offered = chooseModel(offer, { url: connection.url, baseModel: options.baseModel });
  const local = await readModelLimits(options.folder);
  const limits = { vocabularySize: offered.vocabularySize ?? local.vocabularySize, contextLength: Math.min(offered.contextLength ?? Infinity, local.contextLength) };
  const opening = await openSession(connection);
  const session: Session = {
    ...opening,
    close: () => {
      opening.close();
      closed.abort(new PolicyError("The policy is closed."));
    },
  };
  const opened: Pick<RemoteModel, "unload">[] = [];
  try {
    const model = { baseModel: offered.name, lora: loraOf(options.lora, offer.features?.takesAlpha ?? false), skipUnweighted: offer.features?.skipsUnweighted ?? false };
    // One after the other: there are servers that hold only one model.
    const traits = offer.features ?? (await traitsOf(await firstModel(session, model), connection.url, options.lossReduction));
    const current = await firstModel(session, model);
    opened.push(current);
    checkAdapters(current, options.lora);
    if (traits.clips !== true) options.warn(`the training server ${traits.clips === false ? "does not clip gradients" : "does not show that it clips gradients"}: \`max-gradient-norm\` ${traits.clips === false ? "has" : "may have"} no effect.`);
    const limit = createLimit(options.concurrency);
    const reference = await referenceVersion(session, model, limit);
    return { policy: policyOver({ session, offered, limits, model, traits, current, reference, limit, concurrency: options.concurrency }), offered, traits };
  } catch (error) {
    await Promise.allSettled(opened.map(({ unload }) => unload(1)));
    session.close();
    throw error;
  }
}

function connectionTo({ url, key, lora, ...given }: TinkerOptions): Connection {
  if (!URL.canParse(url)) throw new UsageError(`\`engine.url\` is \`${url}\`; give the address of a training server, http://127.0.0.1:8000 say.`);
  return {
    url: url.replace(/\/+$/, ""),
    key,
    fetch: given.fetch ?? fetch,
    clock: given.clock ?? systemClock,
    random: createRandom(lora.seed),
    signal: given.signal ?? new AbortController().signal,
    patience: PATIENCE,
    resultTimeout: given.resultTimeout,
  };
}

async function firstModel(session: Session, model: ModelOptions): Promise<RemoteModel> {
  try {
    return await createModel(session, model);
  } catch (error) {
    if (!(error instanceof ServerError) || error.failure.retryable || model.lora.rank > 0) throw error;
    throw new UsageError(`\`lora.rank\` is 0, and the training server does not train a model's own weights (${error.failure.detail}); give the rank of adapters.`, { cause: error });
  }
}

const ATTENTION: readonly LoraTarget[] = ["q_proj", "k_proj", "v_proj", "o_proj"];

/** The adapters as the protocol names them: by parts of a layer. Throws UsageError for a part of a part. */
function loraOf({ rank, alpha, targets, seed }: TinkerOptions["lora"], takesAlpha: boolean): LoraConfig {
  if (rank === 0) return { rank };
  const adapted = (part: readonly LoraTarget[]): boolean => {
    const count = part.filter((target) => targets.includes(target)).length;
    if (count !== 0 && count !== part.length) throw new UsageError(`\`lora.targets\` has ${count} of ${part.join(", ")}; a training server adapts all of them or none.`);
    return count > 0;
  };
  const [train_attn, train_mlp] = [adapted(ATTENTION), adapted(LORA_TARGETS.filter((target) => !ATTENTION.includes(target)))];
  // Seeds of some servers are signed.
  return { rank, seed: takesAlpha ? seed >>> 0 : (seed >>> 0) % 2 ** 31, train_attn, train_mlp, train_unembed: false, ...(takesAlpha && { alpha }) };
}
