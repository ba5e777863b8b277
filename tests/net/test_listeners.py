"""Real sockets on loopback and in temporary directories."""

from __future__ import annotations

import os
import socket
import stat
from pathlib import Path

import pytest

from canter.errors import BindError
from canter.net.addresses import AbstractAddress, FdAddress, TcpAddress, UnixAddress
from canter.net.listeners import Listener, UnixAccess, open_listeners

LOOPBACK = TcpAddress("127.0.0.1", 0)


@pytest.fixture
def opened():
    """A list of listeners that are closed after the test."""
    listeners: list[Listener] = []
    yield listeners
    for listener in listeners:
        listener.remove_file()
        listener.close()


def port_of(listener: Listener) -> int:
    return int(listener.server_port)


def connect(listener: Listener) -> None:
    with socket.socket(listener.sock.family, socket.SOCK_STREAM) as client:
        client.settimeout(5)
        client.connect(listener.sock.getsockname())


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        return False
    return True


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6 loopback")


def test_port_zero_is_told_as_the_real_port(opened):
    opened += open_listeners([LOOPBACK], 16)
    (listener,) = opened
    assert port_of(listener) > 0
    assert listener.url == f"http://127.0.0.1:{listener.server_port}"
    assert listener.server_name == "127.0.0.1"
    assert not listener.is_unix
    connect(listener)


def test_accepting_never_blocks(opened):
    opened += open_listeners([LOOPBACK], 16)
    with pytest.raises(BlockingIOError):
        opened[0].sock.accept()


def test_accepted_connections_send_small_writes_at_once(opened):
    opened += open_listeners([LOOPBACK], 16)
    with socket.create_connection(opened[0].sock.getsockname()[:2], timeout=5):
        opened[0].sock.setblocking(True)
        opened[0].sock.settimeout(5)
        accepted, _ = opened[0].sock.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_every_address_is_shown_as_one_that_a_browser_can_open(opened):
    opened += open_listeners([TcpAddress("0.0.0.0", 0)], 16)
    assert opened[0].url == f"http://127.0.0.1:{opened[0].server_port}"
    assert opened[0].is_on_every_address


@needs_ipv6
def test_ipv6_addresses_are_shown_in_brackets(opened):
    opened += open_listeners([TcpAddress("::1", 0)], 16)
    assert opened[0].url == f"http://[::1]:{opened[0].server_port}"
    connect(opened[0])


@needs_ipv6
def test_every_ipv6_address_takes_ipv4_clients_too(opened):
    opened += open_listeners([TcpAddress("::", 0)], 16)
    with socket.create_connection(("127.0.0.1", port_of(opened[0])), timeout=5):
        pass


@needs_ipv6
def test_both_families_can_have_the_same_port(opened):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    opened += open_listeners([TcpAddress("0.0.0.0", port), TcpAddress("::", port)], 16)
    assert [port_of(listener) for listener in opened] == [port, port]


def test_a_port_in_use_is_one_clear_message_and_leaves_nothing_open(opened, tmp_path: Path):
    opened += open_listeners([LOOPBACK], 16)
    taken = TcpAddress("127.0.0.1", port_of(opened[0]))
    path = tmp_path / "first.sock"
    before = len(os.listdir("/dev/fd"))
    with pytest.raises(BindError, match=rf"{taken}: the address is already in use"):
        open_listeners([UnixAddress(str(path)), taken], 16)
    assert not path.exists()
    assert len(os.listdir("/dev/fd")) == before


def test_a_host_that_does_not_resolve_is_named():
    with pytest.raises(BindError, match=r"no-such-host\.invalid:80: .*resolved"):
        open_listeners([TcpAddress("no-such-host.invalid", 80)], 16)


def test_a_host_label_that_is_too_long_is_refused_in_words():
    with pytest.raises(BindError, match="cannot listen on"):
        open_listeners([TcpAddress("x" * 300, 80)], 16)


def test_an_address_of_another_machine_is_refused_in_words():
    with pytest.raises(BindError, match="no such address"):
        open_listeners([TcpAddress("192.0.2.1", 0)], 16)


def test_a_unix_socket_is_made_and_removed(tmp_path: Path):
    path = tmp_path / "a.sock"
    (listener,) = open_listeners([UnixAddress(str(path))], 16)
    assert listener.is_unix
    assert listener.url == f"unix:{path}"
    assert (listener.server_name, listener.server_port) == ("localhost", "80")
    connect(listener)
    listener.remove_file()
    listener.close()
    assert not path.exists()


def test_a_stale_socket_file_is_replaced(opened, tmp_path: Path):
    path = tmp_path / "stale.sock"
    with socket.socket(socket.AF_UNIX) as left_behind:
        left_behind.bind(str(path))
    opened += open_listeners([UnixAddress(str(path))], 16)
    connect(opened[0])


def test_a_socket_file_that_is_served_is_left_alone(opened, tmp_path: Path):
    address = UnixAddress(str(tmp_path / "live.sock"))
    opened += open_listeners([address], 16)
    with pytest.raises(BindError, match="another server is listening"):
        open_listeners([address], 16)
    connect(opened[0])


