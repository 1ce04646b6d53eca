"""Names that people take for another name: letters of other scripts, and ASCII letters that look alike.

The letters are those of Unicode's confusables (UTS #39, version 15.1:
https://www.unicode.org/Public/security/15.1.0/confusables.txt) that look like one letter or digit of ASCII
and can be in a domain name.
"""

# ruff: noqa: RUF001 - the letters that look alike are what this file is about
from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

_LETTERS: Final = {
    "2": "ᒿ",
    "3": "𑣊𖼻",
    "6": "б𑣕",
    "7": "𑣆",
    "8": "ȣ৪੪𐌚",
    "9": "৭੧୨൭𑣌𑣖",
    "a": "ɑαа",
    "b": "ᑲᖯ",
    "c": "сᴄⲥ𐐽",
    "d": "ԁᑯꓒ",
    "e": "еҽꬲ",
    "f": "քẝꞙꬵ",
    "g": "ƍɡցᶃ",
    "h": "һհ",
    "i": "ıɩɪιіӏꙇ𑣃",
    "j": "ϳј",
    "l": "ǀ۱ᛁⵏꓲ𐊊𐌉𖼨",
    "n": "ոռ",
    "o": "οσоօ۵०੦૦௦౦೦ഠ൦๐໐ဝ၀ჿᴏᴑⲟꬽ𐐬𐓪𑣈𑣗",
    "p": "ρрⲣ",
    "q": "ԛգզ",
    "r": "гᴦⲅꭇꭈ",
    "s": "ƽѕꜱ𐑈𑣁",
    "u": "ʋυսᴜꞟꭎꭒ𐓶𑣘",
    "v": "νѵᴠ𑜆𑣀",
    "w": "ɯѡԝաᴡ𑜊𑜎𑜏",
    "x": "хᕁᕽ",
    "y": "ɣʏγуүყᶌỿꭚ𑣜",
    "z": "ᴢ𑣄",
}
_TO_ASCII: Final = {ord(letter): plain for plain, letters in _LETTERS.items() for letter in letters}
_PAIRS: Final = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("0", "o"), ("1", "l"))
"""ASCII letters that look like others."""
_LONGEST: Final = 253


@lru_cache(maxsize=1024)
def unicode_host(host: str) -> str:
    """The host with its labels of punycode decoded, as a browser may show it."""
    return ".".join(map(_decoded, host.split(".")))


def _decoded(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    try:
        return label[4:].encode("ascii").decode("punycode")
    except (UnicodeError, ValueError):
        return label


def looks_like(host: str) -> Iterator[str]:
    """ASCII hosts that this one can be taken for, each once, without the host itself."""
    if len(host) > _LONGEST:
        return
    plain = "".join(
        letter
        for letter in unicodedata.normalize("NFD", unicode_host(host).translate(_TO_ASCII))
        if not unicodedata.combining(letter)
    ).translate(_TO_ASCII)
    if not plain.isascii():
        return
    seen = {host}
    everything = plain
    candidates = [plain]
    for sign, other in _PAIRS:
        candidates += [plain.replace(sign, other), plain.replace(other, sign)]
        everything = everything.replace(sign, other)
    for candidate in (*candidates, everything):
        if candidate not in seen:
            seen.add(candidate)
            yield candidate
