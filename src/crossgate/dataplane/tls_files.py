"""Reads a certificate and its key, or authorities, from their files, as Envoy would.

Envoy refuses a listener whose certificate and key it cannot use, and often names neither the reason nor the
remedy. Here each reason has a diagnostic. No message contains any content of a file.

`tests/live/dataplane/test_validation.py` compares the verdict on each kind of file with Envoy's own.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from crossgate.catalogue.model import Tls
from crossgate.diagnostics import Diagnostic, Place, Severity

_MOST_BYTES: Final = 8 << 20
"""A bundle of all public authorities has a quarter of a megabyte."""
_LEAST_RSA_BITS: Final = 2048
_RENEWED_BEFORE: Final = 6
"""A certificate that is renewed by itself never has less than a sixth of its time left: ACME clients renew it
when a third is left, or half of some days."""
_SOON: Final = timedelta(days=14)
_NO_CLIENT: Final = "clients will refuse the connection"
_NO_NATIVE: Final = "no certificate that it signed is accepted"
_CURVES: Final = ("secp256r1", "secp384r1", "secp521r1")
# BoringSSL finds a block only at the beginning of a line, so not behind a byte order mark. A block ends
# before the next five hyphens, so that a file of a million beginnings is read once.
_BODY: Final = rb"-----(?:[^-]|-(?!----))*-----END (?P=label)-----"
_CERTIFICATE: Final = re.compile(rb"(?m)^-----BEGIN (?P<label>(?:X509 |TRUSTED )?CERTIFICATE)" + _BODY)
_BEGIN: Final = re.compile(rb"(?m)^-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----")
_KEY: Final = re.compile(rb"(?m)^-----BEGIN (?P<label>(?:[A-Z]+ )?PRIVATE KEY)" + _BODY)
_ENCRYPTED: Final = re.compile(rb"(?m)-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED")


@dataclass(frozen=True, slots=True)
class LoadedFiles:
    """What the files of a pair, or of authorities, contain; nothing but ``problems`` if there is an error."""

    problems: tuple[Diagnostic, ...]
    certificates: bytes = field(default=b"", repr=False)
    """The blocks that were checked, without what is around them."""
    key: bytes = field(default=b"", repr=False)
    names: tuple[str, ...] = ()
    """Of a pair, the names and addresses for which its certificate holds."""
    not_before: datetime | None = None
    not_after: datetime | None = None
    """Of authorities, when the last one expires: an old one stays beside its successor."""

    @property
    def usable(self) -> bool:
        """Whether Envoy accepts them, expired or not."""
        return not any(one.severity is Severity.ERROR for one in self.problems)

    def is_valid(self, now: datetime) -> bool:
        """Whether clients accept them at that time."""
        return (
            self.not_before is not None
            and self.not_after is not None
            and (self.not_before <= now <= self.not_after)
        )


def load_pair(tls: Tls, place: Place) -> LoadedFiles:
    """A certificate and its key; ``place`` is where they are named."""
    certificate, key = place.at("certificate"), place.at("key")
    chain = _load_certificates(tls.certificate, certificate)
    private = _load_key(tls.key, key)
    if isinstance(chain, Diagnostic) or isinstance(private, Diagnostic):
        return LoadedFiles(tuple(one for one in (chain, private) if isinstance(one, Diagnostic)))
    first = chain.loaded[0]
    weak = _unsupported(first, tls.certificate, certificate)
    if weak is not None:
        return LoadedFiles((weak,))
    holders = [
        number for number, one in enumerate(chain.loaded, 1) if _same_key(one.public_key(), private.public)
    ]
    if holders[:1] != [1]:
        return LoadedFiles((_mismatch(tls.key, key, holders),))
    problems = (
        *_find_expired(chain.loaded, tls.certificate, certificate),
        *_find_readers(tls.key, key),
    )
    return LoadedFiles(
        problems,
        chain.blocks,
        private.block,
        _names(first),
        first.not_valid_before_utc,
        first.not_valid_after_utc,
    )


def load_authorities(path: str, place: Place) -> LoadedFiles:
    """The authorities in the file that ``native_ca`` below ``place`` names."""
    found = _load_certificates(path, place.at("native_ca"))
    if isinstance(found, Diagnostic):
        return LoadedFiles((found,))
    last = max(found.loaded, key=lambda one: one.not_valid_after_utc)
    problems = (
        _find_expired([last], path, place.at("native_ca"), _NO_NATIVE) if len(found.loaded) == 1 else ()
    )
    return LoadedFiles(
        tuple(problems),
        found.blocks,
        not_before=min(one.not_valid_before_utc for one in found.loaded),
        not_after=last.not_valid_after_utc,
    )


def _read(path: str, place: Place) -> bytes | Diagnostic:
    try:
        # Opening a pipe or a device may block or have an effect, so they are not opened.
        reason = _unsuitable(os.stat(path))  # noqa: PTH116 - a Path would drop what makes the path invalid
        if reason is None:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
            with os.fdopen(descriptor, "rb") as file:
                # It may be another file by now.
                reason = _unsuitable(os.fstat(descriptor))
                if reason is None:
                    return file.read(_MOST_BYTES)
    except OSError as error:
        reason = error.strerror or str(error)
    except ValueError:
        reason = "the path contains a null character"
    return Diagnostic(
        code="tls-file-unreadable",
        message=f"cannot read the file: {reason}",
        remedy="Write the path of a PEM file that the user of the gateway may read",
        found=path,
        place=place,
    )


def _unsuitable(status: os.stat_result) -> str | None:
    if stat.S_ISDIR(status.st_mode):
        return "it is a directory"
    if not stat.S_ISREG(status.st_mode):
        return "it is not a regular file"
    if status.st_size > _MOST_BYTES:
        return f"it has more than {_MOST_BYTES >> 20} MiB"
    return None if status.st_size else "it is empty"


class _Certificates(NamedTuple):
    loaded: list[x509.Certificate]
    blocks: bytes


class _Key(NamedTuple):
    public: PublicKeyTypes
    block: bytes


def _load_certificates(path: str, place: Place) -> _Certificates | Diagnostic:
    """All certificates of the file, at least one."""
    data = _read(path, place)
    if isinstance(data, Diagnostic):
        return data
    blocks = [found[0] for found in _CERTIFICATE.finditer(data)]
    if not blocks:
        return _certificate_invalid(path, place, "no PEM certificate found", _instead_of_certificate(data))
    if len(_BEGIN.findall(data)) > len(blocks):
        # Also a file that is just being written.
        remedy = "Export the certificate again"
        return _certificate_invalid(path, place, "the file ends within a certificate", remedy)
    loaded = []
    for number, block in enumerate(blocks, 1):
        try:
            one = x509.load_pem_x509_certificate(block)
            one.public_key()
        except (ValueError, UnsupportedAlgorithm):
            which = f"certificate {number} of {len(blocks)} is malformed"
            return _certificate_invalid(path, place, which, "Export the certificate again")
        loaded.append(one)
    return _Certificates(loaded, b"\n".join([*blocks, b""]))


def _certificate_invalid(path: str, place: Place, message: str, remedy: str) -> Diagnostic:
    return Diagnostic("tls-certificate-invalid", message, remedy, place, path)


def _instead_of_certificate(data: bytes) -> str:
    if _KEY.search(data):
        return "Write the path of the certificate; this file contains a private key"
    if data[:1] == b"\x30":
        return "Convert the file from DER to PEM: openssl x509 -inform der -in FILE -out FILE.pem"
    return "A PEM certificate begins with the line -----BEGIN CERTIFICATE-----"


def _load_key(path: str, place: Place) -> _Key | Diagnostic:
    """The private key in the file."""
    data = _read(path, place)
    if isinstance(data, Diagnostic):
        return data
    if _ENCRYPTED.search(data):
        remedy = "Decrypt the key: openssl pkey -in FILE -out FILE.key; restrict who may read the result"
        return _key_invalid(
            path, place, "the private key is encrypted, and Envoy has no password for it", remedy
        )
    block = _KEY.search(data)
    if block is None:
        remedy = "A PEM key begins with the line -----BEGIN PRIVATE KEY-----"
        if _CERTIFICATE.search(data):
            remedy = "Write the path of the private key; this file contains a certificate"
        return _key_invalid(path, place, "no PEM private key found", remedy)
    try:
        return _Key(load_pem_private_key(block[0], None).public_key(), block[0] + b"\n")
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return _key_invalid(path, place, "the private key is malformed", "Export the key again")


def _key_invalid(path: str, place: Place, message: str, remedy: str) -> Diagnostic:
    return Diagnostic("tls-key-invalid", message, remedy, place, path)


def _unsupported(certificate: x509.Certificate, path: str, place: Place) -> Diagnostic | None:
    """Why Envoy does not serve a certificate with this kind of key, or None."""
    match certificate.public_key():
        case rsa.RSAPublicKey(key_size=bits):
            reason = f"an RSA key of {bits} bits" if bits < _LEAST_RSA_BITS else ""
        case ec.EllipticCurvePublicKey(curve=curve):
            reason = "" if curve.name in _CURVES else f"a key on the curve {curve.name}"
        case ed25519.Ed25519PublicKey():
            reason = ""
        case _:
            reason = "a key of another kind"
    if not reason:
        return None
    remedy = f"Use RSA with at least {_LEAST_RSA_BITS} bits, or ECDSA on P-256, P-384 or P-521"
    return _certificate_invalid(path, place, f"the certificate has {reason}, which Envoy refuses", remedy)


def _same_key(one: PublicKeyTypes, other: PublicKeyTypes) -> bool:
    form = (Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return one.public_bytes(*form) == other.public_bytes(*form)


def _mismatch(path: str, place: Place, holders: list[int]) -> Diagnostic:
    remedy = "Write the paths of a certificate and of its own key"
    if holders:
        remedy = f"Put certificate {holders[0]} first in its file; those that signed it follow"
    message = "the private key does not belong to the first certificate"
    return Diagnostic("tls-key-mismatch", message, remedy, place, path)


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    """The names and addresses for which it holds; without any, its subject."""
    with suppress(x509.ExtensionNotFound, ValueError, x509.UnsupportedGeneralNameType):
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = found.get_values_for_type(x509.DNSName)
        return (*names, *map(str, found.get_values_for_type(x509.IPAddress)))
    with suppress(ValueError):
        return (certificate.subject.rfc4514_string(),)
    return ()


def _find_expired(
    chain: list[x509.Certificate], path: str, place: Place, consequence: str = _NO_CLIENT
) -> Iterator[Diagnostic]:
    now = datetime.now(UTC)
    for number, one in enumerate(chain, 1):
        since, until = one.not_valid_before_utc, one.not_valid_after_utc
        which = f"certificate {number} of {len(chain)}"
        if now > until:
            code = "tls-certificate-expired"
            message = f"{which} expired on {until:%Y-%m-%d}; {consequence}"
            remedy = "Replace the certificate"
        elif now < since:
            code = "tls-certificate-not-valid-yet"
            message = f"{which} is not valid before {since:%Y-%m-%d}; {consequence}"
            remedy = "Check the clock, or use a certificate that is valid"
        elif number == 1 and until - now < min((until - since) / _RENEWED_BEFORE, _SOON):
            code = "tls-certificate-expires-soon"
            message = f"{which} expires at {until:%Y-%m-%d %H:%M} UTC and has not been renewed"
            remedy = "See why the renewal failed"
        else:
            continue
        yield Diagnostic(code, message, remedy, place, path, Severity.WARNING)


def _find_readers(path: str, place: Place) -> Iterator[Diagnostic]:
    """A warning if every user of the machine can read the key."""
    with suppress(OSError, ValueError):
        file = Path(path).resolve(strict=True)
        if file.stat().st_mode & stat.S_IROTH and all(
            folder.stat().st_mode & stat.S_IXOTH for folder in file.parents
        ):
            yield Diagnostic(
                "tls-key-readable",
                "every user of the machine can read the private key",
                f"Restrict it: chmod o-r {file}",
                place,
                path,
                Severity.WARNING,
            )
