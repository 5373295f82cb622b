"""Names lead to agents, and looking one up runs nothing."""

import functools
import subprocess
import sys
import types

import numpy as np
import pytest

from dpgcourse.agents import registry
from dpgcourse.agents.base import Agent
from dpgcourse.agents.config import AgentConfig, DDPGConfig, SACConfig, TD3Config
from dpgcourse.agents.ddpg import DDPG
from dpgcourse.agents.faulty import FAULTY_AGENTS, FIELD_FAULTS, TERMINAL_FAULTS
from dpgcourse.agents.numpy_ddpg import NumpyDDPG
from dpgcourse.agents.random_streams import random_streams
from dpgcourse.agents.registry import (
    ALGORITHMS,
    FAULTS,
    REQUIRED_METHODS,
    find_algorithm,
    make_agent,
    qualified_name,
    register_algorithm,
)
from dpgcourse.agents.sac import SAC
from dpgcourse.agents.td3 import TD3
from dpgcourse.errors import InvalidInputError
from dpgcourse.gradient.action_box import ActionBox
from dpgcourse.training.evaluation import evaluate
from dpgcourse.training.loop import train
from dpgcourse.training.record import load

BOX = ActionBox([-1.0], [1.0])


class OwnConfig(AgentConfig):
    pass


class Own(Agent):
    config_class = OwnConfig

    def policy(self, s):
        return np.zeros((*s.shape[:2], 1))

    def update(self, batch):
        pass

    def state(self):
        return {}

    def load_state(self, state):
        pass


class Keyed(Own):
    """An agent with one more argument, so that a partial makes it."""

    def __init__(self, *args, gain):
        super().__init__(*args)
        self.gain = gain


@pytest.fixture(autouse=True)
def algorithms(monkeypatch):
    """Whatever a test registers is forgotten."""
    monkeypatch.setattr(registry, "ALGORITHMS", dict(ALGORITHMS))


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_algorithm_loads_with_the_configuration_that_is_listed(name):
    algorithm = find_algorithm(name)
    factory = algorithm.import_factory()
    assert algorithm.name == name and algorithm.summary
    assert algorithm.config_class is factory.config_class
    assert find_algorithm(factory) == algorithm
    agent = make_agent(algorithm, algorithm.config_class(), 3, BOX, random_streams([0, 1]))
    assert type(agent) is factory and agent.num_seeds == 2
    assert agent.act(np.zeros(3)).shape == (2, 1)


def test_the_names_are_those_of_the_book():
    assert {
        name: find_algorithm(name).import_factory() for name in ("ddpg", "numpy-ddpg", "td3", "sac")
    } == {
        "ddpg": DDPG,
        "numpy-ddpg": NumpyDDPG,
        "td3": TD3,
        "sac": SAC,
    }
    assert find_algorithm("td3").config_class is TD3Config
    assert find_algorithm("sac").config_class is SACConfig


def test_the_faults_are_those_of_the_faulty_agents():
    assert list(FAULTS) == list(FAULTY_AGENTS)
    assert list(registry.FIELD_FAULTS) == list(FIELD_FAULTS)
    assert list(registry.TERMINAL_FAULTS) == list(TERMINAL_FAULTS)
    for name, agent_class in (FAULTY_AGENTS | FIELD_FAULTS | TERMINAL_FAULTS).items():
        assert find_algorithm(f"faulty-{name}").import_factory() is agent_class


@pytest.mark.parametrize(
    ("typo", "meant"), [("dpg", "ddpg"), ("TD3", "td3"), ("faulty-wrong_sign", "faulty-wrong-sign")]
)
def test_an_unknown_name_lists_the_known_ones_and_the_nearest(typo, meant):
    with pytest.raises(InvalidInputError) as error:
        find_algorithm(typo)
    said = f"algorithm is {typo!r}; allowed: {', '.join(ALGORITHMS)}, or a class"
    assert str(error.value) == f"{said}; did you mean {meant!r}?"


@pytest.mark.parametrize("name", ["", "reinforce-with-baseline", "no_module:", ":Own", "a:b"])
def test_without_a_near_name_nothing_is_suggested(name):
    with pytest.raises(InvalidInputError, match="or a class$"):
        find_algorithm(name)


@pytest.mark.parametrize("algorithm", [None, 3, {"ddpg": 1}])
def test_what_is_neither_a_name_nor_callable_is_refused(algorithm):
    with pytest.raises(InvalidInputError, match="allowed: a name, a class or a function"):
        find_algorithm(algorithm)


def test_an_own_class_is_named_after_its_module_and_found_by_that_name():
    algorithm = find_algorithm(Own)
    assert algorithm.name == "tests.agents.test_registry:Own"
    assert algorithm.import_factory() is Own and algorithm.config_class is OwnConfig
    assert find_algorithm(algorithm.name) == algorithm


