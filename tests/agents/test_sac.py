import itertools

import numpy as np
import pytest
import torch

from dpgcourse.agents.batch import Batch
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.agents.sac import SAC, GaussianActor
from dpgcourse.errors import InvalidInputError
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.training.loop import train
from tests.agents.test_ddpg import D, M, batch_of, parameters

BOX = ActionBox([-2.0, 0.0], [2.0, 3.0])  # densities of scaled and other actions differ, by log 3
DOUBLE = torch.float64


def agent_of(seeds, agent_class=SAC, **config):
    """An agent away from its start: means far from 0, critics that differ and have slopes."""
    config = agent_class.config_class(**{"hidden_sizes": (16, 12), **config})
    agent = agent_class(config, D, BOX, random_streams(seeds), dtype=DOUBLE)
    draw = torch.Generator().manual_seed(0)
    for theta in (agent.actor.theta, agent.critic.theta, agent.critic.second.theta):
        theta.data += 0.3 * torch.randn(theta.shape[1:], generator=draw, dtype=DOUBLE)
    agent.critic_target.load_state_dict(agent.critic.state_dict())
    return agent


def noise(seeds, B, stream="target_noise"):
    """The noise that fresh agents of these seeds draw first, (S, B, M)."""
    streams = getattr(random_streams(seeds), stream)
    return torch.tensor(np.stack([rng.standard_normal((B, M)) for rng in streams]))


def torchs_distribution(actor, s):
    """The policy over h = (a − c) / k in [−1, 1]^m, built of `torch.distributions`."""
    mean, log_std = actor.distribution(s)
    normal = torch.distributions.Normal(mean, log_std.exp())
    squash = torch.distributions.transforms.TanhTransform(cache_size=1)
    return torch.distributions.TransformedDistribution(normal, [squash])


# The policy


def test_actions_and_log_densities_are_those_of_torchs_distributions():
    actor, s, xi = agent_of([0, 1]).actor, batch_of(2, 500).s, noise([0, 1], 500)
    a, log_prob = actor.sample(s, xi)
    assert a.shape == (2, 500, M) and log_prob.shape == (2, 500)
    mean, log_std = actor.distribution(s)
    assert mean.std() > 0.3 and log_std.std() > 0.3
    theirs = torchs_distribution(actor, s)
    h = theirs.transforms[0](mean + log_std.exp() * xi)  # kept, so that it is not inverted
    center, half_range = torch.tensor(BOX.center), torch.tensor(BOX.half_range)
    torch.testing.assert_close(a, center + half_range * h, rtol=0, atol=1e-12)
    torch.testing.assert_close(log_prob, theirs.log_prob(h).sum(-1), rtol=1e-9, atol=1e-9)


def test_the_density_is_that_of_the_scaled_action_and_integrates_to_1():
    actor = agent_of([0]).actor
    s = batch_of(1, 1).s
    mean, log_std = actor.distribution(s)
    grid = torch.linspace(-1, 1, 601, dtype=DOUBLE)
    h = 0.5 * (grid[1:] + grid[:-1])  # midpoints
    z = torch.cartesian_prod(torch.atanh(h), torch.atanh(h))[None]  # (1, 360_000, 2)
    xi = (z - mean) / log_std.exp()
    with torch.no_grad():
        a, log_prob = actor.sample(s.expand(1, z.shape[1], D), xi)
    scaled = (a - torch.tensor(BOX.center)) / torch.tensor(BOX.half_range)
    torch.testing.assert_close(scaled, torch.tanh(z), rtol=0, atol=1e-12)
    total = log_prob.exp().sum() * (h[1] - h[0]) ** 2
    assert float(total) == pytest.approx(1, abs=1e-3)


def test_the_log_density_stays_finite_where_tanh_is_1():
    actor = agent_of([0]).actor
    actor.theta.data[:, -2 * M : -M] = 40.0  # the biases of the means
    xi = torch.tensor([[[3.0, -3.0]]], dtype=DOUBLE)
    a, log_prob = actor.sample(batch_of(1, 1).s, xi)
    (slope,) = torch.autograd.grad(log_prob.sum(), actor.theta)
    assert torch.isfinite(log_prob).all() and torch.isfinite(slope).all()
    np.testing.assert_allclose(a.detach()[0, 0], BOX.high, atol=1e-12)
    assert float(log_prob.detach()) > 100  # a density this concentrated at the edge of the box


