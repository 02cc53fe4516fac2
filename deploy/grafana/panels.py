"""What the dashboard shows: rows of panels, each with its queries and the sentence that explains it.

Metrics are those of agents/kafka/metrics.py, recorded series (`stage:...`) those of
deploy/prometheus/rules.yaml; thresholds are the alerts' own.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PER_SECOND = "suffix:/s"


class Shape(StrEnum):
    NUMBER = "number"
    LINES = "lines"
    TABLE = "table"


@dataclass(frozen=True)
class Query:
    """A PromQL expression, and the name of its lines with labels in {{}}."""

    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """One panel; width in 24ths of the page, thresholds in the panel's unit."""

    title: str
    says: str
    queries: tuple[Query, ...]
    unit: str = "short"
    shape: Shape = Shape.LINES
    width: int = 8
    height: int = 8
    warn: float | None = None
    alarm: float | None = None
    nothing: str | None = None  # what stands where no series is


def _number(title: str, says: str, expr: str, unit: str = "short", **more: float) -> Panel:
    return Panel(title, says, (Query(expr),), unit, Shape.NUMBER, 4, 4, nothing="0", **more)


def _p(share: float, metric: str, by: str = "stage") -> str:
    rate = f"rate({metric}_bucket[$__rate_interval])"
    kept = f"{by}, le" if by else "le"
    return f"histogram_quantile({share}, sum by ({kept}) ({rate}))"


OVERVIEW = (
    _number("Workers", "Workers that answer Prometheus.", 'sum(up{job="tindon"})'),
    _number(
        "Posts",
        "Posts that the folds have counted, a second, mean of 5 minutes.",
        "sum(outcome:tindon_posts:rate5m)",
        PER_SECOND,
    ),
    _number(
        "Longest lag",
        "Time that the slowest stage needs for what waits, at its pace of the last 5 minutes.",
        "max(stage:tindon_lag:seconds)",
        "s",
        warn=60,
        alarm=300,
    ),
    _number(
        "Oldest checkpoint",
        "Age of the fold's state that a restart would go back to.",
        "max(stage:tindon_checkpoint_age_seconds:max)",
        "s",
        warn=300,
    ),
    _number("Open rumors", "Rumors inside the window.", "sum(tindon_open_rumors)"),
    _number(
        "Firing alerts",
        "Alerts of Prometheus about this pipeline.",
        'count(ALERTS{alertname=~"Tindon.+", alertstate="firing"}) or vector(0)',
        warn=1,
    ),
)

FLOW = (
    Panel(
        "Posts by outcome",
        "Folded, duplicate, late, dead: together all that came in.",
        (Query("sum by (outcome) (rate(tindon_posts_total[$__rate_interval]))", "{{outcome}}"),),
        PER_SECOND,
    ),
    Panel(
        "Records by stage",
        "A record is a post (embed), a frame (cluster), a change (alert) or a document (index); ticks count.",
        (Query("sum by (stage) (rate(tindon_records_total[$__rate_interval]))", "{{stage}}"),),
        PER_SECOND,
    ),
    Panel(
        "Alerts raised",
        "Alerts that reached a level for the first time.",
        (Query("sum by (level) (increase(tindon_alerts_total[1h]))", "{{level}}"),),
        nothing="none",
    ),
)

