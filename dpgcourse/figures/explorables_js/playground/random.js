// Random numbers from a seed, the same in every browser.
// The generator is xoshiro128** of Blackman and Vigna (2021), whose state a Weyl sequence through
// the finalizer of MurmurHash3 fills.

export class Random {
  /** A seed gives each `purpose`, a whole number, a stream of its own. */
  constructor(seed, purpose = 0) {
    let weyl = Math.imul(seed, 0x2545f491) ^ Math.imul(purpose + 1, 0x68e31da4);
    this.state = Uint32Array.from({ length: 4 }, () => {
      weyl = (weyl + 0x9e3779b9) | 0;
      let x = weyl;
      x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
      x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
      return x ^ (x >>> 16);
    });
    this.uniform = this.uniform.bind(this);
  }

  /** A whole number from 0 to 2³² − 1. */
  bits() {
    const s = this.state, rotate = (x, k) => (x << k) | (x >>> (32 - k));
    const result = Math.imul(rotate(Math.imul(s[1], 5), 7), 9) >>> 0;
    const shifted = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotate(s[3], 11);
    return result;
  }

  uniform(low, high) { return low + (high - low) * (this.bits() / 2 ** 32); }

  /** A whole number from 0 to n − 1. */
  below(n) { return Math.floor(n * (this.bits() / 2 ** 32)); }

  /** A standard normal number, by Box and Muller (1958). */
  normal() {
    const radius = Math.sqrt(-2 * Math.log((this.bits() + 1) / 2 ** 32));
    return radius * Math.cos(this.uniform(0, 2 * Math.PI));
  }
}
