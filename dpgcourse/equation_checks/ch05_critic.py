"""Chapter 5: The critic."""

import copy

import numpy as np
import torch

from dpgcourse.envs.lqr import LQREnv
from dpgcourse.equation_checks.entry import Estimate, entry
from dpgcourse.equation_checks.examples import autograd, extrapolate
from dpgcourse.gradient.derivative_checks import central_difference, complex_step
from dpgcourse.theory import td
from dpgcourse.theory.lqr import LQR
from dpgcourse.theory.quadrature import gauss_hermite_nodes

GAMMA = 0.9


def _scalar(W: float) -> LQR:
    """The chapter's task with one state and one action."""
    one = [[1.0]]
    return LQR(A=one, B=one, M=one, R=one, gamma=GAMMA, W=[[W]])


def _pair(rng) -> tuple[LQR, np.ndarray]:
    """A task with two states and two actions like the chapter's, and a gain."""
    A = np.array([[1.0, 0.2], [-0.1, 0.9]]) + 0.1 * rng.normal(size=(2, 2))
    B = np.array([[0.5, 0.1], [0.0, 0.4]])
    task = LQR(A, B, M=np.eye(2), R=np.diag([0.5, 0.2]), gamma=GAMMA, W=0.05 * np.eye(2))
    return task, 0.4 * np.eye(2) + 0.1 * rng.normal(size=(2, 2))


def _moments(task: LQR, K, s, a, sigma: float = 0.0):
    """Expected return from (s, a): mean and covariance of the state, step by step.

    Afterward the actions are −Ks plus normal noise of scale sigma.
    """
    cost = task.M + K.T @ task.R @ K
    F, noise = task.A - task.B @ K, task.W + sigma**2 * task.B @ task.B.T
    total = -(s @ task.M @ s + a @ task.R @ a)
    mean, covariance = task.A @ s + task.B @ a, task.W
    for t in range(1, 400):
        expected = mean @ cost @ mean + np.trace(cost @ covariance) + sigma**2 * np.trace(task.R)
        total = total - GAMMA**t * expected
        mean, covariance = F @ mean, F @ covariance @ F.T + noise
    return total


def _rollouts(task: LQR, K, s, a, rng, count: int = 4000) -> Estimate:
    """Mean return from each (s, a), from rollouts with normal noise."""
    root = np.linalg.cholesky(task.W)
    s, a, total = (np.repeat(x[:, None], count, axis=1) for x in (s, a, np.zeros(len(s))))
    for t in range(160):
        total = total - GAMMA**t * (((s @ task.M) * s).sum(-1) + ((a @ task.R) * a).sum(-1))
        s = s @ task.A.T + a @ task.B.T + rng.normal(size=s.shape) @ root.T
        a = -s @ K.T
    return Estimate(total.mean(1), total.std(1) / count**0.5)


def _quadratic(K: float, W: float, sigma: float = 0.0) -> np.ndarray:
    """Weights of s², sa, a², 1 in the value of −Ks plus noise, for the scalar task."""
    p = (1 + K**2) / (1 - GAMMA * (1 - K) ** 2)
    later = (sigma**2 + GAMMA * p * (sigma**2 + W)) / (1 - GAMMA)
    return -np.array([1 + GAMMA * p, 2 * GAMMA * p, 1 + GAMMA * p, GAMMA * (p * W + later)])


def _transitions(rng):
    """Six transitions with three features, the last one ending the task, and their plain rows."""
    phi, phi_next = rng.normal(size=(2, 6, 3))
    r, p = rng.normal(size=6), rng.dirichlet(np.full(6, 5.0))
    data = td.Transitions(phi, r, phi_next, terminated=[0, 0, 0, 0, 0, 1], weights=p)
    return data, (phi, r, np.vstack([phi_next[:-1], np.zeros((1, 3))]), p)


def _half_square(rows, w, v):
    """Mean of δ²/2 with the value from w and the target from v; arrays or tensors."""
    phi, r, phi_next, p = rows
    return ((r + GAMMA * phi_next @ v - phi @ w) ** 2 @ p) / 2


def _tensors(rows) -> list[torch.Tensor]:
    return [torch.tensor(x) for x in rows]


