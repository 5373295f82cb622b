"""Exercises of chapter 4, the actor step."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import nn

from dpgcourse.exercises.exercise import AnswersExercise, Asked, FunctionExercise, Mistake

H = 1e-20  # step of the complex step: it has no rounding error, so it may be tiny
UNTOUCHED, MOVED, FILLED, FROZEN = range(4)  # what became of the critic


@dataclass(frozen=True, eq=False, repr=False)
class _Net:
    """A network with tanh between its linear layers, computed without torch.

    Attributes:
        sizes: of the layers.
        numbers: weights and biases in torch's order, (n,).
    """

    sizes: tuple[int, ...]
    numbers: np.ndarray

    def __repr__(self) -> str:
        return f"a network {' → '.join(map(str, self.sizes))}"

    def __call__(self, x, numbers):
        """The outputs with other numbers, complex ones too, (B, out)."""
        start = 0
        for layer, (fan_in, fan_out) in enumerate(self.shapes()):
            if layer:
                x = np.tanh(x)
            W = numbers[start : start + fan_in * fan_out].reshape(fan_out, fan_in)
            start += fan_in * fan_out
            x = x @ W.T + numbers[start : start + fan_out]
            start += fan_out
        return x

    def shapes(self):
        """Inputs and outputs of each layer."""
        return list(pairwise(self.sizes))

    def module(self) -> nn.Sequential:
        """The same network in torch."""
        layers: list[nn.Module] = []
        for fan_in, fan_out in self.shapes():
            layers += [nn.Tanh(), nn.Linear(fan_in, fan_out, dtype=torch.float64)]
        network = nn.Sequential(*layers[1:])
        nn.utils.vector_to_parameters(torch.tensor(self.numbers), network.parameters())
        return network


class _Critic(nn.Module):
    """Value of a state and an action, (B,)."""

    def __init__(self, net: _Net):
        super().__init__()
        self.net = net.module()

    def forward(self, s, a):
        return self.net(torch.cat([s, a], dim=-1)).squeeze(-1)


def _load_torch() -> None:
    """Load what torch loads at its first use, so that an answer does not lose its time with it."""
    p = torch.ones(1, requires_grad=True)
    torch.autograd.grad(2 * p, p, torch.ones(1))
    torch.optim.SGD([p])


def _net(rng, *sizes):
    n = sum((fan_in + 1) * fan_out for fan_in, fan_out in pairwise(sizes))
    return _Net(sizes, rng.normal(size=n))


def _networks(rng):
    """Actors with one and with several entries of the action; batches of one and of several."""
    for batch, d, m, hidden in ((4, 1, 2, ()), (3, 2, 3, (4,)), (1, 2, 2, (3,)), (5, 3, 1, (3,))):
        actor, critic = _net(rng, d, *hidden, m), _net(rng, d + m, 4, 1)
        s = torch.tensor(rng.normal(size=(batch, d)).round(2))
        yield actor, critic, s, (0.01, 0.02, 0.05, 0.1)[m]


def _flat(module: nn.Module) -> np.ndarray:
    return np.concatenate([p.detach().numpy().copy().ravel() for p in module.parameters()])


def _two_steps(answer, actor, critic, s, lr):
    """How far the actor moves in each of two calls, divided by lr, and the critic's state."""
    policy, judge = actor.module(), _Critic(critic)
    u = [_flat(policy)]
    for _ in range(2):
        answer(policy, judge, s, lr)
        u.append(_flat(policy))
    state = UNTOUCHED
    if not np.array_equal(_flat(judge), critic.numbers):
        state = MOVED
    elif any(p.grad is not None and p.grad.any() for p in judge.parameters()):
        state = FILLED
    elif not all(p.requires_grad for p in judge.parameters()):
        state = FROZEN
    return np.concatenate([*(np.diff(u, axis=0) / lr), [state]])


def _mean_Q(actor, critic, s, u, w):
    return critic(np.concatenate([s, actor(s, u)], axis=1), w).mean()


