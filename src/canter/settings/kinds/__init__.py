"""What a setting's value may be: each kind parses, renders, and knows its type in files and code.

The declarations in `canter.settings.sections` choose from the kinds exported here. A kind is pure:
it opens nothing, so that a path or an address is checked for its form and not for being there.
"""

from __future__ import annotations

from canter.settings.kinds.hooks import Hook
from canter.settings.kinds.kind import Kind, Optional
from canter.settings.kinds.lists import (
    AddressList,
    Assignments,
    HeaderNames,
    Networks,
    RequestPaths,
    TextList,
    Words,
)
from canter.settings.kinds.logging import LoggerClass, Table
from canter.settings.kinds.numbers import Duration, Integer, OctalMode, PartOfWorkers, Size, Workers
from canter.settings.kinds.tables import CertificateMapping, HeaderMapping, Mounts
from canter.settings.kinds.words import Boolean, Choice, Path, SwitchedChoice, Text, UrlPath
from canter.settings.kinds.worker_class import WorkerClass

__all__ = [
    "AddressList",
    "Assignments",
    "Boolean",
    "CertificateMapping",
    "Choice",
    "Duration",
    "HeaderMapping",
    "HeaderNames",
    "Hook",
    "Integer",
    "Kind",
    "LoggerClass",
    "Mounts",
    "Networks",
    "OctalMode",
    "Optional",
    "PartOfWorkers",
    "Path",
    "RequestPaths",
    "Size",
    "SwitchedChoice",
    "Table",
    "Text",
    "TextList",
    "UrlPath",
    "Words",
    "WorkerClass",
    "Workers",
]
