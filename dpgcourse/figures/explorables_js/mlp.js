// A multilayer perceptron differentiated by hand, as `dpgcourse.gradient.network.MLP` does it.
// Parameters are one Float32Array: each layer's weights W (inputs, outputs), row by row, and then
// its biases. The hidden layers are rectified linear, the last one is linear.
//
// Sums are taken in double precision and stored in single. Four sums run side by side, because
// that is about four times as fast as one.

/** z = x W + b for a batch: x (rows, n), W (n, m), z (rows, m). */
function affine(x, theta, W, n, m, rows, z) {
  const bias = W + n * m;
  for (let row = 0; row < rows; row++) {
    const from = row * n, to = row * m;
    let j = 0;
    for (; j + 3 < m; j += 4) {
      let z0 = theta[bias + j], z1 = theta[bias + j + 1];
      let z2 = theta[bias + j + 2], z3 = theta[bias + j + 3];
      for (let i = 0, w = W + j; i < n; i++, w += m) {
        const value = x[from + i];
        z0 += value * theta[w];
        z1 += value * theta[w + 1];
        z2 += value * theta[w + 2];
        z3 += value * theta[w + 3];
      }
      z[to + j] = z0;
      z[to + j + 1] = z1;
      z[to + j + 2] = z2;
      z[to + j + 3] = z3;
    }
    for (; j < m; j++) {
      let z0 = theta[bias + j];
      for (let i = 0, w = W + j; i < n; i++, w += m) z0 += x[from + i] * theta[w];
      z[to + j] = z0;
    }
  }
}

/** dx = dz Wᵀ for a batch: dz (rows, m), W (n, m), dx (rows, n). */
function pullToInput(dz, theta, W, n, m, rows, dx) {
  for (let row = 0; row < rows; row++) {
    const from = row * m, to = row * n;
    let i = 0;
    for (; i + 3 < n; i += 4) {
      let x0 = 0, x1 = 0, x2 = 0, x3 = 0;
      for (let j = 0, w = W + i * m; j < m; j++, w++) {
        const value = dz[from + j];
        x0 += value * theta[w];
        x1 += value * theta[w + m];
        x2 += value * theta[w + 2 * m];
        x3 += value * theta[w + 3 * m];
      }
      dx[to + i] = x0;
      dx[to + i + 1] = x1;
      dx[to + i + 2] = x2;
      dx[to + i + 3] = x3;
    }
    for (; i < n; i++) {
      let x0 = 0;
      for (let j = 0, w = W + i * m; j < m; j++, w++) x0 += dz[from + j] * theta[w];
      dx[to + i] = x0;
    }
  }
}

/** dW = xᵀ dz and db = the column sums of dz, both summed over the batch. */
function pullToParameters(x, dz, gradient, W, n, m, rows) {
  const bias = W + n * m;
  for (let i = 0; i <= n; i++) { // row n stands for the biases, whose input is 1
    let j = 0;
    for (; j + 3 < m; j += 4) {
      let g0 = 0, g1 = 0, g2 = 0, g3 = 0;
      for (let row = 0, d = j; row < rows; row++, d += m) {
        const value = i < n ? x[row * n + i] : 1;
        g0 += value * dz[d];
        g1 += value * dz[d + 1];
        g2 += value * dz[d + 2];
        g3 += value * dz[d + 3];
      }
      const to = i < n ? W + i * m + j : bias + j;
      gradient[to] = g0;
      gradient[to + 1] = g1;
      gradient[to + 2] = g2;
      gradient[to + 3] = g3;
    }
    for (; j < m; j++) {
      let g0 = 0;
      for (let row = 0; row < rows; row++) g0 += (i < n ? x[row * n + i] : 1) * dz[row * m + j];
      gradient[i < n ? W + i * m + j : bias + j] = g0;
    }
  }
}

/**
 * The shape of a network, and room for one pass of up to `maxRows` inputs through it.
 * `sizes` is [inputs, hidden ..., outputs]; `count` is the number of parameters.
 * `forward` remembers its pass, and the two gradients go back through the pass remembered last.
 * The arrays that the methods return are used again by the next call.
 */
export class MLP {
  constructor(sizes, maxRows) {
    this.count = 0;
    this.layers = [];
    for (let k = 0; k + 1 < sizes.length; k++) {
      const [n, m] = [sizes[k], sizes[k + 1]];
      this.layers.push({
        n, m, W: this.count, input: null,
        output: new Float32Array(maxRows * m),
        dInput: new Float32Array(maxRows * n),
      });
      this.count += (n + 1) * m;
    }
    this.last = this.layers[this.layers.length - 1];
    this.rows = 0;
  }

  /** Outputs (rows, out) for inputs x (rows, in). */
  forward(theta, x, rows) {
    this.rows = rows;
    for (const layer of this.layers) {
      const { n, m, W, output } = layer;
      layer.input = x;
      affine(x, theta, W, n, m, rows, output);
      if (layer !== this.last) {
        for (let i = 0; i < rows * m; i++) if (output[i] < 0) output[i] = 0; // NaN stays NaN
      }
      x = output;
    }
    return x;
  }

  /** Pull g (rows, out) back to the parameters; fills `gradient`, summed over the batch. */
  parameterGradient(theta, g, gradient) {
    let dz = g;
    for (let k = this.layers.length - 1; k >= 0; k--) {
      const { input, n, m, W } = this.layers[k];
      pullToParameters(input, dz, gradient, W, n, m, this.rows);
      if (k > 0) dz = this.pull(theta, dz, k);
    }
  }

  /** Pull g (rows, out) back to the input: (rows, in). */
  inputGradient(theta, g) {
    let dz = g;
    for (let k = this.layers.length - 1; k >= 0; k--) dz = this.pull(theta, dz, k);
    return dz;
  }

  /** Pull dz at the end of layer k back to its beginning, and through the activation there. */
  pull(theta, dz, k) {
    const { input, n, m, W, dInput } = this.layers[k];
    pullToInput(dz, theta, W, n, m, this.rows, dInput);
    if (k > 0) {
      for (let i = 0; i < this.rows * n; i++) if (!(input[i] > 0)) dInput[i] = 0;
    }
    return dInput;
  }

  /**
   * Weights and biases at the start, from U(−1/√inputs, 1/√inputs), and those of the last layer
   * from U(−lastBound, lastBound). `uniform(low, high)` draws one number.
   */
  initialParameters(uniform, lastBound) {
    const theta = new Float32Array(this.count);
    for (const layer of this.layers) {
      const bound = layer === this.last ? lastBound : layer.n ** -0.5;
      const end = layer.W + (layer.n + 1) * layer.m;
      for (let i = layer.W; i < end; i++) theta[i] = uniform(-bound, bound);
    }
    return theta;
  }
}
