"""What one generation is made of outside the roster: settings, sockets, its part of the board."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from canter.engine.siblings import Siblings
from canter.net.addresses import Address, parse_bind
from canter.net.certificates import Keyring
from canter.net.handoff import LetterBox
from canter.net.lent import Lent, choose_addresses
from canter.net.listeners import Listener, UnixAccess, open_listeners
from canter.observe.logs import ErrorLog
from canter.observe.placard import Placard
from canter.observe.scoreboard import Scoreboard, WorkerSlot
from canter.settings import Settings
from canter.supervisor.capacity import count_processors
from canter.supervisor.handover import Heirloom
from canter.supervisor.roster import Plan, Share
from canter.supervisor.scaling import Span
from canter.worker.identity import KEEP, Identity, resolve_identity, resolve_owner
from canter.worker.logbook import check_access_log, log_plan, open_error_log
from canter.worker.tls import context_hook, make_keyring, spoken_protocol
from canter.worker.tracing import check_tracing

_SPARE_SLOTS = 8
_MOST_PLACES = 4096
_FORK_SERVER_SLOTS = 2
"""A new one starts beside one that hangs."""


@dataclass(slots=True, eq=False)
class Deploy:
    """A generation's resources. Each has a scoreboard of its own: threads may differ."""

    settings: Settings
    plan: Plan
    identity: Identity
    listeners: tuple[Listener, ...]
    board: Scoreboard
    # One for each slot of the board.
    boxes: tuple[LetterBox, ...]
    free_slots: list[int]
    # The contexts for TLS, where it is spoken; workers inherit them.
    keyring: Keyring | None = None

    def siblings_of(self, slot: WorkerSlot) -> Siblings:
        """What the worker in `slot` is told of the others."""
        others = [index for index in range(len(self.board)) if index != slot.index]
        return Siblings(
            slots=tuple(self.board.slot(index) for index in others),
            boxes=tuple(self.boxes[index].slot for index in others),
            tray=self.boxes[slot.index].tray,
        )

    def close_boxes(self) -> None:
        """Close this process's copies of the letter boxes; more than once does no harm."""
        for box in self.boxes:
            box.close()

    def take_slot(self) -> WorkerSlot:
        """The lowest free slot, so that those in use stay together. Raises IndexError."""
        return self.board.slot(heapq.heappop(self.free_slots))

    def give_back(self, slot: int) -> None:
        """Clear a slot whose worker is gone, for the next one."""
        self.board.slot(slot).clear()
        heapq.heappush(self.free_slots, slot)


def make_deploy(
    settings: Settings,
    open_already: Iterable[Listener] = (),
    lent: Sequence[Lent] = (),
    can_preload: Callable[[], bool] = lambda: True,
) -> Deploy:
    """Everything that `settings` ask for; listeners that are open already are kept.

    Where there are `lent` sockets, they are listened on instead of `settings.bind`.

    Raises ConfigError or BindError, and OSError when there is no memory; nothing is left open then.
    """
    identity = resolve_identity(settings.user, settings.group, initgroups=settings.initgroups)
    check_access_log(settings)
    check_tracing(settings)
    keyring = make_keyring(settings, context_hook(settings))
    plan = plan_from(settings, can_preload)
    places = plan.max_workers + (_FORK_SERVER_SLOTS if plan.preloads else 0)
    addresses = choose_addresses([parse_bind(text) for text in settings.bind], lent)
    board = Scoreboard(places, plan.threads)
    listeners = _listen(settings, identity, addresses, open_already)
    boxes = tuple(LetterBox() for _ in range(places))
    free = list(range(places))
    return Deploy(settings, plan, identity, listeners, board, boxes, free, keyring)


def plan_from(settings: Settings, can_preload: Callable[[], bool] = lambda: True) -> Plan:
    """The policy's part of the settings; `can_preload` is asked only where it matters."""
    span = _span(settings)
    return Plan(
        workers=span.fewest,
        most_workers=span.most,
        threads=_places(settings),
        timeout_seconds=settings.timeout,
        graceful_seconds=settings.graceful_timeout,
        boot_seconds=settings.boot_timeout,
        # Twice the workers when all are being replaced, and those that leave slowly besides.
        max_workers=3 * span.most + _SPARE_SLOTS,
        # gevent's patches are made in each worker, and before the import.
        preloads=settings.preload_app and settings.worker_class != "gevent" and can_preload(),
        surge=None if settings.max_surge is None else _share(settings.max_surge),
        unavailable=_share(settings.max_unavailable),
        drain_delay_seconds=settings.drain_delay,
    )


def _places(settings: Settings) -> int:
    """How many requests of one worker the scoreboard shows, and so how many may time out."""
    if settings.worker_class == "gevent":
        return min(settings.worker_connections, _MOST_PLACES)
    return settings.threads


def _share(text: str) -> Share:
    """What `N` or `N%` means."""
    return Share(int(text.removesuffix("%")), text.endswith("%"))


def _span(settings: Settings) -> Span:
    """The fewest and the most workers; the same where a number is given."""

    def count(number: int | Literal["auto"]) -> int:
        return count_processors() if number == "auto" else number

    asked = settings.workers
    fewest, most = asked if isinstance(asked, tuple) else (asked, asked)
    # With `auto` at one end a small machine may turn the range around.
    return Span(min(count(fewest), count(most)), count(most))


