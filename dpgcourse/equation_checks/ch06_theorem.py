"""Chapter 6: The deterministic policy gradient theorem."""

from fractions import Fraction

import numpy as np
import sympy
import torch

from dpgcourse.equation_checks.entry import Estimate, entry
from dpgcourse.equation_checks.examples import autograd, extrapolate
from dpgcourse.gradient.composite import TanhActor
from dpgcourse.gradient.derivative_checks import central_difference, complex_step
from dpgcourse.theory.finite_chain import FiniteChain, SoftmaxChain
from dpgcourse.theory.gradient_variance import likelihood_ratio_variance, pathwise_variance
from dpgcourse.theory.quadrature import gauss_hermite_nodes
from dpgcourse.theory.smoothed_chain import SmoothedChain

# Two states ---------------------------------------------------------------------------------------

TWO = SoftmaxChain(
    logits=np.zeros((2, 2)),
    tilt=np.array([[[0.0], [1.0]], [[0.0], [0.0]]]),
    base=[0.0, 1.0],
    favorite=np.zeros((2, 1)),
    p0=[1.0, 0.0],
    gamma=0.5,
)
ZERO = np.zeros((2, 1))


@entry("eq-theorem-hand", "theorem", FiniteChain.dQ_da, draws=1)
def by_hand(rng):
    """In the state low, a change of the first action alone changes the value by 1/8 per unit."""
    a, half = sympy.symbols("a"), sympy.Rational(1, 2)
    up = 1 / (1 + sympy.exp(-a))
    Q_low = -(a**2) / 2 + half * ((1 - up) * half + up * 3 * half)

    def first_action(a):
        return TWO.Q(ZERO, np.array([[1.0], [0.0]]) * a)[0]

    return {
        "formula": TWO.dQ_da(ZERO)[0, 0],
        "by hand": 0.5 * 0.25 * 1,
        "sympy": float(Q_low.diff(a).subs(a, 0)),
        "central differences": central_difference(first_action, 0.0),
        "complex step": complex_step(first_action, 0.0),
    }


# Finitely many states -----------------------------------------------------------------------------


class _Example:
    """A chain of five states, a tanh actor on two features, and two parameters u and v."""

    def __init__(self, rng, m=2, gamma=0.9):
        shapes = {"logits": (5, 5), "tilt": (5, 5, m), "base": 5, "favorite": (5, m)}
        arrays = {name: rng.normal(size=shape) for name, shape in shapes.items()}
        self.chain = SoftmaxChain(**arrays, p0=rng.dirichlet(np.ones(5)), gamma=gamma)
        self.actor, self.features = TanhActor(2, m), rng.normal(size=(5, 2))
        self.u, self.v = 0.5 * rng.normal(size=(2, 2 * m))
        self.a, self.b = self.mu(self.u), self.mu(self.v)
        self.da_du = self.actor.da_du(self.features, self.u)

    def mu(self, u):
        return self.actor.mu(self.features, u)

    def visits(self, a):
        """The sum of γ^t Pr(s_t = s), term by term, for the actions a."""
        P, row, total = self.chain.P(a), self.chain.p0, np.zeros(5)
        for _ in range(400):
            total, row = total + row, self.chain.gamma * row @ P
        return total

    def values(self, a):
        """The expected rewards of 400 steps from every state, discounted and added up."""
        V = np.zeros(5)
        for _ in range(400):
            V = self.chain.r(a) + self.chain.gamma * self.chain.P(a) @ V
        return V

    def torch(self, a, sigma=None):
        """P (5, 5) and r (5,) written again in PyTorch; with sigma, averaged over the noise."""
        c, weights, a = self.chain, torch.ones(1, dtype=torch.float64), a[None]
        if sigma is not None:
            nodes, weights = (torch.tensor(x) for x in gauss_hermite_nodes(a.shape[-1], 30))
            a = a + sigma * nodes[:, None]
        tilt, favorite = torch.tensor(c.tilt), torch.tensor(c.favorite)
        P = torch.softmax(torch.tensor(c.logits) + torch.einsum("ijm,kim->kij", tilt, a), dim=-1)
        r = torch.tensor(c.base) - ((a - favorite) ** 2).sum(-1) / 2
        return torch.tensordot(weights, P, 1), weights @ r

    def torch_values(self, u, sigma=None):
        """Values (5,) of the policy u, by PyTorch."""
        m = self.a.shape[1]
        P, r = self.torch(torch.tanh(torch.tensor(self.features) @ u.reshape(m, 2).T), sigma)
        return torch.linalg.solve(torch.eye(5, dtype=torch.float64) - self.chain.gamma * P, r)

    def torch_J(self, u, sigma=None):
        return torch.tensor(self.chain.p0) @ self.torch_values(u, sigma)


