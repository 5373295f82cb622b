import subprocess

import pytest

from dpgcourse.figures.explorables import bundle, names, show
from tests.explorables.node import NODE


def test_the_same_parameters_give_the_same_html():
    one, two = show("two_slopes", s=2.0, u=0.5), show("two_slopes", u=0.5, s=2.0)
    assert one.data == two.data
    assert 'id="explorable-two_slopes"' in one.data
    assert '[document.getElementById("explorable-two_slopes")]' in one.data
    assert 'data-params="{&quot;s&quot;: 2.0, &quot;u&quot;: 0.5}"' in one.data


@pytest.mark.parametrize("name", names())
def test_a_bundle_is_one_module_that_loads_nothing(name, tmp_path):
    text = bundle(name)
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")  # a name, not an address
    assert not [line for line in text.splitlines() if line.startswith(("import", "export"))]
    assert text.count("function mount(") == 1
    script = tmp_path / "bundle.mjs"
    script.write_text(text)  # two parts with one name are an error of syntax
    done = subprocess.run([NODE, "--check", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", names())
def test_a_script_is_small(name):
    assert len(bundle(name)) - len(bundle("chart")) < 30_000


def test_an_unknown_name_lists_those_that_exist():
    with pytest.raises(ValueError, match=r"name is 'three_slopes'; allowed: \[.*'two_slopes'\]"):
        show("three_slopes")
