"""Personal numbers and addresses taken out of a text before anything is stored.

What is a number of a person is decided by its form: an unbroken run, or groups as people write phones,
IDs, accounts and cards. Dates, prices, years, counts and clock times have forms of their own and stay,
because a claim often turns on them. Where a form is both, a word before it ("zalo", "stk") or a currency
after it decides; without either it is masked, since a lost price costs less than a published number.
"""

from __future__ import annotations

import re
from urllib.parse import unquote

# Characters that people put between the digits of one number.
_SEP = r"[ .\-–—_/()\u00a0]"
# Invisible marks and keycap frames between digits, which hide a number from patterns and from nobody else.
_HIDDEN = re.compile("(?<=\\d)[\u00ad\u200b-\u200f\u2060\u2063\ufe0e\ufe0f\ufeff\u20e3]+")

_LONG = re.compile(rf"\d(?:{_SEP}{{0,3}}\d){{5}}|[A-Z]{{2}}\d\d ?[A-Z0-9]{{4}}")

_DATE = (
    r"(?<!\d)(?:(?:0?[1-9]|[12]\d|3[01])(?P<d1>[./-])(?:0?[1-9]|1[0-2])(?P=d1)(?:19|20)\d\d"
    r"|(?:19|20)\d\d(?P<d2>[./-])(?:0?[1-9]|1[0-2])(?P=d2)(?:0?[1-9]|[12]\d|3[01]))(?![\d]|[.\-/]\d)"
)
_YEARS = r"(?<!\d)(?:19|20)\d\d(?:(?: ?[-–—/] ?| )(?:19|20)\d\d)+(?!\d|[.\-–/]\d)"
_PLATE = (
    r"(?<![\w.])[1-9]\d(?:[ ]?-?[ ]?[A-Za-zĐđ]{1,2}\d?[-. ]{0,3}\d{3}[. ]?\d{2}"
    r"|[ ]?-?[ ]?[A-Za-zĐđ]{1,2}\d?[-.]{0,2}\d{4})(?!\d|[.,]\d)"
)
_PASSPORT = r"(?<!\w)[A-Za-z]\d{7,8}(?!\w)"
_IBAN = r"(?<!\w)[A-Z]{2}\d\d(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)"
_RUN = rf"\(?\+?\(?\d(?:{_SEP}{{0,3}}\d){{5,}}"
_NUMBERS = re.compile(
    f"(?P<date>{_DATE})|(?P<years>{_YEARS})|(?P<plate>{_PLATE})|(?P<passport>{_PASSPORT})"
    f"|(?P<iban>{_IBAN})|(?P<run>{_RUN})"
)
_DIGITS = re.compile(r"\d+")

_PRICE = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+|[1-9]\d{0,2}(?: \d{3})+")
_CLOCKED = re.compile(r"\d{1,2}[hg:]\d{0,2}$|[:,]$")
_CURRENCY = re.compile(
    r"\s?(?:đ|₫|vnd|vnđ|đồng|dong|usd|\$|€|£|eur|won|yen|triệu|trieu|tỷ|tỉ|nghìn|ngàn|k\b|tr\b|người|ca\b|lượt|views?\b"
    r"|km|m2|kg|ha\b|tấn|%)",
    re.I,
)
_CURRENCY_BEFORE = re.compile(r"(?:[$€£¥₫]|usd|vnd)\s?$", re.I)
_PERSONAL = re.compile(
    r"(?:đt|sđt|sdt|dt|điện thoại|dien thoai|số máy|phone|tel|mobile|call|zalo|viber|whatsapp|gọi|goi|alo|lh|liên hệ|lien he"
    r"|cmnd|cccd|cmt|căn cước|can cuoc|passport|hộ chiếu|mst|bhxh|stk|số tk|so tk|tk|tài khoản|tai khoan|account|acc|iban"
    r"|ck|chuyển khoản|chuyen khoan|momo|bank|vcb|vietcombank|techcombank|mbbank|bidv|agribank|vietinbank|acb|sacombank|tpbank|vpbank)"
    r"\W*(?:số|so|là|la|no)?\W*$",
    re.I,
)

_EMAIL = re.compile(r"[\w.+\-]+\s?(?:[@＠]|[(\[]\s?at\s?[)\]])\s?(?:[\w\-]+\s?\.\s?)+[A-Za-z]{2,}")
_MENTION = re.compile(r"(?<![\w])[@＠](?:\w[\w.\-]*)")

