"""Chapter 8: Off-policy, and compatible critics."""

from dataclasses import replace

import numpy as np
import torch

from dpgcourse.envs.lqr import LQREnv
from dpgcourse.equation_checks import lqr_examples as ex
from dpgcourse.equation_checks.entry import entry
from dpgcourse.equation_checks.examples import autograd
from dpgcourse.gradient.composite import TanhActor
from dpgcourse.gradient.derivative_checks import central_difference, complex_step
from dpgcourse.theory import off_policy
from dpgcourse.theory.bandit import ESTIMATORS, Bandit, actor_direction, fit_critic, run_bandit
from dpgcourse.theory.compatible import compatible_Q, compatible_weights
from dpgcourse.theory.finite_chain import FiniteChain, SoftmaxChain
from dpgcourse.theory.lqr import LQR


class _Chain:
    """A chain of five states with a tanh actor, and the visits of a behavior."""

    def __init__(self, rng, gamma=0.8):
        shapes = {"logits": (5, 5), "tilt": (5, 5, 2), "base": 5, "favorite": (5, 2)}
        arrays = {name: rng.normal(size=shape) for name, shape in shapes.items()}
        self.chain = SoftmaxChain(**arrays, p0=rng.dirichlet(np.ones(5)), gamma=gamma)
        self.gamma, self.features, self.u = gamma, rng.normal(size=(5, 2)), rng.normal(size=4)
        self.behavior, self.actor = rng.normal(size=(5, 2)), TanhActor(2, 2)
        self.a = self.actor.mu(self.features, self.u)
        self.da_du = self.actor.da_du(self.features, self.u)
        self.visits = self.discounted_visits(self.chain.p0, self.behavior)

    def discounted_visits(self, start, a):
        """Discounted visits to each state from a start distribution, step by step."""
        P, at, total = self.chain.P(a), start, 0.0
        for t in range(200):
            total, at = total + self.gamma**t * at, at @ P
        return total

    def values(self, a):
        """Value of each state, by value iteration over 200 steps."""
        P, r, V = self.chain.P(a), self.chain.r(a), np.zeros(5)
        for _ in range(200):
            V = r + self.gamma * P @ V
        return V

    def now_and_later(self, u, v):
        """Values added up over the behavior's visits: u acts in the first step, v afterward."""
        a, later = (self.actor.mu(self.features, x) for x in (u, v))
        return self.visits @ (self.chain.r(a) + self.gamma * self.chain.P(a) @ self.values(later))

    def torch_now_and_later(self, u, v):
        """The same sum, written again in PyTorch."""
        logits, tilt, base, favorite, features, visits = (
            torch.as_tensor(x)
            for x in (
                *(getattr(self.chain, name) for name in ("logits", "tilt", "base", "favorite")),
                self.features,
                self.visits,
            )
        )

        def P_and_r(u):
            a = torch.tanh(features @ torch.as_tensor(u).reshape(2, 2).T)
            P = torch.softmax(logits + (tilt * a[:, None, :]).sum(-1), dim=1)
            return P, base - ((a - favorite) ** 2).sum(1) / 2

        (P, r), (P_later, r_later) = P_and_r(u), P_and_r(v)
        eye = torch.eye(5, dtype=torch.float64)
        V = torch.linalg.solve(eye - self.gamma * P_later, r_later)
        return visits @ (r + self.gamma * P @ V)


@entry("eq-offpolicy-objective", "definition", FiniteChain.V, FiniteChain.rho)
def objective(rng):
    """The value of the policy, summed over the discounted visits of the behavior."""
    x = _Chain(rng)
    by_state = x.discounted_visits(x.visits, x.a)  # the policy starts from each visit
    return {
        "formula": x.chain.rho(x.behavior) @ x.chain.V(x.a),
        "series": by_state @ x.chain.r(x.a),
    }


