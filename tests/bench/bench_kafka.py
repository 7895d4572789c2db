"""bench_kafka - a topic to the store and the feed, beside a bare librdkafka consumer; latency; memory with many viewers

usage: bench_kafka.py [few|many|latency ...]

One real broker (tests/broker.py) on the same machine holds the topic; all its messages are of 204 bytes, 5 % change a status.
The topic is read a few times before anything is timed, and the paced audience is played a few times, until Java has compiled what
serves them: till then its compilers take up to a core. The first event of every viewer is not timed: they are the house's start.
From the commit behind them to the last commit runs the clock. USHER_BENCH_KAFKA_EVENTS, _MANY, _RATE, _SECONDS and _RUNS make it
smaller.
"""

import os
import pathlib
import statistics
import subprocess
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))

import running
from broker import Broker
from confluent_kafka import KafkaException, TopicPartition

EVENTS = int(os.environ.get("USHER_BENCH_KAFKA_EVENTS", "4000000"))
MANY = int(os.environ.get("USHER_BENCH_KAFKA_MANY", "1000000"))
RATE = int(os.environ.get("USHER_BENCH_KAFKA_RATE", "100000"))
SECONDS = int(os.environ.get("USHER_BENCH_KAFKA_SECONDS", "10"))
RUNS = int(os.environ.get("USHER_BENCH_RUNS", "3"))
SHARDS = os.environ.get("USHER_SHARDS", "1")
FEW, SEED, LIMIT_S = 10000, 20, 300
PARTITION = 0
WARM_READS, WARM_PACED = 4, 5
#  Bytes of a fetch: the ingester's, and what librdkafka does by itself.
FETCHES = {"ingester's fetches": 4194304, "librdkafka's own": 1048576}

rows = []


def tell(name, values, unit, how="", digits=0):
    middle = statistics.median(values)
    rows.append((name, f"{middle:,.{digits}f} {unit}", f"{min(values):,.{digits}f} to {max(values):,.{digits}f}", how))
    print(f"  {name}: {rows[-1][1]} ({rows[-1][2]})", flush=True)
    return middle


