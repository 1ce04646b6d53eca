r"""The path rules of native services: which resource a service serves for the target that it received.

Each rule is a function of one request target. It returns the path of the resource, or None if the service
refuses the request. The rules are those of the servers' sources and documents, at their most permissive:

- Slashes are merged before dot segments are removed, which only brings a parent directory nearer.
- A path that climbs above the root stays there; several servers refuse it.
- A string stands for bytes, as Latin-1: dots and slashes are the same in every encoding in use.

Rules for decoders that no maintained server has are left out: overlong UTF-8 (``%c0%ae``) and the
best-fit mapping of full-width dots (``%ef%bc%8e``).
"""

from __future__ import annotations

import ntpath
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Final
from urllib.parse import unquote, urlparse, urlsplit

NativeRule = Callable[[str], str | None]

_PARAMETERS: Final = re.compile(r";[^/]*")
_UNICODE_ESCAPE: Final = re.compile(r"%(?:[uU]([0-9A-Fa-f]{4})|([0-9A-Fa-f]{2}))")
_ENDS_OF_PATH: Final = re.compile(r"[?#\0]")
_DOT_SEGMENT: Final = re.compile(
    r"[/\\][\x00-\x0f]*(?:\.|%[\x00-\x0f]?2[\x00-\x0f]?e){1,2}(?:[/\\;?#\x00-\x1f]| *$)", re.IGNORECASE
)
_INVALID_ESCAPE: Final = re.compile(r"%(?![0-9A-Fa-f]{2})")
_ESCAPED_SEPARATOR: Final = re.compile(r"%(?:2[Ff]|5[Cc])")
_ESCAPED_DOT: Final = re.compile(r"%2[Ee]")
_CONTROL_OR_SPACE: Final = "".join(map(chr, range(0x21)))
_IN_URL: Final = str.maketrans("", "", "\t\r\n")


def tomcat(target: str) -> str | None:
    """Apache Tomcat 10.1 with its defaults: ``CoyoteAdapter.postParseRequest``.

    ``parsePathParameters`` cuts parameters off, ``UDecoder`` decodes, ``normalize`` resolves. The response to
    an escaped slash (``encodedSolidusHandling``) or backslash (``allowBackslash``) is 400.
    """
    path = _without_parameters(_path_of(target))
    refused = "\\" in target or _ESCAPED_SEPARATOR.search(path)
    return None if refused else _resolve(_decode(path))


def tomcat_permissive(target: str) -> str:
    """Tomcat with ``allowBackslash="true"`` and ``encodedSolidusHandling="decode"``."""
    return _resolve(_slashes(_decode(_without_parameters(_path_of(target)))))


def jetty(target: str) -> str:
    """Eclipse Jetty 9.4, ``HttpCompliance.LEGACY``: ``URIUtil.canonicalPath(URIUtil.decodePath(path))``.

    ``decodePath`` cuts parameters off, and decodes ``%2e`` and ``%u002e`` in the same pass.
    """
    return _resolve(_decode_unicode(_without_parameters(_path_of(target))))


def spring(target: str) -> str:
    """Spring Framework before ``PathPattern``: ``UrlPathHelper`` and ``ResourceHttpRequestHandler``.

    ``removeSemicolonContent``, ``decodeRequestString``, and for static resources ``processPath`` (a backslash
    is a slash) and a second decoding (``isInvalidEncodedPath``, CVE-2014-3625).
    """
    return _resolve(_slashes(_decode(_decode(_without_parameters(_path_of(target))))))


def http_sys(target: str) -> str:
    """IIS: ``http.sys`` decodes once, ``%uXXXX`` too (``PercentUAllowed``), and reads ``\\`` as a slash."""
    return _resolve(_slashes(_decode_unicode(_path_of(target))))


def iis_double_escaping(target: str) -> str:
    """IIS with ``<requestFiltering allowDoubleEscaping="true">``, and an application that decodes again."""
    return _resolve(_slashes(_decode_unicode(_decode_unicode(_path_of(target)))))


