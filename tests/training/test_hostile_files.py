"""Files from elsewhere: none of them runs code, and each gives one error of this package."""

import io
import json
import pickle
import sys

import numpy as np
import pytest
from safetensors.numpy import save

from dpgcourse.cli import main
from dpgcourse.errors import InvalidInputError
from dpgcourse.training import checkpoint
from dpgcourse.training.checkpoint import FOLDER, checkpoint_files
from dpgcourse.training.config import make_config
from dpgcourse.training.loop import resume, train
from dpgcourse.training.record import load, read_record
from dpgcourse.training.tensor_files import read_tensors, write_tensors
from tests.training.test_resume import stop_after

CONFIG = make_config(
    algorithm="numpy-ddpg",
    num_seeds=2,
    steps=40,
    learning_starts=4,
    eval_every=10,
    eval_episodes=1,
    hidden_sizes=(4,),
    batch_size=4,
)
CODE = "import pathlib; pathlib.Path('executed').touch()"


class Hostile:
    def __reduce__(self):
        return exec, (CODE,)


def array_of_objects() -> bytes:
    """What `numpy.save` writes of objects: a pickle inside."""
    file = io.BytesIO()
    np.save(file, np.array([Hostile()], dtype=object), allow_pickle=True)
    return file.getvalue()


CONTENTS = {
    "pickle": pickle.dumps(Hostile()),
    "array of objects": array_of_objects(),
    "torch": b"PK\x03\x04" + pickle.dumps(Hostile()),
    "code": CODE.encode(),
    "a huge header": (2**40).to_bytes(8, "little") + b"{}",
    "other tensors": save({"actor.theta": np.ones((2, 3), np.float32)}),
    "deep JSON": b'{"a":' * 50_000,
    "one long line": b"1," * 100_000,
    "null": b"null",
    "zeros": bytes(1000),
}
OPENERS = {
    "config.json": (read_record, load),
    "returns.csv": (read_record, load),
    "log.csv": (read_record, load),
    "policy.safetensors": (read_record, load),
    "checkpoint": (resume,),
}


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run") / "record"
    with pytest.MonkeyPatch.context() as patch:
        stop_after(patch, 33)
        with pytest.raises(KeyboardInterrupt):
            train(CONFIG, out=folder, keep_checkpoints=1)
    return folder


@pytest.fixture
def record(original, tmp_path, monkeypatch):
    """A copy of an interrupted run, inside the working directory, where modules are looked for."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "hostile.py").write_text(CODE)
    (tmp_path / FOLDER).mkdir()
    for path in (*original.glob("*.*"), *checkpoint_files(original)):
        target = tmp_path / path.relative_to(original)
        target.write_bytes(path.read_bytes())
    yield tmp_path
    assert not (tmp_path / "executed").exists()
    assert "hostile" not in sys.modules


@pytest.mark.parametrize("name", OPENERS)
@pytest.mark.parametrize("kind", CONTENTS)
def test_a_file_from_elsewhere_runs_nothing(name, kind, record):
    path = checkpoint_files(record)[-1] if name == "checkpoint" else record / name
    path.write_bytes(CONTENTS[kind])
    for opener in OPENERS[name]:
        with pytest.raises(InvalidInputError, match=f"{path.name}' cannot be read: "):
            opener(record)


LIES = [
    {"env": "hostile:Pendulum-v1"},
    {"env": "hostile:make"},
    {"env": "gymnasium.envs.classic_control:os.system"},
    {"eval_env": "hostile:Pendulum-v1"},
    {"wrappers": ["hostile:Wrapper"]},
    {"wrappers": ["gymnasium.wrappers_hostile:Wrapper"]},
    {"algorithm": "hostile:Agent"},
    {"algorithm": "os:system"},
    {"algorithm": "builtins:exec"},
    {"algorithm": "subprocess:Popen"},
]


@pytest.mark.parametrize("lie", LIES, ids=str)
@pytest.mark.parametrize("command", ["play", "evaluate", "train --resume"])
def test_a_record_that_names_code_runs_none_of_it(command, lie, record, capsys):
    path = record / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | lie))
    stored = checkpoint_files(record)[-1]
    arrays, header = read_tensors(stored, 1)
    header["content"]["config"] |= lie
    header["sha256"] = checkpoint._digest(header["content"], arrays)
    write_tensors(stored, arrays, header)
    if "eval_env" in lie and command != "train --resume":
        main([command, "."])  # which acts in env alone
        return
    with pytest.raises(SystemExit) as stop:
        main([*command.split(), "."])
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")


@pytest.mark.parametrize("kind", CONTENTS)
@pytest.mark.parametrize("name", ["settings.json", "settings.toml"])
def test_settings_from_elsewhere_are_one_line(kind, name, record, capsys):
    (record / name).write_bytes(CONTENTS[kind])
    with pytest.raises(SystemExit) as stop:
        main(["train", "--config", name, "--out", "new"])
    assert stop.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"error: config is '{name}', which cannot be read")
    assert not (record / "new").exists()