@entry("eq-offpolicy-split", "theorem", FiniteChain.local_gradient, FiniteChain.dV_du)
def split(rng):
    """The kept part is the effect of u on the first step; the dropped part, on all later steps."""
    x = _Chain(rng)
    kept = x.visits @ x.chain.local_gradient(x.a, x.da_du)
    dropped = x.gamma * x.visits @ x.chain.P(x.a) @ x.chain.dV_du(x.a, x.da_du)

    def slopes(derivative):
        return [
            derivative(lambda u: x.now_and_later(u, x.u), x.u),
            derivative(lambda v: x.now_and_later(x.u, v), x.u),
        ]

    return {
        "formula": [kept, dropped],
        "central differences": slopes(central_difference),
        "complex step": slopes(complex_step),
    }


@entry("eq-offpolicy-visits", "theorem", FiniteChain.rho)
def visits(rng):
    """The discounted visits of the policy when it starts from the visits of the behavior."""
    x = _Chain(rng)
    started = replace(x.chain, p0=(1 - x.gamma) * x.visits)  # p0 must be a distribution
    taken_over = started.rho(x.a) / (1 - x.gamma)
    series = x.discounted_visits(x.visits, x.a)
    return {
        "formula": [taken_over, x.visits + x.gamma * taken_over @ x.chain.P(x.a)],
        "series": [series, series],
    }


@entry("eq-offpolicy-theorem", "theorem", FiniteChain.local_gradient)
def exact_gradient(rng):
    """The exact gradient weights the products by the policy's visits, the kept part by beta's."""
    x = _Chain(rng)
    products = x.chain.local_gradient(x.a, x.da_du)

    def slopes(derivative):
        return [
            derivative(lambda u: x.now_and_later(u, u), x.u),
            derivative(lambda u: x.now_and_later(u, x.u), x.u),
        ]

    return {
        "formula": [x.discounted_visits(x.visits, x.a) @ products, x.visits @ products],
        "central differences": slopes(central_difference),
        "complex step": slopes(complex_step),
        "autograd": [
            autograd(lambda u: x.torch_now_and_later(u, u), x.u),
            autograd(lambda u: x.torch_now_and_later(u, x.u), x.u),
        ],
    }


# ---- linear systems, in closed form ----


class _Linear:
    """A linear system with a policy, and a noisy behavior with another gain."""

    def __init__(self, rng):
        self.lqr, self.K = ex.random_lqr(rng)
        self.K_b, self.variance = ex.another_gain(rng, self.lqr, self.K), rng.uniform(0.2, 1)
        BB = self.lqr.B @ self.lqr.B.T
        self.pushed = replace(self.lqr, W=self.lqr.W + self.variance * BB)
        self.visits = ex.run(self.pushed, self.K_b, self.lqr.Sigma0)[1]
        # the policy starts from visits of total weight 1/(1 − γ), and so does its noise
        self.taken_over = replace(self.lqr, W=self.lqr.W / (1 - self.lqr.gamma))

    def now_and_later(self, K, L):
        """𝒥_β with gain K in the first step after taking over and L afterward."""
        system, first = self.taken_over, self.lqr.A - self.lqr.B @ K
        cost = ((system.M + K.T @ system.R @ K) * self.visits).sum()
        moved = first @ self.visits @ first.T + system.W
        return -cost + system.gamma * ex.run(system, L, moved)[0]

    def slopes(self, derivative):
        """Slopes by a numerical derivative: over both gains, over the first, over the later."""
        return [
            derivative(lambda K: self.now_and_later(K, K), self.K),
            derivative(lambda K: self.now_and_later(K, self.K), self.K),
            derivative(lambda L: self.now_and_later(self.K, L), self.K),
        ]