@entry("eq-critic-bellman", "theorem", LQR.Q)
def bellman(rng):
    """The true value is the mean of the reward plus γ times the next true value, at a′ = μ(s′)."""
    task, K = _pair(rng)
    s, a = rng.normal(size=(2, 3, 2))
    z, p = gauss_hermite_nodes(2)
    s_next = (s @ task.A.T + a @ task.B.T)[:, None] + z @ np.sqrt(task.W)
    r = -(((s @ task.M) * s).sum(1) + ((a @ task.R) * a).sum(1))
    return {
        "formula": (r[:, None] + GAMMA * task.Q(K, s_next, -s_next @ K.T)) @ p,
        "series": [_moments(task, K, *x) for x in zip(s, a, strict=True)],
        "Monte Carlo": _rollouts(task, K, s, a, rng),
    }


@entry("eq-critic-task", "definition", LQREnv.step)
def task(rng):
    """The next state is state + action + noise; the reward is minus both squares."""
    env, K = LQREnv(_scalar(W=0.1)), rng.uniform(0.2, 0.6)
    s = env.reset(seed=int(rng.integers(1000)))[0]
    noise = 0.1**0.5 * copy.deepcopy(env.np_random).standard_normal()
    s_next, r, *_ = env.step(-K * s)
    return {
        "formula": [s_next[0], r],
        "by hand": [s[0] - K * s[0] + noise, -(s[0] ** 2) - (K * s[0]) ** 2],
    }


@entry("eq-critic-target", "definition", td.td_target, td.td_error)
def target(rng):
    """The target is the reward plus γ times the critic's own next value, and δ = y − Q."""
    data, rows = _transitions(rng)
    w = rng.normal(size=3)
    y, delta = [], []
    for phi, r, phi_next, _ in zip(*rows, strict=True):
        y.append(r + GAMMA * sum(w[i] * phi_next[i] for i in range(3)))
        delta.append(y[-1] - sum(w[i] * phi[i] for i in range(3)))
    return {
        "formula": [td.td_target(w, data, GAMMA), td.td_error(w, data, GAMMA)],
        "by hand": [y, delta],
    }


@entry("eq-critic-update", "rule", td.semi_gradient)
def update(rng):
    """TD(0) moves w along δ ∇Q, which moves the critic's value toward its target."""
    phi, phi_next, w = rng.normal(size=(3, 3))
    r, alpha = rng.normal(), 0.1
    y = r + GAMMA * (phi_next[0] * w[0] + phi_next[1] * w[1] + phi_next[2] * w[2])
    delta = y - (phi[0] * w[0] + phi[1] * w[1] + phi[2] * w[2])
    half_square = autograd(lambda v: (y - torch.tensor(phi) @ v) ** 2 / 2, w)
    one = td.Transitions(phi=[phi], r=[r], phi_next=[phi_next])
    return {
        "formula": w + alpha * td.semi_gradient(w, one, GAMMA),
        "by hand": [w[i] + alpha * delta * phi[i] for i in range(3)],
        "autograd": w - alpha * half_square,
    }


@entry("eq-critic-semi", "theorem", td.semi_gradient)
def semi_gradient(rng):
    """With the target held constant, δφ is minus the gradient of δ²/2."""
    data, rows = _transitions(rng)
    w = rng.normal(size=3)
    tensors, v = _tensors(rows), torch.tensor(w)
    return {
        "formula": td.semi_gradient(w, data, GAMMA),
        "central differences": -central_difference(lambda x: _half_square(rows, x, w), w),
        "complex step": -complex_step(lambda x: _half_square(rows, x, w), w),
        "autograd": -autograd(lambda x: _half_square(tensors, x, v), w),
    }


@entry("eq-critic-residual", "theorem", td.residual_gradient)
def residual_gradient(rng):
    """With the target differentiated too, minus the gradient of δ²/2 is δ(φ − γφ′)."""
    data, rows = _transitions(rng)
    w, tensors = rng.normal(size=3), _tensors(rows)
    return {
        "formula": td.residual_gradient(w, data, GAMMA),
        "central differences": -central_difference(lambda x: _half_square(rows, x, x), w),
        "complex step": -complex_step(lambda x: _half_square(rows, x, x), w),
        "autograd": -autograd(lambda x: _half_square(tensors, x, x), w),
    }


