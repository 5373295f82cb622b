// A pendulum under a small trained actor, at several stages of its training. The reader pushes it,
// and in the full view sees Q, ∇_aQ and the policy on it at the present angular speed.
import { begin, button, Chart, COLORS, element, fixed, loop, panel, product, reading, row, slider, stillness } from "./kit.js";
import { agentAt, TORQUES } from "./stages.js";
import { clip, MAX_SPEED, MAX_TORQUE, Pendulum, STEP_SECONDS, wrapped } from "./pendulum.js";

const PUSH = 1.2; // rad/s: the last agent withstands one push, and not two at once
const SECONDS = 5; // that the chart of θ shows
const GRAB = 0.45; // m around the bob in which a pointer takes it
const ANGLES = Array.from({ length: 49 }, (_, i) => (i + 0.5) / 49 * 2 * Math.PI - Math.PI);
const FIELD = { angles: 11, torques: 5 }; // how many arrows
const BEST = [255, 255, 255], WORST = [0, 114, 178]; // COLORS.critic

const grouped = (x) => String(x).replace(/\B(?=(\d{3})+$)/g, ",");

export function mount(root, params) {
  const full = params.view === "full", pendulum = new Pendulum(), last = params.updates.length - 1;
  let agent, stage, torque = 0, held = null, before = pendulum.theta;
  let behind = 0, clock = 0, steps = 0, said = "", trace = [];

  const charts = row(begin(root, full
    ? "Push the rod, and watch the map. Then pause, drag along the map, and move the training slider. "
      + "Does the policy lie where the arrows lead? Where can it follow them no further?"
    : "Push the rod: drag it, click beside it, or use the buttons. Then move the training slider: "
      + "which is the first agent that brings the rod back up?"));
  const left = full ? element("div") : charts; // leaves the other column to the map
  if (full) charts.append(left);
  const picture = new Chart(left, { x: [-1.2, 1.2], y: [-1.2, 1.2], width: 240, height: 240, bare: true });
  picture.svg.parentNode.style = "width: 100%; max-width: 14rem; margin: 0 auto";
  picture.mark("path", "circle", { cx: picture.X(0), cy: picture.Y(0), r: picture.X(1) - picture.X(0),
    fill: "none", stroke: "currentColor", opacity: 0.2 });
  const course = new Chart(left, { x: [-SECONDS, 0], y: [-Math.PI, Math.PI], xLabel: "seconds", yLabel: "θ",
    height: full ? 130 : 165 });
  const map = full && new Chart(charts, { x: [-Math.PI, Math.PI], y: [-2.6, 2.6], xLabel: "angle θ (rad)",
    yLabel: "a", height: 260 });
  const legend = element("p", { class: "title" });
  map && map.svg.after(legend);

  const controls = panel(root);
  const training = slider(controls, {
    label: "training updates", min: 0, max: last, step: 1, value: last,
    show: (i) => grouped(params.updates[i]), onInput: setStage,
  });
  const angle = full && slider(controls, {
    label: "angle θ", min: -3.14, max: 3.14, step: 0.01, value: 3.14,
    onInput: (x) => choose(x, pendulum.speed),
  });
  const speed = full && slider(controls, {
    label: "speed θ̇", min: -MAX_SPEED, max: MAX_SPEED, step: 0.05, value: 0,
    onInput: (x) => choose(pendulum.theta, x),
  });
  const buttons = panel(root);
  const pause = button(buttons, "", () => (motion.running ? stop() : run()));
  button(buttons, "Push left", () => push(1));
  button(buttons, "Push right", () => push(-1));
  button(buttons, "Let it hang", () => place(Math.PI, 0));
  const text = reading(root), factors = full && reading(root);
  factors && factors.setAttribute("aria-live", "off"); // it changes all the time

  const motion = loop(root, frame);

  function run() {
    clock = performance.now();
    motion.start();
    pause.textContent = "Pause";
  }

  function stop() {
    motion.stop();
    pause.textContent = "Run";
    behind = 0;
    look();
  }

  function setStage(value) {
    stage = value;
    steps = 0;
    agent = agentAt(params, stage);
    legend.textContent = "Orange: the policy. Arrows: ∂Q/∂a. Shade: how far Q is below the best torque's "
      + `at the same angle, at most ${fixed(agent.scale, agent.scale < 1 ? 3 : 1)}.`;
    look();
  }

  /** Put the rod there, at once. */
  function place(theta, speed) {
    pendulum.place(theta, speed);
    before = theta;
    trace = [];
    steps = 0;
    look();
  }

  /** A state that the reader chooses stays until the reader lets it run. */
  function choose(theta, speed) {
    if (motion.running) stop();
    place(theta, speed);
  }

  /** Change the speed; a push to the left is counterclockwise above the pivot. */
  function push(side) {
    const turn = Math.cos(pendulum.theta) < 0 ? -side : side;
    pendulum.speed = clip(pendulum.speed + turn * PUSH, MAX_SPEED);
    if (!motion.running) run();
  }

  const grab = picture.drag((x, y) => {
    const [bobX, bobY] = [-Math.sin(pendulum.theta), Math.cos(pendulum.theta)];
    if (held === "pushed") return;
    if (held === null && Math.hypot(x - bobX, y - bobY) > GRAB) {
      held = "pushed";
      return push(Math.sign(bobX - x) || 1);
    }
    held = Math.atan2(-x, y);
    if (!motion.running) place(held, 0);
  }, { both: true });
  for (const end of ["pointerup", "pointercancel"]) grab.addEventListener(end, () => { held = null; });
  map && map.drag((x) => choose(x, pendulum.speed));

  /** A twentieth of a second: the agent acts, or the rod follows the pointer that holds it. */
  function step() {
    before = pendulum.theta;
    torque = agent.policy([[pendulum.theta, pendulum.speed]])[0];
    if (typeof held === "number") {
      const turn = wrapped(held - pendulum.theta);
      pendulum.speed = clip(turn / STEP_SECONDS, MAX_SPEED);
      pendulum.theta += pendulum.speed * STEP_SECONDS;
    } else {
      pendulum.step(torque);
    }
    trace.push(wrapped(pendulum.theta));
    if (trace.length > SECONDS / STEP_SECONDS + 2) trace.shift();
    if (map) drawMap();
    if (steps++ % 4 === 0) write(); // slowly enough to be read
  }

  function frame() {
    const now = performance.now();
    behind += Math.min((now - clock) / 1000, 0.2); // after a long pause it goes on, and catches nothing up
    clock = now;
    for (; behind >= STEP_SECONDS; behind -= STEP_SECONDS) step();
    draw(behind / STEP_SECONDS);
  }

  /** Show a state that no step has led to. */
  function look() {
    torque = agent.policy([[pendulum.theta, pendulum.speed]])[0];
    draw(1);
    if (map) drawMap();
    write();
  }

  /** The rod and the course of θ, `share` of the way from the state before to the present one. */
  function draw(share) {
    const theta = before + share * (pendulum.theta - before);
    const [x, y] = [-Math.sin(theta), Math.cos(theta)];
    picture.curve("rod", [[0, 0], [x, y]], { color: COLORS.gray, width: 8 });
    picture.dot("pivot", 0, 0, { radius: 4 });
    picture.dot("bob", x, y, { color: COLORS.gray, radius: 12 });
    turnArrow(picture, theta, torque);
    course.curve("upright", [[-SECONDS, 0], [0, 0]], { width: 1, dash: "4 3" });
    course.mark("course", "path", { d: broken(course, trace, share), fill: "none",
      stroke: "currentColor", "stroke-width": 2, "stroke-linejoin": "round" });
    course.dot("now", 0, wrapped(theta), { color: COLORS.gray });
  }

  function drawMap() {
    const { values, slopes } = agent.landscape(ANGLES, pendulum.speed);
    const heat = map.heat("heat", values, ANGLES.length, TORQUES.length, (x) => {
      const share = Math.sqrt(Math.min(1, -x / agent.scale));
      return BEST.map((best, i) => best + share * (WORST[i] - best));
    });
    heat.setAttribute("y", map.Y(MAX_TORQUE));
    heat.setAttribute("height", map.Y(-MAX_TORQUE) - map.Y(MAX_TORQUE));
    for (let i = 0; i < FIELD.angles; i++) {
      const column = Math.floor((i + 0.5) / FIELD.angles * ANGLES.length);
      for (let j = 0; j < FIELD.torques; j++) {
        const line = Math.floor((j + 0.5) / FIELD.torques * TORQUES.length), a = TORQUES[line];
        const length = 0.35 * Math.tanh(slopes[line * ANGLES.length + column]);
        map.arrow(`${i} ${j}`, [ANGLES[column], a], [ANGLES[column], a + length], { color: "#000", width: 1 });
      }
    }
    const policy = agent.policy(ANGLES.map((theta) => [theta, pendulum.speed]));
    map.curve("policy", ANGLES.map((theta, i) => [theta, policy[i]]), { color: COLORS.actor, width: 3 });
    const theta = wrapped(pendulum.theta), { slope } = agent.factors(theta, pendulum.speed);
    const mu = agent.policy([[theta, pendulum.speed]])[0];
    map.arrow("slope", [theta, mu], [theta, mu + 0.9 * Math.tanh(slope)], { color: "#000", width: 3 });
    map.dot("agent", theta, mu, { color: COLORS.actor, radius: 6 });
  }

  function write() {
    const theta = wrapped(pendulum.theta);
    picture.say(`the agent's torque: ${fixed(torque)} N m`);
    course.say(`θ = ${fixed(theta)} rad, 0 is upright`);
    const line = `After ${grouped(params.updates[stage])} updates the mean return is `
      + `${fixed(params.returns[stage], 0)} (${grouped(params.starts)} starts of 10 s; 0 would be best).${motion.running && steps >= 40 ? outcome(trace) : ""}`;
    if (line !== said) text.textContent = said = line; // or it would be read out again and again
    if (!full) return;
    angle.value = theta;
    speed.value = pendulum.speed;
    map.say(`Q(θ, a) at the speed θ̇ = ${fixed(pendulum.speed)} rad/s`);
    const { action, slope, gain } = agent.factors(theta, pendulum.speed);
    const effect = gain < 0.05 ? "The action is at its bound, and b can hardly move it."
      : Math.abs(slope) < 0.005 ? "The critic has no slope here, and gives no direction."
        : `So from this state the actor step ${slope > 0 ? "raises" : "lowers"} b, and with it a.`;
    factors.textContent = `Now a = μ(s,u) = ${fixed(action)}. Let b be the last bias among the parameters u. `
      + `∂Q/∂a × ∂a/∂b = ${product([slope, gain])} = ∂ℓ/∂b. ${effect}`;
  }

  setStage(last);
  pause.textContent = "Run";
  if (!stillness()) run();
}

