"""Attempts at the exercises of chapter 4."""

import numpy as np
import torch
from torch import nn

from tests.exercises.attempts import Right, Wrong

MSE = {"factor_for_m_2": 1, "factor_for_m_5": 0.4, "what_to_do": "write the formula out"}
TWICE = {
    "step_of_gradient_descent": 1 / 64,
    "step_of_Adam": 1,
    "why_Adam_hides_it": "a constant factor cancels",
    "what_shows_it_again": "a penalty that is divided once",
}
PRICE = {
    "action_at_rest": 3.671,
    "distance_with_less_penalty": 0.0585,
    "without_penalty": "at the favorite",
}


def move(actor, slopes, lr):
    with torch.no_grad():
        for p, slope in zip(actor.parameters(), slopes, strict=True):
            p += lr * slope


def action_gradient(actor, critic, s):
    """The actions, and g at them without the actor's past."""
    a = actor(s)
    leaf = a.detach().clone().requires_grad_(True)
    (g,) = torch.autograd.grad(critic(s, leaf).sum(), [leaf])
    return a, g


def two_factors(actor, critic, s, lr):
    a, g = action_gradient(actor, critic, s)
    move(actor, torch.autograd.grad(a, list(actor.parameters()), g / len(s)), lr)


def without_a_leaf(actor, critic, s, lr):
    slopes = torch.autograd.grad(critic(s, actor(s)).mean(), tuple(actor.parameters()))
    for p, slope in zip(actor.parameters(), slopes, strict=True):
        p.data.add_(slope, alpha=lr)


def state_by_state(actor, critic, s, lr):
    total = [torch.zeros_like(p) for p in actor.parameters()]
    for i in range(len(s)):
        a, g = action_gradient(actor, critic, s[i : i + 1])
        for j in range(a.shape[1]):
            row = torch.autograd.grad(a[0, j], list(actor.parameters()), retain_graph=True)
            for sum_p, p in zip(total, row, strict=True):
                sum_p += g[0, j] * p / len(s)
    move(actor, total, lr)


def frozen_and_back(actor, critic, s, lr):
    critic.requires_grad_(False)
    actor.zero_grad()
    (-critic(s, actor(s)).mean()).backward()
    critic.requires_grad_(True)
    move(actor, [p.grad for p in actor.parameters()], -lr)


def descends(actor, critic, s, lr):
    two_factors(actor, critic, s, -lr)


def sums(actor, critic, s, lr):
    a, g = action_gradient(actor, critic, s)
    move(actor, torch.autograd.grad((a * g).sum(), list(actor.parameters())), lr)


def mean_over_entries(actor, critic, s, lr):
    a, g = action_gradient(actor, critic, s)
    move(actor, torch.autograd.grad((a * g).mean(), list(actor.parameters())), lr)


def divides_twice(actor, critic, s, lr):
    a = actor(s)
    leaf = a.detach().requires_grad_()
    (g,) = torch.autograd.grad(critic(s, leaf).mean(), leaf)
    move(actor, torch.autograd.grad(a, list(actor.parameters()), g / s.shape[0]), lr)


def means_first(actor, critic, s, lr):
    a, g = action_gradient(actor, critic, s)
    move(actor, torch.autograd.grad(a.mean(0), list(actor.parameters()), g.mean(0)), lr)


def climbs_the_action(actor, critic, s, lr):
    a = actor(s)
    move(actor, torch.autograd.grad(a.sum() / len(s), list(actor.parameters())), lr)


def no_step_size(actor, critic, s, lr):
    two_factors(actor, critic, s, 1)


def step_size_twice(actor, critic, s, lr):
    a, g = action_gradient(actor, critic, s)
    move(actor, torch.autograd.grad(a, list(actor.parameters()), lr * g / len(s)), lr)


def detached(actor, critic, s, lr):
    (-critic(s, actor(s).detach()).mean()).backward()
    with torch.no_grad():
        for p in actor.parameters():
            if p.grad is not None:
                p -= lr * p.grad
    critic.zero_grad()


