"""Tuning in small: which combinations are tried, how parts are scored, what is chosen."""

from __future__ import annotations

import numpy as np
import pytest

import config
from alerts import BadParameter
from config import SettingsError
from config.changing import changed, fold_values, from_file, refused
from evaluation.errors import EvaluationError
from evaluation.gold import Gold, GoldFile
from evaluation.replayed import AlertLine
from evaluation.tuning.bands import band, draws, figure_of
from evaluation.tuning.choice import Scored, choose
from evaluation.tuning.folding import Heirs, Told
from evaluation.tuning.grid import Axis, axes_of, cells_of
from evaluation.tuning.report import proposed
from evaluation.tuning.scoring import PartScores, StorySums, part_scores
from streams.effects import Assigned

SETTINGS = config.defaults()


class TestGrid:
    def test_range_and_list_with_the_value_in_force(self) -> None:
        axes = axes_of(
            ["cluster.micro_threshold=.2:.4:.1", "alert.suggest.min_posts=3,8"], SETTINGS
        )
        assert axes[0].values == (0.2, 0.3, 0.4)
        assert axes[1].values == (3, 4, 8)
        assert [type(value) for value in axes[1].values] == [int, int, int]
        cells = cells_of(axes, SETTINGS)
        assert len(cells) == 9
        assert dict(cells[0].values) == {
            "cluster.micro_threshold": 0.3, "alert.suggest.min_posts": 4,
        }  # fmt: skip
        assert cells[0].settings == SETTINGS
        last = cells[-1].settings
        assert (last.cluster.micro_threshold, last.alert.suggest.min_posts) == (0.4, 8)
        assert len({cell.key for cell in cells}) == 9

    def test_a_signal_that_is_not_named_has_its_own_weight_in_force(self) -> None:
        from alerts.signals import measures

        signal = measures({}, {})[0]
        [axis] = axes_of([f"alert.weights.{signal.name}=0,.9"], SETTINGS)
        assert axis.default == signal.weight

    @pytest.mark.parametrize(
        ("given", "says"),
        [
            ("cluster.micro_treshold=.2,.3", "did you mean cluster.micro_threshold?"),
            ("micro_threshold=.2,.3", "did you mean cluster.micro_threshold?"),
            ("cluster.micro_threshold=low,high", "only numbers can be swept"),
            ("cluster.micro_threshold=nan", "only finite numbers"),
            ("cluster.micro_threshold=", "only numbers"),
            ("cluster.micro_threshold=.45:.25:.05", "empty range"),
            ("cluster.micro_threshold=.25:.45:0", "empty range"),
            ("cluster.micro_threshold=.25:.45", "is no range"),
            ("cluster.micro_threshold=.25:.45:.00001", "take larger steps"),
            ("cluster.micro_threshold=.5,1.5", "less than or equal to 1"),
            ("alert.suggest.min_posts=2.5", "integer"),
            ("intake.lateness_h=1,2", "cannot be swept"),
            ("alert.suggest=1,2", "is a section"),
            ("alert.weights=1,2", "dictionary"),
            ("cluster", "sets nothing"),
        ],
    )
    def test_bad_values_are_one_line(self, given: str, says: str) -> None:
        with pytest.raises((EvaluationError, SettingsError)) as caught:
            axes_of([given], SETTINGS)
        assert says in str(caught.value) and "\n" not in str(caught.value)

    def test_unknown_signal_twice_the_same_and_too_many(self) -> None:
        with pytest.raises(BadParameter, match="there is no signal 'charm'"):
            axes_of(["alert.weights.charm=1,2"], SETTINGS)
        with pytest.raises(EvaluationError, match="given twice"):
            axes_of(["cluster.window_days=7"] * 2, SETTINGS)
        with pytest.raises(EvaluationError, match="combinations are more"):
            axes_of(["cluster.window_days=1:100:1", "alert.suggest.min_posts=1:50:1"], SETTINGS)


class TestChanging:
    def test_only_the_named_settings_change(self) -> None:
        made = changed(SETTINGS, {"alert.suggest.score": 0.4, "alert.weights.reach": 2}, "a test")
        before, after = fold_values(SETTINGS), fold_values(made)
        assert {n for n in after if after[n] != before.get(n)} == {
            "alert.suggest.score", "alert.weights.reach",
        }  # fmt: skip
        assert made.intake == SETTINGS.intake
        assert made.sha256 != SETTINGS.sha256

    def test_a_file_on_top(self, tmp_path) -> None:
        file = tmp_path / "candidate.yaml"
        file.write_text("cluster:\n  window_days: 7\n")
        assert from_file(SETTINGS, file).cluster.window_days == 7
        file.write_text("cluster:\n  windowdays: 7\n")
        with pytest.raises(SettingsError, match=r"did you mean cluster\.window_days"):
            from_file(SETTINGS, file)

    @pytest.mark.parametrize(
        ("name", "value"),
        [("embed.encoder", "none"), ("intake.lateness_h", 2), ("cluster.dense_weight", 0.5)],
    )
    def test_what_no_running_fold_can_take_up_is_refused(self, name: str, value: object) -> None:
        with pytest.raises(SettingsError, match=name):
            refused(SETTINGS, changed(SETTINGS, {name: value}, "a test"))
        refused(SETTINGS, changed(SETTINGS, {"cluster.window_days": 3}, "a test"))


