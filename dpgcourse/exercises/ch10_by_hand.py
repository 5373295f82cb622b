"""Exercises of chapter 10, DDPG by hand."""

from collections.abc import Callable, Iterator

import numpy as np

from dpgcourse.exercises.exercise import AnswersExercise, Asked, FunctionExercise, Mistake

H = 1e-20  # step of the complex step: it has no rounding error, so it may be tiny


def _decays(rng):
    for p, decay in ((1, 0.5), (4, 0.01), (7, 0.3), (4, 2.0)):
        yield rng.normal(size=p).round(2), rng.normal(size=p).round(2), decay


def _decayed(dloss_dw, w, decay):
    """The slope of the new loss along each axis, by complex steps of the term that is added."""
    moved = w + 1j * H * np.eye(len(w))
    return dloss_dw + (decay / 2 * (moved**2).sum(1)).imag / H


def _momentum_cases(rng):
    for lr, beta, p in ((0.01, 0.9, 3), (0.1, 0.5, 1), (0.3, 0.0, 2), (0.05, 0.8, 4)):
        yield lr, beta, rng.normal(size=p).round(2), rng.normal(size=(6, p)).round(2)


def _descended(SGD, lr, beta, theta, gradients):
    """Where theta is after each step."""
    theta, optimizer, path = theta.copy(), SGD(lr, beta), []
    for gradient in gradients:
        optimizer.descend(theta, gradient)
        path.append(theta.copy())
    return np.array(path)


def _weights(steps, beta):
    """Row t holds the weights of the gradients in V after step t: β to the power of their age."""
    age = np.arange(steps)[:, None] - np.arange(steps)
    return np.where(age >= 0, float(beta) ** np.maximum(age, 0), 0.0)


def _path(lr, theta, V):
    return theta - lr * np.cumsum(V, axis=0)


def _momentum(lr, beta, theta, gradients):
    return _path(lr, theta, _weights(len(gradients), beta) @ gradients)


def _with_velocity(velocity: Callable) -> Callable:
    """A mistake in V: `velocity` gets the right V, the gradients, beta, and 1 − β^t as a column."""

    def gives(lr, beta, theta, gradients):
        V = _weights(len(gradients), beta) @ gradients
        t = np.arange(1, len(gradients) + 1)[:, None]
        return _path(lr, theta, velocity(V, gradients, beta, 1 - float(beta) ** t))

    return gives


class _Way:
    """A way back through a network. Which of them are right is not written on them.

    Args:
        text: what a card shows.
        gate: by what the gradient is multiplied at a ReLU with this output.
        begins: what the way back takes for the gradient at the network's output.
    """

    def __init__(self, text: str, gate: Callable, begins: Callable = lambda G: G):
        self.text, self.gate, self.begins = text, gate, begins

    def __call__(self, layers, inputs, G) -> Iterator[tuple]:
        G = self.begins(G)
        for k in reversed(range(len(layers))):
            yield k, G
            if k > 0:
                G = (G @ layers[k][0].T) * self.gate(inputs[k])

    def __repr__(self):
        return f"way back with {self.text}"


_RIGHT = _Way("(G @ W.T) * (x > 0)", lambda x: x > 0)
_RIGHT_TOO = _Way("(G @ W.T) * sign(x)", np.sign)
_OPEN = _Way("(G @ W.T) * (x >= 0)", lambda x: x >= 0)
_CLOSED = _Way("(G @ W.T) * (x <= 0)", lambda x: x <= 0)
_DOUBLED = _Way("2 * (G @ W.T) * (x > 0)", lambda x: 2.0 * (x > 0))
_BEGINS = _Way("2 * G at the output", lambda x: x > 0, begins=lambda G: 2 * G)
_ONES = _Way("ones for G at the output", lambda x: x > 0, begins=np.ones_like)
_WAYS = (_RIGHT, _RIGHT_TOO, _OPEN, _CLOSED, _DOUBLED, _BEGINS, _ONES)