def test_a_socket_whose_server_is_too_busy_to_answer_counts_as_served(tmp_path: Path):
    path = str(tmp_path / "busy.sock")
    with socket.socket(socket.AF_UNIX) as busy:
        busy.bind(path)
        busy.listen(0)
        clients = []
        try:
            while True:
                client = socket.socket(socket.AF_UNIX)
                clients.append(client)
                client.setblocking(False)
                client.connect(path)
        except BlockingIOError:
            pass
        with pytest.raises(BindError, match="another server is listening"):
            open_listeners([UnixAddress(path)], 16)
        for client in clients:
            client.close()


def test_an_ordinary_file_is_never_removed(tmp_path: Path):
    path = tmp_path / "precious.txt"
    path.write_text("data")
    with pytest.raises(BindError, match="not a socket"):
        open_listeners([UnixAddress(str(path))], 16)
    assert path.read_text() == "data"


def test_a_socket_file_that_another_server_made_since_is_not_removed(opened, tmp_path: Path):
    path = tmp_path / "shared.sock"
    opened += open_listeners([UnixAddress(str(path))], 16)
    path.unlink()
    opened += open_listeners([UnixAddress(str(path))], 16)
    opened[0].remove_file()
    connect(opened[1])
    opened[1].close()
    # Once closed, its inode may have been given to somebody else's file.
    opened[1].remove_file()
    assert path.exists()


@pytest.mark.parametrize("mode", [0o600, 0o660, 0o666])
def test_the_mode_of_a_unix_socket_is_what_was_asked_for(opened, tmp_path: Path, mode: int):
    path = tmp_path / "mode.sock"
    opened += open_listeners([UnixAddress(str(path))], 16, UnixAccess(mode=mode, umask=0o077))
    assert stat.S_IMODE(path.stat().st_mode) == mode


def test_without_a_mode_the_umask_decides_and_is_put_back(opened, tmp_path: Path):
    path = tmp_path / "umask.sock"
    before = os.umask(0o022)
    try:
        opened += open_listeners([UnixAddress(str(path))], 16, UnixAccess(umask=0o007))
        assert os.umask(0o022) == 0o022
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o770


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_the_owner_of_a_unix_socket_is_who_was_asked_for(opened, tmp_path: Path):
    path = tmp_path / "owner.sock"
    opened += open_listeners([UnixAddress(str(path))], 16, UnixAccess(uid=65534, gid=65533))
    assert (path.stat().st_uid, path.stat().st_gid) == (65534, 65533)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may give files away")
def test_an_owner_that_may_not_be_set_leaves_no_socket_behind(tmp_path: Path):
    path = tmp_path / "owner.sock"
    with pytest.raises(BindError):
        open_listeners([UnixAddress(str(path))], 16, UnixAccess(uid=0))
    assert not path.exists()


def test_a_missing_directory_is_told(tmp_path: Path):
    with pytest.raises(BindError, match="directory does not exist"):
        open_listeners([UnixAddress(str(tmp_path / "none" / "a.sock"))], 16)


def test_a_path_too_long_for_a_socket_is_told(tmp_path: Path):
    with pytest.raises(BindError, match="too long"):
        open_listeners([UnixAddress(str(tmp_path / ("x" * 200)))], 16)


@pytest.mark.skipif(not os.path.exists("/proc/net/unix"), reason="abstract sockets are Linux's")
def test_an_abstract_socket_needs_no_file(opened):
    name = f"canter-test-{os.getpid()}"
    opened += open_listeners([AbstractAddress(name)], 16)
    assert opened[0].url == f"unix:@{name}"
    connect(opened[0])
    with pytest.raises(BindError, match="already in use"):
        open_listeners([AbstractAddress(name)], 16)


def test_an_inherited_socket_is_used_as_it_is(opened):
    with socket.create_server(("127.0.0.1", 0), backlog=3) as theirs:
        opened += open_listeners([FdAddress(theirs.fileno())], 16)
        opened[0].close()
        # Ours was a copy: theirs still listens.
        with socket.create_connection(theirs.getsockname()[:2], timeout=5):
            pass


def test_an_inherited_socket_that_does_not_listen_yet_is_made_to(opened):
    with socket.socket() as theirs:
        theirs.bind(("127.0.0.1", 0))
        opened += open_listeners([FdAddress(theirs.fileno())], 16)
        connect(opened[0])
        assert opened[0].url.startswith("http://127.0.0.1:")


def test_an_inherited_unix_socket_is_recognised(opened, tmp_path: Path):
    with socket.socket(socket.AF_UNIX) as theirs:
        theirs.bind(str(tmp_path / "theirs.sock"))
        opened += open_listeners([FdAddress(theirs.fileno())], 16)
        assert opened[0].is_unix
        opened[0].remove_file()
        assert (tmp_path / "theirs.sock").exists()


def test_a_descriptor_that_is_no_stream_socket_is_refused(tmp_path: Path):
    with (tmp_path / "file").open("w") as file, pytest.raises(BindError, match="not a socket"):
        open_listeners([FdAddress(file.fileno())], 16)
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
        pytest.raises(BindError, match="not a stream socket"),
    ):
        open_listeners([FdAddress(datagrams.fileno())], 16)


def test_a_descriptor_that_is_not_open_is_refused():
    with pytest.raises(BindError, match="not open"):
        open_listeners([FdAddress(10_000)], 16)
