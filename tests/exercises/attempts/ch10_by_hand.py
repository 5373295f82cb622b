"""Attempts at the exercises of chapter 10."""

from itertools import pairwise

import numpy as np
import torch

from dpgcourse.gradient.derivative_checks import central_difference
from tests.exercises.attempts import Right, Wrong

EPSILON = {
    "apart_without_epsilon": 0.002,
    "times_shorter_with_epsilon": 1e9,
    "slope_exactly_zero": "0/0: the parameter is lost",
    "where_slopes_are_zero": "at a unit that is cut off for the whole batch",
}
SIZE = {
    "actor_weights": 128_600,
    "critic_weights": 129_500,
    "multiplications": 81_625_600,
    "share_of_actor_line": 0.5,
}


def decayed_by_autograd(dloss_dw, w, decay):
    w = torch.tensor(w, requires_grad=True)
    (decay / 2 * (w @ w) + torch.tensor(dloss_dw) @ w).backward()
    return w.grad


def decayed_by_loop(dloss_dw, w, decay):
    return [slope + decay * weight for slope, weight in zip(dloss_dw, w, strict=True)]


def shrinks(dloss_dw, w, decay):
    return dloss_dw - decay * w


def loss_added(dloss_dw, w, decay):
    return dloss_dw + 0.5 * decay * np.linalg.norm(w) ** 2


class Optimizer:
    def __init__(self, lr, beta=0.9):
        self.lr, self.beta, self.V, self.t = lr, beta, 0.0, 0


class Momentum(Optimizer):
    def descend(self, theta, gradient):
        self.V = self.beta * self.V + gradient
        theta -= self.lr * self.V


class MomentumOfSteps(Optimizer):
    def descend(self, theta, gradient):
        self.V = self.beta * self.V - self.lr * gradient
        theta[:] = theta + self.V


class FromHistory:
    def __init__(self, lr, beta):
        self.lr, self.beta, self.seen = lr, beta, []

    def descend(self, theta, gradient):
        self.seen.append(gradient)
        for age, old in enumerate(reversed(self.seen)):
            theta -= self.lr * self.beta**age * old


class NotInPlace(Optimizer):
    def descend(self, theta, gradient):
        self.V = self.beta * self.V + gradient
        theta = theta - self.lr * self.V
        return theta


class NoMemory(Optimizer):
    def descend(self, theta, gradient):
        V = self.beta * 0 + gradient
        theta -= self.lr * V


class RunningMean(Optimizer):
    def descend(self, theta, gradient):
        self.V = self.beta * self.V + (1 - self.beta) * gradient
        theta -= self.lr * self.V


class Climbs(Optimizer):
    def descend(self, theta, gradient):
        self.V = self.beta * self.V + gradient
        theta += self.lr * self.V


class Nesterov(Optimizer):
    def descend(self, theta, gradient):
        self.V = self.beta * self.V + gradient
        theta -= self.lr * (gradient + self.beta * self.V)


class MovesFirst(Optimizer):
    def descend(self, theta, gradient):
        theta -= self.lr * self.V
        self.V = self.beta * self.V + gradient


class NeverForgets(Optimizer):
    def descend(self, theta, gradient):
        self.V += gradient
        theta -= self.lr * self.V


class BetaOnGradient(Optimizer):
    def descend(self, theta, gradient):
        self.V = self.V + self.beta * gradient
        theta -= self.lr * self.V


class Swapped(Optimizer):
    def descend(self, theta, gradient):
        self.V = (1 - self.beta) * self.V + self.beta * gradient
        theta -= self.lr * self.V


class Corrected(Optimizer):
    def descend(self, theta, gradient):
        self.t += 1
        self.V = self.beta * self.V + gradient
        theta -= self.lr * self.V / (1 - self.beta**self.t)


class CorrectedMean(Optimizer):
    def descend(self, theta, gradient):
        self.t += 1
        self.V = self.beta * self.V + (1 - self.beta) * gradient
        theta -= self.lr * self.V / (1 - self.beta**self.t)


class StepSizeTwice(Optimizer):
    def descend(self, theta, gradient):
        self.V = self.beta * self.V + self.lr * gradient
        theta -= self.lr * self.V


class NoStepSize(Optimizer):
    def descend(self, theta, gradient):
        self.V = self.beta * self.V + gradient
        theta -= self.V


def network(sizes=(3, 7, 5, 2), seed=1):
    rng = np.random.default_rng(seed)
    layers = [(rng.normal(size=(i, o)), rng.normal(size=o)) for i, o in pairwise(sizes)]
    return layers, rng.normal(size=(4, sizes[0])), rng.normal(size=(4, sizes[-1]))


def forward(layers, x):
    inputs = [x]
    for W, b in layers[:-1]:
        inputs.append(np.maximum(inputs[-1] @ W + b, 0))
    W, b = layers[-1]
    return inputs[-1] @ W + b, inputs


