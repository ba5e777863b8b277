"""TLS contexts from certificate files, and their renewal when the files change.

A `Keyring` is made by the supervisor, so that files only it may read are enough, a wrong file stops
a start or a reload with one message, and all workers that are forked from it open each other's
session tickets. Each worker looks after its own copy from then on: `review` makes new contexts when
a file has changed, proves them, and only then lets go of the old ones.
"""

from __future__ import annotations

import enum
import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field

from canter.errors import ConfigError

_VERSIONS = {
    "1.0": ssl.TLSVersion.TLSv1,
    "1.1": ssl.TLSVersion.TLSv1_1,
    "1.2": ssl.TLSVersion.TLSv1_2,
    "1.3": ssl.TLSVersion.TLSv1_3,
}
# Forward secrecy and authenticated encryption. Python's own choice has CBC too.
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL"
# More rounds than any handshake takes; one that does not end by then has failed.
_PROOF_ROUNDS = 8

ContextHook = Callable[[Callable[[], ssl.SSLContext]], ssl.SSLContext]
"""What may make the context itself: given the function that makes the usual one."""


class Verify(enum.IntEnum):
    """Whether clients show a certificate; the numbers are the ssl module's."""

    NONE = 0
    OPTIONAL = 1
    REQUIRED = 2


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate with its chain, and its key; without a key file the first has both."""

    certfile: str
    keyfile: str | None = None


@dataclass(frozen=True, slots=True)
class TlsPlan:
    """What TLS is to be like.

    pair: for clients that ask for no name or one that is not in `named`; None where a hook or a
    self-signed certificate brings it. named: by lower-case host name, or `*.` and a parent's name.
    minimum: the lowest version of TLS. protocols: for ALPN, the best first.
    """

    pair: Pair | None
    named: tuple[tuple[str, Pair], ...] = ()
    password_file: str | None = None
    ca_certs: str | None = None
    verify: Verify = Verify.NONE
    ciphers: str | None = None
    minimum: str = "1.2"
    protocols: tuple[str, ...] = ("http/1.1",)
    suppress_ragged_eofs: bool = True

    @property
    def files(self) -> tuple[str, ...]:
        """Every file that the contexts are made from."""
        pairs = [pair for pair in (self.pair, *(pair for _, pair in self.named)) if pair]
        found = [path for pair in pairs for path in (pair.certfile, pair.keyfile) if path]
        found += [path for path in (self.password_file, self.ca_certs) if path]
        return tuple(dict.fromkeys(found))


@dataclass(slots=True, eq=False)
class Keyring:
    """The contexts that new connections are given.

    context: the present one; read by the engine for each new connection. hook: see `ContextHook`.
    renews: whether there are files to look after.
    """

    plan: TlsPlan
    hook: ContextHook | None = None
    renews: bool = True
    context: ssl.SSLContext = field(init=False)
    _signature: tuple[object, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Raises ConfigError with what is wrong with which file."""
        self._signature = _signature(self.plan.files)
        self.context = make_context(self.plan, self.hook)

    def review(self) -> bool:
        """Make new contexts if a file has changed: whether it did.

        Raises ConfigError, the old ones kept, when what the files hold now cannot be used; the same
        files are not tried again.
        """
        signature = _signature(self.plan.files) if self.renews else self._signature
        if signature == self._signature:
            return False
        self._signature = signature
        self.context = make_context(self.plan, self.hook)
        return True


def make_context(plan: TlsPlan, hook: ContextHook | None = None) -> ssl.SSLContext:
    """The context for a server, with those of other names behind it; proven by a handshake.

    Raises ConfigError.
    """

    def usual() -> ssl.SSLContext:
        return _one_context(plan, plan.pair)

    context = usual() if hook is None else _hooked(hook, usual)
    named = {name: _one_context(plan, pair) for name, pair in plan.named}
    for each in (context, *named.values()):
        # A context of the application's own may speak what no client of ours can.
        if hook is None or each is not context:
            _prove(each)
    if named:
        context.sni_callback = _chooser(named)
    return context


