// The pendulum at its real speed, under a policy. The reader can drag it and push it.
import { Chart } from "./chart.js";
import { button, COLORS, stillness } from "./kit.js";
import { clip, MAX_SPEED, MAX_TORQUE, Pendulum, STEP_SECONDS, wrapped } from "./pendulum.js";

const TRACK = 0.45; // radius of the torque's arrow, where the rod is 1 long
const QUARTER = Math.PI / 2; // which the largest torque turns the arrow

export class Rod {
  /**
   * `act(theta, speed)` is the torque that is executed, and a push changes the speed by `push`.
   * `moved()` is called after every step, `touched()` when the reader has moved the rod.
   */
  constructor(parent, act, { push, moved = () => {}, touched = () => {} }) {
    Object.assign(this, { act, size: push, moved, touched });
    this.pendulum = new Pendulum(); // hangs at rest
    this.side = 1;
    this.held = null; // the angle to which the pointer pulls
    this.moving = !stillness(); // where the reader asks for little motion, a button moves it
    this.picture = new Chart(parent, {
      x: [-1.2, 1.2], y: [-1.2, 1.2], width: 240, height: 240, bare: true,
    });
    const { picture } = this;
    picture.svg.parentNode.className = "picture";
    picture.mark("path", "circle", { cx: picture.X(0), cy: picture.Y(0), r: picture.X(1) - picture.X(0),
      fill: "none", stroke: "currentColor", opacity: 0.2 });
    const area = picture.drag((x, y) => {
      this.held = Math.atan2(-x, y);
      if (!this.moving) this.begin(this.held, 0);
    }, { both: true });
    for (const end of ["pointerup", "pointercancel"]) {
      area.addEventListener(end, () => { this.held = null; });
    }
  }

  /** The buttons that push the rod or let it hang, as part of a panel. */
  addButtons(parent) {
    button(parent, "Push left", () => this.push(1));
    button(parent, "Push right", () => this.push(-1));
    button(parent, "Let it hang", () => this.hang());
  }

  /** Place the rod, and begin an episode there. */
  begin(theta, speed) {
    this.pendulum.place(theta, speed);
    this.before = theta; // the angle a step ago
    this.behind = 0; // seconds that are not simulated yet
    this.decide();
    this.draw();
    this.touched();
  }

  /** The state of this moment, and the torque that the policy answers with. */
  decide() {
    const theta = wrapped(this.pendulum.theta), { speed } = this.pendulum;
    this.now = { theta, speed, torque: this.act(theta, speed) };
  }

  /** The rod hangs, a little to the one side and then to the other. */
  hang() {
    this.side = -this.side;
    this.begin(Math.PI - 0.1 * this.side, 0);
  }

  /** A push to the left turns counterclockwise where the rod stands, and clockwise where it hangs. */
  push(side) {
    const { theta, speed } = this.pendulum, turn = Math.cos(theta) < 0 ? -side : side;
    this.moving = true;
    this.begin(theta, clip(speed + turn * this.size, MAX_SPEED));
  }

  /** Let `seconds` pass. */
  advance(seconds) {
    if (!this.moving) return;
    this.behind += Math.min(seconds, 0.2); // after a long pause nothing is caught up
    for (; this.behind >= STEP_SECONDS; this.behind -= STEP_SECONDS) this.step();
    this.draw();
  }

  /** A twentieth of a second: the policy acts, or the rod follows the pointer that holds it. */
  step() {
    const { pendulum, held } = this;
    this.before = pendulum.theta;
    this.decide();
    if (held === null) pendulum.step(this.now.torque);
    else {
      pendulum.speed = clip(wrapped(held - pendulum.theta) / STEP_SECONDS, MAX_SPEED);
      pendulum.theta += pendulum.speed * STEP_SECONDS;
    }
    this.moved();
  }

  /** The angle between the last two states that is due now. */
  get angle() {
    return this.before + this.behind / STEP_SECONDS * (this.pendulum.theta - this.before);
  }

  draw() {
    const { picture, angle, now: { torque } } = this, [x, y] = [-Math.sin(angle), Math.cos(angle)];
    picture.curve("rod", [[0, 0], [x, y]], { color: COLORS.gray, width: 8 });
    this.drawTorque(angle, torque / MAX_TORQUE * QUARTER);
    picture.dot("pivot", 0, 0, { radius: 4 });
    picture.dot("bob", x, y, { color: COLORS.gray, radius: 12 });
    const words = `torque ${torque < 0 ? "clockwise" : "counterclockwise"}`;
    picture.svg.setAttribute("aria-label", `the pendulum, ${Math.cos(angle) > 0 ? "up" : "down"}; ${words}`);
  }

  /** An arrow around the pivot that begins at the rod. */
  drawTorque(angle, turn) {
    const { picture } = this, end = angle + turn, back = end - clip(turn, 0.3);
    const at = (where, r = TRACK) => `${picture.X(-r * Math.sin(where))} ${picture.Y(r * Math.cos(where))}`;
    const length = picture.X(TRACK) - picture.X(0);
    picture.mark("torque", "path", {
      d: `M${at(angle)}A${length} ${length} 0 0 ${turn > 0 ? 0 : 1} ${at(end)}`
        + `M${at(back, TRACK + 0.1)}L${at(end)}L${at(back, TRACK - 0.1)}`,
      fill: "none", stroke: COLORS.actor, "stroke-width": 5, "stroke-linecap": "round",
      "stroke-linejoin": "round",
    });
  }
}
