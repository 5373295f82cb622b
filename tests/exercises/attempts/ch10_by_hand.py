"""Attempts at the exercises of chapter 10."""

from tests.exercises.attempts import Right, Wrong

RIGHT: list[Right] = []

WRONG: list[Wrong] = []
