// The playground: an agent that learns in a worker, and what the reader sees of it and does to it.
import { begin, button, choice, element, loop, panel, reading, slider, stillness } from "../kit.js";
import { counted, fixed, grouped } from "../numbers.js";
import { MAX_SPEED, MAX_TORQUE } from "../pendulum.js";
import { Rod } from "../rod.js";
import { Controls } from "./controls.js";
import { Curves } from "./curves.js";
import { QMap } from "./map.js";
import { MISTAKES } from "./mistakes.js";
import { fromHash, toHash } from "./settings.js";

const STARTS_AGAIN = ["seed", "width"]; // settings that cannot change while an agent learns
const PACES = { 100: "100 a second", 400: "400 a second", 100000: "as fast as it can" };
const PUSH = 3; // rad/s
const UNTOLD = "Press “One update” to read here what a single update does.";
const CSS = `
@media screen { .bd-article figure.playground-still { display: none; } } /* it is for print */
.playground .rod .controls { justify-content: center; }
.playground .factors { min-height: 1.35em; margin-bottom: .5rem; }
.playground .reading { font-size: .875rem; min-height: 1.5em; }
.playground .places { align-self: start; }
.playground summary { cursor: pointer; font-size: .9rem; }
.playground input[type=number] { font: inherit; width: 5rem; padding: .2rem .4rem; color: inherit; background: transparent; border: 1px solid #808080; border-radius: .4rem; }
`;

export function mount(root) {
  let settings = fromHash(location.hash), run = 0, running = false, pace = 400;
  let report = null, updates = 0, drawnAt = 0, clock = 0, moved = false;
  const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  const order = (name, more = {}) => worker.postMessage({ order: name, ...more });

  const { side, charts } = begin(root, "Press Start, and watch the orange policy follow the arrows up the critic. After 2,000 "
    + "to 6,500 updates, by seed, the rod stands. Then choose the mistake “the actor descends Q”: in the map the orange "
    + "line leaves the heads of the arrows, and all three curves break. Which other mistakes show in one curve, and which in none?");
  root.classList.add("playground");
  root.append(element("style", {}, CSS));
  const buttons = panel(side);
  const start = button(buttons, "Start", () => (running ? pause() : go()));
  const one = button(buttons, "One update", single);
  button(buttons, "Start again", () => fresh());
  choice(buttons, { label: "updates", options: PACES, value: String(pace), onChange: setPace });
  const controls = new Controls(side, settings, change);
  const status = element("p", { class: "title status" });
  side.append(status);
  const said = reading(side);

  const left = element("div", { class: "rod" }), right = element("div", { class: "places" });
  charts.append(left);
  const rod = new Rod(left, (theta, speed) => MISTAKES[settings.mistake].agent.prototype.executed(map.policy(theta, speed)),
    { push: PUSH, moved: endEpisode });
  rod.addButtons(panel(left));
  const map = new QMap(charts, (theta, a) => point({ theta, a }));
  charts.append(right);
  const places = panel(right);
  const slide = (name, label, bound) => slider(places, {
    label, min: -bound, max: bound, step: 0.01, value: map.place[name],
    onInput: (x) => point({ [name]: x }),
  });
  const at = {
    theta: slide("theta", "angle θ", 3.14),
    a: slide("a", "torque a", MAX_TORQUE),
    speed: slide("speed", "speed θ̇", MAX_SPEED),
  };
  const words = Array.from({ length: 3 }, () => element("p", { class: "title factors" }));
  right.append(...words);
  const curves = new Curves(charts);
  left.after(curves.returns.svg.parentNode); // the return stands beside the rod, which shows the same

  /** After ten seconds the rod hangs again; where the reader asks for little motion, it stops. */
  function endEpisode() {
    if (rod.held !== null || !rod.pendulum.truncated) return;
    if (stillness()) rod.moving = false;
    else rod.hang();
  }

  /** A new agent with the present settings. */
  function fresh() {
    run += 1;
    updates = 0;
    report = null;
    map.resize(settings.width);
    curves.begin();
    start.disabled = one.disabled = false;
    said.textContent = UNTOLD;
    order("begin", { run, settings });
    if (running) order("go", { pace });
  }

  function go() {
    running = true;
    said.textContent = UNTOLD; // what was said of an earlier update
    start.textContent = "Pause";
    order("go", { pace });
  }

  function pause() {
    running = false;
    start.textContent = "Start";
    order("pause");
  }

  function single() {
    pause();
    order("one");
  }

  function setPace(value) {
    pace = Number(value);
    if (running) order("go", { pace });
  }

  /** The reader has moved a control. */
  function change(name, value) {
    settings = { ...settings, [name]: value };
    history.replaceState(null, "", `#${toHash(settings)}`);
    if (STARTS_AGAIN.includes(name)) return fresh();
    order("change", { settings });
    curves.change(updates);
    writeStatus();
  }

  /** The reader points to another place of the map. */
  function point(change) {
    Object.assign(map.place, change);
    for (const [name, control] of Object.entries(at)) control.value = map.place[name];
    moved = true;
    motion.start();
  }

  worker.onmessage = ({ data }) => {
    if (data.run !== run) return; // of an agent that is no longer shown
    if (data.kind === "report") {
      updates = data.updates;
      report = { ...data, records: [...(report?.records ?? []), ...data.records] };
    } else if (data.kind === "told") {
      tell(data);
    } else {
      diverged(data.updates);
    }
    motion.start();
  };
  worker.onerror = () => { said.textContent = "The worker could not be started, so no agent can learn here."; };

  function tell({ error, before, after }) {
    said.textContent = `Update ${grouped(updates)}: the root mean square of δ on the batch was ${fixed(error)}. `
      + `The actor step moved the batch mean of Q(s, μ(s,u), w) from ${fixed(before, 5)} to ${fixed(after, 5)}, `
      + `${after > before ? "up" : after < before ? "down" : "not at all"}.`;
  }

  function diverged(when) {
    pause();
    start.disabled = one.disabled = true;
    said.textContent = `The agent has diverged after ${counted(when, "update")}: its values are far beyond what `
      + "the task can pay, and it has stopped. Choose a smaller learning rate and press Start again.";
  }

  function writeStatus() {
    const { text } = MISTAKES[settings.mistake], last = curves.records.at(-1);
    status.textContent = `${counted(updates, "update")}; the last ten episodes returned `
      + `${last ? fixed(last.lastTen, 0) : "–"} in the mean; mistake: ${text}`;
    root.dataset.updates = updates;
  }

  /** At most one drawing a frame; the map ten times a second, or twice for little motion. */
  const motion = loop(root, () => {
    const now = performance.now();
    rod.advance((now - clock) / 1000);
    clock = now;
    const due = now - drawnAt >= (stillness() ? 500 : 100);
    if (!moved && !(report && due)) return;
    if (report) {
      map.take(report.actor, report.critic);
      if (report.records.length) curves.add(report.records);
      report = null;
      writeStatus();
    }
    map.draw();
    map.words().forEach((text, i) => { words[i].textContent = text; });
    drawnAt = now;
    moved = false;
  });

  addEventListener("hashchange", () => {
    if (!location.hash.includes("=")) return; // the name of a place in the page
    settings = fromHash(location.hash);
    controls.show(settings);
    fresh();
  });
  // A page that nobody sees does not use up a battery.
  document.addEventListener("visibilitychange", () => {
    if (running) order(document.hidden ? "pause" : "go", { pace });
  });
  fresh();
  rod.hang();
  motion.start();
}
