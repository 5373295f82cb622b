// DDPG, the update of `dpgcourse.agents.numpy_ddpg.NumpyDDPG` step for step: from the same weights
// and the same batches it learns the same parameters, up to rounding.
import { clip } from "../pendulum.js";
import { Actor, Adam, Critic, HALF_RANGE, polyakUpdate, STATE } from "./networks.js";

export const MAX_BATCH = 256;

/** Room for transitions (s, a, r, s', terminated), the entries of one after the other. */
export class Batch {
  constructor(size) {
    this.size = size;
    this.s = new Float32Array(size * STATE);
    this.a = new Float32Array(size);
    this.r = new Float32Array(size);
    this.sNext = new Float32Array(size * STATE);
    this.terminated = new Float32Array(size);
  }
}

/**
 * One agent. `config` has width, gamma, tau, actor_lr, critic_lr and sigma; all but the width may
 * change while it learns. `uniform` draws the initial weights.
 */
export class DDPG {
  constructor(config, uniform) {
    this.config = config;
    this.actor = new Actor(config.width, MAX_BATCH);
    this.critic = new Critic(config.width, MAX_BATCH);
    this.actor.draw(uniform);
    this.critic.draw(uniform);
    this.actorTarget = this.actor.theta.slice();
    this.criticTarget = this.critic.theta.slice();
    this.actorOptimizer = new Adam(this.actor.mlp.count);
    this.criticOptimizer = new Adam(this.critic.mlp.count);
    this.actorGradient = new Float32Array(this.actor.mlp.count);
    this.criticGradient = new Float32Array(this.critic.mlp.count);
    this.y = new Float32Array(MAX_BATCH);
    this.delta = new Float32Array(MAX_BATCH);
    this.g = new Float32Array(MAX_BATCH); // a gradient with respect to one number per transition
  }

  /** One pass through the algorithm box. */
  update(batch) {
    this.tdTarget(batch); // set y_i
    this.criticStep(batch); // update the critic by minimizing the loss
    this.actorStep(batch); // update the actor by the sampled policy gradient
    this.updateTargets(); // update the target networks
  }

  /** y = r + γ (1 − terminated) Q'(s', μ'(s')). */
  tdTarget({ size, r, sNext, terminated }) {
    const a = this.actor.mu(sNext, size, this.actorTarget);
    const q = this.critic.Q(sNext, a, size, this.criticTarget);
    for (let i = 0; i < size; i++) {
      this.y[i] = r[i] + this.config.gamma * (1 - terminated[i]) * q[i];
    }
  }

  /** Descend the batch mean of δ², with δ = y − Q(s, a, w) at the actions of the replay. */
  criticStep(batch) {
    this.findCriticGradient(batch);
    this.criticOptimizer.descend(this.critic.theta, this.criticGradient, this.config.critic_lr);
  }

  findCriticGradient({ size, s, a }) {
    const q = this.critic.Q(s, a, size);
    for (let i = 0; i < size; i++) {
      this.delta[i] = this.y[i] - q[i];
      this.g[i] = -2 * this.delta[i] / size; // y is a constant: no way back leads through it
    }
    this.critic.vjp(this.g, this.criticGradient);
  }

  /** Ascend the batch mean of Q(s, μ(s,u), w) with w a constant: (1/B) Σ_i J_iᵀ g_i. */
  actorStep(batch) {
    this.findActorGradient(batch);
    this.actorOptimizer.ascend(this.actor.theta, this.actorGradient, this.config.actor_lr);
  }

  findActorGradient({ size, s }) {
    const a = this.actor.mu(s, size);
    this.pullToActor(this.critic.dQda(s, a, size), size); // ∇_aQ at a = μ(s,u)
  }

  pullToActor(slopes, size) {
    for (let i = 0; i < size; i++) this.g[i] = slopes[i] / size;
    this.actor.vjp(this.g, this.actorGradient);
  }

  /** Move both target networks toward the trained ones: θ' ← τθ + (1 − τ)θ'. */
  updateTargets() {
    polyakUpdate(this.criticTarget, this.critic.theta, this.config.tau);
    polyakUpdate(this.actorTarget, this.actor.theta, this.config.tau);
  }

  /** The noiseless action that is executed when the policy asks for a. */
  executed(a) { return a; }

  /** The noisy action to execute in one state (3); `normal` draws a standard normal number. */
  explore(s, normal) {
    const a = this.executed(this.actor.mu(s, 1)[0]);
    return clip(a + this.config.sigma * HALF_RANGE * normal(), HALF_RANGE);
  }

  /** What the replay stores as an end of the task: a time limit is none. */
  terminalFlag(terminated, truncated) { return terminated; }

  /** Batch mean of Q(s, μ(s,u), w): what the actor step ascends. */
  value({ size, s }) {
    const q = this.critic.Q(s, this.actor.mu(s, size), size);
    let sum = 0;
    for (let i = 0; i < size; i++) sum += q[i];
    return sum / size;
  }
}