@entry("eq-theorem-total", "theorem", FiniteChain.dV_du)
def total(rng):
    """The total derivative is the local one plus γ times the mean of the next total one."""
    x = _Example(rng)
    totals = x.chain.dV_du(x.a, x.da_du)
    jacobian = torch.autograd.functional.jacobian(x.torch_values, torch.tensor(x.u))
    return {
        "formula": x.chain.local_gradient(x.a, x.da_du) + 0.9 * x.chain.P(x.a) @ totals,
        "central differences": central_difference(lambda u: x.chain.V(x.mu(u)), x.u),
        "complex step": complex_step(lambda u: x.chain.V(x.mu(u)), x.u),
        "autograd": jacobian.numpy(),
    }


@entry("eq-theorem-unrolled", "theorem", draws=1)
def unrolled(rng):
    """The total derivative is the local one, 1/8, summed over the discounted visits to low."""

    def value(actions):  # of the state low, with one action per step
        V = np.zeros(2)
        for u in actions[::-1]:
            p = 1 / (1 + np.exp(-u))
            V = np.array([0, 1]) - u**2 / 2 + 0.5 * np.array([[1 - p, p], [0.5, 0.5]]) @ V
        return V[0]

    coin, at, gains = np.full((2, 2), 0.5), np.array([1.0, 0.0]), []
    for t in range(60):
        gains.append(0.5**t * at[0] / 8)
        at = at @ coin
    moved = complex_step(value, np.zeros(60)), central_difference(value, np.zeros(60))
    return {
        "formula": [1 / 8, 1 / 32, 1 / 64, 3 / 16],
        "series": [*gains[:3], sum(gains)],
        "complex step": [*moved[0][:3], moved[0].sum()],
        "central differences": [*moved[1][:3], moved[1].sum()],
    }


@entry(
    "eq-theorem-definitions",
    "definition",
    FiniteChain.V,
    FiniteChain.Q,
    FiniteChain.rho,
    FiniteChain.J,
)
def definitions(rng):
    """Values, action values, discounted visits and the return solve linear equations."""
    x = _Example(rng)
    c, V = x.chain, x.values(x.a)
    return {
        "formula": np.hstack([c.V(x.a), c.Q(x.a, x.b), c.rho(x.a), c.J(x.a)]),
        "series": np.hstack([V, c.r(x.b) + 0.9 * c.P(x.b) @ V, x.visits(x.a), c.p0 @ V]),
    }


@entry("eq-theorem-dpg", "theorem", FiniteChain.dJ_du, FiniteChain.dQ_da, FiniteChain.rho)
def dpg(rng):
    """The gradient of the return is the local gradients weighted by the discounted visits."""
    x = _Example(rng)
    c, V = x.chain, torch.tensor(x.values(x.a))

    def first_actions(a):  # each changes the value of its own state alone
        P, r = x.torch(a)
        return (r + 0.9 * P @ V).sum()

    def differentiated(method):
        g = method(lambda tried: c.Q(x.a, tried).sum(), x.a)
        return np.hstack([method(lambda u: c.J(x.mu(u)), x.u), g.ravel()])

    by_torch = autograd(x.torch_J, x.u), autograd(first_actions, x.a).ravel()
    return {
        "formula": np.hstack([c.dJ_du(x.a, x.da_du), c.dQ_da(x.a).ravel()]),
        "central differences": differentiated(central_difference),
        "complex step": differentiated(complex_step),
        "autograd": np.hstack(by_torch),
    }


