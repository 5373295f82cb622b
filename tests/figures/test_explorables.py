import pytest

from dpgcourse.figures.explorables import show


def test_the_same_parameters_give_the_same_html():
    one, two = show("two_slopes", s=2.0, u=0.5), show("two_slopes", u=0.5, s=2.0)
    assert one.data == two.data
    assert 'id="explorable-two_slopes"' in one.data
    assert 'mount(document.getElementById("explorable-two_slopes"), ' in one.data
    assert '{"s": 2.0, "u": 0.5}' in one.data


def test_nothing_is_loaded_from_anywhere():
    assert "http" not in show("two_slopes").data
    assert "import " not in show("two_slopes").data


def test_an_unknown_name_lists_those_that_exist():
    with pytest.raises(ValueError, match=r"name is 'three_slopes'; allowed: \['two_slopes'\]"):
        show("three_slopes")
