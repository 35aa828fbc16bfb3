"""A host in threads of its own, which answers on each connection as a test says."""

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Serve = Callable[["Guest"], None]


@dataclass
class Guest:
    """A connection as the host has it."""

    socket: socket.socket
    number: int
    """How many came before it."""
    head: bytes = b""
    """The head of the last request."""

    def receive(self) -> bytes:
        """Read the body of the next request; raises EOFError when there is none."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._receive(1)
        self.head = head
        length = int(head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0])
        body = b""
        while len(body) < length:
            body += self._receive(length - len(body))
        return body

    def _receive(self, most: int) -> bytes:
        data = self.socket.recv(most)
        if not data:
            raise EOFError
        return data

    def say(self, body: bytes, *headers: str, status: int = 200) -> None:
        """Answer."""
        self.send(answer(body, *headers, status=status))

    def send(self, data: bytes) -> None:
        """Send some bytes as they are."""
        self.socket.sendall(data)


@dataclass
class Host:
    """What listens."""

    port: int
    guests: list[Guest] = field(default_factory=list)


def answer(body: bytes, *headers: str, status: int = 200) -> bytes:
    """An answer as it goes over the wire."""
    lines = [f"HTTP/1.1 {status} as it is", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def echo(guest: Guest) -> None:
    """Answer each request with its own body."""
    while True:
        guest.say(guest.receive())


@contextmanager
def host(serve: Serve, tls: ssl.SSLContext | None = None) -> Iterator[Host]:
    """Let a host serve each connection in a thread, for as long as the context lasts."""
    listening = socket.create_server(("127.0.0.1", 0))
    made = Host(listening.getsockname()[1])

    def attend(guest: Guest) -> None:
        with suppress(OSError, EOFError), guest.socket:
            if tls is not None:
                guest.socket = tls.wrap_socket(guest.socket, server_side=True)
            serve(guest)
            guest.socket.close()

    def accept() -> None:
        with suppress(OSError):
            while True:
                guest = Guest(listening.accept()[0], len(made.guests))
                made.guests.append(guest)
                threading.Thread(target=attend, args=(guest,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield made
    finally:
        with suppress(OSError):
            listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        for guest in made.guests:
            guest.socket.close()


def certified(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """The certificate of an authority, and what serves with one that it gave a host of that name.

    The authority's does not mark as critical that it may sign, as it should; nor do those of many
    companies.
    """
    authority, host_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    named: x509.GeneralName = x509.DNSName(name)
    with suppress(ValueError):
        named = x509.IPAddress(ipaddress.ip_address(name))
    trusted, public, private = (folder / f"{name}.{end}" for end in ("ca", "pem", "key"))
    may_sign = x509.BasicConstraints(ca=True, path_length=None)
    trusted.write_bytes(_signed("authority", authority, authority, may_sign))
    public.write_bytes(_signed(name, host_key, authority, x509.SubjectAlternativeName([named])))
    private.write_bytes(
        host_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    return trusted, context


def _signed(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    authority: ec.EllipticCurvePrivateKey,
    says: x509.ExtensionType,
) -> bytes:
    """A certificate of a key, signed by the authority."""
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(_named(name))
        .issuer_name(_named("authority"))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(says, critical=False)
        .sign(authority, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
