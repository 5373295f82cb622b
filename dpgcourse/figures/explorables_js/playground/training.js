// One agent learns on the pendulum. No page and no worker is needed, so Node can run it too.
import { EPISODE_STEPS, MAX_TORQUE, Pendulum } from "../pendulum.js";
import { Batch, DDPG, MAX_BATCH } from "./ddpg.js";
import { makeMistake } from "./mistakes.js";
import { HALF_RANGE, STATE } from "./networks.js";
import { Random } from "./random.js";
import { Replay } from "./replay.js";

export const WARM_UP = 1000; // random steps before the first update
const CAPACITY = 50_000; // transitions
const STARTS = 10; // episodes of an evaluation
const SATURATED = 0.99; // of the half-range
// No value of this task lies beyond −16.3 / (1 − 0.995) = −3,260.
export const LARGEST_VALUE = 1e5;

/** `settings` are those of `settings.js`. */
export class Training {
  constructor(settings) {
    const stream = (purpose) => new Random(settings.seed, purpose);
    this.exploration = stream(1);
    this.choosing = stream(2);
    this.starting = stream(3);
    this.agent = new DDPG({ ...settings }, stream(0).uniform);
    this.replay = new Replay(CAPACITY);
    this.pendulum = new Pendulum();
    this.pendulum.reset(this.starting.uniform);
    this.s = new Float32Array(STATE);
    this.sNext = new Float32Array(STATE);
    this.sample = new Batch(MAX_BATCH); // for the measurements
    this.steps = 0;
    this.updates = 0;
    this.episodeReturn = 0;
    this.lastReturns = []; // of up to ten episodes
    this.change(settings);
    while (this.steps < WARM_UP) this.move(true);
  }

  /** Take over settings while it runs; the seed and the width count from the next start on. */
  change(settings) {
    const { width } = this.agent.config;
    this.agent.config = { ...settings, width };
    makeMistake(this.agent, settings.mistake);
    if (this.batch?.size !== settings.batch_size) this.batch = new Batch(settings.batch_size);
  }

  /** One step of the environment and one update. Returns a record when an episode has ended. */
  step() {
    const ended = this.move(false);
    this.replay.draw(this.batch, (n) => this.choosing.below(n));
    this.agent.update(this.batch);
    this.updates += 1;
    return ended ? this.measure() : null;
  }

  /** As `step`, and returns what the parts of the update did. */
  stepAndTell() {
    const ended = this.move(false), { agent, batch } = this;
    this.replay.draw(batch, (n) => this.choosing.below(n));
    agent.tdTarget(batch);
    agent.criticStep(batch);
    const before = agent.value(batch);
    agent.actorStep(batch);
    const after = agent.value(batch);
    agent.updateTargets();
    this.updates += 1;
    let sum = 0;
    for (let i = 0; i < batch.size; i++) sum += agent.delta[i] ** 2;
    const error = Math.sqrt(sum / batch.size);
    return { record: ended ? this.measure() : null, error, before, after };
  }

  /** One step of the environment, remembered. Returns whether an episode has ended. */
  move(random) {
    const { agent, pendulum, exploration } = this;
    pendulum.observe(this.s);
    const a = random
      ? exploration.uniform(-MAX_TORQUE, MAX_TORQUE)
      : agent.explore(this.s, () => exploration.normal());
    const r = pendulum.step(a), { truncated } = pendulum;
    pendulum.observe(this.sNext);
    this.replay.store(this.s, a, r, this.sNext, agent.terminalFlag(false, truncated));
    this.steps += 1;
    this.episodeReturn += r;
    if (!truncated) return false;
    this.lastReturns = [...this.lastReturns.slice(-9), this.episodeReturn];
    this.ended = this.episodeReturn;
    this.episodeReturn = 0;
    pendulum.reset(this.starting.uniform);
    return true;
  }

  /** What the curves show, measured without randomness; it changes nothing in the agent. */
  measure() {
    const { returned, gap } = evaluate(this.agent);
    return {
      updates: this.updates,
      training: this.ended,
      lastTen: mean(this.lastReturns),
      returned,
      gap,
      saturation: this.saturation(),
    };
  }

  /** Share of the executed actions beyond 99% of the half-range, over 256 remembered states. */
  saturation() {
    this.replay.spread(this.sample);
    const a = this.agent.actor.mu(this.sample.s, MAX_BATCH);
    let count = 0;
    for (let i = 0; i < MAX_BATCH; i++) {
      if (Math.abs(this.agent.executed(a[i])) > SATURATED * HALF_RANGE) count += 1;
    }
    return count / MAX_BATCH;
  }

  /** Whether the agent can go on: all parameters are finite, and so are believable values. */
  healthy() {
    const { actor, critic } = this.agent;
    return actor.theta.every(Number.isFinite) && critic.theta.every(Number.isFinite)
      && Math.abs(this.agent.value(this.batch)) < LARGEST_VALUE;
  }
}

/**
 * Noiseless episodes from ten starts, evenly spread over the angles.
 * `returned` is their mean return, `gap` the mean of Q(s_0, μ(s_0)) minus the discounted return.
 */
export function evaluate(agent) {
  const pendulums = Array.from({ length: STARTS }, (_, k) =>
    new Pendulum((2 * k + 1 - STARTS) / STARTS * Math.PI, k % 2 ? 0.5 : -0.5));
  const s = new Float32Array(STARTS * STATE);
  const observe = () => pendulums.forEach((pendulum, k) => pendulum.observe(s, k * STATE));
  observe();
  const believed = mean(agent.critic.Q(s, agent.actor.mu(s, STARTS), STARTS).subarray(0, STARTS));
  let returned = 0, discounted = 0;
  for (let t = 0; t < EPISODE_STEPS; t++) {
    const a = agent.actor.mu(s, STARTS);
    const r = mean(pendulums.map((pendulum, k) => pendulum.step(agent.executed(a[k]))));
    returned += r;
    discounted += agent.config.gamma ** t * r;
    observe();
  }
  return { returned, gap: believed - discounted };
}

const mean = (values) => values.reduce((sum, x) => sum + x, 0) / values.length;
