"""The error for a user's mistake, told apart from errors in a user's own code."""


class InvalidInputError(ValueError):
    """A setting, file or environment that this package cannot use.

    The message names the value and what is allowed. The command line prints it as one line and
    exits with status 2. Every other exception keeps its traceback, since it comes from the code of
    an environment, of an agent, or of this package.
    """
