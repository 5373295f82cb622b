// Chapter 3: Jᵀg pulls the critic's wish back to three parameters, and J Jᵀg moves the action.
import { Chart } from "./chart.js";
import { begin, button, choice, COLORS, panel, reading, slider } from "./kit.js";
import { clamp, factor, fixed, product } from "./numbers.js";

const LONGEST = 4.5; // entry of g
const X = [-3.8, 5.9], Y = [-2.9, 6.66], HEIGHT = 260; // one unit is equally long on both axes
const NAMES = ["u₁", "u₂", "u₃"];

const round2 = (x) => Math.round(x * 100) / 100; // then the products shown are exact
const inner = (x, y) => x[0] * y[0] + x[1] * y[1];
const plus = (x, y, times = 1) => [x[0] + times * y[0], x[1] + times * y[1]];

/** Jᵀg: the inner product of each column of J with g. */
export const pullBack = (columns, g) => columns.map((column) => inner(column, g));

/** J times a change of the parameters: how the action moves, to first order. */
export const pushForward = (columns, du) =>
  columns.reduce((move, column, k) => plus(move, column, du[k]), [0, 0]);

/** The angle between two vectors in degrees; NaN if one of them is zero. */
export const angleBetween = (x, y) =>
  Math.acos(clamp(inner(x, y) / (Math.hypot(...x) * Math.hypot(...y)), [-1, 1])) * 180 / Math.PI;

export const directionOf = ([x, y]) => Math.round(Math.atan2(y, x) * 180 / Math.PI);

/** The vector of this length and direction, with two decimals in each entry. */
export const vectorAt = (length, degrees) =>
  [Math.cos, Math.sin].map((f) => round2(length * f(degrees * Math.PI / 180)));

/**
 * The vector that is nearly as long as `near` and at a right angle to g, on the side of `near`. Its
 * entries have two decimals, and are chosen such that the inner product is 0.00 as it is shown.
 */
export function atRightAngle(near, g) {
  const size = Math.hypot(...near), side = inner(near, [-g[1], g[0]]) < 0 ? -1 : 1;
  const ideal = [-g[1], g[0]].map((x) => side * size * x / Math.hypot(...g));
  const steps = Array.from({ length: 17 }, (_, i) => (i - 8) / 100);
  const off = (v) => Math.hypot(...plus(v, ideal, -1)) + (Math.abs(inner(v, g)) < 0.005 ? 0 : 1);
  return steps.flatMap((x) => steps.map((y) => plus(ideal, [x, y]).map(round2)))
    .reduce((best, v) => (off(v) < off(best) ? v : best));
}

/** Whether a direction is, to half a degree, at a right angle to g. */
export function isRightAngle(degrees, g) {
  const off = degrees - Math.atan2(g[1], g[0]) * 180 / Math.PI + 90; // a multiple of 180, or near it
  return Math.hypot(...g) > 0.1 && Math.abs(off - 180 * Math.round(off / 180)) <= 0.5;
}

/** "2.00 × 4.00 + 0.00 × (−2.00) = 8.00" */
export function innerInWords(x, y) {
  return `${factor(x[0])} × ${factor(y[0])} + ${factor(x[1])} × ${factor(y[1])} = ${fixed(inner(x, y))}`;
}

