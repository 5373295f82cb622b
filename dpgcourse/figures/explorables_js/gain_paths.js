// Chapter 7: three ways up the return of the cart, in the plane of its two gains.
import { Chart } from "./chart.js";
import { begin, button, choice, COLORS, panel, reading, slider } from "./kit.js";
import { clamp, fixed } from "./numbers.js";
import { solveLinear } from "./linear.js";

const WAYS = { gradient: "gradient", natural: "natural gradient", iteration: "policy iteration" };
const STEPS = 100, SECONDS = 8, GRID = 64;

/** [x11, x12, x22] of the symmetric X = Y + γ F X Fᵀ. */
export function lyapunov([[a, b], [c, d]], [y11, y12, y22], gamma) {
  return solveLinear([
    [1 - gamma * a * a, -2 * gamma * a * b, -gamma * b * b],
    [-gamma * a * c, 1 - gamma * (a * d + b * c), -gamma * b * d],
    [-gamma * c * c, -2 * gamma * c * d, 1 - gamma * d * d],
  ], [y11, y12, y22]);
}

/**
 * All about one gain K = [k1, k2]: F, the spectral radius of √γ F, and, if that is below 1, the
 * return, E, G, the gradient, the natural gradient and the gain of policy iteration.
 */
export function gainOf({ A, B, M, R, S0, gamma }, [k1, k2]) {
  const [b1, b2] = [B[0][0], B[1][0]], r = R[0][0];
  const F = [[A[0][0] - b1 * k1, A[0][1] - b1 * k2], [A[1][0] - b2 * k1, A[1][1] - b2 * k2]];
  const half = (F[0][0] + F[1][1]) / 2, determinant = F[0][0] * F[1][1] - F[0][1] * F[1][0];
  const root = half * half - determinant;
  const radius = Math.sqrt(gamma) * (root < 0 ? Math.sqrt(determinant) : Math.abs(half) + Math.sqrt(root));
  if (!(radius < 1)) return { F, radius, J: -Infinity };
  const turned = [[F[0][0], F[1][0]], [F[0][1], F[1][1]]];
  const N = [M[0][0] + r * k1 * k1, M[0][1] + r * k1 * k2, M[1][1] + r * k2 * k2];
  const P = lyapunov(turned, N, gamma);
  const Sigma = lyapunov(F, [S0[0][0], S0[0][1], S0[1][1]], gamma);
  const BP = [gamma * (b1 * P[0] + b2 * P[1]), gamma * (b1 * P[1] + b2 * P[2])];
  const G = r + BP[0] * b1 + BP[1] * b2;
  const E = [G * k1 - BP[0] * A[0][0] - BP[1] * A[1][0], G * k2 - BP[0] * A[0][1] - BP[1] * A[1][1]];
  return {
    F, radius, E, G,
    J: -(P[0] * S0[0][0] + 2 * P[1] * S0[0][1] + P[2] * S0[1][1]),
    gradient: [-2 * (E[0] * Sigma[0] + E[1] * Sigma[1]), -2 * (E[0] * Sigma[1] + E[1] * Sigma[2])],
    natural: [-2 * E[0], -2 * E[1]],
    iteration: [k1 - E[0] / G, k2 - E[1] / G],
  };
}

/** Gains from the start on, at most `count` steps; the last one may lie outside the region. */
export function pathOfGains(system, start, way, rate, count = STEPS) {
  const path = [start];
  while (path.length <= count) {
    const K = path.at(-1), here = gainOf(system, K);
    if (here.J === -Infinity) break;
    path.push(way === "iteration" ? here.iteration : K.map((k, i) => k + rate * here[way][i]));
  }
  return path;
}

/** Position of the cart over time, from rest at position 1, without noise. */
export function positions(system, K, count) {
  const { F } = gainOf(system, K), found = [];
  let [x, v] = [1, 0];
  for (let t = 0; t <= count; t++) {
    found.push(x);
    [x, v] = [F[0][0] * x + F[0][1] * v, F[1][0] * x + F[1][1] * v];
  }
  return found;
}