@entry("eq-offpolicy-J-beta", "theorem", off_policy.J_beta)
def J_beta(rng):
    """For linear systems the objective is −tr(PΣ^β) − c/(1 − γ)."""
    x = _Linear(rng)
    lqr, K, g = x.lqr, x.K, x.lqr.gamma
    F, N, _, _ = ex.parts(lqr, K)
    source = x.visits + g / (1 - g) ** 2 * lqr.W
    s, start = (
        rng.normal(size=(15_000, 3)) @ np.linalg.cholesky(lqr.Sigma0).T,
        np.zeros((15_000, 3)),
    )
    takeover = rng.geometric(1 - g, size=15_000) - 1  # step t with probability (1 − γ)γ^t
    root = np.linalg.cholesky(x.pushed.W).T
    for t in range(takeover.max() + 1):
        start[takeover == t] = s[takeover == t]
        s = s @ (lqr.A - lqr.B @ x.K_b).T + rng.normal(size=s.shape) @ root
    sampled = ex.sampled_return(lqr, ex.simulate(lqr, K, start, rng))
    return {
        "formula": off_policy.J_beta(lqr, K, x.visits),
        "series": ex.run(x.taken_over, K, x.visits)[0],
        "closed form": -np.trace(ex.sum_by_eigenvectors(F.T, N, g) @ source),
        "Monte Carlo": ex.estimate(sampled / (1 - g)),
    }


@entry("eq-offpolicy-moment", "theorem", off_policy.total_moment)
def moment(rng):
    """The second moments when the policy starts from the behavior's visits, with all noise."""
    x = _Linear(rng)
    lqr, g, F = x.lqr, x.lqr.gamma, x.lqr.A - x.lqr.B @ x.K
    total, source = off_policy.total_moment(lqr, x.K, x.visits), g / (1 - g) ** 2 * lqr.W
    series = ex.run(x.taken_over, x.K, x.visits)[1]
    by_vectors = ex.sum_by_eigenvectors(F, x.visits + source, g)
    return {
        "formula": [total, x.visits + source + g * F @ total @ F.T],
        "series": [series, series],
        "closed form": [by_vectors, by_vectors],
    }


@entry(
    "eq-offpolicy-lqr",
    "theorem",
    off_policy.exact_gradient,
    off_policy.kept_gradient,
    off_policy.dropped_gradient,
)
def exact_kept_dropped(rng):
    """Exact, kept and dropped gradient are −2E times the moments of all, first and later states."""
    x = _Linear(rng)
    parts = (off_policy.exact_gradient, off_policy.kept_gradient, off_policy.dropped_gradient)
    total, twice_E = ex.run(x.taken_over, x.K, x.visits)[1], 2 * ex.page_E(x.lqr, x.K)
    return {
        "formula": [part(x.lqr, x.K, x.visits) for part in parts],
        "by hand": [-twice_E @ S for S in (total, x.visits, total - x.visits)],
        "central differences": x.slopes(central_difference),
        "complex step": x.slopes(complex_step),
    }


@entry("eq-offpolicy-inner", "theorem", LQR.E, off_policy.total_moment)
def inner(rng):
    """The rate at which a small step along the kept gradient changes the objective."""
    x = _Linear(rng)
    E, total = x.lqr.E(x.K), off_policy.total_moment(x.lqr, x.K, x.visits)
    kept = x.slopes(complex_step)[1]
    size = np.linalg.norm(kept)

    def along(t):
        K = x.K + t * kept / size
        return x.now_and_later(K, K)

    return {
        "formula": 4 * np.trace(E @ x.visits @ total @ E.T),
        "central differences": size * central_difference(along, 0.0),
        "complex step": size * complex_step(along, 0.0),
    }


@entry("eq-offpolicy-gust", "definition", LQREnv.step)
def gust(rng):
    """A point on a line that the wind pushes once, at the start."""
    matrices = [[0, 0], [1, 1]], [[0], [1]], np.eye(2), [[1]]
    env = LQREnv(LQR(*matrices, gamma=0.9))
    y, x, a = rng.normal(size=3)
    env.reset(options={"state": [y, x]})
    s_next, r, *_ = env.step([a])
    by_hand = [0, x + y + a, -(x * x + y * y + a * a), 0.9]
    return {"formula": [*s_next, r, env.system.gamma], "by hand": by_hand}


