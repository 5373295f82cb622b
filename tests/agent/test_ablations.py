import numpy as np

from dpgcourse.agent.ablations import ABLATIONS
from dpgcourse.agent.ddpg import DDPGAgent, DDPGConfig
from dpgcourse.agent.seeding import streams
from dpgcourse.gradient.chain_rule import Squash


def test_drifting_noise_has_the_spread_of_independent_noise():
    box = Squash([-2.0, 0.0], [2.0, 1.0])
    seeds, config = range(50), DDPGConfig(sigma=0.3, hidden=(4,))
    drifting = ABLATIONS["drifting-noise"](config, 3, box, streams(seeds)).noise
    draws = np.stack([drifting() for _ in range(600)])[100:]  # (T, S, m)
    independent = DDPGAgent(config, 3, box, streams(seeds)).noise
    assert np.allclose(draws.std((0, 1)), independent.scale, rtol=0.05)
    assert np.allclose(independent.scale, [0.6, 0.15])
