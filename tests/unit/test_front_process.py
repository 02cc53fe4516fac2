"""What the parent says when the process that reads and clusters ends before its work is done."""

from __future__ import annotations

import os
import struct
from multiprocessing import get_context

import pytest

from agents.front_process import FrontEnded, FrontProcess


@pytest.mark.parametrize("begun", [b"", struct.pack("!i", 100) + b"P and a part of"])
def test_an_end_between_messages_and_in_the_middle_of_one(begun: bytes) -> None:
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    front = FrontProcess.__new__(FrontProcess)
    front._connection = ours
    front._process = context.Process(target=os._exit, args=(3,))
    front._process.start()
    os.write(theirs.fileno(), begun)
    theirs.close()
    with pytest.raises(FrontEnded, match=r"exit code 3.*the replay goes on"):
        front.total()
    ours.close()