def test_the_deviation_has_bounds():
    actor, s = agent_of([0]).actor, batch_of(1, 4).s
    for bias, bound in ((1e3, 2.0), (-1e3, -20.0)):
        actor.theta.data[:, -M:] = bias
        assert (actor.distribution(s)[1] == bound).all()


def test_evaluation_acts_with_the_mean_and_exploration_draws_from_the_policy():
    agent, s = agent_of(range(3000)), np.ones((3000, D))
    a = agent.act(s[:, None])[:, 0]
    with torch.no_grad():
        found = agent.actor.distribution(agent.tensor(s[:, None]))
    mean, log_std = (x[:, 0].numpy() for x in found)
    center, half_range = BOX.center, BOX.half_range
    np.testing.assert_allclose(a, center + half_range * np.tanh(mean), atol=1e-12)
    assert np.array_equal(a, agent.act(s[:, None])[:, 0])
    drawn = agent.explore(s)
    assert (drawn >= BOX.low).all() and (drawn <= BOX.high).all()
    z = np.arctanh((drawn - center) / half_range)
    xi = (z - mean) / np.exp(log_std)
    assert np.abs(xi.mean(0)).max() < 4 / 3000**0.5  # 4 standard errors
    assert np.abs(xi.std(0) - 1).max() < 4 / 6000**0.5
    assert not np.array_equal(drawn, agent.explore(s))


def test_each_seed_explores_with_a_stream_of_its_own():
    together, alone = agent_of([0, 1]), agent_of([1])
    s = np.ones((2, D))
    for _ in range(5):
        np.testing.assert_allclose(together.explore(s)[1:], alone.explore(s[1:]), atol=1e-12)


# The update


def test_the_target_is_the_hand_formula():
    agent, batch = agent_of([5, 6], gamma=0.9, initial_alpha=0.7), batch_of(2, 2000)
    with torch.no_grad():
        a_next, log_prob = agent.actor.sample(batch.s_next, noise([5, 6], 2000))
        q_1 = agent.critic_target(batch.s_next, a_next)
        q_2 = agent.critic_target.second(batch.s_next, a_next)
    smaller = torch.where(q_1 < q_2, q_1, q_2)
    assert 0.05 < (q_1 < q_2).double().mean() < 0.95  # either critic is the smaller one somewhere
    y = agent.td_target(batch)
    expected = batch.r + 0.9 * (1 - batch.terminated) * (smaller - 0.7 * log_prob)
    torch.testing.assert_close(y, expected, rtol=0, atol=1e-12)
    assert not y.requires_grad


def ascent_by_autograd(agent, s, xi, alpha):
    """Gradient of mean(min Q − α log π) in one backward pass through everything."""
    a, log_prob = agent.actor.sample(s, xi)
    q = torch.minimum(agent.critic(s, a), agent.critic.second(s, a))
    value = (q - alpha * log_prob).mean(-1).sum()
    return torch.autograd.grad(value, tuple(agent.actor.parameters()))


class ForgetsEntropy(SAC):
    def actor_gradient(self, s):
        self.temperature.log_alpha.data.fill_(-50.0)
        return super().actor_gradient(s)


class PaysForEntropy(SAC):
    def actor_gradient(self, s):
        (right,) = super().actor_gradient(s)
        _, log_prob = self.actor.sample(s, noise([3, 1], s.shape[-2]))
        loss = (self.temperature().detach() * log_prob).mean(-1).sum()
        return (right + 2 * torch.autograd.grad(loss, self.actor.theta)[0],)


class AscendsTheFirstCritic(SAC):
    def actor_gradient(self, s):
        self.critic.second = self.critic
        return super().actor_gradient(s)


class SumsOverTheBatch(SAC):
    def actor_gradient(self, s):
        return tuple(s.shape[-2] * slope for slope in super().actor_gradient(s))