def _accepting(*accepted: _Way) -> Callable:
    """A check that accepts these ways back."""
    return lambda way: way in accepted


def _seen(hint: str, *accepted: _Way) -> tuple[Mistake, Mistake]:
    """A mistake in a check, whether the check uses G or not."""
    return Mistake(hint, _accepting(*accepted)), Mistake(hint, _accepting(*accepted, _ONES))


EXERCISES = (
    FunctionExercise(
        label="hand-decay",
        name="decayed_gradient",
        parameters=("dloss_dw", "w", "decay"),
        cases=_decays,
        right=_decayed,
        checked="4 gradients with 1, 4 and 7 entries, by complex steps of the new loss",
        mistakes=(
            Mistake(
                "The derivative of w² is 2w, and the loss has a half in front of it.",
                lambda dloss_dw, w, decay: dloss_dw + 2 * decay * w,
            ),
            Mistake(
                "The derivative of w² brings a factor 2.",
                lambda dloss_dw, w, decay: dloss_dw + decay / 2 * w,
            ),
            Mistake(
                "The new term is added to the loss, so its gradient is added, too.",
                lambda dloss_dw, w, decay: dloss_dw - decay * w,
            ),
            Mistake(
                "You add the new term itself. Its derivative by each weight is asked for.",
                lambda dloss_dw, w, decay: dloss_dw + decay / 2 * (w**2).sum(),
            ),
            Mistake(
                "The squares are not differentiated.",
                lambda dloss_dw, w, decay: dloss_dw + decay / 2 * w**2,
            ),
            Mistake(
                "The squares are not differentiated.",
                lambda dloss_dw, w, decay: dloss_dw + decay * w**2,
            ),
            Mistake(
                "This is the derivative of |w|. The loss has squares.",
                lambda dloss_dw, w, decay: dloss_dw + decay * np.sign(w),
            ),
            Mistake(
                "The derivative by one weight holds that weight alone, not the length of w.",
                lambda dloss_dw, w, decay: dloss_dw + decay * np.linalg.norm(w),
            ),
            Mistake(
                "The derivative by one weight holds that weight alone, not the sum of all.",
                lambda dloss_dw, w, decay: dloss_dw + decay * w.sum(),
            ),
            Mistake(
                "The new term is a sum over the weights, not a mean.",
                lambda dloss_dw, w, decay: dloss_dw + decay * w / len(w),
            ),
            Mistake(
                "This is the gradient of the new term alone. The old loss is still there.",
                lambda dloss_dw, w, decay: decay * w,
            ),
            Mistake(
                "The decay multiplies the weights, not the gradient.",
                lambda dloss_dw, w, decay: dloss_dw + decay * dloss_dw,
            ),
            Mistake(
                "The weights are missing: each one decays in proportion to itself.",
                lambda dloss_dw, w, decay: dloss_dw + decay,
            ),
            Mistake("The new term is missing.", lambda dloss_dw, w, decay: dloss_dw),
        ),
    ),
    FunctionExercise(
        label="hand-sgd",
        name="SGD",
        parameters=("lr", "beta", "theta", "gradients"),
        cases=_momentum_cases,
        right=_momentum,
        called="the class SGD",
        use=_descended,
        checked="4 runs of 6 steps, by the weight that every gradient has in V",
        mistakes=(
            Mistake(
                "theta does not move. Change it in place, as theta -= … does.",
                lambda lr, beta, theta, gradients: np.tile(theta, (len(gradients), 1)),
            ),
            Mistake(
                "V has no memory: keep it from one call to the next.",
                _with_velocity(lambda V, gradients, beta, unbias: gradients),
            ),
            Mistake(
                "This is Adam's running mean. Here the new gradient has the weight 1.",
                _with_velocity(lambda V, gradients, beta, unbias: (1 - beta) * V),
            ),
            Mistake(
                "You climb. A minimum is looked for.",
                _with_velocity(lambda V, gradients, beta, unbias: -V),
            ),
            Mistake(
                "This step looks ahead, as Nesterov's does. Move along V itself.",
                _with_velocity(lambda V, gradients, beta, unbias: gradients + beta * V),
            ),
            Mistake(
                "You move before V has the new gradient.",
                _with_velocity(lambda V, gradients, beta, unbias: np.vstack([0 * V[:1], V[:-1]])),
            ),
            Mistake(
                "V never forgets: β is missing in front of it.",
                _with_velocity(lambda V, gradients, beta, unbias: np.cumsum(gradients, axis=0)),
            ),
            Mistake(
                "β stands in front of the old V, not of the new gradient.",
                _with_velocity(
                    lambda V, gradients, beta, unbias: beta * np.cumsum(gradients, axis=0)
                ),
            ),
            Mistake(
                "The two weights are swapped, and this V is a running mean.",
                lambda lr, beta, theta, gradients: _path(
                    lr, theta, beta * (_weights(len(gradients), 1 - beta) @ gradients)
                ),
            ),
            Mistake(
                "V is divided by 1 − β^t. This rule has no correction.",
                _with_velocity(lambda V, gradients, beta, unbias: V / unbias),
            ),
            Mistake(
                "This is Adam's corrected mean. Here the new gradient has the weight 1.",
                _with_velocity(lambda V, gradients, beta, unbias: (1 - beta) * V / unbias),
            ),
            Mistake(
                "The step size stands in both lines. It belongs to one of them.",
                lambda lr, beta, theta, gradients: _momentum(lr**2, beta, theta, gradients),
            ),
            Mistake(
                "The step size is missing.",
                lambda lr, beta, theta, gradients: _momentum(1.0, beta, theta, gradients),
            ),
        ),
    ),
    FunctionExercise(
        label="hand-mask",
        name="accepts",
        parameters=("way",),
        cases=lambda rng: [(way,) for way in _WAYS],
        right=_accepting(_RIGHT, _RIGHT_TOO),
        checked="two right ways back are accepted, five wrong ones rejected",
        mistakes=(
            Mistake(
                "Your check accepts a way back that ignores G: try a G that is not all ones.",
                _accepting(_RIGHT, _RIGHT_TOO, _ONES),
            ),
            *_seen(
                "Your check accepts the friend's way back. Is a unit of your network cut off?",
                _RIGHT,
                _RIGHT_TOO,
                _OPEN,
            ),
            *_seen(
                "Your check sees the last layer only. Look at G_0, in a network with a ReLU.",
                _RIGHT,
                _RIGHT_TOO,
                _OPEN,
                _CLOSED,
                _DOUBLED,
            ),
            Mistake(
                "Your check accepts everything. Compare numbers, not shapes.",
                _accepting(*_WAYS),
            ),
            *_seen(
                "Your check rejects everything. A nudge has a small error: allow for it.",
            ),
            *_seen(
                "Your check answers the wrong way round: True means that the way back is right.",
                _OPEN,
                _CLOSED,
                _DOUBLED,
                _BEGINS,
            ),
            *_seen(
                "Your check looks at where the gradient is zero, and not at its size.",
                _RIGHT,
                _RIGHT_TOO,
                _DOUBLED,
                _BEGINS,
            ),
            *_seen(
                "Your check compares with the friend's numbers. Find others, by nudges.",
                _OPEN,
            ),
            *_seen(
                "Your check rejects the friend's way back, and accepts every other mistake.",
                _RIGHT,
                _RIGHT_TOO,
                _CLOSED,
                _DOUBLED,
                _BEGINS,
            ),
        ),
    ),
    AnswersExercise(
        label="hand-epsilon",
        asked={
            "apart_without_epsilon": Asked(
                0.002,
                {
                    0.001: "Each of the two moves by α, and in opposite directions.",
                    2e-20: "Adam divides by √S, so the size of a slope drops out; and the two "
                    "signs differ.",
                    0.0002: "M is corrected: at t = 1 it is divided by 1 − β₁.",
                    0.0632456: "S is corrected: at t = 1 it is divided by 1 − β₂.",
                    0.00632456: "M and S are corrected: they are divided by 1 − β₁ and 1 − β₂.",
                },
            ),
            "times_shorter_with_epsilon": Asked(
                1e9,
                {
                    1e-9: "This is the ratio upside down.",
                    1e8: "The divisor is √S + ε, with √S = 10⁻¹⁷. Compare it with 10⁻¹⁷ itself.",
                    1e17: "The divisor without ε is √S = 10⁻¹⁷, not 1.",
                    1e25: "S is the square of the slope, and the divisor holds its root.",
                    1e26: "S is the square of the slope, and the divisor holds its root.",
                    5e8: "Take the length of one step, not the distance of the two.",
                    1: "√S is much smaller than ε here, so ε decides.",
                },
            ),
            "slope_exactly_zero": Asked(
                "0/0: the parameter is lost",
                {
                    "the parameter stays": "M is 0, but so is the divisor.",
                    "a step of length α": "In which direction would it go?",
                    "the other parameters stop": "Adam treats each parameter on its own.",
                },
            ),
            "where_slopes_are_zero": Asked(
                "at a unit that is cut off for the whole batch",
                {
                    "at a unit that lets everything through": "Its slopes are those of a linear "
                    "network, and hardly ever 0.",
                    "at every unit, at the start": "The first slopes are small, and not 0.",
                    "nowhere": "What comes back through a ReLU that is shut?",
                },
            ),
        },
        checked="the distance, the factor, and what happens at a slope of 0",
    ),
    AnswersExercise(
        label="hand-size",
        asked={
            "actor_weights": Asked(
                128600,
                {
                    129306: "Count weights only: biases are added, not multiplied.",
                    127100: "This network has one output. The actor has one for each action entry.",
                    129500: "This is the critic.",
                },
                rtol=1e-5,
            ),
            "critic_weights": Asked(
                129500,
                {
                    130201: "Count weights only: biases are added, not multiplied.",
                    127100: "The critic reads the state and the action.",
                    131000: "The critic has one output.",
                    128600: "This is the actor.",
                },
                rtol=1e-5,
            ),
            "multiplications": Asked(
                81_625_600,
                {
                    1_275_400: "This is for one transition. The batch has 64.",
                    82_649_600: "In the first layer each of the two ways to the parameters lacks "
                    "one product.",
                    82_060_800: "The way to the actor's parameters lacks one product, too.",
                    82_214_400: "The way to the critic's parameters lacks one product, too.",
                    65_107_200: "The target is missing: two networks forward.",
                    73_395_200: "The actor runs forward twice: in the target, and in its own line.",
                    73_337_600: "The critic runs forward three times: once in each of the lines.",
                    89_913_600: "The way to the action needs no gradient of the critic's weights.",
                    81_036_800: "The way to the action does multiply by the first layer: it ends "
                    "at the critic's input.",
                    65_049_600: "The actor line runs through the critic, forward and back.",
                    40_832_000: "This is the actor line alone.",
                },
                rtol=1e-5,
            ),
            "share_of_actor_line": Asked(
                0.5,
                {
                    0.2985: "The actor line has four passes: the actor and the critic forward, the "
                    "critic back to the action, the actor back.",
                    0.4: "One pass through the critic is missing.",
                    0.201: "This is the share of the target.",
                    0.6: "The way to the action needs no gradient of the critic's weights.",
                    50: "This is a percentage. A share lies between 0 and 1.",
                    1: "A share of the whole update is asked for.",
                },
                rtol=0.01,
            ),
        },
        checked="the weights of both networks, the products of one update, and the share",
    ),
)
