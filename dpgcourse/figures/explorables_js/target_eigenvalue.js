// Chapter 9: TD with a slow copy. One update multiplies the errors by a matrix; its eigenvalues decide.
import { Chart } from "./chart.js";
import { begin, button, choice, COLORS, panel, reading, slider } from "./kit.js";
import { clamp, fixed } from "./numbers.js";
import { solveLinear } from "./linear.js";

const UPDATES = 600, ALPHA = [0.05, 0.9], POWER = [-3, 0], AXIS = [-3, 0.15]; // of the step size; of τ = 10^power
const VIEWS = { near: [[0.84, 1.09], [-0.081, 0.081]], whole: [[-2.1, 1.46], [-1.15, 1.15]] }; // the circle is round

/** A = mean φφᵀ, C = γ mean φφ'ᵀ and b = mean rφ of the transitions. */
export function moments({ phi, next, r }, gamma) {
  const count = phi.length, p = phi[0].length, range = [...Array(p).keys()];
  const mean = (f) => phi.reduce((sum, _, n) => sum + f(n) / count, 0);
  return {
    A: range.map((i) => range.map((j) => mean((n) => phi[n][i] * phi[n][j]))),
    C: range.map((i) => range.map((j) => gamma * mean((n) => phi[n][i] * next[n][j]))),
    b: range.map((i) => mean((n) => phi[n][i] * r[n])),
  };
}

/** The matrix that carries the errors of w and of its copy over one update. */
export function transition(critic, gamma, alpha, tau) {
  const { A, C } = moments(critic, gamma), p = A.length, one = (i, j) => Number(i === j);
  const fast = A.map((line, i) => [...line.map((x, j) => one(i, j) - alpha * x), ...C[i].map((x) => alpha * x)]);
  return [...fast, ...fast.map((line, i) => line.map((x, j) => tau * x + (1 - tau) * one(i + p, j)))];
}

/** Eigenvalues [real, imaginary] of a small matrix, as the roots of its characteristic polynomial. */
export function eigenvalues(matrix) {
  const n = matrix.length, coefficients = [1]; // by Faddeev and LeVerrier; highest power first
  let power = matrix.map((line) => line.map(() => 0));
  for (let k = 1; k <= n; k++) {
    power = power.map((line, i) => line.map((x, j) => x + (i === j ? coefficients[k - 1] : 0)));
    power = matrix.map((line) => line.map((_, j) => line.reduce((sum, x, m) => sum + x * power[m][j], 0)));
    coefficients.push(-power.reduce((sum, line, i) => sum + line[i], 0) / k);
  }
  const times = ([a, b], [c, d]) => [a * c - b * d, a * d + b * c];
  const minus = ([a, b], [c, d]) => [a - c, b - d];
  const over = ([a, b], [c, d]) => [(a * c + b * d) / (c * c + d * d), (b * c - a * d) / (c * c + d * d)];
  const roots = Array.from({ length: n }, (_, k) => [Math.cos(2 * k + 0.4), Math.sin(2 * k + 0.4)]);
  for (let round = 0; round < 60; round++) { // by Durand and Kerner: all roots at once
    let moved = 0;
    for (let k = 0; k < n; k++) {
      const value = coefficients.reduce((sum, c) => minus(times(sum, roots[k]), [-c, 0]), [0, 0]);
      const others = roots.reduce((all, root, j) => j === k ? all : times(all, minus(roots[k], root)), [1, 0]);
      const step = over(value, Math.hypot(...others) > 1e-30 ? others : [1e-30, 0]);
      roots[k] = minus(roots[k], step);
      moved = Math.max(moved, Math.hypot(...step));
    }
    if (moved < 1e-12) break;
  }
  return roots;
}

/**
 * The largest size of an eigenvalue: the factor of the error per update in the long run. By the
 * formula of Gelfand it is the size of the power 2^32 of the matrix, to the power of 2^-32.
 */
