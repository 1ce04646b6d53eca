"""Values that a request carried, made safe to read: controls and bidi marks as boxes, long values shortened.

An origin's end is where its domain stands, so a long value loses its middle.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Final

from markupsafe import Markup, escape

LONGEST: Final = 96
"""Characters that are shown whole."""
_HEAD, _TAIL = 60, 35
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""General categories whose characters are invisible, or change how others are shown.
https://www.unicode.org/reports/tr44/#General_Category_Values"""


def shown(value: object, *, marks: str = "", extra: tuple[tuple[int, int], ...] = ()) -> Markup:
    """A value in full, as HTML: escaped, isolated and monospaced; ``extra`` spans are marked as different.

    ``marks`` is another class for the element. Spans are half-open and count characters.
    """
    text = str(value)
    marked = "".join(
        f"<mark>{piece}</mark>" if inside else piece for inside, piece in _pieces(text, sorted(extra))
    )
    return Markup('<bdi class="origin{}" dir="ltr">{}</bdi>').format(
        f" {marks}" if marks else "",
        Markup(marked),  # noqa: S704 - escaped by _visible
    )


def shown_marked(value: object, spans: Iterable[Sequence[int]]) -> Markup:
    """As :func:`shown`, with the spans of the API's JSON marked."""
    return shown(value, extra=tuple((span[0], span[1]) for span in spans))


def mark_domain(sentence: str, domain: str | None) -> Markup:
    """A sentence of the API in which the domain is shown as an origin is."""
    before, found, after = sentence.partition(domain) if domain else (sentence, "", "")
    return Markup("{}{}{}").format(code_line(before), shown(found) if found else "", code_line(after))


def bold_domains(sentence: str, domains: Sequence[str]) -> Markup:
    """A sentence of the API with the domains in bold."""
    rest, parts = sentence, []
    for domain in domains:
        before, found, after = rest.partition(domain)
        if found:
            parts += [Markup("{}<b>{}</b>").format(code_line(before), domain)]
            rest = after
    return Markup("").join([*parts, code_line(rest)])


def shown_short(value: object) -> Markup:
    """As :func:`shown`; a long value without its middle, and with the whole behind a disclosure."""
    text = str(value)
    if len(text) <= LONGEST:
        return shown(text)
    size = len(text.encode("utf-8", "surrogatepass"))
    short = shown(f"{text[:_HEAD]}…{text[-_TAIL:]}")
    return Markup('{}<details class="whole-value"><summary>Show {:,} bytes</summary>{}</details>').format(
        short, size, shown(text)
    )


def shown_row(value: object) -> Markup:
    """As :func:`shown` for a row that is a link: a long value loses its middle, without a disclosure."""
    text = str(value)
    return shown(text if len(text) <= LONGEST else f"{text[:_HEAD]}…{text[-_TAIL:]}")


def code_line(value: object) -> Markup:
    """A line of code, in full: escaped, with hidden characters as boxes."""
    return Markup(_visible(str(value)))  # noqa: S704 - escaped by _visible


def plain(value: object) -> str:
    """A value for an attribute or a title: hidden characters as `U+202E`, shortened."""
    text = str(value)
    text = text if len(text) <= LONGEST else f"{text[:_HEAD]}…{text[-_TAIL:]}"
    return "".join(f"[U+{ord(one):04X}]" if _hidden(one) else one for one in text)


def plain_whole(value: object) -> str:
    """As :func:`plain`, whole and with its line feeds: for sentences and commands that quote a value."""
    text = str(value)
    return "".join(f"[U+{ord(one):04X}]" if _hidden(one) and one != "\n" else one for one in text)


def _pieces(text: str, spans: list[tuple[int, int]]) -> list[tuple[bool, str]]:
    pieces, at = [], 0
    for start, end in spans:
        pieces += [(False, _visible(text[at:start])), (True, _visible(text[start:end]))]
        at = end
    pieces.append((False, _visible(text[at:])))
    return [one for one in pieces if one[1]]


def _visible(text: str) -> str:
    return "".join(
        f'<span class="control-box">U+{ord(one):04X}</span>' if _hidden(one) else str(escape(one))
        for one in text
    )


def _hidden(character: str) -> bool:
    return unicodedata.category(character) in _HIDDEN
