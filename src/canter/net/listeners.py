"""Listening sockets: opened by the supervisor, inherited by workers, described for people.

Opening is all or nothing: when one address cannot be had, those opened before it are closed again
and a BindError tells which one and why.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from canter.errors import BindError
from canter.net.addresses import AbstractAddress, Address, FdAddress, TcpAddress, UnixAddress
from canter.net.doors import close_door

_EVERY_IPV4 = "0.0.0.0"  # noqa: S104 - compared with, never bound here
_EVERY_HOST = {_EVERY_IPV4: "127.0.0.1", "::": "::1"}
_STALE_PROBE_SECONDS = 1.0
_TCP_INFO_BYTES = 104
_UNACKED_OFFSET = 24


class TakenError(BindError):
    """Another server listens at the path of a unix socket."""


@dataclass(frozen=True, slots=True)
class UnixAccess:
    """Who may connect to unix sockets that are made in the file system.

    `mode` None leaves it to `umask`; `uid` and `gid` -1 leave the owner alone.
    """

    mode: int | None = None
    uid: int = -1
    gid: int = -1
    umask: int = 0


class Listener:
    """One non-blocking listening socket and the address it was opened for."""

    __slots__ = ("address", "made", "named", "sock")

    def __init__(
        self, sock: socket.socket, address: Address, made: tuple[int, int] | None = None
    ) -> None:
        sock.setblocking(False)
        self.sock = sock
        self.address = address
        # What SERVER_NAME is to say instead of the host; "" for the host.
        self.named = ""
        # Device and inode of the socket file that we made: only that very file is ours to remove.
        self.made = made

    def fileno(self) -> int:
        """The descriptor, so that selectors take the listener itself."""
        return self.sock.fileno()

    @property
    def is_unix(self) -> bool:
        """Whether clients come over a unix socket (and so have no address of their own)."""
        return self.sock.family == socket.AF_UNIX

    @property
    def is_lent(self) -> bool:
        """Whether somebody else opened it, and listens on when we have left."""
        return isinstance(self.address, FdAddress)

    @property
    def server_name(self) -> str:
        """SERVER_NAME for requests without a Host; PEP 3333 wants it never empty."""
        if self.named:
            return self.named
        return "localhost" if self.is_unix else str(self.sock.getsockname()[0])

    @property
    def server_port(self) -> str:
        """SERVER_PORT for requests without a Host; the real one where port 0 was asked for."""
        return "80" if self.is_unix else str(self.sock.getsockname()[1])

    @property
    def url(self) -> str:
        """As `url_with`, where HTTP is what is spoken."""
        return self.url_with("http")

    def url_with(self, protocol: str) -> str:
        """The address as a person opens it: a URL, or `unix:PATH`.

        protocol: what is spoken where the address names nothing else.
        """
        scheme = self.address.scheme or protocol
        name = self.sock.getsockname()
        if self.is_unix:
            path = os.fsdecode(name)
            before = "unix:" if scheme == "http" else f"{scheme}+unix:"
            return f"{before}@{path[1:]}" if path.startswith("\0") else before + path
        host = _EVERY_HOST.get(name[0], name[0])
        return f"{scheme}://[{host}]:{name[1]}" if ":" in host else f"{scheme}://{host}:{name[1]}"

    @property
    def is_on_every_address(self) -> bool:
        """Whether the socket takes connections to any address of this machine."""
        return not self.is_unix and self.sock.getsockname()[0] in _EVERY_HOST

    def close(self) -> None:
        """Close this process's copy of the socket."""
        self.sock.close()

    def retire(self) -> None:
        """Keep newcomers away: workers serve who is in the queue, and nobody comes behind them.

        A socket that was lent is its owner's, who listens on.
        """
        self.remove_file()
        if not self.is_lent and self.fileno() >= 0:
            close_door(self.sock)

    def remove_file(self) -> None:
        """Remove the unix socket's file if it is still the one that this listener made.

        To be called before close(): while the socket is open its inode cannot be given to another
        file, so the comparison cannot be fooled.
        """
        if self.made is None or not isinstance(self.address, UnixAddress) or self.fileno() < 0:
            return
        with contextlib.suppress(OSError):
            status = os.lstat(self.address.path)
            if (status.st_dev, status.st_ino) == self.made:
                os.unlink(self.address.path)
        self.made = None


