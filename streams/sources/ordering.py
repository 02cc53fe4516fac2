"""Records of files in the order of their times, held as bytes and numbers until their turn comes."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
import numpy as np

from streams.timestamps import TimestampError, parse_time
from streams.validation import InputRecord, IntakeRules, Invalid, Valid, check

Checked = tuple[InputRecord, Valid | Invalid]


class _Key(msgspec.Struct):
    """What decides a record's place; the rest is not taken apart."""

    id: Any = None
    created_at: Any = None
    source: Any = None


_key = msgspec.json.Decoder(_Key)


class Sorted:
    """Records sorted by (created_at, source, id), bytewise; invalid ones last, in input order.

    A record takes its own bytes and some 50 more until it is asked for.
    """

    def __init__(self, records: Iterable[InputRecord], rules: IntakeRules) -> None:
        self._rules = rules
        self._raw = bytearray()
        self._ends = array("q")
        self._at = array("q")  # created_at, ms
        self._assumed = array("q")  # -1: none
        self._labels: list[str] = []  # of "label:line"
        self._lines = array("q")
        self._sources: list[str] = []  # the record's own default
        self._dead: list[tuple[int, InputRecord]] = []  # (place in the input, record)
        self._number = array("q")  # place in the input
        known: dict[str, str] = {}
        for number, record in enumerate(records):
            place = _place(record, rules)
            if place is None:
                self._dead.append((number, record))
            else:
                self._hold(number, record, place[0], known)
        self._order = self._sorted()

    def __len__(self) -> int:
        return len(self._at) + len(self._dead)

    def _hold(self, number: int, record: InputRecord, at: int, known: dict[str, str]) -> None:
        self._raw += record.raw
        self._ends.append(len(self._raw))
        self._at.append(at)
        self._assumed.append(-1 if record.assumed_at is None else record.assumed_at)
        label, _, line = record.input.rpartition(":")
        self._labels.append(known.setdefault(label, label))
        self._lines.append(int(line))
        self._sources.append(known.setdefault(record.source, record.source))
        self._number.append(number)

    def _sorted(self) -> np.ndarray:
        """Rows in order, int32: by time as a whole, by name where times are equal."""
        at = np.frombuffer(self._at, np.int64) if len(self._at) else np.zeros(0, np.int64)
        order = at.argsort(kind="stable").astype(np.int32)
        edges = np.flatnonzero(np.diff(at[order], prepend=-1, append=-1))
        for start, end in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
            if end - start > 1:
                # Code points order as their UTF-8 bytes do; equal keys stay in input order.
                order[start:end] = sorted(order[start:end].tolist(), key=self._name)
        return order

    def _name(self, row: int) -> tuple[str, str]:
        """Source and id of a row."""
        place = _place(self._record(row), self._rules)
        assert place is not None  # it had one when it was taken in
        return place[1:]

    def _record(self, row: int) -> InputRecord:
        start = self._ends[row - 1] if row else 0
        assumed = self._assumed[row]
        return InputRecord(
            source=self._sources[row],
            input=f"{self._labels[row]}:{self._lines[row]}",
            raw=bytes(self._raw[start : self._ends[row]]),
            assumed_at=None if assumed < 0 else assumed,
        )

    def __iter__(self) -> Iterator[Checked]:
        dead = list(self._dead)
        for row in self._order.tolist():
            record = self._record(row)
            checked = check(record, self._rules)
            if isinstance(checked, Valid):
                yield record, checked
            else:  # its place could be read, and something else is wrong with it
                dead.append((self._number[row], record))
        for _, record in sorted(dead, key=lambda one: one[0]):
            yield record, check(record, self._rules)


def _place(record: InputRecord, rules: IntakeRules) -> tuple[int, str, str] | None:
    """(created_at, source, id) of a record; None for one that is certainly invalid."""
    if record.unreadable is None and len(record.raw) <= rules.max_record_bytes:
        try:
            key = _key.decode(record.raw)
            source = key.source if key.source not in (None, "") else record.source
            if type(key.id) is str and type(source) is str and key.created_at:
                return parse_time(key.created_at), source, key.id
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TimestampError):
            pass  # what is wrong, or whether anything is, the whole check says
    checked = check(record, rules)
    if isinstance(checked, Invalid):
        return None
    return checked.post.created_at, checked.post.source, checked.post.id