def numbers(program, *words):
    """Runs a program of ours; returns the numbers it prints."""
    done = subprocess.run([running.compiled(program, "-lrdkafka"), *map(str, words)], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{program} failed: {done.stderr}")
    return [int(word) for word in done.stdout.split()]


def settings(broker, topic, group):
    #  The audience's time ends where the topic is filled. From its statistics the ingester would learn that the topic is at its
    #  end and silent since, and all would be lost while they are counted and weighed as live ones.
    return {"KAFKA_BOOTSTRAP_SERVERS": broker.address, "USHER_KAFKA_TOPIC": topic, "USHER_KAFKA_GROUP": group,
            "USHER_KAFKA_PROPERTIES": "statistics.interval.ms=0", "USHER_STORE_KIND": "sqlite", "USHER_SHARDS": SHARDS,
            "USHER_COLLECTOR_ENABLED": "false"}


def watch_of(program, *words):
    return subprocess.Popen([running.compiled(program, "-lrdkafka", "-lpthread"), *map(str, words)], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)


def ask(watch):
    watch.stdin.write("?\n")
    watch.stdin.flush()
    return [int(word) for word in watch.stdout.readline().split()]


# ---- a topic to its end


class Progress:
    """What the group has committed, and what the processes and the broker have used till then."""

    def __init__(self, broker, topic, consumer, house):
        self.broker, self.consumer, self.house = broker, consumer, house
        self.where = [TopicPartition(topic, PARTITION)]

    def reached(self, offset):
        """Waits for the commit of an offset or of one behind it."""
        def committed():
            try:
                found = self.consumer.committed(self.where, 10)[0].offset
            except KafkaException:    # a group of whom the broker does not know yet
                return None
            return found if found >= offset else None
        at = running.wait_until(committed, f"commit of {offset}", LIMIT_S)
        return {"offset": at, "s": time.monotonic(), "broker_us": running.cpu_us(self.broker.process.pid),
                "cpu_us": {name: running.cpu_us(pid) for name, pid in self.house.pids.items()}}


def one_run(path, broker, topic, group, viewers, events):
    watch = watch_of("feed_watch", path / "run")
    with running.house(path, collector=False, more=settings(broker, topic, group)) as house, broker.consumer(group) as consumer:
        pss = {name: running.pss_bytes(pid) for name, pid in house.pids.items()}
        progress = Progress(broker, topic, consumer, house)
        ingester_us = running.cpu_us(house.pids["ingester"])
        first, last = progress.reached(viewers), progress.reached(events)
        running.wait_until(lambda: house.live_viewers() == viewers, f"{viewers} live viewers at the gateway", 60, 0.2)
        _, _, fed_ns = ask(watch)
        position = running.Position(path / "data/store.db")
        made = {table: position.count(table) for table in ("video_events", "viewer_profiles", "quarantine")}
        position.close()
        pss = {name: running.pss_bytes(pid) - pss[name] for name, pid in house.pids.items()}
    watch.stdin.close()
    watch.wait()
    count = last["offset"] - first["offset"]
    if not count:
        raise SystemExit(f"{EVENTS} events were committed with the first ones; more are wanted (USHER_BENCH_KAFKA_EVENTS)")
    cpu_us = {name: (last["cpu_us"][name] - first["cpu_us"][name]) / count for name in house.pids}
    cpu_us["ingester"] = (last["cpu_us"]["ingester"] - ingester_us) / events    # it reads ahead, and every event costs it the same
    return {"rate": count / (last["s"] - first["s"]), "fed": count / (fed_ns / 1e9 - first["s"]), "made": made, "pss": pss,
            "broker_us": (last["broker_us"] - first["broker_us"]) / count,
            "cpu_us": cpu_us}


def check(run, viewers, changes):
    made = run["made"]
    if made["viewer_profiles"] != viewers or made["video_events"] != changes or made["quarantine"]:
        raise SystemExit(f"{viewers} viewers changed {changes} times, but the store holds {made}")


def bare(broker, topic, events, fetch):
    before = running.cpu_us(broker.process.pid)
    messages, size, wall_ns, cpu_ns = numbers("kafka_read", broker.address, topic, FETCHES[fetch])
    if messages != events:
        raise SystemExit(f"the bare consumer read {messages} of {events} messages")
    return {"rate": messages / wall_ns * 1e9, "cpu_us": cpu_ns / 1e3 / messages, "bytes": size / messages,
            "broker_us": (running.cpu_us(broker.process.pid) - before) / messages}


def topic_to_end(broker, name, viewers):
    topic, events = f"audience-{name}", viewers + EVENTS
    broker.create_topic(topic, 1)
    _, changes, _, _, _ = numbers("kafka_fill", broker.address, topic, events, viewers, SEED)
    for _ in range(WARM_READS):
        bare(broker, topic, events, "ingester's fetches")
    bares, runs = {fetch: [] for fetch in FETCHES}, []
    for number in range(RUNS):
        for fetch, read in bares.items():
            read.append(bare(broker, topic, events, fetch))
        with running.folder() as path:
            runs.append(one_run(path, broker, topic, f"bench-{name}-{number}", viewers, events))
        check(runs[-1], viewers, changes)
    broker.delete_topic(topic)
    tell_topic(f"{viewers:,} viewers", bares, runs, viewers)


def tell_topic(label, bares, runs, viewers):
    for fetch, read in bares.items():
        tell(f"{label}: bare consumer, {fetch}", [one["rate"] for one in read], "events/s", f"{read[0]['bytes']:.0f} bytes a message, one partition")
    tell("  topic to committed", [run["rate"] for run in runs], "events/s", f"SQLite, {SHARDS} shard; first viewers' commit -> last commit")
    tell("  topic to feed", [run["fed"] for run in runs], "events/s", "the same -> last frame at a SUB")
    for fetch, read in bares.items():
        tell(f"  of the bare consumer, {fetch}", [run["rate"] / one["rate"] for run, one in zip(runs, read)], "x",
             "committed / bare, each beside its neighbour; goal 0.5, limit 0.25", 3)
    for fetch, read in bares.items():
        tell(f"  CPU of the bare consumer, {fetch}", [one["cpu_us"] for one in read], "µs/event", "", 2)
    tell("  CPU of all processes", [sum(run["cpu_us"].values()) for run in runs], "µs/event", "goal 1", 2)
    names = sorted(runs[0]["cpu_us"], key=lambda name: -statistics.median(run["cpu_us"][name] for run in runs))
    for name in names:
        tell(f"    {name}", [run["cpu_us"][name] for run in runs], "µs/event", "", 2)
    tell("  CPU of the broker", [run["broker_us"] for run in runs], "µs/event", "beside it, not in the sum", 2)
    tell("  history rows per event", [run["made"]["video_events"] / (EVENTS + viewers) for run in runs], "", "first events are changes too", 3)
    shards = [name for name in names if name.startswith("shard")]
    for what, members, goal in (("shard", shards, 512), ("publisher", ["publisher"], 224), ("gateway", ["gateway"], 224)):
        tell(f"  memory: {what}", [sum(run["pss"][name] for name in members) / viewers for run in runs], "bytes/viewer", f"growth of Pss; goal {goal} with 1 M viewers")


# ---- latency


def delays(broker, number, rate):
    """Returns p50, p99 and p99.9 from the producer, then from librdkafka, in ms; events/s; and the processes' CPU, in µs/event."""
    topic, group, events = f"paced-{rate}-{number}", f"paced-{rate}-{number}", rate * SECONDS
    broker.create_topic(topic, 1)
    with running.folder() as path:
        handover = path / "handover"
        handover.write_bytes(bytes(8 * events))
        watch = watch_of("feed_latency", path / "run", handover, events, max(FEW, rate))
        preload = {"LD_PRELOAD": running.compiled("handover", "-shared", "-fPIC", "-lrdkafka"), "USHER_BENCH_HANDOVER": handover}
        with running.house(path, collector=False, more=settings(broker, topic, group) | preload) as house:
            running.wait_until(lambda: b"partitions assigned" in (path / "log").read_bytes(), "assigned partition", 30)
            before = {name: running.cpu_us(pid) for name, pid in house.pids.items()}
            _, changes, _, wall_ns, _ = numbers("kafka_fill", broker.address, topic, events, FEW, SEED, rate)
            running.wait_until(lambda: ask(watch)[0] >= changes, f"announcement of each of {changes} changes", LIMIT_S, 0.2)
            cpu_us = {name: (running.cpu_us(pid) - before[name]) / events for name, pid in house.pids.items()}
            watch.stdin.close()
            count, *found = (int(word) for word in watch.stdout.readline().split())
            watch.wait()
    if not count:
        raise SystemExit("no delay was measured")
    return [us / 1000 for us in found], events / wall_ns * 1e9, cpu_us


def latency(broker):
    for number in range(WARM_PACED):
        delays(broker, f"warm-{number}", RATE)
    for rate in dict.fromkeys((RATE, RATE // 5)):
        runs = [delays(broker, number, rate) for number in range(RUNS)]
        made = statistics.median(run[1] for run in runs)
        how = f"{rate:,}/s wanted, {made:,.0f}/s made, {SECONDS} s"
        for at, (where, share) in enumerate((where, share) for where in ("produced", "librdkafka") for share in ("p50", "p99", "p99.9")):
            tell(f"{where} -> PUB frame, {share}", [run[0][at] for run in runs], "ms",
                 how + ("; goal 3" if (where, share) == ("librdkafka", "p99") else ""), 2)
        tell("  CPU of all processes", [sum(run[2].values()) for run in runs], "µs/event", how, 2)
        tell("    persister", [run[2]["persister"] for run in runs], "µs/event", how, 2)


# ---- all


def main():
    parts = {"few": lambda broker: topic_to_end(broker, "few", FEW), "many": lambda broker: topic_to_end(broker, "many", MANY), "latency": latency}
    wanted = sys.argv[1:] or list(parts)
    if unknown := set(wanted) - set(parts):
        raise SystemExit(f"there is no {', '.join(unknown)}; there are {', '.join(parts)}")
    load, machine = os.getloadavg()[0], running.machine()
    with Broker(heap_mb=1024, options=[]) as broker:
        for part in wanted:
            print(part, flush=True)
            parts[part](broker)
    head = [f"usher bench, Kafka: {machine['processor']}, {machine['cores']} cores, {machine['memory_gib']} GiB; {EVENTS:,} events; medians of {RUNS} runs, least to greatest",
            f"load average at start: {load:.2f}; at end: {os.getloadavg()[0]:.2f}", ""]
    text = "\n".join(head + [f"{name:<56} {value:>20}  {span:>24}  {how}".rstrip() for name, value, span, how in rows]) + "\n"
    pathlib.Path(running.BUILD / "bench-kafka.txt").write_text(text)
    print("\n" + text)


if __name__ == "__main__":
    main()
