"""The console's way to the road: actions into Kafka, or into a folder's inbox."""

from __future__ import annotations

import logging
import time
import uuid
from pathlib import Path
from typing import Any, cast

from agents.deciding import decide
from agents.kafka.decide import send
from agents.kafka.noise import quieten
from agents.replay import ReplayError
from config import Settings
from console.deeds import NotGiven
from embeddings.encoder import EncoderError
from streams.broker import BrokerError
from streams.codec import CodecError
from streams.inputs import Action, Deed
from streams.sqlite_database import DatabaseError


class Deeds:
    """A console's `ActionDesk`."""

    def __init__(self, settings: Settings, folder: Path | None) -> None:
        """`folder`: of a replay or of the demo; None: Kafka."""
        self._settings = settings
        self._folder = folder

    def act(self, deed: str, alert: str, who: str, given: dict[str, Any]) -> str:
        action = Action(
            id=uuid.uuid4().hex,
            deed=cast(Deed, deed),  # one of `console.triage.DEEDS`
            alert=alert,
            who=who,
            at=int(time.time() * 1000),
            **given,
        )
        try:
            if self._folder is not None:
                decide(self._folder, self._settings, [action])
            else:
                quieten(logging.getLogger())
                send(self._settings, [action])
        except (
            BrokerError, CodecError, DatabaseError, EncoderError, ReplayError
        ) as error:  # fmt: skip
            raise NotGiven(str(error)) from error
        return action.id
