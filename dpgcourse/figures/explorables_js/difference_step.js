// Appendix 2: the step of a difference quotient. Truncation against rounding, in two precisions.
import { Chart } from "./chart.js";
import { begin, choice, COLORS, element, panel, reading, slider } from "./kit.js";
import { clamp, fixed } from "./numbers.js";

const PRECISIONS = {
  float64: { round: (x) => x, epsilon: 2 ** -52 },
  float32: { round: Math.fround, epsilon: 2 ** -23 },
};
const SHORTEST = -16, LONGEST = 0; // steps that can be chosen, as powers of ten
const LOWEST = 1e-17; // of the errors that are drawn
const GRID = 20; // points of the curve in one power of ten

/** ℓ(u) = -(tanh(us) - ws)² and its first three derivatives. */
export function derivatives({ s, u, w }) {
  const t = Math.tanh(u * s), off = t - w * s;
  const t1 = s * (1 - t * t), t2 = -2 * s * t * t1, t3 = -2 * s * (t1 * t1 + t * t2);
  return [-off * off, -2 * off * t1, -2 * (t1 * t1 + off * t2), -2 * (3 * t1 * t2 + off * t3)];
}

/** ℓ(u), every operation rounded to the precision. */
export function roundedValue(u, { s, w }, precision) {
  const { round } = PRECISIONS[precision];
  const off = round(round(Math.tanh(round(round(u) * s))) - round(w * s));
  return round(-off * off);
}

/** The imaginary part of ℓ(u + ih), every operation rounded. No two close values are subtracted. */
function imaginaryPart(h, { s, u, w }, round) {
  const x = round(2 * round(u * s)), y = round(2 * round(h * s));
  const below = round(round(Math.cosh(x)) + round(Math.cos(y)));
  const re = round(round(Math.sinh(x)) / below), im = round(round(Math.sin(y)) / below);
  return round(round(-2 * round(re - round(w * s))) * im);
}

/** The difference quotient as a computer finds it. */
export function quotient(method, precision, h, params) {
  const { round } = PRECISIONS[precision], { u } = params, step = round(h);
  if (method === "complex") return round(imaginaryPart(step, params, round) / step);
  const value = (v) => roundedValue(v, params, precision);
  return method === "forward"
    ? round(round(value(u + step) - value(u)) / step)
    : round(round(value(u + step) - value(u - step)) / round(2 * step));
}

/**
 * The same quotient as if arithmetic were exact; it is right to 15 digits. The identity
 * tanh(x + d) - tanh(x) = sinh d / (cosh(x + d) cosh x) subtracts no two close values.
 */
export function exactQuotient(method, h, params) {
  const { s, u, w } = params, off = Math.tanh(u * s) - w * s;
  if (method === "complex") return imaginaryPart(h, params, PRECISIONS.float64.round) / h;
  const rise = (d) => {
    const da = Math.sinh(s * d) / (Math.cosh(s * (u + d)) * Math.cosh(s * u));
    return -da * (da + 2 * off);
  };
  return method === "forward" ? rise(h) / h : (rise(h) - rise(-h)) / (2 * h);
}

/** The sizes of both parts of the relative error, by the appendix's model. */
export function modelErrors(method, precision, h, params) {
  const [value, d1, d2, d3] = derivatives(params).map(Math.abs), { epsilon } = PRECISIONS[precision];
  const truncation = (method === "forward" ? d2 / 2 * h : d3 / 6 * h * h) / d1;
  const rounding = { forward: 2 * epsilon * value / h / d1, central: epsilon * value / h / d1, complex: epsilon };
  return { truncation, rounding: rounding[method] };
}

