import base64
import importlib
import json

import numpy as np
import pytest

from dpgcourse import results_path
from dpgcourse.errors import InvalidInputError
from dpgcourse.figures.training_stages import for_page, pack, read_stages
from dpgcourse.training.description import describe
from dpgcourse.training.tensor_files import write_tensors

PATH = results_path("trained-agent/stages.safetensors")
trained_agent = importlib.import_module("results.trained-agent.trained_agent")


def test_the_stored_stages_are_those_of_the_code():
    stages, header = read_stages(PATH)
    assert stages["updates"].tolist() == list(trained_agent.UPDATES)
    assert header["config"] == json.loads(json.dumps(describe(trained_agent.CONFIG)))
    assert header["starts"] == trained_agent.STARTS
    assert header["provenance"]["command"] == "python results/trained-agent/trained_agent.py"
    assert stages["actors"].shape == (7, 721) and stages["critics"].shape == (7, 745)
    assert stages["returns"][0] < -1000 and stages["returns"][-1] > -160  # fails, and holds it up


@pytest.mark.parametrize(("view", "networks"), [("pendulum", 1), ("full", 2)])
def test_a_page_gets_the_same_text_each_time_and_no_more_than_it_shows(view, networks):
    one, two = (json.dumps(for_page(PATH, view)) for _ in range(2))
    assert one == two and len(one) < 14_000 * networks
    assert ("critics" in one) == (view == "full")


def test_numbers_come_back_from_their_packing():
    theta = np.float16([0, -1.5, 6e-8, 65504])
    assert np.frombuffer(base64.b64decode(pack(theta)), "<f2").tolist() == theta.tolist()


def test_what_cannot_be_shown_is_refused(tmp_path):
    with pytest.raises(InvalidInputError, match="view is 'critic'; allowed: pendulum or full"):
        for_page(PATH, "critic")
    with pytest.raises(InvalidInputError, match="missing"):
        for_page(tmp_path / "stages.safetensors")
    write_tensors(tmp_path / "old.safetensors", {"updates": np.zeros(1)}, {"format": 0})
    with pytest.raises(InvalidInputError, match="its format is 0; allowed: 1"):
        read_stages(tmp_path / "old.safetensors")


def test_a_short_run_copies_the_agent_and_leaves_its_training_alone():
    stages = trained_agent.short_run()
    assert stages["updates"].tolist() == [0, 20, 40]
    assert stages["actors"].dtype == np.float16 and len(np.unique(stages["returns"])) == 3
    assert not np.array_equal(stages["critics"][1], stages["critics"][2])
    last = trained_agent.run(
        trained_agent.replace(trained_agent.CONFIG, steps=60, learning_starts=20, eval_every=60),
        updates=(40,),
        starts=2,
    )
    assert np.array_equal(last["actors"][0], stages["actors"][-1])  # copied once or three times
