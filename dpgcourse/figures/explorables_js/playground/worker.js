// Trains beside the page, and tells it about thirty times a second what has come of it.
// Messages to it: {order, ...}, see ORDERS. Messages from it: {kind, run, ...}.
import { Training } from "./training.js";

const SLICE = 30; // ms between two reports

let training, run, running = false, pace, owed, clock;
let records = [];

const ORDERS = {
  /** Make a new agent; `run` numbers it, so that late reports of another one are noticed. */
  begin(order) {
    run = order.run;
    records = [];
    training = new Training(order.settings);
    report();
  },

  /** Learn on, at `pace` updates a second or as fast as possible for Infinity. */
  go(order) {
    pace = order.pace;
    if (running) return;
    running = true;
    owed = 0;
    clock = performance.now();
    slice();
  },

  pause() { running = false; },

  change(order) { training.change(order.settings); },

  /** One update, taken apart. */
  one() {
    const { record, ...told } = training.stepAndTell();
    if (record) records.push(record);
    report();
    if (training.healthy()) postMessage({ kind: "told", run, ...told });
  },
};

onmessage = ({ data }) => ORDERS[data.order](data);

function slice() {
  if (!running) return;
  const begun = performance.now();
  owed = Math.min(owed + pace * (begun - clock) / 1000, pace); // a second at most is made up for
  clock = begun;
  while (owed >= 1 && performance.now() - begun < SLICE) {
    const record = training.step();
    if (record) records.push(record);
    owed -= 1;
  }
  report();
  if (running) setTimeout(slice, Math.max(0, SLICE - (performance.now() - begun)));
}

/** Post what the page draws, or that there is nothing left to draw. */
function report() {
  const { agent, updates } = training;
  if (!training.healthy()) {
    running = false;
    postMessage({ kind: "diverged", run, updates });
    return;
  }
  const [actor, critic] = [agent.actor.theta.slice(), agent.critic.theta.slice()];
  postMessage({ kind: "report", run, updates, actor, critic, records });
  records = [];
}
