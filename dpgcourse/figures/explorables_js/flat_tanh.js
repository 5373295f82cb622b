// Chapter 4: a saturated actor, under three gradients. The slope that arrives at z dies and revives.
import { Chart } from "./chart.js";
import { begin, button, choice, COLORS, loop, panel, reading, slider, stillness } from "./kit.js";
import { clamp, factor, fixed, product } from "./numbers.js";

const Z = [-5, 5], PLAYED = 100; // steps that one press of the button plays
const FIRST_SPAN = [0, 220]; // of the axis of steps; it doubles when it is full
const CLOSE = 0.1; // the action has arrived when it is as close to its favorite
const NAMES = { none: "tanh alone", penalty: "penalty on z", inverting: "inverting gradients" };
const DASHES = { none: "none", penalty: "7 5", inverting: "2 4" }; // lines may lie on each other
const HUES = { none: COLORS.extra, penalty: COLORS.critic, inverting: COLORS.composite };

/** The action before the environment clips it; inverting gradients leave out the tanh. */
export function actionAt(z, remedy, { low, high }) {
  return (high + low) / 2 + (high - low) / 2 * (remedy === "inverting" ? z : Math.tanh(z));
}

/** The critic's slope at an action: of -(a - favorite)², or the same everywhere if it is wrong. */
export const wishAt = (a, critic, { favorite, wrong }) => (critic === "wrong" ? wrong : -2 * (a - favorite));

/** What the slope in z is made of: g, the factor it is multiplied by, and what is added. */
export function slopeParts(z, remedy, critic, params) {
  const { low, high, penalty } = params, half = (high - low) / 2;
  const a = actionAt(z, remedy, params), g = wishAt(a, critic, params);
  if (remedy === "inverting") {
    return { g, factor: half * (g > 0 ? high - a : a - low) / (2 * half), added: 0 };
  }
  return { g, factor: half * (1 - Math.tanh(z) ** 2), added: remedy === "penalty" ? -2 * penalty * z : 0 };
}

/** The slope in z that is climbed. */
export function slopeAt(z, remedy, critic, params) {
  const { g, factor, added } = slopeParts(z, remedy, critic, params);
  return g * factor + added;
}

/** z after one step of plain ascent. */
export const stepFrom = (z, remedy, critic, params) => z + params.rate * slopeAt(z, remedy, critic, params);

/** The slope in z as a sum of products that holds as it is shown. */
export function slopeInWords(z, remedy, critic, params) {
  const { g, factor } = slopeParts(z, remedy, critic, params), half = (params.high - params.low) / 2;
  const shown = (x, digits) => Number(x.toFixed(digits));
  if (remedy === "inverting") return `g × H × share = ${product([g, half, factor / half])}`;
  const arrives = shown(g, 2) * shown(factor, 4), chain = `${fixed(g)} × ${fixed(factor, 4)}`;
  if (remedy === "none") return `g × ∂a/∂z = ${chain} = ${fixed(arrives, 4)}`;
  const pull = shown(2 * params.penalty, 2) * shown(z, 2), sign = z < 0 ? "+" : "−";
  return `g × ∂a/∂z − 2λz = ${chain} ${sign} ${product([2 * params.penalty, Math.abs(z)]).split(" =")[0]}`
    + ` = ${fixed(arrives - pull, 4)}`;
}

/** The letters of that formula in words. */
export function lettersInWords(remedy, { low, high, penalty }) {
  const half = `H = ${fixed((high - low) / 2)} is half the width of the box`, slope = "g is the critic's slope at a";
  if (remedy === "inverting") return `${slope}, ${half}, and the share is what is left of the box on the side of the push`;
  return `${slope}${remedy === "penalty" ? `, and λ = ${fixed(penalty)} the weight of the penalty λz²` : ""}`;
}

