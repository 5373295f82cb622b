// The pendulum at its real speed, under the policy of this moment. The reader can push it.
import { button, Chart, COLORS, panel, stillness } from "../kit.js";
import { clip, MAX_SPEED, MAX_TORQUE, Pendulum, STEP_SECONDS, wrapped } from "../pendulum.js";

const PUSH = 3; // rad/s
const TRACK = 0.45; // radius of the torque's arrow, where the rod is 1 long

export class Rod {
  /** `act(theta, speed)` is the torque that is executed. */
  constructor(parent, act) {
    this.act = act;
    this.pendulum = new Pendulum();
    this.side = 1;
    this.torque = 0;
    this.held = null; // the angle to which the pointer pulls
    this.behind = 0; // seconds that are not simulated yet
    this.picture = new Chart(parent, {
      x: [-1.2, 1.2], y: [-1.2, 1.2], width: 240, height: 240, bare: true,
    });
    const area = this.picture.drag((x, y) => {
      this.held = Math.atan2(-x, y);
      this.begin(this.held, 0);
    }, { both: true });
    for (const end of ["pointerup", "pointercancel"]) {
      area.addEventListener(end, () => { this.held = null; });
    }
    const buttons = panel(parent);
    button(buttons, "Push left", () => this.push(1));
    button(buttons, "Push right", () => this.push(-1));
    button(buttons, "Let it hang", () => this.hang());
    this.hang();
    this.moving = !stillness(); // where the reader asks for little motion, a button moves it
    this.draw();
  }

  begin(theta, speed) {
    this.pendulum.place(theta, speed);
    this.before = theta;
    this.moving = true;
  }

  /** An episode begins with the rod hanging, a little to the one side and then to the other. */
  hang() {
    this.side = -this.side;
    this.begin(Math.PI - 0.1 * this.side, 0);
  }

  /** A push to the left turns counterclockwise where the rod stands, and clockwise where it hangs. */
  push(side) {
    const { theta, speed } = this.pendulum, turn = Math.cos(theta) < 0 ? -side : side;
    this.begin(theta, clip(speed + turn * PUSH, MAX_SPEED));
  }

  /** Let `seconds` pass. */
  advance(seconds) {
    if (!this.moving) return;
    this.behind += Math.min(seconds, 0.2); // after a long pause nothing is caught up
    for (; this.behind >= STEP_SECONDS; this.behind -= STEP_SECONDS) {
      const { pendulum } = this;
      if (this.held === null && pendulum.truncated) {
        if (stillness()) this.moving = false;
        else this.hang();
      }
      this.before = pendulum.theta;
      this.torque = this.act(wrapped(pendulum.theta), pendulum.speed);
      if (this.held === null && this.moving) pendulum.step(this.torque);
    }
    this.draw();
  }

  draw() {
    const share = this.behind / STEP_SECONDS, { picture, pendulum, torque } = this;
    const theta = this.before + share * (pendulum.theta - this.before);
    const [x, y] = [-Math.sin(theta), Math.cos(theta)];
    picture.curve("rod", [[0, 0], [x, y]], { color: COLORS.gray, width: 8 });
    picture.dot("pivot", 0, 0, { radius: 4 });
    picture.dot("bob", x, y, { color: COLORS.gray, radius: 12 });
    this.drawTorque(theta, torque / MAX_TORQUE * Math.PI / 2);
    const words = `torque ${torque < 0 ? "clockwise" : "counterclockwise"}`;
    picture.svg.setAttribute("aria-label", `the pendulum, ${Math.cos(theta) > 0 ? "up" : "down"}; ${words}`);
  }

  /** An arrow around the pivot that begins at the rod; the largest torque is a quarter turn. */
  drawTorque(theta, turn) {
    const { picture } = this, end = theta + turn, back = end - clip(turn, 0.3);
    const at = (angle, r = TRACK) => `${picture.X(-r * Math.sin(angle))} ${picture.Y(r * Math.cos(angle))}`;
    const length = picture.X(TRACK) - picture.X(0);
    picture.mark("torque", "path", {
      d: `M${at(theta)}A${length} ${length} 0 0 ${turn > 0 ? 0 : 1} ${at(end)}`
        + `M${at(back, TRACK + 0.1)}L${at(end)}L${at(back, TRACK - 0.1)}`,
      fill: "none", stroke: COLORS.actor, "stroke-width": 5, "stroke-linecap": "round",
      "stroke-linejoin": "round",
    });
  }
}