def _uphill(actor, critic, s, u, w):
    """Gradient of the mean of Q, by a complex step of each parameter."""
    nudges = 1j * H * np.eye(len(u))
    return np.array([_mean_Q(actor, critic, s, u + du, w).imag / H for du in nudges])


def _uphill_w(actor, critic, s, u, w):
    nudges = 1j * H * np.eye(len(w))
    return np.array([_mean_Q(actor, critic, s, u, w + dw).imag / H for dw in nudges])


def _factors(actor, critic, s, u, w):
    """g, (B, m), and the Jacobians, (B, m, n)."""
    a = actor(s, u)
    g = [
        critic(np.concatenate([s, a + 1j * H * e], axis=1), w)[:, 0].imag / H
        for e in np.eye(a.shape[1])
    ]
    J = [actor(s, u + 1j * H * e).imag / H for e in np.eye(len(u))]
    return np.stack(g, axis=1), np.stack(J, axis=2)


def _steps(direction: Callable, state: int = UNTOUCHED):
    """What two steps along a direction give; it gets actor, critic, s, u, w and lr."""

    def gives(actor, critic, s, lr):
        u, moves = actor.numbers, []
        for _ in range(2):
            moves.append(direction(actor, critic, s.numpy(), u, critic.numbers, lr))
            u = u + lr * moves[-1]
        return np.concatenate([*moves, [state]])

    return gives


def _times(factor: Callable):
    """A direction with the right gradient times a factor, which gets B, m and lr."""

    def direction(actor, critic, s, u, w, lr):
        return factor(len(s), actor.sizes[-1], lr) * _uphill(actor, critic, s, u, w)

    return direction


def _averaged_first(actor, critic, s, u, w, lr):
    g, J = _factors(actor, critic, s, u, w)
    return J.mean(0).T @ g.mean(0)


def _without_g(actor, critic, s, u, w, lr):
    _, J = _factors(actor, critic, s, u, w)
    return J.sum(1).mean(0)


def _last_layer_only(actor, critic, s, u, w, lr):
    fan_in, fan_out = actor.shapes()[-1]
    last = np.arange(len(u)) >= len(u) - (fan_in + 1) * fan_out
    return last * _uphill(actor, critic, s, u, w)


def _without_biases(actor, critic, s, u, w, lr):
    kept = [np.repeat([1, 0], [fan_in * fan_out, fan_out]) for fan_in, fan_out in actor.shapes()]
    return np.concatenate(kept) * _uphill(actor, critic, s, u, w)


def _accumulated(state):
    def gives(actor, critic, s, lr):
        x, u = s.numpy(), actor.numbers
        first = _uphill(actor, critic, x, u, critic.numbers)
        second = first + _uphill(actor, critic, x, u + lr * first, critic.numbers)
        return np.concatenate([first, second, [state]])

    return gives


def _critic_too(sign):
    """The actor climbs, and the critic moves along or against its own gradient."""

    def gives(actor, critic, s, lr):
        x, u, w, moves = s.numpy(), actor.numbers, critic.numbers, []
        for _ in range(2):
            moves.append(_uphill(actor, critic, x, u, w))
            u, w = u + lr * moves[-1], w + sign * lr * _uphill_w(actor, critic, x, u, w)
        return np.concatenate([*moves, [MOVED]])

    return gives


# Each with the critic's gradient left empty, and filled by a `backward`.
_DIRECTIONS = (
    (
        "Nothing moves: the road from Q to u is cut, or the parameters are not changed in place.",
        _times(lambda B, m, lr: 0),
    ),
    (
        "The sign is wrong: the actor descends, and its value should rise.",
        _times(lambda B, m, lr: -1),
    ),
    (
        "The slopes of the states are added up, and their mean is asked for.",
        _times(lambda B, m, lr: B),
    ),
    (
        "You average over the entries of the action too: only the states are averaged.",
        _times(lambda B, m, lr: 1 / m),
    ),
    ("You divide by the number of states twice.", _times(lambda B, m, lr: 1 / B)),
    (
        "You average before you multiply: each Jacobian belongs to the g of its own state.",
        _averaged_first,
    ),
    (
        "The critic's slope is missing: you climb the action itself, not its value.",
        _without_g,
    ),
    ("The step size is missing.", _times(lambda B, m, lr: 1 / lr)),
    ("The step size enters twice.", _times(lambda B, m, lr: lr)),
    ("Only the last layer moves, and the others have slopes too.", _last_layer_only),
    ("Only the weights move, and the biases have slopes too.", _without_biases),
)


