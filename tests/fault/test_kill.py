"""kill -9 of each process under load: nothing acknowledged is lost, nothing is made up, nothing counts twice

Afterwards the table, the profiles and the counters are those of the naive fold. USHER_TEST_SEED=anything gives other events and
other instants.
"""

import random
import signal
import time

import pytest

from audience import SEED, Audience, by_event, differences, session_facts, wanted_facts, wanted_rows
from house import SERVICES, House, is_running, wait_until

KILLS = 4


def stored_rows(house):
    return by_event(house.rows("SELECT * FROM video_events"))


def account(house, viewers, only_live=False):
    """Everything acknowledged is there, and nothing else."""
    last = {}

    def told_and_stored():
        facts = {name: session_facts(viewer) for name, viewer in house.viewers().items()}
        wanted = {name: each for name, each in wanted_facts(viewers).items() if name in facts or not only_live or each[1] != "ENDED"}
        last["facts"] = differences(wanted, facts)
        last["rows"] = differences(wanted_rows(viewers), stored_rows(house))
        return not last["facts"] and not last["rows"]
    try:
        wait_until(told_and_stored, "profiles and rows are those of the fold", 40, 0.3)
    except AssertionError:
        facts, rows = last.get("facts", []), last.get("rows", [])
        raise AssertionError(f"{len(facts)} profiles differ (wanted, told): {facts[:3]}; "
                             f"{len(rows)} rows differ (wanted, stored): {rows[:3]}") from None
    assert house.rows("SELECT * FROM quarantine") == []


@pytest.mark.parametrize("name", SERVICES)
def test_killed_under_load(name):
    dice = random.Random(f"{SEED} kill {name}")
    with House() as house:
        with Audience(house, name) as audience:
            audience.wait_posts(100)
            for _ in range(KILLS):
                killed = house.kill(name)
                house.wait_replaced(name, killed)
                audience.wait_posts(dice.randint(1, 150))
        house.wait_ready()
        account(house, audience.viewers)
        restarts = {entry["name"]: entry["restarts"] for entry in house.status()}
        assert restarts[name] == KILLS, restarts
        assert house.stop() == 0


def test_all_killed_at_once():
    with House() as house:
        with Audience(house, "all") as audience:
            for _ in range(2):
                audience.wait_posts(150)
                killed = {name: house.kill(name) for name in SERVICES}
                for name, pid in killed.items():
                    house.wait_replaced(name, pid)
        house.wait_ready()
        account(house, audience.viewers)


def test_supervisor_killed():
    """Its children go, and the next `usher up` in the same directory goes on."""
    with House() as house:
        with Audience(house, "supervisor") as audience:
            for _ in range(2):
                audience.wait_posts(200)
                children = [entry["pid"] for entry in house.status()]
                house.process.kill()
                house.process.wait()
                house.launch()
                wait_until(lambda: not any(is_running(pid) for pid in children), "the orphans are gone", 15)
                house.wait_ready()
        account(house, audience.viewers, only_live=True)


def test_stopped_shard_is_replaced():
    """SIGSTOP: no beat for 10 s, so the watchdog kills it."""
    with House() as house:
        with Audience(house, "watchdog") as audience:
            audience.wait_posts(100)
            stopped = house.kill("shard-0", signal.SIGSTOP)
            begin = time.monotonic()
            house.wait_replaced("shard-0", stopped, 30)
            assert 5 < time.monotonic() - begin < 25
            assert not is_running(stopped)
        house.wait_ready()
        account(house, audience.viewers)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_drain_and_second_start(how):
    with House() as house:
        with Audience(house, "drain") as audience:
            audience.wait_posts(400)
        pids = [entry["pid"] for entry in house.status()]
        assert house.stop(how) == 0
        assert not any(is_running(pid) for pid in pids)
        #  Everything acknowledged is in the store already, before anything starts again.
        assert differences(wanted_rows(audience.viewers), stored_rows(house)) == []
        house.start()
        account(house, audience.viewers, only_live=True)


def test_stop_command():
    with House() as house:
        pids = [entry["pid"] for entry in house.status()]
        answer = house.usher("stop")
        assert answer.returncode == 0, answer
        assert house.process.wait(30) == 0
        assert not any(is_running(pid) for pid in pids)
        assert house.usher("status").returncode != 0
