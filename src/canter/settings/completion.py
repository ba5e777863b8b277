"""Makes the completion scripts of shells: options, their words and files, commands. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from canter.settings.kinds import Boolean, Choice, Optional, Path, WorkerClass
from canter.settings.options import HELP_FLAGS, VERSION_FLAGS
from canter.settings.registry import SETTINGS


@dataclass(frozen=True, slots=True)
class Option:
    """What a shell has to know of one option. `words` is None where it takes no value."""

    flags: tuple[str, ...]
    summary: str
    words: tuple[str, ...] | None
    is_path: bool = False


def completion_script(shell: str, commands: Sequence[str]) -> str:
    """The script for `shell`, one of SHELLS; `commands` are what may stand in the first place."""
    return SHELLS[shell](list(_options()), commands)


def _options() -> Iterable[Option]:
    yield Option(HELP_FLAGS, "Show the options.", None)
    yield Option(VERSION_FLAGS, "Show the versions.", None)
    for setting in SETTINGS.values():
        kind = setting.kind.kind if isinstance(setting.kind, Optional) else setting.kind
        words: tuple[str, ...] | None = ()
        if isinstance(kind, Boolean):
            words = None
        elif isinstance(kind, Choice):
            words = kind.choices
        elif isinstance(kind, WorkerClass):
            words = kind.engines
        is_path = isinstance(kind, Path) or kind.metavar in {"FILE", "PATH", "DIRECTORY"}
        flags = (*setting.flags, *setting.negative_flags)
        if flags:
            yield Option(flags, setting.summary, words, is_path)


def _bash(options: Sequence[Option], commands: Sequence[str]) -> str:
    lines = [
        "# canter completion bash >> ~/.bash_completion",
        "_canter() {",
        "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}",
        "    case $before in",
    ]
    for option in options:
        if option.words is None:
            continue
        pattern = "|".join(option.flags)
        if option.words:
            reply = f'-W "{" ".join(option.words)}"'
        elif option.is_path:
            reply = "-f"
        else:
            lines.append(f"        {pattern}) COMPREPLY=(); return ;;")
            continue
        lines.append(f'        {pattern}) COMPREPLY=($(compgen {reply} -- "$word")); return ;;')
    flags = " ".join(flag for option in options for flag in option.flags)
    lines += [
        "    esac",
        "    if [[ $word == -* ]]; then",
        f'        COMPREPLY=($(compgen -W "{flags}" -- "$word"))',
        "    elif [[ $COMP_CWORD -eq 1 ]]; then",
        f'        COMPREPLY=($(compgen -W "{" ".join(commands)}" -- "$word"))',
        "    fi",
        "}",
        "complete -o default -F _canter canter",
    ]
    return "\n".join(lines) + "\n"


def _zsh(options: Sequence[Option], commands: Sequence[str]) -> str:
    lines = ["#compdef canter", "# canter completion zsh > a directory of $fpath, as _canter"]
    lines.append("_arguments \\")
    for option in options:
        for flag in option.flags:
            text = _zsh_text(option.summary)
            value = ""
            if option.words is not None:
                action = f"({' '.join(option.words)})" if option.words else ""
                value = f":value:{'_files' if option.is_path else action}"
            lines.append(f"  '*{flag}[{text}]{value}' \\")
    lines.append(f"  '1:command or application:({' '.join(commands)})'")
    return "\n".join(lines) + "\n"


def _zsh_text(text: str) -> str:
    for character in "[]:":
        text = text.replace(character, f"\\{character}")
    return text.replace("'", "'\\''")


def _fish(options: Sequence[Option], commands: Sequence[str]) -> str:
    lines = ["# canter completion fish > ~/.config/fish/completions/canter.fish"]
    lines += [f"complete -c canter -n __fish_use_subcommand -a {name}" for name in commands]
    for option in options:
        words = ["complete", "-c canter"]
        words += [f"-l {it[2:]}" if it.startswith("--") else f"-s {it[1:]}" for it in option.flags]
        if option.words is not None:
            words.append("-r" if option.is_path else "-x")
            if option.words:
                words.append(f"-a '{' '.join(option.words)}'")
        summary = option.summary.replace("\\", "\\\\").replace("'", "\\'")
        words.append(f"-d '{summary}'")
        lines.append(" ".join(words))
    return "\n".join(lines) + "\n"


SHELLS: Mapping[str, Callable[[Sequence[Option], Sequence[str]], str]] = MappingProxyType(
    {"bash": _bash, "zsh": _zsh, "fish": _fish}
)
