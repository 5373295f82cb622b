import matplotlib.pyplot as plt
import pytest

from tests import example_envs


@pytest.fixture(scope="session", autouse=True)
def test_environments():
    example_envs.register()


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")
