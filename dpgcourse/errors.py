"""The errors of this package that tell the user something, told apart from errors in their code."""


class InvalidInputError(ValueError):
    """A setting, file or environment that this package cannot use.

    The message names the value and what is allowed. The command line prints it as one line and
    exits with status 2. Every other exception keeps its traceback, since it comes from the code of
    an environment, of an agent, or of this package.
    """


class StorageError(OSError):
    """A file of a record cannot be written, for example because the disk is full.

    What had been written before stays as it was. The command line prints one line and exits with
    status 1.
    """