/** The longest step, as a power of ten, at which both sizes together are within 1% of their least. */
export function bestPower(method, precision, params) {
  const powers = Array.from({ length: (LONGEST - SHORTEST) * GRID + 1 }, (_, i) => LONGEST - i / GRID);
  const totals = powers.map((x) => {
    const { truncation, rounding } = modelErrors(method, precision, 10 ** x, params);
    return truncation + rounding;
  });
  const least = Math.min(...totals);
  return powers[totals.findIndex((x) => x <= 1.01 * least)];
}

/** Truncation and rounding; the first 15 digits say nothing about a smaller truncation. */
export function errorParts(error, truncation) {
  const known = Math.abs(truncation) < 1e-15 ? 0 : truncation;
  return [known, error - known];
}

/** How many digits of a result with this relative error are right, at most 15. */
export const rightDigits = (error) => clamp(Math.floor(-Math.log10(Math.abs(error))), [0, 15]);

const raised = (k) => `10${[...String(k)].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("")}`;

/** A positive number with two digits, "3.2 × 10⁻⁶". */
function scientific(x) {
  const [digits, power] = x.toExponential(1).split("e");
  return `${digits} × ${raised(Number(power))}`;
}

/** "(1.20 − 0.30) × 10⁻⁹ = 0.90 × 10⁻⁹": it adds up as it is shown. */
export function sumInWords(first, second) {
  const largest = Math.max(Math.abs(first), Math.abs(second), LOWEST);
  const power = Number(largest.toExponential(2).split("e")[1]); // of the rounded number
  const [a, b] = [first, second].map((x) => Math.round(x / 10 ** power * 100) / 100);
  const unit = power === 0 ? "" : ` × ${raised(power)}`;
  return `(${fixed(a)} ${b < 0 ? "−" : "+"} ${fixed(Math.abs(b))})${unit} = ${fixed(a + b)}${unit}`;
}

/** A table of three numbers. Returns a function that writes them and underlines their wrong digits. */
function digitTable(root, names) {
  const line = (color) => (color ? `text-decoration: underline 3px ${color}; text-underline-offset: 3px` : "");
  const cells = names.map(() => element("td", { style: "font-family: ui-monospace, monospace" }));
  const rows = names.map(([name, color], i) => element("tr", {},
    element("th", { scope: "row" }, element("span", { style: line(color) }, name)), cells[i]));
  root.append(element("table", {}, element("tbody", {}, ...rows)));
  return (numbers) => numbers.forEach(([value, right], i) => {
    const digits = fixed(value, 14), split = right && right + digits.search(/[.]/);
    cells[i].replaceChildren(digits.slice(0, split),
      element("span", { style: line(names[i][1]) }, digits.slice(split)));
  });
}

