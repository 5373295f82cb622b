// Charts, sliders and buttons for explorables. Plain JavaScript; nothing is loaded.
// Colors of the book's figures (Okabe and Ito), readable on white and on black.
export const COLORS = {
  actor: "#D55E00", critic: "#0072B2", composite: "#009E73", extra: "#CC79A7", gray: "#808080",
};

const CSS = `
.explorable { margin: 1.25rem 0; padding: .8rem 1rem; border: 1px solid #80808060; border-radius: .5rem; container-type: inline-size; }
.explorable .task { margin: 0 0 .6rem; }
.explorable .charts { display: grid; gap: .75rem; align-items: end; grid-template-columns: repeat(auto-fit, minmax(min(100%, 12.25rem), 1fr)); }
.explorable figure { margin: 0; padding: 0; min-width: 0; }
.explorable .title { font-size: .875rem; line-height: 1.35; margin: 0 0 .2rem; font-variant-numeric: tabular-nums; }
.explorable svg { display: block; width: 100%; height: auto; }
.explorable svg text { font: 12px system-ui, sans-serif; fill: currentColor; }
.explorable svg .frame { stroke: currentColor; opacity: .45; fill: none; }
.explorable svg .grid { stroke: currentColor; opacity: .12; }
.explorable svg .grab { cursor: grab; fill: transparent; }
.explorable .controls { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; margin: .75rem 0; }
.explorable .control { display: flex; flex: 1 1 14rem; gap: .5rem; align-items: center; font-size: .9rem; min-width: 0; max-width: 26rem; }
.explorable .control input[type=range] { flex: 1 1 6rem; width: 6rem; min-width: 3rem; accent-color: ${COLORS.critic}; }
.explorable .control output { min-width: 3.5em; text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.explorable button, .explorable select { font: inherit; font-size: .9rem; padding: .3rem .8rem; border: 1px solid #808080; border-radius: .4rem; background: transparent; color: inherit; cursor: pointer; }
.explorable .control select { min-width: 0; text-overflow: ellipsis; }
.explorable select option { color: #000; background: #fff; }
.explorable button:hover { background: #80808030; }
.explorable button:disabled { opacity: .5; cursor: default; }
.explorable :is(button, select, input):focus-visible { outline: 3px solid ${COLORS.critic}; outline-offset: 2px; }
.explorable .reading { font-variant-numeric: tabular-nums; min-height: 3.2em; margin: .5rem 0 0; }
@media print { .explorable { display: none; } }`;

/** Empty the place of an explorable, and say what to try there. */
export function begin(root, task) {
  if (!document.getElementById("explorable-style")) {
    document.head.append(element("style", { id: "explorable-style" }, CSS));
  }
  root.replaceChildren(element("p", { class: "task" }, element("strong", {}, "Try it. "), task));
  return root;
}

/** An HTML element with attributes and children. */
export function element(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

const drawn = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

function fill(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

/** A number with a fixed count of digits and a real minus; never "−0.00", "NaN" or "Infinity". */
export function fixed(value, digits = 2) {
  if (!Number.isFinite(value)) return "–";
  const text = value.toFixed(digits);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "−");
}

/** "2.00 × 3.00 = 6.00": the product of the numbers as they are shown. */
export function product(factors, digits = 2) {
  const value = factors.reduce((result, x) => result * Number(x.toFixed(digits)), 1);
  return `${factors.map((x) => fixed(x, digits)).join(" × ")} = ${fixed(value, digits)}`;
}

/** At most `count` + 1 round numbers between low and high. */
export function ticks(low, high, count = 5) {
  const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((x) => x * power >= raw);
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, i) =>
    Number(((first + i) * step).toPrecision(12)));
}

export const clamp = (value, [low, high]) => Math.min(Math.max(value, low), high);

/** Whether the reader has asked for little motion. */
export const stillness = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

let charts = 0;

/**
 * A chart with axes. Its marks have names; drawing a mark again moves it.
 * `x` and `y` are the ranges, `tick(value)` writes the numbers at the axes. A `bare` chart has
 * neither axes nor a frame: room for a picture.
 */