def renew_log(log: ErrorLog, before: Settings, settings: Settings) -> ErrorLog:
    """The error log that `settings` ask for: `log` itself, if it is the same place.

    Raises ConfigError, with nothing changed, when another one cannot be opened.
    """
    places = [(s.errorlog, s.capture_output, log_plan(s)) for s in (before, settings)]
    # What a logging configuration names may have changed in its file.
    if places[0] != places[1] or log.plan.is_configured:
        return open_error_log(settings)
    log.set_level(settings.loglevel)
    return log


def _listen(
    settings: Settings,
    identity: Identity,
    addresses: Sequence[Address],
    open_already: Iterable[Listener],
) -> tuple[Listener, ...]:
    kept = {listener.address: listener for listener in open_already}
    uid, gid = resolve_owner(settings.unix_socket_owner)
    access = UnixAccess(
        mode=settings.unix_socket_mode,
        # As in Gunicorn, sockets belong to the user of the workers unless somebody is named.
        uid=identity.uid if uid == KEEP else uid,
        gid=identity.gid if gid == KEEP else gid,
        umask=settings.umask,
    )
    missing = [address for address in addresses if address not in kept]
    opened = iter(open_listeners(missing, settings.backlog, access, reuse_port=settings.reuse_port))
    return tuple(kept.get(address) or next(opened) for address in addresses)


class Deploys:
    """The deploys of the generations that are not gone, and the listeners of them all."""

    def __init__(
        self,
        lent: Sequence[Lent] = (),
        inherited: Iterable[Listener] = (),
        can_preload: Callable[[], bool] = lambda: True,
    ) -> None:
        self._can_preload = can_preload
        self._by_number: dict[int, Deploy] = {}
        self._lent = lent
        self._open: list[Listener] = list(inherited)
        self.placard: Placard | None = None
        """Where the observer writes the metrics that workers show, where they are to."""
        self.are_shared = False
        """Whether another supervisor listens at the same addresses: socket files are left then."""

    def __getitem__(self, number: int) -> Deploy:
        return self._by_number[number]

    def __contains__(self, number: int) -> bool:
        return number in self._by_number

    def prepare(self, settings: Settings) -> Deploy:
        """A deploy that shares what is open already; see `make_deploy` for what it raises."""
        deploy = make_deploy(settings, self._open, self._lent, self._can_preload)
        self._open += [listener for listener in deploy.listeners if listener not in self._open]
        return deploy

    def add(self, number: int, deploy: Deploy) -> None:
        """`deploy` is that of generation `number`."""
        self._by_number[number] = deploy

    def forget(self, number: int) -> None:
        """Generation `number` is gone."""
        self._by_number.pop(number).close_boxes()

    def note_leaving(self) -> None:
        """The service is going to end: health checks of every worker say so."""
        for deploy in self._by_number.values():
            deploy.board.note_leaving()

    def serves_all_of(self, newer: int, older: int) -> bool:
        """Whether generation `newer` listens wherever `older` does."""
        return set(self[newer].listeners) >= set(self[older].listeners)

    def boxes_of_others(self, deploy: Deploy) -> tuple[LetterBox, ...]:
        """The letter boxes of every generation but that of `deploy`."""
        others = (other for other in self._by_number.values() if other is not deploy)
        return tuple(box for other in others for box in other.boxes)

    def are_lent(self) -> bool:
        """Whether every listener is somebody else's, who listens on when we have left."""
        return all(listener.is_lent for listener in self._open)

    def heirlooms(self) -> tuple[Heirloom, ...]:
        """What a successor is left: every listener."""
        names: dict[Address, str] = {one.address: one.name for one in self._lent}
        return tuple(
            Heirloom(it.fileno(), str(it.address), it.made, names.get(it.address))
            for it in self._open
        )

    def every_box(self) -> tuple[LetterBox, ...]:
        """The letter boxes of every generation."""
        return tuple(box for deploy in self._by_number.values() for box in deploy.boxes)

    def open_listeners(self) -> tuple[Listener, ...]:
        """Every listener that this process holds."""
        return tuple(self._open)

    def urls(self) -> list[str]:
        """Every address that is listened on, as the newest generation there speaks."""
        spoken = {
            listener: spoken_protocol(deploy.settings)
            for _, deploy in sorted(self._by_number.items())
            for listener in deploy.listeners
        }
        return [listener.url_with(spoken.get(listener, "http")) for listener in self._open]

    def certificate_files(self, number: int | None) -> list[str]:
        """The certificates that generation `number` shows."""
        deploy = self._by_number.get(number) if number is not None else None
        if deploy is None or deploy.keyring is None:
            return []
        plan = deploy.keyring.plan
        pairs = [pair for pair in (plan.pair, *(pair for _, pair in plan.named)) if pair]
        return list(dict.fromkeys(pair.certfile for pair in pairs))

    def close_all_but(self, numbers: Iterable[int]) -> None:
        """Close what none of these generations uses: listeners, with their files, and boxes.

        Workers have copies of their own; what waits in the queue of a closed one is theirs.
        """
        kept = set(numbers)
        for number, deploy in self._by_number.items():
            if number not in kept:
                deploy.close_boxes()
        used = {listener for number in kept for listener in self[number].listeners}
        for listener in self._open:
            if listener not in used:
                if not self.are_shared:
                    listener.retire()
                listener.close()
        self._open = [listener for listener in self._open if listener in used]
