"""Retention as the worker's duty: due by the clock, counted by the stream's time."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

import config
from agents.kafka.retention import Duty, ages_of, reached
from cli.main import main
from stores.retention import Ages
from stores.sqlite import SqliteStore
from streams.documents import Batch
from tests.contracts.store_documents import BASE, DAY, post, rumor, trend


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A store of a closed rumor with an old post, in a stream that has gone on for 40 days."""
    store = SqliteStore(tmp_path / "tindon.sqlite")
    trends = [trend(), trend(BASE + 40 * DAY)]
    store.write(Batch(rumors=[rumor(open=False)], posts=[post()], trends=trends))
    store.close()
    return tmp_path / "tindon.sqlite"


def test_no_days_keep_for_ever() -> None:
    env = {"TINDON_RETENTION__POSTS_DAYS": "0", "TINDON_RETENTION__TRENDS_DAYS": "7"}
    settings = config.load(env=env).settings
    assert ages_of(settings) == Ages(posts=None, trends=7, rumors=400, alerts=400)


def test_a_date_far_ahead_drops_nothing(file: Path) -> None:
    store = SqliteStore(file)
    assert reached(store) == BASE + 40 * DAY
    store.write(Batch(trends=[trend(BASE + 365_000 * DAY)]))
    now = reached(store)
    assert now is not None and now < BASE + 36_500 * DAY, "no later than the clock"
    store.close()


def test_the_duty_is_done_once_and_then_waits(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    settings = config.load(env={"TINDON_RETENTION__EVERY_H": "1e-9"}).settings
    duty = Duty(settings)
    while not duty.due():
        pass
    store = SqliteStore(file)
    with caplog.at_level(logging.INFO):
        duty.carry_out(store)
    assert "dropped 1 posts past their age" in caplog.text
    assert store.counts()["posts"] == 0
    assert not Duty(config.load(env={}).settings).due(), "not at once after a start"
    store.close()


def test_a_refusal_is_told_and_ends_nothing(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = SqliteStore(file)
    store.close()
    Duty(config.load(env={}).settings).carry_out(store)
    assert "nothing was dropped by age" in caplog.text


def test_the_command_counts_first_and_drops_then(
    file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for option, word in ((["--dry-run"], "would go"), ([], "dropped")):
        assert main(["expire", "--path", str(file), *option]) == 0
        said = capsys.readouterr().out
        assert "ages counted from 2026-04-10T00:00:00.000Z" in said
        assert any(line.split() == ["posts", "1", *word.split()] for line in said.splitlines())
    assert main(["expire", "--path", str(file)]) == 0
    assert "posts            0" in capsys.readouterr().out
    assert main(["expire", "--path", str(file.parent / "none")]) == 1
    assert "there is no file" in capsys.readouterr().err
