"""Attempts at the exercises of chapter 8."""

from tests.exercises.attempts import Right, Wrong

RIGHT: list[Right] = []

WRONG: list[Wrong] = []