@entry("eq-offpolicy-noisy", "theorem", off_policy.kept_gradient, off_policy.behavior_moment)
def own_noise(rng):
    """If the behavior is the policy plus noise, kept is the gradient of the noisy return."""
    lqr, K = ex.random_lqr(rng)
    variance = rng.uniform(0.5, 2)
    visits = off_policy.behavior_moment(lqr, K, variance * np.eye(2))
    pushed = replace(lqr, W=lqr.W + variance * lqr.B @ lqr.B.T)
    return {"formula": off_policy.kept_gradient(lqr, K, visits), **ex.slopes_of_return(pushed, K)}


# ---- importance weights ----


def _normal(a, mean, sd):
    return np.exp(-(((a - mean) / sd) ** 2) / 2) / (sd * np.sqrt(2 * np.pi))


@entry("eq-offpolicy-weights", "theorem")
def importance_weights(rng):
    """A mean over π is a mean over β in which every action is weighted by π/β."""
    mean, tau, sigma = rng.uniform(0.3, 1), rng.uniform(0.6, 0.9), rng.uniform(1, 1.3)

    def weighted(a):
        return _normal(a, mean, tau) / _normal(a, 0, sigma) * (2 + np.sin(a) + a**2)

    grid = np.linspace(-12, 12, 4001)
    nodes, probabilities = np.polynomial.hermite_e.hermegauss(40)
    a = mean + tau * nodes
    by_nodes = probabilities / np.sqrt(2 * np.pi) @ (2 + np.sin(a) + a**2)
    return {
        "formula": (weighted(grid) * _normal(grid, 0, sigma)).sum() * (grid[1] - grid[0]),
        "closed form": 2 + np.exp(-(tau**2) / 2) * np.sin(mean) + mean**2 + tau**2,
        "quadrature": by_nodes,
        "Monte Carlo": ex.estimate(weighted(sigma * rng.normal(size=40_000))),
    }


@entry("eq-offpolicy-second-moment", "theorem")
def second_moment(rng):
    """The second moment of the importance weight of two normal policies."""
    m, sigma, tau, means = 3, rng.uniform(1, 1.3), rng.uniform(0.7, 0.9), rng.normal(size=3) / 2
    v, distance = 2 * sigma**2 - tau**2, np.linalg.norm(means)
    grid = np.linspace(-15, 15, 4001)
    squares = [_normal(grid, x, tau) ** 2 / _normal(grid, 0, sigma) for x in means]
    draws = sigma * rng.normal(size=(100_000, 3))
    omega = (_normal(draws, means, tau) / _normal(draws, 0, sigma)).prod(1)
    return {
        "formula": (sigma**2 / (tau * v**0.5)) ** m * np.exp(distance**2 / v),
        "quadrature": np.prod([square.sum() * (grid[1] - grid[0]) for square in squares]),
        "Monte Carlo": ex.estimate(omega**2),
    }


# ---- compatible critics ----


@entry("eq-offpolicy-compatible", "definition", compatible_Q)
def compatible(rng):
    """The simplest compatible critic is linear in the action, a weight for each parameter of u."""
    actor, s, u, a, w, V = (TanhActor(3, 2), *(rng.normal(size=n) for n in (3, 6, 2, 6)), 0.7)
    mu = [np.tanh(sum(u[3 * j + i] * s[i] for i in range(3))) for j in range(2)]
    slope = [
        sum((1 - mu[j] ** 2) * s[i] * w[3 * j + i] for i in range(3)) for j in range(2)
    ]  # entry j of a depends on row j of the weights alone
    return {
        "formula": compatible_Q(a, actor.mu(s, u), actor.da_du(s, u), w, V),
        "by hand": sum((a[j] - mu[j]) * slope[j] for j in range(2)) + V,
    }


def _regression(rng, states):
    """Jacobians (states, 2, 6) and slopes (states, 2), the weights of the states, and the loss."""
    J, g = rng.normal(size=(states, 2, 6)), rng.normal(size=(states, 2))
    rho = rng.uniform(0.5, 2, size=states)

    def torch_loss(w):
        miss = torch.as_tensor(J) @ w - torch.as_tensor(g)
        return (torch.as_tensor(rho)[:, None] * miss**2).sum()

    return J, g, rho, torch_loss


