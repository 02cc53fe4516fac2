"""The console's promises to the desk, over HTTP and a real store."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import msgspec
import pytest

from console import ConsoleError, PipelineStatus, create_app, serve
from console.pages import HERE
from console.serving import open_socket, server
from console.words import WORDS
from stores.base import Batch, TrendDocument
from stores.sqlite import SqliteStore
from tests.console_scene import ATTACK, HOUR, MINUTE, NOW, TALES, fill, status
from tests.console_server import served
from tests.contracts.store_documents import rumor

ALERT, RUMOR, RISING = "a0000000000000000", "r0000000000000000", "r0000000000000005"
PAGES = ("/", f"/alerts/{ALERT}", f"/rumors/{RISING}", "/search?q=dap", "/search", "/nowhere")
DOCS = Path(__file__).resolve().parents[2] / "docs" / "console.md"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "console.sqlite")
    yield made
    made.close()


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a console over the scene, which no test changes."""
    store = SqliteStore(tmp_path_factory.mktemp("scene") / "console.sqlite")
    fill(store)
    app = create_app(store, status=status, banner="Mọi bài đăng ở đây đều được bịa ra.")
    with served(app) as address:
        yield address
    store.close()


@pytest.fixture
def desk(scene: str) -> Iterator[httpx.Client]:
    """A new reader of the scene."""
    with httpx.Client(base_url=scene, follow_redirects=True, trust_env=False) as reader:
        yield reader


Open = Callable[..., httpx.Client]


@pytest.fixture
def client(store: SqliteStore) -> Iterator[Open]:
    """Serves the test's own store with the options given and returns a reader of it."""
    with ExitStack() as stack:

        def serve_it(**options) -> httpx.Client:
            address = stack.enter_context(served(create_app(store, **options)))
            reader = httpx.Client(base_url=address, follow_redirects=True, trust_env=False)
            return stack.enter_context(reader)

        yield serve_it


