"""A store as the alert fold would leave it, for the console's tests. Every post is invented."""

from __future__ import annotations

import random
from dataclasses import dataclass

from console import PipelineStatus
from stores.base import (
    AlertDocument,
    Batch,
    Exemplar,
    Join,
    PostDocument,
    RumorDocument,
    Signal,
    Store,
    TrendDocument,
)

MINUTE, HOUR = 60_000, 3_600_000
NOW = 1_777_626_300_000  # 2026-05-01 16:05 in Vietnam
ATTACK = '<script>document.title="broken"</script><img src=x onerror=alert(1)> & "quoted" \'text\''


WHY = {"Có ai xác nh": "enquiry", "Bịa đặt đấy,": "denial", "ទំនប់តាលឿងជ": "newest"}


@dataclass(frozen=True)
class Tale:
    headline: str
    level: str | None
    age: int  # minutes since its first post
    posts: int
    voices: int
    languages: dict[str, int]
    texts: tuple[str, ...]
    score: float
    status: str = "new"


TALES = (
    Tale(
        "Nghe nói đập hồ Tà Lương sắp vỡ, bà con dưới hạ lưu chạy gấp trong đêm nay",
        "confirm",
        95,
        148,
        96,
        {"vi": 131, "en": 12, "km": 5},
        (
            "Nghe nói đập hồ Tà Lương sắp vỡ, bà con dưới hạ lưu chạy gấp trong đêm nay",
            "dap ta luong sap vo that k mn oi, nha e o ngay duoi",
            "Có ai xác nhận vụ đập Tà Lương chưa? Xã chưa thấy loa phát thanh gì cả",
            "Bịa đặt đấy, thuỷ nông vừa nói mực nước bình thường",
            "Ta Luong dam is about to break, they say. Can anyone confirm?",
            "ទំនប់តាលឿងជិតបាក់ហើយ តើពិតទេ?",
        ),
        0.86,
        "verifying",
    ),
    Tale(
        "Trường gọi báo con đang cấp cứu, chuyển tiền viện phí gấp vào số [số tài khoản]",
        "confirm",
        240,
        87,
        71,
        {"vi": 84, "en": 3},
        (
            "Trường gọi báo con đang cấp cứu, chuyển tiền viện phí gấp vào số [số tài khoản]",
            "co ai bi goi bao con nhap vien k, nghi lua dao qua",
            "Sáng nay mẹ mình cũng nhận cuộc gọi y hệt, suýt chuyển 30tr",
            "Công an phường đã nhắc: nhà trường không bao giờ thu viện phí qua điện thoại",
        ),
        0.71,
        "acknowledged",
    ),
    Tale(
        "Chợ Cầu Mới bán thịt nhiễm bệnh lạ, ba người nhập viện",
        "suggest",
        52,
        31,
        24,
        {"vi": 31},
        (
            "Chợ Cầu Mới bán thịt nhiễm bệnh lạ, ba người nhập viện",
            "thịt chợ cầu mới có sao k ad ơi, sáng mới mua 2kg",
            "nghe nói 3 người nhập viện vì ăn thịt chợ Cầu Mới đúng không",
        ),
        0.52,
    ),
    Tale(
        "Ngày mai toàn huyện An Lạc cúp nước một tuần",
        "suggest",
        130,
        22,
        17,
        {"vi": 20, "en": 2},
        (
            "Ngày mai toàn huyện An Lạc cúp nước một tuần",
            "cup nuoc 1 tuan that ha troi, nguon dau vay",
            "An Lac district: no water for a week from tomorrow?",
        ),
        0.44,
    ),
    Tale(
        "Ứng dụng VNeID bản mới của Bộ phải cài qua liên kết này trước 30/5",
        "suggest",
        320,
        18,
        15,
        {"vi": 18},
        ("Ứng dụng VNeID bản mới của Bộ phải cài qua liên kết này trước 30/5",),
        0.38,
    ),
    Tale(
        "Thấy hai người lạ đi xe tải trắng rình trẻ em trước cổng trường Hoa Mai",
        None,
        40,
        6,
        5,
        {"vi": 6},
        ("Thấy hai người lạ đi xe tải trắng rình trẻ em trước cổng trường Hoa Mai",),
        0.31,
    ),
    Tale(
        "Cây xăng quốc lộ hết xăng, xếp hàng dài từ trưa",
        None,
        75,
        5,
        5,
        {"vi": 4, "en": 1},
        ("Cây xăng quốc lộ hết xăng, xếp hàng dài từ trưa",),
        0.22,
    ),
    Tale(
        "Lá cây sương mai chữa dứt tiểu đường sau ba ngày uống",
        None,
        200,
        4,
        3,
        {"vi": 3, "zh": 1},
        ("Lá cây sương mai chữa dứt tiểu đường sau ba ngày uống", "晨露叶三天治好糖尿病？"),
        0.18,
    ),
)
PLATFORMS = ("facebook", "zalo", "tiktok", "telegram")
COMMUNITIES = (
    "Hội cư dân An Lạc",
    "Chợ đồ cũ Tà Lương",
    "Phụ huynh Hoa Mai",
    "Tin nhanh tỉnh nhà",
    "Xóm Cầu Mới",
)


