"""`python -m canter` is `canter`."""

from __future__ import annotations

import sys

from canter.cli import main

if __name__ == "__main__":
    sys.exit(main())