@entry("eq-theorem-difference", "identity", FiniteChain.Q, FiniteChain.rho)
def difference(rng):
    """The returns differ by the new policy's visits times its gains in the old values, exactly."""
    x = _Example(rng)
    V_u, V_v = x.values(x.a), x.values(x.b)
    gains = x.chain.Q(x.a, x.b) - x.chain.Q(x.a, x.a)
    ahead = x.chain.r(x.b) + 0.9 * x.chain.P(x.b) @ V_u - V_u
    return {
        "formula": np.hstack([x.chain.rho(x.b) @ gains, gains]),
        "series": np.hstack([x.chain.p0 @ (V_v - V_u), ahead]),
    }


@entry("eq-theorem-gain", "theorem", FiniteChain.local_gradient)
def gain(rng):
    """To first order the gain in a state is its local gradient times the step."""
    x = _Example(rng)
    direction, own = x.v - x.u, x.chain.Q(x.a, x.a)

    def gains(h):
        return x.chain.Q(x.a, x.mu(x.u + h * direction)) - own

    return {
        "formula": x.chain.local_gradient(x.a, x.da_du) @ direction,
        "limit": extrapolate(lambda h: gains(h) / h),
        "complex step": complex_step(gains, 0.0),
    }


@entry("eq-theorem-visits", "identity", FiniteChain.rho)
def visits(rng):
    """The change of the visits is γ times the new visits, the change of P, and the old inverse."""
    x = _Example(rng)
    N = np.linalg.inv(np.eye(5) - 0.9 * x.chain.P(x.a))
    change = x.chain.P(x.b) - x.chain.P(x.a)
    return {
        "formula": 0.9 * x.chain.rho(x.b) @ change @ N,
        "series": x.visits(x.b) - x.visits(x.a),
    }


# The circle ---------------------------------------------------------------------------------------


def _wrapped(center, variance, s):
    """Density at s of a normal variable on the circle, added up over 11 turns."""
    away = s - center + np.arange(-5, 6).reshape(-1, *(1,) * np.ndim(s - center))
    return np.exp(-(away**2) / (2 * variance)).sum(0) / np.sqrt(2 * np.pi * variance)


def _circle_integrals(u, eta, start, variance, gamma=0.9, N=128):
    """Points s, action gradients g_s and visits ρ, by sums over the circle, not cosine series.

    For periodic smooth functions such sums converge faster than any power of N.
    """
    s = np.arange(N) / N
    center = ((2 * s + u) % 1)[:, None]
    p = _wrapped(center, eta**2, s) / N
    V = np.linalg.solve(np.eye(N) - gamma * p, np.cos(2 * np.pi * s))
    slope = complex_step(lambda a: _wrapped(center + a, eta**2, s) / N @ V, 0.0)
    visits = np.linalg.solve((np.eye(N) - gamma * p).T, _wrapped(start, variance, s) / N)
    return s, gamma * slope, visits


def _circle_terms(s, variance, later, eta, gamma=0.9, terms=12):
    """γ^t E cos 2πs_t of s_{t+1} = 2s_t + later + noise, one after the other; s may be complex."""
    out = []
    for t in range(terms):
        out.append(gamma**t * np.exp(-2 * np.pi**2 * variance) * np.cos(2 * np.pi * s))
        s, variance = 2 * s + later, 4 * variance + eta**2
    return out


def _circle_slope(s, u, eta):
    """The action gradient of the circle as the page writes it, of the shape of s."""
    total = np.zeros_like(s)
    for t in range(1, 9):
        d = np.exp(-2 * np.pi**2 * eta**2 * (4.0**t - 1) / 3)
        alpha = 2 * np.pi * (2**t * s + (2**t - 1) * u)
        total -= 2 * np.pi * 0.9**t * d * 2 ** (t - 1) * np.sin(alpha)
    return total