export function spectralRadius(critic, gamma, alpha, tau) {
  const matrix = transition(critic, gamma, alpha, tau), n = matrix.length;
  let power = Float64Array.from(matrix.flat()), log = 0;
  for (let k = 0; k < 32; k++) {
    let size = 0;
    for (const x of power) size = Math.max(size, Math.abs(x));
    log += Math.log(size) / 2 ** k;
    const square = new Float64Array(n * n);
    for (let i = 0; i < n * n; i++) {
      for (let m = 0; m < n; m++) square[i] += power[i - i % n + m] / size * (power[m * n + i % n] / size);
    }
    power = square; // divided by its size, else it overflows
  }
  return Math.exp(log);
}

/** The error of the worst value before the first update and after each one. */
export function errorsOf(critic, gamma, alpha, tau, updates = UPDATES) {
  const { A, C, b } = moments(critic, gamma), T = transition(critic, gamma, alpha, tau), p = A.length;
  const right = solveLinear(A.map((line, i) => line.map((x, j) => x - C[i][j])), b)
    .map((x) => Number.isFinite(x) ? x : 0); // one parameter, γ = 1/2: w never moves, and 0 is right
  let error = [...critic.start, ...critic.start].map((x, i) => x - right[i % p]);
  const found = [];
  for (let t = 0; t <= updates; t++) {
    const values = critic.phi.map((line) => line.reduce((sum, x, i) => sum + x * error[i], 0));
    found.push(Math.max(...values.map(Math.abs)));
    error = T.map((line) => line.reduce((sum, x, i) => sum + x * error[i], 0));
  }
  return found;
}

