"""The taxonomy file: what is read from it, and each way in which it can be wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

import config
from config.errors import SettingsError
from config.taxonomy import OTHER, load_taxonomy, taxonomy_checksum

NAMES = {"vi": "Lũ", "en": "Floods"}
FLOODS: dict[str, Any] = {"id": "floods", "names": NAMES, "harm": True, "words": ["=lũ"]}
REST: dict[str, Any] = {"id": OTHER, "names": {"vi": "Khác", "en": "Other"}, "words": ["chào"]}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "mine.yaml"


def write(file: Path, *categories: Any) -> Path:
    file.write_text(yaml.safe_dump({"categories": list(categories)}), encoding="utf-8")
    return file


def test_the_shipped_one_has_what_the_desk_asks_for() -> None:
    shipped = load_taxonomy()
    assert shipped.ids == (
        "policy", "economy", "health", "disaster", "security", "impersonation", "scam", "traffic",
        "missing", "other",
    )  # fmt: skip
    for category in shipped.categories:
        assert len(category.prototypes) >= 10 and len(category.words) >= 10
        assert len(set(category.prototypes)) == len(category.prototypes)
        assert len(set(category.words)) == len(category.words)


def test_another_file_is_read_as_it_stands(file: Path) -> None:
    taxonomy = load_taxonomy(write(file, FLOODS, REST))
    assert taxonomy.ids == ("floods", "other")
    assert taxonomy.categories[0].words == ("=lũ",) and taxonomy.categories[0].harm
    assert taxonomy.names() == {"floods": ("Lũ", "Floods"), "other": ("Khác", "Other")}
    assert taxonomy.checksum == taxonomy_checksum(file) != load_taxonomy().checksum


def test_its_content_and_not_its_place_counts_in_the_settings(file: Path, tmp_path: Path) -> None:
    def version(path: Path) -> str:
        return config.load(env={"TINDON_EMBED__TAXONOMY": str(path)}).settings.sha256

    first = version(write(file, FLOODS, REST))
    assert version(write(tmp_path / "copy.yaml", FLOODS, REST)) == first
    assert version(write(file, FLOODS, REST | {"words": ["hello"]})) != first


@pytest.mark.parametrize(
    ("categories", "said"),
    [
        ([FLOODS], "a category `other` is missing"),
        ([FLOODS, FLOODS, REST], "floods stands twice"),
        ([FLOODS | {"id": "Floods!"}, REST], "lower-case"),
        ([FLOODS | {"names": {"vi": "Lũ"}}, REST], "one for en"),
        ([FLOODS | {"harm": "yes"}, REST], "harm must be true or false"),
        ([FLOODS | {"word": ["x"]}, REST], "did you mean words"),
        ([FLOODS | {"words": "lũ"}, REST], "must be a list of texts"),
        ([FLOODS | {"words": [1]}, REST], "must be a list of texts"),
        ([FLOODS | {"words": []}, REST], "nothing can match it"),
        (["floods", REST], "is no table"),
        ([], "no list `categories`"),
        ([FLOODS | {"words": [f"w{n}" for n in range(3000)]}, REST], "at most"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_it(
    file: Path, categories: list[Any], said: str
) -> None:
    with pytest.raises(SettingsError, match=said) as caught:
        load_taxonomy(write(file, *categories))
    assert "\n" not in caught.value.message and "mine.yaml" in caught.value.message


def test_broken_and_missing_files(file: Path) -> None:
    with pytest.raises(SettingsError, match=r"embed\.taxonomy"):
        load_taxonomy(file)
    file.write_text("categories: [", encoding="utf-8")
    with pytest.raises(SettingsError, match="not good YAML"):
        load_taxonomy(file)


def test_an_unknown_category_names_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r"did you mean disaster\?"):
        load_taxonomy().require("disastre", "alert.categories")
    load_taxonomy().require("disaster", "alert.categories")
