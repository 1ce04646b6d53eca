"""Certificates and keys in every state that a file can be in, made at test time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
)

Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class PemPair:
    """The bytes of a certificate's file and of its key's file."""

    certificate: bytes
    key: bytes

    def write(self, folder: Path, name: str = "gateway") -> tuple[Path, Path]:
        """Write both files, and return their paths."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = folder / f"{name}.pem", folder / f"{name}.key"
        for path, content in zip(paths, (self.certificate, self.key), strict=True):
            path.write_bytes(content)
        return paths


def certificate_of(key: Key, *, days: tuple[int, int] = (-1, 30)) -> bytes:
    """A self-signed certificate, valid between these days from now."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "gateway.test")])
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder(name, name, key.public_key(), 7)
        .not_valid_before(now + timedelta(days[0]))
        .not_valid_after(now + timedelta(days[1]))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("gateway.test")]), critical=False)
    )
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return builder.sign(key, digest).public_bytes(Encoding.PEM)


def key_pem(
    key: Key,
    encryption: KeySerializationEncryption | None = None,
    form: PrivateFormat = PrivateFormat.PKCS8,
) -> bytes:
    """The private key as PEM."""
    return key.private_bytes(Encoding.PEM, form, encryption or NoEncryption())


def good_pair() -> PemPair:
    """A certificate and its key."""
    return every_pair()["good"][0]


@cache
def every_pair() -> Mapping[str, tuple[PemPair, set[str]]]:
    """Pairs by name, each with the codes of its diagnostics."""
    key, other = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    password = BestAvailableEncryption(b"secret")
    own, own_key = certificate_of(key), key_pem(key)
    der = x509.load_pem_x509_certificate(own).public_bytes(Encoding.DER)
    malformed = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"

    def of_kind(kind: Key) -> PemPair:
        return PemPair(certificate_of(kind), key_pem(kind))

    invalid, bad_key, mismatch = {"tls-certificate-invalid"}, {"tls-key-invalid"}, {"tls-key-mismatch"}
    unreadable, expired = {"tls-file-unreadable"}, {"tls-certificate-expired"}
    return {
        "good": (PemPair(own, own_key), set()),
        "text around the blocks": (PemPair(b"# mine\n" + own + b"end\n", b"# mine\n" + own_key), set()),
        "carriage returns": (PemPair(own.replace(b"\n", b"\r\n"), own_key.replace(b"\n", b"\r\n")), set()),
        "both in one file": (PemPair(own_key + own, own_key + own), set()),
        "a traditional key": (PemPair(own, key_pem(key, form=PrivateFormat.TraditionalOpenSSL)), set()),
        "a chain": (PemPair(own + certificate_of(other), own_key), set()),
        "RSA": (of_kind(rsa.generate_private_key(65537, 2048)), set()),
        "P-521": (of_kind(ec.generate_private_key(ec.SECP521R1())), set()),
        "Ed25519": (of_kind(ed25519.Ed25519PrivateKey.generate()), set()),
        "expired": (PemPair(certificate_of(key, days=(-10, -1)), own_key), expired),
        "an expired chain": (
            PemPair(own + certificate_of(other, days=(-10, -1)), own_key),
            expired,
        ),
        "not valid yet": (
            PemPair(certificate_of(key, days=(10, 20)), own_key),
            {"tls-certificate-not-valid-yet"},
        ),
        "a certificate of another key": (PemPair(own, key_pem(other)), mismatch),
        "a chain in the wrong order": (PemPair(certificate_of(other) + own, own_key), mismatch),
        "no certificate": (PemPair(b"nothing\n", own_key), invalid),
        "no key": (PemPair(own, b"nothing\n"), bad_key),
        "exchanged files": (PemPair(own_key, own), invalid | bad_key),
        "an empty certificate": (PemPair(b"", own_key), unreadable),
        "an empty key": (PemPair(own, b""), unreadable),
        "DER": (PemPair(der, own_key), invalid),
        "a byte order mark": (PemPair(b"\xef\xbb\xbf" + own, own_key), invalid),
        "a malformed certificate": (PemPair(malformed, own_key), invalid),
        "a malformed chain": (PemPair(own + malformed, own_key), invalid),
        "a cut certificate": (PemPair(own[: len(own) // 2], own_key), invalid),
        "a cut key": (PemPair(own, own_key[: len(own_key) // 2]), bad_key),
        "a malformed key": (
            PemPair(own, b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"),
            bad_key,
        ),
        "an encrypted key": (PemPair(own, key_pem(key, password)), bad_key),
        "an encrypted traditional key": (
            PemPair(own, key_pem(key, password, PrivateFormat.TraditionalOpenSSL)),
            bad_key,
        ),
        "RSA, too short": (of_kind(rsa.generate_private_key(65537, 1024)), invalid),  # noqa: S505 - on purpose
        "an unsupported curve": (of_kind(ec.generate_private_key(ec.SECP256K1())), invalid),
    }
