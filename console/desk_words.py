"""The words of the desk: (Vietnamese, English), as in `console.words`."""

from __future__ import annotations

DESK_WORDS: dict[str, tuple[str, str]] = {
    "triage": ("Kết luận và xử lý", "Verdict and triage"),
    "no_verdict": ("Chưa có kết luận.", "No verdict yet."),
    "verdict_by": ("{n} kết luận", "given by {n}"),
    "assignee": ("Giao cho", "Assigned to"),
    "is_muted": (
        "Đã tắt tiếng: không nâng mức, không mở lại.",
        "Muted: neither lifted nor opened again.",
    ),
    "reopened_times": ("Mở lại {n} lần", "Opened again {n} times"),
    "sources": ("Nguồn để kiểm tra", "Where it can be checked"),
    "correction": ("Đính chính để chia sẻ", "Correction to share"),
    "match_certain": (
        "Tái xuất hiện: lời đồn này đã được kiểm chứng",
        "Returned: this claim was verified before",
    ),
    "match_offer": (
        "Có thể là lời đồn đã kiểm chứng, người trực xem lại",
        "May be a claim that was verified before: for you to judge",
    ),
    "found_by": ("Kiểm chứng bởi", "Verified by"),
    "found_at": ("Ngày kiểm chứng", "Verified on"),
    "likeness": ("Độ giống", "Likeness"),
    "claim": ("Lời đồn đã biết", "Known claim"),
    "history": ("Lịch sử xử lý", "History"),
    "history_empty": ("Chưa ai xử lý cảnh báo này.", "Nobody has acted on this alert yet."),
    "the_road": ("tự động", "by itself"),
    "splits": ("Đã tách", "Splits"),
    "split_left": ("{n} đã tách khỏi tin đồn này", "{n} were split off this rumor"),
    "split_made": ("Tách ra từ tin đồn khác, {n}", "Split off another rumor, {n}"),
    "split_moved": (
        "{n} đã tách từ tin đồn này thành tin đồn kia",
        "{n} were split off one rumor into the other",
    ),
    "by": ("bởi {n}", "by {n}"),
    # forms
    "act": ("Thao tác", "Act"),
    "who": ("Tên của bạn ở bàn trực", "Your name on the desk"),
    "why": ("Lý do, ghi chú", "Reason or note"),
    "field_assignee": ("Giao cho ai", "Assign to"),
    "field_verdict": ("Kết luận", "Verdict"),
    "field_links": ("Nguồn (mỗi dòng một liên kết)", "Sources (a link on each line)"),
    "field_correction": ("Lời đính chính để chia sẻ", "Correction to share"),
    "field_correction_link": ("Liên kết bài đính chính", "Link of the correction"),
    "field_other": ("Mã cảnh báo hoặc tin đồn kia", "Id of the other alert or rumor"),
    "split_how": (
        "Đánh dấu những bài nói chuyện khác trong danh sách bên dưới, rồi bấm Tách.",
        "Tick the posts of another claim in the list below, then press Split.",
    ),
    "split_tick": ("Bài này nói chuyện khác", "Another claim"),
    "raise_how": (
        "Đưa tin đồn này thành cảnh báo riêng, kể cả khi đang hiện cùng cảnh báo khác hoặc đang chờ lượt.",
        "Gives this rumor an alert of its own, also when it is shown with another one or waits for a place.",
    ),
    "act_by_command": (
        "Trang này chỉ để đọc. Thao tác bằng lệnh (hoặc mở bằng `tindon console --desk`):",
        "This page is for reading only. Act by command (or open it with `tindon console --desk`):",
    ),
    "done_taken": ("Đã thực hiện: {n}.", "Done: {n}."),
    "done_refused": ("Không thực hiện được: {n}", "Refused: {n}"),
    "done_waiting": (
        "Đã gửi, hệ thống chưa trả lời: tải lại trang sau ít giây.",
        "Sent, and not answered yet: reload the page in some seconds.",
    ),
    "done_part": ("Các bài đã tách thành tin đồn", "The posts are now rumor"),
    "no_desk": (
        "Bảng này chỉ để đọc: mở bằng `tindon console --desk` để thao tác.",
        "This console is for reading only: open it with `tindon console --desk` to act.",
    ),
    "foreign": (
        "Yêu cầu đến từ trang khác: hãy thao tác ngay trên trang cảnh báo.",
        "The form came from another site: act on the alert's own page.",
    ),
    "no_name": ("Hãy ghi tên của bạn ở bàn trực.", "Give your name on the desk."),
    "not_given": ("Không gửi được: {n}", "It could not be sent: {n}"),
    "too_long": ("Nội dung quá dài: hãy rút gọn.", "That is too long: shorten it."),
}

