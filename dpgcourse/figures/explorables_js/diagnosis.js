// Chapter 13: a patient, instruments, and a name for the mistake. All curves are of recorded runs.
import { Chart } from "./chart.js";
import { begin, button, choice, COLORS, element, panel, reading } from "./kit.js";
import { counted, rounded } from "./numbers.js";

export const LOGGED = {
  value_gap: "what the critic believes minus what is true",
  uphill: "what the actor's moves gained, as the critic sees it",
  explained: "spread of the values over their errors, on a logarithmic axis",
  lag: "distance of the target over the critic's motion",
  saturation: "share of actions at the bounds",
  action_gradient_norm: "mean length of ∇ₐQ",
  execution_error: "distance of what is executed from μ(s)",
  terminal_fraction: "share of transitions stored as ends",
};
export const PROBES = { // and the right answers
  constant_reward_value: 10, random_sign_value: 2, slope_error: 0, slope_error_slow_targets: 0, noise_correlation: 0,
};
const WELL = "ddpg", WELL_NAME = "no mistake", SHARE = "uphill"; // this rule counts how often the curve is above 0
const LOGARITHMIC = "explained";
const LEAST_SPAN = 0.1; // of a vertical axis: a line of zeros needs room, too

const symptomShows = (rule, evidence) =>
  rule.below ? evidence[rule.quantity] < rule.limit : evidence[rule.quantity] > rule.limit;

/** The first rule that speaks for a patient, or undefined. */
export const tellingRule = (patient, rules) => rules.find((rule) => symptomShows(rule, patient.evidence));

/** Where the alarm of an instrument begins, in words. */
export function alarm(name, rules) {
  const rule = rules.find(({ quantity }) => quantity === name);
  return rule ? `alarm ${rule.below ? "below" : "above"} ${rounded(rule.limit)}` : "no alarm of its own";
}

/** What an instrument says at the end of training. */
export const readingOf = (name, { evidence }) =>
  name === SHARE ? `above 0 in a share of ${rounded(evidence[name])}` : rounded(evidence[name]);

/**
 * Whether a guess is right, and why. Of an instrument that the reader has not asked for, nothing is
 * said before the guess is right.
 */
export function judge(patient, guess, rules, asked) {
  const telling = tellingRule(patient, rules), named = rules.find((rule) => rule.bug === guess);
  const sight = (rule) => `${rule.quantity}: ${readingOf(rule.quantity, patient)} (${alarm(rule.quantity, rules)})`;
  if (guess === patient.bug) {
    return { right: true, why: telling ? `${sight(telling)}, so ${telling.symptom}.` : "No instrument sounds an alarm." };
  }
  if (!named) return { right: false, why: "There is a mistake, and an instrument sounds an alarm." };
  if (!asked.includes(named.quantity)) return { right: false, why: `The instrument for ${guess} is ${named.quantity}.` };
  return { right: false, why: symptomShows(named, patient.evidence)
    ? `The symptom of ${guess} is here, ${sight(named)}. But another mistake has it too, with a clearer one beside it.`
    : `With ${guess} there would be an alarm. But ${sight(named)}.` };
}

