"""Makes docs/settings.md, the reference page, from the declarations."""

from __future__ import annotations

import textwrap

from canter.settings.gunicorn.names import FOREIGN, HOOKS, Foreign
from canter.settings.kinds import Boolean, Optional
from canter.settings.registry import OTHER_VARIABLES, SETTINGS, by_section
from canter.settings.setting import AnySetting

_INTRO = """\
# Settings

<!-- Made from the declarations in src/canter/settings/sections by `python -m canter.settings`. -->

Every setting can be given in several ways. From the weakest to the strongest:

1. the default;
2. the variables that hosting platforms set: {platform};
3. one configuration file;
4. `GUNICORN_CMD_ARGS`, a command line in a variable;
5. the variable `CANTER_<NAME>`;
6. the command line, or the keywords of `canter.run()`.

`canter --print-config` shows every value and where it came from, and prints it as a `canter.toml`.

## Configuration files

One file is read: the one that `--config` names, or else the first of these in the working
directory, with a warning that names the others if there are several:

- `canter.toml`, whose keys are the names below;
- `pyproject.toml`, if it has a table `[tool.canter]`, with the same keys;
- `gunicorn.conf.py`, run as Python the way Gunicorn runs it.

```toml
# canter.toml
bind = ["127.0.0.1:8000", "unix:/run/site.sock"]
workers = "auto"
threads = 4
timeout = "30s"
limit_request_body = "10M"
```

An unknown key in a TOML file is an error that names the file, the line and the nearest valid name.
Of a `gunicorn.conf.py` the values of the settings below are taken, [hooks](#hooks) among them;
[settings that canter does not have](#gunicorns-other-settings) are not. Other names are ignored,
with a hint if one is nearly the name of a setting.

## Variables

An empty variable means an empty value where the setting can be empty, and is otherwise ignored. An
unknown variable `CANTER_...` is ignored with a warning, but stops the start if it is nearly the
name of a setting. Items of a list are separated by commas, but where the setting says otherwise.

{others}

## Options

A long option may be shortened as long as no other begins like it. An option that takes a list may
be repeated. An option without a value has a counterpart that begins with `--no-`, which overrides
a file or a variable.

## Asking

- `canter config explain NAME [OPTIONS]`: the value, where it came from, what else was said and
  lost, the default and the help.
- `canter config diff`: what a reload of the running server would change.
- `canter check`: what becomes of each line of a Gunicorn configuration.
- `canter config schema`: a JSON Schema for `canter.toml`, which is also
  [canter.schema.json](canter.schema.json); an editor that is told of it completes and checks.
- `canter completion bash|zsh|fish`: a script that completes options and commands.

```
$ canter config explain timeout --timeout 90
timeout = 90s
  from option --timeout
  lost: 60 from gunicorn.conf.py:1
  default: 30s
  options: -t, --timeout
  variables: CANTER_TIMEOUT
  ...
```

## Exit statuses

| status | meaning |
|---|---|
| 0 | stopped as asked; `--check-config` found nothing wrong |
| 1 | a setting, a file or an address is wrong, or no application is given |
| 2 | the command line cannot be understood |
| 3 | workers cannot start: the application's module is missing or fails while it is imported |
| 4 | the application's path names nothing that can be called |
"""

_OUTRO = """\
## Gunicorn's other settings

Gunicorn has settings that canter does not have. Their options are accepted, in `GUNICORN_CMD_ARGS`
too, and so are their names in a `gunicorn.conf.py`. One that is set to other than Gunicorn's
default is named in a warning and has no effect.

| setting | option | |
|---|---|---|
"""

_HOOKS_OUTRO = """\
These hooks in a `gunicorn.conf.py` are named in a warning and never called: {hooks}.
"""


def reference_page() -> str:
    """The Markdown text of the page."""
    platform = ", ".join(sorted(f"`{it.platform.name}`" for it in SETTINGS.values() if it.platform))
    others = "\n\n".join(_filled(f"`{name}`: {text}") for name, text in OTHER_VARIABLES.items())
    blocks = [_INTRO.format(platform=platform, others=others).rstrip("\n")]
    for section, settings in by_section():
        blocks += [f"## {section.title}", _filled(section.intro)]
        for setting in settings:
            blocks += [f"### {setting.name}", _facts(setting), _filled(setting.help)]
            differences = " ".join(filter(None, (setting.gunicorn, setting.gunicorn_default)))
            if differences:
                blocks.append(_filled(f"Difference from Gunicorn: {differences}"))
    blocks.append(_OUTRO + "\n".join(_foreign_row(it) for it in FOREIGN.values()))
    hooks = ", ".join(f"`{name}`" for name in sorted(HOOKS))
    blocks.append(_filled(_HOOKS_OUTRO.format(hooks=hooks)))
    return "\n\n".join(blocks) + "\n"


def _foreign_row(foreign: Foreign) -> str:
    flags = ", ".join(f"`{flag}`" for flag in foreign.flags) or "none"
    return f"| `{foreign.name}` | {flags} | {foreign.note} |"


def _facts(setting: AnySetting) -> str:
    rows = [("Option", _options(setting))]
    variables = [f"`{setting.variable}`"]
    if setting.platform is not None:
        variables.append(f"`{setting.platform.name}` (weaker than a file)")
    rows.append(("Variable", ", ".join(variables)))
    rows.append(("Value", setting.kind.expects))
    rows.append(("Type in a file", setting.kind.json_type if setting.in_files else "not in files"))
    rows.append(("Default", _default(setting)))
    rows.append(("Since", setting.since))
    return "\n".join(f"- {title}: {text}" for title, text in rows)


def _options(setting: AnySetting) -> str:
    if not setting.flags:
        return (
            "none" if setting.name != "wsgi_app" else "none; it is the argument without an option"
        )
    value = "" if isinstance(setting.kind, Boolean) else f" {setting.placeholder}"
    flags = [f"`{flag}{value}`" for flag in setting.flags]
    return ", ".join([*flags, *(f"`{flag}`" for flag in setting.negative_flags)])


def _default(setting: AnySetting) -> str:
    if isinstance(setting.kind, Optional) and setting.default is None:
        return "not set"
    return f"`{setting.kind.render(setting.default)}`" if setting.default != () else "empty"


def _filled(text: str) -> str:
    return textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False)
