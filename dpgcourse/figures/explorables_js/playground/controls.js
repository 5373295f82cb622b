// Every setting of an agent as a control with a label.
import { choice, element, panel, slider } from "../kit.js";
import { MISTAKES } from "./mistakes.js";
import { CHOICES, MAX_SEED } from "./settings.js";

const LABELS = {
  actor_lr: "learning rate of the actor",
  critic_lr: "learning rate of the critic",
  gamma: "discount γ",
  tau: "target networks' share τ",
  sigma: "noise σ (half-ranges)",
  batch_size: "batch size",
  width: "layer width (starts again)",
};

export class Controls {
  /** `changed(name, value)` is called when the reader moves one. */
  constructor(root, settings, changed) {
    const agent = panel(root);
    this.mistake = choice(agent, {
      label: "mistake",
      options: Object.fromEntries(Object.entries(MISTAKES).map(([name, { text }]) => [name, text])),
      value: settings.mistake,
      onChange: (name) => changed("mistake", name),
    });
    this.seed = element("input", { type: "number", min: 0, max: MAX_SEED, step: 1 });
    this.seed.addEventListener("change", () => {
      const seed = Math.round(Number(this.seed.value));
      this.seed.value = Math.min(Math.max(seed, 0), MAX_SEED);
      changed("seed", Number(this.seed.value));
    });
    const label = element("span", {}, "seed (starts again)");
    agent.append(element("label", { class: "control" }, label, this.seed));
    const numbers = element("details", {}, element("summary", {}, "Hyperparameters"));
    root.append(numbers);
    const sliders = panel(numbers);
    this.sliders = Object.entries(CHOICES).map(([name, { values }]) => [name, slider(sliders, {
      label: LABELS[name], min: 0, max: values.length - 1, step: 1,
      value: values.indexOf(settings[name]),
      show: (i) => String(values[i]),
      onInput: (i) => changed(name, values[i]),
    })]);
    this.show(settings);
  }

  /** Move all controls to these settings. */
  show(settings) {
    this.mistake.value = settings.mistake;
    this.seed.value = settings.seed;
    for (const [name, control] of this.sliders) {
      control.value = CHOICES[name].values.indexOf(settings[name]);
    }
  }
}