def kestrel(target: str) -> str:
    """ASP.NET Core: Kestrel's ``PathNormalizer`` decodes all but ``%2f``, then removes dot segments."""
    path = re.sub(r"%2[Ff]", "%252F", _path_of(target))
    return _resolve(_decode(path))


def nginx(target: str) -> str:
    """Nginx: ``ngx_http_parse_complex_uri`` decodes once, ``%2f`` too, and merges slashes as it resolves."""
    return _resolve(_decode(_path_of(target)))


def apache(target: str) -> str:
    """Apache httpd with ``AllowEncodedSlashes On``: ``ap_unescape_url``, then ``ap_getparents``."""
    return _resolve(_decode(_path_of(target)))


def apache_on_windows(target: str) -> str:
    """Apache httpd on Windows: as above, and ``ap_no2slash`` and the file system take ``\\`` for a slash."""
    return _resolve(_slashes(_decode(_path_of(target))))


def apache_2_4_50(target: str) -> str:
    """Apache httpd 2.4.49 and 2.4.50, which decode ``%%32%65`` twice: CVE-2021-41773, CVE-2021-42013."""
    return _resolve(_decode(_decode(_path_of(target))))


def apache_servlet_mapping(target: str) -> str:
    """Apache httpd with ``ProxyPass … mapping=servlet``: ``AP_NORMALIZE_DROP_PARAMETERS`` after decoding."""
    return _resolve(_without_parameters(_decode(_path_of(target))))


def node_url(target: str) -> str | None:
    """Node.js, ``decodeURIComponent(new URL(request.url, base).pathname)``.

    https://url.spec.whatwg.org/#path-state: ``\\`` is a slash, and ``%2e`` is a dot in a dot segment.
    """
    path = _decode_strictly(_whatwg_pathname(target))
    return None if path is None else _resolve(path)


def node_send(target: str) -> str | None:
    """Express ``static``, module ``send``: ``decodeURIComponent``, then ``path.normalize``."""
    path = _decode_strictly(_path_of(target))
    return None if path is None else _resolve(path)


def node_send_on_windows(target: str) -> str | None:
    """The same on Windows, where ``path.normalize`` is ``path.win32.normalize``."""
    path = _decode_strictly(_path_of(target))
    return None if path is None else _slashes(ntpath.normpath(path))


def node_decoded_url(target: str) -> str | None:
    """Node.js, ``new URL(decodeURIComponent(request.url), base).pathname``: decoded before it is parsed.

    The parser removes tabs and line breaks anywhere, and spaces at the end.
    """
    url = _decode_strictly(target)
    return None if url is None else _whatwg_pathname(url)


def python_wsgi(target: str) -> str:
    """WSGI (PEP 3333): the server unquotes ``PATH_INFO``, the application calls ``posixpath.normpath``."""
    return posixpath.normpath(unquote(_path_of(target), "latin-1"))


def python_unquotes_again(target: str) -> str:
    """A WSGI application that unquotes ``PATH_INFO``, which the server has unquoted."""
    return posixpath.normpath(unquote(unquote(_path_of(target), "latin-1"), "latin-1"))


def python_urlsplit(target: str) -> str:
    """Python, ``urlsplit(unquote(target)).path``: ``urlsplit`` removes tabs and line breaks."""
    return posixpath.normpath(urlsplit(f"http://native{unquote(target, 'latin-1')}").path)


def python_urlparse(target: str) -> str:
    """Python, ``urlparse(unquote(target)).path``: ``urlparse`` cuts the last segment's parameters off."""
    return posixpath.normpath(urlparse(f"http://native{unquote(target, 'latin-1')}").path)


def go_servemux(target: str) -> str | None:
    """Go ``net/http``: ``url.ParseRequestURI`` decodes once and refuses bad escapes; ``path.Clean``."""
    path = _decode_strictly(_path_of(target))
    return None if path is None else posixpath.normpath(path)


def go_unescapes_again(target: str) -> str | None:
    """Go: a handler that calls ``url.PathUnescape`` on ``URL.Path``, which was decoded."""
    once = _decode_strictly(_path_of(target))
    twice = None if once is None else _decode_strictly(once)
    return None if twice is None else posixpath.normpath(twice)