export function mount(root, { critics, critic: name, gamma: firstGamma, alpha: firstAlpha, tau: firstTau }) {
  let gamma = firstGamma, alpha = firstAlpha, power = Math.log10(firstTau);
  let view = "whole";
  const { side, charts } = begin(root, "Lower τ until all eigenvalues lie inside the circle, and the error shrinks. "
    + "Does any step size do the same at τ = 1? And which step size is too large for the slowest copy, τ = 0.001?");
  const controls = panel(side), text = reading(side);
  const plane = new Chart(charts, { x: VIEWS[view][0], y: VIEWS[view][1], xLabel: "real part", yLabel: "imaginary part" });
  const growth = new Chart(charts, { x: AXIS, y: [0.96, 1.06], xLabel: "log₁₀ τ", yLabel: "largest size" });
  const course = new Chart(charts, { x: [0, UPDATES + 30], y: [-6, 14], xLabel: "update", yLabel: "log₁₀ of the error" });
  const tau = slider(controls, { label: "copy, τ", min: POWER[0], max: POWER[1], step: 0.01, value: power,
    show: (x) => String(Number((10 ** x).toPrecision(2))), onInput: setPower });
  const rate = slider(controls, { label: "step size α", min: ALPHA[0], max: ALPHA[1], step: 0.01, value: alpha,
    onInput: (x) => { alpha = x; draw(); } });
  const discount = slider(controls, { label: "discount γ", min: 0, max: 0.99, step: 0.01, value: gamma,
    onInput: (x) => { gamma = x; draw(); } });
  const options = Object.fromEntries(Object.keys(critics).map((key) => [key, key]));
  choice(controls, { label: "parameters of the critic", options, value: name, onChange: (key) => { name = key; draw(); } });
  const zoom = button(controls, "See the place around 1", () => {
    view = view === "near" ? "whole" : "near";
    zoom.textContent = view === "near" ? "See the whole circle" : "See the place around 1";
    draw();
  });
  button(controls, "Start again", () => {
    [gamma, alpha] = [firstGamma, firstAlpha];
    [rate.value, discount.value] = [alpha, gamma];
    setPower(Math.log10(firstTau));
  });
  growth.drag(setPower);

  function setPower(x) {
    power = clamp(Math.round(100 * x) / 100, POWER);
    tau.value = power;
    draw();
  }

  function drawPlane(found) {
    plane.range(...VIEWS[view]);
    const circle = Array.from({ length: 721 }, (_, i) => [Math.cos(i * Math.PI / 360), Math.sin(i * Math.PI / 360)]);
    plane.mark("inside", "polygon", { fill: COLORS.critic, opacity: 0.14,
      points: circle.map(([a, b]) => `${plane.X(a).toFixed(1)},${plane.Y(b).toFixed(1)}`).join(" ") });
    plane.curve("circle", circle, { width: 1.2 });
    for (let i = 0; i < 4; i++) {
      if (i >= found.length) plane.hide(`eigenvalue ${i}`);
      else plane.dot(`eigenvalue ${i}`, ...found[i], { color: Math.hypot(...found[i]) < 1 ? COLORS.critic : COLORS.extra });
    }
    return found.filter(([a, b]) => a < plane.x[0] || a > plane.x[1] || Math.abs(b) > plane.y[1]).length;
  }

  function draw() {
    const critic = critics[name], t = 10 ** power;
    const found = eigenvalues(transition(critic, gamma, alpha, t)), radius = spectralRadius(critic, gamma, alpha, t);
    const hidden = drawPlane(found), left = hidden ? `; ${hidden} outside this view` : "";
    plane.say(`eigenvalues of one update: inside the unit circle (blue) or outside (pink)${left}`);

    const curve = Array.from({ length: 46 }, (_, i) => {
      const x = POWER[0] + i / 45 * (POWER[1] - POWER[0]);
      return [x, spectralRadius(critic, gamma, alpha, 10 ** x)];
    });
    const sizes = [1, ...curve.map(([, y]) => y)], [low, high] = [Math.min(...sizes), Math.max(...sizes)];
    const room = Math.max(0.15 * (high - low), 0.01);
    growth.range(AXIS, [low - room, high + room]);
    growth.curve("one", [[AXIS[0], 1], [AXIS[1], 1]], { dash: "5 4", width: 1.5 });
    growth.curve("factor", curve, { color: COLORS.composite });
    growth.dot("now", power, radius, { color: radius < 1 ? COLORS.critic : COLORS.extra });
    growth.say(`largest size of an eigenvalue, over τ; here ${fixed(radius, 5)}`);

    const errors = errorsOf(critic, gamma, alpha, t), height = (x) => Math.log10(Math.max(x, 1e-9));
    course.curve("error", errors.map((x, i) => [i, height(x)]), { color: radius < 1 ? COLORS.critic : COLORS.extra });
    const first = height(errors[0]), end = first + UPDATES * Math.log10(radius);
    course.curve("rate", [[0, first], [UPDATES, end]], { dash: "5 4", width: 1.5 });
    course.say("error of the worst value; dashes: factor to the power of the update");
    say(radius, errors);
  }

  function say(radius, errors) {
    const still = Math.abs(radius - 1) < 1e-7, shrinks = radius < 1;
    const updates = Math.log(2) / Math.abs(Math.log(radius)), count = fixed(updates, updates < 10 ? 1 : 0);
    const verdict = still ? "exactly 1: the error stays. "
      : `${shrinks ? "below 1: the error shrinks" : "above 1: the error grows"}. `
        + `In the long run it ${shrinks ? "halves" : "doubles"} every ${count} updates. `;
    text.textContent = `The largest eigenvalue has size ${fixed(radius, 5)}, ${verdict}`
      + `The error begins at ${magnitude(errors[0])}, and after ${UPDATES} updates it is ${magnitude(errors.at(-1))}.`;
  }
  draw();
}

/** A number of any size, not below 0, with two digits that count. */
function magnitude(x) {
  if (x < 1e-99) return "0";
  const power = Math.floor(Math.log10(x)), digits = [...fixed(power, 0)].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? "⁻").join("");
  return x >= 1e-3 && x < 1e4 ? String(Number(x.toPrecision(2))) : `${Number((x / 10 ** power).toFixed(1))}\u00a0·\u00a010${digits}`;
}
