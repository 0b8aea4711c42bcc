"""Which gateway, how it is known to be the right one, and what says who we are: from arguments, else from the environment
variables that the command line `rawgate` reads, too."""

from __future__ import annotations

import ipaddress
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import grpc

from rawgate.errors import FailedPrecondition, InvalidArgument

# A path, or the PEM itself.
Pem: TypeAlias = str | os.PathLike[str] | bytes

_DEFAULT_GATEWAY = "127.0.0.1:50051"
_TOKEN_MAX = 4096
_PEM_MAX = 1 << 20

# While every call fails at once, none of them waits for the connection that is being made, and gRPC looks at it each 5 s alone: so
# long nobody would know that the gateway is back. It is read when the program's first channel is made.
os.environ.setdefault("GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS", "200")

CHANNEL_OPTIONS: list[tuple[str, int | str]] = [
    # A watch may be silent for hours: a gateway that vanished without a word is noticed all the same.
    ("grpc.keepalive_time_ms", 30_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
    # gRPC's own 1 s to 120 s are for thousands of clients; here somebody waits.
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 1_000),
    # How long one attempt may take at least, whatever its name.
    ("grpc.min_reconnect_backoff_ms", 3_000),
    # A proxy that is meant for the web is not meant for a gateway that is mostly on this machine.
    ("grpc.enable_http_proxy", 0),
    ("grpc.primary_user_agent", "rawgate-python"),
    # Clients of one process have connections of their own, so that closing one, or its certificate, is its own affair.
    ("grpc.use_local_subchannel_pool", 1),
]


@dataclass(frozen=True, slots=True)
class Settings:
    """Where to connect, and as whom. The token is never part of a message."""

    target: str
    token: str = field(default="", repr=False)
    ca: bytes = b""
    cert: bytes = b""
    key: bytes = field(default=b"", repr=False)

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """What goes with every call."""
        return (("authorization", f"Bearer {self.token}"),) if self.token else ()

    @property
    def credentials(self) -> grpc.ChannelCredentials | None:
        """None where the connection is not encrypted."""
        if not self.ca:
            return None
        return grpc.ssl_channel_credentials(self.ca, self.key or None, self.cert or None)


def load(gateway: str | None, token: str | None, token_file: str | os.PathLike[str] | None, ca: Pem | None, cert: Pem | None,
         key: Pem | None) -> Settings:
    """Raises OSError for files that cannot be read, InvalidArgument (BAD_TOKEN, BAD_PEM) for what they should not hold, and
    FailedPrecondition (TOKEN_IN_THE_CLEAR) rather than let others read the token on its way."""
    variable = os.environ.get
    settings = Settings(
        grpc_target(gateway or variable("RAWGATE_GATEWAY") or _DEFAULT_GATEWAY), _token(token, token_file),
        _pem(ca or variable("RAWGATE_TLS_CA")), _pem(cert or variable("RAWGATE_CLIENT_CERTIFICATE")),
        _pem(key or variable("RAWGATE_CLIENT_KEY")))
    if bool(settings.cert) != bool(settings.key):
        raise InvalidArgument("a certificate and its key go together", reason="BAD_PEM")
    if settings.cert and not settings.ca:
        raise InvalidArgument("a client certificate needs the gateway's CA", reason="BAD_PEM")
    if settings.token and not settings.ca and not stays_here(settings.target):
        raise FailedPrecondition(f"without TLS everybody on the way to {settings.target} could read the token, so it is not sent",
                                 reason="TOKEN_IN_THE_CLEAR")
    return settings


def grpc_target(gateway: str) -> str:
    """As gRPC wants it; people write HOST, HOST:PORT, tcp://HOST:PORT, unix:///PATH or any target of gRPC's."""
    gateway = gateway.removeprefix("tcp://")
    if "://" in gateway or gateway.startswith("unix"):
        return gateway
    has_port = "]:" in gateway if gateway.startswith("[") else ":" in gateway
    return gateway if has_port else f"{gateway}:50051"


def stays_here(target: str) -> bool:
    """Whether what is sent to the target stays on this machine, whatever a name server says."""
    if target.startswith(("unix:", "unix-abstract:")):
        return True
    addresses = re.sub("^(dns:///|dns:|ipv4:|ipv6:)", "", target)
    return all(_is_loopback(address) for address in addresses.split(","))


def _is_loopback(address: str) -> bool:
    host = address
    if address.startswith("["):
        host = address[1:].partition("]")[0]
    elif address.count(":") == 1:
        host = address.partition(":")[0]
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _token(token: str | None, file: str | os.PathLike[str] | None) -> str:
    if token is not None:
        return _checked_token(token, "the token")
    file = file or os.environ.get("RAWGATE_TOKEN_FILE")
    if file:
        with open(file, encoding="utf-8", errors="replace") as opened:
            return _checked_token(opened.read(_TOKEN_MAX + 1), str(file))
    text = os.environ.get("RAWGATE_TOKEN", "")
    return _checked_token(text, "$RAWGATE_TOKEN") if text else ""


def _checked_token(text: str, where: str) -> str:
    token = text.strip()
    if not re.fullmatch(rf"[!-~]{{1,{_TOKEN_MAX}}}", token):
        raise InvalidArgument(f"{where} is no token: one word of at most {_TOKEN_MAX} characters", reason="BAD_TOKEN")
    return token


def _pem(source: Pem | None) -> bytes:
    if not source:
        return b""
    if isinstance(source, bytes):
        text, where = source, "what was given"
    else:
        with open(Path(source), "rb") as opened:
            text, where = opened.read(_PEM_MAX + 1), str(source)
    if b"-----BEGIN " not in text or len(text) > _PEM_MAX:
        raise InvalidArgument(f"{where} is no PEM file", reason="BAD_PEM")
    return text