def new_tensors(actor, critic, s, lr):
    a, g = action_gradient(actor, critic, s)
    slopes = torch.autograd.grad(a, list(actor.parameters()), g / len(s))
    for p, slope in zip(actor.parameters(), slopes, strict=True):
        p = p + lr * slope


def both_networks(actor, critic, s, lr):
    everything = [*actor.parameters(), *critic.parameters()]
    slopes = torch.autograd.grad(critic(s, actor(s)).mean(), everything)
    with torch.no_grad():
        for p, slope in zip(everything, slopes, strict=True):
            p += lr * slope


def one_optimizer(actor, critic, s, lr):
    optimizer = torch.optim.SGD([*actor.parameters(), *critic.parameters()], lr=lr)
    optimizer.zero_grad()
    (-critic(s, actor(s)).mean()).backward()
    optimizer.step()


def leaves_gradient(actor, critic, s, lr):
    actor.zero_grad()
    critic.zero_grad()
    critic(s, actor(s)).mean().backward()
    move(actor, [p.grad for p in actor.parameters()], lr)


def stays_frozen(actor, critic, s, lr):
    for p in critic.parameters():
        p.requires_grad = False
    two_factors(actor, critic, s, lr)


def adds_up(actor, critic, s, lr):
    critic(s, actor(s)).mean().backward()
    critic.zero_grad()
    move(actor, [p.grad for p in actor.parameters()], lr)


def minus_forgotten(actor, critic, s, lr):
    """As an optimizer would with the loss: it descends along the mean of Q."""
    actor.zero_grad()
    critic(s, actor(s)).mean().backward()
    with torch.no_grad():
        for p in actor.parameters():
            p -= lr * p.grad


def last_layer(actor, critic, s, lr):
    a, g = action_gradient(actor, critic, s)
    last = list(actor.parameters())[-2:]
    slopes = torch.autograd.grad(a, last, g / len(s))
    with torch.no_grad():
        for p, slope in zip(last, slopes, strict=True):
            p += lr * slope


def weights_only(actor, critic, s, lr):
    layers = [layer for layer in actor if isinstance(layer, nn.Linear)]
    a, g = action_gradient(actor, critic, s)
    slopes = torch.autograd.grad(a, [layer.weight for layer in layers], g / len(s))
    for layer, slope in zip(layers, slopes, strict=True):
        layer.weight.data += lr * slope


def unit_length(actor, critic, s, lr):
    a, g = action_gradient(actor, critic, s)
    g = g / g.norm()
    move(actor, torch.autograd.grad(a, list(actor.parameters()), g / len(s)), lr)


def by_where(g, a, low, high):
    return g * np.where(g > 0, high - a, a - low) / (high - low)


def by_center(g, a, low, high):
    c, H = (low + high) / 2, (high - low) / 2
    return g * (1 - np.sign(g) * (a - c) / H) / 2


def by_mask(g, a, low, high):
    g, a, low, high = (torch.tensor(x) for x in (g, a, low, high))
    up = (g > 0).double()
    return g * (up * (high - a) + (1 - up) * (a - low)) / (high - low)


def in_a_loop(g, a, low, high):
    scaled = g.copy()
    for row, actions in zip(scaled, a, strict=True):
        for j, action in enumerate(actions):
            room = high[j] - action if row[j] > 0 else action - low[j]
            row[j] *= room / (high[j] - low[j])
    return scaled


def swapped_cases(g, a, low, high):
    return g * np.where(g < 0, high - a, a - low) / (high - low)


def half_range(g, a, low, high):
    H = (high - low) / 2
    return g / H * np.where(g > 0, high - a, a - low)


def no_range(g, a, low, high):
    return np.where(g > 0, g * (high - a), g * (a - low))


def clipped_action(g, a, low, high):
    return by_where(g, np.clip(a, low, high), low, high)


