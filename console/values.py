"""Words for what stands in the data: (Vietnamese, English) by kind and value."""

from __future__ import annotations

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
    # signals, and what they measure
    "signal.voices": ("Tiếng nói riêng biệt", "Distinct voices"),
    "signal.wordings": ("Cách diễn đạt", "Wordings"),
    "signal.volume": ("Số bài", "Volume"),
    "signal.growth": ("Tốc độ tăng", "Growth"),
    "signal.enquiry_share": ("Hỏi thật giả", "Enquiries"),
    "signal.communities": ("Nhóm, trang", "Communities"),
    "signal.advert_share": ("Rao bán", "Adverts"),
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
}
