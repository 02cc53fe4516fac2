"""`tindon triage` on a replay's folder: taken, refused, kept in the audit, also with a road running."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agents.holding import holding
from cli.main import main
from stores.sqlite import SqliteStore
from streams.sources.scenario import generate


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A replay of the scenario's first posts, some of which raised alerts."""
    home = tmp_path_factory.mktemp("desk")
    posts = home / "day.jsonl"
    posts.write_text("".join(json.dumps(p) + "\n" for p in generate()[:2500]), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TINDON_STATE_DIR", str(home / "state"))
        assert main(["replay", str(posts), "--out", str(home / "out")]) == 0
    return home / "out"


@pytest.fixture(autouse=True)
def state(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TINDON_STATE_DIR", str(folder.parent / "state"))


@pytest.fixture(scope="module")
def alerts(folder: Path) -> list[str]:
    with closing_store(folder) as store:
        found = [alert.alert_id for alert in store.alerts()]
    assert len(found) >= 3
    return found


class closing_store:
    def __init__(self, folder: Path) -> None:
        self.store = SqliteStore(folder / "tindon.sqlite")

    def __enter__(self) -> SqliteStore:
        return self.store

    def __exit__(self, *_: object) -> None:
        self.store.close()


def triage(folder: Path, *words: str, who: str = "Mai") -> int:
    return main(["triage", *words, "--who", who, "--path", str(folder)])


def test_alerts_are_merged_and_split(
    folder: Path, alerts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with closing_store(
        folder
    ) as store:  # small ones: a split names posts that the rumor still keeps
        size = {a.alert_id: a.posts for a in map(store.alert, alerts) if a is not None}
    one, other = sorted(alerts[8:-3], key=lambda alert: (size[alert], alert))[:2]
    assert triage(folder, one, "merge", other, "--why", "one hoax") == 0
    assert "merge taken, the alert is new" in capsys.readouterr().out
    assert triage(folder, other, "merge", one) == 1
    assert "are one already" in capsys.readouterr().err
    with closing_store(folder) as store:
        heir = next(a for a in map(store.alert, (one, other)) if a and not a.merged_into)
        rumor = store.rumor(heir.rumor_id)
        assert rumor is not None
        assert rumor.joins[-1].by == "Mai"
        posts = store.posts(heir.rumor_id, limit=200)
    named = [word for post in posts[-2:] for word in ("--post", post.post_id)]
    assert triage(folder, heir.alert_id, "split", *named, "--why", "another one") == 0
    part = capsys.readouterr().out.split("the posts are ")[1].split()[0]
    with closing_store(folder) as store:
        found = store.rumor(part)
        assert found is not None
        assert (found.splits[-1].rumor, found.splits[-1].by) == (heir.rumor_id, "Mai")
        assert {p.post_id for p in store.posts(part, limit=200)} >= {p.post_id for p in posts[-2:]}
    assert triage(folder, heir.alert_id, "merge", part, who="Nam") == 0
    assert "it lifts the split by Mai" in capsys.readouterr().out
    assert triage(folder, one, "split") == 2
    assert "--post" in capsys.readouterr().err
    assert triage(folder, one, "acknowledge", "--post", "p1") == 2


def test_a_rumor_without_an_alert_is_raised(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing_store(folder) as store:
        name = next(r.rumor_id for r in store.rumors(open_only=True) if r.alert_id is None)
    assert triage(folder, name, "verify") == 1
    assert "raise one first" in capsys.readouterr().err
    assert triage(folder, name, "raise", "--why", "the keeper asked for it") == 0
    assert "raise taken, the alert is new" in capsys.readouterr().out
    with closing_store(folder) as store:
        [alert] = store.alerts(rumor_id=name)
        step = alert.triage.history[-1]
        assert (step.deed, step.who, step.why) == ("raise", "Mai", "the keeper asked for it")
        assert [entry.deed for entry in store.audit(alert_id=alert.alert_id)] == ["raise"]
    assert triage(folder, name, "raise", who="Nam") == 1
    assert "refused: the alert is new" in capsys.readouterr().err


def test_an_alert_goes_through_the_desk(
    folder: Path, alerts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    name = alerts[0]
    assert triage(folder, name, "acknowledge", "--at", "2026-03-01T08:00:00+07:00") == 0
    assert capsys.readouterr().out == f"{name}: acknowledge taken, the alert is acknowledged\n"
    assert triage(folder, name, "acknowledge", who="Nam") == 1
    assert "refused: the alert is acknowledged by Mai" in capsys.readouterr().err
    assert triage(folder, name, "assign", "Nam") == 0
    assert triage(folder, name, "verdict", "fake") == 1
    assert "needs a link" in capsys.readouterr().err
    link = ["--link", "https://example.org/dam", "--correction", "Đập an toàn."]
    assert triage(folder, name, "verdict", "fake", *link, who="Nam") == 0
    with closing_store(folder) as store:
        alert = store.alert(name)
        told = store.audit(alert_id=name)
    assert alert is not None
    assert alert.status == "answered"
    assert (alert.triage.assignee, alert.triage.verdict, alert.triage.decided_by) == (
        "Nam", "fake", "Nam"
    )  # fmt: skip
    assert alert.triage.correction == "Đập an toàn."
    assert [step.deed for step in alert.triage.history] == ["acknowledge", "assign", "verdict"]
    assert [(entry.deed, entry.taken) for entry in reversed(told)] == [
        ("acknowledge", True), ("acknowledge", False), ("assign", True), ("verdict", False),
        ("verdict", True),
    ]  # fmt: skip


def test_an_action_sent_again_under_its_id_counts_once(
    folder: Path, alerts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        assert triage(folder, alerts[1], "note", "called the keeper", "--id", "once") == 0
    with closing_store(folder) as store:
        alert = store.alert(alerts[1])
    assert alert is not None
    assert [step.why for step in alert.triage.history] == ["called the keeper"]


def test_a_running_road_is_left_word_and_the_order_holds(
    folder: Path, alerts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with holding(folder) as alone:
        assert alone
        assert triage(folder, alerts[2], "verify", "--wait", "0") == 0
        assert "nothing is known of it yet" in capsys.readouterr().out
        posts = str(folder.parent / "day.jsonl")
        assert main(["replay", posts, "--out", str(folder)]) == 1
        assert "another replay works" in capsys.readouterr().err
    assert triage(folder, alerts[2], "acknowledge") == 1
    assert "the alert is verifying by Mai" in capsys.readouterr().err


def test_a_new_replay_does_not_drop_what_analysts_decided(
    folder: Path, alerts: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert triage(folder, alerts[0], "note", "kept") == 0
    assert main(["replay", str(folder.parent / "day.jsonl"), "--out", str(folder)]) == 1
    assert "what analysts decided" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["a0000", "acknowledge"], 1, "refused: a0000 is no alert or rumor that is known"),
        (["r0000", "raise"], 1, "refused: r0000 is no alert or rumor that is known"),
        (["a1", "raise", "now"], 2, "raise takes no value"),
        (["a1", "assign"], 2, "assign needs a value"),
        (["a1", "verdict", "false"], 2, "false is no verdict"),
        (["a1", "verify", "now"], 2, "verify takes no value"),
        (["a1", "note", "x", "--why", "y"], 2, "give the note once"),
        (["a1", "verify", "--at", "noon"], 2, "noon is no time"),
        (["a1", "forget"], 2, "'forget' is not one of"),
    ],
)
def test_wrong_use_is_one_line_with_the_mend(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], code: int, said: str
) -> None:
    assert triage(folder, *words) == code
    assert said in capsys.readouterr().err


def test_a_folder_of_other_settings_or_without_a_replay_is_refused(
    folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert triage(tmp_path, "a1", "verify") == 1
    assert "holds no tindon.sqlite" in capsys.readouterr().err
    monkeypatch.setenv("TINDON_ALERT__INDEX_POSTS", "7")
    assert triage(folder, "a1", "verify") == 1
    assert "made under other settings" in capsys.readouterr().err


def test_claims_are_imported_once_listed_shown_and_muted(
    folder: Path, alerts: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    name = alerts[-3]  # none of the other tests merges it
    with closing_store(folder) as store:
        alert = store.alert(name)
    assert alert is not None
    file = tmp_path / "known.csv"
    text = " ".join(alert.headline.replace('"', "").split())
    file.write_text(
        f'id,text,verdict,source,correction\nk1,"{text}",fake,Bịa,Không đúng.\nk2,Cầu sập,,,\n',
        encoding="utf-8",
    )
    for _ in range(2):
        assert main(["claims", "import", str(file), "--path", str(folder)]) == 0
        out, err = capsys.readouterr()
        assert out == "1 claims brought, 1 left out\n"
        assert f"{file}, line 3: left out: it has no verdict" in err
    with closing_store(folder) as store:
        (claim,) = [c for c in store.claims() if c.origin == "import"]
        alert = store.alert(name)
    assert alert is not None
    assert alert.triage.match is not None, "held against the alerts that stand"
    assert alert.triage.match.claim_id == claim.claim_id
    assert alert.triage.match.correction == "Không đúng."
    assert main(["claims", "list", "--path", str(folder)]) == 0
    assert claim.claim_id in capsys.readouterr().out
    assert triage(folder, claim.claim_id, "mute", "--why", "seen enough") == 0
    assert capsys.readouterr().out == f"{claim.claim_id}: mute taken\n"
    assert main(["claims", "show", claim.claim_id, "--path", str(folder)]) == 0
    assert "fake, muted" in capsys.readouterr().out
    assert triage(folder, claim.claim_id, "verify") == 1
    assert "is a claim" in capsys.readouterr().err
    assert main(["claims", "show", "c0", "--path", str(folder)]) == 1
