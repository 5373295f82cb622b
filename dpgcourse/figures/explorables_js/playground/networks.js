// Actor and critic of `dpgcourse.agents.numpy_ddpg` for a task with one action, and what moves
// their parameters (`dpgcourse.agents.optim`).
import { MLP } from "../mlp.js";

export const STATE = 3; // entries of a state
export const HALF_RANGE = 2; // actions lie between −2 and 2
const FINAL_BOUND = 3e-3; // starts with actions near the middle of the box

/** Numbers by which the two networks of an agent are made: the width of their hidden layers. */
const hidden = (width) => [width, width];

/** The policy a = μ(s,u) = 2 tanh(z). A pass is remembered for the gradients that follow it. */
export class Actor {
  constructor(width, maxRows) {
    this.mlp = new MLP([STATE, ...hidden(width), 1], maxRows);
    this.theta = new Float32Array(this.mlp.count);
    this.action = new Float32Array(maxRows);
    this.h = new Float32Array(maxRows); // tanh(z)
    this.dz = new Float32Array(maxRows);
  }

  draw(uniform) { this.theta.set(this.mlp.initialParameters(uniform, FINAL_BOUND)); }

  /** Actions (rows) for states (rows, 3), with the parameters given. */
  mu(s, rows, theta = this.theta) {
    const z = this.mlp.forward(theta, s, rows);
    for (let i = 0; i < rows; i++) {
      this.h[i] = Math.tanh(z[i]);
      this.action[i] = HALF_RANGE * this.h[i];
    }
    return this.action;
  }

  /** ∂a/∂z = 2 (1 − tanh²z) for row i of the last pass. */
  slope(i) { return HALF_RANGE * (1 - this.h[i] ** 2); }

  /** Fill `gradient` with Σ_i J_iᵀ g_i for one g_i per row of the last pass. */
  vjp(g, gradient) {
    for (let i = 0; i < this.mlp.rows; i++) this.dz[i] = g[i] * this.slope(i);
    this.mlp.parameterGradient(this.theta, this.dz, gradient);
  }
}

/** The action value Q(s,a,w); the action enters beside the state. */
export class Critic {
  constructor(width, maxRows) {
    this.mlp = new MLP([STATE + 1, ...hidden(width), 1], maxRows);
    this.theta = new Float32Array(this.mlp.count);
    this.input = new Float32Array(maxRows * (STATE + 1));
    this.ones = new Float32Array(maxRows).fill(1);
    this.slopes = new Float32Array(maxRows);
  }

  draw(uniform) { this.theta.set(this.mlp.initialParameters(uniform, FINAL_BOUND)); }

  /** Values (rows) of states (rows, 3) and actions (rows), with the parameters given. */
  Q(s, a, rows, theta = this.theta) {
    for (let i = 0; i < rows; i++) {
      for (let k = 0; k < STATE; k++) this.input[i * (STATE + 1) + k] = s[i * STATE + k];
      this.input[i * (STATE + 1) + STATE] = a[i];
    }
    return this.mlp.forward(theta, this.input, rows);
  }

  /** Fill `gradient` with Σ_i g_i ∇_w Q(s_i, a_i, w) for one g_i per row of the last pass. */
  vjp(g, gradient) { this.mlp.parameterGradient(this.theta, g, gradient); }

  /** The action gradient ∇_aQ (rows). */
  dQda(s, a, rows, theta = this.theta) {
    this.Q(s, a, rows, theta);
    const toInput = this.mlp.inputGradient(theta, this.ones);
    for (let i = 0; i < rows; i++) this.slopes[i] = toInput[i * (STATE + 1) + STATE];
    return this.slopes;
  }
}

/** Adam of Kingma and Ba (2015), Algorithm 1, in the order of `dpgcourse.agents.optim.Adam`. */
export class Adam {
  constructor(count) {
    this.t = 0;
    this.mean = new Float32Array(count);
    this.square = new Float32Array(count);
  }

  /** Move theta downhill for direction 1, uphill for direction −1. */
  step(theta, gradient, learningRate, direction) {
    const beta1 = 0.9, beta2 = 0.999, eps = 1e-8, { mean, square } = this;
    this.t += 1;
    const unbias = Math.sqrt(1 - beta2 ** this.t);
    const rate = learningRate * unbias / (1 - beta1 ** this.t);
    for (let i = 0; i < theta.length; i++) {
      const g = direction * gradient[i];
      mean[i] += (1 - beta1) * (g - mean[i]);
      square[i] += (1 - beta2) * (g * g - square[i]);
      theta[i] -= rate * mean[i] / (Math.sqrt(square[i]) + eps * unbias);
    }
  }

  descend(theta, gradient, learningRate) { this.step(theta, gradient, learningRate, 1); }

  ascend(theta, gradient, learningRate) { this.step(theta, gradient, learningRate, -1); }
}

/** Move target parameters the share τ of the way to the source. */
export function polyakUpdate(target, source, tau) {
  for (let i = 0; i < target.length; i++) target[i] += tau * (source[i] - target[i]);
}
