"""What a worker is told of the other workers of its generation."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from canter.observe.scoreboard import WorkerSlot


@dataclass(frozen=True, slots=True)
class Siblings:
    """The other workers' places, used or free; none where a worker is alone.

    slots: their parts of the scoreboard. boxes: for each of them, where connections go in that
    move there (`canter.net.handoff`). tray: where those come out that move here.
    """

    slots: tuple[WorkerSlot, ...] = ()
    boxes: tuple[socket.socket, ...] = ()
    tray: socket.socket | None = None
