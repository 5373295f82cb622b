// What a reader can choose, with its default and what is allowed, and its form in an address.
import { MISTAKES } from "./mistakes.js";

/** Numbers that a slider or a list offers, by the names of `dpgcourse.agents.config`. */
export const CHOICES = {
  actor_lr: { start: 2e-3, values: [1e-5, 1e-4, 3e-4, 1e-3, 2e-3, 5e-3, 1e-2, 3e-2, 1e-1] },
  critic_lr: { start: 2e-3, values: [1e-5, 1e-4, 3e-4, 1e-3, 2e-3, 5e-3, 1e-2, 3e-2, 1e-1] },
  gamma: { start: 0.98, values: [0, 0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995] },
  tau: { start: 0.01, values: [1e-4, 1e-3, 5e-3, 0.01, 0.02, 0.05, 0.1, 0.5, 1] },
  sigma: { start: 0.2, values: [0, 0.05, 0.1, 0.2, 0.3, 0.5, 1] },
  batch_size: { start: 64, values: [1, 4, 16, 32, 64, 128, 256] },
  width: { start: 24, values: [2, 4, 8, 16, 24, 32, 48, 64] },
};

export const MAX_SEED = 9999;

export const defaults = () => ({
  seed: 0,
  mistake: "none",
  ...Object.fromEntries(Object.entries(CHOICES).map(([name, { start }]) => [name, start])),
});

/** Settings as the part of an address behind its #: those that differ from the defaults. */
export function toHash(settings) {
  const usual = defaults(), parts = new URLSearchParams();
  for (const [name, value] of Object.entries(settings)) {
    if (value !== usual[name]) parts.set(name, String(value));
  }
  return parts.toString();
}

/** The settings that an address names. What it does not name, or names wrongly, is a default. */
export function fromHash(hash) {
  const settings = defaults(), parts = new URLSearchParams(hash.replace(/^#/, ""));
  const seed = parts.get("seed") ?? "";
  if (/^\d{1,4}$/.test(seed)) settings.seed = Number(seed);
  if (Object.hasOwn(MISTAKES, parts.get("mistake") ?? "")) settings.mistake = parts.get("mistake");
  for (const [name, { values }] of Object.entries(CHOICES)) {
    const value = values.find((x) => String(x) === parts.get(name));
    if (value !== undefined) settings[name] = value;
  }
  return settings;
}
