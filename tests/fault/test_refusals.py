"""What cannot start says so in one line that names the thing, and exits with an error"""

import fcntl
import os
import pathlib
import shlex
import socket
import subprocess

import pytest

from house import PORTS, House, programs, wait_until


def refusal(house, *arguments):
    """The one line that `usher up` says before it ends."""
    answer = subprocess.run([programs() / "usher", "up", "--dir", house.directory, *arguments], cwd=house.directory, env=house.env,
                            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    assert answer.returncode != 0 and answer.stdout == "", answer
    lines = answer.stderr.splitlines()
    assert len(lines) == 1, lines
    return lines[0]


@pytest.fixture
def house(tmp_path_factory):
    house = House()
    yield house
    house.__exit__(None, None, None)


@pytest.mark.parametrize("name", PORTS)
def test_port_in_use(house, name):
    with socket.create_server(("127.0.0.1", 0)) as other:
        house.env[PORTS[name]] = str(other.getsockname()[1])
        line = refusal(house)
    assert house.env[PORTS[name]] in line and "in use" in line and PORTS[name] in line


def test_a_variable_that_is_no_setting_is_told_once(house):
    house.env |= {"USHER_GATEWAY_DASHBORD_PORT": "1", "USHER_BENCH_RUNS": "3"}
    house.start()
    told = [line for line in open(house.log) if "unknown variable" in line]
    assert len(told) == 1 and "process=supervisor" in told[0], told
    assert 'name=USHER_GATEWAY_DASHBORD_PORT hint="it is ignored; did you mean USHER_GATEWAY_DASHBOARD_PORT?"' in told[0]


def test_two_settings_one_port(house):
    house.env[PORTS["dashboard"]] = house.env[PORTS["collector"]]
    line = refusal(house)
    assert "collector.port" in line and "gateway.dashboard.port" in line


def test_second_supervisor(house):
    house.start()
    line = refusal(house)
    assert str(house.process.pid) in line and "already runs" in line and house.directory in line
    assert house.is_ready()


def test_lock_of_a_supervisor_that_ended(house):
    """Somebody holds it for a moment longer, as who reads /proc does: the next one waits for that."""
    house.start()
    assert house.stop() == 0
    path = pathlib.Path(house.directory, "run", "supervisor.lock")
    with open(path, "rb+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        house.launch()
        files = pathlib.Path(f"/proc/{house.process.pid}/fd")
        wait_until(lambda: str(path) in {os.path.realpath(file) for file in files.iterdir()}, "it tries the lock")
    house.wait_ready()


@pytest.mark.parametrize("name", ["my demo", "it's here", "plain-1", "$HOME"])
def test_a_hint_can_be_pasted(tmp_path, name):
    """What is between the backquotes leads a shell to the same folder, whatever its name."""
    folder = str(tmp_path / name)
    answer = subprocess.run([programs() / "usher", "status", "--dir", folder], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    hint = answer.stderr.split("`")[1]
    assert answer.returncode == 1 and shlex.split(hint) == ["usher", "up", "--dir", folder]
    assert subprocess.run(["sh", "-c", hint.replace("usher up --dir", "printf %s")], capture_output=True, text=True).stdout == folder


def test_directory_that_cannot_be_written(house):
    """Below /proc even root cannot make one."""
    house.env["USHER_DATA_DIR"] = "/proc/self/usher"
    line = refusal(house)
    assert "/proc/self/usher" in line and "USHER_DATA_DIR" in line and "--dir" in line


def test_directory_is_a_file(house):
    path = pathlib.Path(house.directory, "data")
    path.write_text("")
    assert str(path) in refusal(house)


def test_directory_name_too_long_for_sockets(house):
    house.env["USHER_RUN_DIR"] = os.path.join(house.directory, "x" * 120)
    assert "too long" in refusal(house)


@pytest.mark.parametrize("text, named", [
    ("shardz: 2\n", ["usher.yaml", "shardz", "1"]),
    ("# two lines\nshards: 0\n", ["usher.yaml", "shards", "2", "64"]),
    ("collector:\n  port: many\n", ["usher.yaml", "collector.port", "many"]),
    ("gateway:\n  tracker:\n    prot: 1\n", ["usher.yaml", "prot", "3"]),
    ("collector: [\n", ["usher.yaml"]),
], ids=["unknown key", "out of range", "no number", "unknown key below", "no YAML"])
def test_bad_settings(house, text, named):
    path = pathlib.Path(house.directory, "usher.yaml")
    path.write_text(text)
    line = refusal(house, "--config", str(path))
    assert all(word in line for word in named), line


def test_settings_file_that_is_not_there(house):
    assert "nowhere.yaml" in refusal(house, "--config", "nowhere.yaml")


def test_bad_setting_in_the_environment(house):
    house.env["USHER_SHARDS"] = "three"
    line = refusal(house)
    assert "USHER_SHARDS" in line and "three" in line


def test_store_that_is_no_database(house):
    """Never overwritten; the processes' own log says it, so it is more than one line."""
    path = pathlib.Path(house.directory, "data/store.db")
    path.parent.mkdir()
    path.write_text("this is a letter to my aunt, not a database\n" * 100)
    house.launch()
    assert house.process.wait(30) != 0
    log = pathlib.Path(house.log).read_text()
    assert "store.db" in log and path.read_text().startswith("this is a letter")


def test_page_that_is_not_built(house):
    """Everything else starts."""
    house.env["USHER_GATEWAY_TRACKER_DIRECTORY"] = "/nowhere"
    house.start()
    warnings = [line for line in pathlib.Path(house.log).read_text().splitlines() if "page missing" in line]
    assert any("/nowhere/index.html" in line and "make pages" in line and "gateway.tracker.directory" in line for line in warnings), warnings


@pytest.mark.parametrize("verb", [["status"], ["stop"], ["restart", "gateway"], ["watch"]], ids=lambda verb: verb[0])
def test_commands_without_a_supervisor(house, verb):
    answer = house.usher(*verb, timeout_s=30)
    assert answer.returncode != 0 and len(answer.stderr.splitlines()) == 1 and house.directory in answer.stderr, answer


def test_restart_of_what_does_not_exist(house):
    house.start()
    answer = house.usher("restart", "shard-9")
    assert answer.returncode != 0 and "shard-9" in answer.stderr
