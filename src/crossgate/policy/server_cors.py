"""Server-level CORS: one policy above all APIs, with the settings of the reference product's server.

It is enforced before any API is looked up. Unlike an API's policy it checks the method of every CORS request,
has headers that are always supported, and refuses with 403 only. The settings under ``watt.server.cors.`` are
named and written as that server has them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from crossgate.diagnostics import Diagnostic, Place
from crossgate.policy.cors_policy import MAX_AGE_LIMIT
from crossgate.policy.header_list import HeaderNames
from crossgate.policy.names import ANY, is_forbidden_method, is_token
from crossgate.policy.origin_pattern import OriginPattern, parse_origin_pattern
from crossgate.policy.origin_set import OriginSet
from crossgate.policy.same_origin import SameOrigin
from crossgate.record import AsIs, Field, Record

DEFAULT_METHODS: Final = ("OPTIONS", "HEAD", "GET", "POST", "PUT", "PATCH", "DELETE")
ALWAYS_SUPPORTED: Final = ("Accept", "Accept-Language")
CONTENT_TYPE: Final = "content-type"
SIMPLE_CONTENT_TYPES: Final = (
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "text/plain",
)
"""Fetch, CORS-safelisted request-header: a Content-Type of these needs no preflight."""


@dataclass(frozen=True, slots=True)
class ServerPolicy:
    """The settings under ``watt.server.cors.``, valid; :func:`read_server_policy` reads them."""

    allowed_origins: tuple[OriginPattern, ...]
    supported_methods: tuple[str, ...] = DEFAULT_METHODS
    supported_headers: tuple[str, ...] = ()
    exposed_headers: tuple[str, ...] = ()
    host: str = ""
    max_age: int = -1
    """Seconds; below 0 nothing is sent."""
    supports_credentials: bool = False
    public_origins: frozenset[str] = frozenset()
    same_origin: SameOrigin = SameOrigin.DETECT

    origins: OriginSet = field(init=False, repr=False, compare=False)
    header_names: HeaderNames = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "origins", OriginSet.of(self.allowed_origins))
        object.__setattr__(self, "header_names", HeaderNames((*self.supported_headers, *ALWAYS_SUPPORTED)))

    def admits_content_type(self, value: str) -> bool:
        """Whether a form can send the media type, or there is none, or ``Content-Type`` is supported."""
        media_type = value.partition(";")[0].strip(" \t").lower()
        return media_type in ("", *SIMPLE_CONTENT_TYPES) or self.header_names.admit(CONTENT_TYPE)


PREFIX: Final = "watt.server.cors."

_WORDS: Final = AsIs({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]})
_SWITCH: Final = AsIs({"anyOf": [{"type": "boolean"}, {"type": "string", "enum": ["true", "false"]}]})


def _setting(name: str, kind: AsIs, doc: str, default: object, default_doc: str = "") -> Field:
    return Field(PREFIX + name, kind, doc, default, default_doc)


SETTINGS: Final[Record[Any]] = Record(
    "SettingsEntry",
    "Server-level CORS, with the names and values of the reference product's server. While it is enabled, it "
    "is enforced on every request and no API's policy is.",
    dict,
    (
        _setting("enabled", _SWITCH, "True or false.", default=False),
        _setting(
            "allowedOrigins",
            _WORDS,
            "Origins, separated by commas or spaces, or a list; `r:` before a regular expression; `*` for "
            "all, not with credentials; `file:<path>` for a file with one a line, below the document's "
            "folder. Required while enabled.",
            default="",
        ),
        _setting(
            "supportedMethods",
            _WORDS,
            "Methods, separated likewise.",
            default="",
            default_doc="OPTIONS, HEAD, GET, POST, PUT, PATCH, DELETE",
        ),
        _setting(
            "supportedHeaders",
            _WORDS,
            "Request headers; Accept, Accept-Language and a form, multipart or plain Content-Type are always "
            "allowed.",
            default="",
        ),
        _setting("exposedHeaders", _WORDS, "Response headers that scripts may read.", default=""),
        _setting(
            "host",
            AsIs({"type": "string"}),
            "The value that the `Host` header must have, port included.",
            default="",
            default_doc="any",
        ),
        _setting(
            "maxAge",
            AsIs({"anyOf": [{"type": "integer"}, {"type": "string"}]}),
            "Seconds for which a browser may cache the response to a preflight; -1 sends nothing.",
            default=-1,
        ),
        _setting(
            "supportsCredentials",
            _SWITCH,
            "True or false; not with the origin `*`.",
            default=False,
        ),
    ),
    {
        "origins": PREFIX + "allowedOrigins",
        "allowedOrigins": PREFIX + "allowedOrigins",
        "allowedMethods": PREFIX + "supportedMethods",
        "supportedMethods": PREFIX + "supportedMethods",
        "allowHeaders": PREFIX + "supportedHeaders",
        "allowedHeaders": PREFIX + "supportedHeaders",
        "supportedHeaders": PREFIX + "supportedHeaders",
        "exposeHeaders": PREFIX + "exposedHeaders",
        "exposedHeaders": PREFIX + "exposedHeaders",
        "host": PREFIX + "host",
        "maxAge": PREFIX + "maxAge",
        "allowCredentials": PREFIX + "supportsCredentials",
        "supportsCredentials": PREFIX + "supportsCredentials",
        "enabled": PREFIX + "enabled",
    },
)
"""The settings. Their values are kept as they were written: :func:`read_server_policy` reads them."""

NAMES: Final = tuple(field.name.removeprefix(PREFIX) for field in SETTINGS.fields)

_FILE: Final = "file:"
_FILE_ORIGIN: Final = re.compile(r"file://(?:[,\s]|$)")
"""The origin ``file://`` as the first of several, not the path of a file with origins."""
_LINES_NAMED: Final = 10
"""Of those in a file that are invalid."""

