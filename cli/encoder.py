"""`tindon encoder`: what the encoder is, how fast and how good, beside another; the export."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.config import Format, FormatOption
from cli.errors import UserError, WrongUse

if TYPE_CHECKING:
    from embeddings.encoder import Encoder

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="The encoder: identity, speed, quality."
)
NameArgument = Annotated[
    str | None,
    typer.Argument(metavar="[ENCODER]", help="Folder or cached model name; none: the shipped."),
]
PostsOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--posts", metavar="FILE", help="Labelled posts (.jsonl, .gz too); may be repeated."
    ),
]
PairsOption = Annotated[
    Path | None, typer.Option("--pairs", metavar="DIR", help="Folder of pair tables (.tsv.gz).")
]
# Invented; stands in where no file of posts is given. Numbered, so that no text comes twice.
_EXAMPLES = (
    "Nghe nói cầu sẽ bị phong tỏa từ tối nay, có ai biết thật không số {n}",
    "nghe noi cau se bi phong toa tu toi nay {n}",
    "BREAKING: bridge closed after explosion, police confirm {n} people hurt",
    "Is it true that the dam has broken near village {n}? please share",
)


def register(root: typer.Typer) -> None:
    root.add_typer(app, name="encoder")


@app.command()
def info(encoder: NameArgument = None, output: FormatOption = Format.TEXT) -> None:
    """Print an encoder's identity, dimension and folder."""
    from embeddings.static import StaticEncoder

    loaded = _load(encoder)
    name, version, digest = loaded.identity.split("/")
    answer: dict[str, Any] = {
        "name": name,
        "version": version,
        "sha256": digest,
        "dim": loaded.dim,
        "folder": str(loaded.folder) if isinstance(loaded, StaticEncoder) else encoder,
    }
    _print(answer, output)


@app.command()
def bench(
    encoder: NameArgument = None, posts: PostsOption = None, output: FormatOption = Format.TEXT
) -> None:
    """Measure speed, load time and memory, on your posts or on invented ones."""
    from embeddings import speed
    from embeddings.encoder import SHIPPED_NAME

    texts = _texts(posts)
    name = None if encoder == SHIPPED_NAME else encoder
    loaded = _load(encoder)
    cold = speed.measure(loaded, texts)
    warm = speed.measure(loaded, texts)
    held = speed.footprint(name, texts)
    answer = {
        "identity": loaded.identity,
        "posts": len(texts),
        "posts_per_core_s": round(cold.posts_per_cpu_s),
        "posts_per_core_s_seen_words": round(warm.posts_per_cpu_s),
        "posts_per_s": round(cold.posts_per_s),
        "load_s": round(held["load_s"], 3),
        "added_mb": round(held["added_bytes"] / 1e6, 1),
    }
    _print(answer, output)


@app.command()
def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="Folder, name, or `shipped`.")],
    second: Annotated[str, typer.Argument(metavar="B")],
    pairs: PairsOption = None,
    posts: PostsOption = None,
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also draw the table (.png, .svg).")
    ] = None,
    output: FormatOption = Format.TEXT,
) -> None:
    """Two encoders side by side: retrieval, story separation, speed."""
    if pairs is None and not posts:
        raise WrongUse("nothing to compare on: give --pairs DIR, --posts FILE, or both")
    columns = {name: _figures(_load(name), pairs, posts or []) for name in (first, second)}
    if output is Format.JSON:
        typer.echo(json.dumps(columns, ensure_ascii=False, indent=2))
    else:
        wide = max(len(key) for key in columns[first])
        typer.echo(f"{'':<{wide}}  {first[-20:]:>20}  {second[-20:]:>20}")
        for key, value in columns[first].items():
            typer.echo(f"{key:<{wide}}  {value:>20.4g}  {columns[second][key]:>20.4g}")
    if plot is not None:
        _draw(columns, plot)


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.")],
) -> None:
    """Write the shipped model as a float32 folder that sentence-transformers loads."""
    from embeddings.export import export as write

    write(folder)
    typer.echo(f"{folder}: load it with SentenceTransformer({str(folder)!r})")


def _load(name: str | None) -> Encoder:
    from embeddings.encoder import SHIPPED_NAME, load_encoder

    return load_encoder(None if name in (None, SHIPPED_NAME) else name)


def _texts(files: list[Path] | None) -> list[str]:
    from embeddings.normalise import clean

    if files:
        texts = [text for file in files for text in _labelled(file)[0]]
        if not texts:
            raise UserError(f"{files[0]} holds no labelled posts; give JSON lines with a cluster")
        return texts
    return [clean(_EXAMPLES[n % 4].format(n=n)) for n in range(4096)]


def _labelled(file: Path) -> tuple[list[str], list[str]]:
    from embeddings.quality import labelled

    try:
        return labelled(_present(file))
    except (ValueError, KeyError, TypeError, EOFError, gzip.BadGzipFile) as error:
        raise UserError(
            f"{file} is not JSON lines with text and cluster ({error}); check the file"
        ) from error


def _present(file: Path) -> Path:
    if not file.exists():
        raise UserError(f"{file} does not exist; check the path")
    return file


def _figures(encoder: Encoder, pairs: Path | None, posts: list[Path]) -> dict[str, float]:
    from embeddings import quality, speed

    found: dict[str, float] = {}
    if pairs is not None:
        try:
            table = quality.retrieval(encoder.encode, _present(pairs))
        except (EOFError, UnicodeDecodeError, gzip.BadGzipFile) as error:
            raise UserError(f"{pairs} holds a damaged table ({error}); check its files") from error
        if not table:
            raise UserError(f"{pairs} holds no .tsv.gz tables of pairs with English first")
        for name, row in table.items():
            found |= {f"retrieval {name} {lang}": value for lang, value in row.items()}
    for file in posts:
        texts, stories = _labelled(file)
        if len(set(stories)) < 2:
            raise UserError(f"{file} names fewer than two stories; label posts with a cluster")
        name = file.name.split(".")[0]
        found[f"stories {name} AUC"] = quality.story_auc(encoder.encode(texts), stories)
    texts = _texts(posts)[:512]
    found["posts per core and s"] = speed.measure(encoder, texts).posts_per_cpu_s
    return found


def _print(answer: dict[str, Any], output: Format) -> None:
    if output is Format.JSON:
        typer.echo(json.dumps(answer, ensure_ascii=False, indent=2))
        return
    wide = max(map(len, answer))
    for key, value in answer.items():
        typer.echo(f"{key:<{wide}}  {value}")


def _draw(columns: dict[str, dict[str, float]], file: Path) -> None:
    try:
        import matplotlib
    except ImportError as error:
        raise UserError("a plot needs matplotlib: pip install 'tindon[evaluate]'") from error
    matplotlib.use("agg")
    from matplotlib import pyplot

    (first, left), (second, right) = columns.items()
    keys = [key for key in left if not key.startswith("posts per")]
    figure, axes = pyplot.subplots(figsize=(7, 1.5 + 0.3 * len(keys)), layout="constrained")
    for shift, (name, values) in ((-0.2, (first, left)), (0.2, (second, right))):
        rate = values["posts per core and s"]
        axes.barh(
            [place + shift for place in range(len(keys))],
            [values[key] for key in keys],
            height=0.38,
            label=f"{name[-20:]} ({rate:,.0f} posts/s per core)",
        )
    axes.set_yticks(range(len(keys)), keys)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    figure.legend(loc="outside upper center", fontsize="small")
    figure.savefig(file)
    pyplot.close(figure)
