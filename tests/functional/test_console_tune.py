"""The page on which thresholds are tried, over HTTP and with real trials; posts are invented."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

import config
from agents.replay import ReplayOptions, replay
from cli.errors import UserError
from cli.trials import Trials
from console import create_app
from console.language import LANGUAGES, Language
from stores.sqlite import SqliteStore
from streams.sources.scenario import generate
from tests.console_server import served

PATIENCE_S = 120.0


@pytest.fixture
def trials(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trials]:
    monkeypatch.setenv("TINDON_EMBED__ENCODER", "none")
    folder = tmp_path / "posts"
    folder.mkdir()
    lines = [json.dumps(post, ensure_ascii=False) for post in generate()[:120]]
    (folder / "day.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "broken.jsonl").write_text("{half\n", encoding="utf-8")
    (folder / "notes.txt").write_text("no posts", encoding="utf-8")
    made = Trials(folder, config.load().settings, None)
    yield made
    made.close()


@pytest.fixture
def desk(tmp_path: Path, trials: Trials) -> Iterator[httpx.Client]:
    store = SqliteStore(tmp_path / "console.sqlite")
    with (
        served(create_app(store, language="en", tune=trials)) as address,
        httpx.Client(base_url=address, trust_env=False) as client,
    ):
        yield client
    store.close()


def rows_of(folder: Path) -> dict[str, object]:
    """Everything that a replay's database holds, by table, and the names of the folder's files."""
    tables = (
        "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'"
    )
    with closing(sqlite3.connect(folder / "tindon.sqlite")) as database:
        names = [name for (name,) in database.execute(tables)]
        rows = {name: database.execute(f"SELECT * FROM {name}").fetchall() for name in names}
    assert len(rows["posts"]) > 0
    return {**rows, "files": sorted(path.name for path in folder.iterdir())}


def settled(desk: httpx.Client, address: str) -> str:
    """The page once no trial runs for it."""
    end = time.monotonic() + PATIENCE_S
    while "Comparing…" in (page := desk.get(address).text):
        assert time.monotonic() < end, "the trial does not end"
        time.sleep(0.05)
    return page


def test_a_trial_from_the_form_to_its_result(desk: httpx.Client, trials: Trials) -> None:
    page = desk.get("/tune").text
    assert "day.jsonl" in page and "notes.txt" not in page
    assert 'name="alert.suggest.min_posts"' in page
    asked = "/tune?stretch=day.jsonl&alert.suggest.min_posts=400"
    # Another site's page may link here: it must not start any work.
    foreign = desk.get(asked, headers={"sec-fetch-site": "cross-site"}).text
    assert "Comparing…" not in foreign and trials._running is None
    assert "Comparing…" in desk.get(asked).text
    assert "Another trial is running" in desk.get("/tune?stretch=broken.jsonl").text
    assert "Result" in settled(desk, asked)
    live = desk.get(asked.replace("/tune", "/live/tune")).json()
    assert "Result" in live["parts"]["tune"]
    failed = settled(desk, "/tune?stretch=broken.jsonl")
    assert "The comparison failed" in failed and "none of 1 posts is valid" in failed


def test_labelled_posts_are_told_by_their_labels(
    desk: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    posts = generate()[:120]
    for number, post in enumerate(posts):
        post["cluster"] = f"s{number % 3}"
    lines = [json.dumps(post, ensure_ascii=False) for post in posts]
    (tmp_path / "posts" / "told.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert "F1 of rumors, by the labels" in settled(desk, "/tune?stretch=told.jsonl")
    assert "by the labels" not in settled(desk, "/tune?stretch=day.jsonl")


def test_the_cover_its_hours_and_the_rate_have_dials_that_reach_the_trial(
    desk: httpx.Client, trials: Trials
) -> None:
    page = desk.get("/tune").text
    names = [dial.name for dial in trials.dials()]
    assert {"alert.cover_threshold", "alert.cooldown_h", "alert.per_hour"} < set(names)
    for name in names:
        assert f'name="{name}"' in page
        assert all(Language(code).name("dial", name) != name for code in LANGUAGES), name
    asked = "/tune?stretch=day.jsonl&alert.per_hour=1&alert.cooldown_h=0&alert.cover_threshold=0.5"
    assert "Result" in settled(desk, asked)
    [told] = [trial.told for trial in trials._done.values()]
    assert told is not None
    assert {n: then for n, (_, then) in told["changed"].items()} == {
        "alert.per_hour": 1, "alert.cooldown_h": 0.0, "alert.cover_threshold": 0.5
    }  # fmt: skip


def test_a_value_in_force_that_is_on_no_step_can_be_sent(tmp_path: Path) -> None:
    """Else a browser refuses the form for the sake of a dial that nobody moved."""
    own = {"TINDON_CLUSTER__MICRO_THRESHOLD": ".275", "TINDON_ALERT__PER_HOUR": "5000"}
    trials = Trials(tmp_path, config.load(env=own).settings, None)
    dials = {dial.name: dial for dial in trials.dials()}
    trials.close()
    assert dials["cluster.micro_threshold"].step == 0.0
    assert dials["alert.per_hour"].high == 5000 and dials["alert.per_hour"].step == 1
    assert dials["alert.macro_threshold"].step == 0.01


def test_what_is_refused(desk: httpx.Client) -> None:
    assert desk.get("/tune?stretch=../secret").status_code == 404
    for given in ("low", "nan", "7", "-1"):
        answer = desk.get(f"/tune?stretch=day.jsonl&cluster.micro_threshold={given}")
        assert answer.status_code == 400 and "cluster.micro_threshold" in answer.text


def test_without_posts_the_page_says_how_to_get_it(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "console.sqlite")
    with served(create_app(store)) as address, httpx.Client(trust_env=False) as client:
        for language, says in (("vi", "Chưa có tệp"), ("en", "There are no posts")):
            page = client.get(f"{address}/tune?lang={language}").text
            assert says in page and "tindon console --tune DIR" in page
    store.close()
    with pytest.raises(UserError, match="there is no folder"):
        Trials(tmp_path / "none", config.defaults(), None)


def test_the_stored_posts_of_a_replay_are_a_stretch(
    desk: httpx.Client, trials: Trials, tmp_path: Path
) -> None:
    folder = tmp_path / "posts"
    assert "night/" not in desk.get("/tune").text
    replay([str(folder / "day.jsonl")], folder / "night", config.load().settings, ReplayOptions())
    (folder / "empty").mkdir()
    page = desk.get("/tune").text
    assert "night/" in page and "empty/" not in page
    with closing(SqliteStore(folder / "night" / "tindon.sqlite")) as store:
        stored = store.counts()["posts"]
    before = rows_of(folder / "night")
    address = "/tune?stretch=night%2F&alert.suggest.min_posts=50"
    told = settled(desk, address)
    assert f"{stored} posts" in told
    assert "Comparing" not in told and "failed" not in told
    assert rows_of(folder / "night") == before, "a trial leaves the desk's store as it is"
    (folder / "night" / "tindon.sqlite").write_bytes(b"no database")
    assert "The comparison failed" in settled(desk, address + "0")
