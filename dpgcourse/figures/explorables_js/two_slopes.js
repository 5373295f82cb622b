// Front page: a = u s, Q = -(a - w s)^2, and their composite. A nudge of u travels through all three.
import { Chart } from "./chart.js";
import { begin, button, COLORS, panel, reading, slider } from "./kit.js";
import { clamp, fixed, product } from "./numbers.js";

const NUDGE = 0.4; // of u: large enough to see in every chart

export function mount(root, { s, u: start, w, rate }) {
  const mu = (u) => u * s, Q = (a) => -((a - w * s) ** 2), dQ = (a) => -2 * (a - w * s);
  const range = [-0.5, 3], axis = [-1, 7]; // of u; of every horizontal axis, so that slopes compare
  const { side, charts } = begin(root, "Drag a dot, or the slider, and watch the two slopes and their product. "
    + "Where is the product zero?");
  const links = [
    new Chart(charts, { x: axis, y: [-2, 14], xLabel: "u", yLabel: "a" }),
    new Chart(charts, { x: axis, y: [-18, 4], xLabel: "a", yLabel: "Q" }),
    new Chart(charts, { x: axis, y: [-18, 4], xLabel: "u", yLabel: "ℓ" }),
  ];
  const [actor, critic, both] = links;
  actor.graph("curve", mu, { color: COLORS.actor });
  critic.graph("curve", Q, { color: COLORS.critic });
  both.graph("curve", (u) => Q(mu(u)), { color: COLORS.composite });

  let u = start;
  const controls = panel(side);
  const control = slider(controls, {
    label: "policy parameter u", min: range[0], max: range[1], step: 0.01, value: u, onInput: set,
  });
  button(controls, "Step uphill", () => set(u + rate * dQ(mu(u)) * s));
  button(controls, "Start again", () => set(start));
  const text = reading(side);
  actor.drag((x) => set(x));
  both.drag((x) => set(x));
  critic.drag((a) => set(a / s));

  function set(value) {
    u = Math.round(clamp(value, range) * 100) / 100; // with two digits the products shown are exact
    control.value = u;
    draw();
  }

  /** The tangent, the nudge along it as two segments, and the point. */
  function link(chart, x, y, slope, nudge, color) {
    chart.curve("tangent", [[x - 9, y - 9 * slope], [x + 9, y + 9 * slope]], { width: 1.2, dash: "4 3" });
    chart.curve("run", [[x, y], [x + nudge, y]], { width: 4, color: COLORS.extra });
    chart.curve("rise", [[x + nudge, y], [x + nudge, y + nudge * slope]], { width: 4, color });
    chart.dot("point", x, y, { color });
  }

  function draw() {
    const a = mu(u), slope = dQ(a);
    link(actor, u, a, s, NUDGE, COLORS.actor);
    link(critic, a, Q(a), slope, NUDGE * s, COLORS.critic);
    link(both, u, Q(a), slope * s, NUDGE, COLORS.composite);
    actor.say(`actor: slope ∂a/∂u = ${fixed(s)}`);
    critic.say(`critic: slope ∂Q/∂a = ${fixed(slope)}`);
    both.say(`composite: slope ∂ℓ/∂u = ${fixed(slope * s)}`);
    text.textContent = `u = ${fixed(u)}: ∂Q/∂a × ∂a/∂u = ${product([slope, s])} = ∂ℓ/∂u. `
      + `A nudge of u by ${fixed(NUDGE)} moves a by ${fixed(NUDGE * s)}, and ℓ by about ${fixed(NUDGE * s * slope)}.`;
  }
  draw();
}
