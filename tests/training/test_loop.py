import random
from functools import partial

import numpy as np
import pytest
import torch

from dpgcourse.agents.ddpg import DDPG, DDPGConfig
from dpgcourse.agents.noise import OrnsteinUhlenbeckNoise
from dpgcourse.agents.numpy_ddpg import NumpyDDPG
from dpgcourse.agents.replay_buffer import ReplayBuffer
from dpgcourse.lab import train as train_module
from dpgcourse.training.divergence import parameters
from dpgcourse.training.loop import TrainConfig, train
from dpgcourse.training.record import RecordWriter, read_record

SMALL = {"steps": 60, "warmup": 20, "eval_every": 30, "eval_episodes": 2}
TINY = DDPGConfig(hidden=(8,), batch_size=4)


def small(**changes):
    return TrainConfig(**{"env": "Pendulum-v1", "seeds": 2, "agent": TINY, **SMALL, **changes})


def weights(result):
    return torch.cat([p.detach().flatten(1) for p in result.agent.actor.parameters()], dim=1)


@pytest.fixture
def replays(monkeypatch):
    """Every replay that a training run makes."""
    made = []

    class Kept(ReplayBuffer):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            made.append(self)

    monkeypatch.setattr(train_module, "ReplayBuffer", Kept)
    return made


def test_no_transition_crosses_an_episode_and_no_end_is_lost(replays):
    train(small(env="Counter-v0", seeds=3, steps=2000, warmup=2000, eval_every=2000))
    stored = replays[0]._stored.map(torch.from_numpy)
    s, s_next = stored.s[..., 0], stored.s_next[..., 0]
    assert torch.equal(s_next - s, torch.ones(3, 2000))  # the next state is the state reached
    jumps = s[:, 1:] - s_next[:, :-1]
    ended = jumps > 0
    assert set(jumps.unique().tolist()) == {0.0, 1001.0}
    terminated = stored.terminated[:, :-1].bool()
    assert (ended | ~terminated).all()  # a terminated step is followed by a reset
    assert 0.4 < terminated[ended].float().mean() < 0.6  # and the other resets are truncations


def test_the_warmup_draws_from_the_whole_box_and_the_policy_takes_over(replays):
    train(small(env="Counter-v0", seeds=1, steps=1000, warmup=900, eval_every=1000))
    a = replays[0]._stored.a[0, :, 0]
    warmup, later = a[:900], a[900:]
    counts, _ = np.histogram(warmup, bins=4, range=(-1, 3))
    assert np.abs(counts - 225).max() < 4 * 13  # a bin's standard deviation is 13
    assert np.abs(later - 1).max() < 6 * 0.4  # the fresh policy, near the center, plus noise
    assert later.std() < 0.7 < warmup.std()


def test_a_small_replay_keeps_the_latest_transitions(replays):
    train(small(env="Counter-v0", steps=60, capacity=7))
    train(small(env="Counter-v0", steps=60, capacity=None))
    train(small(env="Counter-v0", steps=60, capacity=1000))
    few, all_of_them, no_more = (replay._stored.s[..., 0] for replay in replays)
    assert few.shape == (2, 7) and all_of_them.shape == no_more.shape == (2, 60)
    assert np.array_equal(np.sort(few), np.sort(all_of_them)[:, -7:])


def test_noise_with_a_memory_starts_each_episode_anew():
    asked = []

    class Noise(OrnsteinUhlenbeckNoise):
        def reset(self, ended):
            asked.append(ended.copy())
            super().reset(ended)

    class Agent(DDPG):
        def __init__(self, config, state_dim, box, streams):
            super().__init__(config, state_dim, box, streams)
            self.noise = Noise(box.half_range, streams.exploration)

    # 450 steps of episodes that take 200: both seeds end at steps 200 and 400
    config = {"steps": 450, "eval_every": 450, "eval_episodes": 1, "warmup": 450}
    train(small(**config), agent_class=Agent)
    assert np.array_equal(np.flatnonzero(np.all(asked, axis=1)) + 1, [200, 400])
    assert np.sum(asked) == 4


def test_a_training_run_repeats_bit_for_bit_and_leaves_global_randomness_alone():
    states = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
    first, second = train(small()), train(small())
    assert torch.equal(weights(first), weights(second))
    assert np.array_equal(first.returns, second.returns)
    assert random.getstate() == states[0]
    assert np.random.get_state()[1].tolist() == states[1]  # noqa: NPY002
    assert torch.get_rng_state().tolist() == states[2]


