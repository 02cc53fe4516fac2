"""What the desk decided, as labels for a sweep. Posts are invented."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import config
from agents.deciding import decide
from agents.replay import ReplayOptions, replay
from cli.main import main
from evaluation import EvaluationError
from evaluation.desk_labels import desk_labels, gold_of, write_stretch
from evaluation.tuning.folding import Told
from evaluation.tuning.scoring import part_scores
from stores.sqlite import SqliteStore
from streams.effects import Assigned
from streams.inputs import Action
from streams.records import Outcome
from streams.sources.scenario import generate
from tests.fold_scene import START

LINK = "https://example.org/answer"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("labels")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TINDON_STATE_DIR", str(home / "state"))
        patch.setenv("TINDON_EMBED__ENCODER", "none")
        posts = home / "day.jsonl"
        posts.write_text("".join(json.dumps(p) + "\n" for p in generate()[:1500]))
        replay([str(posts)], home / "out", config.load().settings, ReplayOptions(processes=1))
        yield home / "out"


@pytest.fixture(scope="module")
def decided(out: Path) -> dict[str, Any]:
    """Four alerts with verdicts, two merged, one split, two dismissed, of which one reopened; one raised."""
    with closing(SqliteStore(out / "tindon.sqlite")) as store:
        found = store.alerts(limit=100)
        chosen = found[:: len(found) // 9][:9]  # from all of the day
        alerts = [alert.alert_id for alert in chosen]
        named = [post.post_id for post in store.posts(chosen[0].rumor_id, limit=200)][-1:]
        bare = next(r.rumor_id for r in store.rumors(open_only=True) if r.alert_id is None)
    given: list[dict[str, Any]] = [
        *({"deed": "verdict", "alert": a, "verdict": "fake", "links": [LINK]} for a in alerts[:4]),
        {"deed": "dismiss", "alert": alerts[4], "why": "an advert"},
        {"deed": "merge", "alert": alerts[5], "other": alerts[6]},
        {"deed": "split", "alert": alerts[0], "posts": named},
        {"deed": "dismiss", "alert": alerts[7], "why": "an advert"},
        {"deed": "reopen", "alert": alerts[7]},
        {"deed": "verdict", "alert": alerts[8], "verdict": "fake"},  # refused: no link
        {"deed": "raise", "alert": bare},
    ]
    decide(
        out, config.load().settings,
        [Action(id=f"x{n}", who="Mai", at=START + n, **one) for n, one in enumerate(given)],
    )  # fmt: skip
    with closing(SqliteStore(out / "tindon.sqlite")) as store:
        told = [store.action(f"x{n}") for n in range(len(given))]
        assert [one is not None and one.taken for one in told] == [True] * 9 + [False, True]
        return {"alerts": alerts, "named": named[0], "told": told}


def test_every_action_is_a_label(out: Path, decided: dict[str, Any]) -> None:
    with closing(SqliteStore(out / "tindon.sqlite")) as store:
        labels = desk_labels(store)
        rumor_of = {a.alert_id: a.rumor_id for a in store.alerts(limit=100)}
    assert labels.actions == {"verdict": 4, "dismiss": 2, "merge": 1, "split": 1, "raise": 1}
    assert (labels.oldest, labels.newest) == (START, START + 10)
    alerts, told = decided["alerts"], decided["told"]
    named = {post.id: post.story for post in labels.posts}
    part = told[6].given["part"]
    assert named[decided["named"]] == part != rumor_of[alerts[0]]
    stories = set(named.values())
    assert {rumor_of[a] for a in alerts[:4]} | {
        part,
        told[5].rumor_id,
        told[10].rumor_id,
    } <= stories
    dismissed = [post for post in labels.posts if post.story is None]
    assert dismissed
    assert rumor_of[alerts[7]] not in stories, "reopened: nothing is known of it"
    described = labels.described(START)
    assert "9 actions of the desk (4 verdict, 2 dismiss, 1 merge, 1 split, 1 raise)" in described
    assert any("9 times only" in line for line in labels.notices())


def test_unknown_posts_take_no_part(out: Path, decided: dict[str, Any]) -> None:
    """A rumor that took in posts that nobody judged is as good as one that did not."""
    with closing(SqliteStore(out / "tindon.sqlite")) as store:
        gold = gold_of(desk_labels(store))

    def scores(rumor: Callable[[int], str]) -> float | None:
        told = Told()
        keys = list(zip(gold.source, gold.post_id, strict=True)) + [
            ("x", f"u{n}") for n in range(9)
        ]
        for source, name in keys:
            told.assigned.append(
                Assigned(
                    source=source, post_id=name, outcome=int(Outcome.FOLDED), duplicate_of=None,
                    micro="m", rumor="r", event="e",
                )
            )  # fmt: skip
        told.rumor = told.event = [rumor(at) for at in range(len(keys))]
        told.early_rumor = told.early_event = told.rumor[:1]
        return part_scores(gold, told, 1)["held_out"].clustering["rumor"]["f1"]

    story = gold.story.tolist()
    own = lambda at: f"s{story[at]}" if at < len(story) and story[at] >= 0 else f"alone{at}"  # noqa: E731
    perfect = scores(own)
    assert perfect == pytest.approx(1.0, abs=0.02)
    joined = scores(lambda at: own(at) if at < len(story) else f"s{story[0]}")
    assert joined == perfect
    one = scores(lambda at: "all")
    assert one is not None and perfect is not None and one < 0.7 * perfect


def test_a_sweep_scored_on_the_desks_labels(
    out: Path, decided: dict[str, Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sweep = [
        "--set",
        "cluster.micro_threshold=.9",
        "--set",
        "alert.macro_threshold=.9",
        "--jobs",
        "1",
    ]
    command = ["tune", "--labels-from-desk", "--path", str(out), "--out", str(tmp_path / "study")]
    assert main([*command, *sweep]) == 0
    said = capsys.readouterr().out
    assert "note      Labels: 9 actions of the desk" in said
    assert "9 times only" in said
    told = json.loads((tmp_path / "study" / "results.json").read_text())
    figures = {tuple(c["values"].values()): c["held_out"]["rumor"]["value"] for c in told["cells"]}
    fold = config.load().settings
    today = fold.cluster.micro_threshold, fold.alert.macro_threshold
    assert figures[0.9, 0.9] < figures[today], "rumors in pieces are not what the desk saw"
    # With the posts given, labelled or not, the labels are the desk's all the same.
    day = str(out.parent / "day.jsonl")
    assert main(["tune", day, *command[1:5], str(tmp_path / "other"), *sweep]) == 0
    assert "note      Labels: 9 actions" in capsys.readouterr().out


def test_the_stored_posts_are_a_stretch_to_replay(out: Path, tmp_path: Path) -> None:
    with closing(SqliteStore(out / "tindon.sqlite")) as store:
        posts = write_stretch(store, tmp_path / "stored.jsonl")
        assert posts == store.counts()["posts"] > 500
    lines = [json.loads(line) for line in (tmp_path / "stored.jsonl").read_text().splitlines()]
    assert [one["created_at"] for one in lines] == sorted(one["created_at"] for one in lines)
    assert not any("author" in one or "voice" in one for one in lines)
    summary = replay(
        [str(tmp_path / "stored.jsonl")],
        tmp_path / "again",
        config.load().settings,
        ReplayOptions(),
    )
    assert (summary["folded"], summary["dead"]) == (posts, 0)


def test_what_cannot_be_used_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TINDON_EMBED__ENCODER", "none")
    with (
        closing(SqliteStore(tmp_path / "tindon.sqlite")) as store,
        pytest.raises(EvaluationError, match="told 0 times"),
    ):
        desk_labels(store)
    command = ["tune", "--labels-from-desk", "--out", str(tmp_path / "study"), "--path"]
    assert main([*command, str(tmp_path)]) == 1
    assert "at least two stories are needed" in capsys.readouterr().err
    assert main([*command, str(tmp_path / "none")]) == 1
    assert "holds no tindon.sqlite" in capsys.readouterr().err
    assert main(["tune", "--out", str(tmp_path / "study")]) == 2
    assert "--labels-from-desk" in capsys.readouterr().err
