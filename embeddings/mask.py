"""Personal numbers and addresses taken out of a text before anything is stored.

What is a number of a person is decided by its form: an unbroken run, or groups as people write
phones, IDs, accounts and cards. Dates, prices, years, counts and clock times have forms of their
own and stay, because a claim often turns on them. Where a form is both, a word before it ("zalo",
"stk") or a currency after it decides; without either it is masked, since a lost price costs less
than a published number.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from itertools import pairwise
from urllib.parse import unquote

from embeddings.links import has_link, parted

# Characters that people put between the digits of one number. No slash: it belongs to dates and
# decrees.
_SEP = r"[ .\-–—_()\u00a0]"
# Invisible marks and keycap frames between digits, which hide a number from patterns and from
# nobody else.
_HIDDEN = re.compile("(?<=\\d)[\u00ad\u200b-\u200f\u2060\u2063\ufe0e\ufe0f\ufeff\u20e3]+")

_FOUR_DIGITS = re.compile(rf"\d(?:{_SEP}{{0,3}}\d){{3}}")  # without these no number below can match

_DATE = (
    r"(?<!\d)(?:(?:0?[1-9]|[12]\d|3[01])(?P<d1>[./-])(?:0?[1-9]|1[0-2])(?P=d1)(?:19|20)\d\d"
    r"|(?:19|20)\d\d(?P<d2>[./-])(?:0?[1-9]|1[0-2])(?P=d2)(?:0?[1-9]|[12]\d|3[01]))(?![\d]|[.\-/]\d)"
)
_DATES = re.compile(_DATE)
_YEARS = r"(?<!\d)(?:19|20)\d\d(?:(?: ?[-–—] ?| )(?:19|20)\d\d)+(?!\d|[.\-–/]\d)"
# Province code, series, number: "51B-123.45", "29 H1 12345", "30f-4567". In lower case nothing but
# a dash may stand between, and the letters of prices, hours and metres ("20k50000") do not count.
_PLATE = (
    r"(?<![\w.])[1-9]\d(?:[ -]{0,3}[A-ZĐ]\d?[-. ]{0,3}\d{3}[. ]?\d{2}"
    r"|-?[A-ZĐ]{2}\d?[-. ]{0,3}\d{3}[. ]?\d{2}"
    r"|-?[a-gi-jlnp-zđ]\d?[-.]?\d{3}\.?\d{2}|-?[A-ZĐ]{1,2}\d?[-.]{0,2}\d{4}|-?[a-fi-jlnp-zđ]\d?[-.]?\d{4})(?!\d|[.,]\d)"
)
_PASSPORT = r"(?<!\w)[A-Za-z]\d{7,8}(?!\w)"
_IBAN = r"(?<!\w)[A-Z]{2}\d\d(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)"
_RUN = rf"\(?\+?\(?\d(?:{_SEP}{{0,3}}\d){{5,}}"
# The lookahead saves five alternatives at each place where no number begins.
_NUMBERS = re.compile(
    rf"(?=[\d(+])(?:(?P<keep>{_DATE}|{_YEARS})|(?P<plate>{_PLATE})|(?P<run>{_RUN}))"
)
_LETTERED = re.compile(rf"(?P<id>{_PASSPORT})|(?P<iban>{_IBAN})")
_LETTERED_SIGN = re.compile(r"[A-Za-z]\d{7}|[A-Z]{2}\d\d ?[A-Z0-9]{4}")
IBAN_MIN = 15  # ISO 13616: the shortest, Norway's
_DIGITS = re.compile(r"\d+")

# Thousands: by dots, or by spaces when it is a round number ("123 456 789" is rather an ID).
_PRICE = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+|[1-9]\d{0,2}(?: \d{3})* \d00")
_PIECE = re.compile(r"\s*[-–—]\s*|\s+")
_CURRENCY = re.compile(
    r"\s?(?:đ|₫|vnd|vnđ|đồng|dong|usd|\$|€|£|eur|won|yen|triệu|trieu|tr|tỷ|tỉ|ty|nghìn|ngàn|k|người|nguoi|ca|lượt|luot"
    r"|views?|likes?|shares?|followers?|km|m2|kg|ha|tấn|%)(?!\w)",
    re.I,
)
_CURRENCY_BEFORE = re.compile(r"(?:[$€£¥₫]|usd|vnd)\s?$", re.I)
_PERSONAL = re.compile(
    r"(?<![\w\[])(?:đt|sđt|sdt|dt|điện thoại|dien thoai|số máy"
    r"|phone|tel|mobile|call|zalo|viber|whatsapp|gọi|goi|alo|lh"
    r"|liên hệ|lien he|cmnd|cccd|cmt|căn cước|can cuoc|passport|hộ chiếu|mst|bhxh"
    r"|stk|tk|tài khoản|tai khoan|account|acc"
    r"|iban|ck|chuyển khoản|chuyen khoan|momo|bank|vcb|vietcombank|techcombank"
    r"|mbbank|mb|bidv|agribank|vietinbank|acb|sacombank|tpbank|vpbank)\W*(?:(?:số|so|là|la|no|number)\W*){0,2}$",
    re.I,
)
BEFORE_CHARS = 32  # how far back a word such as "zalo" is looked for
HOTLINE = re.compile(r"1[89]00\d{4,6}")  # Vietnamese service numbers belong to no person

_AT = r"(?:[@＠]|[(\[]\s?at\s?[)\]])"
_EMAIL = re.compile(
    rf"(?<![\w.+\-])[\w.+\-]+(?:{_AT}(?:[\w\-]+\.)+[A-Za-z]{{2,}}"
    rf"|\s?{_AT}\s?(?:g|e|hot|i?cloud|proton)?(?:mail|yahoo|outlook|cloud)\s?\.\s?[A-Za-z]{{2,}}(?:\s?\.\s?vn\b)?)",
    re.I,
)
_AT_SIGN = re.compile(r"[(\[]\s?at\s?[)\]]", re.I)
_MENTION = re.compile(r"[@＠]\w+(?:[.\-]\w+)*")  # also glued to a word: addresses are gone by then

# Links without a scheme: the second pattern is looked for only where the first is found.
_BARE_SIGN = re.compile(r"\.(?:com|vn|net|org|me|co|us|gg|link)(?::\d+)?/", re.I)
_BARE_URL = re.compile(
    r"((?<![\w@.-])[\w-]+(?:\.[\w-]+){0,2}\.(?:com|vn|net|org|me|co|us|gg|link)(?::\d+)?/\S*)", re.I
)
_URL_PARTS = re.compile(r"((?:\w+://)?)(?:[^/?#\s]*@)?([^/?#\s]*)([^?#\s]*)(\S*)", re.I)
# The first part of a path on these hosts names a person or a page, unless it is one of the host's
# own words.
_PROFILE_HOSTS = re.compile(
    r"(?:\w+\.)*(?:facebook\.com|fb\.com|fb\.me|messenger\.com|m\.me|instagram\.com|twitter\.com|x\.com|tiktok\.com|threads\.(?:net|com)"
    r"|zalo\.me|t\.me|telegram\.me|wa\.me|whatsapp\.com|viber\.com|youtube\.com|linkedin\.com|vk\.com|ok\.ru|weibo\.com|snapchat\.com"
    r"|pinterest\.com|reddit\.com|medium\.com|github\.com|skype\.com|line\.me)",
    re.I,
)
_NO_PERSON_WORDS = (
    "groups g events watch share sharer sharer.php reel reels photo photo.php photos story.php "
    "permalink.php posts video videos hashtag marketplace gaming pages media media_set stories "
    "search explore p i intent home login help policies status tv shorts playlist embed live feed "
    "results discover tag r pin company jobs news topic topics trending s join joinchat "
    "addstickers web download oa pc"
)
_NO_PERSON = frozenset(_NO_PERSON_WORDS.split())
_PERSON_NEXT_WORDS = "profile.php user u c in channel people add send phone profile pub"
_PERSON_NEXT = frozenset(_PERSON_NEXT_WORDS.split())
_URL_NUMBER = re.compile(r"(?<!\d)(?:(?:\+|%2B)?84|0)[.\-_]?[35789](?:[.\-_]?\d){8}(?!\d)", re.I)
_VIDEO = re.compile(r"[?&]v=[\w-]{6,16}")


def mask(text: str) -> str:
    """The text with phone, e-mail, ID, account and plate numbers and mentions as tokens.

    The tokens are [phone], [email], [id], [account], [plate], [user]; links lose queries and the
    names of profiles. Masking twice changes nothing more.
    """
    if not _NEEDS.search(text):
        return text
    return joined(masked(parted(text))) if has_link(text) else _bare(text)


_NEEDS = re.compile(r"[\d@＠/(\[]|[wW]{3}\.|[tT][eE][lL]:")


def masked(parts: Sequence[str]) -> list[str]:
    """Parts of a text with what stands between its links masked."""
    return _between(parts, _bare)


def joined(parts: list[str]) -> str:
    """The text of masked parts; their links are masked here."""
    parts[1::2] = [mask_url(part) for part in parts[1::2]]
    return "".join(parts)


def _bare(text: str) -> str:
    if "/" in text and _BARE_SIGN.search(text):
        return joined(_between(_BARE_URL.split(text), _words))
    return _words(text)


def _between(parts: Sequence[str], masking: Callable[[str], str]) -> list[str]:
    return [masking(part) if part and not at % 2 else part for at, part in enumerate(parts)]


def mask_url(url: str) -> str:
    """A link without query, fragment, user name, profile name and phone number."""
    tail = ""
    while url and url[-1] in ".,;:!?)\"'”’…»":
        url, tail = url[:-1], url[-1] + tail
    if url[:4].lower() == "tel:":
        return "[phone]" + tail
    found = _URL_PARTS.match(url)
    if found is None:
        return url + tail
    scheme, host, path, rest = found.groups()
    if _PROFILE_HOSTS.fullmatch(host.split(":")[0]):
        path = _without_profile(path)
        video = _VIDEO.search(rest) if path == "/watch" else None
        rest = f"?v={video[0][3:]}" if video else ""
    else:
        rest = ""
    path = unquote(path) if "%40" in path or "%2B" in path or "%2b" in path else path
    if "@" in path:
        path = _MENTION.sub("[user]", _EMAIL.sub("[email]", path))
    return scheme + _URL_NUMBER.sub("[phone]", host + path) + rest + tail


def _without_profile(path: str) -> str:
    segments = path.split("/")
    if len(segments) < 2 or not segments[1]:
        return path
    first = segments[1].lower()
    if first in _PERSON_NEXT:
        if len(segments) > 2 and segments[2]:
            segments[2] = "[user]"
        else:
            segments[1] = "[user]"
    elif first not in _NO_PERSON:
        segments[1] = "[user]"
    return "/".join(segments)


def _words(text: str) -> str:
    """Masks text that holds no link."""
    if "@" in text or "＠" in text or _AT_SIGN.search(text):
        text = _MENTION.sub("[user]", _EMAIL.sub("[email]", text))
    if not text.isascii():
        text = _HIDDEN.sub("", text)
    if _FOUR_DIGITS.search(text):
        if _LETTERED_SIGN.search(text):
            text = _LETTERED.sub(_lettered, text)
        text = _NUMBERS.sub(_number, text)
    return text


def _lettered(found: re.Match[str]) -> str:
    if found["id"]:
        return "[id]"
    return "[account]" if _is_iban(found[0].replace(" ", "")) else found[0]


def _is_iban(code: str) -> bool:
    """ISO 13616: with the country and check digits moved to the end and letters as 10 to 35, it is
    1 modulo 97."""
    return (
        len(code) >= IBAN_MIN
        and int("".join(str(int(c, 36)) for c in code[4:] + code[:4])) % 97 == 1
    )


def _number(found: re.Match[str]) -> str:
    if found["keep"]:
        return found[0]
    return "[plate]" if found["plate"] else _run(found)


def _run(found: re.Match[str]) -> str:
    """Six digits or more with separators: numbers of persons, or prices and counts."""
    whole = found[0]
    text = found.string
    before = text[max(0, found.start() - BEFORE_CHARS) : found.start()]
    personal = _PERSONAL.search(before) is not None
    amount = bool(_CURRENCY.match(text, found.end()) or _CURRENCY_BEFORE.search(before))
    cuts = [0, *(edge for date in _DATES.finditer(whole) for edge in date.span()), len(whole)]
    parts = [whole[i:j] for i, j in pairwise(cuts)]  # every second one is a date
    last = len(parts) - 1
    parts[0::2] = [
        _numbers(part, personal, amount and 2 * i == last) for i, part in enumerate(parts[0::2])
    ]
    return "".join(parts)


def _numbers(run: str, personal: bool, amount: bool) -> str:
    """A run without dates: one number in groups, or several side by side, each whole in itself."""
    pieces = run.split(" ")
    if len(pieces) > 1 and any(_kind(piece, False, False) for piece in pieces):
        last = len(pieces) - 1
        kinds = [_kind(piece, personal, amount and i == last) for i, piece in enumerate(pieces)]
        return " ".join(
            f"[{kind}]" if kind else piece for kind, piece in zip(kinds, pieces, strict=True)
        )
    kind = _kind(run.strip(), personal, amount)
    if kind is None:
        return run
    stripped = run.strip()
    start = run.index(stripped)
    opening = "(" if stripped[0] == "(" and run.count("(") > run.count(")") else ""
    return f"{run[:start]}{opening}[{kind}]{run[start + len(stripped) :]}"


def _kind(whole: str, personal: bool, amount: bool) -> str | None:
    """What a run of digits and separators is; None for what may stay.

    `personal`: a word such as "zalo" stands before it. `amount`: a currency or unit stands beside
    it.
    """
    groups = _DIGITS.findall(whole)
    digits = "".join(groups)
    size = len(digits)
    if size < 6 or HOTLINE.fullmatch(digits):
        return None
    signed = whole.lstrip("(").startswith("+")
    if (
        signed
        and 8 <= size <= 15
        and (digits.startswith("84") or not _PRICE.fullmatch(whole.lstrip("(+")))
    ):
        return "phone"
    if int(digits[0]) == 0 and 9 <= size <= 15:
        return "id" if size == 12 and len(groups) in (1, 4) else "phone"
    if (
        digits.startswith("84")
        and size in (11, 12)
        and digits[3 if digits[2] == "0" else 2] in "235789"
        and not amount
    ):
        return "phone"
    price = _PRICE.fullmatch(whole) is not None
    if personal and not amount and not (price and size < 9):
        return "phone" if int(digits[0]) == 0 else "account"
    if amount or price or size < 9 or max(map(len, groups)) <= 2 or _amounts(whole):
        return None
    if len(groups) == 1:
        return "id" if size in (9, 12) else "account"
    return "phone" if size in (10, 11) else "account"


def _amounts(whole: str) -> bool:
    """A row or range of amounts: "65.000 - 70.000"."""
    pieces = _PIECE.split(whole)
    return "." in whole and all(len(piece) <= 3 or _PRICE.fullmatch(piece) for piece in pieces)