DESK_VALUES: dict[str, tuple[str, str]] = {
    "verdict.fake": ("Tin giả", "Fake"),
    "verdict.not-the-truth": ("Sai sự thật", "Not the truth"),
    "verdict.authenticated": ("Đã xác thực", "Authenticated"),
    "verdict.unverifiable": ("Chưa thể kiểm chứng", "Unverifiable"),
    "deed.acknowledge": ("Tiếp nhận", "Acknowledge"),
    "deed.assign": ("Giao việc", "Assign"),
    "deed.verify": ("Bắt đầu xác minh", "Start verifying"),
    "deed.note": ("Ghi chú", "Note"),
    "deed.verdict": ("Kết luận", "Verdict"),
    "deed.dismiss": ("Bác bỏ cảnh báo", "Dismiss"),
    "deed.close": ("Đóng", "Close"),
    "deed.reopen": ("Mở lại", "Reopen"),
    "deed.mute": ("Tắt tiếng", "Mute"),
    "deed.unmute": ("Bỏ tắt tiếng", "Unmute"),
    "deed.merge": ("Gộp", "Merge"),
    "deed.split": ("Tách", "Split"),
    "deed.raise": ("Tạo cảnh báo", "Raise an alert"),
    "deed.covered": ("Gộp hiển thị, không báo riêng", "Shown with it, no alert of its own"),
    "deed.merged": ("Đã gộp", "Merged"),
    "deed.reopened": ("Bùng lên lần nữa", "Opened again by a new burst"),
    "deed.closed": ("Hết hạn theo dõi", "Left the window"),
    "deed.offered": ("Giống lời đồn đã biết", "Known claim offered"),
    "deed.returned": ("Lời đồn đã biết trở lại", "Known claim returned"),
    # signals that the screen had no Vietnamese for
    "flag.harm": ("có thể gây hại", "may hurt people"),
    "signal.harm_share": ("Có thể gây hại", "May hurt people"),
    "definition.harm_share": (
        "Tỷ lệ bài thuộc loại có thể gây hại cho người hoặc làm mất tiền, theo bảng phân loại.",
        "Share of the posts of a category that may hurt people or cost them money, by the taxonomy.",
    ),
    "definition.platforms": ("Số nền tảng có đăng.", "Distinct platforms that carry it."),
    "definition.languages": ("Số ngôn ngữ khác nhau.", "Distinct languages in which it is told."),
    "definition.reach": (
        "Tổng lượt tiếp cận mà các bài ghi.",
        "Sum of the reach that its posts state.",
    ),
    "definition.novelty": (
        "Tỷ lệ bài của 24 giờ qua: thấp khi là chuyện cũ kéo dài.",
        "Share of its posts that came in the last 24 hours: low for an old story that goes on.",
    ),
    "definition.age": ("Số giờ từ bài đầu tiên.", "Hours since its first post."),
    "definition.denial_share": (
        "Tỷ lệ bài nói rằng không đúng.",
        "Share of the posts that say that it is not true.",
    ),
    "definition.correction_share": (
        "Tỷ lệ bài là đính chính đã công bố; trên 0 nghĩa là đã có người trả lời.",
        "Share of the posts that are published corrections; above 0 somebody has answered already.",
    ),
    "definition.tip_share": (
        "Tỷ lệ bài do người dân báo tin.",
        "Share of the posts that citizens sent in as tips.",
    ),
    "definition.urgent_share": (
        "Tỷ lệ bài kêu gọi chia sẻ, hành động hoặc đề phòng.",
        "Share of the posts that call to share, to act or to beware.",
    ),
    "definition.agency_share": (
        "Tỷ lệ bài nhắc tới hoặc nhân danh cơ quan.",
        "Share of the posts that speak of or as an authority.",
    ),
}
