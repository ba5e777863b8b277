"""Users and groups: looked up by name or number, put on in a real child process."""

from __future__ import annotations

import grp
import os
import pwd
from collections.abc import Callable

import pytest

from canter.errors import ConfigError
from canter.worker.identity import KEEP, Identity, become, resolve_identity, resolve_owner

ME = pwd.getpwuid(os.geteuid())
NOBODY = 65534
is_root = os.geteuid() == 0
needs_root = pytest.mark.skipif(not is_root, reason="only root may become somebody else")


def in_child(action: Callable[[], None]) -> int:
    """Run `action` in a fork; its exit status, 99 when it raised."""
    pid = os.fork()
    if pid == 0:
        status = 99
        try:
            action()
            status = 0
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_nobody_named_changes_nothing():
    identity = resolve_identity(None, None)
    assert identity == Identity(KEEP, KEEP)
    assert not identity.changes
    become(identity)


def test_names_and_numbers_mean_the_same():
    assert resolve_identity(ME.pw_name, None).uid == ME.pw_uid
    assert resolve_identity(str(ME.pw_uid), None).uid == ME.pw_uid
    assert resolve_identity(ME.pw_uid, None).uid == ME.pw_uid
    group = grp.getgrgid(os.getegid())
    assert resolve_identity(None, group.gr_name).gid == group.gr_gid
    assert resolve_identity(None, group.gr_gid).gid == group.gr_gid


def test_being_who_we_are_already_is_no_change():
    assert not resolve_identity(ME.pw_name, os.getegid()).changes


@pytest.mark.parametrize(
    ("user", "group", "message"),
    [
        ("no-such-user", None, "no user 'no-such-user'"),
        (None, "no-such-group", "no group 'no-such-group'"),
    ],
)
def test_an_unknown_name_is_told(user: str | None, group: str | None, message: str):
    with pytest.raises(ConfigError, match=message):
        resolve_identity(user, group)


@pytest.mark.skipif(is_root, reason="root may become anybody")
def test_who_is_not_root_is_told_so():
    with pytest.raises(ConfigError, match="only root"):
        resolve_identity(ME.pw_uid + 1, None)


@needs_root
def test_a_user_brings_its_own_group_and_not_roots():
    found = pwd.getpwuid(NOBODY)
    assert resolve_identity(found.pw_name, None) == Identity(NOBODY, found.pw_gid)


@needs_root
def test_a_number_without_an_entry_keeps_the_group():
    assert resolve_identity(3_999_999, None) == Identity(3_999_999, KEEP)


@needs_root
def test_becoming_somebody_leaves_nothing_of_root():
    def action() -> None:
        become(Identity(NOBODY, NOBODY))
        assert os.getresuid() == (NOBODY,) * 3
        assert os.getresgid() == (NOBODY,) * 3
        assert os.getgroups() == [NOBODY]

    assert in_child(action) == 0


@needs_root
def test_a_group_alone_can_be_changed():
    def action() -> None:
        become(Identity(gid=NOBODY))
        assert os.getegid() == NOBODY
        assert os.geteuid() == 0

    assert in_child(action) == 0


@needs_root
def test_with_initgroups_the_users_groups_are_taken():
    name = pwd.getpwuid(NOBODY).pw_name

    def action() -> None:
        become(resolve_identity(name, None, initgroups=True))
        assert sorted(os.getgroups()) == sorted(os.getgrouplist(name, os.getegid()))

    assert in_child(action) == 0


@needs_root
def test_there_is_no_way_back():
    def action() -> None:
        become(Identity(NOBODY, NOBODY))
        os.setuid(0)

    assert in_child(action) == 99


@pytest.mark.parametrize(
    ("text", "owner"),
    [
        (None, (KEEP, KEEP)),
        ("", (KEEP, KEEP)),
        ("1234", (1234, KEEP)),
        ("1234:567", (1234, 567)),
        (":567", (KEEP, 567)),
        (ME.pw_name, (ME.pw_uid, KEEP)),
    ],
)
def test_an_owner_is_a_user_and_perhaps_a_group(text: str | None, owner: tuple[int, int]):
    assert resolve_owner(text) == owner
