// Chapter 6: two states, one action entry. The slope of the return is a sum of local terms.
import { Chart } from "./chart.js";
import { begin, button, choice, COLORS, element, panel, reading, slider } from "./kit.js";
import { clamp, fixed, product } from "./numbers.js";

const U = [-0.4, 0.6], STATES = ["low", "high"], HUE = { low: COLORS.actor, high: COLORS.extra };

/** From low a larger action makes high more likely; from high a coin decides. High pays 1. */
export function valuesOf(u, gamma) {
  const p = 1 / (1 + Math.exp(-u)), cost = u * u / 2;
  const stay = 1 - gamma * (1 - p), out = gamma * p, back = gamma / 2, high = 1 - gamma / 2;
  const determinant = stay * high - out * back; // of I - γP
  return [(-cost * high + (1 - cost) * out) / determinant, ((1 - cost) * stay - cost * back) / determinant];
}

/** Q - V of low and of high, for one first action `a` and the policy u after it. */
export function advantagesOf(a, u, gamma) {
  const p = 1 / (1 + Math.exp(-a)), [low, high] = valuesOf(u, gamma);
  const coin = (low + high) / 2;
  return [-a * a / 2 + gamma * ((1 - p) * low + p * high) - low, 1 - a * a / 2 + gamma * coin - high];
}

/** The slope of Q over the action at a = u, in low and in high. The actor's slope is 1. */
export function localSlopes(u, gamma) {
  const p = 1 / (1 + Math.exp(-u)), [low, high] = valuesOf(u, gamma);
  return [-u + gamma * p * (1 - p) * (high - low), -u];
}

/** For t = 0, 1, …: the discount, the probabilities of both states, and their terms. */
export function localTerms(u, gamma, start, count) {
  const p = 1 / (1 + Math.exp(-u)), slopes = localSlopes(u, gamma), found = [];
  let chance = start === "low" ? [1, 0] : [0, 1];
  for (let t = 0; t < count; t++) {
    const discount = gamma ** t;
    found.push({ discount, chance, terms: chance.map((x, i) => discount * x * slopes[i]) });
    chance = [chance[0] * (1 - p) + chance[1] / 2, chance[0] * p + chance[1] / 2];
  }
  return found;
}

/** The slope of the return by a central difference: no local term is used. */
export function slopeOfReturn(u, gamma, start, h = 1e-5) {
  const value = (x) => valuesOf(x, gamma)[STATES.indexOf(start)];
  return (value(u + h) - value(u - h)) / (2 * h);
}

/** The policy u with the highest return, or the end of the slider that is closer to it. */
export function topOfReturn(gamma, start) {
  let [low, high] = U;
  for (let i = 0; i < 40; i++) { // the return has one top
    const u = (low + high) / 2;
    if (slopeOfReturn(u, gamma, start) > 0) low = u;
    else high = u;
  }
  return (low + high) / 2;
}

/** The last step to show: what comes later has less than a hundredth of the weight. */
export const lastStep = (gamma) => Math.max(8, Math.ceil(Math.log(0.01) / Math.log(Math.max(gamma, 0.1))));

