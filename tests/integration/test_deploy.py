"""What watches and carries the pipeline: rules, dashboard and compose file name only what there is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import time
import tomllib
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from prometheus_client import Counter, Gauge, Histogram, Info

import config
from agents.kafka.metrics import Metrics
from cli.main import application
from deploy.grafana.build import FILE, text
from deploy.local import Elasticsearch, Kafka
from deploy.local.java import find_java
from deploy.local.kafka import BUNDLE
from deploy.local.maven import fetch
from deploy.local.ports import free_ports
from deploy.local.setup import missing_packages
from tests.kafka_road import road, scenario_file

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
PROMETHEUS = DEPLOY / "prometheus"
RULES = yaml.safe_load((PROMETHEUS / "rules.yaml").read_text(encoding="utf-8"))["groups"]
COMPOSE = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = [name for name, service in SERVICES.items() if service["image"].startswith("tindon:")]
SUFFIXES = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "info": ["_info"]}

ROWS_S = 90.0  # a worker's start, 800 posts and some scrapes take 10 s on a quiet machine

# What Prometheus adds by itself.
ADDED_LABELS = {"instance", "job", "le"}

needs_prometheus = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="no promtool: apt-get install prometheus"
)


def rules() -> Iterator[dict[str, Any]]:
    for group in RULES:
        yield from group["rules"]


def panels() -> list[dict[str, Any]]:
    return [panel for panel in json.loads(FILE.read_text())["panels"] if panel["type"] != "row"]


def panel_queries() -> list[tuple[str, str]]:
    return [(panel["title"], one["expr"]) for panel in panels() for one in panel["targets"]]


def expressions() -> list[str]:
    return [rule["expr"] for rule in rules()] + [expr for _, expr in panel_queries()]


# --- rules and dashboard, by what is written


def test_every_metric_and_label_that_is_asked_for_exists() -> None:
    families = [
        one
        for one in vars(Metrics()).values()
        if isinstance(one, Counter | Gauge | Histogram | Info)
    ]
    exposed = {
        family._name + suffix for family in families for suffix in SUFFIXES.get(family._type, [""])
    }
    labels = {label for family in families for label in family._labelnames}
    recorded = {rule["record"] for rule in rules() if "record" in rule}
    for expr in expressions():
        names = set(re.findall(r"[a-z_:]*tindon_[a-z_:0-9]+", expr))
        assert names - exposed - recorded == set(), expr
        asked = {
            label.strip()
            for group in re.findall(r"\b(?:by|on) \(([^)]+)\)", expr)
            for label in group.split(",")
        }
        # Information metrics carry the labels of their values.
        assert asked - labels - ADDED_LABELS <= {"version", "program", "identity"}, expr


def test_each_alert_and_recorded_series_has_a_unit_test_and_each_alert_tells_what_to_do() -> None:
    tests = (PROMETHEUS / "rules_test.yaml").read_text(encoding="utf-8")
    for rule in rules():
        assert (rule.get("alert") or rule["record"]) in tests
        if "alert" in rule:
            told = rule["annotations"]
            assert set(told) == {"summary", "description"}
            assert rule["labels"]["severity"] in {"warning", "critical"}


def test_each_alert_is_tested_both_firing_and_silent() -> None:
    written = yaml.safe_load((PROMETHEUS / "rules_test.yaml").read_text(encoding="utf-8"))
    seen: dict[str, set[bool]] = {}
    for case in written["tests"]:
        for check in case.get("alert_rule_test", []):
            seen.setdefault(check["alertname"], set()).add(bool(check["exp_alerts"]))
    alerts = [rule["alert"] for rule in rules() if "alert" in rule]
    assert seen == {alert: {True, False} for alert in alerts}


def test_dashboard_is_what_the_script_writes() -> None:
    assert FILE.read_text(encoding="utf-8") == text(), "run `python -m deploy.grafana.build`"


def test_panels_have_ids_explanations_and_distinct_places() -> None:
    every = json.loads(FILE.read_text())["panels"]
    assert len({panel["id"] for panel in every}) == len(every)
    taken: set[tuple[int, int]] = set()
    for panel in every:
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert not cells & taken, panel["title"]
        taken |= cells
        if panel["type"] != "row":
            assert panel["description"].endswith((".", "late."))
            assert len({one["refId"] for one in panel["targets"]}) == len(panel["targets"])


# --- rules and dashboard, by the programs that read them


def test_setup_brings_promtool_where_it_is_missing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert missing_packages(chromium=False, prometheus=True)[-1] == "prometheus"


@needs_prometheus
@pytest.mark.parametrize(
    "command",
    [
        ("check", "config", "prometheus.yaml"),
        ("check", "config", "local.yaml"),
        ("check", "rules", "rules.yaml"),
        ("test", "rules", "rules_test.yaml"),
    ],
    ids=" ".join,
)
def test_promtool_finds_no_fault(command: tuple[str, ...]) -> None:
    done = subprocess.run(
        ["promtool", *command], cwd=PROMETHEUS, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@needs_prometheus
@pytest.mark.kafka
def test_each_panel_and_rule_has_rows_from_a_real_worker(
    kafka: Kafka, fresh_name: Callable[[], str], tmp_path: Path
) -> None:
    file = scenario_file(tmp_path / "day.jsonl", 800)
    with road(kafka.bootstrap, fresh_name(), tmp_path) as kafka_road:
        worker = kafka_road.start_worker()
        with prometheus(tmp_path, f"127.0.0.1:{worker.metrics_port}") as ask:  # type: ignore[attr-defined]
            kafka_road.ingest(str(file))
            recorded = [(rule["record"], rule["record"]) for rule in rules() if "record" in rule]
            queries = [*panel_queries(), *recorded]

            def without_rows() -> list[str]:
                return [title for title, expr in queries if not _rows(ask, expr)]

            end = time.monotonic() + ROWS_S
            while (empty := without_rows()) and time.monotonic() < end:
                time.sleep(0.5)
            assert empty == [], kafka_road.log_of(worker)
            states = [rule for group in ask("rules")["groups"] for rule in group["rules"]]
            assert [rule["name"] for rule in states if rule["health"] != "ok"] == []
            *_, program = SERVICES["worker"]["healthcheck"]["test"]
            healthy = program.replace("9108", str(worker.metrics_port))  # type: ignore[attr-defined]
            subprocess.run([sys.executable, "-c", healthy], check=True)
            # No alert of a running pipeline: nothing is down, late, stalled or refused.
            assert [
                one["labels"] for one in ask("alerts")["alerts"] if one["state"] == "firing"
            ] == []
        said = urllib.request.urlopen(f"http://127.0.0.1:{worker.metrics_port}/metrics").read()  # type: ignore[attr-defined]
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=said, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


def _rows(ask: Callable[..., Any], expr: str) -> list[Any]:
    answer = ask("query", query=expr.replace("$__rate_interval", "10s"))
    return list(answer["result"])


@contextmanager
def prometheus(folder: Path, target: str) -> Iterator[Callable[..., Any]]:
    """A server with our rules that reads `target` twice a second; yields its API."""
    settings = yaml.safe_load((PROMETHEUS / "local.yaml").read_text(encoding="utf-8"))
    settings["global"] = dict.fromkeys(
        ("scrape_interval", "scrape_timeout", "evaluation_interval"), "500ms"
    )
    settings["rule_files"] = [str(PROMETHEUS / "rules.yaml")]
    settings["scrape_configs"][0]["static_configs"][0]["targets"] = [target]
    file = folder / "prometheus.yaml"
    file.write_text(yaml.safe_dump(settings), encoding="utf-8")
    [port] = free_ports(1)
    server = subprocess.Popen(
        [
            "prometheus", f"--config.file={file}", f"--storage.tsdb.path={folder / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{port}", "--log.level=error",
        ]
    )  # fmt: skip

    def ask(what: str, **parameters: str) -> Any:
        query = urllib.parse.urlencode(parameters)
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/{what}?{query}") as got:
                return json.load(got)["data"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{parameters}: {error.read().decode()}") from error
        except urllib.error.URLError:
            return {"result": []}  # it has not opened its port yet

    try:
        yield ask
    finally:
        server.terminate()
        server.wait(10)


# --- the compose file


def test_compose_file_fits_the_compose_specification() -> None:
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run(
        [*check, DEPLOY / "compose.yaml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", OURS)
def test_settings_of_our_services_are_settings_and_lead_to_the_other_services(name: str) -> None:
    chosen = config.load(env=SERVICES[name]["environment"]).settings
    broker = SERVICES["kafka"]["environment"]
    assert f"INTERNAL://{chosen.kafka.bootstrap}" in broker["KAFKA_ADVERTISED_LISTENERS"].split(",")
    assert str(chosen.elasticsearch.url).rstrip("/") == "http://elasticsearch:9200"
    assert chosen.store.kind == "elasticsearch"


@pytest.mark.parametrize("name", OURS)
def test_commands_of_our_services_are_commands(name: str) -> None:
    group = typer.main.get_command(application())
    first, *rest = SERVICES[name]["command"]
    command = group.commands[first]  # type: ignore[attr-defined]
    command.make_context(first, list(rest))  # refuses options and arguments that do not exist


def test_versions_are_those_that_the_tests_run_and_all_are_pinned(tmp_path: Path) -> None:
    tags = {name: service["image"].partition(":")[2] for name, service in SERVICES.items()}
    assert tags["kafka"] == _version(Kafka)
    assert tags["elasticsearch"] == tags["kibana"] == _version(Elasticsearch)
    assert {tags[name] for name in OURS} == {metadata.version("tindon")}
    assert all(re.fullmatch(r"v?\d+\.\d+\.\d+", tag) for tag in tags.values())
    assert metadata.version("grafana-foundation-sdk").endswith(f"!{tags['grafana']}")


def _version(server: type) -> str:
    return str(sys.modules[server.__module__].VERSION)


def test_broker_has_the_settings_of_the_local_one(tmp_path: Path) -> None:
    elsewhere = {
        "controller.quorum.voters", "listeners", "advertised.listeners", "log.dirs",
        "inter.broker.listener.name", "listener.security.protocol.map",
    }  # fmt: skip
    given = SERVICES["kafka"]["environment"]
    for key, value in Kafka(tmp_path)._settings():
        name = "KAFKA_" + key.upper().replace(".", "_")
        assert name in given
        assert key in elsewhere or given[name] == str(value), name


def test_broker_accepts_its_settings(tmp_path: Path) -> None:
    """Kafka's own reading of them, listeners included, as the image hands them on."""
    given = SERVICES["kafka"]["environment"]
    lines = [
        f"{name.removeprefix('KAFKA_').lower().replace('_', '.')}={value}"
        for name, value in given.items()
        if name.startswith("KAFKA_") and name not in {"KAFKA_LOG_DIRS", "KAFKA_HEAP_OPTS"}
    ]
    properties = tmp_path / "server.properties"
    properties.write_text("\n".join([*lines, f"log.dirs={tmp_path / 'data'}"]) + "\n")
    jars = ":".join(map(str, fetch(BUNDLE, lambda _: None)))
    java = str(find_java(17).command)
    tool = [java, "-Xmx256m", "-cp", jars, "kafka.tools.StorageTool", "format"]
    done = subprocess.run(
        [*tool, "-t", given["CLUSTER_ID"], "-c", str(properties)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert given["CLUSTER_ID"] in (tmp_path / "data" / "meta.properties").read_text()


def test_every_service_is_bounded_checked_and_open_on_this_machine_only() -> None:
    for name, service in SERVICES.items():
        assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}, name
        lasts = name not in {"apply", "dashboards", "ingest"}
        assert ("healthcheck" in service) == lasts, name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name
        for other, how in service.get("depends_on", {}).items():
            waits = "service_healthy" if "healthcheck" in SERVICES[other] else None
            assert how["condition"] == (waits or "service_completed_successfully"), name


def test_volumes_and_files_that_are_mounted_exist() -> None:
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (DEPLOY / source).is_dir(), name
            else:
                assert source in COMPOSE["volumes"], name


def test_prometheus_and_grafana_find_what_they_read() -> None:
    scraped = yaml.safe_load((PROMETHEUS / "prometheus.yaml").read_text())["scrape_configs"][0]
    found = scraped["dns_sd_configs"][0]
    assert found["names"] == ["worker"]
    settings = config.load(env=SERVICES["worker"]["environment"]).settings
    assert found["port"] == settings.worker.metrics_port
    provisioning = DEPLOY / "grafana" / "provisioning"
    [source] = yaml.safe_load((provisioning / "datasources" / "prometheus.yaml").read_text())[
        "datasources"
    ]
    assert source["url"] == "http://prometheus:9090"
    [provider] = yaml.safe_load((provisioning / "dashboards" / "tindon.yaml").read_text())[
        "providers"
    ]
    mounts = dict(volume.split(":")[:2] for volume in SERVICES["grafana"]["volumes"])
    assert mounts["./grafana/dashboards"] == provider["options"]["path"]
    assert mounts["./grafana/provisioning"] == "/etc/grafana/provisioning"


# --- roles


def test_roles_of_the_security_api_are_those_of_the_file_realm() -> None:
    """Each is tried out on a real node in test_elasticsearch_secure.py."""
    folder = DEPLOY / "elasticsearch"
    roles = yaml.safe_load((folder / "roles.yml").read_text(encoding="utf-8"))
    assert json.loads((folder / "roles.json").read_text(encoding="utf-8")) == roles


# --- the image


def test_image_is_built_from_the_packages_and_nothing_else() -> None:
    project = tomllib.loads((DEPLOY.parent / "pyproject.toml").read_text(encoding="utf-8"))
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8")
    let_in = set(re.findall(r"^!(.+)$", ignored, re.M))
    packages = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    files = {
        "LICENSE", "README.md", "pyproject.toml", "requirements.lock", "requirements-core.lock",
    }  # fmt: skip
    assert let_in == packages | files
    assert all((DEPLOY.parent / name).exists() for name in let_in)
    assert 'ENTRYPOINT ["tindon"]' in (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    assert "tindon" in project["project"]["scripts"]


def test_image_builds_the_wheel_with_pinned_programs() -> None:
    """The part of the lock that the image's first stage cuts out holds all that hatchling needs."""
    dockerfile = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    [program] = re.findall(r"awk '(.+)'", dockerfile)
    cut = subprocess.run(
        ["awk", program, DEPLOY.parent / "requirements.lock"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    pinned = set(re.findall(r"^([\w.-]+)==", cut, re.M))
    needed = {
        re.split(r"[<>=!~; ]", wanted)[0]
        for wanted in metadata.requires("hatchling") or []
        if "python_version <" not in wanted
    }
    assert {"hatchling", "editables"} | needed == pinned
    assert cut.count("--hash=sha256:") >= 2 * len(pinned) - 1
