// A pendulum under a small trained actor, at several stages of its training. The reader pushes it,
// and in the full view sees Q, ∇_aQ and the policy on it at the present angular speed.
import { Chart } from "./chart.js";
import { begin, button, COLORS, element, loop, panel, reading, slider, stillness } from "./kit.js";
import { counted, fixed, grouped, product } from "./numbers.js";
import { agentAt, effectInWords, TORQUES } from "./stages.js";
import { MAX_SPEED, MAX_TORQUE, STEP_SECONDS, wrapped } from "./pendulum.js";
import { Rod } from "./rod.js";

const PUSH = 1.2; // rad/s: the last agent withstands one push, and not two at once
const SECONDS = 5; // that the chart of θ shows
const ANGLES = Array.from({ length: 49 }, (_, i) => (i + 0.5) / 49 * 2 * Math.PI - Math.PI);
const FIELD = { angles: 11, torques: 5 }; // how many arrows
const BEST = [255, 255, 255], WORST = [0, 114, 178]; // COLORS.critic

export function mount(root, params) {
  const full = params.view === "full", { updates, returns } = params;
  const first = returns.indexOf(Math.max(...returns)); // the stage that is shown first
  const scale = full && agentAt(params, updates.length - 1).scale(); // one for all stages, so that shades compare
  let agent, stage, clock = 0, steps = 0, said = "", trace = [];

  const { side, charts } = begin(root, full
    ? "Push the rod, and watch the map. Then pause, drag sideways along the map, and move the training slider. "
      + "Does the policy lie where the arrows lead? Where can it follow them no further?"
    : "Push the rod: drag it, or use the buttons. Then move the training slider: "
      + "which is the first agent that brings the rod back up?");
  const controls = panel(side), buttons = panel(side), text = reading(side), factors = full && reading(side);
  const rod = new Rod(charts, (theta, speed) => agent.policy([[theta, speed]])[0], { push: PUSH, moved: follow, touched });
  const map = full && new Chart(charts, { x: [-Math.PI, Math.PI], y: [-3, 3], xLabel: "angle θ (rad)",
    yLabel: "a (N m)", height: 230 });
  const course = new Chart(charts, { x: [-SECONDS, 0], y: [-Math.PI, Math.PI], xLabel: "seconds", yLabel: "θ (rad)", height: full ? 230 : 165 });
  map && root.append(element("p", { class: "title" }, "Orange: the policy. Arrows: ∂Q/∂a. Shade of the map: how far Q is below that of "
    + `the best torque at the same angle, from 0 (white) to ${fixed(scale, 1)} or more (blue), for every agent.`));
  factors && factors.setAttribute("aria-live", "off"); // it changes all the time

  const training = slider(controls, {
    label: "training updates", min: 0, max: updates.length - 1, step: 1, value: first,
    show: (i) => grouped(updates[i]), onInput: setStage,
  });
  const angle = full && slider(controls, {
    label: "angle θ", min: -3.14, max: 3.14, step: 0.01, value: 3.14, onInput: (x) => choose(x, rod.pendulum.speed),
  });
  const speed = full && slider(controls, {
    label: "speed θ̇", min: -MAX_SPEED, max: MAX_SPEED, step: 0.05, value: 0, onInput: (x) => choose(rod.pendulum.theta, x),
  });
  const pause = button(buttons, "Run", () => (motion.running ? stop() : run()));
  rod.addButtons(buttons);
  map && map.drag((x) => choose(x, rod.pendulum.speed));

  const motion = loop(root, () => {
    const now = performance.now();
    rod.advance((now - clock) / 1000);
    clock = now;
    drawCourse();
  });

  function run() {
    clock = performance.now();
    rod.moving = true;
    motion.start();
    pause.textContent = "Pause";
  }

  function stop() {
    motion.stop();
    rod.moving = false;
    pause.textContent = "Run";
    rod.begin(rod.pendulum.theta, rod.pendulum.speed);
  }

  function setStage(value) {
    stage = value;
    agent = agentAt(params, stage);
    rod.begin(rod.pendulum.theta, rod.pendulum.speed);
  }

  /** A state that the reader chooses stays until the reader lets it run. */
  function choose(theta, speed) {
    if (motion.running) stop();
    rod.begin(theta, speed);
  }

  /** The reader has moved the rod, or has chosen another agent. */
  function touched() {
    if (rod.moving && !motion.running) run();
    if (wrapped(rod.pendulum.theta) !== trace.at(-1)) trace = []; // placed elsewhere, and not pushed
    steps = 0;
    drawCourse();
    if (map) drawMap();
    write();
  }

  /** The rod has moved by a step. */
  function follow() {
    trace.push(wrapped(rod.pendulum.theta));
    if (trace.length > SECONDS / STEP_SECONDS + 2) trace.shift();
    if (map) drawMap();
    if (steps++ % 4 === 0) write(); // slowly enough to be read
  }

  function drawCourse() {
    course.curve("upright", [[-SECONDS, 0], [0, 0]], { width: 1, dash: "4 3" });
    course.mark("course", "path", { d: broken(course, trace, rod.behind / STEP_SECONDS), fill: "none",
      stroke: "currentColor", "stroke-width": 2, "stroke-linejoin": "round" });
    course.dot("now", 0, wrapped(rod.angle), { color: COLORS.gray });
  }

  function drawMap() {
    const { values, slopes } = agent.landscape(ANGLES, rod.now.speed);
    const heat = map.heat("heat", values, ANGLES.length, TORQUES.length, (x) => {
      const share = Math.sqrt(Math.min(1, -x / scale));
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
    const policy = agent.policy(ANGLES.map((theta) => [theta, rod.now.speed]));
    map.curve("policy", ANGLES.map((theta, i) => [theta, policy[i]]), { color: COLORS.actor, width: 3 });
    const { theta, speed, torque } = rod.now, { slope } = agent.factors(theta, speed);
    const tip = [theta, torque + 0.9 * Math.tanh(slope)];
    map.arrow("edge of slope", [theta, torque], tip, { color: "#fff", width: 6 }); // seen beside the map in the dark
    map.arrow("slope", [theta, torque], tip, { color: "#000", width: 3 });
    map.dot("agent", theta, torque, { color: COLORS.actor, radius: 6 });
  }

  /** The numbers in all texts are those of one moment. */
  function write() {
    const { theta, speed: turning, torque } = rod.now;
    rod.picture.title.textContent = `the agent's torque: ${fixed(torque)} N m`;
    course.say(`θ = ${fixed(theta)} rad, 0 is upright`);
    const line = `After ${counted(updates[stage], "update")}, each a step of learning, the mean return is ${fixed(returns[stage], 0)}. `
      + `(It is the sum of the rewards of 10 s, over ${grouped(params.starts)} starts; 0 would be best.) ${params.notes[stage]}`
      + (motion.running && steps >= 40 ? outcome(trace, torque) : "");
    if (line !== said) text.textContent = said = line; // or it would be read out again and again
    if (!full) return;
    angle.value = theta;
    speed.value = turning;
    map.say(`Q(θ, a) at the speed θ̇ = ${fixed(turning)} rad/s`);
    const found = agent.factors(theta, turning);
    factors.textContent = `Now a = μ(s,u) = ${fixed(found.action)}. b is the bias of the actor's last layer, one of the parameters u: `
      + `∂Q/∂a × ∂a/∂b = ${product([found.slope, found.gain])} = ∂ℓ/∂b. ${effectInWords(found)}`;
  }

  rod.moving = false;
  setStage(first);
  if (!stillness()) run();
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
export function outcome(trace, torque) {
  const last = trace.slice(-40), heights = last.map(Math.cos), mean = last.reduce((sum, x) => sum + x, 0) / last.length;
  const turned = last.reduce((sum, x, i) => sum + (i ? wrapped(x - last[i - 1]) : 0), 0);
  if (Math.min(...heights) > 0.97) {
    const off = Math.abs(mean) < 0.03 ? "" : `, ${fixed(Math.abs(mean))} rad from upright: `
      + `a step so far off costs only ${fixed(mean ** 2 + 0.001 * torque ** 2, 3)}`;
    return ` Now the rod stands${off}.`;
  }
  if (Math.max(...heights) < -0.97) return " Now the rod hangs.";
  return Math.abs(turned) > 2 * Math.PI ? " Now the rod goes round and round." : " Now the rod swings.";
}