/** The torque as an arrow around the pivot, which begins at the rod; 2 N m is a quarter turn. */
function turnArrow(chart, theta, torque) {
  const radius = 0.45, end = theta + torque / MAX_TORQUE * Math.PI / 2, side = Math.sign(torque);
  const at = (angle, r = radius) => `${chart.X(-r * Math.sin(angle))} ${chart.Y(r * Math.cos(angle))}`;
  const head = Math.min(0.3, Math.abs(end - theta)) * side, sweep = torque > 0 ? 0 : 1;
  const length = chart.X(radius) - chart.X(0);
  chart.mark("torque", "path", {
    d: `M${at(theta)}A${length} ${length} 0 0 ${sweep} ${at(end)}`
      + `M${at(end - head, radius + 0.1)}L${at(end)}L${at(end - head, radius - 0.1)}`,
    fill: "none", stroke: COLORS.actor, "stroke-width": 5, "stroke-linecap": "round", "stroke-linejoin": "round",
  });
}

/** The course of θ as a path, broken where the angle goes from π to −π. */
function broken(chart, trace, share) {
  return trace.map((theta, i) => {
    const seconds = (i + 1 - trace.length + 1 - share) * STEP_SECONDS;
    const jump = i === 0 || Math.abs(theta - trace[i - 1]) > Math.PI;
    return `${jump ? "M" : "L"}${chart.X(seconds).toFixed(1)} ${chart.Y(theta).toFixed(1)}`;
  }).join("");
}

/** What the rod has done in the last two seconds, in words. */
function outcome(trace) {
  const heights = trace.slice(-40).map(Math.cos);
  if (Math.min(...heights) > 0.9) return " The rod stands.";
  return Math.max(...heights) < -0.97 ? " The rod hangs." : " The rod swings.";
}
