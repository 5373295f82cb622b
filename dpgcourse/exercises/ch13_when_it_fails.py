"""Exercises of chapter 13."""

from dpgcourse.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = ()
