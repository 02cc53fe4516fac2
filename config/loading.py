"""From default YAML, a user's file and the environment to settings, each with its origin."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, get_args, get_origin

import yaml
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from config.errors import SettingsError
from config.settings import Settings
from config.unique_yaml import yaml_cause, yaml_of

PREFIX = "TINDON_"
# Variables with our prefix that are no settings: the user's file, the folder of downloaded servers,
# the mark of a local server's process, the tests' data, and options of the test suite.
NO_SETTINGS = {"TINDON_CONFIG", "TINDON_CACHE", "TINDON_SERVER_TOKEN", "TINDON_SHARED"}
TEST_PREFIX = "TINDON_TEST_"
USER_FILE = "tindon.yaml"

Tree = dict[str, Any]


@dataclass(frozen=True)
class Loaded:
    """Settings with the origin of each: `default`, a file's path, or a variable's name."""

    settings: Settings
    origins: Mapping[str, str]
    file: Path | None


def load(path: Path | None = None, env: Mapping[str, str] | None = None) -> Loaded:
    """Default YAML, then the user's file, then the environment; the later wins, field by field.

    `path` is the user's file; without it TINDON_CONFIG or ./tindon.yaml, if there is one.
    `env` stands for os.environ. Raises SettingsError.
    """
    env = os.environ if env is None else env
    file = _user_file(path, env)
    merged, origins = _default_layer()
    layers = [] if file is None else [file_layer(file)]
    layers.append(_environment_layer(env))
    for values, named in layers:
        merge(merged, values)
        # A whole open table may replace a single entry's origin and the reverse: leaves decide.
        origins.update(named)
    return Loaded(validated(merged, origins), _leaves_only(merged, origins), file)


def defaults() -> Settings:
    """The settings of default.yaml alone, whatever the environment says."""
    merged, origins = _default_layer()
    return validated(merged, origins)


def _user_file(path: Path | None, env: Mapping[str, str]) -> Path | None:
    if path is not None:
        return path
    if env.get("TINDON_CONFIG"):
        return Path(env["TINDON_CONFIG"]).expanduser()
    here = Path(USER_FILE)
    return here if here.is_file() else None


def _default_layer() -> tuple[Tree, dict[str, str]]:
    text = resources.files("config").joinpath("default.yaml").read_text(encoding="utf-8")
    values = yaml_of(text)
    return values, {name: "default" for name, _ in leaves(values)}


def file_layer(
    file: Path, mend: str = "give a readable file with --config or TINDON_CONFIG"
) -> tuple[Tree, dict[str, str]]:
    try:
        values = yaml_of(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"settings file {file}: {error.strerror}; {mend}") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"settings file {file} is not good YAML: {yaml_cause(error)}; mend that line"
        ) from error
    if values is None:  # an empty file changes nothing
        values = {}
    if not isinstance(values, dict):
        raise SettingsError(
            f"settings file {file} holds no table; write `section:` and its fields below, indented"
        )
    check_names(values, Settings, (), f"in {file}")
    return values, {name: str(file) for name, _ in leaves(values)}


def _environment_layer(env: Mapping[str, str]) -> tuple[Tree, dict[str, str]]:
    values: Tree = {}
    origins: dict[str, str] = {}
    for variable in sorted(env):
        if not variable.startswith(PREFIX) or variable.startswith(TEST_PREFIX):
            continue
        if variable in NO_SETTINGS:
            continue
        names = variable.removeprefix(PREFIX).lower().split("__")
        field = _field(Settings, names)
        if field is None:
            known = [_variable(name) for name in _known_names(Settings)]
            raise SettingsError(
                f"unknown setting {variable} in the environment{_nearest(variable, known)}"
            )
        tree: Tree = {names[-1]: _from_text(env[variable], field, variable)}
        for name in reversed(names[:-1]):
            tree = {name: tree}
        check_names(tree, Settings, (), f"in {variable}")
        merge(values, tree)
        for name, _ in leaves(tree):
            origins[name] = variable
    return values, origins


def _from_text(text: str, field: FieldInfo | type, variable: str) -> Any:
    """A variable's text as YAML, unless the field takes text: a password of digits stays text."""
    annotation = field.annotation if isinstance(field, FieldInfo) else field
    kind = get_origin(annotation) or annotation
    if kind in (int, float, bool, dict) or (isinstance(kind, type) and issubclass(kind, BaseModel)):
        try:
            return yaml_of(text)
        except yaml.YAMLError as error:
            raise SettingsError(f"{variable} is not good YAML: {yaml_cause(error)}") from error
    if kind is tuple:
        parts = [
            part.strip() for part in text.strip().removeprefix("[").removesuffix("]").split(",")
        ]
        return [part.strip("'\"") for part in parts if part]
    return text


