"""Random chains with a policy whose parameters are shared by the states."""

from types import SimpleNamespace

import numpy as np

from dpgcourse.gradient.composite import LinearActor, TanhActor
from dpgcourse.theory.finite_chain import SoftmaxChain


def random_case(rng, states=None, actions=None):
    """A chain, features of its states, an actor and its parameters, all drawn from rng."""
    S = states or int(rng.integers(2, 9))
    m = actions or int(rng.integers(1, 4))
    chain = SoftmaxChain(
        logits=rng.normal(size=(S, S)),
        tilt=rng.normal(size=(S, S, m)),
        base=rng.normal(size=S),
        favorite=rng.normal(size=(S, m)),
        p0=rng.dirichlet(np.ones(S)),
        gamma=rng.uniform(0.3, 0.97),
    )
    features = rng.normal(size=(S, 2))
    actor = (LinearActor, TanhActor)[int(rng.integers(2))](2, m)
    u = rng.normal(scale=0.5, size=actor.n)
    return SimpleNamespace(
        chain=chain,
        u=u,
        mu=lambda u: actor.mu(features, u),
        da_du=lambda u: actor.da_du(features, u),
        a=actor.mu(features, u),
        J_s=actor.da_du(features, u),
    )
