"""Builds the documentation as a site: `make docs`, or `python scripts/docs_site.py FOLDER`.

The pages in `docs/` are plain Markdown that links to files of the whole repository, as code hosts show it. A
site generator knows its own folder only. So the pages are copied, and each file outside that a page links to
becomes a page below `files/`. Links between pages stay as they are.
"""

from __future__ import annotations

import json
import os.path
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
DOCS: Final = ROOT / "docs"
CONFIGURATION: Final = ROOT / "zensical.toml"
LOGO: Final = ROOT / "src" / "crossgate" / "console" / "static" / "logo.svg"
_LINK = re.compile(r"(?<=\]\()(?!https?://|mailto:|#)([^)#\s]+)")
_FENCES = re.compile(r"(^```.*?^```$|`[^`\n]*`)", re.MULTILINE | re.DOTALL)
_PARAGRAPH = re.compile(r"^(?=[A-Za-z`*\[])(?!Status: )(?:.+\n)+", re.MULTILINE)
_SENTENCE = re.compile(r".+?\.(?= |$)")
_MARKUP = re.compile(r"[`*]|\[([^\]]*)\]\([^)]*\)")
_COLOUR = re.compile(r"\x1b\[[\d;]*m")
_PLACE = re.compile(r"(\.md:)(\d+)(:\d+ \])")
_LANGUAGES: Final = {
    ".yaml": "yaml",
    ".yml": "yaml",
    ".json": "json",
    ".py": "python",
    ".service": "ini",
    ".toml": "toml",
}


def build_site(folder: Path) -> None:
    """Write the site to the folder, which is replaced. A warning ends the program, and the folder stays."""
    with tempfile.TemporaryDirectory(prefix="crossgate-site-") as name:
        stage = Path(name)
        _stage(stage / "docs")
        configuration = CONFIGURATION.read_text(encoding="utf-8")
        (stage / CONFIGURATION.name).write_text(_with_sections(configuration), encoding="utf-8")
        zensical = Path(sys.executable).with_name("zensical")
        built = subprocess.run(
            [zensical, "build", "--strict"],
            cwd=stage,
            capture_output=True,
            text=True,
            check=False,
        )
        if built.returncode:
            report = _COLOUR.sub("", built.stdout + built.stderr).partition("Traceback")[0]
            raise SystemExit(_PLACE.sub(_in_docs, report) + "The site has warnings: fix them in docs/")
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(stage / "site", folder)


def _in_docs(place: re.Match[str]) -> str:
    return f"{place[1]}{int(place[2]) - _HEAD_LINES}{place[3]}"


def _stage(docs: Path) -> None:
    """Copy the pages, and what they link to outside their folder."""
    shutil.copytree(DOCS, docs)
    shutil.copy(LOGO, docs / "assets")
    to_copy = [page.relative_to(ROOT) for page in DOCS.rglob("*.md")]
    copied: set[Path] = set()
    while to_copy:
        source = to_copy.pop()
        if source in copied:
            continue
        copied.add(source)
        page = docs / _place(source)
        page.parent.mkdir(parents=True, exist_ok=True)
        content = _page(source)
        page.write_text(
            f"---\ndescription: {json.dumps(_description(content))}\n---\n{content}", encoding="utf-8"
        )
        to_copy += [target for target in _outside(source) if target not in copied]


_HEAD_LINES: Final = 3
_FENCE: Final = "`" * 6


def _description(content: str) -> str:
    """The first sentence of a page as plain text."""
    paragraph = _PARAGRAPH.search(content.partition("\n")[2])
    text = _MARKUP.sub(r"\1", " ".join(paragraph[0].split())) if paragraph else ""
    sentence = _SENTENCE.match(text)
    return sentence[0] if sentence else text


def _place(source: Path) -> Path:
    """Where a file of the repository is in the site's sources, relative to them."""
    if source.parts[0] == "docs":
        return source.relative_to("docs")
    return Path("files", source if source.suffix == ".md" else f"{source}.md")


def _page(source: Path) -> str:
    """The Markdown of a file: a page with its links adapted, any other file in a block of code."""
    text = (ROOT / source).read_text(encoding="utf-8")
    if source.suffix != ".md":
        language = _LANGUAGES.get(source.suffix, "")
        return f"# {source.name}\n\n`{source}`\n\n{_FENCE}{language}\n{text.rstrip()}\n{_FENCE}\n"
    parts = _FENCES.split(text)
    parts[::2] = [_LINK.sub(lambda found: _link(source, found[1]), part) for part in parts[::2]]
    return "".join(parts)


def _link(source: Path, link: str) -> str:
    target = _target(source, link)
    if target is None:
        return link
    return Path(os.path.relpath(_place(target), _place(source).parent)).as_posix()


def _outside(source: Path) -> Iterator[Path]:
    """Files outside of `docs/` that a page links to."""
    if source.suffix != ".md":
        return
    text = _FENCES.sub("", (ROOT / source).read_text(encoding="utf-8"))
    for link in _LINK.findall(text):
        target = _target(source, link)
        if target is not None and target.parts[0] != "docs":
            yield target


def _target(source: Path, link: str) -> Path | None:
    """The file of the repository that a link means; None for one within `docs/`."""
    path = (ROOT / source.parent / link).resolve()
    if not path.is_file() or (path.is_relative_to(DOCS) and source.parts[0] == "docs"):
        return None
    return path.relative_to(ROOT)


def _with_sections(configuration: str) -> str:
    """The configuration with the pages of a folder, in order, for each `"FOLDER/*"` of the navigation."""

    def pages(found: re.Match[str]) -> str:
        names = sorted(page.name for page in (DOCS / found[1]).glob("*.md") if page.name != "index.md")
        return ",\n".join(f'"{found[1]}/{name}"' for name in names)

    return re.sub(r'"([\w-]+)/\*"', pages, configuration)


if __name__ == "__main__":
    build_site(Path(sys.argv[1]).resolve())
