// Numbers as explorables show them, and the numbers beside an axis. No page is needed.
/** A number with a fixed count of digits and a real minus; never "−0.00", "NaN" or "Infinity". */
export function fixed(value, digits = 2) {
  if (!Number.isFinite(value)) return "–";
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

/** The same inside a formula: a negative number stands in brackets. */
export function factor(value, digits = 2) {
  const text = fixed(value, digits);
  return text.startsWith("−") ? `(${text})` : text;
}

/** "2.00 × (−3.00) = −6.00": the product of the numbers as they are shown. */
export function product(factors, digits = 2) {
  const value = factors.reduce((result, x) => result * Number(x.toFixed(digits)), 1);
  const [first, ...others] = factors;
  return `${[fixed(first, digits), ...others.map((x) => factor(x, digits))].join(" × ")} = ${fixed(value, digits)}`;
}

/** At most `count` + 1 round numbers between low and high. */
export function ticks(low, high, count = 5) {
  const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((x) => x * power >= raw);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)));
}

/** Digits that count, and a real minus. */
export const rounded = (value, digits = 3) => String(Number(value.toPrecision(digits))).replace("-", "−");

/** "12,000" */
export const grouped = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, ",");

/** "1 step", "1,200 steps" */
export const counted = (count, name) => `${grouped(count)} ${name}${count === 1 ? "" : "s"}`;

export const clamp = (value, [low, high]) => Math.min(Math.max(value, low), high);
