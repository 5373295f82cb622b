// Small systems of linear equations, for several explorables.
/** The solution x of a small system of linear equations, by elimination with pivots. */
export function solveLinear(matrix, right) {
  const rows = matrix.map((line, i) => [...line, right[i]]), n = rows.length;
  for (let i = 0; i < n; i++) {
    const pivot = rows.slice(i).reduce((best, line, j) => Math.abs(line[i]) > Math.abs(rows[best][i]) ? i + j : best, i);
    [rows[i], rows[pivot]] = [rows[pivot], rows[i]];
    for (let j = i + 1; j < n; j++) {
      const factor = rows[j][i] / rows[i][i];
      for (let k = i; k <= n; k++) rows[j][k] -= factor * rows[i][k];
    }
  }
  const x = Array(n).fill(0);
  for (let i = n - 1; i >= 0; i--) {
    x[i] = (rows[i][n] - rows[i].reduce((sum, value, j) => j > i && j < n ? sum + value * x[j] : sum, 0)) / rows[i][i];
  }
  return x;
}
