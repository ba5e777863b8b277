"""`python -m canter.settings [--check] [ROOT]`: make the files that are made from declarations.

They are docs/settings.md, docs/canter.schema.json and src/canter/settings/values.py below ROOT, the
project's directory (default: the working directory). With `--check` nothing is written; the exit
status is 1 if a file is not what the declarations make.
"""

from __future__ import annotations

import argparse
import os.path
import sys

from canter.settings.reference import reference_page
from canter.settings.schema import schema_text
from canter.settings.sources import read_text, write_text
from canter.settings.typed import values_source


def main() -> int:
    """Make or check the files; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m canter.settings", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only compare")
    parser.add_argument("root", nargs="?", default=".", help="the project's directory")
    arguments = parser.parse_args()
    stale = False
    for name, text in (
        ("docs/settings.md", reference_page()),
        ("docs/canter.schema.json", schema_text()),
        ("src/canter/settings/values.py", values_source()),
    ):
        path = os.path.join(arguments.root, name)
        if not arguments.check:
            write_text(path, text)
        elif read_text(path, name) != text:
            stale = True
            sys.stderr.write(f"{name} is not what the declarations make\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
