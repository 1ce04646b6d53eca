"""Each style sheet is loaded, says what it styles, and has no rule for a class that nothing bears."""

from __future__ import annotations

import re

from crossgate.console.assets import FOLDER

CONSOLE = FOLDER.parent
SHEETS = sorted((FOLDER / "css").glob("*.css"))
COMPOSED = ("bar-",)
"""Beginnings of classes that templates put together, as in ``bar-{{ kind }}``."""

_WORD = re.compile(r"[A-Za-z_][\w-]*")


def test_every_class_of_the_sheets_is_borne() -> None:
    places = [*CONSOLE.rglob("*.html"), *CONSOLE.rglob("*.py"), *(FOLDER / "js").glob("*.js")]
    words = {word for place in places for word in _WORD.findall(place.read_text(encoding="utf-8"))}
    dead = [
        f"{sheet.name}: .{name}"
        for sheet in SHEETS
        for name in sorted(_classes(sheet.read_text(encoding="utf-8")))
        if name not in words and not _is_composed(name, words)
    ]
    assert not dead


def test_every_sheet_is_loaded_and_says_what_it_styles() -> None:
    page = (CONSOLE / "templates" / "document.html").read_text(encoding="utf-8")
    listed = re.search(r"for style in \[([^\]]*)\]", page)
    assert listed is not None
    assert sorted(re.findall(r'"([a-z-]+)"', listed[1])) == [sheet.stem for sheet in SHEETS]
    for sheet in SHEETS:
        assert re.match(r"/\* [^\n]+ \*/\n", sheet.read_text(encoding="utf-8")), sheet.name


def _classes(sheet: str) -> set[str]:
    """The classes in the selectors of a sheet."""
    rules = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    selectors = (text for text in re.findall(r"([^{}]+)\{", rules) if not text.lstrip().startswith("@"))
    return {name for text in selectors for name in re.findall(r"\.([A-Za-z_][\w-]*)", text)}


def _is_composed(name: str, words: set[str]) -> bool:
    return any(name.startswith(start) and name.removeprefix(start) in words for start in COMPOSED)