def _share(share: Callable):
    """g times a share of the box, which gets g, a, low and high entry by entry."""

    def gives(g, a, low, high):
        return g * share(*np.broadcast_arrays(g, a, low, high))

    return gives


def _one_by_one(g, a, low, high):
    """Each entry alone: the line from (bound behind, 1) to (bound ahead, 0)."""
    result = np.zeros_like(g)
    for i, j in np.ndindex(g.shape):
        ahead, behind = (high[j], low[j]) if g[i, j] > 0 else (low[j], high[j])
        result[i, j] = g[i, j] * (a[i, j] - ahead) / (behind - ahead)
    return result


def _in_boxes(rng):
    """The center, the bounds and beyond; square and other tables; one and several states."""
    low, high = np.array([-2.0, 0.0]), np.array([4.0, 10.0])
    a = np.array([[1.0, 5.0], [4.0, 0.0], [4.0, 0.0], [5.0, -1.0], [0.0, 8.0]])
    g = np.array([[1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [3.0, 2.0]])
    yield g, a, low, high
    for batch, m in ((1, 1), (1, 3), (5, 1), (2, 2), (3, 4)):
        low = rng.uniform(-3, 0, size=m).round(1)
        high = low + rng.uniform(1, 5, size=m).round(1)
        a = low + (high - low) * rng.uniform(-0.2, 1.2, size=(batch, m))
        yield rng.normal(size=(batch, m)).round(2), a.round(2), low, high


EXERCISES = (
    FunctionExercise(
        label="step-own",
        name="actor_step",
        parameters=("actor", "critic", "s", "lr"),
        cases=_networks,
        prepare=_load_torch,
        right=_steps(_times(lambda B, m, lr: 1)),
        use=_two_steps,
        checked="two steps of four actors with one to three entries of the action, batches of "
        "one to five states, each parameter by a complex step; the critic is as it was",
        mistakes=(
            *(
                Mistake(hint, _steps(direction, state))
                for state in (UNTOUCHED, FILLED)
                for hint, direction in _DIRECTIONS
            ),
            *(
                Mistake("The critic moves: the actor step treats w as a constant.", gives)
                for gives in (
                    _critic_too(1),
                    _critic_too(-1),
                    *(_steps(direction, MOVED) for _, direction in _DIRECTIONS),
                )
            ),
            Mistake(
                "The steps are right, but a gradient is left in the critic: ask for the slopes "
                "in the action only.",
                _steps(_times(lambda B, m, lr: 1), FILLED),
            ),
            Mistake(
                "The steps are right, but the critic stays frozen: its own step would fail.",
                _steps(_times(lambda B, m, lr: 1), FROZEN),
            ),
            *(
                Mistake(
                    "The first step is right, and the second adds the old gradient to the new.",
                    _accumulated(state),
                )
                for state in (UNTOUCHED, FILLED, FROZEN)
            ),
        ),
    ),
    AnswersExercise(
        label="step-mse",
        asked={
            "factor_for_m_2": Asked(
                1,
                {
                    2: "mse_loss has no ½, but it also averages over the two entries.",
                    0.5: "mse_loss averages over the two entries, but it has no ½.",
                    0.25: "Leaving out the ½ makes a gradient larger, not smaller.",
                },
            ),
            "factor_for_m_5": Asked(
                0.4,
                {
                    2.5: "This is the inverse: the right gradient divided by that of mse_loss.",
                    0.2: "mse_loss averages over the five entries, but it has no ½.",
                    2: "mse_loss has no ½, but it also averages over the five entries.",
                    0.1: "Leaving out the ½ makes a gradient larger, not smaller.",
                    1: "The two are equal for m = 2 by accident.",
                    10: "mse_loss divides by the number of entries.",
                },
            ),
            "what_to_do": Asked(
                "write the formula out",
                {
                    "multiply mse_loss by 2": "The factor depends on m, so no number is right "
                    "for every robot.",
                    "divide by B once more": "mse_loss averages over the states already.",
                    "use mse_loss with reduction='sum'": "That adds up over the states, so the "
                    "step grows with the batch.",
                },
            ),
        },
        checked="both factors, and what to do",
    ),
    AnswersExercise(
        label="step-twice",
        asked={
            "step_of_gradient_descent": Asked(
                1 / 64,
                {
                    64: "Dividing once too often makes the step shorter, not longer.",
                    1 / 4096: "One of the two divisions is right.",
                    1 / 128: "The second division is by B again, not by 2.",
                    1 / 8: "Gradient descent multiplies by the gradient, not by its root.",
                    1: "Gradient descent moves by the step size times the gradient.",
                },
                rtol=1e-2,
            ),
            "step_of_Adam": Asked(
                1,
                {
                    1 / 64: "Adam divides by the size of the gradient, which shrinks as well.",
                    64: "Adam divides by the size of the gradient, which shrinks as well.",
                    1 / 8: "Adam divides by the root of the mean *square*, which shrinks by 1/64.",
                    8: "Adam divides by the root of the mean *square*, which shrinks by 1/64.",
                },
                rtol=1e-2,
            ),
            "why_Adam_hides_it": Asked(
                "a constant factor cancels",
                {
                    "Adam averages over the batch": "Adam never sees the batch, only its gradient.",
                    "Adam ignores the gradient": "It follows the gradient, divided by its size.",
                    "Adam makes its step size larger": "Its step size is a constant. Look at what "
                    "the gradient is divided by.",
                },
            ),
            "what_shows_it_again": Asked(
                "a penalty that is divided once",
                {
                    "a smaller step size": "That shortens the right step as well.",
                    "more training steps": "The factor cancels in every step.",
                    "another seed": "The factor cancels whatever the numbers are.",
                },
            ),
        },
        checked="both step lengths, the reason, and where the mistake shows up",
    ),
    AnswersExercise(
        label="step-price",
        asked={
            "action_at_rest": Asked(
                3.6711,
                {
                    3.67: "Give one more decimal.",
                    3.7425: "The slope of the penalty λz² is 2λz.",
                    3.7444: "The critic's slope reaches z through a = 1 + 3 tanh z: da/dz is "
                    "missing.",
                    3.5037: "da/dz has the factor H, the half range.",
                    3.5746: "The critic's slope is −2(a − 3.9).",
                    3.5859: "The slope of tanh is 1 − tanh², and the square is missing.",
                    3.5455: "The penalty is on z, not on the action.",
                    3.6604: "The action is center + half range · tanh z: the center is missing.",
                    2.8973: "The action is center + half range · tanh z: the center is missing.",
                    3.9: "The penalty pulls z toward 0, so the action does not reach the favorite.",
                    3.8415: "This is the action with λ = 0.01.",
                    0.2289: "This is the distance from the favorite. Here the action is asked for.",
                    1.4236: "This is z. The action is asked for.",
                },
                rtol=2e-4,
            ),
            "distance_with_less_penalty": Asked(
                0.0585,
                {
                    0.0355: "The slope of the penalty λz² is 2λz.",
                    0.0195: "The critic's slope reaches z through a = 1 + 3 tanh z: da/dz is "
                    "missing.",
                    0.1174: "da/dz has the factor H, the half range.",
                    0.0918: "The critic's slope is −2(a − 3.9), and da/dz is H(1 − tanh²z).",
                    0.2289: "This is the distance with λ = 0.1.",
                    3.8415: "This is the action. Its distance from the favorite is asked for.",
                    0.02289: "A tenth of the penalty does not leave a tenth of the distance.",
                    0.1585: "This is the distance from the bound 4. The favorite is 3.9.",
                },
                rtol=0.03,
            ),
            "without_penalty": Asked(
                "at the favorite",
                {
                    "at the bound": "Beyond the favorite the critic's slope is negative.",
                    "at the center": "There the critic's slope is not zero, and nor is da/dz.",
                    "nowhere": "The favorite lies inside the box, so ascent can come to rest.",
                },
            ),
        },
        checked="where ascent comes to rest with two penalties and with none",
    ),
    FunctionExercise(
        label="step-invert",
        name="invert",
        parameters=("g", "a", "low", "high"),
        cases=_in_boxes,
        right=_one_by_one,
        checked="six boxes with one to four entries, one to five states: inside, at the bounds "
        "and beyond",
        mistakes=(
            Mistake(
                "The two cases are swapped: an outward slope must shrink near its own bound.",
                _share(lambda g, a, low, high: np.where(g > 0, a - low, high - a) / (high - low)),
            ),
            Mistake(
                "The share is twice too large: divide by the whole range, 2H, not by H.",
                _share(
                    lambda g, a, low, high: 2 * np.where(g > 0, high - a, a - low) / (high - low)
                ),
            ),
            Mistake(
                "The room is not divided by the range of the box.",
                _share(lambda g, a, low, high: np.where(g > 0, high - a, a - low)),
            ),
            Mistake(
                "Beyond a bound the sign must change: do not cut the share off at 0.",
                _share(
                    lambda g, a, low, high: np.clip(
                        np.where(g > 0, high - a, a - low) / (high - low), 0, None
                    )
                ),
            ),
            Mistake(
                "Beyond a bound the sign must change: do not cut the share off at 0 or at 1.",
                _share(
                    lambda g, a, low, high: np.clip(
                        np.where(g > 0, high - a, a - low) / (high - low), 0, 1
                    )
                ),
            ),
            Mistake(
                "Beyond a bound the sign must change: the size of the share is not enough.",
                _share(
                    lambda g, a, low, high: (
                        np.abs(np.where(g > 0, high - a, a - low)) / (high - low)
                    )
                ),
            ),
            Mistake(
                "You use the upper bound for every slope; a negative one looks at the lower bound.",
                _share(lambda g, a, low, high: (high - a) / (high - low)),
            ),
            Mistake(
                "You use the lower bound for every slope; a positive one looks at the upper bound.",
                _share(lambda g, a, low, high: (a - low) / (high - low)),
            ),
            Mistake(
                "The nearer bound decides in your function; the sign of g must decide.",
                _share(lambda g, a, low, high: np.minimum(high - a, a - low) / (high - low)),
            ),
            Mistake(
                "The case depends on the sign of g, not on the sign of the action.",
                _share(lambda g, a, low, high: np.where(a > 0, high - a, a - low) / (high - low)),
            ),
            Mistake(
                "This is the share alone. Multiply it by g.",
                lambda g, a, low, high: np.where(g > 0, high - a, a - low) / (high - low),
            ),
            Mistake(
                "The sign of g enters twice: multiply the share by g, not by its size.",
                _share(
                    lambda g, a, low, high: (
                        np.sign(g) * np.where(g > 0, high - a, a - low) / (high - low)
                    )
                ),
            ),
            Mistake(
                "Each entry has its own bounds: you use those of entry 0 for all.",
                lambda g, a, low, high: (
                    g * np.where(g > 0, high[0] - a, a - low[0]) / (high[0] - low[0])
                ),
            ),
            Mistake(
                "Each entry of g has its own sign: you ask only for the sum of the row.",
                lambda g, a, low, high: (
                    g * np.where(g.sum(1, keepdims=True) > 0, high - a, a - low) / (high - low)
                ),
            ),
            Mistake(
                "Only slopes that point outward are changed there; every slope gets its share.",
                _share(
                    lambda g, a, low, high: np.where(
                        (g > 0) == (a > (high + low) / 2),
                        np.where(g > 0, high - a, a - low) / (high - low),
                        1,
                    )
                ),
            ),
            Mistake(
                "This stops at the bounds and leaves everything inside as it was: the share "
                "shrinks on the way.",
                _share(
                    lambda g, a, low, high: np.where(
                        ((g > 0) & (a >= high)) | ((g <= 0) & (a <= low)), 0, 1
                    )
                ),
            ),
        ),
    ),
)
