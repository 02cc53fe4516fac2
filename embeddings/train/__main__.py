"""``python -m embeddings.train --data DIR --work DIR``: from data to model folder and card.

Stages run in order, each only when its output is missing; a killed run goes on where it stopped
(the teacher at its last shard). Everything drawn is drawn from ``--seed``.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

STAGES = ("corpus", "vocabulary", "teacher", "student", "quantise", "prior", "evaluate", "card")
NAME = "tindon-static"


def say(line: str) -> None:
    """Progress goes to the error stream, one line per step."""
    print(line, file=sys.stderr, flush=True)


def main(arguments: list[str] | None = None) -> int:
    """Run the missing stages; 0 when the model folder is complete."""
    parser = argparse.ArgumentParser(prog="python -m embeddings.train", description=__doc__)
    parser.add_argument(
        "--data", type=Path, required=True, help="parallel, parallel_test, labelled"
    )
    default = Path(os.environ.get("TINDON_TRAIN_DIR", "build/encoder"))
    parser.add_argument("--work", type=Path, default=default, help="stage outputs, reusable")
    parser.add_argument("--out", type=Path, default=None, help="model folder (WORK/model)")
    parser.add_argument("--model-version", default="1", help="version in the identity")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument(
        "--steps", type=int, default=None, help="of each run; default: its recipe's"
    )
    parser.add_argument("--targets", type=int, default=90_112, help="texts that the teacher reads")
    parser.add_argument("--english-posts", type=int, default=40_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--again", choices=STAGES, help="redo this stage and those after it")
    given = parser.parse_args(arguments)
    if not (given.data / "parallel").is_dir():
        parser.error(f"{given.data} has no folder parallel; see docs/encoder.md for its layout")
    given.work.mkdir(parents=True, exist_ok=True)
    out = given.out or given.work / "model"
    done = _done_files(given.work, out)
    redo = STAGES.index(given.again) if given.again else len(STAGES)
    for number, stage in enumerate(STAGES):
        if number < redo and done[stage].exists() and stage != "teacher":
            say(f"{stage}: kept ({done[stage]})")
            continue
        if number >= redo and stage == "vocabulary":
            (given.work / "pieces.json").unlink(missing_ok=True)
        started, busy = time.monotonic(), time.process_time()
        RUN[stage](given, out)
        spent = {"wall_s": time.monotonic() - started, "cpu_s": time.process_time() - busy}
        say(f"{stage}: done in {spent['wall_s']:.0f} s")
        _note(given.work, stage, spent)
    return 0


def _done_files(work: Path, out: Path) -> dict[str, Path]:
    return {
        "corpus": work / "pairs.jsonl",
        "vocabulary": work / "tokenizer.json",
        "teacher": work / "teacher" / "000.npy",
        "student": work / "table.npy",
        "quantise": out / "table.safetensors",
        "prior": out / "prior.safetensors",
        "evaluate": work / "figures.json",
        "card": out / "card.md",
    }


def _note(work: Path, stage: str, spent: dict[str, float]) -> None:
    """Add a stage's time to ``times.json``; resumed stages add up."""
    file = work / "times.json"
    times = json.loads(file.read_text("utf-8")) if file.exists() else {}
    before = times.get(stage, {}) if stage == "teacher" else {}
    times[stage] = {key: round(before.get(key, 0) + value, 1) for key, value in spent.items()}
    file.write_text(json.dumps(times, indent=1) + "\n", "utf-8")


def _corpus(given: argparse.Namespace, out: Path) -> None:
    from embeddings.train import corpus

    corpus.build(given.data, given.work, given.seed, given.english_posts)


def _vocabulary(given: argparse.Namespace, out: Path) -> None:
    from embeddings.train import corpus, vocabulary

    pairs, posts = corpus.load_pairs(given.work), corpus.load_posts(given.work)
    vocabulary.build(pairs, posts, given.work, given.seed)


def _teacher(given: argparse.Namespace, out: Path) -> None:
    import torch

    from embeddings.train import corpus, teacher

    torch.set_num_threads(given.threads)
    pairs, posts = corpus.load_pairs(given.work), corpus.load_posts(given.work)
    texts = teacher.ordered_texts(pairs, posts, given.seed)
    teacher.encode(texts, given.work / "teacher", given.targets, say)


def _student(given: argparse.Namespace, out: Path) -> None:
    import torch

    from embeddings.train import student

    torch.set_num_threads(given.threads)
    runs = [replace(run, seed=given.seed, steps=given.steps or run.steps) for run in student.RUNS]
    if given.again in STAGES[: STAGES.index("student") + 1]:
        for file in given.work.glob("run-*.npy"):
            file.unlink()
    student.train_all(given.work, given.work / "table.npy", runs, say)


def _quantise(given: argparse.Namespace, out: Path) -> None:
    import numpy as np

    from embeddings.train import quantise

    table = np.load(given.work / "table.npy")
    quantise.write_folder(table, given.work / "tokenizer.json", out, NAME, given.model_version)


def _prior(given: argparse.Namespace, out: Path) -> None:
    from embeddings.static import StaticEncoder
    from embeddings.train import corpus, prior, quantise

    (out / "prior.safetensors").unlink(missing_ok=True)
    prior.empty(out / "prior.safetensors")
    dim = json.loads((out / "model.json").read_text("utf-8"))["dim"]
    quantise.seal(out, NAME, given.model_version, dim)
    pairs, posts = corpus.load_pairs(given.work), corpus.load_posts(given.work)
    texts = prior.sample(pairs, posts, given.seed)
    prior.build(texts, StaticEncoder(out), out / "prior.safetensors")
    quantise.seal(out, NAME, given.model_version, dim)


def _evaluate(given: argparse.Namespace, out: Path) -> None:
    from embeddings.train import card

    figures = card.measure(out, given.data, given.work, say)
    (given.work / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")


def _card(given: argparse.Namespace, out: Path) -> None:
    from embeddings.train import card

    text = card.write(given.work, out)
    (out / "card.md").write_text(text, "utf-8")


RUN: dict[str, Callable[[argparse.Namespace, Path], None]] = {
    "corpus": _corpus,
    "vocabulary": _vocabulary,
    "teacher": _teacher,
    "student": _student,
    "quantise": _quantise,
    "prior": _prior,
    "evaluate": _evaluate,
    "card": _card,
}

if __name__ == "__main__":
    sys.exit(main())
