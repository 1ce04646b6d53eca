"""The CORS policy of one API: raw values in, a value that is right by construction out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeVar

from crossgate.diagnostics import Diagnostic, InvalidInput, Place
from crossgate.policy.names import ANY, is_forbidden_method, is_token
from crossgate.policy.origin_pattern import OriginPattern, parse_origin_pattern, serialise_origin_pattern


class Mode(StrEnum):
    """Whether what the policy refuses is refused, or only recorded."""

    ENFORCE = "enforce"
    OBSERVE = "observe"


class PlainOptions(StrEnum):
    """What becomes of an OPTIONS request that is no preflight."""

    REFUSE = "refuse"
    FORWARD = "forward"


@dataclass(frozen=True, slots=True)
class CorsPolicy:
    """A valid policy. Build it with :func:`build_policy`; nothing is allowed that is not listed."""

    allowed_origins: tuple[OriginPattern, ...] = ()
    allowed_methods: tuple[str, ...] = ()
    """Case-sensitive, in configured order; ``*`` among them stands for every method."""
    allow_headers: tuple[str, ...] = ()
    """As configured, compared without case; ``*`` stands for every name but ``Authorization``."""
    expose_headers: tuple[str, ...] = ()
    allow_credentials: bool = False
    max_age: int | None = None
    """Seconds; None sends nothing."""
    plain_options: PlainOptions = PlainOptions.REFUSE
    mode: Mode = Mode.ENFORCE

    def to_dict(self) -> dict[str, object]:
        """The policy as :func:`build_policy` takes it; what is at its default is left out."""
        raw: dict[str, object] = {}
        if self.allowed_origins:
            raw["allowed_origins"] = [serialise_origin_pattern(pattern) for pattern in self.allowed_origins]
        for name in ("allowed_methods", "allow_headers", "expose_headers"):
            if getattr(self, name):
                raw[name] = list(getattr(self, name))
        if self.allow_credentials:
            raw["allow_credentials"] = True
        if self.max_age is not None:
            raw["max_age"] = self.max_age
        if self.plain_options is not PlainOptions.REFUSE:
            raw["plain_options"] = self.plain_options.value
        if self.mode is not Mode.ENFORCE:
            raw["mode"] = self.mode.value
        return raw


MAX_AGE_LIMIT: Final = 2**31 - 1

_FIELDS: Final = (
    "allowed_origins",
    "allowed_methods",
    "allow_headers",
    "expose_headers",
    "allow_credentials",
    "max_age",
    "plain_options",
    "mode",
)


def build_policy(
    *,
    allowed_origins: Sequence[object] = (),
    allowed_methods: Sequence[object] = (),
    allow_headers: Sequence[object] = (),
    expose_headers: Sequence[object] = (),
    allow_credentials: object = False,
    max_age: object = None,
    plain_options: object = PlainOptions.REFUSE,
    mode: object = Mode.ENFORCE,
) -> CorsPolicy:
    """The policy, if every part of it is valid.

    An origin is a text (``https://example.com``, ``https://*.example.com``, ``https://example.com:*``,
    ``*``, ``null``) or ``{"regex": text}``. ``max_age`` is in seconds.

    Raises:
        InvalidInput: with every error there is, each naming its place.

    """
    policy, diagnostics = read_policy(
        {
            "allowed_origins": allowed_origins,
            "allowed_methods": allowed_methods,
            "allow_headers": allow_headers,
            "expose_headers": expose_headers,
            "allow_credentials": allow_credentials,
            "max_age": max_age,
            "plain_options": plain_options,
            "mode": mode,
        }
    )
    if diagnostics:
        raise InvalidInput(diagnostics)
    return policy


def read_policy(raw: Mapping[str, object]) -> tuple[CorsPolicy, list[Diagnostic]]:
    """The policy and every error in ``raw``; the policy is of use only if there is no error."""
    reader = _Reader(raw)
    policy = CorsPolicy(
        allowed_origins=reader.each("allowed_origins", parse_origin_pattern),
        allowed_methods=reader.each("allowed_methods", _parse_method),
        allow_headers=reader.each("allow_headers", _parse_header_name),
        expose_headers=reader.each("expose_headers", _parse_header_name),
        allow_credentials=reader.boolean("allow_credentials"),
        max_age=reader.seconds("max_age"),
        plain_options=reader.choice("plain_options", PlainOptions, PlainOptions.REFUSE),
        mode=reader.choice("mode", Mode, Mode.ENFORCE),
    )
    return policy, [*reader.diagnostics, *reader.unknown(), *reader.contradictions()]


_STAR_WITH_CREDENTIALS: Final = {
    "allowed_origins": Diagnostic(
        code="origin-star-credentials",
        message="the origin * cannot be allowed with credentials",
        found=ANY,
        remedy="Name the origins that may send credentials, or set allow_credentials to false",
    ),
    "expose_headers": Diagnostic(
        code="expose-star-credentials",
        message="browsers take * literally among exposed headers when credentials are allowed",
        found=ANY,
        remedy="Name the headers to expose, or set allow_credentials to false",
    ),
}


def _parse_method(raw: object) -> str | Diagnostic:
    if not isinstance(raw, str) or not is_token(raw):
        return Diagnostic(
            code="method-invalid",
            message="a method is one token",
            found=repr(raw),
            remedy="Write one method an entry, for example GET",
        )
    if is_forbidden_method(raw):
        return Diagnostic(
            code="method-forbidden",
            message="no script can send this method (Fetch, forbidden method)",
            found=raw,
            remedy="Leave it out",
        )
    return raw


def _parse_header_name(raw: object) -> str | Diagnostic:
    if isinstance(raw, str) and is_token(raw):
        return raw
    return Diagnostic(
        code="header-invalid",
        message="a header name is one token",
        found=repr(raw),
        remedy="Write one header name an entry, for example Content-Type",
    )


_Value = TypeVar("_Value")
_Choice = TypeVar("_Choice", bound=StrEnum)


class _Reader:
    """Takes the properties out of raw values and keeps every complaint."""

    def __init__(self, raw: Mapping[str, object]) -> None:
        self._raw = raw
        self.diagnostics: list[Diagnostic] = []

    def each(self, name: str, parse: Callable[[object], _Value | Diagnostic]) -> tuple[_Value, ...]:
        entries = self._raw.get(name, ())
        if isinstance(entries, str | bytes) or not isinstance(entries, Sequence):
            self._complain(name, "must be a list", entries, "Write a list, with one entry for each")
            return ()
        values = []
        for index, entry in enumerate(entries):
            parsed = parse(entry)
            if isinstance(parsed, Diagnostic):
                self.diagnostics.append(parsed.within(name, index))
            else:
                values.append(parsed)
        return tuple(values)

    def boolean(self, name: str) -> bool:
        value = self._raw.get(name, False)
        if isinstance(value, bool):
            return value
        self._complain(name, "must be true or false", value, "Write true or false")
        return False

    def seconds(self, name: str) -> int | None:
        value = self._raw.get(name)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_AGE_LIMIT:
            return value
        self._complain(
            name,
            f"must be a whole number of seconds from 0 to {MAX_AGE_LIMIT}",
            value,
            "Write the seconds for which a browser may keep a preflight's answer, or leave it out",
        )
        return None

    def choice(self, name: str, choices: type[_Choice], default: _Choice) -> _Choice:
        value = self._raw.get(name, default)
        if value is default:
            return default
        if isinstance(value, str):
            with suppress(ValueError):
                return choices(value)
        known = ", ".join(choice.value for choice in choices)
        self._complain(name, f"must be one of {known}", value, f"Write one of {known}")
        return default

    def contradictions(self) -> Iterable[Diagnostic]:
        """Judged on the input, so that each complaint names the entry as it was written."""
        if self._raw.get("allow_credentials") is not True:
            return
        for name, diagnostic in _STAR_WITH_CREDENTIALS.items():
            entries = self._raw.get(name, ())
            if isinstance(entries, Sequence) and not isinstance(entries, str | bytes) and ANY in entries:
                for index, entry in enumerate(entries):
                    if entry == ANY:
                        yield diagnostic.within(name, index)

    def unknown(self) -> Iterable[Diagnostic]:
        for name in self._raw:
            if name not in _FIELDS:
                yield Diagnostic(
                    code="unknown-key",
                    message="a policy has no such property",
                    found=name,
                    remedy=f"The properties are {', '.join(_FIELDS)}",
                    place=Place((name,)),
                )

    def _complain(self, name: str, what: str, found: object, remedy: str) -> None:
        self.diagnostics.append(
            Diagnostic(
                code=f"{name.replace('_', '-')}-invalid",
                message=f"{name} {what}",
                found=repr(found),
                remedy=remedy,
                place=Place((name,)),
            )
        )
