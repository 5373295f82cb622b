import matplotlib.pyplot as plt
import pytest

from tests.lab import envs


@pytest.fixture(scope="session", autouse=True)
def test_environments():
    envs.register()


@pytest.fixture(autouse=True)
def closed_figures():
    yield
    plt.close("all")
