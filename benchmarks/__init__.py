"""canter beside its peers: one command that measures, and a page that says what it found.

    python -m benchmarks                run everything and write docs/benchmarks.md
    python -m benchmarks run --help     fewer scenarios, fewer servers, shorter rounds
    python -m benchmarks quick          this tree against the last commit, in minutes

Nothing here is part of the installed package. README.md tells the method.
"""