def words_of(html: str) -> str:
    """A page's words without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


# --- the overview ---------------------------------------------------------------------------------


def test_overview_lists_every_alert_with_level_and_reasons(desk):
    text = words_of(desk.get("/").text)
    for tale in TALES:
        assert tale.headline in text
    assert "Xác nhận cảnh báo 71 phút trước" in text
    assert "148 bài 96 tiếng nói riêng biệt Việt, Anh, Khmer" in text
    assert "Tiếng nói riêng biệt 96 ngưỡng 8" in text
    assert "Mọi bài đăng ở đây đều được bịa ra." in text


def test_rumors_with_an_alert_do_not_stand_among_the_rising(desk):
    rising = desk.get("/").text.split('id="rising-title"')[1]
    assert f"/rumors/{RISING}" in rising
    assert f"/rumors/{RUMOR}" not in rising


def test_counters_are_the_pipelines(desk):
    text = words_of(desk.get("/").text)
    for figure in ("18.432", "118 gửi lặp · 2 trễ · 11 hỏng", "212", "41,3", "16:05"):
        assert figure in text


def test_without_a_pipeline_the_counters_are_the_stores(store, client):
    fill(store)
    text = words_of(client().get("/").text)
    assert "Bài đăng đang lưu 321" in text
    assert "Giờ dòng tin 16:05" in text


def test_categories_what_waits_and_what_is_covered_are_told(store, client):
    fill(store)
    alert, rising = store.alert(ALERT), store.rumor(RISING)
    told = {"category": "disaster", "category_confidence": 0.62}
    alert = msgspec.structs.replace(
        alert, version=99, covers=["r00000000000000c0"], waited_ms=7 * MINUTE, **told
    )
    waits = msgspec.structs.replace(rising, version=99, waiting_since=NOW - HOUR, **told)
    store.write(Batch(alerts=[alert], rumors=[waits]))
    desk = client(categories={"disaster": ("Thiên tai", "Disaster")})
    overview = words_of(desk.get("/").text)
    assert "Thiên tai" in overview and "chờ lượt: giờ này đã đủ cảnh báo" in overview
    page = words_of(desk.get(f"/alerts/{ALERT}").text)
    assert "Thiên tai (62 %)" in page
    assert "Cùng chuyện, không báo riêng r00000000000000c0" in page
    assert "Đã chờ lượt 7 phút" in page
    assert "Chờ lượt từ" in words_of(desk.get(f"/rumors/{RISING}").text)
    covered = msgspec.structs.replace(waits, version=100, waiting_since=None, covered_by=ALERT)
    store.write(Batch(rumors=[covered]))
    rises = desk.get("/").text.split('id="rising-title"')[1]
    assert f"/rumors/{RISING}" not in rises, "it is shown with the alert"
    assert f"Hiện cùng cảnh báo {ALERT}" in words_of(desk.get(f"/rumors/{RISING}").text)


@pytest.mark.parametrize("path", ["/", "/?level=confirm", "/?language=vi", "/?page=2"])
def test_an_empty_store_is_explained_in_words(store, client, path):
    answer = client(status=PipelineStatus).get(path)
    assert answer.status_code == 200
    expected = "Chưa có cảnh báo nào." if path == "/" else "Không có cảnh báo nào khớp bộ lọc."
    assert expected in answer.text
    assert "Chưa có bài đăng nào trong khoảng giờ này." in answer.text


def test_filters_narrow_the_alerts(desk):
    confirmed = desk.get("/?level=confirm").text
    assert TALES[0].headline in confirmed
    assert TALES[2].headline not in confirmed
    khmer = desk.get("/?language=km").text
    assert TALES[0].headline in khmer
    assert TALES[1].headline not in khmer
    assert "Không có cảnh báo nào khớp bộ lọc." in desk.get("/?language=fr").text


def test_alerts_of_a_category(store, client):
    fill(store)
    alerts, rising = store.alerts(), store.rumor(RISING)
    told = [msgspec.structs.replace(a, version=99, category="traffic") for a in alerts[:2]]
    rising = msgspec.structs.replace(rising, version=99, category="health")
    bucket = NOW - NOW % (5 * MINUTE)
    counted = TrendDocument(
        bucket=bucket, language="vi", platform="", version=99, posts=0, category="traffic",
        alerts_suggest=2,
    )  # fmt: skip
    store.write(Batch(alerts=told, rumors=[rising], trends=[counted]))
    desk = client(
        categories={"traffic": ("Giao thông", "Traffic"), "health": ("Sức khỏe", "Health")}
    )
    page = desk.get("/").text
    assert 'id="category-traffic" href="/?category=traffic"' in page
    assert 'id="category-health"' not in page, "no alert of it was raised in the span"
    assert f'id="topic-{told[0].alert_id}" href="/?category=traffic"' in page
    chosen = desk.get("/?category=traffic").text
    for alert in alerts:
        shown = f'href="/alerts/{alert.alert_id}"' in chosen
        assert shown == (alert.alert_id in {one.alert_id for one in told})
    assert f"/rumors/{RISING}" not in chosen and f"/rumors/{RISING}" in page
    health = desk.get("/?category=health").text
    assert "Không có cảnh báo nào khớp bộ lọc." in health and f"/rumors/{RISING}" in health
    assert 'id="category-health" href="/?category=health" aria-current="true"' in health
    both = desk.get("/?category=traffic&level=suggest&lang=en").text
    assert "Traffic" in both and 'href="/?level=suggest"' in both
    refused = desk.get("/?category=<b>")
    assert refused.status_code == 400 and "category (health, traffic, …)" in refused.text


@pytest.mark.parametrize(
    "path", ["/?level=red", "/?page=0", "/?page=x", "/?hours=5", "/?language=%3Cb%3E", "/?lang=xx"]
)
def test_an_unreadable_parameter_is_named_in_one_line(desk, path):
    answer = desk.get(path)
    name = path[2:].split("=")[0]
    assert answer.status_code == 400
    assert f"tham số không hiểu được: {name} (" in answer.text


def test_many_alerts_come_in_pages(store, client):
    alert = msgspec.structs.replace(_first_alert(store), merged_into=None)
    more = [
        msgspec.structs.replace(alert, alert_id=f"b{n:016x}", headline=f"Tin thứ {n}.", raised_at=n)
        for n in range(45)
    ]
    store.write(Batch(alerts=more))
    shown = []
    for page in (1, 2, 3):
        html = client().get(f"/?page={page}").text
        shown += re.findall(r'href="/alerts/([^"]+)"', html)
        assert ("Trang sau" in html) == (page < 3)
    assert len(shown) == len(set(shown)) == 45 + 5


def test_overview_is_quick_with_5000_rumors(store, client):
    """50 ms of CPU time, so that other work on the machine does not decide."""
    fill(store)
    rumor = store.rumor(RISING)
    assert rumor is not None
    timeline = [(NOW - NOW % (5 * MINUTE) - n * 5 * MINUTE, 2) for n in range(288)][::-1]
    store.write(
        Batch(
            rumors=[
                msgspec.structs.replace(
                    rumor, rumor_id=f"s{n:016x}", score=n / 10_000, timeline=timeline
                )
                for n in range(5_000)
            ]
        )
    )
    console = client(status=status)
    console.get("/")
    taken = []
    for _ in range(10):
        start = time.process_time()
        assert console.get("/").status_code == 200
        taken.append(time.process_time() - start)
    assert sorted(taken)[5] < 0.050


def test_an_answer_does_not_wait_for_the_network(desk):
    """Nagle's algorithm beside delayed acknowledgements would cost 40 ms an answer."""
    taken = []
    for _ in range(20):
        start = time.perf_counter()
        desk.get("/health")
        taken.append(time.perf_counter() - start)
    assert min(taken) < 0.030


