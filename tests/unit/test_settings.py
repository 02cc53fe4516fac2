"""Settings: three layers in order, no unknown name, no secret shown, a hash over what matters."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

import config
from config import Settings, SettingsError
from config.reference import current, described
from config.settings import WITHOUT_EFFECT

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGES = [path.parent for path in REPOSITORY.glob("*/__init__.py")]
DEFAULT_YAML = (REPOSITORY / "config" / "default.yaml").read_text(encoding="utf-8")


def fields(model: type[BaseModel] = Settings, above: str = "") -> list[str]:
    names = []
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            names += fields(kind, f"{above}{name}.")
        else:
            names.append(f"{above}{name}")
    return names


def value(settings: Settings, name: str) -> object:
    found: object = settings
    for part in name.split("."):
        found = getattr(found, part)
    return found


def changed(name: str) -> str:
    """Another good value for the setting, as the environment would give it."""
    given = {
        "store.kind": "elasticsearch",
        "kafka.security_protocol": "SSL",
        "kafka.sasl_mechanism": "PLAIN",
        "kafka.bootstrap": "broker:9093",
        "worker.checkpoint_store": "disk",
        "worker.transport": "stock",
        "time.ticks": "event",
        "console.language": "en",
        "log.level": "debug",
        "elasticsearch.url": "https://search:9200",
        "servers.kafka_heap": "3g",
        "servers.elasticsearch_heap": "3g",
        "alert.weights": "{volume: 1.5}",
        "alert.thresholds": "{volume: 1.5}",
        "alert.categories": "{health: {suggest: {min_posts: 3}}}",
        "cluster.granularity": "0.5",
    }
    if name in given:
        return given[name]
    now = value(config.defaults(), name)
    if isinstance(now, bool):
        return str(not now).lower()
    if isinstance(now, int):
        return str(now + 1)
    if isinstance(now, float):
        return str(now + 0.125)
    return "another"


def variable(name: str) -> str:
    return "TINDON_" + name.upper().replace(".", "__")


@pytest.fixture
def user_file(tmp_path: Path) -> Path:
    return tmp_path / "mine.yaml"


class TestLayers:
    def test_defaults_alone(self) -> None:
        loaded = config.load(env={})
        assert loaded.settings == config.defaults()
        assert set(loaded.origins.values()) == {"default"}

    def test_file_wins_over_default_and_environment_over_file(self, user_file: Path) -> None:
        user_file.write_text("cluster:\n  window_days: 7\n  dense_weight: 0.2\n")
        loaded = config.load(user_file, {"TINDON_CLUSTER__DENSE_WEIGHT": "0.1"})
        assert loaded.settings.cluster.window_days == 7
        assert loaded.settings.cluster.dense_weight == 0.1
        assert loaded.origins["cluster.window_days"] == str(user_file)
        assert loaded.origins["cluster.dense_weight"] == "TINDON_CLUSTER__DENSE_WEIGHT"
        assert loaded.origins["cluster.micro_threshold"] == "default"

    @pytest.mark.parametrize("name", fields())
    def test_every_setting_can_come_from_the_environment(self, name: str) -> None:
        loaded = config.load(env={variable(name): changed(name)})
        assert value(loaded.settings, name) != value(config.defaults(), name)
        origins = {key: origin for key, origin in loaded.origins.items() if origin != "default"}
        assert set(origins.values()) == {variable(name)}
        assert all(key == name or key.startswith(f"{name}.") for key in origins)

    def test_variable_names_a_file(self, user_file: Path) -> None:
        user_file.write_text("console: {port: 9999}")
        assert config.load(env={"TINDON_CONFIG": str(user_file)}).settings.console.port == 9999

    def test_file_in_the_working_folder(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "tindon.yaml").write_text("console: {port: 9999}")
        assert config.load(env={}).settings.console.port == 9999

    def test_empty_file_changes_nothing(self, user_file: Path) -> None:
        user_file.write_text("# nothing\n")
        assert config.load(user_file, {}).settings == config.defaults()

    def test_open_tables_merge_by_name(self, user_file: Path) -> None:
        user_file.write_text("alert: {weights: {volume: 2, growth: 3}}")
        loaded = config.load(user_file, {"TINDON_ALERT__WEIGHTS__GROWTH": "4"})
        assert loaded.settings.alert.weights == {"volume": 2.0, "growth": 4.0}
        assert loaded.origins["alert.weights.volume"] == str(user_file)
        assert loaded.origins["alert.weights.growth"] == "TINDON_ALERT__WEIGHTS__GROWTH"
        assert "alert.weights" not in loaded.origins

    def test_text_of_digits_stays_text(self) -> None:
        env = {"TINDON_KAFKA__PASSWORD": "0123", "TINDON_WORKER__INSTANCE_ID": "7"}
        settings = config.load(env=env).settings
        assert settings.kafka.password.get_secret_value() == "0123"
        assert settings.worker.instance_id == "7"

    def test_home_folder_is_filled_in(self) -> None:
        settings = config.load(env={"TINDON_STATE_DIR": "~/here"}).settings
        assert settings.state_dir == Path.home() / "here"

    def test_options_of_the_tests_are_no_settings(self) -> None:
        env = {"TINDON_SHARED": "/somewhere", "TINDON_TEST_STATE": "/elsewhere"}
        assert config.load(env=env).settings == config.defaults()


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "says"),
        [
            (
                "cluster: {windowdays: 3}",
                "unknown setting cluster.windowdays .*cluster.window_days",
            ),
            ("cluster: {macro_threshold: 1}", "did you mean alert.macro_threshold"),
            ("clusters: {window_days: 3}", "did you mean cluster"),
            ("zzz: 1", "unknown setting zzz .*tindon config show"),
            ("cluster: 3", "setting cluster .*is a section"),
            ("cluster: {window_days: -1}", "cluster.window_days should be greater than 0, not -1"),
            ("cluster: {window_days: many}", "cluster.window_days should be a valid number"),
            ("store: {kind: postgres}", "store.kind should be 'sqlite' or 'elasticsearch'"),
            ("alert: {weights: {volume: .nan}}", "alert.weights.volume should be a finite number"),
            ("intake: {max_text: 5\n", "is not good YAML: line 2"),
            ("log: {level: info}\nlog: {level: debug}", "line 2: the key 'log' stands twice"),
            ("- a\n- b", "holds no table"),
            ("kafka: {bootstrap: nowhere}", "kafka.bootstrap .*'nowhere'"),
        ],
    )
    def test_bad_file_is_one_line_that_names_the_mend(
        self, user_file: Path, text: str, says: str
    ) -> None:
        user_file.write_text(text)
        with pytest.raises(SettingsError, match=says) as caught:
            config.load(user_file, {})
        assert "\n" not in caught.value.message
        assert "mine.yaml" in caught.value.message
        assert caught.value.exit_code == 2

    def test_file_that_is_missing_or_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(SettingsError, match=r"No such file.*--config"):
            config.load(tmp_path / "none.yaml", {})
        with pytest.raises(SettingsError, match="directory"):
            config.load(tmp_path, {})

    def test_file_that_is_no_text(self, user_file: Path) -> None:
        user_file.write_bytes(b"\xff\xfe\x00\x01")
        with pytest.raises(SettingsError, match="is not good YAML"):
            config.load(user_file, {})

    @pytest.mark.parametrize(
        ("name", "given", "says"),
        [
            ("TINDON_KAFKA__PASWORD", "x", "did you mean TINDON_KAFKA__PASSWORD"),
            ("TINDON_MACRO_THRESHOLD", "1", "did you mean TINDON_ALERT__MACRO_THRESHOLD"),
            ("TINDON_KAFKA__REPLICATION", "0", "from TINDON_KAFKA__REPLICATION"),
            ("TINDON_KAFKA__REPLICATION", "[", "TINDON_KAFKA__REPLICATION is not good YAML"),
            ("TINDON_CLUSTER", "{windowdays: 3}", "did you mean cluster.window_days"),
        ],
    )
    def test_bad_variable_names_the_nearest(self, name: str, given: str, says: str) -> None:
        with pytest.raises(SettingsError, match=says):
            config.load(env={name: given})

    def test_settings_cannot_be_changed_afterwards(self) -> None:
        with pytest.raises(ValueError, match="frozen"):
            config.defaults().cluster.window_days = 3  # type: ignore[misc]


SECRETS = [name for name in fields() if isinstance(value(config.defaults(), name), SecretStr)]


class TestSecrets:
    def test_there_are_four(self) -> None:
        assert len(SECRETS) == 4

    @pytest.mark.parametrize("name", SECRETS)
    def test_never_in_a_representation(self, name: str) -> None:
        loaded = config.load(env={variable(name): "hush-hush"})
        assert (
            "hush-hush" not in f"{loaded!r} {loaded.settings} {loaded.settings.model_dump_json()}"
        )

    @pytest.mark.parametrize("name", SECRETS)
    def test_never_in_an_error(self, name: str, user_file: Path) -> None:
        section, field = name.split(".")
        user_file.write_text(f"{section}: {{{field}: [hush-hush]}}")
        with pytest.raises(SettingsError, match=name) as caught:
            config.load(user_file, {})
        assert "hush-hush" not in caught.value.message


WITHOUT = {f"{section}.{field}" for section, names in WITHOUT_EFFECT.items() for field in names}


class TestHash:
    @pytest.mark.parametrize("name", fields())
    def test_changes_with_what_can_change_results_and_only_then(
        self, name: str, tmp_path: Path
    ) -> None:
        given = changed(name)
        if name == "embed.taxonomy":  # it counts by what the file holds
            given = str(tmp_path / "mine.yaml")
            shipped = REPOSITORY / "config" / "taxonomy.yaml"
            Path(given).write_bytes(shipped.read_bytes() + b"# mine")
        matters = name.split(".")[0] in {"intake", "embed", "cluster", "alert", "time"}
        matters = matters and name not in WITHOUT
        other = config.load(env={variable(name): given}).settings
        assert (other.sha256 != config.defaults().sha256) is matters

    def test_does_not_depend_on_how_a_number_is_written(self) -> None:
        env = {"TINDON_CLUSTER__WINDOW_DAYS": "14.000"}
        assert config.load(env=env).settings.sha256 == config.defaults().sha256


class TestDescribed:
    def test_every_setting_and_nothing_else_stands_in_the_default_yaml(self) -> None:
        named = [row.name for row in described(DEFAULT_YAML) if row.value]
        assert named == fields()

    @pytest.mark.parametrize("row", list(described(DEFAULT_YAML)), ids=lambda row: row.name)
    def test_each_has_a_comment_and_a_setting_its_source(self, row: tuple[str, str, str]) -> None:
        name, default, comment = row
        assert len(comment) > 4, name
        if default:
            assert re.search(r"\[(design|measured|server)(: [^\]]+)?\]$", comment), name

    def test_reference_in_the_docs_is_current(self) -> None:
        page = (REPOSITORY / "docs" / "settings.md").read_text(encoding="utf-8")
        assert page == current(page), "run `make docs`"

    def test_none_is_without_use(self) -> None:
        code = "\n".join(
            path.read_text(encoding="utf-8")
            for package in PACKAGES
            if package.name not in ("config", "tests")
            for path in package.rglob("*.py")
        )
        unused = {name for name in fields() if not re.search(rf"\.{name.split('.')[-1]}\b", code)}
        assert unused == set()
