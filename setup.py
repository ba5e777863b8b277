"""Build of the compiled core: every module that has a .pxd or .pyx file beside its .py file.

The same sources run interpreted, so that a missing compiler or Cython makes canter slower, never
uninstallable. CANTER_EXTENSIONS decides: `auto` (the default) compiles what it can, `off` compiles
nothing, `require` fails unless everything compiles. All else about the package is in
pyproject.toml.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).parent
SOURCE = ROOT / "src"

MODE = os.environ.get("CANTER_EXTENSIONS", "auto")
if MODE not in {"auto", "off", "require"}:
    sys.exit(f"CANTER_EXTENSIONS must be auto, off or require, not {MODE!r}")

DIRECTIVES = {
    "language_level": 3,
    # The .pxd files say the C types; annotations are for mypy.
    "annotation_typing": False,
    "wraparound": False,
    # No module keeps state that a lock would have to guard: see scan_fast about its names.
    "freethreading_compatible": True,
}


def compilable() -> list[str]:
    """The names of the modules to compile."""
    found = [*SOURCE.rglob("*.pxd"), *SOURCE.rglob("*.pyx")]
    twins = sorted({path.with_suffix(".py") for path in found if path.with_suffix(".py").exists()})
    return [".".join(path.relative_to(SOURCE).with_suffix("").parts) for path in twins]


def source_of(name: str) -> str:
    """What is compiled for a module: its .pyx where it has one, else its .py."""
    module = Path("src", *name.split("."))
    written_in_c = (ROOT / module).with_suffix(".pyx").exists()
    return str(module.with_suffix(".pyx" if written_in_c else ".py"))


def extensions() -> list[Extension]:
    """The extensions to build; none where there is nothing to build them with."""
    if MODE == "off":
        return []
    try:
        from Cython.Build import cythonize
        from Cython.Compiler.Errors import CompileError
    except ImportError:
        if MODE == "require":
            raise
        return []
    built: list[Extension] = []
    # One by one, so that a module that Cython cannot translate leaves the others compiled.
    for name in compilable():
        extension = Extension(
            name,
            [source_of(name)],
            extra_compile_args=["-O2", "-g0"],
            optional=MODE != "require",
        )
        try:
            built += cythonize(
                [extension],
                build_dir="build/cython",
                include_path=["src"],
                compiler_directives=DIRECTIVES,
                quiet=True,
            )
        except CompileError:
            if MODE == "require":
                raise
    for extension in built:
        # cythonize makes extensions of its own, and forgets this.
        extension.optional = MODE != "require"
    return built


class ReportingBuild(build_ext):
    """The usual build, which ends by saying what runs compiled and what does not."""

    def finalize_options(self) -> None:
        """The usual options, with every processor at work unless told otherwise."""
        super().finalize_options()
        if self.parallel is None:
            self.parallel = os.cpu_count() or 1

    def run(self) -> None:
        """Build, then report."""
        super().run()
        compiled = [name for name in compilable() if Path(self.get_ext_fullpath(name)).exists()]
        plain = [name for name in compilable() if name not in compiled]
        if compiled:
            print(f"canter: compiled core: {', '.join(compiled)}")
        if plain:
            print(f"canter: plain core, nothing compiled (slower): {', '.join(plain)}")

    def build_extension(self, ext: Extension) -> None:
        """Build one module; without a working compiler the plain core serves."""
        try:
            super().build_extension(ext)
        except OSError as error:
            # `optional` forgives a compiler that fails, but not one that is missing.
            if MODE == "require":
                raise
            print(f"canter: {ext.name} was not compiled: {error}")


setup(ext_modules=extensions(), cmdclass={"build_ext": ReportingBuild})