def at_input(way, layers, inputs, G):
    for k, G_k in way(layers, inputs, G):
        if k == 0:
            return G_k @ layers[0][0].T


def nudged(layers, x, G):
    return central_difference(lambda x: (forward(layers, x)[0] * G).sum(), x)


def by_nudges(way):
    layers, x, G = network()
    return np.allclose(at_input(way, layers, forward(layers, x)[1], G), nudged(layers, x, G))


def by_torch(way):
    layers, x, G = network(seed=5)
    inputs, tensors = forward(layers, x)[1], []
    h = torch.tensor(x)
    for k, (W, b) in enumerate(layers):
        h = h @ torch.tensor(W) + torch.tensor(b)
        h.requires_grad_() if k == 0 else None
        tensors.append(h)
        h = torch.relu(h)
    grads = torch.autograd.grad((tensors[-1] * torch.tensor(G)).sum(), tensors)
    return all(np.allclose(G_k, grads[k].numpy()) for k, G_k in way(layers, inputs, G))


def one_layer(way):
    layers, x, G = network((3, 2))
    return np.allclose(at_input(way, layers, [x], G), nudged(layers, x, G))


def last_only(way):
    layers, x, G = network()
    return np.array_equal(next(way(layers, forward(layers, x)[1], G))[1], G)


def all_open(way):
    layers, x, G = network()
    layers = [(np.abs(W), np.abs(b)) for W, b in layers]
    x = np.abs(x)
    found = at_input(way, layers, forward(layers, x)[1], G)
    return np.allclose(found, nudged(layers, x, G), rtol=1e-4)


def shapes_only(way):
    layers, x, G = network()
    return at_input(way, layers, forward(layers, x)[1], G).shape == x.shape


def exactly_equal(way):
    layers, x, G = network()
    found = at_input(way, layers, forward(layers, x)[1], G)
    return (found == nudged(layers, x, G)).all()


def zeros_only(way):
    layers, x, G = network()
    inputs = forward(layers, x)[1]
    return all(((G_k != 0) == (inputs[k + 1] > 0)).all()
               for k, G_k in way(layers, inputs, G) if k < 2)  # fmt: skip


def friends(layers, inputs, G):
    for k in range(len(layers) - 1, -1, -1):
        yield k, G
        G = (G @ layers[k][0].T) * (inputs[k] >= 0)


def like_friends(way):
    layers, x, G = network()
    inputs = forward(layers, x)[1]
    return np.allclose(at_input(way, layers, inputs, G), at_input(friends, layers, inputs, G))


def unlike_friends(way):
    return not like_friends(way)


def with_ones(way):
    rng = np.random.default_rng(3)
    layers = [(rng.normal(size=(3, 8)), np.zeros(8)), (rng.normal(size=(8, 1)), np.zeros(1))]
    x = rng.normal(size=(5, 3))

    def output(x):
        return np.maximum(x @ layers[0][0], 0) @ layers[1][0]

    *_, (_, first) = way(layers, [x, np.maximum(x @ layers[0][0], 0)], np.ones((5, 1)))
    slopes = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        step = np.zeros_like(x)
        step[place] = 1e-6
        slopes[place] = (output(x + step) - output(x - step)).sum() / 2e-6
    return np.allclose(first @ layers[0][0].T, slopes, atol=1e-5)


RIGHT = [
    Right("hand-decay", decayed_by_autograd),
    Right("hand-decay", decayed_by_loop),
    Right("hand-sgd", Momentum),
    Right("hand-sgd", MomentumOfSteps),
    Right("hand-sgd", FromHistory),
    Right("hand-mask", by_nudges),
    Right("hand-mask", by_torch),
    Right("hand-epsilon", EPSILON),
    Right("hand-epsilon", {**EPSILON, "times_shorter_with_epsilon": 1e9 + 1}),
    Right("hand-size", SIZE),
]