/** Segments [x1, y1, x2, y2] of the line where values on a grid of points cross a level. */
export function levelLine(values, xs, ys, level) {
  const found = [], at = (i, j) => values[j * xs.length + i] - level;
  for (let j = 0; j + 1 < ys.length; j++) {
    for (let i = 0; i + 1 < xs.length; i++) {
      const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]], crossed = [];
      if (!corners.every(([p, q]) => Number.isFinite(at(p, q)))) continue;
      corners.forEach(([p, q], n) => {
        const [p2, q2] = corners[(n + 1) % 4], f = at(p, q), f2 = at(p2, q2);
        if (f < 0 === f2 < 0) return;
        const share = f / (f - f2);
        crossed.push(xs[p] + share * (xs[p2] - xs[p]), ys[q] + share * (ys[q2] - ys[q]));
      });
      for (let n = 0; n + 3 < crossed.length; n += 4) found.push(crossed.slice(n, n + 4));
    }
  }
  return found;
}

export function mount(root, { system, best, corners, start: first, x, y }) {
  const top = gainOf(system, best).J, missing = (K) => top - gainOf(system, K).J;
  const rates = { gradient: 0, natural: 0, iteration: 0 }; // powers of ten
  let start = first, way = "gradient", k = 0;
  const { side, charts } = begin(root, "Raise the step size of the gradient: when does the path leave the shaded region, "
    + "where the cart stays finite? Then choose policy iteration, and show step after step: with which step sizes would "
    + "the natural gradient take them? You can also drag the start.");
  const controls = panel(side), text = reading(side);
  const plane = new Chart(charts, { x, y, xLabel: "gain on position", yLabel: "gain on speed" });
  const fall = new Chart(charts, { x: [0, STEPS + 4], y: [-6.5, 3.5], xLabel: "step", yLabel: "log₁₀ of the missing return" });
  const cart = new Chart(charts, { x: [0, SECONDS], y: [-1.2, 1.2], xLabel: "time in s", yLabel: "position in m" });

  plane.mark("region", "polygon", { fill: COLORS.critic, opacity: 0.14,
    points: corners.map(([a, b]) => `${plane.X(a)},${plane.Y(b)}`).join(" ") });
  const grid = ([low, high]) => Array.from({ length: GRID }, (_, i) => low + i / (GRID - 1) * (high - low));
  const xs = grid(x), ys = grid(y), gaps = ys.flatMap((b) => xs.map((a) => missing([a, b])));
  for (let n = 0; n < 10; n++) {
    const line = levelLine(gaps, xs, ys, 0.2 * 2 ** n).map(([a, b, c, d]) =>
      `M${plane.X(a).toFixed(1)} ${plane.Y(b).toFixed(1)}L${plane.X(c).toFixed(1)} ${plane.Y(d).toFixed(1)}`);
    plane.mark(`level ${n}`, "path", { d: line.join(""), fill: "none", stroke: "currentColor", opacity: 0.35 });
  }
  cart.curve("zero", [[0, 0], [SECONDS, 0]], { width: 1, opacity: 0.5 });
  const course = (K) => positions(system, K, SECONDS * 10).map((at, t) => [t / 10, clamp(at, [-9, 9])]);
  cart.curve("best", course(best), { dash: "5 4", width: 1.5 });

  const ways = choice(controls, { label: "way up", options: WAYS, value: way, onChange: (value) => { way = value; k = 0; draw(); } });
  const rate = slider(controls, { label: "step size", min: -3, max: 2, step: 0.05, value: 0,
    show: (power) => Number((10 ** power).toPrecision(2)), onInput: (power) => { rates[way] = power; draw(); } });
  const when = slider(controls, { label: "show step", min: 0, max: STEPS, step: 1, value: 0,
    show: (value) => fixed(value, 0), onInput: (value) => { k = value; draw(); } });
  const gains = ["position", "speed"].map((name, i) => slider(controls, { label: `start, ${name}`,
    min: i ? y[0] : x[0], max: i ? y[1] : x[1], step: 0.1, value: start[i], show: (value) => fixed(value, 1),
    onInput: (value) => { start = start.map((old, j) => j === i ? value : old); draw(); } }));
  button(controls, "Next step", () => { k += 1; draw(); });
  button(controls, "Start again", () => {
    [k, start, way] = [0, first, "gradient"];
    ways.value = way;
    Object.assign(rates, { gradient: 0, natural: 0 });
    draw();
  });
  plane.drag((a, b) => {
    start = [Math.round(10 * a) / 10, Math.round(10 * b) / 10];
    draw();
  }, { both: true });

  function draw() {
    const path = pathOfGains(system, start, way, 10 ** rates[way]);
    const gap = path.map(missing), out = gap.at(-1) === Infinity ? gap.length - 1 : null;
    k = clamp(k, [0, path.length - 1]);
    when.value = k;
    rate.value = rates[way];
    rate.input.disabled = way === "iteration";
    gains.forEach((control, i) => { control.value = start[i]; });
    plane.curve("path", path, { color: COLORS.composite });
    plane.dot("start", ...start, { color: COLORS.composite, radius: 4 });
    plane.dot("best", ...best, { radius: 3 });
    plane.text("best name", best[0] + 0.04 * (x[1] - x[0]), best[1] - 0.07 * (y[1] - y[0]), "K*");
    const [a, b] = path[k]; // far outside it is a ring at the border
    if (plane.shows(a, b)) plane.dot("now", a, b, { color: COLORS.actor });
    else plane.dot("now", clamp(a, x), clamp(b, y), { color: "none" }).setAttribute("stroke", COLORS.actor);
    const height = (value) => Math.log10(Math.max(value, 1e-6));
    fall.curve("missing", gap.map((value, step) => [step, height(value)]), { color: COLORS.composite });
    fall.dot("now", k, height(gap[k]), { color: COLORS.actor });
    cart.curve("course", course(path[k]), { color: COLORS.actor });
    say(path, gap, out);
  }

  function say(path, gap, out) {
    const K = path[k], name = `(${fixed(K[0], 1)}, ${fixed(K[1], 1)})`, here = gainOf(system, K);
    plane.say(`path by ${WAYS[way]}; ${plane.shows(...K) ? "large dot" : "ring at the border: outside this view"}: `
      + `step ${k}, K = ${name}`);
    fall.say(out === null ? `missing return; after ${STEPS} steps ${tiny(gap.at(-1))}`
      : out === 0 ? "missing return; the start lies outside the region" : `missing return; step ${out} leaves the region`);
    cart.say(`position of the cart; dashes: with the best gain`);
    const scene = here.J === -Infinity
      ? `K = ${name} lies outside the region: where F = A − BK carries the cart's state, √γ F makes it `
        + `${fixed(here.radius, 3)} times as large per step in the long run, and the return is −∞.`
      : `K = ${name}: return ${fixed(here.J)}, ` + (gap[k] < 0.005 ? `within ${tiny(gap[k])} of the best.`
        : `${fixed(top.toFixed(2) - here.J.toFixed(2))} below the best return, ${fixed(top)}.`);
    const step = here.G === undefined ? "" : ` From here policy iteration steps as the natural gradient would `
      + `with step size 1/(2G) = ${fixed(1 / (2 * here.G), 1)}; −2G is the curvature of Q over the action.`;
    const end = out === null ? "" : ` This step size is too large here: step ${out} leaves the region.`;
    text.textContent = scene + (out === 0 ? " There is no gradient here." : end) + (way === "iteration" ? step : "");
  }
  draw();
}

/** A positive number with two digits that count. */
const tiny = (value) => value < 1e-6 ? "less than 0.000001" : String(Number(value.toPrecision(2)));