@entry("eq-critic-matrix", "definition", td.semi_gradient_matrix, td.semi_gradient)
def mean_step(rng):
    """G and b are the matrix and the constant of the mean step b − Gw."""
    data, (phi, r, phi_next, p) = _transitions(rng)
    G, b, rows = np.zeros((3, 3)), np.zeros(3), range(6)
    for k in rows:
        G += p[k] * np.outer(phi[k], phi[k] - GAMMA * phi_next[k])
        b += p[k] * r[k] * phi[k]

    def step(w):
        return sum(p[k] * (r[k] + GAMMA * phi_next[k] @ w - phi[k] @ w) * phi[k] for k in rows)

    slope = complex_step(step, rng.normal(size=3))
    constant = td.semi_gradient(np.zeros(3), data, GAMMA)
    return {
        "formula": np.vstack([td.semi_gradient_matrix(data, GAMMA), constant]),
        "by hand": np.vstack([G, b]),
        "complex step": np.vstack([-slope, step(np.zeros(3))]),
    }


@entry("eq-critic-residual-fixed", "theorem", td.residual_fixed_point)
def residual_fixed(rng):
    """The mean residual gradient is zero where the mean of δ² is smallest."""
    data, rows = _transitions(rng)
    phi, r, phi_next, p = rows
    root, tensors = np.sqrt(p), _tensors(rows)

    def mean_square(w):
        return _half_square(tensors, w, w)

    zero = torch.zeros(3, dtype=torch.float64)
    hessian = torch.autograd.functional.hessian(mean_square, zero).numpy()
    fitted = np.linalg.lstsq(root[:, None] * (phi - GAMMA * phi_next), root * r, rcond=None)[0]
    return {
        "formula": td.residual_fixed_point(data, GAMMA),
        "closed form": fitted,
        "autograd": -np.linalg.inv(hessian) @ autograd(mean_square, np.zeros(3)),
    }


@entry("eq-critic-split", "identity", td.td_error)
def split(rng):
    """The mean of δ² in the task where A leads to B or to C."""
    A, B, C = w = rng.normal(size=3)
    now, zero = np.eye(3), np.zeros(3)
    data = td.Transitions(
        phi=now[[0, 0, 1, 2]],
        r=[0, 0, 1, 0],
        phi_next=[now[1], now[2], zero, zero],
        terminated=[0, 0, 1, 1],
    )
    coin = rng.random(40_000) < 0.5
    value, reward = np.where(coin, B, C), np.where(coin, 1.0, 0.0)
    episodes = ((value - A) ** 2 + (reward - value) ** 2) / 2
    return {
        "formula": data.weights @ td.td_error(w, data, gamma=1) ** 2,
        "by hand": ((B - A) ** 2 + (C - A) ** 2 + (1 - B) ** 2 + C**2) / 4,
        "Monte Carlo": Estimate(episodes.mean(), episodes.std() / 200),
    }


@entry("eq-critic-double", "theorem", td.td_error, td.td_target)
def double_sampling(rng):
    """The mean of δ² at one (s, a) is the squared mean of δ plus the variance of the target."""
    phi, w, phi_next = rng.normal(size=3), rng.normal(size=3), rng.normal(size=(4, 3))
    r, p = rng.normal(size=4), rng.dirichlet(np.full(4, 5.0))
    data = td.Transitions(np.tile(phi, (4, 1)), r, phi_next, weights=p)
    delta, y = td.td_error(w, data, GAMMA), td.td_target(w, data, GAMMA)
    squares = [(r[k] + GAMMA * phi_next[k] @ w - phi @ w) ** 2 for k in range(4)]
    drawn = np.array(squares)[rng.choice(4, size=40_000, p=p)]
    return {
        "formula": (p @ delta) ** 2 + p @ (y - p @ y) ** 2,
        "by hand": sum(p[k] * squares[k] for k in range(4)),
        "Monte Carlo": Estimate(drawn.mean(), drawn.std() / 200),
    }


@entry("eq-critic-slope", "theorem", td.quadratic_dQ_da)
def slope(rng):
    """With the features s², sa, a² and 1 the slope in the action is w₂s + 2w₃a."""
    w, s, a = rng.normal(size=4), rng.normal(size=5), rng.normal(size=5)

    def values(a):
        return (w[0] * s * s + w[1] * s * a + w[2] * a * a + w[3]).sum()

    return {
        "formula": td.quadratic_dQ_da(w, s[:, None], a[:, None])[:, 0],
        "by hand": [w[1] * s[k] + 2 * w[2] * a[k] for k in range(5)],
        "central differences": central_difference(values, a),
        "complex step": complex_step(values, a),
    }


