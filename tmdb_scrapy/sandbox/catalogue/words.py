"""Made-up words, titles and names, with the characters that break careless programs."""

from __future__ import annotations

from tmdb_scrapy.sandbox.catalogue.draws import Draw

_ONSETS = [
    "b",
    "br",
    "d",
    "f",
    "g",
    "gr",
    "h",
    "k",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "st",
    "t",
    "tr",
    "v",
    "w",
    "z",
]
_VOWELS = ["a", "e", "i", "o", "u", "ai", "ou", "é", "ö", "å"]
_CODAS = ["", "", "l", "n", "r", "s", "th", "nd", "rk"]
_OTHER_SCRIPTS = [
    "Ночь",
    "ветер",
    "夜の海",
    "風",
    "밤",
    "الليل",
    "νύχτα",
    "लहर",
    "🎬",
    "İstanbul",
    "e\u0301toile",
]


def _synthesise(count: int) -> list[str]:
    draw = Draw("words")
    words: dict[str, None] = {}
    while len(words) < count:
        syllables = draw.between(1, 3)
        words["".join(draw.pick(part) for _ in range(syllables) for part in (_ONSETS, _VOWELS, _CODAS))] = (
            None
        )
    return list(words)


WORDS = _synthesise(2048)
_ASCII_TEXT = " ".join(word for word in WORDS if word.isascii()).encode()
_CAPITALISED = [word.capitalize() for word in WORDS]


def title(bits: int) -> str:
    """A title from 64 random bits; about one in ten has characters that need care."""
    words = [_CAPITALISED[(bits >> shift) & 2047] for shift in (0, 11, 22, 33)[: 1 + (bits >> 44) % 4]]
    text = " ".join(words)
    match (bits >> 48) % 64:
        case 0 | 1:
            return f'The "{text}" Affair'
        case 2:
            return f"{text}\nPart II"
        case 3:
            return f"C:\\{text}\t(director's cut)"
        case 4:
            # Line separators for str.splitlines(), yet ordinary characters inside a JSON string.
            return f"{text}\u2028{words[0]}\u0085"
        case 5 | 6 | 7:
            return f"{_OTHER_SCRIPTS[(bits >> 54) % len(_OTHER_SCRIPTS)]} {text}"
        case _:
            return text


def name(bits: int) -> str:
    """A person's name from 64 random bits."""
    first, last = _CAPITALISED[bits & 2047], _CAPITALISED[(bits >> 11) & 2047]
    match (bits >> 22) % 64:
        case 0:
            return f'{first} "{WORDS[(bits >> 33) & 2047]}" {last}'
        case 1:
            return f"{_OTHER_SCRIPTS[(bits >> 33) % len(_OTHER_SCRIPTS)]} {last}"
        case _:
            return f"{first} {last}"


def sentence(draw: Draw, words: int) -> str:
    """So many words and a full stop."""
    return " ".join(draw.run(WORDS, words)).capitalize() + "."


def filler(length: int) -> bytes:
    """Text of exactly so many bytes that needs no escaping in JSON."""
    return (_ASCII_TEXT * (length // len(_ASCII_TEXT) + 1))[:length]
