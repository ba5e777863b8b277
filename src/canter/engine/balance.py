"""Whether this worker should listen for new connections now. Pure: counts in, a decision out.

All workers share the listening sockets, and the kernel knows nothing of how busy they are. A worker
that has all its threads inside the application leaves new connections to a sibling that has not,
and one that already holds more than its share leaves them to those that hold less. Somebody always
listens: the least loaded worker is never told to stop, who is told to stop goes on until another
one has begun, and where all are saturated all listen, so that health checks, refusals and time-outs
go on.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

_SLACK_CONNECTIONS = 4
_SLACK_SHARE = 1.25


@dataclass(frozen=True, slots=True)
class Load:
    """One worker's load: application calls going on, complete requests waiting, connections.

    listening: whether new connections wake it.
    """

    running: int
    queued: int
    connections: int
    listening: bool


def should_listen(
    own: Load,
    siblings: Iterable[Load],
    threads: int,
    capacity: int,
    *,
    can_make_room: bool = False,
) -> bool:
    """Whether to take new connections.

    siblings: the other serving workers. threads: application threads of each worker.
    capacity: the connections one worker may hold. can_make_room: one of them is idle and would be
    closed for a new one.
    """
    if own.connections >= capacity and not can_make_room:
        return False
    saturated = own.running >= threads
    least = own.connections
    others_listen = False
    for sibling in siblings:
        if sibling.connections >= capacity:
            continue
        others_listen = others_listen or sibling.listening
        free = sibling.running < threads and sibling.queued == 0
        if saturated and free and sibling.listening:
            return False
        # Only among equals is the number of connections compared: a free worker does not wait for
        # one that is saturated.
        if saturated or free:
            least = min(least, sibling.connections)
    return not others_listen or own.connections <= least * _SLACK_SHARE + _SLACK_CONNECTIONS