def gold(stories: list[int], names: tuple[str, ...] = ("a", "b", "c")) -> Gold:
    n = len(stories)
    return Gold(
        files=(GoldFile("f", n, 0),),
        stories=names,
        source=["s"] * n,
        post_id=[f"p{i}" for i in range(n)],
        text=[f"text {i}" for i in range(n)],
        language=["en"] * n,
        story=np.array(stories),
        time=np.arange(n, dtype=float) * 3600,
        line=np.arange(1, n + 1),
        file=np.zeros(n, dtype=np.int64),
    )


def told(rumors: list[str], early: list[str], alerts: list[AlertLine], early_alerts: int) -> Told:
    return Told(
        assigned=[
            Assigned(
                source="s", post_id=f"p{i}", outcome=0, duplicate_of=None, micro=r, rumor=r, event=r
            )
            for i, r in enumerate(rumors)
        ],
        rumor=list(rumors),
        event=list(rumors),
        early_rumor=list(early),
        early_event=list(early),
        alerts=alerts,
        early_alerts=early_alerts,
    )


def line(rumor: str, posts: range, level: str = "suggest") -> AlertLine:
    return AlertLine(
        alert_id=f"alert-{rumor}",
        level=level,
        raised_at="1970-01-01T12:00:00.000Z",
        raised_by=f"p{posts[-1]}",
        rumor_id=rumor,
        post_ids=[f"p{i}" for i in posts],
        score=0.5,
        final_rumor_id=rumor,
    )


class TestParts:
    def test_the_first_part_knows_nothing_of_later_merges(self) -> None:
        """Stories a and b are apart at the cut and one rumor in the end."""
        stories = [0, 0, 1, 1, 0, 1]
        parts = part_scores(gold(stories), told(["x"] * 6, ["x", "x", "y", "y"], [], 0), 4)
        assert parts["first"].clustering["rumor"]["f1"] == 1.0
        assert parts["held_out"].clustering["rumor"]["precision"] == 0.5
        assert (parts["first"].posts, parts["held_out"].posts) == (4, 2)

    def test_alerts_count_in_the_part_in_which_they_came(self) -> None:
        stories = [0] * 20 + [1] * 20
        rumors = ["x"] * 20 + ["y"] * 20
        lines = [line("x", range(12)), line("x", range(25), "confirm"), line("y", range(20, 32))]
        parts = part_scores(gold(stories), told(rumors, rumors[:20], lines, 1), 20)
        first, later = parts["first"].alerts, parts["held_out"].alerts
        assert (first["suggest"]["alerts"], first["confirm"]["alerts"]) == (1, 0)
        # x was suggested before the cut: only its confirm is new, and it is not y's.
        assert (later["suggest"]["alerts"], later["confirm"]["alerts"]) == (1, 1)
        assert first["suggest"]["recall"][0] == {
            "min_posts": 10, "stories": 1, "found": 1, "recall": 1.0,
        }  # fmt: skip
        assert later["suggest"]["recall"][0]["stories"] == 1  # y; x began before the cut
        assert later["suggest"]["posts_until"]["median"] == 12

    def test_heirs_of_heirs(self) -> None:
        heirs = Heirs()
        heirs.note("c", "b")
        heirs.note("b", "a")
        assert heirs.of("c") == heirs.of("a") == "a"


def scores(f1: list[float]) -> PartScores:
    """A story of ten posts for each figure; precision and recall of its posts are that figure."""
    n = len(f1)
    sums = [10 * value for value in f1]
    by_story = StorySums(
        posts=[10] * n,
        precision={"rumor": sums, "event": sums},
        recall={"rumor": sums, "event": sums},
        size=[10] * n,
        found={"suggest": [1] * n},
        right={"suggest": [1] * n},
        wrong={"suggest": [0] * n},
        alone={"suggest": 0},
    )
    return PartScores(10 * n, 10 * n, n, {}, {}, by_story)


AXIS = Axis("cluster.micro_threshold", (0.30, 0.35, 0.40, 0.45), 0.35)


