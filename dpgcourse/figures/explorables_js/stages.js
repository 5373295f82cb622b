// Actor and critic of a small agent at the stages of its training that
// `dpgcourse.figures.training_stages` packs. A state is [θ, θ̇], in rad and rad/s.
import { MLP } from "./mlp.js";
import { MAX_TORQUE, Pendulum } from "./pendulum.js";

/** Torques at which the critic is asked, in N m, from low to high. */
export const TORQUES = Array.from({ length: 17 }, (_, j) => ((j + 0.5) / 17 * 2 - 1) * MAX_TORQUE);

/** Parameters from numbers of 16 bits, lower byte first, in base 64. */
function unpack(text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return Float32Array.from({ length: bytes.length / 2 }, (_, i) => half(bytes[2 * i] + 256 * bytes[2 * i + 1]));
}

/** The number of half precision with these bits: 1 sign, 5 exponent, 10 fraction; finite. */
function half(bits) {
  const exponent = (bits >> 10) & 31, fraction = bits & 1023;
  const size = exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24;
  return bits >> 15 ? -size : size;
}

/** What the actor and, where there is one, the critic of a stage answer. */
export function agentAt({ hidden, actors, critics }, stage) {
  const u = unpack(actors[stage]), w = critics && unpack(critics[stage]);
  const networks = new Map(); // by the number of rows
  const network = (inputs, rows) => {
    const key = `${inputs} ${rows}`;
    if (!networks.has(key)) networks.set(key, new MLP([inputs, ...hidden, 1], rows));
    return networks.get(key);
  };

  /** Torques, one for each state. */
  function policy(states) {
    const x = Float32Array.from(states.flatMap(([theta, speed]) =>
      [Math.cos(theta), Math.sin(theta), speed]));
    const z = network(3, states.length).forward(u, x, states.length);
    return Array.from(z, (value) => MAX_TORQUE * Math.tanh(value));
  }

  /** Values Q and slopes ∂Q/∂a, one for each state and torque. */
  function critic(states, torques) {
    const rows = states.length, net = network(4, rows);
    const x = Float32Array.from(states.flatMap(([theta, speed], i) =>
      [Math.cos(theta), Math.sin(theta), speed, torques[i]]));
    const values = Array.from(net.forward(w, x, rows));
    const pulled = net.inputGradient(w, new Float32Array(rows).fill(1));
    return { values, slopes: values.map((_, i) => pulled[4 * i + 3]) };
  }

  /** Q less the best Q at the same angle, row by row for each of `TORQUES`; and the slopes. */
  function landscape(angles, speed) {
    const grid = TORQUES.flatMap((torque) => angles.map((theta) => [theta, torque]));
    const { values, slopes } = critic(grid.map(([theta]) => [theta, speed]), grid.map(([, a]) => a));
    const best = angles.map((_, i) =>
      Math.max(...TORQUES.map((_, j) => values[j * angles.length + i])));
    return { values: values.map((q, k) => q - best[k % angles.length]), slopes };
  }

  /** The policy's action at a state, the slope ∂Q/∂a there, and ∂a/∂b for the last bias b. */
  function factors(theta, speed) {
    const [action] = policy([[theta, speed]]), [slope] = critic([[theta, speed]], [action]).slopes;
    return { action, slope, gain: MAX_TORQUE - action ** 2 / MAX_TORQUE };
  }

  /** The largest difference that a torque makes to Q. */
  function scale() {
    const angles = Array.from({ length: 24 }, (_, i) => i / 12 * Math.PI);
    return -Math.min(...[-6, -3, 0, 3, 6].map((speed) => Math.min(...landscape(angles, speed).values)));
  }

  return { policy, critic, landscape, factors, scale };
}

/** What an actor step does to the last bias b, from the factors in one state. */
export function effectInWords({ action, slope, gain }) {
  if (Math.abs(slope) < 0.005) return "The critic has no slope here, and gives no direction.";
  if (gain >= 0.05) return `So from this state the actor step ${slope > 0 ? "raises" : "lowers"} b, and with it a.`;
  return slope > 0 === action > 0
    ? "The action is at the bound to which the slope points, and can follow it no further."
    : "The action is stuck at the wrong bound: the slope points back inside, but tanh lets almost nothing of it through to b.";
}

/** For the tests: what a stage answers at some states, each with a torque. */
export function answers(params, stage, states, torques) {
  const agent = agentAt(params, stage), factors = states.map((state) => agent.factors(...state));
  return { policy: agent.policy(states), ...agent.critic(states, torques), factors };
}

/** For the tests: the returns of a stage from some states, without noise. */
export function returns(params, stage, states) {
  const { policy } = agentAt(params, stage);
  return states.map(([theta, speed]) => {
    const pendulum = new Pendulum(theta, speed);
    let sum = 0;
    while (!pendulum.truncated) sum += pendulum.step(policy([[pendulum.theta, pendulum.speed]])[0]);
    return sum;
  });
}
