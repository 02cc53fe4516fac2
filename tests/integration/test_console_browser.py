"""The console in a real Chromium: what a reader sees, hears and reaches by keyboard."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect, sync_playwright

from console import create_app
from stores.base import Batch
from stores.sqlite import SqliteStore
from tests.console_scene import ATTACK, NOW, fill, status
from tests.console_server import served

CHROMIUM = "/usr/bin/chromium"
ALERT, RUMOR, RISING = "a0000000000000000", "r0000000000000000", "r0000000000000005"
SHOWN = {
    "overview": "/",
    "overview, english": "/?lang=en&hours=24",
    "no match": "/?language=fr",
    "alert": f"/alerts/{ALERT}",
    "heir": "/alerts/a00000000000000ff",
    "rumor": f"/rumors/{RISING}",
    "search": "/search?q=dap+ta+luong",
    "nothing found": "/search?q=khongco",
    "error": "/alerts/none",
}
LIVE = 8_000  # ms: four questions

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not os.path.exists(CHROMIUM), reason="no Chromium: apt-get install chromium"
    ),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqliteStore]:
    made = SqliteStore(tmp_path / "console.sqlite")
    fill(made)
    yield made
    made.close()


@pytest.fixture
def address(store: SqliteStore) -> Iterator[str]:
    with served(create_app(store, status=status, banner="Mọi bài đăng ở đây đều bịa.")) as address:
        yield address


Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, address: str) -> Iterator[Open]:
    """Opens pages; at the end none may have complained, of a script or of the policy."""
    complaints: list[str] = []
    contexts = []

    def open_it(path: str, width: int = 1440, height: int = 900, **options) -> Page:
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("dialog", lambda dialog: complaints.append(f"dialog: {dialog.message}"))
        page.on("console", lambda said: said.type == "error" and complaints.append(said.text))
        page.goto(address + path)
        return page

    yield open_it
    for context in contexts:
        context.close()
    # of its own accord Chromium reports pages that are not there and requests that a test cut
    expected = ("404 (Not Found)", "net::ERR_FAILED")
    assert [text for text in complaints if not text.endswith(expected)] == []


def change(store: SqliteStore, **fields) -> None:
    """A newer version of the first alert, or of the alert with `alert_id`."""
    alert = store.alert(ALERT)
    assert alert is not None
    store.write(Batch(alerts=[msgspec.structs.replace(alert, version=alert.version + 1, **fields)]))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", SHOWN)
def test_pages_are_accessible(open_page, name, scheme):
    """No violation of axe's rules (WCAG 2.1 A and AA, contrast included), wide and narrow."""
    page = open_page(SHOWN[name], color_scheme=scheme)
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        found = Axe().run(page).response["violations"]
        told = [(rule["id"], [node["html"][:120] for node in rule["nodes"][:3]]) for rule in found]
        assert told == []


@pytest.mark.parametrize("name", SHOWN)
def test_no_page_scrolls_sideways(open_page, name):
    page = open_page(SHOWN[name])
    for width in (1440, 1024, 768, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_new_alert_appears_without_reloading(open_page, store):
    page = open_page("/")
    page.evaluate("window.kept = true")
    expect(page.locator(".alert")).to_have_count(5)
    change(store, alert_id="anew", headline="Tin vừa nổi lên.", raised_at=NOW)
    first = page.locator(".alert").first
    expect(first).to_contain_text("Tin vừa nổi lên.", timeout=LIVE)
    expect(first).to_have_class("alert confirm is-new")
    expect(page.locator("[data-announce]")).to_have_text("1 cảnh báo mới")
    assert page.evaluate("window.kept") is True


def test_updates_can_be_paused_and_resumed(open_page, store):
    page = open_page("/")
    page.get_by_role("button", name="Tạm dừng cập nhật").click()
    expect(page.locator(".pulse-text")).to_have_text("Đã dừng cập nhật")
    change(store, headline="Tin đã đổi.")
    page.wait_for_timeout(3_000)
    expect(page.locator("body")).not_to_contain_text("Tin đã đổi.")
    page.get_by_role("button", name="Cập nhật tiếp").click()
    expect(page.locator("body")).to_contain_text("Tin đã đổi.", timeout=LIVE)


def test_an_update_keeps_the_readers_place(open_page, store):
    page = open_page("/")
    page.locator(f"#alert-{ALERT}").focus()
    page.locator("#trend-table summary").click()
    page.locator(f"#alert-{ALERT}").focus()
    change(store, headline="Tin đã đổi.")
    expect(page.locator(f"#alert-{ALERT}")).to_have_text("Tin đã đổi.", timeout=LIVE)
    assert page.evaluate("document.activeElement.id") == f"alert-{ALERT}"
    assert page.locator("#trend-table").get_attribute("open") is not None


def test_a_lost_server_is_said_and_found_again(open_page):
    page = open_page("/")
    page.route("**/live/**", lambda route: route.abort())
    expect(page.locator(".pulse-text")).to_contain_text("Mất liên lạc", timeout=LIVE)
    page.unroute("**/live/**")
    expect(page.locator(".pulse-text")).to_have_text("Đang tự cập nhật", timeout=20_000)


def test_everything_can_be_read_without_javascript(open_page):
    page = open_page("/", java_script_enabled=False)
    expect(page.locator(".alert")).to_have_count(5)
    expect(page.locator(".pulse")).to_be_hidden()
    page.locator(".alert h3 a").first.click()
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator(".signals tbody tr")).to_have_count(7)
    page.get_by_role("link", name="Trang sau").click()
    expect(page.locator(".pager")).to_contain_text("Trang 2")


def test_the_keyboard_reaches_alert_chart_and_search(open_page):
    page = open_page("/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.locator("#trend").focus()
    page.keyboard.press("ArrowLeft")
    tip = page.locator("#trend [data-tip]")
    expect(tip).to_be_visible()
    newest = tip.inner_text()
    assert newest.startswith("16:05")
    page.keyboard.press("ArrowLeft")
    assert tip.inner_text().startswith("16:00")
    page.locator("#q").focus()
    page.keyboard.type("thit nhiem benh")
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text("thit nhiem benh")
    expect(page.locator("mark").first).to_be_visible()


def test_the_pointer_reads_a_bar(open_page):
    page = open_page(f"/alerts/{ALERT}")
    page.locator("#timeline .column .hit").nth(2).hover(force=True)
    expect(page.locator("#timeline [data-tip]")).to_contain_text("bài")
    expect(page.locator("#timeline .column title")).to_have_count(0)


def test_hostile_posts_do_nothing(open_page, store):
    post = store.posts(RUMOR, limit=1)[0]
    change(store, headline=ATTACK)
    rumor = store.rumor(RUMOR)
    store.write(
        Batch(
            posts=[msgspec.structs.replace(post, version=9, text=ATTACK, community=ATTACK)],
            rumors=[msgspec.structs.replace(rumor, version=9, headline=ATTACK)],
        )
    )
    for path in ("/", f"/alerts/{ALERT}", f"/rumors/{RUMOR}"):
        page = open_page(path)
        expect(page.locator("main")).to_contain_text(ATTACK)
        page.wait_for_timeout(2_500)  # one live update
        assert page.title() != "broken"
        assert page.locator("img").count() == 0
