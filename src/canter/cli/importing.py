"""`canter import gunicorn|uwsgi|granian FILE...`: print the equivalent canter.toml."""

from __future__ import annotations

from collections.abc import Sequence

from canter.cli.workplace import Workplace
from canter.errors import ConfigError, UsageError
from canter.settings import Surroundings
from canter.settings.importing.equivalents import Equivalents
from canter.settings.importing.granian import from_granian
from canter.settings.importing.gunicorn import from_gunicorn
from canter.settings.importing.uwsgi import from_uwsgi
from canter.settings.sources import read_file, read_text

_USAGE = "usage: canter import gunicorn|uwsgi|granian FILE..."


def run(words: Sequence[str]) -> int:
    """Print it, what has no equivalent as comments; the exit status. Raises CanterError."""
    if words and words[0] in {"-h", "--help"}:
        print(_USAGE)
        return 0
    servers = ("gunicorn", "uwsgi", "granian")
    if len(words) < 2 or words[0] not in servers:
        raise UsageError(f"canter import: {_USAGE}")
    found = Equivalents()
    for name in words[1:]:
        try:
            _take(words[0], name, found)
        except OSError as error:
            raise ConfigError(f"cannot read {name}: {error.strerror}") from None
    print(found.toml(), end="")
    return 0


def _take(server: str, name: str, into: Equivalents) -> None:
    if server == "gunicorn":
        surroundings = Surroundings.here()
        Workplace(surroundings).make_importable()
        from_gunicorn(read_file(surroundings.directory, name), into)
    elif server == "uwsgi":
        from_uwsgi(read_text(name, name), name, into)
    else:
        from_granian(read_text(name, name), name, into)
