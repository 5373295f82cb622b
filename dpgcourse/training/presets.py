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
"""

import dataclasses
from typing import Any

from dpgcourse.agents.config import DDPGConfig
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

PRESETS = {"lillicrap2016": LILLICRAP2016}
"""Every preset by name."""
SUMMARIES = {
    "lillicrap2016": "DDPG as in Lillicrap et al. (2016), section 7, without batch normalization"
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
