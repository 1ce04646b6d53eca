"""The words of a command, as bash, cmd.exe or PowerShell split it."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final


class CommandStyle(StrEnum):
    """The shell that a command is written for."""

    BASH = "bash"
    CMD = "cmd"
    POWERSHELL = "powershell"


_MOST: Final = 2000
_CARET: Final = re.compile(r"\^(\r?\n[ \t]*|.|$)", re.DOTALL)
_ESCAPES: Final = {"n": "\n", "r": "\r", "t": "\t"}
_HEX: Final = re.compile(r"x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{1,4})|U([0-9A-Fa-f]{1,8})|([0-7]{1,3})")
_BACKTICKS: Final = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}


def find_style(text: str) -> CommandStyle:
    """The shell: carets before quotes and at ends of lines are cmd.exe's."""
    return CommandStyle.CMD if re.search(r'\^"|\^\r?\n', text) else CommandStyle.BASH


def split_command(text: str, style: CommandStyle) -> list[str]:
    """The words, at most 2,000; a quote that is not closed ends with the text."""
    match style:
        case CommandStyle.CMD:
            return _Words(_CARET.sub(_uncaret, text), quotes='"', escape="\\").split()
        case CommandStyle.POWERSHELL:
            return _Words(text, quotes="'\"", escape="`", marks="=;}").split()
        case CommandStyle.BASH:
            return _Words(text, quotes="'\"", escape="\\").split()


def _uncaret(found: re.Match[str]) -> str:
    return " " if found[1].strip(" \t\r\n") == "" and "\n" in found[1] else found[1]


class _Words:
    """A scanner; ``marks`` are words of their own."""

    def __init__(self, text: str, *, quotes: str, escape: str, marks: str = "") -> None:
        self._text = text
        self._quotes = quotes
        self._escape = escape
        self._marks = marks
        self._at = 0

    def split(self) -> list[str]:
        found: list[str] = []
        word: list[str] | None = None
        text = self._text
        while self._at < len(text) and len(found) < _MOST:
            one = text[self._at]
            if one.isspace() or one in self._marks:
                found += [] if word is None else ["".join(word)]
                found += [one] if one in self._marks else []
                word = None
                self._at += 1
                continue
            word = [] if word is None else word
            if one == self._escape:
                self._at += 1
                word.append(self._escaped())
                if word == [""]:
                    word = None
            elif one in self._quotes:
                self._at += 1
                word.append(self._quoted(one, ansi=False))
            elif text.startswith("$'", self._at) and self._escape == "\\" and "'" in self._quotes:
                self._at += 2
                word.append(self._quoted("'", ansi=True))
            else:
                word.append(one)
                self._at += 1
        return found if word is None else [*found, "".join(word)]

    def _escaped(self) -> str:
        """What an escape outside of quotes means; at the end of a line, nothing."""
        text = self._text
        if text.startswith("\r\n", self._at):
            self._at += 2
            return ""
        one = text[self._at : self._at + 1]
        self._at += 1
        return "" if one == "\n" else one

    def _quoted(self, quote: str, *, ansi: bool) -> str:
        text, found = self._text, list[str]()
        has_escapes = ansi or quote == '"'
        while self._at < len(text):
            one = text[self._at]
            self._at += 1
            if one == quote:
                if self._escape == "`" and text.startswith(quote, self._at):
                    found.append(quote)
                    self._at += 1
                    continue
                break
            if one == self._escape and has_escapes and self._at < len(text):
                found.append(self._unescape(ansi=ansi))
            else:
                found.append(one)
        return "".join(found)

    def _unescape(self, *, ansi: bool) -> str:
        text = self._text
        if ansi and (number := _HEX.match(text, self._at)):
            self._at = number.end()
            digits = number[1] or number[2] or number[3]
            value = int(digits, 16) if digits else int(number[4], 8)
            return chr(value) if value < 0x110000 and not 0xD800 <= value < 0xE000 else "\ufffd"
        one = text[self._at]
        self._at += 1
        if ansi:
            return _ESCAPES.get(one, one)
        if self._escape == "`":
            return _BACKTICKS.get(one, one)
        return one if one in '"\\$`' else "" if one == "\n" else f"\\{one}"
