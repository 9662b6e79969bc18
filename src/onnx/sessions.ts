import type { Loss } from "../policy.ts";
import type { DecoderConfiguration } from "./models/configuration.ts";
import { decodeGraph, logprobsGraph, prefillGraph, trainingGraph, valuesGraph } from "./models/graphs.ts";
import type { TrainingGraph } from "./models/graphs.ts";
import { createSession } from "./session.ts";
import type { Session } from "./session.ts";

/** The graphs of one model, traced and compiled when first asked for. */
export interface Sessions {
  readonly prefill: () => Promise<Session>;
  readonly decode: () => Promise<Session>;
  readonly logprobs: () => Promise<Session>;
  /** Of a configuration with a critic. */
  readonly values: () => Promise<Session>;
  readonly training: (loss: Loss["kind"]) => Promise<{ readonly session: Session; readonly graph: TrainingGraph }>;
  readonly close: () => Promise<void>;
}

export function createSessions(config: DecoderConfiguration, threads: number): Sessions {
  const opened: Promise<Session>[] = [];
  const once = <T>(create: () => Promise<T>): (() => Promise<T>) => {
    let created: Promise<T> | undefined;
    return () => (created ??= create());
  };
  const compile = (definition: TrainingGraph["definition"]): Promise<Session> => {
    const session = createSession(definition, threads);
    opened.push(session);
    return session;
  };
  const training = (loss: Loss["kind"]) =>
    once(async () => {
      const graph = trainingGraph(config, loss);
      return { session: await compile(graph.definition), graph };
    });
  const trainingByLoss = {
    importance_sampling: training("importance_sampling"),
    ppo: training("ppo"),
    cross_entropy: training("cross_entropy"),
  };
  return {
    prefill: once(() => compile(prefillGraph(config))),
    decode: once(() => compile(decodeGraph(config))),
    logprobs: once(() => compile(logprobsGraph(config))),
    values: once(() => compile(valuesGraph(config))),
    training: (loss) => trainingByLoss[loss](),
    close: async () => {
      for (const session of opened.splice(0)) await (await session).close();
    },
  };
}
