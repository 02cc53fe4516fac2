"""The words on screen: one row per word, (Vietnamese, English). A count's English is "one|many"."""

from __future__ import annotations

from console.desk_words import DESK_WORDS

WORDS: dict[str, tuple[str, str]] = {
    # the frame of every page
    "product": ("Bàn trực tin đồn", "Rumor desk"),
    "skip": ("Tới nội dung chính", "Skip to the content"),
    "overview": ("Tổng quan", "Overview"),
    "search": ("Tìm", "Search"),
    "search_posts": ("Tìm bài đăng", "Search posts"),
    "search_hint": (
        "Tìm bài đăng, có dấu hay không dấu",
        "Search posts, with or without diacritics",
    ),
    "other_language": ("English", "Tiếng Việt"),
    "pause": ("Tạm dừng cập nhật", "Pause updates"),
    "resume": ("Cập nhật tiếp", "Resume updates"),
    "updates_on": ("Đang tự cập nhật", "Updating live"),
    "updates_off": ("Đã dừng cập nhật", "Updates paused"),
    "updates_lost": ("Mất liên lạc với máy chủ, đang thử lại", "Server out of reach, trying again"),
    "new_alerts": ("cảnh báo mới", "new alerts"),
    "no_script": (
        "Trình duyệt đang tắt JavaScript: hãy tải lại trang để xem số liệu mới.",
        "JavaScript is off: reload the page to see newer figures.",
    ),
    "boundary": (
        "Tindon theo dõi lời đồn, không theo dõi con người. Máy không bao giờ kết luận "
        "một bài là giả: "
        "máy nói điều gì đang lan và vì sao đáng chú ý, người trực xác minh và kết luận.",
        "Tindon watches claims, never people. The machine calls no post fake: it says "
        "what spreads and why "
        "it stands out; a person verifies and gives the verdict.",
    ),
    # counters
    "posts_in": ("Bài đăng đã nhận", "Posts received"),
    "posts_stored": ("Bài đăng đang lưu", "Posts kept"),
    "rumors": ("Tin đồn", "Rumors"),
    "posts_per_s": ("Bài mỗi giây", "Posts per second"),
    "watermark": ("Giờ dòng tin", "Stream time"),
    "watermark_is": (
        "Mốc giờ của dòng bài đăng: mọi “bao lâu trước” trên trang tính theo mốc này.",
        "The stream's own clock: every age on this page is counted from it.",
    ),
    "state_running": ("đang nhận", "receiving"),
    "state_finished": ("đã nhận hết", "all received"),
    "state_stopped": ("đang dừng", "stopped"),
    "speed": ("nhanh gấp {n} lần giờ thật", "{n}× real time"),
    "duplicates": ("{n} gửi lặp", "{n} resent"),
    "late": ("{n} trễ", "{n} late"),
    "dead": ("{n} hỏng", "{n} unreadable"),
    # lists
    "alerts": ("Cảnh báo", "Alerts"),
    "rising": ("Đang lan, chưa thành cảnh báo", "Rising, no alert yet"),
    "rising_note": ("Bài trong một giờ qua", "Posts in the last hour"),
    "level": ("Mức", "Level"),
    "language": ("Ngôn ngữ", "Language"),
    "all": ("Tất cả", "All"),
    "suggest": ("Gợi ý", "Suggest"),
    "confirm": ("Xác nhận", "Confirm"),
    "suggest_is": (
        "Vượt ngưỡng đầu: nên để mắt tới.",
        "Past the first threshold: keep an eye on it.",
    ),
    "confirm_is": ("Vượt ngưỡng cao: cần xác minh sớm.", "Past the high threshold: verify soon."),
    "score": ("Điểm", "Score"),
    "per_hour_none": ("giờ qua không thêm bài", "none in the last hour"),
    "per_hour": ("+{n} trong giờ qua", "+{n} in the last hour"),
    "previous": ("Trang trước", "Previous page"),
    "next": ("Trang sau", "Next page"),
    "page": ("Trang {n}", "Page {n}"),
    "ago": ("{n} trước", "{n} ago"),
    "just_now": ("vừa xong", "just now"),
    "raised": ("cảnh báo {n}", "raised {n}"),
    "sparkline": ("Bài đăng mỗi 10 phút, 6 giờ gần nhất", "Posts per 10 minutes, last 6 hours"),
    "since_first": ("từ bài đầu tiên", "since its first post"),
    # empty states
    "empty_alerts": ("Chưa có cảnh báo nào.", "No alert yet."),
    "empty_alerts_more": (
        "Khi một tin đồn vượt ngưỡng, nó hiện ở đây kèm lý do. Trang tự cập nhật, bạn "
        "không cần tải lại.",
        "When a rumor crosses a threshold it shows here with its reasons. The page "
        "updates by itself.",
    ),
    "empty_filter": ("Không có cảnh báo nào khớp bộ lọc.", "No alert matches the filter."),
    "clear_filter": ("Bỏ lọc", "Clear the filter"),
    "empty_rising": (
        "Một giờ qua chưa có tin đồn nào khác lan thêm.",
        "No other rumor has gained posts in the last hour.",
    ),
    "empty_chart": (
        "Chưa có bài đăng nào trong khoảng giờ này.",
        "No posts in this time span yet.",
    ),
    "empty_posts": (
        "Chưa lưu bài nào của tin đồn này: chỉ những tin đồn đủ lớn mới được lưu nguyên bài.",
        "No post of this rumor is kept: posts are stored only once a rumor is large enough.",
    ),
    "empty_search": (
        "Không tìm thấy bài nào có đủ các từ này.",
        "No post holds all of these words.",
    ),
    "empty_search_more": (
        "Thử ít từ hơn, hoặc một từ đặc trưng như tên nơi chốn. Chỉ tìm trong bài "
        "thuộc các tin đồn đủ lớn.",
        "Try fewer words, or one telling word such as a place. Only posts of larger "
        "rumors are searched.",
    ),
    "search_ask": (
        "Gõ vài từ trong bài đăng cần tìm. Gõ không dấu cũng được.",
        "Type a few words of the post you look for. Diacritics are optional.",
    ),
    "search_found": ("có các từ", "with the words"),
    "more_found": ("{n} bài khác cùng tin đồn này", "{n} more of this rumor"),
    "search_cut": ("Chỉ hiện {n} bài đầu.", "Only the first {n} are shown."),
    # chart
    "chart": ("Bài đăng mỗi 5 phút", "Posts per 5 minutes"),
    "chart_help": (
        "Chọn biểu đồ rồi dùng phím mũi tên trái, phải để đọc từng cột.",
        "Focus the chart and use the left and right arrow keys to read each bar.",
    ),
    "chart_table": ("Xem dạng bảng", "Show as a table"),
    "span": ("{n} giờ", "{n} h"),
    "time": ("Giờ", "Time"),
    "total": ("Cộng", "Total"),
    "others": ("Khác", "Other"),
    # an alert, a rumor
    "rumor": ("Tin đồn", "Rumor"),
    "alert": ("Cảnh báo", "Alert"),
    "why_alert": ("Vì sao có cảnh báo này", "Why this alert was raised"),
    "why_rumor": ("Các dấu hiệu hiện tại", "Signals as they stand"),
    "signal": ("Dấu hiệu", "Signal"),
    "value": ("Giá trị", "Value"),
    "threshold": ("Ngưỡng", "Threshold"),
    "against_threshold": ("So với ngưỡng", "Against the threshold"),
    "past": ("vượt ngưỡng", "past the threshold"),
    "below": ("chưa tới ngưỡng", "below the threshold"),
    "exemplars": ("Bài tiêu biểu", "Exemplars"),
    "timeline": ("Diễn biến", "Timeline"),
    "timeline_per": ("Bài đăng mỗi {n}", "Posts per {n}"),
    "spread": ("Mức độ lan truyền", "Spread"),
    "by_platform": ("Theo nền tảng", "By platform"),
    "by_community": ("Theo nhóm, trang", "By community"),
    "by_language": ("Theo ngôn ngữ", "By language"),
    "posts": ("Bài đăng", "Posts"),
    "posts_order": ("Cũ nhất trước", "Oldest first"),
    "joins": ("Tin đồn đã gộp vào đây", "Rumors merged into this one"),
    "join_reason": (
        "Gộp vì các cách diễn đạt gần nhất của hai tin giống nhau {similarity}, và "
        "ngưỡng gộp là {threshold}.",
        "",  # the fold's own sentence is English
    ),
    "near": ("Đã từng có tin gần giống?", "Told before?"),
    "near_note": ("Gần nhất về nghĩa, cả tin đã đóng", "Nearest in meaning, closed ones too"),
    "near_by": ("giống {n}", "likeness {n}"),
    "near_open": ("đang lan", "spreading"),
    "near_closed": ("đã đóng", "closed"),
    "facts": ("Hồ sơ", "Record"),
    "status": ("Tình trạng", "Status"),
    "first_post": ("Bài đầu tiên", "First post"),
    "last_post": ("Bài mới nhất", "Newest post"),
    "raised_at": ("Báo lúc", "Raised at"),
    "confirmed_at": ("Lên mức xác nhận", "Confirmed at"),
    "updated_at": ("Cập nhật lúc", "Updated at"),
    "delay": ("Từ bài đầu tới cảnh báo", "First post to alert"),
    "category": ("Loại", "Category"),
    "covers": ("Cùng chuyện, không báo riêng", "Same story, no alert of its own"),
    "covered_by": ("Hiện cùng cảnh báo", "Shown with the alert"),
    "waiting_since": ("Chờ lượt từ", "Waits for a place since"),
    "waited": ("Đã chờ lượt", "Waited for a place"),
    "waits": ("chờ lượt: giờ này đã đủ cảnh báo", "waits: this hour's alerts are used up"),
    "settings": ("Phiên bản cấu hình", "Settings version"),
    "encoder": ("Bộ mã hoá", "Encoder"),
    "micro_clusters": ("Cách diễn đạt", "Wordings grouped"),
    "event": ("Sự việc", "Event"),
    "reach": ("Lượt tiếp cận", "Reach"),
    "see_rumor": ("Xem tin đồn", "Open the rumor"),
    "see_alert": ("Xem cảnh báo", "Open the alert"),
    "is_closed": (
        "Tin đồn đã lặng: không còn bài mới.",
        "This rumor has gone quiet: no newer posts.",
    ),
    "heir_alert": (
        "Cảnh báo {n} đã gộp vào cảnh báo này.",
        "Alert {n} was merged into this alert.",
    ),
    "heir_rumor": ("Tin đồn {n} đã gộp vào tin đồn này.", "Rumor {n} was merged into this rumor."),
    "open_link": ("mở liên kết", "open link"),
    "link_care": (
        "Liên kết ngoài, có thể là trang lừa đảo: cẩn thận khi mở.",
        "An outside link that may be a scam: open with care.",
    ),
    "repost": ("chia sẻ lại", "repost"),
    "reply": ("trả lời", "reply"),
    "no_reason": ("Chưa dấu hiệu nào vượt ngưỡng", "No signal is past its threshold"),
    "unknown": ("chưa rõ", "unknown"),
    # errors
    "error": ("Trang không mở được", "This page cannot be shown"),
    "not_found": (
        "Không có trang này: kiểm tra lại địa chỉ, hoặc về trang tổng quan.",
        "There is no such page: check the address, or go back to the overview.",
    ),
    "no_alert": (
        "Không có cảnh báo mang mã này: mã sai, hoặc đã hết hạn lưu. Về trang tổng "
        "quan để xem danh sách.",
        "There is no alert with this id: it is mistyped or past its retention. See the "
        "overview's list.",
    ),
    "no_rumor": (
        "Không có tin đồn mang mã này: mã sai, hoặc đã hết hạn lưu. Về trang tổng quan "
        "để xem danh sách.",
        "There is no rumor with this id: it is mistyped or past its retention. See the "
        "overview's list.",
    ),
    "bad_request": (
        "Địa chỉ có tham số không hiểu được: {n}.",
        "The address holds a parameter that cannot be read: {n}.",
    ),
    "method": (
        "Trang này chỉ để đọc: mở bằng liên kết thường.",
        "These pages are for reading only: open them with a plain link.",
    ),
    "store_down": (
        "Kho dữ liệu không trả lời: {n}",
        "The store does not answer: {n}",
    ),
    "internal": (
        "Bảng điều khiển gặp lỗi: tải lại trang; nếu còn lỗi, xem nhật ký của tindon.",
        "The console failed: reload the page; if it fails again, read tindon's log.",
    ),
    "back": ("Về tổng quan", "Back to the overview"),
    # counts
    "n_posts": ("{n} bài", "{n} post|{n} posts"),
    "n_voices": ("{n} tiếng nói riêng biệt", "{n} distinct voice|{n} distinct voices"),
    "n_alerts": ("{n} cảnh báo", "{n} alert|{n} alerts"),
    "n_reach": ("{n} lượt tiếp cận", "reach {n}|reach {n}"),
    "n_seconds": ("{n} giây", "{n} s|{n} s"),
    "n_minutes": ("{n} phút", "{n} min|{n} min"),
    "n_hours": ("{n} giờ", "{n} h|{n} h"),
    "n_days": ("{n} ngày", "{n} day|{n} days"),
    "n_times": ("gấp {n} lần", "{n}×|{n}×"),
    # the page on which thresholds are tried
    "tune": ("Thử ngưỡng", "Tune"),
    "tune_what": (
        "So sánh cài đặt đang dùng với cài đặt thử trên một tệp bài đăng hoặc một đoạn đã lưu. "
        "Không có gì đang chạy bị thay đổi.",
        "Compare the settings in force with a candidate's over a file of posts. "
        "Nothing that runs is changed.",
    ),
    "tune_empty": ("Chưa có tệp bài đăng nào để thử", "There are no posts to try it on"),
    "tune_empty_more": (
        "Mở trang này với một thư mục chứa tệp .jsonl hoặc .csv:",
        "Open the console with a folder of .jsonl or .csv files:",
    ),
    "tune_stretch": ("Tệp hoặc đoạn đã lưu", "File or stored stretch"),
    "tune_dials": ("Các ngưỡng", "Thresholds"),
    "tune_setting": ("Cài đặt", "Setting"),
    "tune_in_force": ("Đang dùng", "In force"),
    "tune_candidate": ("Thử", "Candidate"),
    "tune_compare": ("So sánh", "Compare"),
    "tune_reset": ("Về cài đặt đang dùng", "Back to what is in force"),
    "tune_none": ("Chưa so sánh gì", "Nothing was compared yet"),
    "tune_none_more": (
        "Chọn một tệp hoặc đoạn, đổi ngưỡng, bấm So sánh: cảnh báo nào sẽ xuất hiện, mất đi, sớm hơn "
        "hoặc muộn hơn sẽ hiện ở đây.",
        "Choose a file or stretch, move thresholds, press Compare: the alerts that would appear, vanish, "
        "come earlier or later are listed here.",
    ),
    "tune_same": ("Không ngưỡng nào bị đổi.", "No threshold was moved."),
    "tune_first": ("{n} cảnh báo đầu", "the first {n}"),
    "tune_working": ("Đang so sánh…", "Comparing…"),
    "tune_working_more": (
        "Mỗi nghìn bài mất vài giây. Trang tự cập nhật khi xong.",
        "A thousand posts take some seconds. The page updates when it is done.",
    ),
    "tune_busy": ("Đang có một lần thử khác, hãy chờ", "Another trial is running, please wait"),
    "tune_failed": ("Không so sánh được", "The comparison failed"),
    "tune_result": ("Kết quả", "Result"),
    "tune_days": ("{n} ngày", "{n} days"),
    "tune_no_difference": (
        "Không cảnh báo nào khác đi: hai cài đặt cho cùng kết quả.",
        "No alert differs: both settings say the same.",
    ),
    "tune_minutes": ("{n} phút", "{n} min"),
    "no_stretch": ("Không có tệp bài đăng này", "There is no such file of posts"),
    **DESK_WORDS,
}
