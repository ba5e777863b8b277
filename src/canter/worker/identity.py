"""Which user and group workers run as: looked up once, put on after the fork.

The supervisor keeps the rights it was started with, so that it can open ports and reopen logs;
workers give them up before they import the application.
"""

from __future__ import annotations

import grp
import os
import pwd
from dataclasses import dataclass

from canter.errors import ConfigError

KEEP = -1


@dataclass(frozen=True, slots=True)
class Identity:
    """Numeric ids, KEEP for unchanged; `initgroups_as` names the user whose groups are taken."""

    uid: int = KEEP
    gid: int = KEEP
    initgroups_as: str | None = None

    @property
    def changes(self) -> bool:
        """Whether putting it on would change anything for this process."""
        return self.uid not in (KEEP, os.geteuid()) or self.gid not in (KEEP, os.getegid())


def resolve_identity(
    user: str | int | None, group: str | int | None, *, initgroups: bool = False
) -> Identity:
    """The ids of `user` and `group` (names or numbers; None leaves them alone).

    A user without a group brings its own primary group: a worker that has given up root should not
    keep root's group.

    Raises ConfigError when one of them does not exist, or may not be become.
    """
    uid, entry = _find_user(user)
    gid = _find_group(group)
    if gid == KEEP and entry is not None and uid != os.geteuid():
        gid = entry.pw_gid
    name = entry.pw_name if entry is not None and initgroups else None
    identity = Identity(uid, gid, name)
    if identity.changes and os.geteuid() != 0:
        raise ConfigError(
            f"only root may run workers as another user or group (user {user!r}, group {group!r})"
        )
    return identity


def resolve_owner(owner: str | None) -> tuple[int, int]:
    """The ids in `USER[:GROUP]`, KEEP where there is none. Raises ConfigError for unknown ones."""
    if not owner:
        return KEEP, KEEP
    user, _, group = owner.partition(":")
    return _find_user(user or None)[0], _find_group(group or None)


def become(identity: Identity) -> None:
    """Run as `identity` from here on, for good. Raises OSError when the kernel refuses."""
    if not identity.changes:
        return
    gid = os.getegid() if identity.gid == KEEP else identity.gid
    if os.geteuid() == 0:
        # Root's own supplementary groups must not stay with a process that gives up root.
        if identity.initgroups_as is not None:
            os.initgroups(identity.initgroups_as, gid)
        else:
            os.setgroups([gid])
    os.setgid(gid)
    if identity.uid != KEEP:
        os.setuid(identity.uid)


def _find_user(user: str | int | None) -> tuple[int, pwd.struct_passwd | None]:
    if user is None:
        return KEEP, None
    if _is_number(user):
        try:
            return int(user), pwd.getpwuid(int(user))
        except (KeyError, OverflowError):
            return int(user), None
    try:
        entry = pwd.getpwnam(str(user))
    except KeyError:
        raise ConfigError(f"there is no user {user!r}") from None
    return entry.pw_uid, entry


def _find_group(group: str | int | None) -> int:
    if group is None:
        return KEEP
    if _is_number(group):
        return int(group)
    try:
        return grp.getgrnam(str(group)).gr_gid
    except KeyError:
        raise ConfigError(f"there is no group {group!r}") from None


def _is_number(text: str | int) -> bool:
    return isinstance(text, int) or (text.isascii() and text.isdigit())