DELAY = (
    Panel(
        "Lag by partition",
        "Records between the committed place and the end of the log.",
        (
            Query(
                "max by (stage, topic, partition) (tindon_lag_records)",
                "{{stage}} {{topic}}/{{partition}}",
            ),
        ),
    ),
    Panel(
        "Lag in time",
        "How long a record waits: mean lag by throughput of the last 5 minutes.",
        (Query("stage:tindon_lag:seconds", "{{stage}}"),),
        "s",
        warn=60,
    ),
    Panel(
        "Age of records at the end of a stage",
        "From the record's writing until the stage is done with it; the median and one in twenty.",
        (
            Query(_p(0.5, "tindon_record_age_seconds"), "{{stage}} p50"),
            Query(_p(0.95, "tindon_record_age_seconds"), "{{stage}} p95"),
        ),
        "s",
        warn=30,
    ),
    Panel(
        "Post to searchable",
        "From the time of a post that joins an indexed rumor until search finds it; live streams only.",
        (
            Query(_p(0.5, "tindon_post_to_searchable_seconds", ""), "p50"),
            Query(_p(0.95, "tindon_post_to_searchable_seconds", ""), "p95"),
        ),
        "s",
        warn=2,
    ),
    Panel(
        "Work on one delivery",
        "Time that a stage spends on what one fetch brought, p95.",
        (Query(_p(0.95, "tindon_stage_seconds"), "{{stage}}"),),
        "s",
    ),
    Panel(
        "Event time behind the clock",
        "How far the folds' watermark is behind; in a replay of old posts, the age of the posts.",
        (Query("time() - max by (stage) (tindon_watermark_timestamp_seconds)", "{{stage}}"),),
        "s",
    ),
    Panel(
        "Stages' load",
        "Part of the time that a stage works; near 1 it has no reserve.",
        (
            Query(
                "sum by (stage, instance) (rate(tindon_stage_seconds_sum[$__rate_interval]))",
                "{{stage}} {{instance}}",
            ),
        ),
        "percentunit",
        warn=0.8,
    ),
)

STATE = (
    Panel(
        "Micro-clusters and rumors",
        "What the folds hold: their memory depends on it.",
        (
            Query("sum by (partition) (tindon_active_micro_clusters)", "clusters {{partition}}"),
            Query("sum(tindon_open_rumors)", "rumors"),
        ),
        width=6,
    ),
    Panel(
        "Checkpoint age",
        "Since the last checkpoint became durable.",
        (
            Query(
                "time() - max by (stage, partition) (tindon_checkpoint_timestamp_seconds)",
                "{{stage}}/{{partition}}",
            ),
        ),
        "s",
        warn=300,
        width=6,
    ),
    Panel(
        "Checkpoint size",
        "Bytes of the last checkpoint.",
        (
            Query(
                "max by (stage, partition) (tindon_checkpoint_size_bytes)",
                "{{stage}}/{{partition}}",
            ),
        ),
        "bytes",
        width=6,
    ),
    Panel(
        "Checkpoint duration",
        "Time that a checkpoint takes, p95; work on its log stands still meanwhile.",
        (Query(_p(0.95, "tindon_checkpoint_seconds"), "{{stage}}"),),
        "s",
        width=6,
    ),
)

TROUBLE = (
    Panel(
        "Dead letters by reason",
        "Records put into posts.dead in an hour: at embed bad posts, elsewhere damage or refusal.",
        (
            Query(
                "sum by (stage, reason) (increase(tindon_dead_letters_total[1h]))",
                "{{stage}} {{reason}}",
            ),
        ),
        nothing="none",
        width=6,
    ),
    Panel(
        "Documents by outcome",
        "Documents handed to the store: stored, older than what stands there, refused.",
        (
            Query(
                "sum by (outcome) (rate(tindon_documents_total[$__rate_interval]))", "{{outcome}}"
            ),
        ),
        PER_SECOND,
        width=6,
    ),
    Panel(
        "The store's trouble",
        "Documents sent again, and times that the store was away, a second.",
        (
            Query("sum(rate(tindon_bulk_retries_total[$__rate_interval]))", "sent again"),
            Query("sum(rate(tindon_store_unavailable_total[$__rate_interval]))", "away"),
        ),
        PER_SECOND,
        width=6,
    ),
    Panel(
        "Unknown fields",
        "Fields of input records that were left out, a second: a producer has changed.",
        (Query("sum(rate(tindon_unknown_fields_total[$__rate_interval]))", "fields"),),
        PER_SECOND,
        width=6,
    ),
)

RUNNING = (
    Panel(
        "Settings and program",
        "One line per worker; different versions side by side are an alert.",
        (Query("sum by (instance, version, program) (tindon_settings_info)"),),
        shape=Shape.TABLE,
        width=12,
    ),
    Panel(
        "Encoder",
        "The model that turns text into vectors, by name, version and checksum.",
        (Query("sum by (instance, identity) (tindon_encoder_info)"),),
        shape=Shape.TABLE,
        width=12,
    ),
)

ROWS: tuple[tuple[str, tuple[Panel, ...]], ...] = (
    ("Now", OVERVIEW),
    ("Flow", FLOW),
    ("Delay", DELAY),
    ("State", STATE),
    ("Trouble", TROUBLE),
    ("What runs", RUNNING),
)
