"""latency - from a tracker's request to its message on /ws: one sender, one listener, both on plain sockets"""

import base64
import json
import os
import socket
import struct
import threading
import time

import events
from running import wait_until

VIEWERS = 100
KINDS = ("play_event", "pause_event")    # in turn for each viewer: every event changes the status


def listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def read_answer(file):
    """Reads one HTTP answer; returns its status line."""
    status, size = file.readline().decode(), 0
    while (line := file.readline().decode().strip()):
        name, _, value = line.partition(":")
        if name.lower() == "content-length":
            size = int(value)
    file.read(size)
    return status


class Listener(threading.Thread):
    """A WebSocket client of /ws that notes when each event came. Text frames of a server are never masked."""

    def __init__(self, port):
        super().__init__(daemon=True)
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.file, self.came = self.socket.makefile("rb"), {}
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall((f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                             f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        status = read_answer(self.file)
        if " 101 " not in status:
            raise SystemExit(f"/ws answered {status}")
        self.socket.settimeout(None)

    def run(self):
        try:
            while (head := self.file.read(2)) and len(head) == 2:
                size = head[1] & 127
                if size >= 126:
                    size = struct.unpack(">H" if size == 126 else ">Q", self.file.read(2 if size == 126 else 8))[0]
                body, now = self.file.read(size), time.monotonic()
                if head[0] & 15 == 1:
                    self.came.setdefault(json.loads(body)["event_id"], now)
        except (OSError, ValueError):
            pass

    def close(self):
        self.socket.shutdown(socket.SHUT_RDWR)
        self.join(5)
        self.socket.close()


def send_all(port, rate, seconds):
    """Sends at a fixed pace; returns event id -> when its request was sent."""
    link = socket.create_connection(("127.0.0.1", port), 10)
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    file, sent, begin = link.makefile("rb"), {}, time.monotonic()
    for number in range(int(rate * seconds)):
        turn, viewer = divmod(number, VIEWERS)
        eid = f"{number:08x}-7469-4eec-a71b-bbb5033d7767"
        request = events.post(events.post_body(eid, viewer, KINDS[turn % 2], turn), port)
        time.sleep(max(0.0, begin + number / rate - time.monotonic()))
        sent[eid] = time.monotonic()
        link.sendall(request)
        status = read_answer(file)
        if " 200 " not in status:
            raise SystemExit(f"the collector answered {status}")
    link.close()
    return sent


def measure(collector_port, gateway_port, rate, seconds):
    """Returns the delays of all events in seconds, sorted."""
    wait_until(lambda: listens(collector_port) and listens(gateway_port), "ports", 20)
    listener = Listener(gateway_port)
    listener.start()
    sent = send_all(collector_port, rate, seconds)
    wait_until(lambda: len(listener.came) >= len(sent), f"message for each of {len(sent)} events", 10)
    listener.close()
    return sorted(listener.came[eid] - at for eid, at in sent.items())
