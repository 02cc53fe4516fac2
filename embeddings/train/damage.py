"""How people write Vietnamese on a phone: without marks, with typing slips and in teencode.

Used to make training variants and to measure robustness. Every function is a pure function of
its text and its random generator.
"""

from __future__ import annotations

import random
import unicodedata

# Common chat spellings of frequent words; collected by hand for this project.
TEENCODE: dict[str, tuple[str, ...]] = {
    "không": ("ko", "k", "hok", "khong", "kg", "hông"),
    "được": ("dc", "đc", "dk", "đk"),
    "rồi": ("r", "rùi", "roài"),
    "gì": ("j", "gi", "ji"),
    "vậy": ("v", "z", "zậy"),
    "biết": ("bít", "bik", "bt"),
    "người": ("ng", "ngừi", "nguoi"),
    "với": ("vs", "vz", "zới"),
    "cũng": ("cx", "cg", "cũg"),
    "những": ("nhg", "~", "nhữg"),
    "nhưng": ("nhg", "nhưg"),
    "mình": ("mk", "mik", "mìn"),
    "bạn": ("b", "bn", "pạn"),
    "anh": ("a", "ank"),
    "em": ("e", "iem"),
    "chồng": ("ck",),
    "vợ": ("vk",),
    "bây": ("bh", "bi"),
    "giờ": ("h", "giờk"),
    "trước": ("trc", "tr"),
    "trong": ("trog", "tr0ng"),
    "thì": ("thi", "th"),
    "này": ("nì", "nay"),
    "làm": ("lm", "lèm"),
    "nhiều": ("nhìu", "nhju"),
    "quá": ("qá", "wá", "qa"),
    "tôi": ("t", "toi", "tui"),
    "mọi": ("mn", "mọj"),
    "facebook": ("fb", "face"),
    "điện": ("đt", "dien"),
    "hôm": ("hum", "hnay"),
    "nay": ("ni", "nai"),
    "yêu": ("iu", "eo"),
    "tin": ("tjn",),
    "chính": ("chíh", "chinh"),
    "bị": ("bj", "bi"),
    "phải": ("fải", "pải", "phai"),
    "nước": ("nc", "nuoc"),
    "nên": ("nen", "nek"),
    "luôn": ("lun", "luon"),
    "thôi": ("thui", "thoai"),
    "đừng": ("đừg", "dung"),
    "nữa": ("nx", "nua"),
    "như": ("nhu", "nhừ"),
}
_KEYS_NEAR = {
    "a": "sq", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "g": "fh", "h": "gj", "i": "uo",
    "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "wa", "r": "et",
    "s": "ad", "t": "ry", "u": "yi", "v": "cb", "x": "zc", "y": "tu",
}  # fmt: skip


def bare(text: str) -> str:
    """The text without combining marks, đ as d: Vietnamese as typed without an input method."""
    if text.isascii():
        return text
    plain = text.replace("đ", "d").replace("Đ", "D")
    return "".join(c for c in unicodedata.normalize("NFD", plain) if not unicodedata.combining(c))


def half_bare(text: str, rng: random.Random, share: float = 0.5) -> str:
    """The text with the marks dropped on about ``share`` of its words."""
    return " ".join(bare(w) if rng.random() < share else w for w in text.split())


def teencode(text: str, rng: random.Random, share: float = 0.5) -> str:
    """The text with about ``share`` of the words that have a chat spelling replaced by one."""
    words = text.split()
    for i, word in enumerate(words):
        spellings = TEENCODE.get(word.lower())
        if spellings and rng.random() < share:
            words[i] = rng.choice(spellings)
    return " ".join(words)


def typos(text: str, rng: random.Random, share: float = 0.1) -> str:
    """The text with one slip (swap, drop, double, next key) in about ``share`` of its words."""
    words = text.split()
    for i, word in enumerate(words):
        if len(word) > 2 and rng.random() < share:
            words[i] = _slip(word, rng)
    return " ".join(words)


def _slip(word: str, rng: random.Random) -> str:
    at = rng.randrange(len(word) - 1)
    kind = rng.randrange(4)
    if kind == 0:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if kind == 1:
        return word[:at] + word[at + 1 :]
    if kind == 2:
        return word[: at + 1] + word[at] + word[at + 1 :]
    near = _KEYS_NEAR.get(word[at].lower())
    return word if near is None else word[:at] + rng.choice(near) + word[at + 1 :]


def phone_typing(text: str, rng: random.Random) -> str:
    """The damage of the robustness figures: half the words bare, 10 % typos, teencode."""
    return typos(half_bare(teencode(text, rng), rng), rng)