def not_negative(g, a, low, high):
    share = np.where(g > 0, high - a, a - low) / (high - low)
    return g * np.maximum(share, 0)


def absolute(g, a, low, high):
    distance = np.where(g > 0, np.abs(high - a), np.abs(a - low))
    return g * distance / (high - low)


def upper_only(g, a, low, high):
    return g * (high - a) / (high - low)


def lower_only(g, a, low, high):
    return g * (a - low) / (high - low)


def nearer_bound(g, a, low, high):
    return g * np.min([high - a, a - low], axis=0) / (high - low)


def sign_of_action(g, a, low, high):
    return g * np.where(a > 0, high - a, a - low) / (high - low)


def half_of_the_box(g, a, low, high):
    center = (high + low) / 2
    return g * np.where(a > center, high - a, a - low) / (high - low)


def share_alone(g, a, low, high):
    return np.where(g > 0, high - a, a - low) / (high - low)


def size_of_g(g, a, low, high):
    return np.abs(g) * share_alone(g, a, low, high)


def first_bounds(g, a, low, high):
    return by_where(g, a, low[0], high[0])


def sign_of_the_row(g, a, low, high):
    rows = [
        row * ((high - x if row.sum() > 0 else x - low) / (high - low))
        for row, x in zip(g, a, strict=True)
    ]
    return np.array(rows)


def outward_only(g, a, low, high):
    center = (low + high) / 2
    outward = (g > 0) == (a > center)
    return np.where(outward, by_where(g, a, low, high), g)


def stops_at_the_bound(g, a, low, high):
    out = g.copy()
    out[(g > 0) & (a >= high)] = 0
    out[(g < 0) & (a <= low)] = 0
    return out


def tanh_slope(g, a, low, high):
    return g * (high - a) * (a - low) / (high - low) ** 2


def wrong_step(mistake, answer, hint):
    return Wrong("step-own", mistake, answer, hint)


def wrong_invert(mistake, answer, hint):
    return Wrong("step-invert", mistake, answer, hint)


def changed(exercise, right, mistake, name, value, hint):
    return Wrong(exercise, mistake, {**right, name: value}, hint)


def mse(*args):
    return changed("step-mse", MSE, *args)


def twice(*args):
    return changed("step-twice", TWICE, *args)


def price(*args):
    return changed("step-price", PRICE, *args)


RIGHT = [
    Right("step-own", two_factors),
    Right("step-own", without_a_leaf),
    Right("step-own", state_by_state),
    Right("step-own", frozen_and_back),
    Right("step-mse", MSE),
    Right("step-twice", TWICE),
    Right("step-twice", {**TWICE, "step_of_gradient_descent": 0.0156, "step_of_Adam": 0.99998}),
    Right("step-price", PRICE),
    Right("step-price", {**PRICE, "distance_with_less_penalty": 0.058}),
    Right("step-price", {**PRICE, "distance_with_less_penalty": 0.06}),
    Right("step-invert", by_where),
    Right("step-invert", by_center),
    Right("step-invert", by_mask),
    Right("step-invert", in_a_loop),
]

