"""Exercises of chapter 10."""

from dpgcourse.exercises.exercise import Exercise

EXERCISES: tuple[Exercise, ...] = ()
