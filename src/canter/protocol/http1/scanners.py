"""The scanners there are, and the one that a reader uses unless it is given another."""

from __future__ import annotations

from types import FunctionType

from canter.protocol.http1.scan import Scan
from canter.protocol.http1.scan_fast import FAST, FastScan
from canter.protocol.http1.scan_ref import REFERENCE

__all__ = ["DEFAULT", "FAST", "REFERENCE"]

#: The byte loop where it is compiled; interpreted it is many times slower than the reference.
DEFAULT: Scan = REFERENCE if isinstance(FastScan.fields, FunctionType) else FAST
