"""Settings that others have published.

`LILLICRAP2016` is what Lillicrap et al. (2016), §7, trained DDPG with: layers of 400 and 300, the
action in the critic's second layer, Adam with learning rates 1e-4 (actor) and 1e-3 (critic), an L2
penalty of 1e-2 on the critic, γ = 0.99, τ = 0.001, a replay of 1e6, batches of 64,
Ornstein-Uhlenbeck noise with θ = 0.15 and σ = 0.2, last layers drawn from U(±3e-3) and the others
from U(±1/√fan-in), 5 seeds.

Differs from the paper:

* No batch normalization (paper: on the state and in all layers that the action does not enter).
* The target stops at terminal states, which the paper's algorithm box does not speak of.
* The noise follows its exact law from step to step and is measured in half-ranges of the action;
  the paper leaves both open. σ = 0.2 leads to the standard deviation 0.2/√(2θ) = 0.365, by which
  the method ``drifting-noise`` is set.
* The first 64 actions are random, so that a batch exists; the paper does not say how it begins.
* The L2 penalty counts biases and weights; the paper does not say.
* The environment and the steps are yours to choose. The paper trains for at most 2.5 million.
"""

from dpgcourse.agent.config import DDPGConfig
from dpgcourse.lab.train import TrainConfig

THETA, SIGMA = 0.15, 0.2

LILLICRAP2016 = TrainConfig(
    method="drifting-noise",
    seeds=5,
    steps=100_000,
    warmup=64,
    eval_every=5_000,
    capacity=1_000_000,
    agent=DDPGConfig(
        gamma=0.99,
        tau=0.001,
        actor_lr=1e-4,
        critic_lr=1e-3,
        batch_size=64,
        hidden=(400, 300),
        action_layer=2,
        critic_l2=1e-2,
        sigma=SIGMA / (2 * THETA) ** 0.5,
    ),
)
