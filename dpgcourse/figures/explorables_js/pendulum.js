// Gymnasium's Pendulum-v1 without a picture, as `dpgcourse.envs.vector_pendulum` computes it.
// The angle θ is in rad and 0 upright, the angular speed in rad/s, the torque in N m.

export const MAX_SPEED = 8, MAX_TORQUE = 2, STEP_SECONDS = 0.05, EPISODE_STEPS = 200;
const GRAVITY = 10;

export const clip = (x, bound) => (x > bound ? bound : x < -bound ? -bound : x);

/** The same angle between −π and π. */
export function wrapped(theta) {
  const turn = 2 * Math.PI, x = (theta + Math.PI) % turn;
  return (x < 0 ? x + turn : x) - Math.PI;
}

export class Pendulum {
  constructor(theta = Math.PI, speed = 0) { this.place(theta, speed); }

  /** Begin an episode in this state. */
  place(theta, speed) {
    this.theta = theta;
    this.speed = speed;
    this.elapsed = 0;
  }

  /** Begin an episode at a random state; `uniform(low, high)` draws one number. */
  reset(uniform) {
    this.place(uniform(-Math.PI, Math.PI), uniform(-1, 1));
  }

  /** Whether the time limit has come. The task itself never ends. */
  get truncated() { return this.elapsed >= EPISODE_STEPS; }

  /** Write what the agent sees, cos θ, sin θ and the speed, into `s` from `at` on. */
  observe(s, at = 0) {
    s[at] = Math.cos(this.theta);
    s[at + 1] = Math.sin(this.theta);
    s[at + 2] = this.speed;
  }

  /** Advance by `seconds`, and return the reward −(θ² + 0.1 θ̇² + 0.001 torque²). */
  step(torque, seconds = STEP_SECONDS) {
    torque = clip(torque, MAX_TORQUE);
    const cost = wrapped(this.theta) ** 2 + 0.1 * this.speed ** 2 + 0.001 * torque ** 2;
    const acceleration = 1.5 * GRAVITY * Math.sin(this.theta) + 3 * torque;
    this.speed = clip(this.speed + acceleration * seconds, MAX_SPEED);
    this.theta += this.speed * seconds;
    this.elapsed += 1;
    return -cost;
  }
}