_URL = re.compile(
    r"((?:https?|ftp)://\S+|\bwww\.\S+|\btel:\S+|(?<![\w@.])(?:[\w-]+\.){1,3}(?:com|vn|net|org|me|co|us|gg|link)(?::\d+)?/\S*)", re.I
)
_URL_PARTS = re.compile(r"((?:\w+://)?)(?:[^/?#\s]*@)?([^/?#\s]*)([^?#\s]*)(\S*)", re.I)
# The first part of a path on these hosts names a person or a page, unless it is one of the host's own words.
_PROFILE_HOSTS = re.compile(
    r"(?:\w+\.)*(?:facebook\.com|fb\.com|fb\.me|messenger\.com|m\.me|instagram\.com|twitter\.com|x\.com|tiktok\.com|threads\.(?:net|com)"
    r"|zalo\.me|t\.me|telegram\.me|wa\.me|whatsapp\.com|viber\.com|youtube\.com|linkedin\.com|vk\.com|ok\.ru|weibo\.com|snapchat\.com"
    r"|pinterest\.com|reddit\.com|medium\.com|github\.com|skype\.com|line\.me)",
    re.I,
)
_NO_PERSON = frozenset(
    "groups g events watch share sharer sharer.php reel reels photo photo.php photos story.php permalink.php posts video videos hashtag"
    " marketplace gaming pages media media_set stories search explore p i intent home login help policies status tv shorts playlist"
    " embed live feed results discover tag r pin company jobs news topic topics trending s join joinchat addstickers web download oa pc".split()
)
_PERSON_NEXT = frozenset("profile.php user u c in channel people add send phone profile pub".split())
_URL_NUMBER = re.compile(r"(?<!\d)(?:(?:\+|%2B)?84|0)[35789]\d{8}(?!\d)")
_VIDEO = re.compile(r"[?&]v=[\w-]{6,16}")


def mask(text: str) -> str:
    """The text with phone, e-mail, ID, account and plate numbers and mentions as [phone], [email], [id],
    [account], [plate], [user]; links lose queries and profile names. Masking twice changes nothing more."""
    if not _NEEDS.search(text):
        return text
    if "/" not in text and "tel:" not in text.lower() and "www." not in text.lower():
        return _words(text)
    parts = _URL.split(text)
    parts[0::2] = [_words(part) if part else part for part in parts[0::2]]
    parts[1::2] = [mask_url(part) for part in parts[1::2]]
    return "".join(parts)


_NEEDS = re.compile(r"[\d@＠/]|[(\[] ?[Aa][Tt] ?[)\]]|[Ww]{3}\.|tel:")


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
    return scheme + host + _URL_NUMBER.sub("[phone]", path) + rest + tail


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
    if "@" in text or "＠" in text or "(" in text or "[" in text:
        text = _MENTION.sub("[user]", _EMAIL.sub("[email]", text))
    if not text.isascii():
        text = _HIDDEN.sub("", text)
    if _LONG.search(text):
        text = _NUMBERS.sub(_number, text)
    return text


def _number(found: re.Match[str]) -> str:
    kind = found.lastgroup
    whole = found[0]
    if found["date"] or found["years"]:
        return whole
    if kind == "plate" or found["plate"]:
        return "[plate]"
    if found["passport"]:
        return "[id]"
    if found["iban"]:
        return "[account]" if any(c.isdigit() for c in whole[4:]) else whole
    return _run(found)


def _run(found: re.Match[str]) -> str:
    """Six digits or more with separators: a number of a person, or a price, dates and counts."""
    whole = found[0]
    text, start, end = found.string, found.start(), found.end()
    groups = _DIGITS.findall(whole)
    digits = "".join(groups)
    before = text[max(0, start - 24) : start]
    personal = _PERSONAL.search(before) is not None
    kind = _kind(digits, groups, whole, personal)
    if kind is None:
        return whole
    if kind != "phone" and not personal and (_CURRENCY.match(text, end) or _CURRENCY_BEFORE.search(before)):
        return whole
    return _between(whole, f"[{kind}]")


def _between(whole: str, token: str) -> str:
    """The token with an opening bracket that belongs to the sentence kept."""
    return token if whole.count("(") == whole.count(")") or whole[0] != "(" else "(" + token


def _kind(digits: str, groups: list[str], whole: str, personal: bool) -> str | None:
    size = len(digits)
    if personal:
        return "phone" if digits[0] == "0" and size <= 11 else "account"
    if whole.lstrip("(").startswith("+") and 8 <= size <= 15 and not _PRICE.fullmatch(whole.lstrip("(+")):
        return "phone"
    if digits[0] == "0" and 9 <= size <= 12:
        return "id" if size == 12 and len(groups) in (1, 4) else "phone"
    if digits.startswith("84") and size in (11, 12) and digits[2 if digits[2] != "0" else 3] in "235789":
        return "phone"
    if size < 9 or _PRICE.fullmatch(whole):
        return None
    if len(groups) == 1:
        return "id" if size in (9, 12) else "account"
    if len(groups) >= 2 and min(map(len, groups)) >= 3 or size >= 12:
        return "account"
    return "phone" if size in (9, 10, 11) else "account"
