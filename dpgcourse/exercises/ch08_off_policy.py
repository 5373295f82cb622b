"""Exercises of chapter 8."""

from dpgcourse.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = ()
