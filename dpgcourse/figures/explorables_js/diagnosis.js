// Chapter 13: a patient, instruments, and a name for the mistake. All curves are of recorded runs.
import { begin, button, Chart, choice, COLORS, element, panel, reading, row } from "./kit.js";

const LOGGED = {
  value_gap: "what the critic believes minus what is true",
  policy_improvement: "what the actor's moves gained, as the critic sees it",
  explained: "spread of the values over their errors",
  lag: "distance of the target over the critic's motion",
  saturation: "share of actions at the bounds",
  action_gradient_norm: "mean length of ∇ₐQ",
  execution_error: "distance of what is executed from μ(s)",
  terminal_fraction: "share of transitions stored as ends",
};
const PROBES = { // and the right answers
  constant_reward_value: 10, random_sign_value: 2, bandit_slope: 1, bandit_slope_slow_targets: 1, noise_correlation: 0,
};
const WELL = "ddpg", WELL_NAME = "no mistake", SHARE = "policy_improvement"; // of the last, uphill counts the sign

const symptomShows = (rule, evidence) =>
  rule.below ? evidence[rule.quantity] < rule.limit : evidence[rule.quantity] > rule.limit;

/** The first rule that speaks for a patient, or undefined. */
export const tellingRule = (patient, rules) => rules.find((rule) => symptomShows(rule, patient.evidence));

/** The instrument that shows what a rule asks about. */
export const instrumentOf = ({ quantity }) =>
  quantity === "uphill" ? SHARE : quantity.replace("slope_error", "bandit_slope");

/** What a rule sees at the end of training, and where its alarm begins. */
export function sight(rule, evidence) {
  const name = instrumentOf(rule), value = plain(evidence[name === SHARE ? "uphill" : name]);
  const side = rule.below ? `below ${rule.limit}` : `above ${rule.limit}`;
  if (name === SHARE) return `${name} is above 0 in a share of ${value} (alarm: ${side})`;
  const alarm = rule.quantity.startsWith("slope_error") ? `farther than ${rule.limit} from 1` : side;
  return `${name} reads ${value} (alarm: ${alarm})`;
}

/** Whether a guess is right, and why. */
export function judge({ bug, evidence }, guess, rules) {
  const named = rules.find((rule) => rule.bug === guess), telling = tellingRule({ evidence }, rules);
  if (guess === bug) {
    return { right: true, why: telling ? `${sight(telling, evidence)}: ${telling.symptom}.` : "No rule of the chapter fires." };
  }
  if (!named) return { right: false, why: "There is a mistake, and an instrument shows it." };
  return { right: false, why: symptomShows(named, evidence)
    ? `The symptom of ${guess} is here: ${sight(named, evidence)}. But another mistake has it too, with a clearer one beside it.`
    : `With ${guess} there would be an alarm. But ${sight(named, evidence)}.` };
}

/** A number with three digits that count and a real minus. */
const plain = (x) => String(Number(Number(x).toPrecision(3))).replace("-", "−");

