"""Exercises of chapter 12."""

from dpgcourse.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = ()