WRONG = [
    wrong_step("only dots", lambda actor, critic, s, lr: ..., "Nothing moves"),
    wrong_step("descends", descends, "the actor descends"),
    wrong_step("minus forgotten", minus_forgotten, "the actor descends"),
    wrong_step("sum", sums, "added up"),
    wrong_step("mean over entries", mean_over_entries, "entries of the action too"),
    wrong_step("divides twice", divides_twice, "number of states twice"),
    wrong_step("means first", means_first, "average before you multiply"),
    wrong_step("no g", climbs_the_action, "critic's slope is missing"),
    wrong_step("no step size", no_step_size, "step size is missing"),
    wrong_step("step size twice", step_size_twice, "enters twice"),
    wrong_step("detached action", detached, "Nothing moves"),
    wrong_step("not in place", new_tensors, "not changed in place"),
    wrong_step("both networks", both_networks, "treats w as a constant"),
    wrong_step("one optimizer", one_optimizer, "treats w as a constant"),
    wrong_step("gradient in the critic", leaves_gradient, "left in the critic"),
    wrong_step("stays frozen", stays_frozen, "stays frozen"),
    wrong_step("adds up", adds_up, "adds the old gradient"),
    wrong_step("last layer", last_layer, "Only the last layer"),
    wrong_step("weights only", weights_only, "Only the weights"),
    wrong_step("g of length one", unit_length, ""),
    mse("no half", "factor_for_m_2", 2, "averages over the two entries"),
    mse("one half", "factor_for_m_2", 0.5, "has no ½"),
    mse("inverse", "factor_for_m_5", 2.5, "the inverse"),
    mse("1/m", "factor_for_m_5", 0.2, "has no ½"),
    mse("as for m = 2", "factor_for_m_5", 1, "by accident"),
    mse("times two", "what_to_do", "multiply mse_loss by 2", "depends on m"),
    mse("sum", "what_to_do", "use mse_loss with reduction='sum'", "with the batch"),
    twice("longer", "step_of_gradient_descent", 64, "shorter"),
    twice("both divisions", "step_of_gradient_descent", 1 / 4096, "One of the two"),
    twice("no change", "step_of_gradient_descent", 1, "times the gradient"),
    twice("Adam shorter", "step_of_Adam", 1 / 64, "which shrinks as well"),
    twice("Adam's root", "step_of_Adam", 1 / 8, "mean *square*"),
    twice("averages", "why_Adam_hides_it", "Adam averages over the batch", "never sees the batch"),
    twice("more steps", "what_shows_it_again", "more training steps", "in every step"),
    price("λz for 2λz", "action_at_rest", 3.7425, "is 2λz"),
    price("no da/dz", "action_at_rest", 3.744, "da/dz is missing"),
    price("no center", "action_at_rest", 3.6604, "center is missing"),
    price("favorite", "action_at_rest", 3.9, "pulls z toward 0"),
    price("distance", "action_at_rest", 0.2289, "the action is asked for"),
    price("no H", "distance_with_less_penalty", 0.1174, "the half range"),
    price("linear", "distance_with_less_penalty", 0.0229, "A tenth of the penalty"),
    price("other λ", "distance_with_less_penalty", 0.2289, "λ = 0.1."),
    price("bound", "without_penalty", "at the bound", "Beyond the favorite"),
    wrong_invert("swapped cases", swapped_cases, "cases are swapped"),
    wrong_invert("half the range", half_range, "not by H"),
    wrong_invert("no range", no_range, "not divided"),
    wrong_invert("clips the action", clipped_action, "do not cut the share off"),
    wrong_invert("not below zero", not_negative, "do not cut the share off"),
    wrong_invert("absolute", absolute, "size of the share"),
    wrong_invert("upper bound", upper_only, "upper bound for every slope"),
    wrong_invert("lower bound", lower_only, "lower bound for every slope"),
    wrong_invert("nearer bound", nearer_bound, "nearer bound"),
    wrong_invert("sign of a", sign_of_action, "not on the sign of the action"),
    wrong_invert("half of the box", half_of_the_box, "nearer bound"),
    wrong_invert("share alone", share_alone, "Multiply it by g"),
    wrong_invert("size of g", size_of_g, "enters twice"),
    wrong_invert("bounds of entry 0", first_bounds, "its own bounds"),
    wrong_invert("sign of the row", sign_of_the_row, "its own sign"),
    wrong_invert("outward only", outward_only, "every slope gets its share"),
    wrong_invert("stops at the bound", stops_at_the_bound, "shrinks on the way"),
    wrong_invert("slope of tanh", tanh_slope, ""),
    wrong_invert("opposite sign", lambda g, *box: -by_where(g, *box), "sign is wrong"),
]
