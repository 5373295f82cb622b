"""What a study trains: every environment with every algorithm and every combination of settings."""

import itertools
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from dpgcourse.agents.registry import ALGORITHMS, find_algorithm
from dpgcourse.envs.make import env_name
from dpgcourse.errors import InvalidInputError
from dpgcourse.training.config import TrainConfig, make_config, require_known
from dpgcourse.training.presets import preset_settings
from dpgcourse.training.record_writer import safe_filename

STUDY_KEYS = (
    *("out", "envs", "algorithms", "vary", "preset"),
    *("engine", "jobs", "address", "retries", "progress"),
)
"""What a study file may hold beside the settings of `make_config`; each is an option too."""
_FIXED = ("num_seeds", "first_seed", "agent")  # the same in all variants of a study
_MAX_NAME_LENGTH = 150  # characters of a variant's name, which becomes a folder


@dataclass(frozen=True)
class Variant:
    """One environment, one algorithm and one combination of settings, for all seeds.

    Attributes:
        name: of its folder, such as ``"LQR-v0-ddpg-tau=1.0"``.
        config: what is trained.
        varied: the varied settings and their values here.
    """

    name: str
    config: TrainConfig
    varied: Mapping[str, Any] = field(default_factory=dict)


def study_variants(
    envs: Sequence[Any] | None = None,
    algorithms: Sequence[Any] | None = None,
    vary: Mapping[str, Sequence[Any]] | None = None,
    preset: str | None = None,
    **settings: Any,
) -> list[Variant]:
    """Every environment with every algorithm and every combination of the varied settings.

    Args:
        envs: environments, as for `make_config`; their names begin those of the variants. Default
            the setting ``env`` alone.
        algorithms: names, or agent classes; default that of the preset, else ddpg.
        vary: setting -> the values that it takes; "preset" may be one of the settings.
        preset: published settings to begin with.
        settings: what all variants share, as for `make_config`.

    Raises:
        InvalidInputError: an unknown algorithm or setting, a value that is not allowed, the same
            variant twice; the message names it.

    >>> [v.name for v in study_variants(None, ["ddpg", "td3"], {"tau": [0.01, 1.0]})]
    ['ddpg-tau=0.01', 'ddpg-tau=1.0', 'td3-tau=0.01', 'td3-tau=1.0']
    >>> [v.name for v in study_variants(["LQR-v0", "Pendulum-v1"], steps=500)]
    ['LQR-v0-ddpg', 'Pendulum-v1-ddpg']
    """
    for one, several, given in (("env", "envs", envs), ("algorithm", "algorithms", algorithms)):
        if given is not None and one in settings:
            raise InvalidInputError(f"{one} and {several} are both given; allowed: one of them")
    envs, algorithms = _checked_list("envs", envs), _checked_list("algorithms", algorithms)
    varied = _checked_vary({} if vary is None else vary, envs)
    _require_known({*settings, *varied}, algorithms)
    made: dict[str, Variant] = {}
    for env, algorithm, *values in itertools.product(envs, algorithms, *varied.values()):
        chosen = dict(zip(varied, values, strict=True))
        own = dict(chosen)
        config = _config(env, algorithm, own.pop("preset", preset), {**settings, **own})
        name = _name(env, config, chosen)
        if name in made:
            raise InvalidInputError(f"variant {name} is asked for twice; allowed: once")
        made[name] = Variant(name, config, chosen)
    return list(made.values())


def _config(env: Any, algorithm: Any, preset: Any, settings: dict[str, Any]) -> TrainConfig:
    base = {} if preset is None else preset_settings(preset)
    if algorithm is not None:
        base["algorithm"] = algorithm
    if env is not None:
        base["env"] = env
    return make_config(**{**base, **settings})


def _name(env: Any, config: TrainConfig, chosen: Mapping[str, Any]) -> str:
    parts = [] if env is None else [env_name(env)]
    parts.append(config.algorithm_name)
    parts += [
        f"{name}={json.dumps(x, separators=(',', ':'), default=env_name)}"
        for name, x in chosen.items()
    ]
    name = safe_filename("-".join(parts))
    if len(name) > _MAX_NAME_LENGTH:
        raise InvalidInputError(
            f"variant {name[:40]}... has a name of {len(name)} characters; allowed: "
            f"{_MAX_NAME_LENGTH}; vary fewer settings at once"
        )
    return name


def _checked_list(name: str, values: Any) -> Sequence[Any]:
    """The values, or None alone where nothing is given."""
    if values is None:
        return [None]
    if not isinstance(values, list | tuple):
        raise InvalidInputError(f"{name} is {values!r}; allowed: a list")
    if not values:
        raise InvalidInputError(f"{name} is empty; allowed: one or more")
    return values


def _checked_vary(vary: Any, envs: Any) -> dict[str, Sequence[Any]]:
    if not isinstance(vary, Mapping):
        raise InvalidInputError(f"vary is {vary!r}; allowed: settings and lists of their values")
    made: dict[str, Sequence[Any]] = {}
    for name, values in vary.items():
        if name in _FIXED:
            raise InvalidInputError(
                f"vary holds {name}; allowed: what may differ, and {name} is the same in all "
                "variants"
            )
        if name == "algorithm" or (name == "env" and envs != [None]):
            raise InvalidInputError(f"vary holds {name}; allowed: a list {name}s")
        values = _checked_list(f"vary {name}", values)
        made[name] = [tuple(value) if isinstance(value, list) else value for value in values]
    return made


def _require_known(names: Collection[str], algorithms: Sequence[Any]) -> None:
    """Check names against all that a study may hold; `make_config` knows what fits together."""
    own = [find_algorithm(algorithm) for algorithm in algorithms if algorithm is not None]
    classes: list[type] = [TrainConfig, *(a.config_class for a in (*ALGORITHMS.values(), *own))]
    require_known(names, [*STUDY_KEYS, *(f.name for cls in classes for f in fields(cls))])


def parse_vary(texts: Sequence[str]) -> dict[str, list[Any]]:
    """Varied settings from the command line, each as ``NAME=VALUE,VALUE...``, values as JSON.

    Raises:
        InvalidInputError: another form, or a setting twice.

    >>> parse_vary(["tau=0.01,1.0", "hidden-sizes=[64,64],[8]", "noise_type=gaussian"])
    {'tau': [0.01, 1.0], 'hidden_sizes': [[64, 64], [8]], 'noise_type': ['gaussian']}
    """
    made: dict[str, list[Any]] = {}
    for text in texts:
        name, _, listed = text.partition("=")
        name = name.strip().replace("-", "_")
        if not listed:
            raise InvalidInputError(f"vary is {text!r}; allowed: NAME=VALUE,VALUE...")
        if name in made:
            raise InvalidInputError(f"vary holds {name} twice; allowed: once, with all its values")
        try:
            made[name] = json.loads(f"[{listed}]")
        except json.JSONDecodeError:
            made[name] = listed.split(",")  # words
    return made
