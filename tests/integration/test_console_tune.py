"""The page Tune in a real Chromium, over real trials: a threshold is moved, its effect is told."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect, sync_playwright

import config
from cli.trials import Trials
from console import create_app
from stores.sqlite import SqliteStore
from streams.sources.scenario import generate
from tests.console_server import served

CHROMIUM = "/usr/bin/chromium"
POSTS = 400
PATIENCE = 120_000  # ms: a trial is a process of its own, on a busy machine

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        not os.path.exists(CHROMIUM), reason="no Chromium: apt-get install chromium"
    ),
]


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Page]:
    monkeypatch.setenv("TINDON_EMBED__ENCODER", "none")
    folder = tmp_path / "posts"
    folder.mkdir()
    lines = [json.dumps(post, ensure_ascii=False) for post in generate()[:POSTS]]
    (folder / "day.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "broken.jsonl").write_text("{half\n", encoding="utf-8")
    store = SqliteStore(tmp_path / "console.sqlite")
    trials = Trials(folder, config.load().settings, None)
    app = create_app(store, language="en", tune=trials)
    with served(app) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        opened = browser.new_page()
        opened.goto(address)
        yield opened
        browser.close()
    trials.close()
    store.close()


def accessible(page: Page) -> None:
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        found = Axe().run(page).response["violations"]
        told = [(rule["id"], [node["html"][:120] for node in rule["nodes"][:3]]) for rule in found]
        assert told == []


def test_a_threshold_is_moved_and_its_effect_told(page: Page) -> None:
    page.get_by_role("link", name="Tune").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Tune")
    accessible(page)
    expect(page.get_by_text("Nothing was compared yet")).to_be_visible()
    page.get_by_label("File or stored stretch").select_option("day.jsonl")
    page.get_by_label("Suggest: posts").fill("300")
    page.get_by_role("button", name="Compare").click()
    expect(page.get_by_role("heading", name="Result")).to_be_visible(timeout=PATIENCE)
    expect(page.get_by_role("heading", name="Alerts that vanish")).to_be_visible()
    accessible(page)
    expect(page.get_by_text("Suggest: posts 4 → 300")).to_be_visible()
    page.get_by_role("link", name="Tiếng Việt").click()  # the result is there: no second trial
    expect(page.get_by_role("heading", name="Kết quả")).to_be_visible()
    expect(page.get_by_role("heading", name="Cảnh báo mất đi")).to_be_visible()


def test_what_failed_is_told_without_reloading(page: Page) -> None:
    """A stretch alone, as a bookmark or the way back to what is in force has it."""
    page.goto(page.url.rstrip("/") + "/tune?stretch=broken.jsonl")
    expect(page.get_by_text("Comparing…")).to_be_visible()
    expect(page.get_by_text("none of 1 posts is valid")).to_be_visible(timeout=PATIENCE)
    accessible(page)