def test_a_function_and_a_partial_may_make_the_agent():
    def factory(config, state_dim, box, streams):
        return Own(config, state_dim, box, streams)

    made = find_algorithm(factory)
    assert made.config_class is AgentConfig
    assert isinstance(make_agent(made, AgentConfig(), 3, BOX, random_streams([0])), Own)
    partial = find_algorithm(functools.partial(Keyed, gain=2.0))
    assert partial.config_class is OwnConfig
    assert partial.name == "partial of tests.agents.test_registry:Keyed"
    assert make_agent(partial, OwnConfig(), 3, BOX, random_streams([0])).gain == 2.0


def test_a_class_is_found_by_name_only_where_its_module_is_imported_already(tmp_path, monkeypatch):
    code = "open({!r}, 'w').close()\nclass Mine: pass\n".format(str(tmp_path / "ran"))
    (tmp_path / "own_module.py").write_text(code, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InvalidInputError, match="algorithm is 'own_module:Mine'; allowed"):
        find_algorithm("own_module:Mine")
    assert "own_module" not in sys.modules and not (tmp_path / "ran").exists()
    present = types.ModuleType("own_module")
    present.Mine = type("Mine", (Own,), {"__module__": "own_module"})
    monkeypatch.setitem(sys.modules, "own_module", present)
    assert find_algorithm("own_module:Mine").import_factory() is present.Mine
    with pytest.raises(InvalidInputError, match="algorithm is 'own_module:Other'; allowed"):
        find_algorithm("own_module:Other")


def test_looking_a_name_up_imports_no_agent_and_no_torch():
    code = (
        "import sys; from dpgcourse.agents.registry import ALGORITHMS, find_algorithm\n"
        "for name in ALGORITHMS: find_algorithm(name).config_class()\n"
        "print([m for m in ('torch', 'gymnasium', 'dpgcourse.agents.ddpg', "
        "'dpgcourse.agents.numpy_ddpg') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_an_own_algorithm_can_have_a_short_name():
    register_algorithm("mine", Own)
    assert find_algorithm("mine").import_factory() is Own
    assert find_algorithm(Own).name == "mine"
    assert find_algorithm("mine").config_class is OwnConfig
    register_algorithm("mine", Own)  # once more is harmless
    register_algorithm("tuned", Own, DDPGConfig)
    assert find_algorithm("tuned").config_class is DDPGConfig


@pytest.mark.parametrize("name", ["ddpg", "mine"])
def test_a_name_that_is_taken_is_refused(name):
    register_algorithm("mine", Own)
    with pytest.raises(InvalidInputError, match=f"name is '{name}', which is taken; allowed: a n"):
        register_algorithm(name, Keyed)


@pytest.mark.parametrize("missing", REQUIRED_METHODS)
def test_an_agent_that_lacks_a_method_is_refused_by_its_name(missing):
    class Bare:
        def __init__(self, *arguments):
            for name in REQUIRED_METHODS:
                if name != missing:
                    setattr(self, name, None)

    with pytest.raises(InvalidInputError) as error:
        make_agent(find_algorithm(Bare), AgentConfig(), 3, BOX, random_streams([0]))
    assert f"made a Bare without {missing}; allowed: a subclass of dpg" in str(error.value)


class OnlyTheContract:
    """An agent that shows nothing but what the contract names."""

    config_class = DDPGConfig

    def __init__(self, *arguments):
        self._agent = DDPG(*arguments)

    def __getattr__(self, name):
        if name.startswith("_") or name not in REQUIRED_METHODS:
            raise AttributeError(name)
        return getattr(self._agent, name)


@pytest.mark.parametrize("normalize", [False, True])
def test_the_contract_is_all_that_training_and_records_use(normalize, tmp_path):
    agent = make_agent(
        find_algorithm(OnlyTheContract), DDPGConfig(), 3, BOX, random_streams([0, 1])
    )
    assert not isinstance(agent, Agent) and not hasattr(agent, "actor")
    run = train(
        algorithm=OnlyTheContract,
        num_seeds=2,
        steps=40,
        learning_starts=20,
        eval_every=20,
        eval_episodes=1,
        normalize_observations=normalize,
        out=tmp_path / "run",
    )
    assert "q_mean" in run.log
    loaded = load(tmp_path / "run")
    s = np.zeros((2, 1, 3), dtype=np.float32)
    assert np.array_equal(loaded.act(s), run.agent.act(s))
    assert evaluate(loaded, "Pendulum-v1", episodes=2).shape == (2, 2)


def test_every_agent_of_the_package_keeps_the_contract():
    names = {name for name in vars(Agent) if not name.startswith("_")} - {
        "config_class",
        "make_noise",
    }
    assert names <= set(REQUIRED_METHODS)


def test_the_qualified_name_of_an_instance_is_that_of_its_class():
    assert qualified_name(Own) == "tests.agents.test_registry:Own"
    assert qualified_name(BOX) == "dpgcourse.gradient.action_box:ActionBox"