ReadLines = Callable[[str], "list[str] | Diagnostic"]
"""Reads the lines of the file of ``file:<path>``, or returns why it cannot."""


def read_server_policy(
    settings: Mapping[str, object], read_lines: ReadLines
) -> tuple[ServerPolicy | None, list[Diagnostic]]:
    """The policy, None unless it is enabled; and every error in the settings.

    Invalid settings are errors even if server-level CORS is not enabled.
    """
    policy, enabled, diagnostics = read_configured_policy(settings, read_lines)
    return (policy if enabled else None), diagnostics


def read_configured_policy(
    settings: Mapping[str, object], read_lines: ReadLines
) -> tuple[ServerPolicy, bool, list[Diagnostic]]:
    """The policy, whether it is enabled, and every error in the settings."""
    reader = _Settings(settings, read_lines)
    enabled = reader.boolean("enabled")
    policy = ServerPolicy(
        allowed_origins=reader.origins(required=enabled),
        supported_methods=reader.words("supportedMethods", _refuse_method) or DEFAULT_METHODS,
        supported_headers=reader.words("supportedHeaders", _refuse_wildcard_header),
        exposed_headers=reader.words("exposedHeaders", _refuse_header),
        host=reader.text("host"),
        max_age=reader.seconds("maxAge"),
        supports_credentials=reader.boolean("supportsCredentials"),
    )
    if policy.supports_credentials and policy.origins.any_origin:
        reader.add_error(
            "allowedOrigins", "the origin * cannot be allowed with credentials", "*", "Name the origins"
        )
    if policy.supports_credentials and ANY in policy.exposed_headers:
        reader.add_error(
            "exposedHeaders",
            "with credentials, browsers read * as a literal name",
            "*",
            "Name the headers",
        )
    return policy, enabled, reader.diagnostics


def _refuse_method(word: str) -> str | None:
    if word == ANY:
        return "has no meaning here; name the methods"
    if not is_token(word):
        return "is not a method"
    return (
        "is a method that scripts cannot send (Fetch, forbidden method)"
        if is_forbidden_method(word)
        else None
    )


def _refuse_header(word: str) -> str | None:
    return None if is_token(word) else "is not a header name"


def _refuse_wildcard_header(word: str) -> str | None:
    """``*`` has no meaning in these settings; with credentials, browsers would read it as a literal name."""
    return "has no meaning here; name the headers" if word == ANY else _refuse_header(word)


def _parse_word(word: str) -> OriginPattern | Diagnostic:
    parsed = parse_origin_pattern({"regex": word.removeprefix("r:")} if word.startswith("r:") else word)
    if isinstance(parsed, Diagnostic):
        # A setting has no mappings: its notation of an expression is r:, without quotes.
        return replace(parsed, remedy=_MAPPING.sub(r"r:\1", parsed.remedy))
    return parsed


_MAPPING: Final = re.compile(r"\{regex: '(.*)'\}")


