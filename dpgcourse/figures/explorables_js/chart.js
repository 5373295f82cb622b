// A chart whose marks can be moved.
import { drawn, element, fill, keepHeight } from "./kit.js";
import { clamp, ticks } from "./numbers.js";

let charts = 0;

/**
 * A chart with axes. Its marks have names; drawing a mark again moves it.
 * `x` and `y` are the ranges, `tick(value)` writes the numbers at the axes, `xTick` those at the
 * lower one. A `bare` chart has neither axes nor a frame: room for a picture.
 */
export class Chart {
  constructor(parent, { title = "", x, y, xLabel = "", yLabel = "", tick = plainTick, xTick = tick, width = 260, height = 190, bare = false }) {
    Object.assign(this, { x, y, tick, xTick, width, height, bare, marks: new Map() });
    this.pad = bare ? { left: 0, right: 0, top: 0, bottom: 0 }
      : { left: 44, right: 10, top: yLabel ? 22 : 8, bottom: 35 };
    this.title = keepHeight(element("p", { class: "title" }, title));
    this.svg = drawn("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title });
    const clip = `explorable-clip-${charts++}`, inside = {
      x: this.pad.left, y: this.pad.top,
      width: width - this.pad.left - this.pad.right, height: height - this.pad.top - this.pad.bottom,
    };
    this.svg.append(drawn("clipPath", { id: clip }, drawn("rect", inside)));
    this.axes = drawn("g");
    this.body = drawn("g", { "clip-path": `url(#${clip})` });
    this.whole = drawn("g"); // dots and words are not cut off at the frame
    this.svg.append(this.axes, this.body);
    if (!bare) this.svg.append(drawn("rect", { ...inside, class: "frame" }));
    this.svg.append(this.whole,
      drawn("text", { x: inside.x + inside.width, y: height - 3, "text-anchor": "end" }, xLabel),
      drawn("text", { x: 2, y: 11 }, yLabel));
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
        drawn("text", { x: at, y: bottom + 16, "text-anchor": "middle" }, this.xTick(value)));
    }
    for (const value of ticks(...y)) {
      const at = this.Y(value);
      this.axes.append(drawn("line", { x1: left, x2: this.width - this.pad.right, y1: at, y2: at, class: "grid" }),
        drawn("text", { x: left - 4, y: at + 4, "text-anchor": "end" }, this.tick(value)));
    }
  }

  X(value) { return this.inside.x + (value - this.x[0]) / (this.x[1] - this.x[0]) * this.inside.width; }

  Y(value) { return this.inside.y + (this.y[1] - value) / (this.y[1] - this.y[0]) * this.inside.height; }

  /** Add the mark or change it. Numbers that are not finite hide it. */
  mark(name, tag, attributes, layer = this.body) {
    let mark = this.marks.get(name);
    if (!mark) {
      mark = drawn(tag);
      this.marks.set(name, mark);
      layer.append(mark);
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

  /** Whether a point lies in the ranges of the axes. */
  shows(x, y) {
    const within = (value, [low, high]) => value >= low - 1e-9 && value <= high + 1e-9;
    return within(x, this.x) && within(y, this.y);
  }

  /** A dot; it is hidden where the axes do not reach. */
  dot(name, x, y, { color = "currentColor", radius = 5 } = {}) {
    const mark = this.mark(name, "circle", { cx: this.X(x), cy: this.Y(y), r: radius, fill: color,
      stroke: "currentColor", "stroke-width": 1 }, this.whole);
    if (!this.shows(x, y)) this.hide(name);
    return mark;
  }

  /** A word at a point; it is hidden where the axes do not reach. */
  text(name, x, y, text, { anchor = "middle", color = "currentColor" } = {}) {
    const mark = this.mark(name, "text", { x: this.X(x), y: this.Y(y), "text-anchor": anchor }, this.whole);
    if (!this.shows(x, y)) this.hide(name);
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

const plainTick = (value) => String(value).replace("-", "−");

