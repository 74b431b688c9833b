"""In which order a night takes in the feeds, and whose queries are shared out among Postgres's workers."""

from collections import Counter

import pytest

from doudi import loads, night
from doudi.settings import load_settings


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """The feeds that were taken in, in their order, and whether the queries of each were shared out."""
    feeds: list[tuple[str, bool]] = []

    def take_in(feed: str, *, shared_out: bool, **others: object) -> list:
        feeds.append((feed, shared_out))
        return []

    monkeypatch.setattr(loads, "take_in", take_in)
    monkeypatch.setattr(night, "workers_for", lambda things: 1)
    monkeypatch.setattr(night, "_with_sources", lambda settings: {"left_behind"})
    return feeds


def _night(monkeypatch: pytest.MonkeyPatch, **sizes: int) -> None:
    monkeypatch.setattr(loads, "waiting", lambda *, settings: Counter(sizes))
    night._take_in(settings=load_settings(), meanwhile=lambda: None, progress=lambda line: None)


def test_the_longest_feed_comes_first_and_has_the_workers_to_itself(
    taken: list[tuple[str, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _night(monkeypatch, disability=3, poverty_register=10, minimum_allowance=6)
    assert taken == [
        ("poverty_register", True),
        ("minimum_allowance", False),
        ("disability", False),
        ("left_behind", False),
    ]


def test_where_no_feed_is_longer_than_all_others_all_have_them(
    taken: list[tuple[str, bool]], monkeypatch: pytest.MonkeyPatch
) -> None:
    _night(monkeypatch, disability=4, poverty_register=10, minimum_allowance=6)
    assert [shared_out for _, shared_out in taken] == [True] * 4