@entry("eq-theorem-integral", "theorem")
def integral(rng):
    """On a continuous state space the theorem holds with an integral over the visits."""
    u, eta, start = rng.uniform(0.02, 0.08), 0.1, rng.uniform(0.1, 0.2)
    _, g, visits = _circle_integrals(u, eta, start, 0.1**2)
    s, collected = start + 0.1 * rng.normal(size=80_000), np.zeros(80_000)
    for t in range(6):  # later the state is uniform, and the mean of g is zero
        collected = collected + 0.9**t * _circle_slope(s, u, eta)
        s = 2 * s + u + eta * rng.normal(size=s.shape)
    return {
        "formula": visits @ g,
        "complex step": complex_step(lambda u: sum(_circle_terms(start, 0.1**2, u, eta)), u),
        "Monte Carlo": Estimate(collected.mean(), collected.std() / len(s) ** 0.5),
    }


@entry("eq-theorem-doubling", "identity")
def doubling(rng):
    """A step doubles the angle and adds the action, so that t steps add (2^t − 1)u."""
    s, u = (Fraction(int(k), 1021) for k in rng.integers(1, 1021, size=2))
    path, turned = [s], [np.exp(2j * np.pi * float(s))]
    for _ in range(8):
        path.append((2 * path[-1] + u) % 1)
        turned.append(turned[-1] ** 2 * np.exp(2j * np.pi * float(u)))
    t = np.arange(9)
    angle = 2 * np.pi * (2.0**t * float(s) + (2.0**t - 1) * float(u))
    places = [2 * np.pi * float(x) for x in path]
    return {
        "formula": [np.cos(places), np.sin(places)],
        "closed form": [np.cos(angle), np.sin(angle)],
        "simulation": [np.real(turned), np.imag(turned)],
    }


@entry("eq-theorem-weierstrass", "theorem")
def weierstrass(rng):
    """Without noise and at u = 0 the value is Weierstrass's function, and Q follows from it."""
    k, a = (int(x) for x in rng.integers(1, 31, size=2))  # in units of 1/31 of a turn

    def cosine(k):
        return np.cos(2 * np.pi * (k % 31) / 31)

    def V(k):
        return sum(0.9**t * cosine(2**t * k) for t in range(400))

    def discounted_sum(k, a):  # the first action is a, all later ones are 0
        total = cosine(k)
        for t in range(1, 400):
            k, a = (2 * k + a) % 31, 0
            total += 0.9**t * cosine(k)
        return total

    # 2⁵ = 1 modulo 31: every path repeats after five steps
    cycles = [sum(0.9**t * cosine(2**t * k) for t in range(5)) / (1 - 0.9**5) for k in range(31)]
    return {
        "formula": [V(k), cosine(k) + 0.9 * V(2 * k + a)],
        "closed form": [cycles[k], cosine(k) + 0.9 * cycles[(2 * k + a) % 31]],
        "simulation": [discounted_sum(k, 0), discounted_sum(k, a)],
    }


@entry("eq-theorem-damped", "theorem")
def damped(rng):
    """Noise damps the term of step t, and the later the step, the more."""
    eta, s, t = rng.uniform(0.03, 0.06), rng.uniform(0.02, 0.1), np.arange(4)
    x, weight = np.polynomial.hermite_e.hermegauss(60)
    turns = [np.exp(2j * np.pi * 2**j * eta * x) @ weight / weight.sum() for j in t]
    path, paid = np.full(20_000, s), []
    for k in t:
        paid.append(0.9**k * np.cos(2 * np.pi * path))
        path = 2 * path + eta * rng.normal(size=path.shape)
    rotated = [np.exp(2j * np.pi * 2**k * s) * np.prod(turns[:k]) for k in t]
    damping = np.exp(-2 * np.pi**2 * eta**2 * (4.0**t - 1) / 3)
    spread = np.maximum(np.std(paid, axis=1), 1e-12)  # the first term is not random
    return {
        "formula": 0.9**t * damping * np.cos(2 * np.pi * 2.0**t * s),
        "quadrature": 0.9**t * np.real(rotated),
        "Monte Carlo": Estimate(np.mean(paid, axis=1), spread / 20_000**0.5),
    }


