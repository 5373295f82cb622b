"""Chapter 6: a Gaussian policy on a finite chain is a deterministic policy on a smoothed chain.

Averages over the noise are by Gauss-Hermite quadrature, so the stochastic policy's return and its
gradient are as exact as the integrand is smooth.

Source: chapter 6. Silver et al. (2014), Theorem 2, has the limit for general state spaces and noise
of bounded range.
"""

from dataclasses import dataclass

import numpy as np

from dpgcourse.theory.finite_chain import FiniteChain
from dpgcourse.theory.quadrature import gauss_hermite_nodes


@dataclass(frozen=True)
class SmoothedChain(FiniteChain):
    """What the mean of a Gaussian policy N(μ(s,u), σ²I) sees: P and r averaged over its noise.

    A Gaussian policy on a chain is a deterministic policy on this one, so every method of
    `FiniteChain` holds for it, with a being the table of means. Averages are by quadrature.

    Args:
        chain: the chain that the noisy actions act on.
        sigma: standard deviation of every entry of the action, positive.
        count: quadrature nodes per entry of the action.

    Raises:
        ValueError: sigma is not positive, or count is below 1.
    """

    chain: FiniteChain
    sigma: float
    count: int = 40

    def __post_init__(self):
        if not 0 < self.sigma < np.inf:
            raise ValueError(f"sigma is {self.sigma}; allowed: a positive number")
        if self.count < 1:
            raise ValueError(f"count is {self.count}; allowed: at least 1")
        for name in ("p0", "gamma"):
            object.__setattr__(self, name, getattr(self.chain, name))

    def _noise(self, a) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Noisy actions (K, ..., S, m), the nodes behind them (K, m), and weights (K,)."""
        a = np.asarray(a)
        nodes, weights = gauss_hermite_nodes(a.shape[-1], self.count)
        shift = nodes.reshape(len(nodes), *(1,) * (a.ndim - 1), -1)
        return a + self.sigma * shift, nodes, weights

    def _average(self, f, a) -> np.ndarray:
        actions, _, weights = self._noise(a)
        return np.tensordot(weights, f(actions), axes=1)

    def P(self, a) -> np.ndarray:
        """E p(s'|s, a_s + σε), shape (..., S, S)."""
        return self._average(self.chain.P, a)

    def dP_da(self, a) -> np.ndarray:
        """E ∇_a p(s'|s, a_s + σε), shape (..., S, S, m)."""
        return self._average(self.chain.dP_da, a)

    def r(self, a) -> np.ndarray:
        """E r(s, a_s + σε), shape (..., S)."""
        return self._average(self.chain.r, a)

    def dr_da(self, a) -> np.ndarray:
        """E ∇_a r(s, a_s + σε), shape (..., S, m)."""
        return self._average(self.chain.dr_da, a)

    def likelihood_ratio_gradient(self, a, da_du) -> np.ndarray:
        """The stochastic policy gradient Σ_s ρ(s) E[∇_u log π · Q(s, a_s + σε)], shape (n,).

        It differentiates nothing but the logarithm of the policy, ∇_u log π = J_sᵀε/σ.
        """
        actions, nodes, weights = self._noise(a)
        q = self.chain.r(actions) + self.gamma * self.chain.P(actions) @ self.V(a)  # (K, S)
        score_times_q = np.einsum("k,km,ks->sm", weights, nodes, q) / self.sigma
        return np.einsum("s,sm,smn->n", self.rho(a), score_times_q, da_du)