def fill(store: Store) -> None:
    """The scene: 8 rumors, 5 alerts, their posts, 24 h of trends, one merged rumor and alert."""
    chance = random.Random(7)
    batch = Batch()
    for place, tale in enumerate(TALES):
        rumor, alert, posts = _tale(place, tale, chance)
        batch.rumors.append(rumor)
        batch.posts += posts
        if alert is not None:
            batch.alerts.append(alert)
    _merged(batch)
    batch.trends += _trends(chance)
    store.write(batch)
    store.refresh()


def status(**changes: object) -> PipelineStatus:
    """A pipeline in mid-stream."""
    values: dict[str, object] = {
        "posts_in": 18_432,
        "folded": 18_301,
        "duplicates": 118,
        "late": 2,
        "dead": 11,
        "posts_per_s": 41.3,
        "watermark": NOW,
        "rumors": 212,
        "alerts_suggest": 3,
        "alerts_confirm": 2,
        "running": True,
        "speed": 120.0,
        "finished": False,
    }
    return PipelineStatus(**{**values, **changes})  # type: ignore[arg-type]


def signals(tale: Tale) -> list[Signal]:
    hour = min(tale.posts, tale.posts * 60 // tale.age)
    rows = [
        ("voices", tale.voices, 8.0, "voices"),
        ("wordings", tale.voices * 0.7 // 1, 8.0, "wordings"),
        ("volume", tale.posts, 20.0, "posts"),
        ("growth", hour / (1 + (tale.posts - hour) / 6), 3.0, "times"),
        ("enquiry_share", round(tale.score / 2, 2), 0.1, "share of posts"),
        ("communities", min(5, tale.posts), 3.0, "communities"),
        ("advert_share", 0.02, 0.5, "share of posts"),
    ]
    return [
        Signal(
            name=name,
            value=float(value),
            threshold=threshold,
            unit=unit,
            definition=f"What {name} means.",
        )
        for name, value, threshold, unit in rows
    ]


def _tale(
    place: int, tale: Tale, chance: random.Random
) -> tuple[RumorDocument, AlertDocument | None, list[PostDocument]]:
    rumor_id, alert_id = f"r{place:016x}", f"a{place:016x}" if tale.level else None
    first = NOW - tale.age * MINUTE
    times = sorted(
        first + int(tale.age * MINUTE * chance.random() ** 0.6) for _ in range(tale.posts - 1)
    )
    times = [first, *times]
    codes = [code for code, n in tale.languages.items() for _ in range(n)]
    posts = []
    for number, at in enumerate(times):
        posts.append(
            PostDocument(
                source="scene",
                post_id=f"{place}-{number}",
                version=1,
                rumor_id=rumor_id,
                micro_cluster_id=f"m{place:016x}",
                created_at=at,
                text=tale.texts[number % len(tale.texts)],
                lang=codes[number],
                platform=chance.choice(PLATFORMS),
                community=chance.choice(COMMUNITIES),
                url=f"https://www.mang-xa-hoi.example/p/{place}/{number}"
                if number % 3 == 0
                else None,
                reply_to=None,
                repost_of="0-0" if number % 7 == 3 else None,
                kind="tip" if number % 11 == 5 else "post",
                flags=["enquiry"] if number % 6 == 2 else [],
                reach=0,
            )
        )
    timeline: dict[int, int] = {}
    for at in times:
        bucket = at - at % (5 * MINUTE)
        timeline[bucket] = timeline.get(bucket, 0) + 1
    exemplars = [
        Exemplar(
            source="scene",
            post_id=f"{place}-{n}",
            text=text,
            created_at=times[n],
            why="first" if n == 0 else WHY.get(text[:12], "varied"),
        )
        for n, text in enumerate(tale.texts[: len(times)])
    ]
    platforms, communities = _count(p.platform for p in posts), _count(p.community for p in posts)
    rumor = RumorDocument(
        rumor_id=rumor_id,
        version=1,
        event_id=f"e{place:016x}",
        headline=tale.headline,
        posts=tale.posts,
        voices=tale.voices,
        reach=tale.posts * 40,
        born_at=first,
        first_post_at=first,
        last_post_at=times[-1],
        updated_at=NOW,
        languages=tale.languages,
        platforms=platforms,
        communities=communities,
        micro_clusters=1 + place,
        score=tale.score,
        signals=signals(tale),
        exemplars=exemplars,
        timeline=sorted(timeline.items()),
        joins=[],
        level=tale.level,
        alert_id=alert_id,
    )
    if tale.level is None or alert_id is None:
        return rumor, None, posts
    raised = first + tale.age * MINUTE // 4
    alert = AlertDocument(
        alert_id=alert_id,
        version=1,
        rumor_id=rumor_id,
        event_id=rumor.event_id,
        level=tale.level,
        status=tale.status,
        raised_at=raised,
        confirmed_at=raised + 9 * MINUTE if tale.level == "confirm" else None,
        raised_by=f"{place}-3",
        updated_at=NOW,
        headline=tale.headline,
        score=tale.score,
        signals=rumor.signals,
        posts=tale.posts,
        voices=tale.voices,
        reach=rumor.reach,
        first_post_at=first,
        last_post_at=times[-1],
        languages=sorted(tale.languages),
        platforms=platforms,
        communities=communities,
        exemplars=exemplars,
        settings_version="default",
        encoder="lexical/1/none",
    )
    return rumor, alert, posts


def _merged(batch: Batch) -> None:
    """A second rumor about the dam, merged into the first with its alert."""
    heir, alert = batch.rumors[0], batch.alerts[0]
    heir.joins.append(
        Join(
            loser="r00000000000000ff",
            at=NOW - 30 * MINUTE,
            similarity=0.412,
            threshold=0.3,
            reason="Merged because their micro-clusters agree by 0.41, at least 0.30 is asked.",
        )
    )
    fields = {name: getattr(heir, name) for name in heir.__struct_fields__}
    fields |= {
        "rumor_id": "r00000000000000ff",
        "merged_into": heir.rumor_id,
        "open": False,
        "joins": [],
    }
    batch.rumors.append(RumorDocument(**fields))
    fields = {name: getattr(alert, name) for name in alert.__struct_fields__}
    batch.alerts.append(
        AlertDocument(**fields | {"alert_id": "a00000000000000ff", "merged_into": alert.alert_id})
    )


def _trends(chance: random.Random) -> list[TrendDocument]:
    trends = []
    for bucket in range(NOW - NOW % (5 * MINUTE) - 24 * HOUR, NOW, 5 * MINUTE):
        hour = (bucket // HOUR + 7) % 24
        busy = 3 + 22 * max(0.0, 1 - abs(hour - 15) / 9)
        for code, part in (("vi", 1.0), ("en", 0.25), ("km", 0.1), ("zh", 0.06)):
            posts = int(chance.gauss(busy * part, busy * part / 4))
            raised = code == "vi" and chance.random() < 0.02
            if posts > 0:
                trends.append(
                    TrendDocument(
                        bucket=bucket,
                        language=code,
                        platform="facebook",
                        version=1,
                        posts=posts,
                        alerts_suggest=int(raised),
                        alerts_confirm=int(raised and chance.random() < 0.4),
                    )
                )
    return trends


def _count(keys: object) -> dict[str, int]:
    counts: dict[str, int] = {}
    for key in keys:  # type: ignore[attr-defined]
        counts[key] = counts.get(key, 0) + 1
    return counts