def test_a_seed_gets_the_same_run_alone_and_beside_others():
    together, alone = train(small(seeds=3)), train(small(seeds=1, first_seed=2))
    torch.testing.assert_close(weights(together)[2], weights(alone)[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(together.returns[:, 2], alone.returns[:, 0], rtol=0.05)
    assert not torch.allclose(weights(together)[0], weights(together)[2])


@pytest.mark.parametrize(("agent_class", "dtype"), [(DDPG, torch.float64), (NumpyDDPG, "float64")])
def test_in_double_precision_a_seed_gets_its_own_run_to_nine_digits(
    agent_class, dtype, monkeypatch
):
    monkeypatch.setattr(train_module, "ReplayBuffer", partial(Replay, dtype=torch.float64))
    double = partial(agent_class, dtype=dtype)

    def learned(**seeds):
        result = train(small(steps=220, eval_every=220, **seeds), agent_class=double)
        networks = result.agent.actor, result.agent.critic, result.agent.actor_target
        return np.concatenate([parameters(network) for network in networks], axis=1)

    together = learned(seeds=3, first_seed=4)
    for row in range(3):
        alone = learned(seeds=1, first_seed=4 + row)[0]
        assert np.abs(together[row] - alone).max() < 1e-9
        assert np.abs(together[row] - together[row - 1]).max() > 0.1


def test_evaluations_are_counted_and_on_schedule():
    calls = []
    result = train(small(), lambda step, returns, agent: calls.append((step, returns.shape)))
    assert calls == [(30, (2, 2)), (60, (2, 2))]
    assert result.steps.tolist() == [30, 60]
    assert result.returns.shape == (2, 2, 2)
    assert result.final.tolist() == result.returns[-1].mean(-1).tolist()


def test_evaluation_is_noiseless(monkeypatch):
    def no_noise_allowed(self, s):
        raise AssertionError("an evaluation must not explore")

    monkeypatch.setattr(DDPG, "explore", no_noise_allowed)
    train(small(steps=30, warmup=30, eval_every=30))  # all steps are warm-up; then it evaluates


def test_evaluation_stops_counting_at_the_end_of_each_episode():
    result = train(small(env="Counter-v0", steps=30, warmup=30))
    lengths = result.returns  # one reward of 1 a step
    assert (lengths >= 1).all()
    assert len(np.unique(lengths)) > 1


def test_evaluation_does_not_disturb_training():
    rarely = train(small(eval_every=60))
    often = train(small(eval_every=10))
    assert torch.equal(weights(rarely), weights(often))


def test_no_update_before_the_end_of_the_warmup():
    class Counts(DDPG):
        updates = 0

        def update(self, batch):
            Counts.updates += 1
            super().update(batch)

    train(small(), agent_class=Counts)
    assert Counts.updates == 60 - 20


def test_a_policy_that_is_no_longer_finite_is_named():
    class Breaks(DDPG):
        def actor_step(self, s):
            super().actor_step(s)
            with torch.no_grad():
                next(self.actor.parameters())[1].fill_(float("nan"))

    with pytest.raises(FloatingPointError, match="the actor of seed 6 is .* at step 30"):
        train(small(first_seed=5, warmup=29), agent_class=Breaks)
    with pytest.raises(FloatingPointError, match="the action of seed 6 is .* at step 22"):
        train(small(first_seed=5), agent_class=Breaks)  # broken at 21, found when it next acts


def test_the_agent_by_hand_trains_like_the_one_in_torch():
    by_hand, in_torch = train(small(method="by_hand")), train(small())
    assert type(by_hand.agent) is NumpyDDPG and type(in_torch.agent) is DDPG
    theta = torch.from_numpy(by_hand.agent.actor.theta)
    order = [p.detach().flatten(1) for p in in_torch.agent.actor.parameters()]
    torch.testing.assert_close(theta, torch.cat(order, dim=1), rtol=0, atol=1e-3)
    np.testing.assert_allclose(by_hand.returns, in_torch.returns, rtol=0.05)


def test_an_agent_by_hand_that_is_no_longer_finite_is_named():
    class Breaks(NumpyDDPG):
        def update_targets(self):
            self.critic.theta[1, 0] = np.inf

    with pytest.raises(FloatingPointError, match="the critic of seed 6 is .* at step 30"):
        train(small(first_seed=5, warmup=29), agent_class=Breaks)


@pytest.mark.parametrize("quantity", ["state", "reward"])
def test_a_quantity_of_the_environment_that_is_no_longer_finite_is_named(quantity, tmp_path):
    config = small(env=f"Bad{quantity.capitalize()}-v0", first_seed=5)  # bad from the 45th step
    writer = RecordWriter(tmp_path / "record", config)
    message = f"the {quantity} of seed 5 is no longer finite at step 45"
    with pytest.raises(FloatingPointError, match=message):
        train(config, writer)
    record = read_record(tmp_path / "record")  # both seeds, up to the evaluation before
    assert record.steps.tolist() == [30]
    assert record.returns.shape == (1, 2, 2)


def test_an_evaluation_that_is_no_longer_finite_is_named():
    class Breaks(DDPG):
        def act(self, s):
            return super().act(s) + np.array([0, np.nan])[:, None, None]

    message = "the action in an evaluation of seed 6 is .* at step 30"
    with pytest.raises(FloatingPointError, match=message):
        train(small(first_seed=5, warmup=60), agent_class=Breaks)


def test_a_run_that_really_diverges_stops_with_an_error():
    wild = DDPGConfig(hidden=(8,), batch_size=4, critic_lr=1e30)
    for method in ("ddpg", "by_hand"):
        with pytest.raises(FloatingPointError, match="of seed [01] is no longer finite at step"):
            train(small(agent=wild, method=method))


def test_an_error_of_the_environment_keeps_its_cause():
    with pytest.raises(RuntimeError, match="the motor is on fire"):
        train(small(env="Raises-v0"))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("seeds", 0),
        ("first_seed", -1),
        ("steps", 0),
        ("steps", 61),
        ("warmup", 0),
        ("warmup", 61),
        ("eval_every", 0),
        ("eval_every", 120),
        ("eval_episodes", 0),
        ("capacity", 0),
        ("method", "ppo"),
    ],
)
def test_bad_values_are_named(field, value):
    with pytest.raises(ValueError, match=f"{field} is {value!r}; allowed: "):
        small(**{field: value})
