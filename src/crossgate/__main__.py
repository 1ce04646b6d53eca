"""``python -m crossgate`` is the command ``crossgate``."""

from crossgate.cli.main import main

if __name__ == "__main__":
    main()