# --- one alert, one rumor -------------------------------------------------------------------------


def test_an_alert_tells_why_it_fired(desk):
    text = words_of(desk.get(f"/alerts/{ALERT}").text)
    assert "Tiếng nói riêng biệt Số người đăng khác nhau" in text  # a signal and its definition
    assert "96 8 vượt ngưỡng" in text  # value, threshold, how they stand
    assert "Rao bán" in text and "chưa tới ngưỡng" in text
    assert "bài đầu tiên 14:30 Nghe nói đập" in text  # an exemplar and why
    assert "Gộp vì các cách diễn đạt gần nhất của hai tin giống nhau 0,41" in text
    assert "Gợi ý 14:53" in text and "Xác nhận 15:02" in text  # the moments on the timeline
    for place in ("zalo", "Xóm Cầu Mới", "Khmer"):
        assert place in text


def test_an_unknown_signal_shows_as_the_alert_carries_it(store, client):
    alert = _first_alert(store)
    new = msgspec.structs.replace(
        alert.signals[0], name="night_share", definition="Posts by night."
    )
    store.write(Batch(alerts=[msgspec.structs.replace(alert, version=9, signals=[new])]))
    text = words_of(client().get(f"/alerts/{ALERT}").text)
    assert "night share Posts by night. 96 8" in text


def test_a_page_names_what_was_told_before(store, client):
    def told(name, *vector):
        held = bytes([*vector, *[0] * 6])
        return rumor(name, headline=f"tin {name}", vector=held, alert_id=None, open=name == "asked")

    bare = rumor("bare", headline="bare", alert_id=None, vector=b"")
    store.write(
        Batch(rumors=[told("asked", 127, 0), told("near", 120, 40), told("far", 10, 127), bare])
    )
    store.refresh()
    page = client().get("/rumors/asked").text
    told_before = words_of(page[page.index('id="near-title"') :])
    assert "tin near" in told_before and "đã đóng" in told_before
    assert 'href="/rumors/near"' in page and "tin far" not in page
    assert 'id="near-title"' not in client().get("/rumors/bare").text, "it has no vector"


def test_posts_are_paged_oldest_first(desk):
    first = desk.get(f"/rumors/{RUMOR}").text
    last = desk.get(f"/rumors/{RUMOR}?page=6").text
    assert first.count('class="post"') == 25
    assert "Trang sau" in first and "Trang trước" not in first
    assert last.count('class="post"') == 148 - 5 * 25
    assert "Trang trước" in last and "Trang sau" not in last


def test_a_merged_alert_answers_with_its_heir_and_says_so(desk):
    answer = desk.get("/alerts/a00000000000000ff", follow_redirects=False)
    assert answer.status_code == 307
    page = desk.get("/alerts/a00000000000000ff")
    assert page.url.path == f"/alerts/{ALERT}"
    assert "Cảnh báo a00000000000000ff đã gộp vào cảnh báo này." in page.text


