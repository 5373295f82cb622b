"""Signals while a run is going on."""

import signal

import pytest

from dpgcourse.training.stopping import StopRequest


@pytest.fixture
def interrupts():
    before = signal.getsignal(signal.SIGINT)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("chosen", [signal.SIG_IGN, signal.default_int_handler])
def test_what_the_user_has_chosen_for_a_signal_comes_back(chosen, interrupts):
    signal.signal(signal.SIGINT, chosen)
    with StopRequest():
        ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        assert ignored == (chosen is signal.SIG_IGN)  # `nohup` stays in force
    assert signal.getsignal(signal.SIGINT) is chosen


def test_an_ignored_signal_stops_nothing(interrupts):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with StopRequest() as stop:
        signal.raise_signal(signal.SIGINT)
        assert stop.signal is None