def validated(values: Tree, origins: Mapping[str, str]) -> Settings:
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        # Keep the part of the location that names settings; the rest is pydantic's.
        names = [str(part) for part in first["loc"]]
        while len(names) > 1 and _field(Settings, names) is None:
            names.pop()
        name = ".".join(names)
        field = _field(Settings, names)
        given = "" if _is_secret(field) else f", not {first['input']!r}"
        message = first["msg"].removeprefix("Input ").removeprefix("Value error, ")
        where = origins.get(name, "default")
        raise SettingsError(
            f"setting {name} {message}{given} (from {where}); "
            "`tindon config show` lists all settings"
        ) from None


def check_names(values: Tree, model: type[BaseModel], above: tuple[str, ...], where: str) -> None:
    for name, value in values.items():
        field = model.model_fields.get(str(name))
        dotted = ".".join((*above, str(name)))
        if field is None:
            known = list(_known_names(Settings))
            raise SettingsError(f"unknown setting {dotted} {where}{_nearest(dotted, known)}")
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            if not isinstance(value, dict):
                raise SettingsError(
                    f"setting {dotted} {where} is a section; write its fields below it, indented"
                )
            check_names(value, kind, (*above, str(name)), where)
        inner = _entry(kind)
        if inner is not None and isinstance(value, dict):
            for key, entry in value.items():
                place = f"{dotted}.{key}"
                if not isinstance(entry, dict):
                    raise SettingsError(
                        f"setting {place} {where} is a table; write its fields below it, indented"
                    )
                _check_entry(entry, inner, place, where)


def _entry(kind: Any) -> type[BaseModel] | None:
    """The model of an open table's entries; None for anything else."""
    inner = get_args(kind)[1] if get_origin(kind) is dict else None
    return inner if isinstance(inner, type) and issubclass(inner, BaseModel) else None


def _check_entry(values: Tree, model: type[BaseModel], place: str, where: str) -> None:
    for name, value in values.items():
        field = model.model_fields.get(str(name))
        if field is None:
            near = difflib.get_close_matches(str(name), model.model_fields, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise SettingsError(f"unknown setting {place}.{name} {where}{hint}")
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel) and isinstance(value, dict):
            _check_entry(value, kind, f"{place}.{name}", where)


def _nearest(given: str, known: list[str]) -> str:
    """'; did you mean X?': the right section for a field, else the closest name."""
    split = "__" if given.startswith(PREFIX) else "."
    last = given.rsplit(split, 1)[-1]
    by_last = {name.rsplit(split, 1)[-1]: name for name in known}
    found = [by_last[last]] if last in by_last else difflib.get_close_matches(given, known, n=1)
    if not found:
        found = [by_last[hit] for hit in difflib.get_close_matches(last, by_last, n=1)]
    return f"; did you mean {found[0]}?" if found else "; `tindon config show` lists all settings"


def _known_names(model: type[BaseModel], above: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield f"{above}{name}"
            yield from _known_names(kind, f"{above}{name}.")
        else:
            yield f"{above}{name}"


def _field(model: type[BaseModel], names: list[str]) -> FieldInfo | type | None:
    """The field that the names lead to; the value type of an open table for a name inside one."""
    field = model.model_fields.get(names[0])
    if field is None or len(names) == 1:
        return field
    kind = field.annotation
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _field(kind, names[1:])
    if (entry := _entry(kind)) is not None:
        return entry if len(names) == 2 else _field(entry, names[2:])
    if get_origin(kind) is dict and len(names) == 2:
        return float
    return None


def _is_secret(field: FieldInfo | type | None) -> bool:
    return isinstance(field, FieldInfo) and (
        field.annotation is SecretStr or SecretStr in get_args(field.annotation)
    )


def _variable(dotted: str) -> str:
    return PREFIX + dotted.upper().replace(".", "__")


def merge(below: Tree, above: Tree) -> None:
    for name, value in above.items():
        if isinstance(value, dict) and isinstance(below.get(name), dict):
            merge(below[name], value)
        else:
            below[name] = value


def leaves(values: Tree, above: str = "") -> Iterator[tuple[str, Any]]:
    """(dotted name, value) of everything that is no table; an empty table counts as a value."""
    for name, value in values.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", value


def _leaves_only(merged: Tree, origins: Mapping[str, str]) -> dict[str, str]:
    return {name: origins.get(name, "default") for name, _ in leaves(merged)}
