"""The order in which passwords are hashed."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from chalicelib.errors import TooManyRequests
from chalicelib.services.accounts import hash_queue
from chalicelib.services.accounts.hash_queue import HashQueue
from infra.local import slow
from tests.servers.waiting import eventually


class Crowd:
    """Calls for turns from threads; begun, refused: the names of those that got one, or none."""

    def __init__(self, queue: HashQueue) -> None:
        self._queue = queue
        self._threads: list[threading.Thread] = []
        self.begun: list[str] = []
        self.refused: list[str] = []

    def come(self, name: str, doubt: int, work: Callable[[], object] = lambda: None) -> None:
        """Call for a turn; return the name once it runs, waits or is refused."""

        def call() -> None:
            try:
                with self._queue.turn(doubt):
                    self.begun.append(name)
                    work()
            except TooManyRequests as error:
                self.refused.append(f"{name}{error.headers['Retry-After'].lstrip('1')}")

        before = self._settled()
        thread = threading.Thread(target=call, daemon=True)
        self._threads.append(thread)
        thread.start()
        assert eventually(lambda: self._settled() > before)

    def wait(self) -> None:
        """Return when all have ended."""
        for thread in self._threads:
            thread.join(30)

    def _settled(self) -> int:
        return len(self.begun) + len(self.refused) + len(self._queue._waiting)


def test_those_in_doubt_come_after_all_others() -> None:
    """With one turn taken, waiting calls run in the order of their doubt, and then of their arrival."""
    crowd, goes_on = Crowd(HashQueue(1)), threading.Event()
    crowd.come("first", 5, goes_on.wait)
    for name, doubt in (
        ("guess 9", 9),
        ("guess 1", 1),
        ("clean", 0),
        ("guess 1 again", 1),
        ("also clean", 0),
    ):
        crowd.come(name, doubt)
    goes_on.set()
    crowd.wait()

    assert crowd.begun == ["first", "clean", "also clean", "guess 1", "guess 1 again", "guess 9"]
    assert crowd.refused == []


def test_the_most_doubtful_gives_way() -> None:
    """Of more guesses than may wait the most doubtful is refused at once, and the latest of equal ones."""
    crowd, goes_on = Crowd(HashQueue(1, max_waiting_in_doubt=2)), threading.Event()
    crowd.come("first", 0, goes_on.wait)
    for name, doubt in (("nine", 9), ("five", 5), ("five again", 5), ("one", 1), ("seven", 7)):
        crowd.come(name, doubt)
    assert crowd.refused == ["nine", "five again", "seven"]
    goes_on.set()
    crowd.wait()

    assert crowd.begun == ["first", "one", "five"]


def test_nobody_without_doubt_is_refused() -> None:
    """A call without doubt waits, however many others do."""
    crowd, goes_on = Crowd(HashQueue(1, max_waiting_in_doubt=1)), threading.Event()
    crowd.come("first", 0, goes_on.wait)
    crowd.come("guess", 1)
    for number in range(20):
        crowd.come(f"clean {number}", 0)
    goes_on.set()
    crowd.wait()

    assert crowd.refused == []
    assert crowd.begun[-1] == "guess"


def test_no_more_than_so_many_run_at_once() -> None:
    """At most the maximum number of calls hash at once, also when some raise."""
    queue = HashQueue(3)
    running, most, changing = 0, 0, threading.Lock()

    def work() -> None:
        nonlocal running, most
        with changing:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.001)
        with changing:
            running -= 1
        raise TooManyRequests("Not yet.", headers={"Retry-After": "1"})

    crowd = Crowd(queue)
    for number in range(60):
        crowd.come(str(number), 0, work)
    crowd.wait()

    assert (len(crowd.begun), len(crowd.refused)) == (60, 60)
    assert most <= 3
    with queue.turn(), queue.turn(), queue.turn():
        pass


def test_threads_are_left_for_those_without_doubt() -> None:
    """A flood of guesses leaves threads of the laptop's server free."""
    assert hash_queue.AT_ONCE + hash_queue.MAX_WAITING_IN_DOUBT < slow.THREADS


@pytest.mark.parametrize("doubt", [0, 3])
def test_a_free_turn_is_had_at_once(doubt: int) -> None:
    """Without other calls doubt makes no difference, as on Lambda."""
    queue = HashQueue(1)
    for _ in range(3):
        with queue.turn(doubt):
            pass
