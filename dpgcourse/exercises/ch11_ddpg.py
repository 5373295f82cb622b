"""Exercises of chapter 11, DDPG."""

import numpy as np
import torch

from dpgcourse.exercises.exercise import AnswersExercise, Asked, FunctionExercise, Mistake


def _settled(masked, gamma, limit):
    """The sum of the discounted rewards that still come, as a closed form."""
    left = np.arange(limit, 0, -1) if masked else np.full(limit, np.inf)
    return (1 - gamma**left) / (1 - gamma)


def _lost_reward(masked, gamma, limit):
    left = np.arange(limit - 1, -1, -1) if masked else np.full(limit, np.inf)
    return (1 - gamma**left) / (1 - gamma)


def _one_more(masked, gamma, limit):
    left = np.arange(limit + 1, 1, -1) if masked else np.full(limit, np.inf)
    return (1 - gamma**left) / (1 - gamma)


def _undiscounted(masked, gamma, limit):  # after a thousand passes
    return np.arange(limit, 0, -1) if masked else np.full(limit, 1000.0)


class _Actor(torch.nn.Module):
    """A small actor, with a name that fits on a card."""

    def __init__(self, W):
        super().__init__()
        self.W = torch.nn.Parameter(torch.as_tensor(W))

    def forward(self, s):
        return torch.tanh(s @ self.W)

    def __repr__(self):
        return f"an actor: {self.W.shape[0]} entries of s, {self.W.shape[1]} of a"


class _Critic(torch.nn.Module):
    """Q = sin(a·v + s·w) − |a|²/2, whose slopes are known in closed form."""

    def __init__(self, v, w):
        super().__init__()
        self.v, self.w = (torch.nn.Parameter(torch.as_tensor(x)) for x in (v, w))

    def forward(self, s, a):
        return torch.sin(a @ self.v + s @ self.w) - (a**2).sum(-1) / 2

    def __repr__(self):
        return "a critic: Q = sin(a·v + s·w) − |a|²/2"


def _networks(rng):
    for B, d, m in ((1, 2, 1), (5, 3, 1), (4, 3, 2), (6, 2, 3)):
        s, a = (torch.as_tensor(rng.normal(size=(B, k)).round(2)) for k in (d, m))
        v, w = rng.normal(size=m) + 1, rng.normal(size=d)
        yield _Actor(rng.normal(size=(d, m))), _Critic(v, w), s, a


def _arrays(actor, critic, s, a):
    v, w, W = (x.detach().numpy() for x in (critic.v, critic.w, actor.W))
    s, a = s.numpy(), a.numpy()
    return v, w, s, a, np.tanh(s @ W)


def _slopes(actor, critic, s, a):
    v, w, s, a, mu = _arrays(actor, critic, s, a)
    return np.stack([np.cos(x @ v + s @ w)[:, None] * v - x for x in (a, mu)])


def _slopes_in_s(actor, critic, s, a):
    v, w, s, a, mu = _arrays(actor, critic, s, a)
    return np.stack([np.cos(x @ v + s @ w)[:, None] * w for x in (a, mu)])


def _values(actor, critic, s, a):
    v, w, s, a, mu = _arrays(actor, critic, s, a)
    return np.stack([np.sin(x @ v + s @ w) - (x**2).sum(-1) / 2 for x in (a, mu)])


def _of_slopes(new):
    """The two slopes, changed by `new`, which gets the slopes at a and at μ(s,u)."""
    return lambda actor, critic, s, a: new(*_slopes(actor, critic, s, a))