@entry("eq-critic-whose", "theorem", td.semi_gradient_fixed_point)
def whose_action(rng):
    """The policy that chooses a′ in the target is the one whose value is learned."""
    W, sigma, K, K_old = 0.1, 0.5, rng.uniform(0.3, 0.6), rng.uniform(0.0, 0.2)
    z, p = gauss_hermite_nodes(4)
    s, a = z[:, :1], -K_old * z[:, :1] + sigma * z[:, 1:2]
    s_next = s + a + W**0.5 * z[:, 2:3]
    r, learned = -(s**2 + a**2)[:, 0], []
    for a_next in (-K * s_next, -K_old * s_next + sigma * z[:, 3:]):
        phi, phi_next = td.quadratic_features(s, a), td.quadratic_features(s_next, a_next)
        data = td.Transitions(phi, r, phi_next, weights=p)
        learned.append(td.semi_gradient_fixed_point(data, GAMMA))
    points = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.0]])
    products = np.array([[x * x, x * y, y * y, 1.0] for x, y in points])
    returns = [
        [_moments(_scalar(W), np.array([[k]]), x[:1], x[1:], noise) for x in points]
        for k, noise in ((K, 0.0), (K_old, sigma))
    ]
    return {
        "formula": learned,
        "closed form": [_quadratic(K, W), _quadratic(K_old, W, sigma)],
        "series": np.linalg.solve(products, np.array(returns).T).T,
    }


def _ripple(rng):
    """A task and gain, a point (s, a), and a ripple's height and frequency."""
    task, K = _scalar(W=0.1), np.array([[rng.uniform(0.2, 0.6)]])
    return task, K, *rng.normal(size=(2, 1)), rng.uniform(0.02, 0.1), rng.uniform(5, 20)


@entry("eq-critic-ripple", "definition", LQR.Q)
def ripple(rng):
    """This critic is the true value plus a ripple of height δ_Q and frequency ω."""
    task, K, s, a, delta_Q, omega = _ripple(rng)
    added = delta_Q * np.exp(1j * omega * a[0]).imag
    return {
        "formula": task.Q(K, s, a) + delta_Q * np.sin(omega * a[0]),
        "series": _moments(task, K, s, a) + added,
    }


@entry("eq-critic-ripple-slope", "theorem", LQR.dQ_da)
def ripple_slope(rng):
    """A ripple of height δ_Q changes the slope by up to δ_Q ω."""
    task, K, s, a, delta_Q, omega = _ripple(rng)

    def rippled(a):
        return task.Q(K, s, a) + delta_Q * np.sin(omega * a[0])

    def by_moments(a):
        return _moments(task, K, s, a) + delta_Q * np.sin(omega * a[0])

    return {
        "formula": task.dQ_da(K, s, a) + delta_Q * omega * np.cos(omega * a),
        "central differences": central_difference(rippled, a),
        "complex step": complex_step(by_moments, a),
    }


def _arcs(h):
    """The ratio sup|e′| / √(sup|e| · sup|e″|) of a wave of parabolas, corners in e″ rounded by h.

    A quarter of it: e(0) = 0, e″ falls from 0 to −1 until h and stays there until 1, e′(1) = 0.
    """
    steepest = h / 2 + (1 - h)
    return steepest / np.sqrt(steepest * h - h**2 / 6 + (1 - h) ** 2 / 2)


def _ripples(rng):
    """The same ratio for a sum of four sines, with the sums of their bounds in the denominator."""
    height, freq, phase = rng.uniform(0.1, 3, size=(3, 4))
    x = np.linspace(-5, 5, 1001)[:, None]
    steepest = np.abs((height * freq * np.cos(freq * x + phase)).sum(1)).max()
    return steepest / np.sqrt(height.sum() * (height * freq**2).sum())