export function mount(root, params) {
  const { u } = params, slope = derivatives(params)[1];
  const TRUNCATION = COLORS.critic, ROUNDING = COLORS.extra;
  let power = -0.5, method = "central", precision = "float64";

  const { side, charts } = begin(root, "Look for the step that leaves the most right digits: first with float64, "
    + "then with float32. Why does a very short step make the slope worse? Look at the stairs of the computed curve.");
  const controls = panel(side), text = reading(side);
  const errors = new Chart(charts, { x: [SHORTEST, LONGEST], y: [-17, 1], xLabel: "step h", tick: raised });
  const lens = new Chart(charts, { x: [-1.6, 1.6], y: [-2, 2], xLabel: "distance from u, in steps h" });
  errors.drag((x) => set(x));
  lens.curve("secant", [], {}); // below the computed curve
  lens.curve("tangent", [[-2, -2], [2, 2]], { width: 1.2, dash: "4 3" });

  const control = slider(controls, { label: "step\u00a0h", min: SHORTEST, max: LONGEST, step: 1 / GRID,
    value: power, show: (x) => scientific(10 ** x), onInput: set });
  choice(controls, { label: "method", value: method, onChange: (x) => { method = x; drawCurves(); },
    options: { forward: "forward difference", central: "central difference", complex: "complex step" } });
  choice(controls, { label: "precision", value: precision, onChange: (x) => { precision = x; drawCurves(); },
    options: { float64: "float64", float32: "float32" } });
  const writeDigits = digitTable(side, [["true slope"], ["exact quotient", TRUNCATION], ["computed", ROUNDING]]);

  function set(value) {
    power = Math.round(clamp(value, [SHORTEST, LONGEST]) * GRID) / GRID;
    control.value = power;
    drawStep();
  }

  /** Relative error of the quotient, and its place on the logarithmic axis. */
  const errorAt = (h) => quotient(method, precision, h, params) / slope - 1;
  const height = (error) => Math.log10(Math.max(Math.abs(error), LOWEST));

  function drawCurves() {
    const powers = Array.from({ length: (LONGEST - SHORTEST) * GRID + 1 }, (_, i) => SHORTEST + i / GRID);
    errors.curve("measured", powers.map((x) => [x, height(errorAt(10 ** x))]), { width: 1.4 });
    for (const [part, color] of [["truncation", TRUNCATION], ["rounding", ROUNDING]]) {
      errors.graph(part, (x) => Math.log10(modelErrors(method, precision, 10 ** x, params)[part]), { color, dash: "6 3" }, 40);
    }
    drawStep();
  }

  function drawStep() {
    const h = 10 ** power, computed = quotient(method, precision, h, params);
    const truncated = exactQuotient(method, h, params), error = errorAt(h);
    const [truncation, rounding] = errorParts(error, truncated / slope - 1);
    errors.curve("step", [[power, -20], [power, 2]], { width: 1, opacity: 0.5 });
    errors.dot("point", power, height(error));
    errors.say(`relative error, now ${scientific(Math.max(Math.abs(error), LOWEST))}, and its two parts (dashed)`);
    drawLens(h);
    writeDigits([[slope, 15], [truncated, rightDigits(truncation)], [computed, rightDigits(error)]]);
    const right = rightDigits(error);
    text.textContent = `Truncation + rounding = ${sumInWords(truncation, rounding)} of the slope: `
      + `${right} ${right === 1 ? "digit is" : "digits are"} right. `
      + verdict(computed);
  }

  /** What to try next, by the model of both errors: one computed error may be small by luck. */
  function verdict(computed) {
    if (computed === 0) return "The step is lost: u + h is rounded to u itself.";
    const best = bestPower(method, precision, params), near = "No other step does clearly better: this is the best step.";
    if (method === "complex") {
      return power <= best ? "Nothing is subtracted, so a shorter step does no harm: this is as good as any."
        : "Truncation is what is left: try a shorter step.";
    }
    if (Math.abs(power - best) <= 0.25) return near;
    return power > best ? "Truncation outweighs rounding: try a shorter step." : "Rounding outweighs truncation: try a longer step.";
  }

  /** The curve around u as the computer has it; a slope of ℓ'(u) is drawn as 1. */
  function drawLens(h) {
    const rise = (x) => (roundedValue(u + x * h, params, precision) - roundedValue(u, params, precision)) / (slope * h);
    const [left, right] = [method === "forward" ? 0 : -1, 1], steep = (rise(right) - rise(left)) / (right - left);
    for (const name of ["secant", "left", "right"]) lens.hide(name);
    if (method !== "complex") {
      lens.curve("secant", [-2, 2].map((x) => [x, rise(left) + steep * (x - left)]), { color: COLORS.actor });
      lens.dot("left", left, rise(left), { color: COLORS.actor });
      lens.dot("right", right, rise(right), { color: COLORS.actor });
    }
    lens.graph("curve", rise, { color: COLORS.composite, width: 3 }, 400); // its stairs over the line
    lens.say(method === "complex" ? `the computed curve ${rise(1) === 0 ? "(flat: u + h is u, but ih stays) " : ""}`
      + "at this step, and its true slope (dashed)"
      : "the computed curve, its true slope (dashed), and the quotient's line");
  }
  drawCurves();
}
