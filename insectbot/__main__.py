"""``python -m insectbot``."""

import sys

from insectbot.cli import main

if __name__ == "__main__":
    sys.exit(main())