export class Chart {
  constructor(parent, { title = "", x, y, xLabel = "", yLabel = "", tick = short, width = 260, height = 190, bare = false }) {
    Object.assign(this, { x, y, tick, width, height, bare, marks: new Map() });
    this.pad = bare ? { left: 0, right: 0, top: 0, bottom: 0 } : { left: 38, right: 10, top: 8, bottom: 34 };
    this.title = element("p", { class: "title" }, title);
    this.svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title });
    const clip = `explorable-clip-${charts++}`, inside = {
      x: this.pad.left, y: this.pad.top,
      width: width - this.pad.left - this.pad.right, height: height - this.pad.top - this.pad.bottom,
    };
    this.svg.append(drawn("clipPath", { id: clip }, drawn("rect", inside)));
    this.axes = drawn("g");
    this.body = drawn("g", { "clip-path": `url(#${clip})` });
    this.svg.append(this.axes, this.body);
    if (!bare) this.svg.append(drawn("rect", { ...inside, class: "frame" }));
    this.svg.append(
      drawn("text", { x: inside.x + inside.width, y: height - 3, "text-anchor": "end" }, xLabel),
      drawn("text", { x: 2, y: 17 }, yLabel));
    this.inside = inside;
    this.range(x, y);
    parent.append(element("figure", {}, this.title, this.svg));
  }

  /** Set the ranges of the axes; marks must be drawn again. */
  range(x, y) {
    Object.assign(this, { x, y });
    this.axes.replaceChildren();
    if (this.bare) return;
    const { left, top } = this.pad, bottom = this.height - this.pad.bottom;
    for (const value of ticks(...x)) {
      const at = this.X(value);
      this.axes.append(drawn("line", { x1: at, x2: at, y1: top, y2: bottom, class: "grid" }),
        drawn("text", { x: at, y: bottom + 14, "text-anchor": "middle" }, this.tick(value)));
    }
    for (const value of ticks(...y)) {
      const at = this.Y(value);
      this.axes.append(drawn("line", { x1: left, x2: this.width - this.pad.right, y1: at, y2: at, class: "grid" }));
      if (at > top + 14) { // the name of the axis stands above
        this.axes.append(drawn("text", { x: left - 4, y: at + 4, "text-anchor": "end" }, this.tick(value)));
      }
    }
  }

  X(value) { return this.inside.x + (value - this.x[0]) / (this.x[1] - this.x[0]) * this.inside.width; }

  Y(value) { return this.inside.y + (this.y[1] - value) / (this.y[1] - this.y[0]) * this.inside.height; }

  /** Add the mark or change it. Numbers that are not finite hide it. */
  mark(name, tag, attributes) {
    let mark = this.marks.get(name);
    if (!mark) {
      mark = drawn(tag);
      this.marks.set(name, mark);
      this.body.append(mark);
    }
    const finite = !Object.values(attributes).some((value) => /NaN|Infinity/.test(value));
    if (finite) fill(mark, attributes, []);
    mark.style.display = finite ? "" : "none";
    return mark;
  }

  hide(name) { this.marks.get(name)?.style.setProperty("display", "none"); }

  /** A line through points [x, y]. */
  curve(name, points, { color = "currentColor", width = 2, dash = "none", opacity = 1 } = {}) {
    const place = ([x, y]) => `${this.X(x).toFixed(1)},${this.Y(y).toFixed(1)}`;
    const inside = points.filter(([x, y]) => Number.isFinite(x) && Number.isFinite(y));
    return this.mark(name, "polyline", { points: inside.map(place).join(" "), fill: "none", stroke: color,
      "stroke-width": width, "stroke-dasharray": dash, opacity, "stroke-linejoin": "round" });
  }

  /** A line through the values of a function at `count` places. */
  graph(name, f, options = {}, count = 120) {
    const at = (i) => this.x[0] + i / count * (this.x[1] - this.x[0]);
    return this.curve(name, Array.from({ length: count + 1 }, (_, i) => [at(i), f(at(i))]), options);
  }

  /** An arrow from one point to another; only its shaft if it is very short. */
  arrow(name, [x1, y1], [x2, y2], { color = "currentColor", width = 2 } = {}) {
    const [a, b, c, d] = [this.X(x1), this.Y(y1), this.X(x2), this.Y(y2)];
    const length = Math.hypot(c - a, d - b), head = Math.min(6, length / 2);
    const [u, v] = length > 0.5 ? [(c - a) / length, (d - b) / length] : [0, 0];
    const tip = (side) => `${c - head * (u - side * v * 0.6)} ${d - head * (v + side * u * 0.6)}`;
    return this.mark(name, "path", { d: `M${a} ${b}L${c} ${d}M${tip(1)}L${c} ${d}L${tip(-1)}`,
      fill: "none", stroke: color, "stroke-width": width, "stroke-linecap": "round" });
  }

  dot(name, x, y, { color = "currentColor", radius = 5 } = {}) {
    return this.mark(name, "circle", { cx: this.X(x), cy: this.Y(y), r: radius, fill: color,
      stroke: "currentColor", "stroke-width": 1 });
  }

  text(name, x, y, text, { anchor = "middle", color = "currentColor" } = {}) {
    const mark = this.mark(name, "text", { x: this.X(x), y: this.Y(y), "text-anchor": anchor });
    mark.style.fill = color;
    mark.textContent = text;
    return mark;
  }

  /** A picture of values, row by row from low y to high y; `color(value)` returns [r, g, b]. */
  heat(name, values, columns, rows, color) {
    const canvas = element("canvas", { width: columns, height: rows });
    const context = canvas.getContext("2d"), picture = context.createImageData(columns, rows);
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        const at = 4 * ((rows - 1 - row) * columns + column);
        picture.data.set([...color(values[row * columns + column]), 255], at);
      }
    }
    context.putImageData(picture, 0, 0);
    const mark = this.mark(name, "image", { ...this.inside, preserveAspectRatio: "none" });
    mark.setAttribute("href", canvas.toDataURL()); // letters in which "NaN" may stand by chance
    return mark;
  }

  /** Call `move(x, y)`, in units of the axes and kept inside, while the pointer is down. */
  drag(move, { both = false } = {}) {
    const area = drawn("rect", { ...this.inside, class: "grab" });
    area.style.touchAction = both ? "none" : "pan-y"; // a swipe up still scrolls the page
    this.svg.append(area);
    const follow = (event) => {
      const box = area.getBoundingClientRect();
      const x = this.x[0] + (event.clientX - box.left) / box.width * (this.x[1] - this.x[0]);
      const y = this.y[1] - (event.clientY - box.top) / box.height * (this.y[1] - this.y[0]);
      move(clamp(x, this.x), clamp(y, this.y));
    };
    area.addEventListener("pointerdown", (event) => {
      area.setPointerCapture(event.pointerId);
      event.preventDefault();
      follow(event);
    });
    area.addEventListener("pointermove", (event) => {
      if (area.hasPointerCapture(event.pointerId)) follow(event);
    });
    return area;
  }

  /** Say in words what the chart shows now, for the line above it and for screen readers. */
  say(text) {
    this.title.textContent = text;
    this.svg.setAttribute("aria-label", text);
  }
}

