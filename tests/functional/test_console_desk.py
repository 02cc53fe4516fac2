"""Analysts act from an alert's page: over HTTP, a real road's folder and its store. Posts are invented."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

import config
from agents.replay import ReplayOptions, replay
from alerts.lifecycle import MOVES
from cli.deeds import Deeds
from cli.main import main
from console import create_app
from console.desk_words import DESK_VALUES, DESK_WORDS
from console.triage import DEEDS
from stores.sqlite import SqliteStore
from streams.sources.scenario import generate
from tests.console_server import served

OURS = {"sec-fetch-site": "same-origin"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("desk")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TINDON_STATE_DIR", str(home / "state"))
        patch.setenv("TINDON_EMBED__ENCODER", "none")
        posts = home / "day.jsonl"
        posts.write_text("".join(json.dumps(p) + "\n" for p in generate()[:1200]))
        replay([str(posts)], home / "out", config.load().settings, ReplayOptions(processes=1))
        yield home / "out"


@pytest.fixture(scope="module")
def store(folder: Path) -> Iterator[SqliteStore]:
    with closing(SqliteStore(folder / "tindon.sqlite")) as opened:
        yield opened


@pytest.fixture(scope="module")
def desk(folder: Path, store: SqliteStore) -> Iterator[httpx.Client]:
    app = create_app(store, language="en", desk=Deeds(config.load().settings, folder))
    with (
        served(app) as address,
        httpx.Client(base_url=address, follow_redirects=True, trust_env=False) as reader,
    ):
        yield reader


def act(desk: httpx.Client, alert: str, deed: str, **fields: object) -> httpx.Response:
    form = {"deed": deed, "who": "Lan Anh", **fields}
    return desk.post(f"/alerts/{alert}/act", data=form, headers=OURS)


def test_a_verdict_from_the_page(desk: httpx.Client, store: SqliteStore) -> None:
    alert = next(a.alert_id for a in store.alerts() if not a.triage.history)
    page = desk.get(f"/alerts/{alert}").text
    assert "No verdict yet." in page and "Nobody has acted on this alert yet." in page
    said = act(
        desk, alert, "verdict", verdict="fake", why="called the keeper",
        links="https://example.org/a\nhttps://example.org/b", correction="Đập an toàn <b>.",
    )  # fmt: skip
    assert "Done: Verdict." in said.text
    assert "Đập an toàn &lt;b&gt;." in said.text
    found = store.alert(alert)
    assert found is not None
    t = found.triage
    assert (t.verdict, t.decided_by, t.links) == (
        "fake", "Lan Anh", ["https://example.org/a", "https://example.org/b"]
    )  # fmt: skip
    assert t.history[-1].why == "called the keeper"
    again = act(desk, alert, "acknowledge")
    assert "Refused: the alert is answered by Lan Anh" in again.text
    assert 'value="Lan Anh"' in desk.get(f"/alerts/{alert}").text, "the name is remembered"
    vietnamese = desk.get(f"/alerts/{alert}?lang=vi").text
    desk.get("/?lang=en")  # the cookie keeps it
    assert "Tin giả" in vietnamese and "Lan Anh kết luận" in vietnamese


def test_merge_and_split_from_the_page(desk: httpx.Client, store: SqliteStore) -> None:
    one, other = (a.alert_id for a in store.alerts(limit=3)[1:])
    merged = act(desk, one, "merge", other=other, why="the same hoax")
    assert "Done: Merge." in merged.text
    heir = merged.url.path.rsplit("/", 1)[1]
    assert "became part of it: the same hoax" in merged.text
    alert = store.alert(heir)
    assert alert is not None
    named = [p.post_id for p in store.posts(alert.rumor_id, limit=200)][-2:]
    said = act(desk, heir, "split", post=named, why="another hoax")
    assert "Done: Split." in said.text
    rumor = store.rumor(alert.rumor_id)
    assert rumor is not None
    part = rumor.splits[-1].part
    assert f"/rumors/{part}" in said.text
    page = desk.get(f"/rumors/{part}")
    own = page.url.path.endswith(part)  # else it went into an older one at once
    assert ("Split off another rumor" if own else "split off one rumor") in page.text
    gone = act(desk, heir, "split", post="nobody")
    assert "Refused: nobody is no post of" in gone.text


@pytest.mark.parametrize(
    ("headers", "form", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, {"deed": "note", "who": "X", "why": "y"}, 403),
        ({"origin": "https://evil.example"}, {"deed": "note", "who": "X", "why": "y"}, 403),
        ({}, {"deed": "note", "who": "X", "why": "y"}, 403),
        (OURS, {"deed": "erase", "who": "X"}, 400),
        (OURS, {"deed": "note", "who": " ", "why": "y"}, 400),
        (OURS, {"deed": "note", "who": "X", "why": "y" * 70_000}, 413),
    ],
)
def test_what_is_no_form_of_ours_reaches_no_road(
    desk: httpx.Client,
    store: SqliteStore,
    headers: dict[str, str],
    form: dict[str, str],
    status: int,
) -> None:
    alert = store.alerts(limit=1)[0].alert_id
    before = len(store.audit(limit=1000))
    answer = desk.post(f"/alerts/{alert}/act", data=form, headers=headers)
    assert answer.status_code == status
    assert len(store.audit(limit=1000)) == before


def test_an_unknown_alert_is_refused_in_the_audit(desk: httpx.Client, store: SqliteStore) -> None:
    answer = act(desk, "anone", "note", why="y")
    assert answer.status_code == 404
    assert any(a.subject == "anone" and not a.taken for a in store.audit(limit=1000))


def test_without_a_desk_the_page_shows_the_commands(store: SqliteStore) -> None:
    alert = store.alerts(limit=1)[0].alert_id
    with (
        served(create_app(store, language="en")) as address,
        httpx.Client(base_url=address, trust_env=False) as reader,
    ):
        bare = next(r.rumor_id for r in store.rumors(open_only=True) if r.alert_id is None)
        assert f"tindon triage {bare} raise --why TEXT" in reader.get(f"/rumors/{bare}").text
        page = reader.get(f"/alerts/{alert}").text
        assert f"tindon triage {alert} verdict fake" in page
        assert "<form method" not in page
        assert act(reader, alert, "note", why="y").status_code == 404


def test_the_forms_offer_what_the_fold_allows() -> None:
    for deed in DEEDS:
        assert set(deed.statuses) == MOVES[deed.name].allowed, deed.name  # type: ignore[index]
    assert {deed.name for deed in DEEDS} == set(MOVES)


def test_a_rumor_is_raised_from_its_page(desk: httpx.Client, store: SqliteStore) -> None:
    name = next(r.rumor_id for r in store.rumors(open_only=True) if r.alert_id is None)
    page = desk.get(f"/rumors/{name}").text
    assert f'action="/rumors/{name}/act"' in page and "Raise an alert" in page
    form = {"deed": "raise", "who": "Lan Anh", "why": "the ward asked"}
    said = desk.post(f"/rumors/{name}/act", data=form, headers=OURS)
    assert said.url.path.startswith("/alerts/") and "Done: Raise an alert." in said.text
    assert "the ward asked" in said.text and f'href="/rumors/{name}"' in said.text
    [alert] = store.alerts(rumor_id=name)
    assert alert.triage.history[-1].who == "Lan Anh"
    assert "/act" not in desk.get(f"/rumors/{name}").text, "it has an alert now"
    again = desk.post(f"/rumors/{name}/act", data=form, headers=OURS)
    assert again.url.path == f"/alerts/{alert.alert_id}"
    assert "Refused: the alert is new by Lan Anh: it is raised already" in again.text


def test_a_rumor_that_is_gone_is_refused_in_the_audit(
    desk: httpx.Client, store: SqliteStore
) -> None:
    answer = desk.post("/rumors/rnone/act", data={"deed": "raise", "who": "X"}, headers=OURS)
    assert answer.status_code == 404
    assert any(a.subject == "rnone" and not a.taken for a in store.audit(limit=1000))


def test_every_step_of_a_history_has_its_word() -> None:
    steps = {*MOVES, "reopened", "closed", "merged", "covered", "offered", "returned"}
    assert {f"deed.{name}" for name in steps} <= DESK_VALUES.keys()


def test_every_word_has_both_languages() -> None:
    for key, (vietnamese, english) in (DESK_WORDS | DESK_VALUES).items():
        assert vietnamese and english, key


def test_the_desk_is_for_this_machine_only(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TINDON_CONSOLE__HOST", "0.0.0.0")
    assert main(["console", "--desk"]) == 2
    assert "127.0.0.1 only" in capsys.readouterr().err