def test_a_merged_rumor_answers_with_its_heir_and_says_so(desk):
    page = desk.get("/rumors/r00000000000000ff")
    assert page.url.path == f"/rumors/{RUMOR}"
    assert "Tin đồn r00000000000000ff đã gộp vào tin đồn này." in page.text


def test_an_address_alone_cannot_claim_a_merge(desk):
    assert "đã gộp vào cảnh báo này" not in desk.get(f"/alerts/{ALERT}?merged={RISING}").text
    assert "đã gộp vào tin đồn này" not in desk.get(f"/rumors/{RISING}?merged={RUMOR}").text


def test_a_ring_of_merges_ends(store, client):
    fill(store)
    rumor = store.rumor(RISING)
    ring = [
        msgspec.structs.replace(rumor, rumor_id="x", merged_into="y"),
        msgspec.structs.replace(rumor, rumor_id="y", merged_into="x"),
    ]
    store.write(Batch(rumors=ring))
    assert client().get("/rumors/x").status_code == 404


@pytest.mark.parametrize("path", ["/alerts/none", "/rumors/none", "/nowhere", "/static/none.js"])
def test_what_is_not_there_is_said_in_one_line(desk, path):
    answer = desk.get(path)
    assert answer.status_code == 404
    assert "Về tổng quan" in answer.text


# --- search ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("query", ["đập Tà Lương", "dap ta luong", "DAP  LUONG"])
def test_search_finds_with_and_without_diacritics_and_marks_the_words(desk, query):
    html = desk.get("/search", params={"q": query}).text
    assert "<mark>đập</mark>" in html and "<mark>dap</mark>" in html
    assert f'href="/alerts/{ALERT}"' in html


@pytest.mark.parametrize("query", ["khôngcótừnày", '"', "* OR", "\x00", "-", "(", "a" * 5000])
def test_search_bears_any_text(desk, query):
    answer = desk.get("/search", params={"q": query})
    assert answer.status_code == 200
    assert 'class="post"' not in answer.text


# --- languages ------------------------------------------------------------------------------------


def test_the_language_is_switched_by_address_and_kept(desk):
    assert '<html lang="vi">' in desk.get("/").text
    english = desk.get("/?lang=en&level=confirm").text
    assert '<html lang="en">' in english and "Distinct voices" in english
    assert "/?level=confirm&amp;lang=vi" in english  # the way back keeps the filter
    assert '<html lang="en">' in desk.get(f"/alerts/{ALERT}").text
    assert "18,432" in desk.get("/").text


def test_a_banner_may_speak_both_languages(client):
    console = client(banner={"vi": "Bịa ra cả.", "en": "All invented."})
    assert "Bịa ra cả." in console.get("/").text
    assert "All invented." in console.get("/?lang=en").text


def test_the_console_starts_in_the_language_asked_for(store, client):
    assert '<html lang="en">' in client(language="en").get("/").text
    with pytest.raises(ValueError, match="choose one of vi, en"):
        create_app(store, language="fr")


def test_every_word_of_a_template_exists_in_both_languages():
    used = set()
    for template in (HERE / "templates").iterdir():
        text = template.read_text()
        used |= set(re.findall(r'\b(?:w|words\.word|words\.count)\("([a-z_]+)"', text))
    assert len(used) > 60
    assert used <= set(WORDS)
    blank = {key for key, (vi, en) in WORDS.items() if not (vi and en)}
    assert blank == {"join_reason"}  # English has the fold's own sentence


# --- safety ---------------------------------------------------------------------------------------


