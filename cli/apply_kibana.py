"""Kibana's part of `tindon apply`: data views, searches, dashboards and rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cli.apply import Say
    from config import Settings


def apply_kibana(
    settings: Settings, url: str, console: str | None, say: Say, *, dry_run: bool = False
) -> int:
    """Import the objects over what stands, and put the rules; returns how many. Raises KibanaError."""
    from deploy.kibana.client import Kibana, objects, rules

    e = settings.elasticsearch
    kibana = Kibana(
        url,
        username=e.username,
        password=e.password.get_secret_value(),
        api_key=e.api_key.get_secret_value(),
        ca_file=str(e.ca_file or ""),
        verify=e.verify,
    )
    shown = console or f"http://{settings.console.host}:{settings.console.port}"
    lines = objects(shown, settings.store.prefix)
    wanted = rules(settings.store.prefix)
    count = lines.count(b"\n")
    say(f"kibana     {kibana.version()} at {kibana.url}: {count} objects, links to {shown}")
    if not dry_run:
        kibana.import_objects(lines)
    for path, kind in (("/api/actions/connector", "connectors"), ("/api/alerting/rule", "rules")):
        for one in wanted[kind]:
            done = "put" if dry_run else kibana.put(path, one)
            say(f"           {done} {kind.removesuffix('s')} {one['name']}")
    return count + sum(map(len, wanted.values()))