class HoldsTheAction(SAC):
    """The density's slope at a fixed action: the score, instead of the path through a."""

    def sample(self, s):
        a, _ = super().sample(s)
        h = ((a - self.actor.center) / self.actor.half_range).detach()
        return a, torchs_distribution(self.actor, s).log_prob(h).sum(-1)


def largest_error(agent_class=SAC):
    """Of the actor's gradient, relative to the largest entry."""
    agent, s = agent_of([3, 1], agent_class, initial_alpha=0.4), batch_of(2, 40).s
    (expected,) = ascent_by_autograd(agent, s, noise([3, 1], 40), 0.4)
    (ours,) = agent.actor_gradient(s)
    return float((ours - expected).abs().max() / expected.abs().max())


def test_the_actors_gradient_equals_autograd():
    assert largest_error() < 1e-12


@pytest.mark.parametrize(
    "fault",
    [ForgetsEntropy, PaysForEntropy, AscendsTheFirstCritic, SumsOverTheBatch, HoldsTheAction],
)
def test_planted_faults_in_the_actors_gradient_are_found(fault):
    assert largest_error(fault) > 1e-2


def test_the_actors_gradient_equals_central_differences():
    agent, s, xi = agent_of([0]), batch_of(1, 20).s, noise([0], 20)
    (ours,) = agent.actor_gradient(s)
    theta = agent.actor.theta
    draw = torch.Generator().manual_seed(2)
    for _ in range(5):
        direction = torch.randn(theta.shape, generator=draw, dtype=DOUBLE)
        values = []
        for h in (1e-5, -1e-5):
            with torch.no_grad():
                theta += h * direction
                a, log_prob = agent.actor.sample(s, xi)
                q = agent.critic.both(s, a).amin(0)
                values.append(float((q - agent.temperature() * log_prob).mean()))
                theta -= h * direction
        slope = (values[0] - values[1]) / 2e-5
        assert float((ours * direction).sum()) == pytest.approx(slope, rel=1e-5)


def test_the_actor_step_moves_only_the_actor_and_ascends():
    agent, s = agent_of([0], initial_alpha=0.1), batch_of(1, 64).s
    others = agent.critic, agent.critic_target, agent.temperature
    before = [parameters(network) for network in others]

    def value():
        with torch.no_grad():
            a, log_prob = agent.actor.sample(s, noise([9], 64))
            q = agent.critic.both(s, a).amin(0)
            return float((q - agent.temperature() * log_prob).mean())

    first = value()
    for _ in range(30):
        agent.actor_step(s)
    assert value() > first
    assert all(torch.equal(b, parameters(n)) for b, n in zip(before, others, strict=True))


def test_the_temperatures_gradient_equals_autograd():
    agent, log_prob = agent_of([0, 1], initial_alpha=0.3, target_entropy=-1.5), batch_of(2, 30).r
    alpha = agent.temperature()
    loss = (-alpha * (log_prob - 1.5)).mean(-1).sum()
    (expected,) = torch.autograd.grad(loss, agent.temperature.log_alpha)
    torch.testing.assert_close(agent.temperature_gradient(log_prob), expected, rtol=0, atol=1e-12)


@pytest.mark.parametrize(("log_std", "rises"), [(-4.0, True), (-0.2, False)])
def test_alpha_rises_where_the_entropy_is_below_its_target_and_falls_above(log_std, rises):
    agent, s = agent_of([0, 1], initial_alpha=0.5), batch_of(2, 64).s
    agent.actor.theta.data.zero_()
    agent.actor.theta.data[:, -M:] = log_std  # the biases: the same deviation in every state
    _, log_prob = agent.sample(s)
    assert ((-log_prob.mean(-1) < agent.target_entropy) == rises).all()
    others = agent.actor, agent.critic, agent.critic_target
    before = [parameters(network) for network in others]
    agent.temperature_step(s)
    moved = agent.temperature.log_alpha.detach() - np.log(0.5)
    torch.testing.assert_close(moved, torch.full((2, 1), 1e-3 if rises else -1e-3, dtype=DOUBLE))
    assert all(torch.equal(b, parameters(n)) for b, n in zip(before, others, strict=True))


