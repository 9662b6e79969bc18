/** At each token the sum of the rewards from it on, `[time]`, undiscounted. */
export function returnsToGo(rewards_T: ArrayLike<number>): Float32Array {
  const returns = Float32Array.from(rewards_T);
  for (let t = returns.length - 2; t >= 0; t--) returns[t]! += returns[t + 1]!;
  return returns;
}

/**
 * Generalized advantage estimates, `[time]` (Schulman et al. 2016, eq. 16), from the reward and the critic's
 * value at each token: the sum of (gamma lambda)^l delta_(t+l) with delta_t = r_t + gamma V_(t+1) - V_t, and
 * V = 0 after the last token. Of the authors' code: gamma = lambda = 1.
 */
export function generalizedAdvantages(rewards_T: ArrayLike<number>, values_T: ArrayLike<number>, gamma = 1, lambda = 1): Float32Array {
  const advantages = new Float32Array(rewards_T.length);
  let following = 0;
  for (let t = advantages.length - 1; t >= 0; t--) {
    const delta = rewards_T[t]! + gamma * (values_T[t + 1] ?? 0) - values_T[t]!;
    following = delta + gamma * lambda * following;
    advantages[t] = following;
  }
  return advantages;
}
