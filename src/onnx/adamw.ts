/** First and second moments of the gradient, `[parameters]`, and the number of updates made. */
export interface AdamState {
  readonly first: Float32Array;
  readonly second: Float32Array;
  updates: number;
}

export interface AdamOptions {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
}

export function createAdamState(parameters: number): AdamState {
  return { first: new Float32Array(parameters), second: new Float32Array(parameters), updates: 0 };
}

/**
 * One AdamW update in place (Loshchilov & Hutter 2019, algorithm 2, with the learning rate as schedule):
 * weights -= rate * (m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + epsilon) + decay * weights),
 * from the gradient times `scale`.
 */
export function adamw(weights: Float32Array, gradient: Float32Array, scale: number, state: AdamState, options: AdamOptions): void {
  const { learningRate, beta1, beta2, epsilon, weightDecay } = options;
  const { first, second } = state;
  state.updates += 1;
  const stepSize = learningRate / (1 - beta1 ** state.updates);
  const secondCorrection = 1 / Math.sqrt(1 - beta2 ** state.updates);
  const keep = 1 - learningRate * weightDecay;
  for (let index = 0; index < weights.length; index++) {
    const slope = gradient[index]! * scale;
    const m = beta1 * first[index]! + (1 - beta1) * slope;
    const v = beta2 * second[index]! + (1 - beta2) * slope * slope;
    first[index] = m;
    second[index] = v;
    weights[index] = keep * weights[index]! - (stepSize * m) / (Math.sqrt(v) * secondCorrection + epsilon);
  }
}

/** L2 norm of a gradient. */
export function norm(gradient: Float32Array): number {
  let squares = 0;
  for (let index = 0; index < gradient.length; index++) squares += gradient[index]! * gradient[index]!;
  return Math.sqrt(squares);
}
