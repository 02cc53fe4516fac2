"""Words for what stands in the data: (Vietnamese, English) by kind and value."""

from __future__ import annotations

from collections.abc import Mapping

from console.desk_words import DESK_VALUES

VALUES: dict[str, tuple[str, str]] = {
    # triage states
    "status.new": ("mới", "new"),
    "status.acknowledged": ("đã tiếp nhận", "acknowledged"),
    "status.assigned": ("đã giao", "assigned"),
    "status.verifying": ("đang xác minh", "verifying"),
    "status.answered": ("đã trả lời", "answered"),
    "status.dismissed": ("đã bác bỏ", "dismissed"),
    "status.closed": ("đã đóng", "closed"),
    # why a post is an exemplar
    "why.first": ("bài đầu tiên", "first post"),
    "why.newest": ("bài mới nhất", "newest post"),
    "why.enquiry": ("hỏi thật hay giả", "asks whether it is true"),
    "why.denial": ("có lời phủ nhận", "denies it"),
    "why.central": ("tiêu biểu nhất", "most typical wording"),
    "why.most reach": ("nhiều lượt tiếp cận nhất", "most reach"),
    "why.varied": ("cách nói khác", "another wording"),
    "why.correction": ("đính chính", "correction"),
    # kinds and flags of a post
    "kind.tip": ("tin báo của người dân", "citizen's tip"),
    "kind.correction": ("đính chính", "correction"),
    "flag.enquiry": ("hỏi thật giả", "enquiry"),
    "flag.denial": ("phủ nhận", "denial"),
    "flag.urgent": ("kêu gọi gấp", "urgent call"),
    "flag.agency": ("nhắc tới cơ quan", "names an agency"),
    "flag.advert": ("rao bán", "advert"),
    "flag.posing": ("mạo danh, đòi tiền", "poses as an authority"),
    "flag.greeting": ("lời chúc", "greeting"),
    # signals, and what they measure
    "signal.voices": ("Tiếng nói riêng biệt", "Distinct voices"),
    "signal.wordings": ("Cách diễn đạt", "Wordings"),
    "signal.volume": ("Số bài", "Volume"),
    "signal.growth": ("Tốc độ tăng", "Growth"),
    "signal.enquiry_share": ("Hỏi thật giả", "Enquiries"),
    "signal.communities": ("Nhóm, trang", "Communities"),
    "signal.advert_share": ("Rao bán", "Adverts"),
    "signal.greeting_share": ("Lời chúc", "Greetings"),
    "signal.shared": ("Nội dung chung", "Said in common"),
    "signal.overlap": ("Trùng lời", "Overlap"),
    "signal.burst": ("Bùng phát", "Burst"),
    "signal.platforms": ("Nền tảng", "Platforms"),
    "signal.languages": ("Ngôn ngữ", "Languages"),
    "signal.reach": ("Lượt tiếp cận", "Reach"),
    "signal.novelty": ("Độ mới", "Novelty"),
    "signal.age": ("Tuổi", "Age"),
    "signal.denial_share": ("Phủ nhận", "Denials"),
    "signal.correction_share": ("Đính chính", "Corrections"),
    "signal.tip_share": ("Tin báo", "Tips"),
    "signal.urgent_share": ("Kêu gọi gấp", "Urgent calls"),
    "signal.agency_share": ("Nhắc tới cơ quan", "Names agencies"),
    "signal.posing_share": ("Mạo danh, đòi tiền", "Poses as an authority"),
    "signal.campaign_share": ("Chép nguyên văn", "Copied word for word"),
    "definition.voices": (
        "Số người đăng khác nhau (ẩn danh; không rõ người đăng thì đếm cách diễn đạt) "
        "trong 24 giờ qua.",
        "Distinct pseudonyms (without authors: distinct wordings) that posted it in "
        "the last 24 hours.",
    ),
    "definition.wordings": (
        "Số cách diễn đạt khác nhau trong 24 giờ qua: người ta tự kể bằng lời mình, "
        "không phải chép lại.",
        "Distinct wordings in the last 24 hours: people saying it in their own words, not copies.",
    ),
    "definition.volume": ("Số bài đăng trong 24 giờ qua.", "Posts in the last 24 hours."),
    "definition.growth": (
        "Số bài trong giờ qua so với trung bình sáu giờ trước đó cộng một.",
        "Posts in the last hour over the mean of the six hours before plus one.",
    ),
    "definition.enquiry_share": (
        "Tỷ lệ bài hỏi tin này thật hay giả.",
        "Share of the posts that ask whether it is true.",
    ),
    "definition.communities": (
        "Số nhóm, trang, kênh khác nhau có đăng tin này.",
        "Distinct groups, pages or channels that carry it.",
    ),
    "definition.advert_share": (
        "Tỷ lệ bài rao bán hàng hoá, dịch vụ; càng cao thì điểm càng hạ.",
        "Share of the posts that offer goods or services; lowers the score.",
    ),
    "definition.greeting_share": (
        "Tỷ lệ bài chỉ chúc buổi sáng, chúc ngủ ngon, chúc sức khỏe; càng cao thì điểm càng hạ.",
        "Share of the posts that wish a good morning, a good night, good health; lowers the score.",
    ),
    "definition.shared": (
        "Trung bình hai bài khác nhau có chung bao nhiêu từ hiếm: nói cùng một chuyện mà nơi khác không nói.",
        "Rarity of the words that two of its different texts have in common, on average: they say "
        "the same, and something that others do not say.",
    ),
    "definition.overlap": (
        "Tỷ lệ từ ngữ của một bài (tính theo độ hiếm) mà bài khác cũng có.",
        "Share of a text's words, weighed by rarity, that another of its texts has as well.",
    ),
    "definition.burst": (
        "Phần của tin này trong giờ qua bất thường đến đâu so với ngày trước đó (kiểm định nhị thức).",
        "How unlikely its part of this hour's stream is, given its part of the day before "
        "(binomial test, Chernoff bound).",
    ),
    "definition.posing_share": (
        "Tỷ lệ bài có cơ quan (thật hoặc giả) đòi tiền, dữ liệu hay cài ứng dụng.",
        "Share of the posts in which an authority, real or pretended, demands money, data or an "
        "installation.",
    ),
    "definition.campaign_share": (
        "Tỷ lệ bài chép nguyên văn bài khác.",
        "Share of the posts that copy another one's text word for word.",
    ),
    # languages
    "lang.vi": ("Việt", "Vietnamese"),
    "lang.en": ("Anh", "English"),
    "lang.km": ("Khmer", "Khmer"),
    "lang.zh": ("Hoa", "Chinese"),
    "lang.lo": ("Lào", "Lao"),
    "lang.th": ("Thái", "Thai"),
    "lang.ja": ("Nhật", "Japanese"),
    "lang.ko": ("Hàn", "Korean"),
    "lang.fr": ("Pháp", "French"),
    "lang.de": ("Đức", "German"),
    "lang.es": ("Tây Ban Nha", "Spanish"),
    "lang.ru": ("Nga", "Russian"),
    "lang.id": ("Indonesia", "Indonesian"),
    "lang.ms": ("Mã Lai", "Malay"),
    "lang.und": ("chưa rõ", "unknown"),
    "lang.": ("chưa rõ", "unknown"),
    "dial.cluster.micro_threshold": ("Ngưỡng cùng lời", "Same words, threshold"),
    "dial.cluster.window_days": ("Cửa sổ (ngày)", "Window, days"),
    "dial.alert.macro_threshold": ("Ngưỡng cùng tin đồn", "Same rumor, threshold"),
    "dial.alert.event_threshold": ("Ngưỡng cùng sự việc", "Same event, threshold"),
    "dial.alert.link_threshold": (
        "Ngưỡng cùng tin đồn, khác ngôn ngữ",
        "Same rumor across languages",
    ),
    "dial.alert.cover_threshold": (
        "Ngưỡng hiện cùng một cảnh báo",
        "Shown with one alert, threshold",
    ),
    "dial.alert.cooldown_h": ("Gom vào một cảnh báo (giờ)", "One alert a story, hours"),
    "dial.alert.per_hour": ("Cảnh báo mới mỗi giờ, nhiều nhất", "New alerts an hour, at most"),
    "dial.alert.suggest.score": ("Gợi ý: điểm", "Suggest: score"),
    "dial.alert.suggest.min_voices": ("Gợi ý: số tiếng nói", "Suggest: voices"),
    "dial.alert.suggest.min_wordings": ("Gợi ý: số cách viết", "Suggest: wordings"),
    "dial.alert.suggest.min_posts": ("Gợi ý: số bài", "Suggest: posts"),
    "dial.alert.suggest.min_shared": ("Gợi ý: nội dung chung", "Suggest: said in common"),
    "dial.alert.confirm.min_shared": ("Xác nhận: nội dung chung", "Confirm: said in common"),
    "dial.alert.confirm.score": ("Xác nhận: điểm", "Confirm: score"),
    "dial.alert.confirm.min_voices": ("Xác nhận: số tiếng nói", "Confirm: voices"),
    "dial.alert.confirm.min_wordings": ("Xác nhận: số cách viết", "Confirm: wordings"),
    "dial.alert.confirm.min_posts": ("Xác nhận: số bài", "Confirm: posts"),
    "tune.rumors": ("Tin đồn có từ 5 bài", "Rumors of 5 posts or more"),
    "tune.suggest": ("Cảnh báo mức gợi ý", "Alerts at suggest"),
    "tune.confirm": ("Cảnh báo mức xác nhận", "Alerts at confirm"),
    "tune.per_day": ("Cảnh báo mỗi ngày", "Alerts a day"),
    "tune.posts_median": (
        "Số bài khi có cảnh báo (trung vị)",
        "Posts until the alert (median)",
    ),
    "tune.rumor_f1": ("F1 của tin đồn, theo nhãn", "F1 of rumors, by the labels"),
    "tune.event_f1": ("F1 của sự việc, theo nhãn", "F1 of events, by the labels"),
    "tune.precision": ("Tỷ lệ gợi ý đúng, theo nhãn", "Precision of alerts, by the labels"),
    "tune.recall": (
        "Tỷ lệ chuyện từ 20 bài được báo, theo nhãn",
        "Stories of 20 posts or more that were alerted, by the labels",
    ),
    "tune.appears": ("Cảnh báo mới xuất hiện", "Alerts that appear"),
    "tune.vanishes": ("Cảnh báo mất đi", "Alerts that vanish"),
    "tune.earlier": ("Cảnh báo đến sớm hơn", "Alerts that come earlier"),
    "tune.later": ("Cảnh báo đến muộn hơn", "Alerts that come later"),
    "tune.raised": ("Cảnh báo lên mức xác nhận", "Alerts raised to confirm"),
    "tune.lowered": ("Cảnh báo chỉ còn mức gợi ý", "Alerts lowered to suggest"),
    **DESK_VALUES,
}


def name_categories(names: Mapping[str, tuple[str, str]]) -> None:
    """Names of a taxonomy's categories by id, (Vietnamese, English); others are shown by their ids."""
    VALUES.update({f"category.{name}": told for name, told in names.items()})
