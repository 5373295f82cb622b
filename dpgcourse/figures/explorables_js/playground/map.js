// Q over angle and torque at one angular speed, with its slopes ∂Q/∂a and the policy, and the two
// factors of the actor's gradient at the place that the reader points to.
import { Chart } from "../chart.js";
import { COLORS, element } from "../kit.js";
import { fixed, product, rounded } from "../numbers.js";
import { MAX_TORQUE } from "../pendulum.js";
import { Actor, Critic, STATE } from "./networks.js";

const [COLUMNS, ROWS] = [49, 13]; // of the shades
const [ARROWS_ACROSS, ARROWS_UP] = [13, 5];
const POINTS = 145; // of the policy's line
const middles = (count, bound) =>
  Array.from({ length: count }, (_, i) => ((i + 0.5) / count * 2 - 1) * bound);
const grid = (columns, rows) => middles(rows, MAX_TORQUE).flatMap((a) =>
  middles(columns, Math.PI).map((theta) => ({ theta, a })));
const SHADES = grid(COLUMNS, ROWS), ARROWS = grid(ARROWS_ACROSS, ARROWS_UP);
const FINE = middles(POINTS, Math.PI);
const BEST = [255, 255, 255], WORST = [0, 114, 178]; // the critic's blue
const LEAST_SPAN = 1, LEAST_SLOPE = 0.1; // of Q and of ∂Q/∂a: a map of next to nothing stays pale, its arrows short
const INK = "#000"; // on the shades, which are the same in light and dark

export class QMap {
  /** `point(theta, a)` is called when the reader points to another place. */
  constructor(parent, point) {
    this.chart = new Chart(parent, {
      x: [-Math.PI, Math.PI], y: [-2.5, 2.5], xLabel: "angle θ (rad)", yLabel: "a (N m)",
      height: 215,
    });
    this.legend = element("p", { class: "title" });
    this.chart.svg.after(this.legend);
    this.chart.drag(point, { both: true });
    this.states = new Float32Array(COLUMNS * ROWS * STATE);
    this.actions = new Float32Array(COLUMNS * ROWS);
    this.place = { theta: 0.1, a: 1, speed: 0 };
  }

  /** Room for networks of another width. */
  resize(width) {
    this.actor = new Actor(width, POINTS);
    this.critic = new Critic(width, COLUMNS * ROWS);
  }

  /** Take over the parameters of this moment. */
  take(actor, critic) {
    this.actor.theta.set(actor);
    this.critic.theta.set(critic);
  }

  /** The torque that the policy asks for. */
  policy(theta, speed) {
    this.write(0, theta, speed);
    return this.actor.mu(this.states, 1)[0];
  }

  write(i, theta, speed) {
    this.states.set([Math.cos(theta), Math.sin(theta), speed], i * STATE);
  }

  draw() {
    const { chart } = this, { theta, a, speed } = this.place;
    this.shade();
    this.drawSlopes();
    FINE.forEach((x, i) => this.write(i, x, speed));
    const policy = this.actor.mu(this.states, POINTS);
    chart.curve("policy", FINE.map((x, i) => [x, policy[i]]), { color: COLORS.actor, width: 3 });
    const { mu } = this.factors();
    chart.curve("at", [[theta, -2.5], [theta, 2.5]], { color: INK, width: 1, dash: "4 3" });
    chart.dot("point", theta, a, { color: "#fff", radius: 5 }).setAttribute("stroke", INK);
    chart.dot("mu", theta, mu, { color: COLORS.actor, radius: 6 }).setAttribute("stroke", INK);
    chart.say(`Q(θ, a) at the speed θ̇ = ${fixed(speed, 1)} rad/s, and the policy (orange)`);
    this.legend.textContent = `Shade: Q from ${rounded(this.range[0])} (the darkest) to ${rounded(this.range[1])} (white). `
      + `Arrows: ∂Q/∂a, the longest ${rounded(this.steepest, 2)} per N m.`;
  }

  /** Fill states and actions with places of the map. */
  fill(places) {
    places.forEach(({ theta, a }, i) => {
      this.write(i, theta, this.place.speed);
      this.actions[i] = a;
    });
  }

  shade() {
    this.fill(SHADES);
    const values = this.critic.Q(this.states, this.actions, SHADES.length), { chart } = this;
    const [low, high] = [Math.min(...values), Math.max(...values)], span = Math.max(high - low, LEAST_SPAN);
    const heat = chart.heat("heat", values, COLUMNS, ROWS, (q) => {
      const share = (high - q) / span;
      return BEST.map((best, i) => best + share * (WORST[i] - best));
    });
    heat.setAttribute("y", chart.Y(MAX_TORQUE));
    heat.setAttribute("height", chart.Y(-MAX_TORQUE) - chart.Y(MAX_TORQUE));
    this.range = [low, high];
  }

  drawSlopes() {
    this.fill(ARROWS);
    const slopes = this.critic.dQda(this.states, this.actions, ARROWS.length).subarray(0, ARROWS.length);
    this.steepest = Math.max(...slopes.map(Math.abs));
    ARROWS.forEach(({ theta, a }, i) => {
      // The square root keeps short arrows visible.
      const share = Math.sqrt(Math.abs(slopes[i]) / Math.max(this.steepest, LEAST_SLOPE));
      const half = 0.3 * Math.sign(slopes[i]) * share;
      this.chart.arrow(`arrow ${i}`, [theta, a - half], [theta, a + half], { color: INK, width: 1.3 });
    });
  }

  /** Everything that the text beside the map says of the place. */
  factors() {
    const { theta, a, speed } = this.place, one = Float32Array.of(1);
    this.write(0, theta, speed);
    const atPoint = this.critic.dQda(this.states, Float32Array.of(a), 1)[0];
    const q = this.critic.mlp.last.output[0];
    const mu = this.actor.mu(this.states, 1)[0], slope = this.actor.slope(0);
    const gradient = new Float32Array(this.actor.mlp.count);
    this.actor.vjp(one, gradient); // the only row of the Jacobian ∂a/∂u
    const g = this.critic.dQda(this.states, Float32Array.of(mu), 1)[0];
    return { q, atPoint, mu, slope, g, jacobian: Math.hypot(...gradient) };
  }

  /** The same as sentences: of the place, and of the policy there. */
  words() {
    const { q, atPoint, mu, slope, g, jacobian } = this.factors();
    const { theta, a, speed } = this.place, push = slope * g;
    const effect = slope < 0.05 ? "The action is at its bound, and the bound lets almost nothing through."
      : Math.abs(push) < 0.005 ? "There is next to no slope to climb."
        : `To climb Q, the actor must ${push > 0 ? "raise" : "lower"} its action in this state.`;
    return [
      `At the white dot, θ = ${fixed(theta)}, θ̇ = ${fixed(speed)}, a = ${fixed(a)}: `
        + `Q = ${fixed(q)} and ∂Q/∂a = ${fixed(atPoint)}.`,
      `At the orange dot, a = μ(s,u) = ${fixed(mu)}: ∂Q/∂a × ∂a/∂z = ${product([g, slope])}. ${effect}`,
      `Length of this state's gradient: |∂Q/∂a| × ‖∂a/∂u‖ = ${product([Math.abs(g), jacobian])}.`,
    ];
  }
}
