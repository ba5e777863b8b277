"""The number of workers follows the load: the scoreboard read, and the scalers asked."""

from __future__ import annotations

from collections.abc import Callable

from canter.observe.scoreboard import WorkerSlot
from canter.supervisor.roster import Handle, Roster
from canter.supervisor.scaling import Load, Scaler
from canter.supervisor.states import GenerationState, Phase
from canter.worker.states import WorkerState


class Scaling:
    """The judges of all generations that have one, by their numbers."""

    def __init__(self) -> None:
        self._scalers: dict[int, Scaler] = {}

    def change(self, roster: Roster, board: Callable[[Handle], WorkerSlot], now: float) -> int:
        """By how much the number of workers should change now.

        board: a worker's part of the scoreboard.
        """
        live = roster.in_state(GenerationState.LIVE)
        if live is None or live.plan.span is None or live.is_held or not live.wanted:
            return 0
        if roster.phase is not Phase.RUNNING:
            return 0
        self._scalers = {n: it for n, it in self._scalers.items() if n in roster.generations}
        scaler = self._scalers.get(live.number)
        if scaler is None:
            scaler = self._scalers[live.number] = Scaler(live.plan.span, live.plan.threads)
        if not scaler.is_due(now):
            return 0
        now_ns = int(now * 1e9)
        slots = {h.pid: board(h) for h in roster.staying(live) if h.state is WorkerState.SERVING}
        loads = {pid: Load(it.busy_ns(now_ns) / 1e9, it.queued) for pid, it in slots.items()}
        return scaler.judge(now, live.wanted, loads)
