// Agents that run without an error, each with one mistake: those of `dpgcourse.agents.faulty` and
// chapter 13 that a task with one action can show. Each replaces one step and keeps the rest.
import { clip } from "../pendulum.js";
import { DDPG } from "./ddpg.js";
import { HALF_RANGE } from "./networks.js";

/** The actor descends Q: the minus that optimizers need has been forgotten. */
class WrongSign extends DDPG {
  actorStep(batch) {
    this.findActorGradient(batch);
    this.actorOptimizer.descend(this.actor.theta, this.actorGradient, this.config.actor_lr);
  }
}

/** The targets are never updated. */
class FrozenTargets extends DDPG {
  updateTargets() {}
}

/** [B] minus [B,1]: every value is compared with every target, and so in effect with their mean. */
class BroadcastTarget extends DDPG {
  tdTarget(batch) {
    super.tdTarget(batch);
    let sum = 0;
    for (let i = 0; i < batch.size; i++) sum += this.y[i];
    this.y.fill(sum / batch.size);
  }
}

/** The target comes from the critic itself, and its gradient flows into w as well. */
class NoDetach extends DDPG {
  tdTarget({ size, r, sNext, terminated }) {
    const q = this.critic.Q(sNext, this.actor.mu(sNext, size), size);
    for (let i = 0; i < size; i++) {
      this.y[i] = r[i] + this.config.gamma * (1 - terminated[i]) * q[i];
    }
  }

  findCriticGradient(batch) {
    const { size, sNext, terminated } = batch;
    super.findCriticGradient(batch);
    const throughValue = this.criticGradient.slice();
    this.critic.Q(sNext, this.actor.mu(sNext, size), size);
    for (let i = 0; i < size; i++) {
      this.g[i] = 2 * this.delta[i] / size * this.config.gamma * (1 - terminated[i]);
    }
    this.critic.vjp(this.g, this.criticGradient);
    for (let i = 0; i < throughValue.length; i++) this.criticGradient[i] += throughValue[i];
  }
}

/** The actor's backward pass fills the critic's gradients, and nobody clears them. */
class MissingZeroGrad extends DDPG {
  findCriticGradient(batch) {
    super.findCriticGradient(batch);
    if (!this.left) return; // no actor step yet
    for (let i = 0; i < this.left.length; i++) this.criticGradient[i] += this.left[i];
  }

  findActorGradient(batch) {
    const { size, s } = batch;
    super.findActorGradient(batch);
    this.left ??= new Float32Array(this.criticGradient.length);
    this.g.fill(-1 / size); // the gradient of the actor's loss −Q with respect to Q
    this.critic.vjp(this.g, this.left);
  }
}

/** A time limit counts as an end of the task. */
class TruncatedAsDone extends DDPG {
  terminalFlag(terminated, truncated) { return terminated || truncated; }
}

/** ∇_aQ is taken at the action of the replay instead of at μ(s,u). */
class ReplayAction extends DDPG {
  findActorGradient({ size, s, a }) {
    this.actor.mu(s, size);
    this.pullToActor(this.critic.dQda(s, a, size), size);
  }
}

/** The actor ascends the target critic instead of the critic, and so a critic of the past. */
class TargetCriticInActor extends DDPG {
  findActorGradient({ size, s }) {
    const a = this.actor.mu(s, size);
    this.pullToActor(this.critic.dQda(s, a, size, this.criticTarget), size);
  }
}

/** Actions that already fit the box are stretched to it once more on their way out. */
class DoubleScaling extends DDPG {
  executed(a) { return clip(HALF_RANGE * a, HALF_RANGE); }
}

/** Every agent by the name of its mistake, and what is wrong with it. */
export const MISTAKES = {
  none: { agent: DDPG, text: "none" },
  "wrong-sign": { agent: WrongSign, text: "the actor descends Q" },
  "frozen-targets": { agent: FrozenTargets, text: "target networks are never updated" },
  "broadcast-target": { agent: BroadcastTarget, text: "targets (B,1) minus values (B,)" },
  "no-detach": { agent: NoDetach, text: "gradient flows through the target" },
  "missing-zero-grad": { agent: MissingZeroGrad, text: "critic's gradients are not cleared" },
  "truncated-as-done": { agent: TruncatedAsDone, text: "a time limit counts as an end" },
  "replay-action": { agent: ReplayAction, text: "slope at the replay's action" },
  "target-critic-in-actor": { agent: TargetCriticInActor, text: "actor climbs the target critic" },
  "double-scaling": { agent: DoubleScaling, text: "actions are stretched twice" },
};

/** Let an agent make a mistake from now on, or none; what it has learned stays. */
export function makeMistake(agent, name) {
  Object.setPrototypeOf(agent, MISTAKES[name].agent.prototype);
  agent.left = null; // gradients that only one mistake keeps
}
