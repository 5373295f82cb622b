// Chapter 3: Jᵀg pulls the critic's wish back to three parameters, and J Jᵀg moves the action.
import { begin, button, Chart, choice, clamp, COLORS, fixed, panel, product, reading, row, slider } from "./kit.js";

const X = [-3.8, 5.9], Y = [-2.9, 7.07], HEIGHT = 260; // one unit is equally long on both axes
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

/** "2.00 × 4.00 + 0.00 × (−2.00) = 8.00" */
export function innerInWords(x, y) {
  const factor = (v) => (v < 0 ? `(${fixed(v)})` : fixed(v));
  return `${factor(x[0])} × ${factor(y[0])} + ${factor(x[1])} × ${factor(y[1])} = ${fixed(inner(x, y))}`;
}

export function mount(root, { J, a: start, favorite: firstFavorite, rate }) {
  const firstColumns = NAMES.map((_, k) => [J[0][k], J[1][k]]);
  let a, favorite, g, columns, turned, held = null;

  const charts = row(begin(root, "Turn the arrows of the parameters, or drag the tip of g. Green is the move of the "
    + "action in one step. Can you make it lead away from the favorite? Can you make it vanish?"));
  const plane = new Chart(charts, { x: X, y: Y, xLabel: "action a₁", yLabel: "a₂", height: HEIGHT });
  const bars = new Chart(charts, { x: [0.4, 3.6], y: [-16, 16], xLabel: "parameter", height: HEIGHT });
  bars.curve("zero", [[0, 0], [4, 0]], { width: 1 });

  const controls = panel(root);
  const which = choice(controls, { label: "turn the arrow of", value: "1", options: { ...NAMES },
    onChange: (k) => { turned = Number(k); draw(); } });
  const turn = slider(controls, { label: "direction", min: -180, max: 180, step: 1, value: 0,
    show: (x) => `${fixed(x, 0)}°`, onInput: (x) => turnTo(turned, x) });
  const entries = ["g₁", "g₂"].map((label, j) => slider(controls, { label, min: -4.5, max: 4.5, step: 0.1, value: 0,
    onInput: (x) => wish(g.map((old, i) => (i === j ? x : old))) }));
  button(controls, "Take the step", () => goTo(plus(a, move())));
  button(controls, "Start again", reset);
  const text = reading(root);

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
    g = wanted.map(round2);
    favorite = plus(a, g, 0.5);
    draw();
  }

  function goTo(action) {
    a = action.map(round2);
    g = plus(favorite, a, -1).map((x) => round2(2 * x));
    draw();
  }

  function turnTo(k, degrees) {
    columns[k] = vectorAt(Math.hypot(...firstColumns[k]), degrees);
    turned = k;
    draw();
  }

  function reset() {
    columns = [...firstColumns];
    favorite = firstFavorite;
    turned = 1;
    goTo(start);
  }

  function draw() {
    const slopes = pullBack(columns, g), step = move();
    which.value = turned;
    turn.value = directionOf(columns[turned]);
    entries.forEach((entry, j) => { entry.value = g[j]; });
    drawPlane(step);
    slopes.forEach((slope, k) => {
      bars.curve(`bar${k}`, [[k + 1, 0], [k + 1, slope]], { color: COLORS.composite, width: 26, opacity: k === turned ? 1 : 0.55 });
      bars.text(`value${k}`, k + 1, slope + (slope < 0 ? -2.2 : 1), fixed(slope));
    });
    bars.say("Jᵀg: one slope for each parameter");
    text.textContent = `${NAMES[turned]}: its column of J times g is ${innerInWords(columns[turned], g)}. ${outcome(slopes, step)}`;
  }

  function outcome(slopes, step) {
    if (Math.hypot(...g) < 0.1) return "The critic wishes for nothing: the action has arrived.";
    const squares = round2(slopes.reduce((sum, x) => sum + x * x, 0));
    const words = `The step moves the action by (${step.map((x) => fixed(x)).join(", ")})`;
    if (Math.max(...slopes.map(Math.abs)) < 0.1) return `${words}: every arrow is at a right angle to g.`;
    return `${words}, at an angle of ${fixed(angleBetween(step, g), 0)}° to g. It changes Q by about `
      + `${fixed(rate)} times the squared length of Jᵀg: ${product([rate, squares])}.`;
  }

  function drawPlane(step) {
    const unit = plane.X(1) - plane.X(0);
    for (const radius of [1, 2, 3, 4, 5, 6]) {
      plane.mark(`level${radius}`, "circle", { cx: plane.X(favorite[0]), cy: plane.Y(favorite[1]), r: radius * unit,
        fill: "none", stroke: COLORS.critic, opacity: 0.35 });
    }
    plane.text("favorite", favorite[0], favorite[1] - 0.25, "★").style.fontSize = "18px";
    columns.forEach((column, k) => {
      arrow(`u${k}`, NAMES[k], column, { color: COLORS.actor, width: k === turned ? 3.5 : 2 });
    });
    const shadow = plus(a, g, inner(columns[turned], g) / inner(g, g)); // of the column on the line of g
    plane.curve("shadow", [plus(a, columns[turned]), shadow], { width: 1.2, dash: "3 3" });
    arrow("g", "g", g, { color: COLORS.critic, width: 3 });
    plane.arrow("move", a, plus(a, step), { color: COLORS.composite, width: 5 });
    plane.dot("action", ...a, { radius: 4 });
    plane.say("g (blue), the columns of J (orange), the move (green), and the favorite (★)");
  }

  /** An arrow from the action, with its name beyond the tip. */
  function arrow(name, label, vector, options) {
    plane.arrow(name, a, plus(a, vector), options);
    const [x, y] = plus(a, vector, 1 + 0.35 / Math.max(Math.hypot(...vector), 0.5));
    plane.text(`${name}-name`, x, y - 0.15, label);
  }
  reset();
}