@entry("eq-offpolicy-normal", "theorem", compatible_weights)
def normal_equations(rng):
    """The slopes of the compatible critic give the same policy gradient as the true slopes."""
    J, g, rho, torch_loss = _regression(rng, states=2)  # too few states to determine the weights
    root = np.sqrt(rho)[:, None]
    w = compatible_weights(root[..., None] * J, root * g)
    return {
        "formula": np.einsum("s,smn,sm->n", rho, J, J @ w),
        "by hand": sum(rho[i] * J[i].T @ g[i] for i in range(2)),
        "autograd": -autograd(torch_loss, np.zeros(6)) / 2,
    }


@entry("eq-offpolicy-natural", "theorem", compatible_weights)
def natural(rng):
    """The compatible weights are the natural gradient: the inverse metric times the gradient."""
    J, g, rho, torch_loss = _regression(rng, states=12)
    root = np.sqrt(rho)[:, None]
    metric = sum(rho[i] * J[i].T @ J[i] for i in range(12))
    zero = torch.zeros(6, dtype=torch.float64)
    hessian = torch.autograd.functional.hessian(torch_loss, zero).numpy()
    return {
        "formula": compatible_weights(root[..., None] * J, root * g),
        "by hand": np.linalg.inv(metric) @ sum(rho[i] * J[i].T @ g[i] for i in range(12)),
        "autograd": -np.linalg.solve(hessian, autograd(torch_loss, zero)),
    }


# ---- the bandit ----


@entry("eq-offpolicy-bandit", "definition", Bandit.cost, Bandit.eigenvalues)
def bandit(rng):
    """The reward falls with the squared distance from the best action, in the metric of C."""
    a = rng.normal(size=7)
    cost = sum((0.1 if j < 3 else 1.0) * (a[j] - 4) ** 2 for j in range(7))
    return {"formula": -Bandit(7).cost(a), "by hand": -cost}


def _three_updates(theta, eps, sigma, alpha):
    """θ after one update of each actor, as the page writes them; m = 4, eps is (8, 4)."""
    r = -(np.array([0.1, 0.1, 1, 1]) * (theta + sigma * eps - 4) ** 2).sum(1)
    *w, w_0 = np.linalg.lstsq(np.column_stack([sigma * eps, np.ones(8)]), r, rcond=None)[0]
    q = [sigma * eps[i] @ w + w_0 for i in range(8)]
    return [
        theta + alpha * np.array(w),
        theta + alpha * sum(eps[i] / sigma * q[i] for i in range(8)) / 8,
        theta + alpha * sum(eps[i] / sigma * (q[i] - w_0) for i in range(8)) / 8,
    ]


@entry("eq-offpolicy-bandit-steps", "rule", run_bandit, actor_direction, fit_critic)
def bandit_steps(rng):
    """Three actors use one critic: its slope, its values times the score, the same without w₀."""
    task, theta, eps = Bandit(4), rng.normal(size=4), rng.normal(size=(8, 4))
    sigma, alpha, seed = rng.uniform(0.3, 1), rng.uniform(0.05, 0.3), int(rng.integers(99))
    slopes, constants = fit_critic(sigma * eps[None], -task.cost(theta + sigma * eps)[None])
    updates, costs, key = [], [], []
    for j, estimator in enumerate(ESTIMATORS):
        direction = actor_direction(estimator, sigma * eps[None], slopes, constants, sigma)[0]
        updates.append(theta + alpha * direction)
        draws = np.random.default_rng(seed)
        costs.append(run_bandit(task, estimator, alpha, sigma, 16, 1, draws)[-1, 0])
        at = np.zeros(4)
        for same in np.random.default_rng(seed).normal(size=(2, 8, 4)):
            at = _three_updates(at, same, sigma, alpha)[j]
        key.append((0.1 * (at[:2] - 4) ** 2).sum() + ((at[2:] - 4) ** 2).sum())
    return {
        "formula": [*np.ravel(updates), *costs],
        "by hand": [*np.ravel(_three_updates(theta, eps, sigma, alpha)), *key],
    }
