// The scalar example of the front page: a = u s, Q = -(a - w s)^2, and their composite.
// Three small charts with a tangent each, a slider for u, and a button that takes one step uphill.
function mount(root, { s, u, w, rate }) {
  const start = u;
  const mu = (u) => u * s, Q = (a) => -((a - w * s) ** 2);
  const range = [-0.5, 3.5], axis = [-1, 7]; // of u; of every horizontal axis, so slopes compare
  const charts = [
    { title: "action a over u", f: mu, slope: () => s, at: (u) => u, x: axis, y: [-2, 14], color: "#D55E00", xn: "u", name: "∂a/∂u" },
    { title: "value Q over a", f: Q, slope: (a) => -2 * (a - w * s), at: mu, x: axis, y: [-17, 2], color: "#0072B2", xn: "a", name: "∂Q/∂a" },
    { title: "composite ℓ over u", f: (u) => Q(mu(u)), slope: (u) => -2 * (mu(u) - w * s) * s, at: (u) => u, x: axis, y: [-17, 2], color: "#009E73", xn: "u", name: "∂ℓ/∂u" },
  ];
  const W = 220, H = 150, pad = 16;
  root.innerHTML = `<style>
    .explorable { margin: 1rem 0; }
    .explorable .charts { display: flex; flex-wrap: wrap; gap: .75rem; }
    .explorable figure { margin: 0; flex: 1 1 200px; max-width: 260px; }
    .explorable figcaption { font-size: .75rem; font-variant-numeric: tabular-nums; }
    .explorable svg { width: 100%; height: auto; border: 1px solid #8888; border-radius: 4px; }
    .explorable .controls { display: flex; flex-wrap: wrap; gap: .75rem; align-items: center; margin: .75rem 0; }
    .explorable input[type=range] { flex: 1 1 180px; max-width: 320px; }
    .explorable button { padding: .3rem .8rem; }
    .explorable p.reading { font-variant-numeric: tabular-nums; }
  </style>
  <div class="charts">${charts.map((c, i) => `<figure><figcaption data-i="${i}"></figcaption><svg viewBox="0 0 ${W} ${H}" role="img" data-i="${i}"></svg></figure>`).join("")}</div>
  <div class="controls">
    <label for="two-slopes-u">policy parameter u</label>
    <input id="two-slopes-u" type="range" min="${range[0]}" max="${range[1]}" step="0.05">
    <button type="button" data-do="step">Step uphill</button>
    <button type="button" data-do="reset">Start again</button>
  </div>
  <p class="reading" aria-live="polite"></p>`;
  const slider = root.querySelector("input"), reading = root.querySelector(".reading");
  const num = (v) => (Object.is(Math.round(v * 100), -0) ? 0 : v).toFixed(2).replace("-", "−");

  function draw() {
    charts.forEach((c, i) => {
      const X = (x) => pad + ((x - c.x[0]) / (c.x[1] - c.x[0])) * (W - 2 * pad);
      const Y = (y) => H - pad - ((y - c.y[0]) / (c.y[1] - c.y[0])) * (H - 2 * pad);
      const x0 = c.at(u), y0 = c.f(x0), m = c.slope(x0), reach = (c.x[1] - c.x[0]) / 6;
      const points = [...Array(61).keys()].map((k) => {
        const x = c.x[0] + (k / 60) * (c.x[1] - c.x[0]);
        return `${X(x).toFixed(1)},${Y(c.f(x)).toFixed(1)}`;
      });
      const svg = root.querySelector(`svg[data-i="${i}"]`);
      svg.setAttribute("aria-label", `${c.title}: slope ${c.name} is ${num(m)} at ${c.xn} = ${num(x0)}`);
      root.querySelector(`figcaption[data-i="${i}"]`).textContent = `${c.title}: slope ${num(m)}`;
      svg.innerHTML = `<clipPath id="two-slopes-clip-${i}"><rect width="${W}" height="${H}"/></clipPath>
        <g clip-path="url(#two-slopes-clip-${i})">
        <polyline fill="none" stroke="${c.color}" stroke-width="2" points="${points.join(" ")}"/>
        <line x1="${X(x0 - reach)}" y1="${Y(y0 - m * reach)}" x2="${X(x0 + reach)}" y2="${Y(y0 + m * reach)}" stroke="currentColor" stroke-width="1.5" stroke-dasharray="4 3"/>
        <circle cx="${X(x0)}" cy="${Y(y0)}" r="5" fill="${c.color}" stroke="currentColor"/></g>
        <text x="${X(0)}" y="${H - 5}" font-size="11" text-anchor="middle" fill="currentColor">0</text>
        <text x="${X(6)}" y="${H - 5}" font-size="11" text-anchor="middle" fill="currentColor">6</text>
        <text x="${W - 6}" y="${H - 5}" font-size="11" text-anchor="end" fill="currentColor">${c.xn}</text>
`;
    });
    const [da, dQ, dl] = charts.map((c) => c.slope(c.at(u)));
    slider.value = u;
    reading.textContent = `u = ${num(u)}: ∂Q/∂a × ∂a/∂u = ${num(dQ)} × ${num(da)} = ${num(dl)} = ∂ℓ/∂u, and ℓ = ${num(Q(mu(u)))}.`;
  }
  slider.addEventListener("input", () => { u = +slider.value; draw(); });
  root.querySelector('[data-do="step"]').addEventListener("click", () => { u += rate * charts[2].slope(u); draw(); });
  root.querySelector('[data-do="reset"]').addEventListener("click", () => { u = start; draw(); });
  draw();
}
