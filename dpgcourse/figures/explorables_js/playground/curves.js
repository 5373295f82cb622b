// Return, saturation and value gap over the updates of a run.
import { Chart } from "../chart.js";
import { COLORS } from "../kit.js";
import { fixed } from "../numbers.js";

const MOST_RECORDS = 1000; // that a curve keeps; then every second one goes
const FIRST_END = 5; // of the axes, in thousands of updates
const CHANGES = 20; // marked at most

export class Curves {
  constructor(parent) {
    const x = [0, FIRST_END];
    const chart = (y, yLabel) => new Chart(parent, { x, y, yLabel, xLabel: "thousand updates", height: 150 });
    this.returns = chart([-2000, 0], "return");
    this.saturation = chart([0, 100], "saturation in %");
    this.gap = chart([-100, 400], "value gap");
    this.begin();
  }

  /** Empty the curves for a new agent. */
  begin() {
    this.records = [];
    this.changes = [];
    this.end = FIRST_END;
    this.gapRange = [-100, 400];
    this.setRanges();
    this.draw();
  }

  /** Mark the update at which the reader changed a setting or the mistake. */
  change(updates) {
    this.changes = [...this.changes, updates / 1000].slice(-CHANGES);
    this.draw();
  }

  add(records) {
    this.records.push(...records);
    if (this.records.length > MOST_RECORDS) {
      this.records = this.records.filter((_, i) => i % 2 === 1);
    }
    const { updates } = this.records.at(-1), gaps = records.map(({ gap }) => gap);
    while (updates / 1000 > this.end) this.end *= 2;
    while (Math.min(...gaps) < this.gapRange[0]) this.gapRange[0] *= 2;
    while (Math.max(...gaps) > this.gapRange[1]) this.gapRange[1] *= 2;
    this.setRanges();
    this.draw();
  }

  setRanges() {
    const x = [0, this.end];
    this.returns.range(x, [-2000, 0]);
    this.saturation.range(x, [0, 100]);
    this.gap.range(x, this.gapRange);
  }

  draw() {
    const { records } = this, last = records.at(-1);
    const line = (chart, name, value, look) =>
      chart.curve(name, records.map((record) => [record.updates / 1000, value(record)]), look);
    line(this.returns, "training", (record) => record.training,
      { color: "currentColor", width: 1, opacity: 0.45 });
    line(this.returns, "noiseless", (record) => record.returned, { color: COLORS.composite });
    line(this.saturation, "share", (record) => 100 * record.saturation, { color: COLORS.actor });
    line(this.gap, "gap", (record) => record.gap, { color: COLORS.critic });
    this.gap.curve("zero", [[0, 0], [this.end, 0]], { width: 1, dash: "4 3" });
    for (const chart of [this.returns, this.saturation, this.gap]) {
      for (let i = 0; i < CHANGES; i++) {
        const at = this.changes[i];
        if (at === undefined) chart.hide(`change ${i}`);
        else chart.curve(`change ${i}`, [[at, chart.y[0]], [at, chart.y[1]]], { color: COLORS.extra, dash: "2 2" });
      }
    }
    this.returns.say(last ? `return: ${fixed(last.returned, 0)} without noise (green), `
      + `${fixed(last.training, 0)} in training (thin)${this.changes.length ? "; dashes: you changed something" : ""}`
      : "return of an episode");
    this.saturation.say(last ? `saturation: ${fixed(100 * last.saturation, 0)}% of the actions at a bound`
      : "saturation: share of the actions at a bound");
    this.gap.say(last ? `value gap: ${fixed(last.gap, 1)}` : "value gap: believed minus reached");
  }
}
