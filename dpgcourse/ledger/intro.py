"""The front page: the question and its answer."""