WRONG = [
    Wrong("hand-decay", "2λw", lambda g, w, decay: g + 2 * decay * w, "has a half"),
    Wrong("hand-decay", "λw/2", lambda g, w, decay: g + decay * w / 2, "a factor 2"),
    Wrong("hand-decay", "subtracts", shrinks, "is added, too"),
    Wrong("hand-decay", "adds the loss", loss_added, "add the new term itself"),
    Wrong("hand-decay", "λw²", lambda g, w, decay: g + decay * w * w, "not differentiated"),
    Wrong("hand-decay", "λw²/2", lambda g, w, decay: g + decay * w * w / 2, "not differentiated"),
    Wrong("hand-decay", "|w|", lambda g, w, decay: g + decay * (w / abs(w)), "derivative of |w|"),
    Wrong("hand-decay", "norm", lambda g, w, decay: g + decay * np.sqrt(w @ w), "length of w"),
    Wrong("hand-decay", "sum", lambda g, w, decay: g + decay * sum(w), "sum of all"),
    Wrong("hand-decay", "mean", lambda g, w, decay: g + decay / w.size * w, "not a mean"),
    Wrong("hand-decay", "old loss lost", lambda g, w, decay: w * decay, "old loss"),
    Wrong("hand-decay", "gradient decays", lambda g, w, decay: (1 + decay) * g, "not the gradient"),
    Wrong("hand-decay", "without w", lambda g, w, decay: decay + g, "The weights are missing"),
    Wrong("hand-decay", "unchanged", lambda g, w, decay: g, "term is missing"),
    Wrong("hand-sgd", "not in place", NotInPlace, "in place"),
    Wrong("hand-sgd", "no memory", NoMemory, "no memory"),
    Wrong("hand-sgd", "running mean", RunningMean, "Adam's running mean"),
    Wrong("hand-sgd", "climbs", Climbs, "You climb"),
    Wrong("hand-sgd", "Nesterov", Nesterov, "looks ahead"),
    Wrong("hand-sgd", "moves first", MovesFirst, "before V has"),
    Wrong("hand-sgd", "never forgets", NeverForgets, "never forgets"),
    Wrong("hand-sgd", "β on the gradient", BetaOnGradient, "not of the new gradient"),
    Wrong("hand-sgd", "swapped", Swapped, "are swapped"),
    Wrong("hand-sgd", "corrected", Corrected, "has no correction"),
    Wrong("hand-sgd", "corrected mean", CorrectedMean, "corrected mean"),
    Wrong("hand-sgd", "step size twice", StepSizeTwice, "both lines"),
    Wrong("hand-sgd", "no step size", NoStepSize, "step size is missing"),
    Wrong("hand-mask", "G of ones", with_ones, "ignores G"),
    Wrong("hand-mask", "no unit is cut off", all_open, "cut off?"),
    Wrong("hand-mask", "one layer", one_layer, "last layer only"),
    Wrong("hand-mask", "first G only", last_only, "last layer only"),
    Wrong("hand-mask", "shapes", shapes_only, "not shapes"),
    Wrong("hand-mask", "no tolerance", exactly_equal, "small error"),
    Wrong("hand-mask", "inverted", lambda way: not by_nudges(way), "wrong way round"),
    Wrong("hand-mask", "zeros only", zeros_only, "not at its size"),
    Wrong("hand-mask", "like the friend's", like_friends, "the friend's numbers"),
    Wrong("hand-mask", "unlike the friend's", unlike_friends, "every other mistake"),
    Wrong("hand-epsilon", "one step", {**EPSILON, "apart_without_epsilon": 1e-3}, "opposite"),
    Wrong("hand-epsilon", "plain step", {**EPSILON, "apart_without_epsilon": 2e-20}, "drops out"),
    Wrong("hand-epsilon", "the same", {**EPSILON, "apart_without_epsilon": 0}, "signs differ"),
    Wrong("hand-epsilon", "ratio", {**EPSILON, "times_shorter_with_epsilon": 1e-9}, "upside down"),
    Wrong("hand-epsilon", "by ε", {**EPSILON, "times_shorter_with_epsilon": 1e8}, "√S + ε"),
    Wrong("hand-epsilon", "S", {**EPSILON, "times_shorter_with_epsilon": 1e25}, "its root"),
    Wrong(
        "hand-epsilon",
        "the parameter stays",
        {**EPSILON, "slope_exactly_zero": "the parameter stays"},
        "so is the divisor",
    ),
    Wrong(
        "hand-epsilon",
        "nowhere",
        {**EPSILON, "where_slopes_are_zero": "nowhere"},
        "a ReLU that is shut",
    ),
    Wrong("hand-size", "with biases", {**SIZE, "actor_weights": 129_306}, "biases are added"),
    Wrong("hand-size", "no action", {**SIZE, "critic_weights": 127_100}, "state and the action"),
    Wrong("hand-size", "one transition", {**SIZE, "multiplications": 1_275_400}, "one transition"),
    Wrong("hand-size", "all products", {**SIZE, "multiplications": 82_649_600}, "lacks one"),
    Wrong("hand-size", "no target", {**SIZE, "multiplications": 65_107_200}, "target is missing"),
    Wrong("hand-size", "both ways back", {**SIZE, "multiplications": 89_913_600}, "no gradient of"),
    Wrong("hand-size", "actor alone", {**SIZE, "share_of_actor_line": 0.3}, "four passes"),
    Wrong("hand-size", "target's share", {**SIZE, "share_of_actor_line": 0.2}, "of the target"),
    Wrong("hand-size", "per cent", {**SIZE, "share_of_actor_line": 50}, "a percentage"),
]
