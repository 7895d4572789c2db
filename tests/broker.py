"""broker - a real Kafka broker of one node for a test, and what a test wants to know of it

    with Broker() as broker:
        broker.create_topic("events", partitions=4)
        broker.produce("events", [(b"key", b"value"), ...])
        broker.kill(); broker.start()

Its jars come from Maven Central by tests/kafka/pom.xml into .cache/kafka, once. It keeps nothing that a test leaves.
A broker costs seconds to start: tests share one, each with a topic of its own.
"""

import atexit
import contextlib
import functools
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

import jars
from house import ROOT, free_ports, wait_until

POM = ROOT / "tests/kafka/pom.xml"
GROUP = "kafka-consumer-group"
START_DEADLINE_S = 90

SETTINGS = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
broker.session.timeout.ms=2000
broker.heartbeat.interval.ms=500
auto.create.topics.enable=false
log.retention.check.interval.ms=1000
log.dirs={directory}/log
"""

#  A listener that wants TLS and a password, in front of the same broker.
SECURE = """
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller},SECURE://127.0.0.1:{secure}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SECURE://127.0.0.1:{secure}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL
listener.name.secure.sasl.enabled.mechanisms=PLAIN
listener.name.secure.plain.sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule required \\
  user_usher="right";
listener.name.secure.ssl.keystore.type=PKCS12
listener.name.secure.ssl.keystore.location={directory}/key.p12
listener.name.secure.ssl.keystore.password=keystore
"""



def lib():
    return jars.fetch(POM, ROOT / ".cache/kafka")


def java(options, *arguments):
    return ["java", *options, f"-Dlog4j.configuration=file:{POM.parent}/log4j.properties", "-cp", f"{lib()}/*", *arguments]


def run(*command):
    subprocess.run(command, check=True, timeout=60, stdin=subprocess.DEVNULL, capture_output=True)


@functools.cache
def blank():
    """A folder with what a broker needs before its first start: a formatted log, a certificate and its key. Made once a process."""
    folder = tempfile.mkdtemp(prefix="usher-kafka-", dir="/tmp")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    key, certificate, settings = (os.path.join(folder, name) for name in ("key.pem", "certificate.pem", "server.properties"))
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-subj", "/CN=broker",
        "-addext", "subjectAltName=IP:127.0.0.1")
    run("openssl", "pkcs12", "-export", "-in", certificate, "-inkey", key, "-name", "broker", "-passout", "pass:keystore",
        "-out", os.path.join(folder, "key.p12"))
    pathlib.Path(settings).write_text((SETTINGS + SECURE).format(port=1, controller=2, secure=3, directory=folder))
    run(*java(jars.QUICK, "kafka.tools.StorageTool", "format", "-t", "dXNoZXItdGVzdC1icm9rZQ", "-c", settings))
    return folder


class Broker:
    def __init__(self, heap_mb=512, options=jars.QUICK):
        self.directory = tempfile.mkdtemp(prefix="usher-kafka-", dir="/tmp")
        shutil.copytree(blank(), self.directory, dirs_exist_ok=True)
        self.port, self.controller, self.secure = free_ports(3)
        self.address, self.secure_address = f"127.0.0.1:{self.port}", f"127.0.0.1:{self.secure}"
        self.certificate = os.path.join(self.directory, "certificate.pem")
        self.options, self.process = [f"-Xmx{heap_mb}m", *options], None
        self.settings = os.path.join(self.directory, "server.properties")
        pathlib.Path(self.settings).write_text((SETTINGS + SECURE).format(
            port=self.port, controller=self.controller, secure=self.secure, directory=self.directory))

    def __enter__(self):
        try:
            return self.start()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *error):
        self.kill()
        shutil.rmtree(self.directory, ignore_errors=True)

    # ---- start and stop

    def launch(self):
        with open(os.path.join(self.directory, "broker.log"), "ab") as log:
            self.process = subprocess.Popen(java(self.options, "kafka.Kafka", self.settings), stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log)
        return self

    def start(self):
        self.launch()
        end = time.monotonic() + START_DEADLINE_S
        while not self.answers():
            assert self.process.poll() is None, pathlib.Path(self.directory, "broker.log").read_text()[-4000:]
            assert time.monotonic() < end, f"the broker does not answer within {START_DEADLINE_S} s"
            time.sleep(0.1)
        return self

    def answers(self):
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            return bool(self.admin.list_topics(timeout=2).brokers)
        except (OSError, KafkaException):
            return False

    def kill(self, how=signal.SIGKILL):
        if self.process and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait(60)

    def freeze(self):
        self.process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self.process.send_signal(signal.SIGCONT)

    # ---- topics

    @functools.cached_property
    def admin(self):
        return AdminClient({"bootstrap.servers": self.address, "log_level": 0, "reconnect.backoff.max.ms": 200})

    def create_topic(self, topic, partitions=4, **config):
        """config: names with _ for the dots."""
        new = NewTopic(topic, partitions, 1, config={key.replace("_", "."): str(value) for key, value in config.items()})
        for future in self.admin.create_topics([new]).values():
            future.result(30)

    def delete_topic(self, topic):
        for future in self.admin.delete_topics([topic]).values():
            future.result(30)

    def topics(self):
        return list(self.admin.list_topics(timeout=10).topics)

    def delete_records(self, topic, offsets):
        """Drops all before offsets: {partition: offset}."""
        wanted = [TopicPartition(topic, partition, offset) for partition, offset in offsets.items()]
        for future in self.admin.delete_records(wanted).values():
            future.result(30)

    def produce(self, topic, messages, partition=None):
        """messages: (key, value) each. Returns when the broker has them."""
        failed = []
        producer = Producer({"bootstrap.servers": self.address, "linger.ms": 5, "log_level": 0,
                             "message.max.bytes": 8 << 20, "queue.buffering.max.messages": 2000000})
        where = {} if partition is None else {"partition": partition}
        for key, value in messages:
            while True:
                try:
                    producer.produce(topic, value, key, **where, on_delivery=lambda error, _: error and failed.append(error))
                    break
                except BufferError:
                    producer.poll(0.1)
            producer.poll(0)
        assert producer.flush(60) == 0 and not failed, failed

    @contextlib.contextmanager
    def consumer(self, group="look"):
        """One that has not joined. What the broker cannot answer now is an OSError, which wait_until takes for not yet."""
        consumer = Consumer({"bootstrap.servers": self.address, "group.id": group, "log_level": 0})
        try:
            yield consumer
        except KafkaException as error:
            raise OSError(str(error)) from error
        finally:
            consumer.close()

    def ends(self, topic):
        """{partition: (first offset, next offset)}"""
        with self.consumer() as consumer:
            partitions = list(consumer.list_topics(topic, 10).topics[topic].partitions)
            return {each: consumer.get_watermark_offsets(TopicPartition(topic, each), 10) for each in partitions}

    def committed(self, topic, group=GROUP):
        """{partition: offset} of what the group has committed."""
        with self.consumer(group) as consumer:
            wanted = [TopicPartition(topic, each) for each in consumer.list_topics(topic, 10).topics[topic].partitions]
            return {each.partition: each.offset for each in consumer.committed(wanted, 10) if each.offset >= 0}

    def commits(self, topic, group=GROUP):
        """Every offset that the group has committed, as the broker took them: (partition, offset). None may be compacted away yet."""
        found = []
        for _, _, key, value, _ in sorted(self.read("__consumer_offsets"), key=lambda message: message[:2]):
            (version,) = struct.unpack_from(">h", key)
            names, rest = [], key[2:]
            while version < 2 and len(names) < 2:
                (size,) = struct.unpack_from(">h", rest)
                names, rest = [*names, rest[2:2 + size].decode()], rest[2 + size:]
            if names == [group, topic] and value:
                found.append((struct.unpack(">i", rest)[0], struct.unpack_from(">hq", value)[1]))
        return found

    def read(self, topic, deadline_s=30):
        """All messages of a topic: (partition, offset, key, value, headers)."""
        #  A broker that was frozen needs a moment until it leads its partitions again.
        ends, messages = wait_until(lambda: self.ends(topic), f"{topic} has a leader", deadline_s), []
        wanted = sum(high - low for low, high in ends.values())
        end = time.monotonic() + deadline_s
        with self.consumer() as consumer:
            consumer.assign([TopicPartition(topic, partition, low) for partition, (low, _) in ends.items()])
            while len(messages) < wanted:
                assert time.monotonic() < end, f"{len(messages)} of {wanted} messages of {topic}"
                message = consumer.poll(0.5)
                if message and not message.error():
                    messages.append((message.partition(), message.offset(), message.key(), message.value(), message.headers()))
        return messages
