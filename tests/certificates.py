"""Certificates made when they are needed: of an authority of our own, good, expired or for somebody else."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["Authority"]

_DAY = timedelta(days=1)


class Authority:
    """Signs certificates; ``file`` holds its own.

    Args:
        folder: where files are written.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        self._usage = x509.SubjectKeyIdentifier.from_public_key(self._key.public_key())
        now = datetime.now(UTC)
        builder = self._builder(self._name, self._key, now - _DAY, now + _DAY)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        usage = dict.fromkeys(
            ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "encipher_only", "decipher_only"), False)  # fmt: skip
        builder = builder.add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
        builder = builder.add_extension(self._usage, critical=False)
        self.file = folder / "authority.pem"
        self.file.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))

    def server(
        self, *names: str, expired: bool = False, self_signed: bool = False, version: ssl.TLSVersion | None = None
    ) -> ssl.SSLContext:
        """Return the context of a server with a certificate as of `server_file`.

        Args:
            names: see there.
            expired: see there.
            self_signed: see there.
            version: the only version of TLS it speaks.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.server_file(*names, expired=expired, self_signed=self_signed))
        if version is not None:
            context.set_ciphers("ALL:@SECLEVEL=0")  # old versions are switched off by default
            context.minimum_version = context.maximum_version = version
        return context

    def server_file(self, *names: str, expired: bool = False, self_signed: bool = False) -> Path:
        """Write a certificate for these names and addresses, and its key, into one file.

        Args:
            names: host names and IP addresses; 127.0.0.1 and localhost if none.
            expired: its time is over.
            self_signed: signed by nobody else.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.now(UTC)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")])
        start, end = (now - 3 * _DAY, now - 2 * _DAY) if expired else (now - _DAY, now + _DAY)
        builder = self._builder(subject, key, start, end, issuer=subject if self_signed else None)
        known = [_general(name) for name in names or ("127.0.0.1", "localhost")]
        builder = builder.add_extension(x509.SubjectAlternativeName(known), critical=False)
        signed = builder.sign(key if self_signed else self._key, hashes.SHA256())
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file = self._folder / f"server-{signed.serial_number}.pem"
        file.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + secret)
        return file

    def _builder(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePrivateKey,
        start: datetime,
        end: datetime,
        issuer: x509.Name | None = None,
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer or self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(end)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(self._usage), critical=False)
        )


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
