"""The cluster fold: state + next frame -> state + changes, and nothing else.

One fold owns one partition of `posts.embedded`. Its result depends on the order of the log only:
not on where frames were cut, on threads, clocks or chance.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from clusters.admission import Block, admit, follow
from clusters.ahead import Ahead
from clusters.parameters import CHANGE, FEW, REFRESH, ClusterParameters, taken_up, tunable
from clusters.parting import part
from clusters.pending import Pending
from clusters.seen import Seen, columns, mapping
from clusters.table import MicroTable
from clusters.weights import Weights
from streams.codec import check_head
from streams.grid import LEXICAL
from streams.ids import micro_id
from streams.inputs import EmbeddedInput, Parting
from streams.records import Change, EntryKind, Frame, Outcome, PostColumns, WrongEncoder
from streams.time import Watermark

STATE_VERSION = 4


class ClusterFold:
    """Micro-clusters in a single pass.

    A post joins the micro-cluster with whose members it has the largest mean cosine when that reaches
    `micro_threshold`, else it opens one (leader clustering, Hartigan 1975, by mean link, Sokal and
    Michener 1958). An exact copy of a
    wording, and a repost, go where the first one went without any vector work, and do not enter the
    sums.
    """

    def __init__(
        self, parameters: ClusterParameters, *, encoder: str, dim: int, partition: int = 0
    ) -> None:
        self._parameters = parameters
        self._encoder = encoder
        self._dim = dim
        self._partition = partition
        self._weights = Weights(dim)
        self._table = MicroTable(dim + LEXICAL)
        self._seen = Seen(parameters.window_ms + parameters.lateness_ms)
        self._know({})
        self._watermark = Watermark(
            lateness_ms=parameters.lateness_ms, silent_ms=parameters.silent_ms
        )
        self._pending = Pending(dim)
        self._settings_version = ""  # of the settings that the log brought
        self._offsets: dict[str, int] = {}  # "origin/partition" -> last source offset
        self._folded = 0
        self._sequence = 0

    # What the worker and the tests read.

    @property
    def watermark(self) -> int:
        return self._watermark.value

    @property
    def active(self) -> int:
        """Active micro-clusters."""
        return self._table.active

    @property
    def sequence(self) -> int:
        """Number of the last change."""
        return self._sequence

    def take(self, record: EmbeddedInput) -> list[Change]:
        """Take up one record of `posts.embedded`, whatever its kind. Raises WrongEncoder."""
        if isinstance(record, Frame):
            return self.fold(record)
        if isinstance(record, Parting):
            return self._part(record)
        self._use(taken_up(self._parameters, record.cluster), record.version)
        return []

    def _use(self, parameters: ClusterParameters, version: str) -> None:
        self._parameters, self._settings_version = parameters, version
        self._seen.keep_for(parameters.window_ms + parameters.lateness_ms)

    def _part(self, order: Parting) -> list[Change]:
        """Open micro-clusters for posts that leave theirs. What is like them from here on goes to the
        nearer one; copies, reposts and replies follow."""
        self._check(order.encoder, "an order to part")
        moved = part(
            order, self._seen, self._table, self._wording, self._weights, self._pending,
            self._parameters.dense_weight,
        )  # fmt: skip
        return [self._change()] if moved else []

    def fold(self, frame: Frame) -> list[Change]:
        """Fold one frame; returns the changes that fell due, in order.

        Raises WrongEncoder when the frame was embedded by another encoder.
        """
        self._check(frame.encoder, "a frame")
        return list(self._fold(frame))

    def _check(self, encoder: str, what: str) -> None:
        if encoder != self._encoder:
            raise WrongEncoder(
                f"{what} was embedded by {encoder}, this fold works with {self._encoder}: "
                "let the frames of one encoder run out before changing it, or start a new state"
            )

    def _fold(self, frame: Frame) -> Iterator[Change]:
        origin = f"{frame.origin}/{frame.partition}"
        last = self._offsets.get(origin, -1)
        post = tick = 0
        run: list[int] = []
        ahead = Ahead(frame.posts, self._table, self._weights, self._parameters.dense_weight)
        for offset, kind in zip(frame.offsets.tolist(), frame.kinds.tolist(), strict=True):
            new = offset > last
            if kind == EntryKind.POST:
                if new:
                    run.append(post)
                post += 1
            elif kind == EntryKind.DEAD:
                if new:
                    if self._folded % CHANGE + len(run) >= CHANGE:  # the change may come before it
                        yield from self._posts(frame.posts, run, ahead)
                        run = []
                    self._pending.dead += 1
            else:
                if new:
                    yield from self._posts(frame.posts, run, ahead)
                    run = []
                    yield self._tick(frame.ticks[tick])
                tick += 1
        yield from self._posts(frame.posts, run, ahead)
        if len(frame.offsets):
            self._offsets[origin] = max(last, int(frame.offsets[-1]))

    def _tick(self, at: int) -> Change:
        self._watermark.tick(at)
        self._expire()
        return self._change()

    def _expire(self) -> None:
        now = self._watermark.value
        gone = self._table.expire(now - self._parameters.window_ms)
        if gone:
            self._pending.aged += gone
            if len(self._wording) > self._wordings_due:
                self._know(self._live_wordings())
        self._seen.expire(now)

    def _know(self, wordings: dict[int, int]) -> None:
        """Work with these wordings. When a quarter more are known, the dead ones among them go."""
        self._wording = wordings  # wording -> serial of its micro-cluster
        self._wordings_due = len(wordings) + max(len(wordings) // 4, 1024)

    def _follows(self, wording: int) -> bool:
        """Whether a post of that wording needs no comparing: its micro-cluster is still there."""
        serial = self._wording.get(wording)
        return serial is not None and self._table.row_of(serial) is not None

    def _live_wordings(self) -> dict[int, int]:
        row_of = self._table.row_of
        return {w: s for w, s in self._wording.items() if row_of(s) is not None}

    def _change(self) -> Change:
        self._sequence += 1
        return self._pending.take(
            partition=self._partition,
            sequence=self._sequence,
            watermark=self._watermark.value,
            encoder=self._encoder,
        )

    def _posts(self, posts: PostColumns, rows: list[int], ahead: Ahead) -> Iterator[Change]:
        """Fold rows, stopping wherever something falls due."""
        while rows:
            room = min(CHANGE - self._folded % CHANGE, self._until_refresh())
            block = admit(posts, rows, room, self._seen, self._watermark)
            rows = rows[len(block.rows) :]
            self._assign(posts, block, ahead)
            if not block.accepted:
                continue
            if self._refresh_due():
                self._weights.refresh()
                ahead.forget()
                self._expire()
            if self._folded % CHANGE == 0:
                yield self._change()

    def _until_refresh(self) -> int:
        """Posts until frequencies and mean are next brought up to date.

        That is at 1, 2, 4, ... posts, then every REFRESH.
        """
        n = self._folded
        return (1 << n.bit_length()) - n if n < REFRESH else REFRESH - n % REFRESH

    def _refresh_due(self) -> bool:
        n = self._folded
        return n % REFRESH == 0 if n >= REFRESH else n & (n - 1) == 0

    def _assign(self, posts: PostColumns, block: Block, ahead: Ahead) -> None:
        """Give every accepted post its micro-cluster, and note the block for the next change."""
        leads = follow(posts, block.accepted, self._seen, self._wording, self._table.row_of)
        alone = [row for row, lead in zip(block.accepted, leads, strict=True) if lead is None]
        own = self._place(posts, alone, ahead)
        placed = iter(own)
        rows_of: dict[int, int] = {}  # row of the frame -> serial, within this block
        serials: list[int] = []
        for row, lead, watermark in zip(block.accepted, leads, block.watermarks, strict=True):
            if lead is None:
                serial = next(placed)
            else:
                serial = lead.serial if lead.serial is not None else rows_of[lead.row]
                at = self._table.row_of(serial)
                assert at is not None  # nothing expires inside a block
                self._table.touch(at, int(posts.created_at[row]))
            rows_of[row] = serial
            serials.append(serial)
            self._seen.add(posts.source[row], posts.id[row], serial, watermark)
        self._folded += len(block.accepted)
        micros = map(self._micro, serials)
        self._pending.rows(
            posts,
            block.rows,
            block.outcomes,
            [next(micros) if o == Outcome.FOLDED else None for o in block.outcomes],
            block.duplicates,
        )
        if alone:  # after the rows, which give micro-clusters their order: that of folding
            texts = ahead.texts(alone)
            self._weights.learn(texts)
            self._pending.vectors(texts, [self._micro(s) for s in own])

    def _micro(self, serial: int) -> str:
        row = self._table.row_of(serial)
        assert row is not None
        return self._table.ids[row]

    def _place(self, posts: PostColumns, rows: list[int], ahead: Ahead) -> list[int]:
        """Find or open the micro-cluster of posts that lead nowhere by themselves; serials."""
        table, threshold = self._table, self._parameters.micro_threshold
        serials: list[int] = []
        for row in rows:
            i = ahead.place(row, self._until_refresh(), self._follows)
            created, length = int(posts.created_at[row]), ahead.lengths[i]
            at, score = table.best(ahead.products[i])
            if at < 0 or not length or agreement(score / length, table.members(at)) < threshold:
                at = table.open(micro_id(posts.source[row], posts.id[row]), created)
            ahead.joined(i, at, table.add(at, ahead.vectors[i]))
            table.touch(at, created)
            serial = int(table.serial[at])
            serials.append(serial)
            wording = int(posts.wording[row])
            if wording:
                self._wording[wording] = serial
        return serials

    def snapshot(self) -> dict[str, Any]:
        """The whole state, for `streams.codec.pack_state`."""
        return {
            "version": STATE_VERSION,
            "encoder": self._encoder,
            "partition": self._partition,
            "weights": self._weights.state(),
            "table": self._table.state(),
            "seen": self._seen.state(),
            "wording": columns(self._live_wordings()),
            "watermark": self._watermark.state(),
            "pending": self._pending.state(),
            "settings": [self._settings_version, tunable(self._parameters)]
            if self._settings_version
            else None,
            "offsets": [[o, self._offsets[o]] for o in sorted(self._offsets)],
            "folded": self._folded,
            "sequence": self._sequence,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up a snapshot. Raises WrongEncoder, and CodecError for one of another version."""
        check_head(state, fold="cluster", version=STATE_VERSION, encoder=self._encoder)
        self._partition = state["partition"]
        self._weights.restore(state["weights"])
        self._table.restore(state["table"])
        self._seen.restore(state["seen"])
        self._know(mapping(state["wording"]))
        self._watermark.restore(state["watermark"])
        self._pending.restore(state["pending"])
        self._offsets = dict(state["offsets"])
        if state["settings"] is not None:
            version, values = state["settings"]
            self._use(taken_up(self._parameters, values), version)
        self._folded = state["folded"]
        self._sequence = state["sequence"]


def agreement(mean_cosine: float, members: int) -> float:
    """The mean cosine of a post with so many members, with what it lacks counting more for few."""
    return 1.0 - (1.0 - mean_cosine) * (1.0 + FEW / members)