def open_listeners(
    addresses: Sequence[Address],
    backlog: int,
    access: UnixAccess = UnixAccess(),
    *,
    reuse_port: bool = False,
) -> list[Listener]:
    """Listen on every address, in order, with `backlog` connections waiting at most on each.

    `reuse_port` lets other servers that ask for the same listen on the same TCP addresses.

    Raises BindError, with nothing left open, when one of them cannot be had.
    """
    opened: list[Listener] = []
    with contextlib.ExitStack() as undo:
        for address in addresses:
            listener = _open(address, addresses, backlog, access, reuse_port=reuse_port)
            undo.callback(listener.close)
            undo.callback(listener.remove_file)
            opened.append(listener)
        undo.pop_all()
    return opened


def _open(
    address: Address,
    addresses: Sequence[Address],
    backlog: int,
    access: UnixAccess,
    *,
    reuse_port: bool,
) -> Listener:
    match address:
        case TcpAddress():
            return _open_tcp(address, addresses, backlog, reuse_port=reuse_port)
        case UnixAddress():
            return _open_unix(address, backlog, access)
        case AbstractAddress():
            return _open_abstract(address, backlog)
        case FdAddress():
            return _adopt(address, backlog)


def _open_tcp(
    address: TcpAddress, addresses: Sequence[Address], backlog: int, *, reuse_port: bool
) -> Listener:
    with _explained(address):
        family, name = _resolve(address)
        sock = socket.socket(family, socket.SOCK_STREAM)
        with _closed_on_error(sock):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if reuse_port:
                if not hasattr(socket, "SO_REUSEPORT"):
                    raise BindError("reuse_port: this system does not have SO_REUSEPORT")
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            # Accepted connections inherit it, which saves a system call for each of them.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if family == socket.AF_INET6:
                # [::] alone takes IPv4 too, unless the same port is asked for there as well.
                beside = any(
                    isinstance(other, TcpAddress)
                    and (other.host, other.port) == (_EVERY_IPV4, address.port)
                    for other in addresses
                )
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(beside))
            sock.bind(name)
            sock.listen(backlog)
        return Listener(sock, address)