export function mount(root, { J, a: start, favorite: firstFavorite, rate }) {
  const firstColumns = NAMES.map((_, k) => [J[0][k], J[1][k]]);
  let a, favorite, g, columns, angles, turned, held = null;

  const { side, charts } = begin(root, "Turn the arrows of the parameters. Green is the move of the action in one "
    + "step. Can you make it lead away from the favorite ★? Can you make it vanish? You can also drag the tip of g: "
    + "★ moves along, since g is twice the way from the action to ★.");
  const controls = panel(side), text = reading(side);
  const plane = new Chart(charts, { x: X, y: Y, xLabel: "action a₁", yLabel: "a₂", height: HEIGHT });
  const bars = new Chart(charts, { x: [0.4, 3.6], y: [-16, 16], xLabel: "parameter", height: HEIGHT,
    xTick: (k) => NAMES[k - 1] ?? "" });
  bars.curve("zero", [[0, 0], [4, 0]], { width: 1 });

  const which = choice(controls, { label: "turn the arrow of", value: "1", options: { ...NAMES },
    onChange: (k) => { turned = Number(k); draw(); } });
  const turn = slider(controls, { label: "direction", min: -180, max: 180, step: 1, value: 0,
    show: (x) => `${fixed(x, 0)}°`, onInput: (x) => turnTo(turned, x) });
  const entries = ["g₁", "g₂"].map((label, j) => slider(controls, { label, min: -LONGEST, max: LONGEST, step: 0.01, value: 0,
    onInput: (x) => wish(g.map((old, i) => (i === j ? x : old))) }));
  button(controls, "Take the step", () => goTo(plus(a, move())));
  button(controls, "Start again", reset);

  const area = plane.drag((...point) => {
    held ??= nearest(point);
    const arrow = plus(point, a, -1);
    if (held === "g") wish(arrow);
    else turnTo(held, directionOf(arrow));
  }, { both: true });
  area.addEventListener("pointerdown", () => { held = null; }, { capture: true });

  /** The arrow whose tip is closest to the point: "g" or the number of a column. */
  function nearest(point) {
    const far = (tip) => Math.hypot(...plus(point, plus(a, tip), -1));
    return columns.reduce((best, column, k) => (far(column) < far(best === "g" ? g : columns[best]) ? k : best), "g");
  }

  const move = () => pushForward(columns, pullBack(columns, g)).map((x) => rate * x);

  /** A new g: the critic's favorite moves so that g = 2 (favorite - a) stays true. */
  function wish(wanted) {
    g = wanted.map((x) => round2(clamp(x, [-LONGEST, LONGEST])));
    favorite = plus(a, g, 0.5);
    draw();
  }

  function goTo(action) {
    a = action.map(round2);
    g = plus(favorite, a, -1).map((x) => round2(2 * x));
    draw();
  }

  function turnTo(k, degrees) {
    const vector = vectorAt(Math.hypot(...firstColumns[k]), degrees);
    columns[k] = isRightAngle(degrees, g) ? atRightAngle(vector, g) : vector;
    angles[k] = degrees;
    turned = k;
    draw();
  }

  function reset() {
    columns = [...firstColumns];
    angles = columns.map(directionOf);
    favorite = firstFavorite;
    turned = 1;
    goTo(start);
  }

  function draw() {
    const slopes = pullBack(columns, g), step = move();
    which.value = turned;
    turn.value = angles[turned];
    entries.forEach((entry, j) => { entry.value = g[j]; });
    drawPlane(step);
    slopes.forEach((slope, k) => {
      bars.curve(`bar${k}`, [[k + 1, 0], [k + 1, slope]], { color: COLORS.composite, width: 26, opacity: k === turned ? 1 : 0.55 });
      bars.text(`value${k}`, k + 1, slope + (slope < 0 ? -2.2 : 1), fixed(slope));
    });
    bars.say("Jᵀg: one slope for each parameter");
    text.textContent = `${NAMES[turned]}: its column of J times g is ${innerInWords(columns[turned], g)}`
      + `${Math.abs(slopes[turned]) < 0.005 ? ", a right angle" : ""}. ${outcome(slopes, step)}`;
  }

  function outcome(slopes, step) {
    if (Math.hypot(...g) < 0.1) return "The critic wishes for nothing: the action has arrived.";
    const squares = round2(slopes.reduce((sum, x) => sum + x * x, 0));
    const words = `The step moves the action by (${step.map((x) => fixed(x)).join(", ")})`;
    if (Math.max(...slopes.map(Math.abs)) < 0.005) return `${words}: every arrow is at a right angle to g.`;
    return `${words}, at an angle of ${fixed(angleBetween(step, g), 0)}° to g. It changes Q by about `
      + `${fixed(rate)} times the squared length of Jᵀg: ${product([rate, squares])}.`;
  }

  function drawPlane(step) {
    const unit = plane.X(1) - plane.X(0);
    for (const radius of [1, 2, 3, 4, 5, 6]) {
      plane.mark(`level${radius}`, "circle", { cx: plane.X(favorite[0]), cy: plane.Y(favorite[1]), r: radius * unit,
        fill: "none", stroke: COLORS.critic, opacity: 0.35 });
    }
    const taken = []; // places of the names
    columns.forEach((column, k) => {
      arrow(`u${k}`, NAMES[k], column, { color: COLORS.actor, width: k === turned ? 3.5 : 2 }, taken);
    });
    arrow("g", "g", g, { color: COLORS.critic, width: 3 }, taken);
    plane.arrow("move", a, plus(a, step), { color: COLORS.composite, width: 5 });
    plane.dot("action", ...a, { radius: 4 });
    plane.text("favorite", favorite[0], favorite[1] - 0.25, "★").style.fontSize = "18px"; // above the dot
    plane.say("g (blue), the columns of J (orange), the move (green), and the favorite (★)");
  }

  /** An arrow from the action, with its name beyond the tip, and beside other names. */
  function arrow(name, label, vector, options, taken) {
    plane.arrow(name, a, plus(a, vector), options);
    let place = plus(a, vector, 1 + 0.35 / Math.max(Math.hypot(...vector), 0.5));
    while (taken.some((other) => Math.hypot(...plus(other, place, -1)) < 0.55)) place = plus(place, [0.6, 0]);
    taken.push(place);
    plane.text(`${name}-name`, place[0], place[1] - 0.15, label);
  }
  reset();
}
