"""A study's pool: left in any way, it leaves no process and no thread behind."""

from __future__ import annotations

import time

import pytest

from evaluation.tuning.pool import Pool


def test_a_pool_that_is_stopped_waits_for_its_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyboardInterrupt), Pool(1, repr, None) as pool:
        pool.submit(("a", "b"), time.sleep, 60)
        executor = pool._executor
        thread = executor._executor_manager_thread
        processes = list(executor._processes.values())
        end = thread.terminate_broken

        def slowly(cause: object) -> None:
            time.sleep(0.3)  # it has to do yet when the processes are gone
            end(cause)

        monkeypatch.setattr(thread, "terminate_broken", slowly)
        raise KeyboardInterrupt
    assert not thread.is_alive()
    assert not any(process.is_alive() for process in processes)