def worst(decodings: int, cuts: tuple[int, ...], target: str) -> str:
    """The worst imaginable service; ``cuts`` are the decodings after which it cuts parameters off.

    It decodes ``%u002e``, takes ``\\`` for a slash, and lets ``?``, ``#`` and NUL end the path at any time.
    """
    return _resolve(_worst_reading(decodings, cuts, target))


_SERVERS: Final = (
    tomcat,
    tomcat_permissive,
    jetty,
    spring,
    http_sys,
    iis_double_escaping,
    kestrel,
    nginx,
    apache,
    apache_on_windows,
    apache_2_4_50,
    apache_servlet_mapping,
    node_url,
    node_send,
    node_send_on_windows,
    node_decoded_url,
    python_wsgi,
    python_unquotes_again,
    python_urlsplit,
    python_urlparse,
    go_servemux,
    go_unescapes_again,
)
_WORST: Final = tuple(
    (decodings, cuts)
    for decodings in (1, 2, 3)
    for cuts in ((), *((cut,) for cut in range(decodings + 1)), tuple(range(decodings + 1)))
)

NATIVE_RULES: Final[Mapping[str, NativeRule]] = {rule.__name__: rule for rule in _SERVERS} | {
    f"worst, {decodings} decodings, cuts after {cuts}": partial(worst, decodings, cuts)
    for decodings, cuts in _WORST
}
"""Every rule, by a name for messages."""


def rules_that_leave(base: str, target: str) -> Iterator[str]:
    """The names of the rules by which the target's resource is neither ``base`` nor below it."""
    return (name for name, rule in NATIVE_RULES.items() if not _is_below(base, rule(target)))


def leaves(base: str, target: str) -> bool:
    """Whether by any rule the target's resource is neither ``base`` nor below it."""
    return next(rules_that_leave(base, target), None) is not None


def has_dot_segment(target: str) -> bool:
    """Whether the target's path has a dot segment after any number of decodings, wherever that leads.

    Decoded, ``?``, ``#`` and NUL end a segment, and so do the characters that URL parsers remove.
    """
    path = _path_of(target)
    while True:
        if _DOT_SEGMENT.search(path):
            return True
        decoded = _decode_unicode(path)
        if decoded == path:
            return False
        path = decoded


def _worst_reading(decodings: int, cuts: tuple[int, ...], target: str) -> str:
    path = _path_of(target)
    for decoded in range(decodings + 1):
        if decoded:
            path = _ENDS_OF_PATH.split(_decode_unicode(path), maxsplit=1)[0]
        path = _slashes(path)
        if decoded in cuts:
            path = _without_parameters(path)
    return path


def _is_below(base: str, resource: str | None) -> bool:
    return resource is None or resource == base or resource.startswith(f"{base}/")


def _path_of(target: str) -> str:
    return target.partition("?")[0]


def _without_parameters(path: str) -> str:
    return _PARAMETERS.sub("", path)


def _decode(path: str) -> str:
    return unquote(path, "latin-1")


def _decode_strictly(path: str) -> str | None:
    return None if _INVALID_ESCAPE.search(path) else _decode(path)


def _decode_unicode(path: str) -> str:
    return _UNICODE_ESCAPE.sub(lambda found: chr(int(found[1] or found[2], 16)), path)


def _slashes(path: str) -> str:
    return path.replace("\\", "/")


def _resolve(path: str) -> str:
    """The path without empty segments and dot segments."""
    kept: list[str] = []
    for segment in path.split("/"):
        if segment == "..":
            del kept[-1:]
        elif segment not in {"", "."}:
            kept.append(segment)
    return "/" + "/".join(kept)


def _whatwg_pathname(url: str) -> str:
    path = _ENDS_OF_PATH.split(url.strip(_CONTROL_OR_SPACE).translate(_IN_URL), maxsplit=1)[0]
    segments = _slashes(path).split("/")
    dots = (_ESCAPED_DOT.sub(".", segment) for segment in segments)
    return _resolve(
        "/".join(dot if dot in {".", ".."} else raw for dot, raw in zip(dots, segments, strict=True))
    )