export function mount(root, { u: firstU, gamma: firstGamma, start: firstStart }) {
  let u = firstU, gamma = firstGamma, start = firstStart, t = 0;
  const { side, charts } = begin(root, "Add the terms one by one, and watch the green line turn into the tangent. "
    + "Then move u to the top of the return, where the slope is zero: is every term zero there?");
  const controls = panel(side), text = reading(side, "table");
  const values = new Chart(charts, { x: U, y: [-0.3, 0.2], xLabel: "action a", yLabel: "Q − V" });
  const sum = new Chart(charts, { x: [-1, 9], y: [0, 1], xLabel: "step t" });
  const hill = new Chart(charts, { x: U, y: [0, 1], xLabel: "u", yLabel: "return" });

  const steps = slider(controls, { label: "terms up to t", min: 0, max: 8, step: 1, value: t,
    show: (x) => fixed(x, 0), onInput: (x) => { t = x; draw(); } });
  const policy = slider(controls, { label: "policy u", min: U[0], max: U[1], step: 0.01, value: u, onInput: setU,
    show: (x) => fixed(x, Math.abs(100 * x - Math.round(100 * x)) < 1e-9 ? 2 : 4) });
  slider(controls, { label: "discount γ", min: 0, max: 0.9, step: 0.01, value: gamma,
    onInput: (x) => { gamma = x; draw(); } });
  choice(controls, { label: "start in", options: { low: "low", high: "high" }, value: start,
    onChange: (x) => { start = x; draw(); } });
  button(controls, "Next term", () => { t = Math.min(t + 1, lastStep(gamma)); draw(); });
  button(controls, "To the top", () => { u = topOfReturn(gamma, start); draw(); });
  button(controls, "Start again", () => { t = 0; setU(firstU); });
  hill.drag(setU);
  values.drag(setU);

  function setU(x) {
    u = Math.round(clamp(x, U) * 100) / 100;
    draw();
  }

  /** Bars from one height to another, all in one mark. */
  function bars(name, list, color, opacity) {
    const place = ([x, from, to]) => `M${sum.X(x)} ${sum.Y(from)}V${sum.Y(to)}`;
    sum.mark(name, "path", { d: list.map(place).join(""), stroke: color, opacity, fill: "none",
      "stroke-width": Math.min(14, 0.7 * (sum.X(1) - sum.X(0))) });
  }

  function drawSum(found, running, total) {
    const last = found.length - 1, pieces = { low: [], high: [] };
    found.forEach(({ terms: [low, high] }, x) => {
      const from = low * high > 0 ? low : 0; // terms of one sign stand on each other
      pieces.low.push([x, 0, low]);
      pieces.high.push([x, from, from + high]);
    });
    const heights = [0, total, ...running, ...found.flatMap(({ terms }) => terms)];
    const [low, high] = [Math.min(...heights), Math.max(...heights)], room = Math.max(0.12 * (high - low), 0.01);
    sum.range([-1, last + 1], [low - room, high + room]);
    for (const state of STATES) {
      bars(`${state} added`, pieces[state].slice(0, t + 1), HUE[state], 1);
      bars(`${state} later`, pieces[state].slice(t + 1), HUE[state], 0.25);
    }
    sum.curve("zero", [[-1, 0], [last + 1, 0]], { width: 1, opacity: 0.5 });
    sum.curve("total", [[-1, total], [last + 1, total]], { dash: "5 4", width: 1.5 });
    const stairs = running.slice(0, t + 1).flatMap((y, x) => [[x - 0.5, y], [x + 0.5, y]]);
    sum.curve("running", stairs, { color: COLORS.composite, width: 2.5 });
    sum.dot("now", t, running[t], { color: COLORS.composite, radius: 4 });
  }

  function drawHill(slope, total) {
    const value = (x) => valuesOf(x, gamma)[STATES.indexOf(start)];
    const heights = Array.from({ length: 31 }, (_, i) => value(U[0] + i / 30 * (U[1] - U[0])));
    const [low, high] = [Math.min(...heights), Math.max(...heights)], room = 0.15 * (high - low);
    hill.range(U, [low - room, high + room]);
    hill.graph("curve", value);
    const line = (m) => [[u - 1, value(u) - m], [u + 1, value(u) + m]];
    hill.curve("sum so far", line(slope), { color: COLORS.composite, width: 2.5 });
    hill.curve("tangent", line(total), { dash: "5 4", width: 1.5 });
    hill.dot("point", u, value(u), { color: COLORS.actor });
  }

  function draw() {
    t = Math.min(t, lastStep(gamma));
    steps.input.max = lastStep(gamma);
    steps.value = t;
    policy.value = u;
    const slopes = localSlopes(u, gamma), total = slopeOfReturn(u, gamma, start);
    const found = localTerms(u, gamma, start, lastStep(gamma) + 1);
    let added = 0;
    const running = found.map(({ terms }) => added += terms[0] + terms[1]);
    STATES.forEach((state, i) => {
      values.graph(state, (a) => advantagesOf(a, u, gamma)[i], { color: COLORS.critic, dash: i ? "6 3" : "none" });
      values.curve(`tangent ${state}`, [[u - 0.25, -0.25 * slopes[i]], [u + 0.25, 0.25 * slopes[i]]],
        { color: HUE[state], width: 3.5 });
    });
    values.dot("policy", u, 0, { color: COLORS.actor });
    drawSum(found, running, total);
    drawHill(running[t], total);
    values.say(`the slope at a = u is ${fixed(slopes[0], 3)} in low (orange on the line), ${fixed(slopes[1], 3)} in high (pink on the dashes)`);
    sum.say(`terms of low (orange), of high (pink); sum so far ${fixed(running[t], 4)}`);
    hill.say(`return from ${start}; slope of the tangent ${fixed(total, 4)}`);
    const { discount, chance } = found[t], missing = Number(total.toFixed(4)) - Number(running[t].toFixed(4));
    write([
      [`t = ${t}`, "γᵗ × probability × local slope"],
      ...STATES.map((state, i) => [state, product([discount, chance[i], slopes[i]], 4)]),
      ["terms so far", fixed(running[t], 4)],
      ["all later terms", fixed(missing, 4)],
      ["together", `${fixed(total, 4)}, the slope of the return (by a central difference)`],
    ]);
  }

  function write(lines) {
    text.replaceChildren(element("tbody", {}, ...lines.map(([name, words]) => element("tr", {},
      element("th", { scope: "row" }, name), element("td", {}, words)))));
  }
  draw();
}
