"""What of a request its decision depends on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from crossgate.policy import names

OPTIONS: Final = "OPTIONS"


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the policy sees it: header values as received, several lines joined by commas.

    Joining makes two ``Origin`` lines one value that is no origin, and two request methods one that is no
    token. An absent header is the empty text, since an empty line counts as none, also among others.
    """

    method: str
    origin: str = ""
    request_method: str = ""
    request_headers: str = ""
    host: str = ""
    content_type: str = ""
    path: str = ""
    """As sent, with or without a query; empty where paths are not judged, as in the middleware."""

    def header(self, name: str) -> str:
        """The value of one of the headers that CORS reads, by its name."""
        match name:
            case names.ORIGIN:
                return self.origin
            case names.REQUEST_METHOD:
                return self.request_method
            case names.REQUEST_HEADERS:
                return self.request_headers
            case _:
                raise ValueError(name)

    @classmethod
    def of(cls, method: str, headers: Iterable[tuple[str, str]]) -> Request:
        """Read from header lines; names in any case, values without the blanks around them."""
        found: dict[str, list[str]] = {}
        for name, value in headers:
            if value:
                found.setdefault(name.lower(), []).append(value)
        return cls(
            method,
            *(
                ",".join(found.get(name, ()))
                for name in (
                    "origin",
                    "access-control-request-method",
                    "access-control-request-headers",
                    "host",
                    "content-type",
                )
            ),
        )
