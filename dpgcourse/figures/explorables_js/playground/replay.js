// The latest transitions, and batches drawn from them with replacement.
import { STATE } from "./networks.js";
import { Batch } from "./ddpg.js";

export class Replay {
  constructor(capacity) {
    this.all = new Batch(capacity);
    this.size = 0;
    this.next = 0; // where the next transition goes; the oldest one makes room
  }

  store(s, a, r, sNext, terminated) {
    const i = this.next, { all } = this;
    all.s.set(s, i * STATE);
    all.a[i] = a;
    all.r[i] = r;
    all.sNext.set(sNext, i * STATE);
    all.terminated[i] = terminated ? 1 : 0;
    this.next = (i + 1) % all.size;
    this.size = Math.max(this.size, i + 1);
  }

  /** Fill a batch with transitions that `below(n)` chooses. */
  draw(batch, below) {
    for (let row = 0; row < batch.size; row++) this.copy(below(this.size), batch, row);
  }

  /** Fill a batch with transitions at equal distances. */
  spread(batch) {
    const last = this.size - 1, gaps = Math.max(1, batch.size - 1);
    for (let row = 0; row < batch.size; row++) {
      this.copy(Math.floor(row / gaps * last), batch, row);
    }
  }

  copy(i, batch, row) {
    const { all } = this;
    for (let k = 0; k < STATE; k++) {
      batch.s[row * STATE + k] = all.s[i * STATE + k];
      batch.sNext[row * STATE + k] = all.sNext[i * STATE + k];
    }
    batch.a[row] = all.a[i];
    batch.r[row] = all.r[i];
    batch.terminated[row] = all.terminated[i];
  }
}