class _Settings:
    """Reads the settings and collects all errors."""

    def __init__(self, settings: Mapping[str, object], read_lines: ReadLines) -> None:
        self._settings = settings
        self._read_lines = read_lines
        self.diagnostics: list[Diagnostic] = []
        for name in settings:
            if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in NAMES:
                known = ", ".join(PREFIX + known for known in NAMES)
                self._add(name, "unknown setting", name, f"The settings are {known}")

    def add_error(self, name: str, message: str, found: object, remedy: str) -> None:
        self._add(PREFIX + name, message, str(found), remedy)

    def text(self, name: str) -> str:
        value = self._get(name, "")
        if isinstance(value, str):
            return value
        self.add_error(name, f"{PREFIX}{name} must be a string", value, "Write a string")
        return ""

    def boolean(self, name: str) -> bool:
        value = self._get(name, default=False)
        if isinstance(value, bool):
            return value
        if value in ("true", "false"):
            return value == "true"
        self.add_error(name, f"{PREFIX}{name} must be true or false", value, "Write true or false")
        return False

    def seconds(self, name: str) -> int:
        value = self._get(name, -1)
        if isinstance(value, str) and re.fullmatch(r"-1|[0-9]{1,10}", value):
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and -1 <= value <= MAX_AGE_LIMIT:
            return value
        self.add_error(
            name,
            f"{PREFIX}{name} must be a whole number of seconds from -1 to {MAX_AGE_LIMIT}",
            value,
            "Write the seconds for which browsers may cache a preflight response, or -1 to send nothing",
        )
        return -1

    def words(self, name: str, refuse: Callable[[str], str | None]) -> tuple[str, ...]:
        words = self._words(name)
        for word in words:
            reason = refuse(word)
            if reason is not None:
                self.add_error(name, f"{PREFIX}{name}: {word} {reason}", word, "Remove or correct it")
        return tuple(words)

    def origins(self, *, required: bool) -> tuple[OriginPattern, ...]:
        name = "allowedOrigins"
        known = len(self.diagnostics)
        value = self._get(name, "")
        if isinstance(value, str) and value.startswith(_FILE) and not _FILE_ORIGIN.match(value):
            patterns = self._origins_of_file(name, value)
        else:
            patterns = []
            for word in self._words(name):
                parsed = _parse_word(word)
                if isinstance(parsed, Diagnostic):
                    self.add_error(name, parsed.message, parsed.found, parsed.remedy)
                else:
                    patterns.append(parsed)
        if required and not patterns and len(self.diagnostics) == known:
            self.add_error(
                name,
                f"{PREFIX}enabled is true, but {PREFIX}{name} names no origin",
                "nothing",
                "Name the allowed origins, or * for all",
            )
        return tuple(patterns)

    def _origins_of_file(self, name: str, value: str) -> list[OriginPattern]:
        lines = self._read_lines(value.removeprefix(_FILE))
        if isinstance(lines, Diagnostic):
            self.add_error(name, lines.message, lines.found, lines.remedy)
            return []
        parsed = {at: _parse_word(line.strip()) for at, line in enumerate(lines, 1) if line.strip()}
        invalid = [str(at) for at, one in parsed.items() if isinstance(one, Diagnostic)]
        if invalid:
            # Without the lines: it may be a file that was not meant to be shown.
            count = len(invalid) - _LINES_NAMED
            more = f" and {count} more" if count > 0 else ""
            what = (
                f"line {invalid[0]} is"
                if len(invalid) == 1
                else f"lines {', '.join(invalid[:_LINES_NAMED])}{more} are"
            )
            self.add_error(
                name,
                f"{what} not valid as an origin",
                value,
                "Write one origin a line: scheme://host[:port], *, or r: and a regular expression of RE2",
            )
        return [one for one in parsed.values() if not isinstance(one, Diagnostic)]

    def _words(self, name: str) -> list[str]:
        value = self._get(name, "")
        if isinstance(value, str):
            return [word for word in re.split(r"[,\s]+", value) if word]
        if isinstance(value, list | tuple) and all(isinstance(word, str) for word in value):
            return [word for word in value if word]
        self.add_error(
            name,
            f"{PREFIX}{name} must be a string or a list of strings",
            value,
            "Separate the values by commas or spaces, or write a list",
        )
        return []

    def _get(self, name: str, default: object) -> object:
        value = self._settings.get(PREFIX + name)
        return default if value is None else value

    def _add(self, setting: str, message: str, found: str, remedy: str) -> None:
        self.diagnostics.append(
            Diagnostic(
                code="server-setting", message=message, found=found, remedy=remedy, place=Place((setting,))
            )
        )