def cell(value: float, first: list[float], held_out: list[float]) -> Scored:
    parts = {"first": scores(first), "held_out": scores(held_out)}
    return Scored(((AXIS.name, value),), parts)


class TestChoice:
    BASE = [0.5, 0.6, 0.7, 0.8] * 10

    def better(self, by: float, noise: float = 0.0) -> list[float]:
        return [f + by + noise * (-1) ** i for i, f in enumerate(self.BASE)]

    def test_a_gain_within_its_error_keeps_what_is_in_force(self) -> None:
        lucky = [0.05 * (i == 0) + f for i, f in enumerate(self.BASE)]  # one story of forty
        cells = [cell(0.35, self.BASE, self.BASE), cell(0.40, lucky, self.BASE)]
        choice = choose(cells, [AXIS], "rumor")
        assert (choice.best, choice.chosen, choice.proposed) == (1, 0, 0)

    def test_a_sure_gain_is_proposed_and_the_nearer_of_two_equals(self) -> None:
        cells = [
            cell(0.35, self.BASE, self.BASE),
            cell(0.40, self.better(0.1, 0.02), self.better(0.1)),
            cell(0.45, self.better(0.1001, -0.02), self.better(0.1)),
        ]
        choice = choose(cells, [AXIS], "rumor")
        assert (choice.best, choice.chosen, choice.proposed) == (2, 1, 1)
        assert choice.gain["held_out"][1] > 0
        assert choice.flat["largest"] == pytest.approx(0.1, abs=1e-6)
        assert len(choice.flat["neighbours"]) == 2

    def test_the_held_out_part_sends_a_choice_back(self) -> None:
        cells = [
            cell(0.35, self.BASE, self.BASE),
            cell(0.40, self.better(0.1), self.better(0.0, 0.05)),
        ]
        choice = choose(cells, [AXIS], "rumor")
        assert (choice.chosen, choice.proposed) == (1, 0)

    def test_bands_are_by_story_and_the_same_every_time(self) -> None:
        sums = scores(self.BASE).by_story
        values = figure_of(sums, "rumor", draws(40))
        assert values[0] == pytest.approx(0.65)
        again = figure_of(sums, "rumor", draws(40))
        assert np.array_equal(values, again)
        middle, low, high = band(values)
        assert low < middle < high
        # A story counts as one: ten times as many posts in each draw no narrower band.
        tenfold = replace_posts(sums)
        assert np.allclose(figure_of(tenfold, "rumor", draws(40)), values)

    def test_alert_figures(self) -> None:
        sums = scores([1.0] * 4).by_story
        sums.found["suggest"] = [1, 1, 0, 0]
        sums.right["suggest"] = [1, 1, 0, 0]
        sums.wrong["suggest"] = [0, 0, 1, 0]
        sums.alone["suggest"] = 1
        at = draws(4)[:1]
        assert figure_of(sums, "precision", at)[0] == 0.5
        assert figure_of(sums, "recall", at)[0] == 0.5
        assert figure_of(sums, "alerts", at)[0] == 0.5


def replace_posts(sums: StorySums) -> StorySums:
    import msgspec

    return msgspec.structs.replace(
        sums,
        posts=[10 * n for n in sums.posts],
        precision={k: [10 * v for v in values] for k, values in sums.precision.items()},
        recall={k: [10 * v for v in values] for k, values in sums.recall.items()},
    )


def test_proposed_file_holds_what_changes_and_nothing_else(tmp_path) -> None:
    told = {
        "files": ["posts.jsonl"],
        "tindon_version": "0",
        "goal": "rumor",
        "axes": [{"name": "cluster.micro_threshold", "default": 0.35, "values": [0.35, 0.4]}],
        "parts": {"held_out": {"stories": 40}},
        "cells": [
            {"values": {"cluster.micro_threshold": 0.35}},
            {"values": {"cluster.micro_threshold": 0.4}},
        ],
        "choice": {
            "best": 1, "chosen": 1, "proposed": 1,
            "gain": {"held_out": {"value": 0.02, "low": 0.01, "high": 0.03}},
        },
        "expected": [
            {
                "figure": "rumor", "in_force": 0.8, "chosen": 0.82,
                "change": {"value": 0.02, "low": 0.01, "high": 0.03},
            }
        ],
        "proposed": {"cluster.micro_threshold": 0.4},
    }  # fmt: skip
    file = tmp_path / "proposed.yaml"
    file.write_text(proposed(told))
    made = from_file(SETTINGS, file)
    assert made == changed(SETTINGS, {"cluster.micro_threshold": 0.4}, "a test")
    assert "+0.020 (+0.010 to +0.030)" in file.read_text()
    told["choice"] |= {"proposed": 0}
    told["proposed"] = {}
    file.write_text(proposed(told))
    assert from_file(SETTINGS, file) == SETTINGS
