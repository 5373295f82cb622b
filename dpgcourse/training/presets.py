"""Settings that others have published.

`LILLICRAP2016` is what Lillicrap et al. (2016), §7, trained DDPG with: layers of 400 and 300, the
action in the critic's second layer, Adam with learning rates 1e-4 (actor) and 1e-3 (critic), an L2
penalty of 1e-2 on the critic, γ = 0.99, τ = 0.001, a replay buffer of 1e6, batches of 64,
Ornstein-Uhlenbeck noise with θ = 0.15 and σ = 0.2, last layers drawn from U(±3e-3) and the others
from U(±1/√fan-in), 5 seeds.

Differs from the paper:

* No batch normalization (paper: on the state and in all layers that the action does not enter).
* The target stops at terminal states, which the paper's algorithm box does not speak of.
* The noise follows its exact law from step to step and is measured in half-ranges of the action;
  the paper leaves both open. The paper's σ = 0.2 leads to the standard deviation
  0.2/√(2θ) = 0.365, which is what ``sigma`` means here.
* The first 64 actions are random, so that a batch exists; the paper does not say how it begins.
* The L2 penalty counts biases and weights; the paper does not say.
* The environment and the steps are yours to choose. The paper trains for at most 2.5 million.

`FUJIMOTO2018_DDPG` is "our DDPG" of Fujimoto et al. (2018), §6.1 and the appendix that compares it
with OpenAI's baselines: layers of 400 and 300, state and action in the critic's first layer, Adam
with learning rates of 1e-3, no L2 penalty, γ = 0.99, τ = 0.005, a replay buffer that keeps all,
batches of 100, Gaussian noise of 0.1 half-ranges, 1,000 random steps first, a million steps with an
evaluation of 10 episodes at every 5,000, 10 seeds. `FUJIMOTO2018_TD3` is TD3 of the same paper: the
same, an actor that moves at every second update, and noise of 0.2 in the target's action, clipped
at 0.5.

Differs from the paper:

* HalfCheetah and Ant begin with 10,000 random steps there: give ``--learning-starts 10000``.
* The last layers are drawn from U(±3e-3); the authors' code draws them as the others.
* The paper ran the first versions of the tasks (such as Hopper-v1), which newer Gymnasiums lack.
* Evaluations of all seeds begin in the same states.
* The environment is yours to choose.
"""

import dataclasses
from dataclasses import replace
from typing import Any

from dpgcourse.agents.config import DDPGConfig, TD3Config
from dpgcourse.errors import InvalidInputError
from dpgcourse.training.config import TrainConfig

THETA, SIGMA = 0.15, 0.2

LILLICRAP2016 = TrainConfig(
    algorithm="ddpg",
    num_seeds=5,
    steps=100_000,
    learning_starts=64,
    eval_every=5_000,
    buffer_size=1_000_000,
    agent=DDPGConfig(
        gamma=0.99,
        tau=0.001,
        actor_lr=1e-4,
        critic_lr=1e-3,
        batch_size=64,
        hidden_sizes=(400, 300),
        critic_action_layer=2,
        critic_weight_decay=1e-2,
        sigma=SIGMA / (2 * THETA) ** 0.5,
        noise_type="ornstein-uhlenbeck",
        ou_theta=THETA,
    ),
)

_FUJIMOTO2018: dict[str, Any] = {
    "gamma": 0.99,
    "tau": 0.005,
    "actor_lr": 1e-3,
    "critic_lr": 1e-3,
    "batch_size": 100,
    "hidden_sizes": (400, 300),
    "critic_action_layer": 1,
    "critic_weight_decay": 0.0,
    "sigma": 0.1,
    "noise_type": "gaussian",
}

FUJIMOTO2018_DDPG = TrainConfig(
    algorithm="ddpg",
    num_seeds=10,
    steps=1_000_000,
    learning_starts=1_000,
    eval_every=5_000,
    eval_episodes=10,
    agent=DDPGConfig(**_FUJIMOTO2018),
)

FUJIMOTO2018_TD3 = replace(
    FUJIMOTO2018_DDPG,
    algorithm="td3",
    agent=TD3Config(
        **_FUJIMOTO2018,
        target_policy_noise=0.2,
        noise_clip=0.5,
        policy_delay=2,
        twin_critics=True,
    ),
)

PRESETS = {
    "lillicrap2016": LILLICRAP2016,
    "fujimoto2018-ddpg": FUJIMOTO2018_DDPG,
    "fujimoto2018-td3": FUJIMOTO2018_TD3,
}
"""Every preset by name."""
SUMMARIES = {
    "lillicrap2016": "DDPG as in Lillicrap et al. (2016), section 7, without batch normalization",
    "fujimoto2018-ddpg": '"our DDPG" of Fujimoto et al. (2018), the paper of TD3',
    "fujimoto2018-td3": "TD3 as in Fujimoto et al. (2018), section 6.1",
}


def preset_settings(name: str) -> dict[str, Any]:
    """The settings of a preset, as for `make_config`.

    Raises:
        InvalidInputError: no such preset.
    """
    if not isinstance(name, str) or name not in PRESETS:
        raise InvalidInputError(f"preset is {name!r}; allowed: {', '.join(PRESETS)}")
    preset = PRESETS[name]
    settings = {f.name: getattr(preset, f.name) for f in dataclasses.fields(preset)}
    return settings | dataclasses.asdict(settings.pop("agent"))