def _resolve(address: TcpAddress) -> tuple[int, tuple[str, int]]:
    found = socket.getaddrinfo(
        address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    # A name such as localhost may have both; IPv4 is what people expect behind a bare name.
    found.sort(key=lambda entry: entry[0] != socket.AF_INET)
    family, _, _, _, name = found[0]
    return family, (str(name[0]), int(name[1]))


def _open_unix(address: UnixAddress, backlog: int, access: UnixAccess) -> Listener:
    with _explained(address):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with _closed_on_error(sock):
            _remove_stale(address)
            # With an explicit mode the file is made closed to others first, then opened up.
            umask = os.umask(access.umask if access.mode is None else 0o177)
            try:
                sock.bind(address.path)
            finally:
                os.umask(umask)
            status = os.lstat(address.path)
            listener = Listener(sock, address, (status.st_dev, status.st_ino))
            try:
                if (access.uid, access.gid) != (-1, -1):
                    os.chown(address.path, access.uid, access.gid)
                if access.mode is not None:
                    os.chmod(address.path, access.mode)
                sock.listen(backlog)
            except BaseException:
                listener.remove_file()
                raise
        return listener


def _remove_stale(address: UnixAddress) -> None:
    """Remove a socket file that nobody listens on; leave anything else alone.

    Raises BindError when the path is taken.
    """
    try:
        mode = os.lstat(address.path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise BindError(f"cannot listen on {address}: the file exists and is not a socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(_STALE_PROBE_SECONDS)
        try:
            probe.connect(address.path)
        except ConnectionRefusedError:
            os.unlink(address.path)
            return
        except FileNotFoundError:
            return
        except (TimeoutError, BlockingIOError):
            pass  # Somebody listens there and is too busy to answer.
    raise TakenError(f"cannot listen on {address}: another server is listening there")


def _open_abstract(address: AbstractAddress, backlog: int) -> Listener:
    with _explained(address):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with _closed_on_error(sock):
            sock.bind("\0" + address.name)
            sock.listen(backlog)
        return Listener(sock, address)


def _adopt(address: FdAddress, backlog: int) -> Listener:
    """Take over a socket that somebody else opened; it stays theirs, we use a copy."""
    with _explained(address):
        if not stat.S_ISSOCK(os.fstat(address.fd).st_mode):
            raise BindError(f"cannot listen on {address}: the descriptor is not a socket")
        sock = socket.socket(fileno=os.dup(address.fd))
        with _closed_on_error(sock):
            os.set_inheritable(sock.fileno(), False)
            if sock.type != socket.SOCK_STREAM:
                raise BindError(f"cannot listen on {address}: it is not a stream socket")
            if not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                # A second listen() would undo the backlog its owner chose.
                sock.listen(backlog)
        return Listener(sock, address)


def inherit(fd: int, address: Address | None, made: tuple[int, int] | None) -> Listener:
    """A listening socket that a predecessor has left open in this process, at `address`.

    Without an address the socket is asked. Raises BindError when it is no listening socket.
    """
    where = address or FdAddress(fd)
    with _explained(where):
        sock = socket.socket(fileno=fd)
        with _closed_on_error(sock):
            os.set_inheritable(fd, False)
            if not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                raise BindError(f"cannot listen on {where}: it is not a listening socket")
            if address is None:
                address, made = _ask(sock)
        return Listener(sock, address, made)


def _ask(sock: socket.socket) -> tuple[Address, tuple[int, int] | None]:
    name = sock.getsockname()
    if sock.family != socket.AF_UNIX:
        return TcpAddress(str(name[0]), int(name[1])), None
    path = os.fsdecode(name)
    if path.startswith("\0"):
        return AbstractAddress(path[1:]), None
    status = os.lstat(path)
    return UnixAddress(path), (status.st_dev, status.st_ino)


@contextlib.contextmanager
def _closed_on_error(sock: socket.socket) -> Iterator[None]:
    try:
        yield
    except BaseException:
        sock.close()
        raise


@contextlib.contextmanager
def _explained(address: Address) -> Iterator[None]:
    """Turn the errors of one opening into a BindError that says what to do about it."""
    try:
        yield
    except OSError as error:
        raise BindError(f"cannot listen on {address}: {_explain(error)}") from error
    except (UnicodeError, OverflowError) as error:
        raise BindError(f"cannot listen on {address}: {error}") from error


def _explain(error: OSError) -> str:
    match error:
        case socket.gaierror():
            return f"the host name cannot be resolved ({error.strerror})"
        case OSError(errno=errno.EADDRINUSE):
            return "the address is already in use (is another server running?)"
        case OSError(errno=errno.EACCES):
            return "no permission (ports below 1024 and other users' directories need it)"
        case OSError(errno=errno.EADDRNOTAVAIL):
            return "this machine has no such address"
        case OSError(errno=errno.ENOENT):
            return "the directory does not exist"
        case OSError(errno=errno.EBADF):
            return "the descriptor is not open"
        case _:
            return error.strerror or str(error)


def waiting_in(sock: socket.socket) -> int | None:
    """How many connections wait to be accepted; None where the kernel does not tell: not TCP."""
    if not hasattr(socket, "TCP_INFO") or sock.family == socket.AF_UNIX:
        return None
    try:
        found = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TCP_INFO_BYTES)
    except OSError:
        return None
    # tcpi_unacked: of a listening socket, the connections in its queue.
    return int(struct.unpack_from("I", found, _UNACKED_OFFSET)[0])