export function mount(root, { steps, bands, patients, rules, mistakes }) {
  const names = patients.map((_, i) => `patient ${"ABCDEFGHIJKL"[i]}`), results = patients.map(() => null);
  let now = 0, asked = [], guesses = 0;
  begin(root, "Each patient has one of the ten mistakes, or none. Ask for instruments, then name the mistake. "
    + "How few instruments do you need? Pink is the patient, green the range of ten healthy seeds.");
  const top = panel(root), logged = panel(root), probes = panel(root), charts = row(root), bottom = panel(root);
  const who = choice(top, { label: "in front of you:", options: Object.fromEntries(names.map((x, i) => [i, x])),
    value: 0, onChange: (i) => meet(Number(i)) });
  button(top, "Next patient", () => meet((now + 1) % patients.length));
  logged.append(element("span", {}, "Logged in training:"));
  probes.append(element("span", {}, "Probes:"));
  charts.style.gridTemplateColumns = "repeat(auto-fill, minmax(min(100%, 13rem), 1fr))"; // one alone stays small
  const buttons = {};
  for (const name of Object.keys(LOGGED)) buttons[name] = button(logged, name, () => ask(name));
  for (const name of Object.keys(PROBES)) buttons[name] = button(probes, name, () => ask(name));
  const options = { "": "choose", [WELL]: WELL_NAME, ...Object.fromEntries(Object.keys(mistakes).map((x) => [x, x])) };
  const guess = choice(bottom, { label: "your diagnosis:", options, value: "", onChange: () => say("") });
  const check = button(bottom, "Check", answer), give = button(bottom, "Show the answer", reveal);
  const text = reading(root);

  function meet(i) {
    [now, asked, guesses] = [i, [], 0];
    who.value = i;
    guess.value = "";
    charts.replaceChildren();
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
    else probeCard(name);
  }

  function logCard(name, what) {
    const curve = patients[now].curves[name].map((y) => y ?? NaN), [low, high] = bands[name].map((x) => x.map((y) => y ?? NaN));
    const all = [...curve, ...low, ...high].filter(Number.isFinite), [least, most] = [Math.min(...all), Math.max(...all)];
    const room = Math.max(0.12 * (most - least), 1e-3), last = steps.at(-1);
    const chart = new Chart(charts, { x: [0, last * 1.04], y: [least - room, most + room], xLabel: "steps", height: 150 });
    chart.svg.style.overflow = "visible"; // for numbers of four digits
    const points = [...steps.map((x, i) => [x, low[i]]), ...steps.map((x, i) => [x, high[i]]).reverse()];
    chart.mark("healthy", "polygon", { fill: COLORS.composite, stroke: COLORS.composite, opacity: 0.4,
      points: points.filter(([, y]) => Number.isFinite(y)).map(([x, y]) => `${chart.X(x)},${chart.Y(y)}`).join(" ") });
    chart.curve("zero", [[0, 0], [last * 1.04, 0]], { width: 1, dash: "3 3", opacity: 0.5 });
    chart.curve("patient", steps.map((x, i) => [x, curve[i]]), { color: COLORS.extra, width: 2.5 });
    const above = curve.filter((y) => y > 0).length;
    const end = name === SHARE ? `above 0 at ${above} of ${curve.length} evaluations`
      : `the last three, on average, ${plain(patients[now].evidence[name])}`;
    chart.say(`${name}, ${what}: ${end}`);
  }

  function probeCard(name) {
    const [low, high] = bands[name].map(plain), value = plain(patients[now].evidence[name]);
    charts.append(element("figure", {}, element("p", { class: "title" },
      `probe ${name}: ${value}; right is ${PROBES[name]}, healthy seeds: ${low} to ${high}`)));
  }

  function answer() {
    if (!guess.value) return say("Choose a diagnosis first. ");
    guesses += 1;
    const { right, why } = judge(patients[now], guess.value, rules);
    if (!right) return say(`No. ${why} `);
    results[now] ??= { instruments: asked.length };
    close();
    say(`Right. ${why} `);
  }

  function reveal() {
    const { bug } = patients[now], { why } = judge(patients[now], bug, rules);
    results[now] ??= { given: true };
    close();
    say(`It is ${options[bug]}. ${why} `);
  }

  /** End with this patient; the instrument that tells is shown, if it was not asked for. */
  function close() {
    who.options[now].textContent = `${names[now]} ${results[now].given ? "(shown)" : "✓"}`;
    const rule = tellingRule(patients[now], rules);
    if (rule && !buttons[instrumentOf(rule)].disabled) show(instrumentOf(rule));
    for (const node of [...Object.values(buttons), check, give]) node.disabled = true;
  }

  function say(verdict) {
    const solved = results.filter((x) => x && !x.given), used = solved.reduce((sum, x) => sum + x.instruments, 0);
    const one = guess.value in mistakes && !verdict ? `${guess.value}: ${mistakes[guess.value].split("\n")[0]} ` : "";
    text.textContent = `${verdict}${one}Instruments asked for: ${asked.length}; diagnoses tried: ${guesses}. `
      + `Named so far: ${solved.length} of ${patients.length} patients, with ${used} instruments.`;
  }
  meet(0);
}
