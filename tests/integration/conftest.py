"""Lets the tests import what lies beside them in tests, and the young samples of tests/fault; a broker for all of them."""

import itertools
import pathlib
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent), str(HERE.parent / "fault")]

from broker import Broker  # noqa: E402

numbers = itertools.count(1)


@pytest.fixture(scope="session")
def one_broker():
    with Broker() as running:
        yield running


@pytest.fixture
def broker(one_broker):
    """The one that all tests share. A test may kill or freeze it: what others have on it stays, and the next one finds it running."""
    yield one_broker
    one_broker.thaw()
    if not one_broker.answers():
        one_broker.kill()
        one_broker.start()


@pytest.fixture
def topic(broker):
    """A name that nobody has used; the test makes the topic."""
    return f"events-{next(numbers)}"
