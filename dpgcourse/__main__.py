"""``python -m dpgcourse`` is ``dpgcourse``."""

from dpgcourse.cli import main

if __name__ == "__main__":
    main()
