"""Wrappers that remember earlier episodes, found by running two episodes alike."""

import copy
import random
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils.env_checker import data_equivalence

from dpgcourse.envs.checks import env_layers
from dpgcourse.errors import InvalidInputError

_PROBE_STEPS = 8  # steps


def check_wrappers_are_stateless(env: gym.Env, name: str) -> None:
    """Look for wrappers of the user's own that remember earlier episodes, such as a running mean.

    Two episodes begin with the same seed and take the same actions. If they differ outside a
    wrapper and not inside it, and are equal again once its attributes are what they were, then it
    remembers. Mere randomness does not: random generators are not put back.

    Raises:
        InvalidInputError: there is one.
    """
    layers = env_layers(env)
    own = [layer for layer in layers[:-1] if not type(layer).__module__.startswith("gymnasium.")]
    if not own:
        return
    remembers = None
    try:
        for layer in reversed(layers):
            before = copy.deepcopy(_attributes(layer))
            first = _probe(layer)
            if _equal(first, _probe(layer)):
                continue
            for attribute in _attributes(layer):
                delattr(layer, attribute)
            vars(layer).update(before)
            if layer in own and _equal(first, _probe(layer)):
                remembers = layer
            break
    except Exception:  # training meets it too, and reports it
        return
    if remembers is not None:
        raise InvalidInputError(
            f"env {name!r} has the wrapper {type(remembers).__name__}, which remembers earlier "
            "episodes: with the same seed and actions it returns something else the second time. "
            "Its memory differs in every copy and is not stored; allowed: wrappers that start "
            "anew at reset; normalize_observations=True for running statistics of observations"
        )


def _equal(one: list[Any], other: list[Any]) -> bool:
    return data_equivalence(one, other, exact=True)


def _probe(env: gym.Env) -> list[Any]:
    """What an environment returns from a fixed seed on, with fixed actions."""
    space = copy.deepcopy(env.action_space)
    space.seed(0)
    seen = [copy.deepcopy(env.reset(seed=0)[0])]
    for _ in range(_PROBE_STEPS):
        returned = env.step(space.sample())
        seen.append(copy.deepcopy(returned[:4]))
        if returned[2] or returned[3]:
            break
    return seen


def _attributes(layer: Any) -> dict[str, Any]:
    """The attributes of a wrapper itself, without random generators."""
    generators = (np.random.Generator, np.random.RandomState, random.Random)
    return {
        name: value
        for name, value in vars(layer).items()
        if name != "env" and not isinstance(value, generators)
    }
