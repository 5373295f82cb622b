"""Exercises of chapter 6."""

from dpgcourse.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = ()