export function mount(root, params) {
  const { low, high, favorite } = params, remedies = Object.keys(NAMES);
  let critic = "wrong", remedy = "none", steps, z, paths, handover, back, remaining = 0;

  const { side, charts } = begin(root, "Let the wrong critic push for 100 steps, then choose the right critic, and count "
    + "the steps back to the favorite. Which gradients need more if the wrong critic pushes for 300? "
    + "All three run at once, by plain ascent; “show” chooses which of them the formula and two charts show.");
  const controls = panel(side), text = reading(side);
  const axis = [low - 0.8, high + 1.2];
  const squash = new Chart(charts, { x: Z, y: axis, xLabel: "z", yLabel: "a" });
  const slopes = new Chart(charts, { x: Z, y: [-13, 17], xLabel: "z" });
  const time = new Chart(charts, { x: FIRST_SPAN, y: axis, xLabel: "step", yLabel: "a" });
  for (const chart of [squash, slopes]) chart.drag((x) => restart(x));
  slopes.say("slope that arrives at z, over z");
  time.say("the action: tanh alone (pink), penalty (blue), inverting gradients (green)");
  slopes.curve("zero", [[-6, 0], [6, 0]], { width: 1 });
  for (const bound of [low, high]) squash.curve(`bound${bound}`, [[-6, bound], [6, bound]], { width: 1, dash: "2 3" });

  const who = choice(controls, { label: "critic", value: critic, onChange: ask, options: {
    wrong: `wrong: slope ${fixed(params.wrong, 0)} everywhere`, right: `right: favorite ${fixed(favorite, 0)}` } });
  choice(controls, { label: "show", value: remedy, options: NAMES, onChange: (x) => { remedy = x; drawCurves(); } });
  const control = slider(controls, { label: "z", min: Z[0], max: Z[1], step: 0.01, value: 0, onInput: restart });
  button(controls, "One step", () => { pause(); step(); draw(); });
  const play = button(controls, `Play ${PLAYED} steps`, () => (motion.running ? pause() : start()));
  button(controls, "Start again", () => { ask("wrong"); restart(0); });
  const motion = loop(root, () => {
    step();
    if (--remaining === 0) pause();
    draw();
  });

  function start() {
    remaining = PLAYED;
    if (stillness()) {
      while (remaining-- > 0) step();
      draw();
    } else {
      motion.start();
      play.textContent = "Pause";
    }
  }

  function pause() {
    motion.stop();
    play.textContent = `Play ${PLAYED} steps`;
  }

  const executed = (which) => clamp(actionAt(z[which], which, params), [low, high]);

  /** All three gradients start at the same z. */
  function restart(value) {
    pause();
    [steps, handover, back] = [0, 0, {}];
    z = Object.fromEntries(remedies.map((name) => [name, value]));
    paths = Object.fromEntries(remedies.map((name) => [name, [[0, executed(name)]]]));
    time.range(FIRST_SPAN, axis);
    drawCurves();
  }

  function ask(value) {
    [critic, handover, back] = [value, steps, {}];
    who.value = value;
    drawCurves();
  }

  function step() {
    if (++steps > time.x[1]) time.range([0, 2 * time.x[1]], axis);
    for (const name of remedies) {
      z[name] = stepFrom(z[name], name, critic, params);
      paths[name].push([steps, executed(name)]);
      if (Math.abs(executed(name) - favorite) < CLOSE) back[name] ??= steps - handover;
    }
  }

  function drawCurves() {
    const linear = remedy === "inverting", color = HUES[remedy];
    squash.graph("actor", (x) => clamp(actionAt(x, remedy, params), [low, high]), { color });
    if (linear) squash.graph("beyond", (x) => actionAt(x, remedy, params), { color, width: 1.2, dash: "4 3" });
    else squash.hide("beyond");
    slopes.graph("slope", (x) => slopeAt(x, remedy, critic, params), { color });
    const box = `center c = ${fixed((high + low) / 2)}, half-width H = ${fixed((high - low) / 2)}`;
    squash.say(`${linear ? "a = c + Hz, then clipped" : "a = c + H tanh z"}; ${box}`);
    draw();
  }

  function draw() {
    const now = z[remedy];
    control.value = now;
    squash.dot("point", now, executed(remedy), { color: HUES[remedy] });
    slopes.dot("point", now, clamp(slopeAt(now, remedy, critic, params), slopes.y), { color: HUES[remedy] });
    for (const name of remedies) {
      const chosen = name === remedy;
      time.curve(name, paths[name], { color: HUES[name], width: chosen ? 3.5 : 1.5,
        dash: chosen ? "none" : DASHES[name] });
    }
    time.curve("handover", [[handover, -99], [handover, 99]], { width: 1, dash: "4 3" });
    text.textContent = `z = ${fixed(now)}: ${slopeInWords(now, remedy, critic, params)}; ${lettersInWords(remedy, params)}. `
      + `A step adds ${fixed(params.rate)} times this to z.${critic === "right" ? arrivals() : ""}`;
  }

  function arrivals() {
    const words = remedies.map((name) => `${NAMES[name]} ${back[name] ?? "not yet"}`);
    return ` Steps of the right critic until a is within ${fixed(CLOSE, 1)} of ${fixed(favorite, 0)}: ${words.join(", ")}.`;
  }
  restart(0);
}
