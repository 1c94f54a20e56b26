"""A small IMAP server on loopback, over TLS, that keeps its messages in a dictionary and can be told to misbehave."""

from __future__ import annotations

import re
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def certificate(folder: Path, name: str = "localhost") -> Path:
    """Write a self-signed certificate with its key for a name and 127.0.0.1, and return the file."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    names: list[x509.GeneralName] = [x509.DNSName(name)]
    if name == "localhost":
        names.append(x509.IPAddress(ip_address("127.0.0.1")))
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{name}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return path


class ScriptedImap:
    """Serves ``messages`` by number; a context manager. ``flags`` is what clients have set, ``said`` what they sent.

    ``drop_at`` names a command at which the connection is cut; ``refuse`` one that is answered with NO.
    """

    def __init__(self, pem: Path, messages: dict[int, bytes], *, drop_at: str = "", refuse: str = "") -> None:
        self.messages, self.flags = messages, {number: set[str]() for number in messages}
        self.said: list[str] = []
        self._drop_at, self._refuse = drop_at, refuse
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(pem)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            try:
                with connection, self._context.wrap_socket(connection, server_side=True) as encrypted:
                    encrypted.settimeout(10)
                    self._talk(encrypted)
            except OSError:
                continue  # the client did not like the certificate, or went away

    def _talk(self, connection: ssl.SSLSocket) -> None:
        lines = connection.makefile("rb")
        connection.sendall(b"* OK ready\r\n")
        for line in lines:
            text = line.decode("utf-8").strip()
            tag, _, command = text.partition(" ")
            self.said.append(command)
            verb = " ".join(command.split()[:2]) if command.upper().startswith("UID") else command.split()[0]
            if verb.upper() == self._drop_at:
                return
            if verb.upper() == self._refuse:
                connection.sendall(f"{tag} NO not today\r\n".encode())
                continue
            connection.sendall(self._answer(command) + f"{tag} OK done\r\n".encode())
            if verb.upper() == "LOGOUT":
                return

    def _answer(self, command: str) -> bytes:
        upper = command.upper()
        if upper.startswith("CAPABILITY"):
            return b"* CAPABILITY IMAP4rev1\r\n"
        if upper.startswith("SELECT"):
            return b"* %d EXISTS\r\n* OK [UIDVALIDITY 1] fine\r\n" % len(self.messages)
        if upper.startswith("UID SEARCH"):
            unseen = [str(number) for number, flags in self.flags.items() if "\\Seen" not in flags]
            return f"* SEARCH {' '.join(unseen)}".rstrip().encode() + b"\r\n"
        if upper.startswith("UID FETCH"):
            return self._fetched(command)
        if upper.startswith("UID STORE"):
            number = int(command.split()[2])
            self.flags[number] |= set(re.findall(r"\\\w+", command))
        if upper.startswith("LOGOUT"):
            return b"* BYE\r\n"
        return b""

    def _fetched(self, command: str) -> bytes:
        number = int(command.split()[2])
        if "PEEK" not in command.upper():
            self.flags[number].add("\\Seen")  # RFC 3501, 6.4.5
        limit = re.search(r"<0\.(\d+)>", command)
        assert limit is not None
        content = self.messages[number][: int(limit[1])]
        # A server may tell of other things in between (RFC 3501, 7).
        head = b"* 3 EXISTS\r\n* 1 FETCH (UID %d BODY[]<0> {%d}\r\n" % (number, len(content))
        return head + content + b")\r\n"
