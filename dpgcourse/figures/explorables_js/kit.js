// The place of an explorable: its task, controls and text. Plain JavaScript; nothing is loaded.
import { fixed } from "./numbers.js";

// Colors of the book's figures (Okabe and Ito), readable on white and on black.
export const COLORS = {
  actor: "#D55E00", critic: "#0072B2", composite: "#009E73", extra: "#CC79A7", gray: "#808080",
};

const CSS = `
.explorable { margin: 1.25rem 0; padding: .8rem 1rem; border: 1px solid #80808060; border-radius: .5rem; container-type: inline-size; max-width: 52rem; }
.explorable .task { margin: 0 0 .6rem; }
.explorable .charts { display: grid; gap: .75rem 1rem; align-items: end; grid-template-columns: minmax(0, 1fr); }
@container (min-width: 34rem) { .explorable .charts:not(.cards) { grid-template-columns: repeat(2, minmax(0, 1fr)); } }
.explorable .side { align-self: start; min-width: 0; }
.explorable .side:nth-last-child(odd) { grid-column: 1 / -1; } /* an even number of charts needs both columns */
.explorable figure { margin: 0; padding: 0; min-width: 0; }
.explorable .title { font-size: .875rem; line-height: 1.35; margin: 0 0 .2rem; font-variant-numeric: tabular-nums; }
.explorable svg { display: block; width: 100%; height: auto; }
.explorable .cards { grid-template-columns: repeat(auto-fill, minmax(min(100%, 13rem), 1fr)); } /* one alone stays small */
.explorable .cards .side { grid-column: 1 / -1; }
.explorable .picture { width: 100%; max-width: 10rem; margin: 0 auto; }
@container (min-width: 34rem) { .explorable .picture { max-width: 14rem; } }
.explorable svg text { font: 12px system-ui, sans-serif; fill: currentColor; }
.explorable svg .frame { stroke: currentColor; opacity: .45; fill: none; }
.explorable svg .grid { stroke: currentColor; opacity: .12; }
.explorable svg .grab { cursor: grab; fill: transparent; }
.explorable .controls { display: flex; flex-wrap: wrap; gap: .4rem .6rem; align-items: center; margin: 0 0 .6rem; }
.explorable .control { display: flex; flex: 1 1 14rem; gap: .5rem; align-items: center; font-size: .9rem; min-width: 0; max-width: 26rem; }
.explorable .control input[type=range] { flex: 1 1 6rem; width: 6rem; min-width: 3rem; accent-color: ${COLORS.critic}; }
.explorable .control output { min-width: 3.5em; text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.explorable button, .explorable select { font: inherit; font-size: .9rem; padding: .3rem .6rem; border: 1px solid #808080; border-radius: .4rem; background: transparent; color: inherit; cursor: pointer; }
.explorable .list { flex: 0 1 auto; flex-wrap: wrap; }
.explorable .list select { min-width: 0; max-width: 100%; text-overflow: ellipsis; }
.explorable select option { color: #000; background: #fff; }
.explorable button:hover { background: #80808030; }
.explorable button:disabled { opacity: .5; cursor: default; }
.explorable :is(button, select, input):focus-visible { outline: 3px solid ${COLORS.critic}; outline-offset: 2px; }
.explorable .reading { font-variant-numeric: tabular-nums; min-height: 3em; font-size: .9375rem; line-height: 1.5; margin: 0 0 .25rem; }
.explorable table { border-collapse: collapse; width: auto; font-variant-numeric: tabular-nums; background: none; }
.explorable :is(th, td) { padding: .1rem .75rem .1rem 0; text-align: left; vertical-align: baseline; font-size: .875rem; line-height: 1.4; border: 0; background: none; }
.explorable th { font-weight: normal; white-space: nowrap; }
@media print { .explorable { display: none; } }`;

/**
 * Empty the place of an explorable, and say what to try there. Returns the room for `charts`, two in
 * a row where they fit, and the `side` for controls and text, which is their first neighbor: on a
 * phone the controls stand between the task and the charts.
 */
export function begin(root, task) {
  if (!document.getElementById("explorable-style")) {
    document.head.append(element("style", { id: "explorable-style" }, CSS));
  }
  const side = element("div", { class: "side" }), charts = element("div", { class: "charts" }, side);
  root.replaceChildren(element("p", { class: "task" }, element("strong", {}, "Try it. "), task), charts);
  return { side, charts };
}

/** An HTML element with attributes and children. */
export function element(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** An element of a drawing, with attributes and children. */
export const drawn = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

/** Set attributes of a node, and append to it. */
export function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** Whether the reader has asked for little motion. */
export const stillness = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Room for sliders and buttons. */
export function panel(root) {
  const node = element("div", { class: "controls" });
  root.append(node);
  return node;
}

/** A labeled slider; `show(value)` writes its value. Set `.value` to move it without a call. */
export function slider(parent, { label, min, max, step, value, show = (x) => fixed(x), onInput }) {
  const input = element("input", { type: "range", min, max, step });
  const output = element("output");
  const write = (x) => {
    output.textContent = show(x);
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.value = value;
  input.addEventListener("input", () => {
    write(Number(input.value));
    onInput(Number(input.value));
  });
  write(value);
  parent.append(element("label", { class: "control" }, element("span", {}, label), input, output));
  return {
    input,
    get value() { return Number(input.value); },
    set value(x) {
      input.value = x;
      write(x); // a number that lies between two steps of the slider is written as it is
    },
  };
}

/** A labeled list of options {value: text}. */
export function choice(parent, { label, options, value, onChange }) {
  const select = element("select", {}, ...Object.entries(options).map(([key, text]) =>
    element("option", { value: key }, text)));
  select.value = value;
  select.addEventListener("change", () => onChange(select.value));
  parent.append(element("label", { class: "control list" }, element("span", {}, label), select));
  return select;
}

export function button(parent, label, onClick) {
  const node = element("button", { type: "button" }, label);
  node.addEventListener("click", onClick);
  parent.append(node);
  return node;
}

/** A place for text about what is seen now, which is read out when it changes. */
export function reading(parent, tag = "p") {
  const node = element(tag, { class: "reading", "aria-live": "polite" });
  parent.append(node);
  return keepHeight(node);
}

/** While its width stays, a text gets no lower than it has been, so that nothing below it jumps. */
export function keepHeight(node) {
  let width = 0;
  new ResizeObserver(([{ contentRect }]) => {
    if (contentRect.width !== width) node.style.minHeight = "";
    width = contentRect.width;
    node.style.minHeight = `${node.getBoundingClientRect().height}px`;
  }).observe(node);
  return node;
}

/**
 * Call `frame()` once for every frame while it runs and the explorable is in view.
 * The caller starts it; where the reader asks for little motion nothing moves by itself.
 */
export function loop(root, frame) {
  let running = false, visible = true, waiting = 0;
  const next = () => {
    waiting = 0;
    if (!running || !visible) return;
    frame();
    waiting = requestAnimationFrame(next);
  };
  const wake = () => { if (running && visible && !waiting) waiting = requestAnimationFrame(next); };
  new IntersectionObserver(([entry]) => {
    visible = entry.isIntersecting;
    wake();
  }).observe(root);
  return {
    get running() { return running; },
    start() {
      running = true;
      hush(root, true);
      wake();
    },
    stop() {
      running = false;
      hush(root, false);
    },
  };
}

/** While something moves, its text is not read out at every frame. */
function hush(root, quiet) {
  root.querySelector(".reading")?.setAttribute("aria-live", quiet ? "off" : "polite");
}