export function mount(root, { steps, bands, patients, rules, mistakes }) {
  const names = patients.map((_, i) => `patient ${"ABCDEFGHIJKL"[i]}`), results = patients.map(() => null);
  let now = 0, asked = [], guesses = 0;
  const { side, charts } = begin(root, "Each patient has one of the ten mistakes, or none. Ask for instruments, then name the "
    + "mistake. How few looks do you need? Every instrument is one look, and so is every diagnosis. "
    + "Pink is the patient, green the range of ten healthy seeds; the names are those of the chapter's table of rules.");
  charts.classList.add("cards");
  const top = panel(side), logged = panel(side), probes = panel(side), bottom = panel(side);
  const who = choice(top, { label: "in front of you:", options: Object.fromEntries(names.map((x, i) => [i, x])),
    value: 0, onChange: (i) => meet(Number(i)) });
  button(top, "Next patient", () => meet((now + 1) % patients.length));
  logged.append(element("span", {}, "Logged in training:"));
  probes.append(element("span", {}, "Probes:"));
  const buttons = {};
  for (const name of Object.keys(LOGGED)) buttons[name] = button(logged, name, () => ask(name));
  for (const name of Object.keys(PROBES)) buttons[name] = button(probes, name, () => ask(name));
  const options = { "": "choose", [WELL]: WELL_NAME, ...Object.fromEntries(Object.keys(mistakes).map((x) => [x, x])) };
  const guess = choice(bottom, { label: "your diagnosis:", options, value: "", onChange: () => say("") });
  const check = button(bottom, "Check", answer), give = button(bottom, "Show the answer", reveal);
  const text = reading(side), table = element("tbody");
  side.append(element("table", {}, table));

  function meet(i) {
    [now, asked, guesses] = [i, [], 0];
    who.value = i;
    guess.value = "";
    for (const figure of charts.querySelectorAll("figure")) figure.remove();
    table.replaceChildren();
    for (const node of [...Object.values(buttons), check, give]) node.disabled = false;
    logCard("return", "mean of ten episodes");
    say("");
  }

  function ask(name) {
    asked.push(name);
    show(name);
    say("");
  }

  function show(name) {
    buttons[name].disabled = true;
    if (name in LOGGED) logCard(name, LOGGED[name]);
    else probeLine(name);
  }

  function logCard(name, what) {
    const height = name === LOGARITHMIC ? (y) => Math.log10(y ?? NaN) : (y) => y ?? NaN;
    const curve = patients[now].curves[name].map(height), [low, high] = bands[name].map((x) => x.map(height));
    const all = [...curve, ...low, ...high].filter(Number.isFinite), [least, most] = [Math.min(...all), Math.max(...all)];
    const room = Math.max(0.12 * (most - least), (LEAST_SPAN - most + least) / 2), last = steps.at(-1);
    const tick = name === LOGARITHMIC ? (y) => rounded(10 ** y, 2) : undefined;
    const chart = new Chart(charts, { x: [0, last * 1.04], y: [least - room, most + room], xLabel: "steps", height: 150,
      tick, xTick: (x) => rounded(x, 6) });
    const points = [...steps.map((x, i) => [x, low[i]]), ...steps.map((x, i) => [x, high[i]]).reverse()];
    chart.mark("healthy", "polygon", { fill: COLORS.composite, stroke: COLORS.composite, opacity: 0.4,
      points: points.filter(([, y]) => Number.isFinite(y)).map(([x, y]) => `${chart.X(x)},${chart.Y(y)}`).join(" ") });
    chart.curve("zero", [[0, 0], [last * 1.04, 0]], { width: 1, dash: "3 3", opacity: name === LOGARITHMIC ? 0 : 0.5 });
    chart.curve("patient", steps.map((x, i) => [x, curve[i]]), { color: COLORS.extra, width: 2.5 });
    const end = name === SHARE ? readingOf(name, patients[now]) : `at the end ${readingOf(name, patients[now])}`;
    chart.say(`${name}, ${what}: ${end}${name === "return" ? "" : `; ${alarm(name, rules)}`}`);
  }

  function probeLine(name) {
    const words = `${readingOf(name, patients[now])}; right would be ${PROBES[name]}; ${alarm(name, rules)}`;
    table.append(element("tr", {}, element("th", { scope: "row" }, name), element("td", {}, words)));
  }

  function answer() {
    if (!guess.value) return say("Choose a diagnosis first. ");
    if (!asked.length) return say("Look at one instrument, at least, before you name anything. ");
    guesses += 1;
    const { right, why } = judge(patients[now], guess.value, rules, asked);
    if (!right) return say(`No. ${why} `);
    results[now] ??= { looks: asked.length + guesses };
    close();
    say(`Right. ${why} `);
  }

  function reveal() {
    const { bug } = patients[now], { why } = judge(patients[now], bug, rules, asked);
    results[now] ??= { given: true };
    close();
    say(`It is ${options[bug]}. ${why} `);
  }

  /** End with this patient; the instrument that tells is shown, if it was not asked for. */
  function close() {
    who.options[now].textContent = `${names[now]} ${results[now].given ? "(shown)" : "✓"}`;
    const rule = tellingRule(patients[now], rules);
    if (rule && !buttons[rule.quantity].disabled) show(rule.quantity);
    for (const node of [...Object.values(buttons), check, give]) node.disabled = true;
  }

  function say(verdict) {
    const solved = results.filter((x) => x && !x.given), used = solved.reduce((sum, x) => sum + x.looks, 0);
    const one = guess.value in mistakes && !verdict ? `${guess.value}: ${mistakes[guess.value].split("\n")[0]} ` : "";
    text.textContent = `${verdict}${one}Here: ${counted(asked.length, "instrument")} and `
      + `${guesses} ${guesses === 1 ? "diagnosis" : "diagnoses"}. Named so far: ${solved.length} of ${counted(patients.length, "patient")}, `
      + `with ${counted(used, "look")}.`;
  }
  meet(0);
}