def test_hostile_text_is_shown_not_run(store, client):
    fill(store)
    alert, rumor = store.alert(ALERT), store.rumor(RUMOR)
    posts = store.posts(RUMOR, limit=3)
    change = msgspec.structs.replace
    hostile = [
        change(p, version=9, text=f"dap {ATTACK}", community=ATTACK, platform=ATTACK, lang='"><b>')
        for p in posts
    ]
    exemplars = [change(alert.exemplars[0], text=ATTACK, why=ATTACK)]
    places = {ATTACK: 3}
    store.write(
        Batch(
            alerts=[
                change(alert, version=9, headline=ATTACK, exemplars=exemplars, platforms=places)
            ],
            rumors=[change(rumor, version=9, headline=ATTACK, communities=places)],
            posts=hostile,
        )
    )
    console = client(status=status, banner=ATTACK)
    paths = ("/", f"/alerts/{ALERT}", f"/rumors/{RUMOR}", "/search?q=dap", "/live/overview")
    for path in paths:
        answer = console.get(path)
        html = answer.text if not path.startswith("/live") else "".join(_parts(answer))
        assert "&lt;script&gt;document.title" in html
        assert "<script>document" not in html and "<img" not in html
    echoed = console.get("/search", params={"q": ATTACK}).text
    assert "<script>document" not in echoed


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://vi-du.example/tin?x=1", "vi-du.example"),
        ("https://bo-y-te.example@lua-dao.example/", "lua-dao.example"),
        ("http://xn--bnh-gia.example:8443/a", "xn--bnh-gia.example:8443"),
        ("http://bình.example/", "xn--bnh-nma.example"),
    ],
)
def test_a_link_shows_its_true_host_and_tells_nobody_whence(store, client, url, host):
    html = _page_with_link(store, client, url)
    link = re.search(r'<span class="host">([^<]*)</span> <a href="([^"]*)" ([^>]*)>', html)
    assert link is not None and link[1] == host
    assert 'rel="noreferrer noopener' in link[3]


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "//x", "http://", "x"]
)
def test_what_is_no_web_address_is_no_link(store, client, url):
    assert 'class="host"' not in _page_with_link(store, client, url)


@pytest.mark.parametrize("path", [*PAGES, "/health", "/api/alerts", "/static/console.css"])
def test_every_answer_carries_the_security_headers(desk, path):
    headers = desk.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", PAGES)
def test_pages_hold_nothing_that_the_policy_forbids(desk, path):
    html = desk.get(path).text
    assert not re.search(r"<script(?![^>]* src=)[^>]*>", html)
    assert not re.search(r"\s(style|on\w+)=", html)
    outside = re.findall(r'(?:src|href)="(https?:[^"]+)"', html)
    assert all(".example" in url for url in outside)  # links of posts; nothing of ours is fetched