def test_the_target_entropy_is_minus_the_length_of_an_action_unless_given():
    assert agent_of([0]).target_entropy == -M
    assert agent_of([0], target_entropy=0.25).target_entropy == 0.25


def test_an_update_moves_the_target_critics_by_the_formula():
    agent = agent_of([0], tau=0.25)
    before = parameters(agent.critic_target)
    agent.update(batch_of(1, 16))
    torch.testing.assert_close(
        parameters(agent.critic_target), 0.25 * parameters(agent.critic) + 0.75 * before
    )
    assert not hasattr(agent, "actor_target")


def test_a_study_gives_every_seed_what_its_own_run_gives():
    together = agent_of([3, 1, 4])
    alone = [agent_of([seed]) for seed in (3, 1, 4)]
    for k in range(100):
        batch = batch_of(3, 8, seed=k)
        together.update(batch)
        for row, agent in enumerate(alone):
            agent.update(Batch(*(field[row : row + 1] for field in batch)))
    for row, agent in enumerate(alone):
        for name in ("actor", "critic", "critic_target", "temperature"):
            pairs = itertools.zip_longest(
                getattr(together, name).parameters(), getattr(agent, name).parameters()
            )
            for several, one in pairs:
                torch.testing.assert_close(several[row], one[0], rtol=0, atol=1e-9)


def test_bootstrap_value_is_the_smaller_target_critic_at_the_mean_action():
    agent, s = agent_of([0, 1]), batch_of(2, 50).s
    agent.update(batch_of(2, 16))
    with torch.no_grad():
        a = agent.actor(s)
        target = agent.critic_target
        expected = torch.minimum(target(s, a), target.second(s, a))
    np.testing.assert_array_equal(agent.bootstrap_value(s), expected.numpy())


def test_it_is_not_compiled():
    with pytest.raises(InvalidInputError, match="compile is True; allowed: False for SAC"):
        agent_of([0]).compile()


# Learning

BANDIT = {
    "num_seeds": 2,
    "steps": 1300,
    "learning_starts": 100,
    "eval_every": 1300,
    "eval_episodes": 20,
    "hidden_sizes": (32, 32),
    "actor_lr": 3e-3,
    "critic_lr": 3e-3,
}


def entropies(agent, s):
    """Of the policies, in nats, each averaged over states, (S,)."""
    xi = torch.randn((*s.shape[:2], 1), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        return -agent.actor.sample(s, xi)[1].mean(-1).numpy()


def test_it_learns_a_bandit_and_holds_the_entropy_at_its_target():
    """The best policy of ContextualBandit-v0 is a = s."""
    run = train("ContextualBandit-v0", "sac", initial_alpha=0.1, alpha_lr=3e-3, **BANDIT)
    assert isinstance(run.agent.actor, GaussianActor)
    s = torch.linspace(-1, 1, 400)[None, :, None].expand(2, -1, -1)
    error = run.agent.act(s.numpy()) - s.numpy()
    assert np.sqrt((error**2).mean((1, 2))).max() < 0.1
    assert run.final_returns.min() > -0.02  # random actions earn −1.67
    assert np.abs(entropies(run.agent, s) - -1).max() < 0.3
    alpha = run.agent.temperature().detach().numpy()
    assert (alpha < 0.3).all()


@pytest.mark.long
def test_a_temperature_that_stays_gives_the_policy_that_maximizes_reward_plus_entropy():
    """On −(a − s)², the soft optimum is exp(−(a − s)²/α): a deviation of √(α/2), up to the box."""
    alpha, half_range = 0.08, 2.0
    run = train("ContextualBandit-v0", "sac", initial_alpha=alpha, alpha_lr=1e-12, **BANDIT)
    s = torch.linspace(-0.8, 0.8, 400)[None, :, None].expand(2, -1, -1)
    entropy = 0.5 * np.log(2 * np.pi * np.e * alpha / 2) - np.log(half_range)  # of a / half_range
    assert np.abs(entropies(run.agent, s) - entropy).max() < 0.25
