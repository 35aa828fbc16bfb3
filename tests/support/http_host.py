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

    def begin_tls(self, tls: ssl.SSLContext) -> None:
        """Put a socket with TLS in place of the first, before it waits for the client's part."""
        self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)
        self.socket.do_handshake()

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

    socket: socket.socket
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
    """Let a host serve each connection in a thread, for as long as the context lasts.

    Each thread closes its own socket. Were one closed under a thread that reads from it, the next
    socket would have its number, and what TLS says at the end would be written to that.
    """
    listening = socket.create_server(("127.0.0.1", 0))
    made = Host(listening, listening.getsockname()[1])
    threads: list[threading.Thread] = []

    def attend(guest: Guest) -> None:
        try:
            with suppress(OSError, EOFError):
                if tls is not None:
                    guest.begin_tls(tls)
                serve(guest)
        finally:
            guest.socket.close()

    def accept() -> None:
        with suppress(OSError), listening:
            while True:
                guest = Guest(listening.accept()[0], len(made.guests))
                made.guests.append(guest)
                threads.append(threading.Thread(target=attend, args=(guest,), daemon=True))
                threads[-1].start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield made
    finally:
        _end(accepting, made)
        for guest, thread in zip(made.guests, threads, strict=True):
            _end(thread, guest)


def _end(thread: threading.Thread, waits_at: Guest | Host) -> None:
    """Wake a thread that waits at a socket until it ends: TLS may just put another in its place."""
    while thread.is_alive():
        with suppress(OSError):  # it has been closed
            waits_at.socket.shutdown(socket.SHUT_RDWR)
        thread.join(0.05)


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