EXERCISES = (
    AnswersExercise(
        label="ddpg-half-life",
        asked={
            "updates_to_half": Asked(
                693,
                {
                    500: "The share τ is taken of the gap that is left, and the gap shrinks: "
                    "half the way takes more than 0.5/τ updates.",
                    1000: "After 1/τ updates about 37% of the gap is left, not half of it.",
                    69: "This is the answer for τ = 0.01. The paper has τ = 0.001.",
                    301: "The logarithm is the natural one, not the one to base 10.",
                },
                rtol=2e-3,
            ),
            "updates_to_99_percent": Asked(
                4604,
                {
                    990: "The share τ is taken of the gap that is left, and the gap shrinks.",
                    10: "After ten updates 99% of the gap is left. Ask when 1% is left.",
                    10.05: "After ten updates 99% of the gap is left. Ask when 1% is left.",
                    460: "This is the answer for τ = 0.01. The paper has τ = 0.001.",
                    2000: "The logarithm is the natural one, not the one to base 10.",
                    1372: "Twice the way takes more than twice the updates: the gap shrinks by "
                    "a factor at each update.",
                    6907: "After so many updates only 0.1% of the gap is left, not 1%.",
                },
                rtol=2e-3,
            ),
            "share_of_the_steps": Asked(
                4604 / 12_000,
                {
                    693 / 12_000: "This is the share for half of the way.",
                    12_000 / 4604: "Divide the updates by the steps, not the steps by the updates.",
                    990 / 12_000: "The number of updates for 99% is larger.",
                    0.0384: "This is the answer for τ = 0.01. The paper has τ = 0.001.",
                },
                rtol=5e-3,
            ),
        },
        checked="both numbers of updates, and the share of the steps",
    ),
    FunctionExercise(
        label="ddpg-constant",
        name="settle",
        parameters=("masked", "gamma", "limit"),
        cases=lambda rng: [
            (False, 0.9, 10),
            (True, 0.9, 10),
            (False, 0.5, 4),
            (True, 0.5, 4),
            (True, 0.8, 1),
            (False, 0.8, 1),
            (True, 0.0, 3),
        ],
        right=_settled,
        checked="both ways to treat the limit, three discounts, episodes of 1 to 10 steps",
        mistakes=(
            Mistake(
                "The two ways are swapped: with masked=True nothing follows the last step.",
                lambda masked, gamma, limit: _settled(not masked, gamma, limit),
            ),
            Mistake(
                "With masked=True you still look beyond the limit: there q[limit] is 0.",
                lambda masked, gamma, limit: _settled(False, gamma, limit),
            ),
            Mistake(
                "With masked=False your values are those of masked=True. There q[limit] is the "
                "present q[0], and one pass is not enough.",
                lambda masked, gamma, limit: _settled(True, gamma, limit),
            ),
            Mistake(
                "Your values are those after a single pass. Repeat it until nothing changes.",
                lambda masked, gamma, limit: np.ones(limit),
            ),
            Mistake(
                "Your values with masked=False have not settled: `limit` passes are too few.",
                lambda masked, gamma, limit: (
                    _settled(True, gamma, limit)
                    if masked
                    else np.full(limit, _settled(True, gamma, limit)[0])
                ),
            ),
            Mistake(
                "The mask removes the last reward too. It is paid: only what follows is cut.",
                _lost_reward,
            ),
            Mistake(
                "The mask comes one step too late: q[limit] itself is 0.",
                _one_more,
            ),
            Mistake(
                "The discount is missing: what follows counts γ times.",
                _undiscounted,
            ),
            Mistake(
                "The reward of the present step is not discounted: only what follows is.",
                lambda masked, gamma, limit: gamma * _settled(masked, gamma, limit),
            ),
            Mistake(
                "The last value returned is the one beyond the limit. Return the values of the "
                "steps 0 to limit − 1.",
                lambda masked, gamma, limit: np.append(
                    _settled(masked, gamma, limit), 0.0 if masked else 1 / (1 - gamma)
                ),
            ),
            Mistake(
                "Your values come in the reverse order: the mask should lower those near the "
                "limit most.",
                lambda masked, gamma, limit: _settled(masked, gamma, limit)[::-1],
            ),
        ),
        rtol=1e-4,
    ),
    FunctionExercise(
        label="ddpg-replayed",
        name="two_slopes",
        parameters=("actor", "critic", "s", "a"),
        cases=_networks,
        right=_slopes,
        checked="four pairs of networks with one to three entries of the action, by closed forms",
        mistakes=(
            Mistake(
                "Both slopes are taken at the replayed actions. The second belongs at μ(s, u).",
                _of_slopes(lambda at_a, at_mu: [at_a, at_a]),
            ),
            Mistake(
                "Both slopes are taken at μ(s, u). The first belongs at the replayed actions.",
                _of_slopes(lambda at_a, at_mu: [at_mu, at_mu]),
            ),
            Mistake(
                "The two are in the wrong order: first at the replayed actions, then at μ(s, u).",
                _of_slopes(lambda at_a, at_mu: [at_mu, at_a]),
            ),
            Mistake(
                "You differentiate the mean of Q over the batch, which divides every slope by B.",
                _of_slopes(lambda at_a, at_mu: [at_a / len(at_a), at_mu / len(at_mu)]),
            ),
            Mistake(
                "These are slopes in the state. Hold s, and move the action.",
                _slopes_in_s,
            ),
            Mistake(
                "The slopes are summed over the batch. Each row has its own.",
                _of_slopes(lambda at_a, at_mu: [at_a.sum(0), at_mu.sum(0)]),
            ),
            Mistake(
                "The slopes are averaged over the batch. Each row has its own.",
                _of_slopes(lambda at_a, at_mu: [at_a.mean(0), at_mu.mean(0)]),
            ),
            Mistake(
                "These are slopes of −Q, the actor's loss. The slopes of Q are asked for.",
                _of_slopes(lambda at_a, at_mu: [-at_a, -at_mu]),
            ),
            Mistake(
                "`.grad` adds up: the second slope holds the first one too.",
                _of_slopes(lambda at_a, at_mu: [at_a, at_a + at_mu]),
            ),
            Mistake(
                "`.grad` adds up, and both answers are the same tensor.",
                _of_slopes(lambda at_a, at_mu: [at_a + at_mu, at_a + at_mu]),
            ),
            Mistake("These are values of Q. Its slopes are asked for.", _values),
            Mistake(
                "These are the signs of the slopes. The slopes themselves are asked for.",
                _of_slopes(lambda at_a, at_mu: [np.sign(at_a), np.sign(at_mu)]),
            ),
            Mistake(
                "Only the first entry of each slope is left. Keep one slope for each entry of a.",
                _of_slopes(lambda at_a, at_mu: [at_a[:, 0], at_mu[:, 0]]),
            ),
            Mistake(
                "This is the difference of the two slopes. Return both.",
                _of_slopes(lambda at_a, at_mu: at_a - at_mu),
            ),
        ),
    ),
    AnswersExercise(
        label="ddpg-explain",
        asked={
            "Q_must_approach": Asked(
                -250,
                {
                    250: "The rewards are negative, and so is their sum.",
                    -5: "This is the reward of one step. Q adds up all that follow, discounted.",
                    -4.9: "This is one reward, discounted once. Q adds up all that follow.",
                    -245: "The first reward is not discounted.",
                    -1000: "This is the plain sum of 200 steps. Q discounts, and sees no limit.",
                },
            ),
            "why_the_loss_rises": Asked(
                "Q begins near 0 and falls to the size of the returns",
                {
                    "the actor walks down the critic": "That would raise the loss too. But a "
                    "right actor's loss rises as well: ask what happens to Q itself.",
                    "the actor's learning rate is too large": "The loss would rise with any "
                    "learning rate: ask what happens to Q itself.",
                    "the noise on the actions grows": "The noise has a fixed scale, and it does "
                    "not enter the actor's loss.",
                },
            ),
            "gradient_of_the_loss": Asked(
                "right for the present critic, at every step",
                {
                    "wrong as long as the loss rises": "The gradient holds w. That w moves between "
                    "two steps does not make it wrong.",
                    "right only when the critic has settled": "It is the slope of the present "
                    "critic, whether that critic is good or not.",
                    "zero until the critic has settled": "A critic that is still learning has "
                    "slopes too.",
                },
            ),
            "what_to_watch": Asked(
                "the return of episodes without noise",
                {
                    "the actor's loss, for more steps": "Its level follows the critic, so it "
                    "does not measure the policy.",
                    "the critic's loss": "It says how well Q fits its targets. A bad policy can "
                    "have a critic that fits.",
                    "the return of the training episodes": "Those contain the noise, which the "
                    "policy itself does not have.",
                },
            ),
        },
        checked="the value that Q approaches, and what the loss says and does not say",
    ),
)