@entry("eq-theorem-circle", "theorem")
def circle(rng):
    """With noise the circle's action gradient is a sum of damped sines."""
    u, eta = rng.uniform(0.02, 0.08), 0.1
    s, by_sums, _ = _circle_integrals(u, eta, 0.0, 1.0)

    def later_rewards(a):
        return 0.9 * sum(_circle_terms(2 * s + a, eta**2, u, eta))

    return {
        "formula": _circle_slope(s, u, eta),
        "quadrature": by_sums,
        "complex step": complex_step(later_rewards, u),
    }


# Noise in the action ------------------------------------------------------------------------------


def _trapezoid(m, count):
    """Points and weights for means over a standard normal vector, without Hermite polynomials."""
    x = np.linspace(-9, 9, count)
    weight = np.exp(-(x**2) / 2) / np.exp(-(x**2) / 2).sum()
    points = np.stack(np.meshgrid(*[x] * m), axis=-1).reshape(-1, m)
    return points, np.prod(np.stack(np.meshgrid(*[weight] * m), axis=-1), axis=-1).ravel()


@entry("eq-theorem-smoothed", "definition", SmoothedChain.P, SmoothedChain.r)
def smoothed(rng):
    """The smoothed chain has the probabilities and rewards averaged over the noise."""
    x, sigma = _Example(rng), rng.uniform(0.2, 0.6)
    smooth = SmoothedChain(x.chain, sigma)

    def table(a):  # (..., 5, 6): probabilities, and the reward
        return np.concatenate([x.chain.P(a), x.chain.r(a)[..., None]], axis=-1)

    points, weights = _trapezoid(2, 91)
    drawn = table(x.a + sigma * rng.normal(size=(40_000, 1, 2)))
    return {
        "formula": np.column_stack([smooth.P(x.a), smooth.r(x.a)]),
        "quadrature": np.tensordot(weights, table(x.a + sigma * points[:, None]), 1),
        "Monte Carlo": Estimate(drawn.mean(0), drawn.std(0) / 200),
    }


@entry(
    "eq-theorem-stochastic",
    "theorem",
    SmoothedChain.dJ_du,
    SmoothedChain.likelihood_ratio_gradient,
)
def stochastic(rng):
    """A noisy policy's gradient is the mean of ∇Q, and also the mean of Q ∇ log π."""
    x, sigma = _Example(rng, m=1), rng.uniform(0.2, 0.5)
    smooth = SmoothedChain(x.chain, sigma)
    lines = smooth.dJ_du(x.a, x.da_du), smooth.likelihood_ratio_gradient(x.a, x.da_du)

    def J(u):
        return smooth.J(x.mu(u))

    return {
        "formula": lines,
        "central differences": [central_difference(J, x.u)] * 2,
        "complex step": [complex_step(J, x.u)] * 2,
        "autograd": [autograd(lambda u: x.torch_J(u, sigma), x.u)] * 2,
    }


@entry("eq-theorem-gap", "estimate", SmoothedChain.likelihood_ratio_gradient)
def gap(rng):
    """The gradients with and without noise differ by a multiple of σ²."""
    x = _Example(rng, m=1)
    exact = x.chain.dJ_du(x.a, x.da_du)

    def distance(sigma):
        smooth = SmoothedChain(x.chain, sigma)
        return np.linalg.norm(smooth.likelihood_ratio_gradient(x.a, x.da_du) - exact)

    return {"formula": 2.0, "order": np.log2(distance(0.02) / distance(0.01))}


class _Bandit:
    """A quadratic bandit with three action entries, at the policy's mean θ."""

    def __init__(self, rng):
        C = rng.normal(size=(3, 3))
        self.C = C @ C.T / 3 + 0.5 * np.eye(3)
        self.best, self.theta = rng.normal(size=(2, 3))
        self.r_theta = self.r(self.theta)
        self.g = -2 * self.C @ (self.theta - self.best)

    def r(self, a):
        miss = a - self.best
        return -np.einsum("...i,ij,...j->...", miss, self.C, miss)

    def torch_r(self, a):
        miss = a - torch.tensor(self.best)
        return -miss @ torch.tensor(self.C) @ miss

    def estimates(self, eps, sigma):
        """The page's three samples, (3, ..., 3)."""
        a = self.theta + sigma * eps
        r, slope = self.r(a)[..., None], -2 * (a - self.best) @ self.C
        return np.stack([eps / sigma * r, eps / sigma * (r - self.r_theta), slope])