def test_a_failure_is_one_line_and_guarded(store, client):
    def broken() -> PipelineStatus:
        raise RuntimeError("secret detail")

    answer = client(status=broken).get("/")
    assert answer.status_code == 500
    assert "Bảng điều khiển gặp lỗi" in answer.text and "secret detail" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8080", "127.0.0.1.evil.example", ""]
)
def test_foreign_host_names_are_refused_on_loopback(desk, host):
    assert desk.get("/api/alerts", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8080", "[::1]:8080", "LOCALHOST"])
def test_own_names_are_answered(desk, host):
    assert desk.get("/health", headers={"host": host}).status_code == 200


def test_bound_to_the_network_any_name_is_answered(store):
    app = create_app(store)
    with served(app) as address:
        server(app, "0.0.0.0")
        answer = httpx.get(
            f"{address}/health", headers={"host": "ban-tin.example"}, trust_env=False
        )
    assert answer.status_code == 200


def test_pages_are_read_only(desk):
    assert desk.post("/").status_code == 405
    assert desk.delete(f"/api/alerts/{ALERT}").status_code == 405


# --- JSON -----------------------------------------------------------------------------------------


def test_health_tells_store_and_pipeline(desk):
    told = desk.get("/health").json()
    assert told["status"] == "ok"
    assert told["store"]["rumors"] == len(TALES) + 1
    assert told["pipeline"]["posts_in"] == 18_432


def test_lists_as_json_come_in_windows(desk):
    found, offset = [], 0
    while offset is not None:
        answer = desk.get(f"/api/alerts?limit=2&offset={offset}").json()
        found += [alert["alert_id"] for alert in answer["items"]]
        offset = answer["next"]
    assert len(found) == len(set(found)) == 5
    assert [a["level"] for a in desk.get("/api/alerts?level=confirm").json()["items"]] == [
        "confirm"
    ] * 2
    assert len(desk.get("/api/rumors").json()["items"]) == len(TALES)
    assert len(desk.get(f"/api/alerts/{ALERT}/posts?limit=500").json()["items"]) == 148
    assert desk.get("/api/search?q=dap&limit=3").json()["items"][0]["rumor_id"] == RUMOR
    trends = desk.get(f"/api/trends?start={NOW - HOUR}&end={NOW}").json()["items"]
    assert {trend["language"] for trend in trends} >= {"vi", "en"}


def test_a_merged_id_answers_with_its_heir_as_json(desk):
    assert desk.get("/api/alerts/a00000000000000ff").json()["alert_id"] == ALERT
    assert desk.get("/api/rumors/r00000000000000ff/posts").json()["items"][0]["rumor_id"] == RUMOR


@pytest.mark.parametrize(
    "path",
    [
        "/api/alerts?limit=0",
        "/api/alerts?limit=501",
        "/api/alerts?offset=-1",
        "/api/alerts?level=x",
        "/api/alerts?status=x",
        "/api/rumors?open=1",
        "/api/search",
        "/api/trends",
        "/api/trends?start=0",
        "/api/trends?start=٣&end=9",
    ],
)
def test_bad_questions_get_400_and_one_line(desk, path):
    answer = desk.get(path)
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"] and "\n" not in answer.json()["error"]


def test_nothing_leads_to_a_person(desk):
    told = desk.get(f"/api/rumors/{RUMOR}/posts").text
    told += desk.get(f"/api/alerts/{ALERT}").text
    assert not re.search(r'"(author|user|voice|account|name_of)\w*":\s*"', told)
    for path in ("/authors", "/api/authors", "/voices", "/api/voices/1", "/search/authors"):
        assert desk.get(path).status_code == 404


def test_a_failing_store_is_503_with_its_mend(store, client):
    fill(store)
    console = client(status=status)
    store.close()
    for path in ("/", "/health", "/api/alerts", "/live/overview"):
        answer = console.get(path)
        assert answer.status_code == 503
        assert "Kho dữ liệu không trả lời: " in answer.text


# --- live -----------------------------------------------------------------------------------------


def test_live_parts_answer_nothing_new_until_something_changes(store, client):
    fill(store)
    console = client(status=status)
    first = console.get("/live/overview?level=confirm").json()
    assert set(first["parts"]) == {"counters", "alerts", "rising", "chart"}
    have = f"/live/overview?level=confirm&have={first['stamp']}"
    assert console.get(have).status_code == 204
    alert = store.alert(ALERT)
    store.write(Batch(alerts=[msgspec.structs.replace(alert, version=9, headline="Tin đã khác.")]))
    then = console.get(have).json()
    assert "Tin đã khác." in then["parts"]["alerts"]
    assert "/?level=confirm" in then["parts"]["alerts"]  # links lead to the page, not to /live


@pytest.mark.parametrize("path", [f"/alerts/{ALERT}", f"/rumors/{RISING}"])
def test_a_storys_live_parts_are_the_pages_own(desk, path):
    page, parts = desk.get(path).text, desk.get(f"/live{path}").json()["parts"]
    for name, html in parts.items():
        assert f'data-part="{name}"' in page
        assert html in page


# --- serving --------------------------------------------------------------------------------------


def test_a_taken_port_is_one_line_with_the_mend(store):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ConsoleError) as refused:
            serve(create_app(store), "127.0.0.1", port)
    assert f"port {port} on 127.0.0.1 is taken" in str(refused.value)
    assert "choose another port" in str(refused.value)


@pytest.mark.parametrize(
    ("host", "port", "said"),
    [("no.such.host.invalid", 0, "no such address"), ("127.0.0.1", 70_000, "from 1024 to 65535")],
)
def test_an_address_that_cannot_be_had_is_one_line(host, port, said):
    with pytest.raises(ConsoleError, match=said) as refused:
        open_socket(host, port)
    assert "\n" not in str(refused.value)


def test_the_documentation_names_every_address(store):
    text = DOCS.read_text()
    for route in create_app(store).routes:
        assert f"`{route.path}" in text


def _first_alert(store: SqliteStore):
    fill(store)
    alert = store.alert(ALERT)
    assert alert is not None
    return alert


def _page_with_link(store: SqliteStore, client: Open, url: str) -> str:
    fill(store)
    posts = store.posts(RISING)
    changed = [
        msgspec.structs.replace(p, version=9, url=url if p is posts[0] else None) for p in posts
    ]
    store.write(Batch(posts=changed))
    return client().get(f"/rumors/{RISING}").text


def _parts(answer) -> list[str]:
    return list(answer.json()["parts"].values())