def _hooked(hook: ContextHook, usual: Callable[[], ssl.SSLContext]) -> ssl.SSLContext:
    try:
        context = hook(usual)
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError(
            f"the hook ssl_context failed: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(context, ssl.SSLContext):
        raise ConfigError(f"the hook ssl_context gave {context!r} and no ssl.SSLContext")
    return context


def _one_context(plan: TlsPlan, pair: Pair | None) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = _VERSIONS[plan.minimum]
    context.options |= (
        ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE | ssl.OP_NO_RENEGOTIATION
    )
    context.set_alpn_protocols(list(plan.protocols))
    try:
        context.set_ciphers(plan.ciphers or _CIPHERS)
    except ssl.SSLError:
        raise ConfigError(f"ciphers: OpenSSL knows none of {plan.ciphers!r}") from None
    if pair is not None:
        _load_pair(context, pair, plan.password_file)
    if plan.ca_certs is not None:
        try:
            context.load_verify_locations(cafile=plan.ca_certs)
        except (OSError, ValueError) as error:
            raise ConfigError(_explain(plan.ca_certs, "no certificates", error)) from None
    context.verify_mode = ssl.VerifyMode(int(plan.verify))
    return context


def _load_pair(context: ssl.SSLContext, pair: Pair, password_file: str | None) -> None:
    key_path = pair.keyfile or pair.certfile

    asked = []

    def password() -> str:
        asked.append(True)
        if password_file is None:
            raise ConfigError(f"{key_path}: the key is encrypted; keyfile_password_file opens it")
        return _first_line(password_file)

    for path in (pair.certfile, key_path):
        try:
            with open(path, "rb"):
                pass
        except OSError as error:
            raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    try:
        context.load_cert_chain(pair.certfile, pair.keyfile, password)
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or ""
        if reason == "KEY_VALUES_MISMATCH":
            text = f"the key in {key_path} does not belong to the certificate in {pair.certfile}"
            raise ConfigError(text) from None
        if asked:
            raise ConfigError(f"{key_path}: the password does not open the key") from None
        paths = " and ".join(dict.fromkeys((pair.certfile, key_path)))
        what = "no certificate and key in PEM that can be used"
        raise ConfigError(_explain(paths, what, error)) from None


def _first_line(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            return file.readline().rstrip("\r\n")
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from None


def _explain(path: str, what: str, error: Exception) -> str:
    if isinstance(error, OSError) and not isinstance(error, ssl.SSLError):
        return f"cannot read {path}: {error.strerror}"
    reason = getattr(error, "reason", None)
    return f"{path}: {what}" + (f" ({str(reason).lower().replace('_', ' ')})" if reason else "")


def _prove(context: ssl.SSLContext) -> None:
    """Shake hands with ourselves, in memory: certificate, key, ciphers and versions do fit."""
    wanted, context.verify_mode = context.verify_mode, ssl.CERT_NONE
    there = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    there.check_hostname = False
    there.verify_mode = ssl.CERT_NONE
    there.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    sides = [
        there.wrap_bio(down, up, server_side=False),
        context.wrap_bio(up, down, server_side=True),
    ]
    try:
        for _ in range(_PROOF_ROUNDS):
            sides = [side for side in sides if not _shaken(side)]
            if not sides:
                return
        raise ConfigError("TLS: the settings do not fit together: a handshake does not end")
    except ssl.SSLError as error:
        reason = str(error.reason or error).lower().replace("_", " ")
        raise ConfigError(f"TLS: the settings do not fit together: {reason}") from None
    finally:
        context.verify_mode = wanted


def _shaken(side: ssl.SSLObject) -> bool:
    try:
        side.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True


def _chooser(
    named: dict[str, ssl.SSLContext],
) -> Callable[[ssl.SSLObject | ssl.SSLSocket, str | None, ssl.SSLContext], None]:
    """What puts the context of the asked name in place of the first."""

    def choose(
        handshake: ssl.SSLObject | ssl.SSLSocket, name: str | None, _: ssl.SSLContext
    ) -> None:
        if name is None:
            return
        lowered = name.lower().rstrip(".")
        found = named.get(lowered) or named.get("*." + lowered.partition(".")[2])
        if found is not None:
            handshake.context = found

    return choose


def _signature(paths: tuple[str, ...]) -> tuple[object, ...]:
    """What changes when a file is written or replaced."""
    found: list[object] = []
    for path in paths:
        try:
            status = os.stat(path)
        except OSError as error:
            found.append(error.errno)
        else:
            found.append((status.st_ino, status.st_size, status.st_mtime_ns))
    return tuple(found)