@entry("eq-theorem-estimates", "theorem")
def estimates(rng):
    """The three one-sample estimates; the mean of each is the gradient of r at u."""
    x, eps, sigma = _Bandit(rng), rng.normal(size=3), rng.uniform(0.3, 1)
    points, weights = _trapezoid(3, 37)
    means = np.einsum("k,gki->gi", weights, x.estimates(points, sigma))
    a, theta = torch.tensor(x.theta + sigma * eps), torch.tensor(x.theta)
    score = autograd(lambda mean: -((a - mean) ** 2).sum() / (2 * sigma**2), x.theta)
    r, r_theta = float(x.torch_r(a)), float(x.torch_r(theta))
    g = autograd(x.torch_r, x.theta)
    # The reward is quadratic, so each sample has a finite expansion around θ.
    baseline = eps * (x.g @ eps - sigma * eps @ x.C @ eps)
    expanded = baseline + eps * x.r_theta / sigma, baseline, x.g - 2 * sigma * x.C @ eps
    return {
        "formula": [*x.estimates(eps, sigma), *means],
        "closed form": [*expanded, *[x.g] * 3],
        "autograd": [score * r, score * (r - r_theta), autograd(x.torch_r, a), *[g] * 3],
    }


@entry("eq-theorem-variances", "theorem", likelihood_ratio_variance, pathwise_variance)
def variances(rng):
    """The variances of the one-sample estimates: without a baseline, with it, and pathwise."""
    x, sigma = _Bandit(rng), rng.uniform(0.3, 1)
    points, weights = _trapezoid(3, 37)
    exact = np.einsum("k,gki->g", weights, (x.estimates(points, sigma) - x.g) ** 2)
    drawn = ((x.estimates(rng.normal(size=(100_000, 3)), sigma) - x.g) ** 2).sum(-1)
    free, centered = (
        likelihood_ratio_variance(x.g, x.C, x.r_theta, sigma, baseline=b) for b in (False, True)
    )
    return {
        "formula": [free, centered, pathwise_variance(x.C, sigma)],
        "quadrature": exact,
        "Monte Carlo": Estimate(drawn.mean(1), drawn.std(1) / 100_000**0.5),
    }


@entry("eq-theorem-moments", "theorem")
def moments(rng):
    """Moments of a normal vector: a factor |ε|² multiplies the mean by m plus the degree."""
    C = _Bandit(rng).C
    points, weights = _trapezoid(3, 37)
    form = np.einsum("ki,ij,kj->k", points, C, points)
    square, own = (points**2).sum(1), np.linalg.eigvalsh(C)
    pairs = [(i, j) for i in range(3) for j in range(3)]
    squared = sum(own[i] * own[j] * (3 if i == j else 1) for i, j in pairs)  # E ε⁴ = 3
    trace, trace_2 = np.trace(C), np.trace(C @ C)
    return {
        "formula": [5 * trace, 7 * (trace**2 + 2 * trace_2)],
        "closed form": [5 * own.sum(), 7 * squared],
        "quadrature": [weights @ (square * form), weights @ (square * form**2)],
    }


@entry("eq-theorem-cost", "estimate", FiniteChain.rho, FiniteChain.dQ_da)
def cost(rng):
    """For small σ the noise changes the return by σ²/2 times the curvature of Q at the visits."""
    x = _Example(rng)
    curvature = complex_step(lambda a: x.chain.dQ_da(x.a, a), x.a)
    laplacian = np.einsum("smsm->s", curvature)

    def change(variance):
        return (SmoothedChain(x.chain, variance**0.5).J(x.a) - x.chain.J(x.a)) / variance

    u = torch.tensor(x.u)
    by_torch = torch.autograd.functional.hessian(
        lambda sigma: x.torch_J(u, sigma), torch.tensor(0.0, dtype=torch.float64)
    )
    return {
        "formula": x.chain.rho(x.a) @ laplacian / 2,
        "limit": extrapolate(change, h=0.02),
        "autograd": by_torch.numpy() / 2,
    }
