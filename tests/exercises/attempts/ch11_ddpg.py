"""Attempts at the exercises of chapter 11."""

import numpy as np
import torch

from tests.exercises.attempts import Right, Wrong

HALF_LIFE = {
    "updates_to_half": 693,
    "updates_to_99_percent": 4605,
    "share_of_the_steps": 0.384,
}
BY_LOGARITHM = {
    "updates_to_half": np.log(0.5) / np.log(0.999),
    "updates_to_99_percent": np.log(0.01) / np.log(0.999),
    "share_of_the_steps": 4603 / 12_000,
}
EXPLAIN = {
    "Q_must_approach": -250,
    "why_the_loss_rises": "Q begins near 0 and falls to the size of the returns",
    "gradient_of_the_loss": "right for the present critic, at every step",
    "what_to_watch": "the return of episodes without noise",
}


def settle(masked, gamma=0.9, limit=10, passes=1000):
    """All values at once, from those of the pass before."""
    q = np.zeros(limit)
    for _ in range(passes):
        q = 1 + gamma * np.append(q[1:], 0.0 if masked else q[0])
    return q


def settle_in_place(masked, gamma, limit):
    q = [0.0] * limit
    while True:
        before = list(q)
        for t in reversed(range(limit)):
            after = q[t + 1] if t + 1 < limit else 0 if masked else q[0]
            q[t] = 1 + gamma * after
        if np.allclose(q, before, rtol=1e-9, atol=0):
            return q


def settle_by_system(masked, gamma, limit):
    follows = np.eye(limit, k=1)
    follows[-1, 0] += not masked
    return np.linalg.solve(np.eye(limit) - gamma * follows, np.ones(limit))


def mask_cuts_reward(masked, gamma, limit):
    q = np.zeros(limit)
    for _ in range(1000):
        q = 1 + gamma * np.roll(q, -1)
        if masked:
            q[-1] = 0
    return q


def mask_too_late(masked, gamma, limit):
    return settle(masked, gamma, limit + 1)[:-1]


def discounts_all(masked, gamma, limit):
    q = np.zeros(limit)
    for _ in range(1000):
        q = gamma * (1 + np.append(q[1:], 0 if masked else q[0]))
    return q


def undiscounted(masked, gamma, limit):
    return settle(masked, 1.0, limit)


def one_value_too_many(masked, gamma, limit):
    q = settle(masked, gamma, limit)
    return np.append(q, 0 if masked else q[0])


def one_backward_pass(masked, gamma, limit):
    q = np.zeros(limit + 1)
    for t in range(limit - 1, -1, -1):
        q[t] = 1 + gamma * q[t + 1]
    return q[:limit]


def two_slopes(actor, critic, s, a):
    def at(action):
        action = action.detach().clone().requires_grad_()
        return torch.autograd.grad(critic(s, action).sum(), action)[0]

    return at(a), at(actor(s))


def two_slopes_by_backward(actor, critic, s, a):
    first, second = a.clone(), actor(s).detach()
    for action in (first, second):
        action.requires_grad_(True)
        critic(s, action).sum().backward()
    return torch.stack([first.grad, second.grad])


def two_slopes_by_differences(actor, critic, s, a):
    def at(action):
        g = torch.zeros_like(action)
        for k in range(action.shape[1]):
            h = torch.zeros_like(action)
            h[:, k] = 1e-5
            g[:, k] = (critic(s, action + h) - critic(s, action - h)) / 2e-5
        return g.numpy()

    with torch.no_grad():
        return np.array([at(a), at(actor(s))])


def reduced(how):
    def answer(actor, critic, s, a):
        slopes = []
        for x in (a, actor(s)):
            x = x.detach().requires_grad_()
            slopes += torch.autograd.grad(how(critic(s, x)), x)
        return slopes

    return answer


def in_the_state(actor, critic, s, a):
    s = s.clone().requires_grad_()
    mu = actor(s).detach()
    return [torch.autograd.grad(critic(s, x).sum(), s)[0] for x in (a, mu)]


def never_cleared(actor, critic, s, a):
    x = a.clone().requires_grad_()
    critic(s, x).sum().backward()
    first = x.grad.clone()
    x.data = actor(s).detach()
    critic(s, x).sum().backward()
    return first, x.grad


def same_tensor(actor, critic, s, a):
    x = a.clone().requires_grad_()
    critic(s, x).sum().backward()
    first = x.grad
    x.data = actor(s).detach()
    critic(s, x).sum().backward()
    return first, x.grad


def values(actor, critic, s, a):
    return critic(s, a), critic(s, actor(s))


def then(change):
    return lambda actor, critic, s, a: change(*two_slopes(actor, critic, s, a))


RIGHT = [
    Right("ddpg-half-life", HALF_LIFE),
    Right("ddpg-half-life", BY_LOGARITHM),
    Right("ddpg-constant", settle),
    Right("ddpg-constant", settle_in_place),
    Right("ddpg-constant", settle_by_system),
    Right("ddpg-constant", lambda masked, gamma, limit: settle(masked, gamma, limit, 100)),
    Right("ddpg-replayed", two_slopes),
    Right("ddpg-replayed", two_slopes_by_backward),
    Right("ddpg-replayed", two_slopes_by_differences),
    Right("ddpg-explain", EXPLAIN),
]

