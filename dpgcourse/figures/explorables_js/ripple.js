// Chapter 5: a critic whose value is nearly right and whose slope is not. A climber is stranded on it.
import { Chart } from "./chart.js";
import { begin, button, COLORS, panel, reading, slider } from "./kit.js";
import { clamp, fixed } from "./numbers.js";

const ACTIONS = [-2, 1], NEAR = 0.12; // the actions shown; half the width of the magnified piece
const LITTLE = 0.05; // of the true value: a climb that loses less counts as one to the top
const POINTS = 900; // of the curve of slopes: 9 for each ripple at the highest frequency

/** Q^μ(a): a parabola with its top at a = top. */
export const trueValue = (a, { top, best, bend }) => best + bend / 2 * (a - top) ** 2;
export const trueSlope = (a, { top, bend }) => bend * (a - top);

/** The critic's value and slope: its error is delta · sin(omega · a). */
export const learnedValue = (a, { delta, omega }, task) => trueValue(a, task) + delta * Math.sin(omega * a);
export const learnedSlope = (a, { delta, omega }, task) =>
  trueSlope(a, task) + delta * omega * Math.cos(omega * a);

/** Where plain ascent on the critic comes to rest. Its steps are too small to jump over a ripple. */
export function endOfClimb(start, ripple, task) {
  const rate = 0.5 / (Math.abs(task.bend) + ripple.delta * ripple.omega ** 2); // by the sharpest bend
  let a = start;
  for (let i = 0, step = 1; i < 20_000 && Math.abs(step) > 1e-9; i++) {
    step = rate * learnedSlope(a, ripple, task);
    a += step;
  }
  return a;
}

/** The actions at which the ripple's slope can outweigh the true one. */
export function outweighed({ delta, omega }, { top, bend }) {
  const half = delta * omega / Math.abs(bend);
  return [top - half, top + half];
}

export function mount(root, { start: firstStart, delta, omega, ...task }) {
  const first = { delta, omega }, WRONG = COLORS.extra;
  let ripple = first, start = firstStart;

  const { side, charts } = begin(root, "Lower the frequency until the climb loses less than 0.05 of the true value. "
    + "Then halve the error and double the frequency: does the climb get farther? Drag the start, too.");
  const controls = panel(side), text = reading(side);
  const values = new Chart(charts, { x: ACTIONS, y: [-11, 0], xLabel: "action a" });
  const slopes = new Chart(charts, { x: ACTIONS, y: [-18, 18], xLabel: "action a" });
  const lens = new Chart(charts, { x: [-NEAR, NEAR], y: [-0.6, 0.6], xLabel: "a − end" });
  const truth = { color: COLORS.critic, width: 3 };
  values.graph("true", (a) => trueValue(a, task), truth);
  slopes.curve("zero", [[-3, 0], [2, 0]], { width: 1 });

  const show = (x) => fixed(x, 3);
  const height = slider(controls, { label: "error\u00a0δ", min: 0, max: 0.2, step: 0.005, value: delta, show,
    onInput: (x) => { ripple = { ...ripple, delta: x }; draw(); } });
  const frequency = slider(controls, { label: "frequency\u00a0ω", min: 0, max: 200, step: 1, value: omega,
    show: (x) => fixed(x, 0), onInput: (x) => { ripple = { ...ripple, omega: x }; draw(); } });
  const from = slider(controls, { label: "start", min: ACTIONS[0], max: ACTIONS[1], step: 0.01, value: start,
    onInput: startAt });
  button(controls, "Start again", () => {
    ripple = first;
    [height.value, frequency.value] = [delta, omega];
    startAt(firstStart);
  });
  for (const chart of [values, slopes]) chart.drag((x) => startAt(x));

  function startAt(a) {
    start = Math.round(clamp(a, ACTIONS) * 100) / 100;
    from.value = start;
    draw();
  }

  function draw() {
    const end = endOfClimb(start, ripple, task), lost = task.best - trueValue(end, task);
    drawValues(end);
    drawSlopes(end);
    drawLens(end);
    text.textContent = `The value is off by at most δ = ${show(ripple.delta)}, and the slope by at most `
      + `δω = ${show(ripple.delta)} × ${ripple.omega} = ${show(ripple.delta * ripple.omega)}. `
      + `From ${fixed(start)} the climb ends at ${fixed(end)}, the top is at ${fixed(task.top)}. `
      + (lost < LITTLE ? `It is there but for ${show(lost)} of the true value, less than ${fixed(LITTLE)}.`
        : `It is stranded, and loses ${show(lost)} of the true value.`);
  }

  function drawValues(end) {
    const at = (a) => [a, trueValue(a, task)];
    values.graph("learned", (a) => learnedValue(a, ripple, task), { color: WRONG, width: 1 }, 400); // thinner than the line below
    const climb = Array.from({ length: 41 }, (_, i) => at(start + i / 40 * (end - start)));
    values.curve("climb", climb, { color: COLORS.composite, width: 4 });
    values.dot("top", ...at(task.top), { color: COLORS.critic });
    values.dot("start", ...at(start), { color: "#fff" });
    values.dot("end", ...at(end), { color: COLORS.composite });
    values.text("top-name", task.top, task.best + 0.7, "top");
    values.say("value: true (blue), learned (pink), and the climb (green)");
  }

  function drawSlopes(end) {
    const [left, right] = outweighed(ripple, task).map((a) => slopes.X(clamp(a, ACTIONS)));
    slopes.mark("zone", "rect", { x: left, width: right - left, y: 0, height: slopes.height, fill: COLORS.gray,
      opacity: 0.25 });
    slopes.graph("learned", (a) => learnedSlope(a, ripple, task), { color: WRONG, width: 1 }, POINTS);
    slopes.graph("true", (a) => trueSlope(a, task), truth, 1);
    slopes.dot("start", start, trueSlope(start, task), { color: "#fff" });
    slopes.dot("end", end, trueSlope(end, task), { color: COLORS.composite });
    slopes.say("slope: in the gray zone the ripple can outweigh the true slope");
  }

  /** The critic around the end of the climb, as differences from the true value there. */
  function drawLens(end) {
    const at = (f) => (x) => f(end + x) - trueValue(end, task);
    lens.graph("true", at((a) => trueValue(a, task)), truth, 20);
    lens.graph("learned", at((a) => learnedValue(a, ripple, task)), { color: WRONG, width: 1.6 }, 150);
    lens.dot("end", 0, learnedValue(end, ripple, task) - trueValue(end, task), { color: COLORS.composite });
    lens.say("magnified: the value where the climb ends");
  }
  draw();
}