@entry("eq-critic-curvature", "estimate")
def curvature(rng):
    """An error below δ_Q with second derivative below c has a slope below √(2 δ_Q c)."""
    delta_Q, c = rng.uniform(0.1, 2, size=2)
    shares = [_arcs(h) for h in (0.5, 0.1, 0.01)] + [_ripples(rng) for _ in range(100)]
    return {
        "formula": np.sqrt(2 * delta_Q * c),
        "worst case": max(shares) * np.sqrt(delta_Q * c),
        "limit": extrapolate(_arcs) * np.sqrt(delta_Q * c),  # the supremum: no smaller bound holds
    }


@entry("eq-critic-angle", "identity")
def angle(rng):
    """The cosine is the ascent along the learned gradient, divided by the steepest ascent."""
    task, K = _pair(rng)
    s = rng.normal(size=(5, 2))
    a = -s @ K.T
    g, g_true = td.quadratic_dQ_da(rng.normal(size=11), s, a), task.dQ_da(K, s, a)
    turned = np.angle((g[:, 0] + 1j * g[:, 1]) / (g_true[:, 0] + 1j * g_true[:, 1]))

    def ascent(direction):
        return (task.Q(K, s, a + direction) - task.Q(K, s, a - direction)) / 2

    steepest = np.hypot(*(ascent(unit) for unit in np.eye(2)))
    lengths = np.linalg.norm(g, axis=1), np.linalg.norm(g_true, axis=1)
    return {
        "formula": (g * g_true).sum(1) / (lengths[0] * lengths[1]),
        "by hand": np.cos(turned),
        "central differences": ascent(g / np.hypot(*g.T)[:, None]) / steepest,
    }


@entry("eq-critic-expand", "estimate", LQR.dQ_da)
def expand(rng):
    """Around μ(s) the change of the value is its slope times the noise, up to second order."""
    task, K = _pair(rng)
    s, eta = rng.normal(size=(2, 2))
    mu = -K @ s

    def remainder(h):
        linear = task.Q(K, s, mu) + h * eta @ task.dQ_da(K, s, mu)
        return abs(task.Q(K, s, mu + h * eta) - linear)

    return {"formula": 2.0, "order": np.log10(remainder(0.1) / remainder(0.01))}


@entry("eq-critic-signal", "theorem", LQR.dQ_da)
def signal(rng):
    """The part of the values that the slope explains has σ² times the slope's mean square."""
    task, K = _pair(rng)
    sigma = rng.uniform(0.1, 0.5)
    states, p = gauss_hermite_nodes(2)
    g = task.dQ_da(K, states, -states @ K.T)

    def differences(s, eta):  # central differences are exact for a quadratic
        return (task.Q(K, s, -s @ K.T + eta) - task.Q(K, s, -s @ K.T - eta)) / 2

    x, weight = np.polynomial.hermite_e.hermegauss(3)
    nodes = np.stack(np.meshgrid(x, x, x, x), axis=-1).reshape(-1, 4)
    weights = np.prod(np.stack(np.meshgrid(*[weight / weight.sum()] * 4), axis=-1), axis=-1)
    z = rng.normal(size=(100_000, 4))
    terms = differences(z[:, :2], sigma * z[:, 2:]) ** 2
    return {
        "formula": sigma**2 * (p @ (g**2).sum(1)),
        "closed form": 4 * sigma**2 * (task.E(K) ** 2).sum(),
        "quadrature": weights.ravel() @ differences(nodes[:, :2], sigma * nodes[:, 2:]) ** 2,
        "Monte Carlo": Estimate(terms.mean(), terms.std() / len(terms) ** 0.5),
    }


@entry("eq-critic-unseen", "definition", LQR.Q)
def unseen(rng):
    """This critic equals the true value at the policy's own actions, whatever κ is."""
    task, K, s, a, *_ = _ripple(rng)
    kappa, gain, s, a = rng.normal(), K[0, 0], s[0], a[0]
    actions = [-gain * s, a]  # the policy's own action, and another
    own = kappa * np.array([gain, 1, 0, 0])
    features = [[s * s, s * x, x * x, 1.0] for x in actions]
    values = [task.Q(K, [s], [x]) + kappa * s * (x + gain * s) for x in actions]
    series = [_moments(task, K, np.array([s]), np.array([x])) for x in actions]
    return {
        "formula": values,
        "by hand": np.array(features) @ (_quadratic(gain, 0.1) + own),
        "series": series + kappa * s * np.array([0.0, a + gain * s]),
    }