const short = (value) => String(value).replace("-", "−");

/** Room for charts side by side. */
export function row(root) {
  const node = element("div", { class: "charts" });
  root.append(node);
  return node;
}

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
  const write = () => {
    output.textContent = show(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
  };
  input.value = value;
  input.addEventListener("input", () => {
    write();
    onInput(Number(input.value));
  });
  write();
  parent.append(element("label", { class: "control" }, element("span", {}, label), input, output));
  return {
    input,
    get value() { return Number(input.value); },
    set value(x) {
      input.value = x;
      write();
    },
  };
}

/** A labeled list of options {value: text}. */
export function choice(parent, { label, options, value, onChange }) {
  const select = element("select", {}, ...Object.entries(options).map(([key, text]) =>
    element("option", { value: key }, text)));
  select.value = value;
  select.addEventListener("change", () => onChange(select.value));
  parent.append(element("label", { class: "control" }, element("span", {}, label), select));
  return select;
}

export function button(parent, label, onClick) {
  const node = element("button", { type: "button" }, label);
  node.addEventListener("click", onClick);
  parent.append(node);
  return node;
}

/** A line of text below the charts. It keeps its height, and is read out when it changes. */
export function reading(root) {
  const node = element("p", { class: "reading", "aria-live": "polite" });
  root.append(node);
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