WRONG = [
    Wrong("ddpg-half-life", "linear", {**HALF_LIFE, "updates_to_half": 500}, "the gap shrinks"),
    Wrong("ddpg-half-life", "1/τ", {**HALF_LIFE, "updates_to_half": 1 / 0.001}, "about 37%"),
    Wrong("ddpg-half-life", "own τ", {**HALF_LIFE, "updates_to_half": 69}, "The paper has"),
    Wrong(
        "ddpg-half-life",
        "log10",
        {**HALF_LIFE, "updates_to_half": np.log10(2) / 0.001},
        "natural one",
    ),
    Wrong(
        "ddpg-half-life",
        "1% made",
        {**HALF_LIFE, "updates_to_99_percent": np.log(0.99) / np.log(0.999)},
        "when 1% is left",
    ),
    Wrong(
        "ddpg-half-life",
        "in proportion to half",
        {**HALF_LIFE, "updates_to_99_percent": 693 / 50 * 99},
        "more than twice the updates",
    ),
    Wrong(
        "ddpg-half-life",
        "upside down",
        {**HALF_LIFE, "share_of_the_steps": 12_000 / 4605},
        "not the steps by the updates",
    ),
    Wrong("ddpg-constant", "swapped", lambda m, *x: settle(not m, *x), "swapped"),
    Wrong("ddpg-constant", "never masks", lambda m, *x: settle(False, *x), "beyond the limit"),
    Wrong("ddpg-constant", "always masks", lambda m, *x: settle(True, *x), "the present q[0]"),
    Wrong("ddpg-constant", "one backward pass", one_backward_pass, "one pass is not enough"),
    Wrong("ddpg-constant", "one pass", lambda *x: settle(*x, passes=1), "after a single pass"),
    Wrong("ddpg-constant", "few passes", lambda *x: settle(*x, passes=x[-1]), "have not settled"),
    Wrong("ddpg-constant", "no last reward", mask_cuts_reward, "removes the last reward"),
    Wrong("ddpg-constant", "mask too late", mask_too_late, "one step too late"),
    Wrong("ddpg-constant", "discounts the reward", discounts_all, "is not discounted"),
    Wrong("ddpg-constant", "no discount", undiscounted, "discount is missing"),
    Wrong("ddpg-constant", "one value too many", one_value_too_many, "beyond the limit. Return"),
    Wrong("ddpg-constant", "reversed", lambda *x: settle(*x)[::-1], "reverse order"),
    Wrong("ddpg-replayed", "replayed twice", then(lambda x, y: (x, x)), "belongs at μ(s, u)"),
    Wrong("ddpg-replayed", "μ twice", then(lambda x, y: (y, y)), "at the replayed actions."),
    Wrong("ddpg-replayed", "swapped", then(lambda x, y: (y, x)), "wrong order"),
    Wrong("ddpg-replayed", "mean of Q", reduced(lambda q: q.mean()), "every slope by B"),
    Wrong("ddpg-replayed", "−Q", reduced(lambda q: -q.sum()), "slopes of −Q"),
    Wrong("ddpg-replayed", "in the state", in_the_state, "slopes in the state"),
    Wrong(
        "ddpg-replayed",
        "sum over rows",
        then(lambda x, y: (x.sum(0), y.sum(0))),
        "summed over the batch",
    ),
    Wrong(
        "ddpg-replayed",
        "mean over rows",
        then(lambda x, y: (x.mean(0), y.mean(0))),
        "averaged over the batch",
    ),
    Wrong("ddpg-replayed", "never cleared", never_cleared, "holds the first one too"),
    Wrong("ddpg-replayed", "same tensor", same_tensor, "the same tensor"),
    Wrong("ddpg-replayed", "values", values, "values of Q"),
    Wrong("ddpg-replayed", "signs", then(lambda x, y: (x.sign(), y.sign())), "signs of"),
    Wrong(
        "ddpg-replayed",
        "first entry",
        then(lambda x, y: (x[..., 0], y[..., 0])),
        "Only the first entry",
    ),
    Wrong("ddpg-replayed", "difference", then(lambda x, y: x - y), "Return both"),
    Wrong("ddpg-explain", "positive", {**EXPLAIN, "Q_must_approach": 250}, "are negative"),
    Wrong("ddpg-explain", "one step", {**EXPLAIN, "Q_must_approach": -5}, "one step"),
    Wrong("ddpg-explain", "200 steps", {**EXPLAIN, "Q_must_approach": -1000}, "plain sum"),
    Wrong(
        "ddpg-explain",
        "walks down",
        {**EXPLAIN, "why_the_loss_rises": "the actor walks down the critic"},
        "what happens to Q itself",
    ),
    Wrong(
        "ddpg-explain",
        "wrong gradient",
        {**EXPLAIN, "gradient_of_the_loss": "wrong as long as the loss rises"},
        "does not make it wrong",
    ),
    Wrong(
        "ddpg-explain",
        "critic's loss",
        {**EXPLAIN, "what_to_watch": "the critic's loss"},
        "how well Q fits",
    ),
]