def _chain(rng, N=5, p=2):
    """A chain of N pairs with p features, rewards and off-policy weights, and its transitions."""
    P, Phi = rng.dirichlet(np.ones(N), size=N), rng.normal(size=(N, p))
    r, d = rng.normal(size=N), rng.dirichlet(np.full(N, 3.0))
    i, j = np.indices((N, N)).reshape(2, -1)
    data = td.Transitions(Phi[i], r[i], Phi[j], weights=(d[:, None] * P)[i, j])
    return P, Phi, r, d, data


@entry("eq-critic-projected", "theorem", td.semi_gradient_fixed_point)
def projected(rng):
    """TD(0) rests where the critic is the best fit to its own mean targets."""
    P, Phi, r, d, data = _chain(rng)
    root = np.sqrt(d)[:, None]
    fit = Phi @ np.linalg.lstsq(root * Phi, root * np.eye(len(d)), rcond=None)[0]  # Π
    return {
        "formula": Phi @ td.semi_gradient_fixed_point(data, GAMMA),
        "closed form": np.linalg.solve(np.eye(len(d)) - GAMMA * fit @ P, fit @ r),
    }


@entry("eq-critic-projection-bound", "estimate")
def projection_bound(rng):
    """On-policy the fixed point is at most 1/√(1 − γ²) times as far from Q^μ as the best critic."""
    gamma, swap = rng.uniform(0.3, 0.95), np.array([[0.0, 1.0], [1.0, 0.0]])
    turn = np.arccos(gamma) / 2 + np.pi / 4  # the worst feature for two pairs that alternate
    ratios = []
    for angle in (turn, *rng.uniform(0, np.pi, size=50)):
        feature, r = np.array([np.cos(angle), np.sin(angle)]), rng.normal(size=2)
        w = feature @ r / (feature @ (feature - gamma * swap @ feature))
        Q = np.linalg.solve(np.eye(2) - gamma * swap, r)
        best = feature * (feature @ Q)
        ratios.append(np.linalg.norm(w * feature - Q) / np.linalg.norm(best - Q))
    return {"formula": 1 / np.sqrt(1 - gamma**2), "worst case": max(ratios)}


@entry("eq-critic-line", "theorem", td.semi_gradient_fixed_point)
def line(rng):
    """A line fitted to −(a − 1)² on actions from N(m, σ²) has the slope 2(1 − m)."""
    m, sigma = rng.uniform(-1, 2), rng.uniform(0.1, 1)
    z, p = gauss_hermite_nodes(1)
    a = m + sigma * z[:, 0]
    phi = np.stack([np.ones_like(a), a], axis=1)
    data = td.Transitions(phi, -((a - 1) ** 2), phi, weights=p)
    return {
        "formula": td.semi_gradient_fixed_point(data, 0.0)[1],
        "closed form": 2 * (1 - m),
        "quadrature": p @ ((a - m) * -((a - 1) ** 2)) / sigma**2,
        "complex step": (p @ -((m + 1e-30j + sigma * z[:, 0] - 1) ** 2)).imag / 1e-30,
    }


@entry("eq-critic-nstep-bias", "theorem")
def n_step_bias(rng):
    """An n-step target is off by γⁿ times the critic's mean error n steps later."""
    K, n, (s0, a0) = rng.uniform(0.2, 0.6), 3, rng.normal(size=2)
    one = [[1.0]]
    task, gain = LQR(A=one, B=one, M=one, R=one, gamma=GAMMA, W=[[0.1]]), np.array([[K]])
    z, p = gauss_hermite_nodes(n)
    s, a, y = np.full(len(p), s0), np.full(len(p), a0), 0.0
    for k in range(n):
        y = y - GAMMA**k * (s**2 + a**2)
        s = s + a + 0.1**0.5 * z[:, k]
        a = -K * s
    wrong = 1 + s**2  # the critic's error
    y = y + GAMMA**n * (task.Q(gain, s[:, None], a[:, None]) + wrong)
    mean, variance = s0 + a0, 0.1
    for _ in range(n - 1):
        mean, variance = (1 - K) * mean, (1 - K) ** 2 * variance + 0.1
    return {
        "formula": GAMMA**n * (1 + mean**2 + variance),
        "quadrature": p @ y - task.Q(gain, [s0], [a0]),
    }
