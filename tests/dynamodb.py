"""dynamodb - DynamoDB for tests: Amazon's own engine as a process, a server that checks signatures, and faults between

    with Engine() as engine:                    # DynamoDB Local; kill() and start() as one likes
        with Faults(engine.port) as faults:     # passes on, or fails as `faults.how` says
            House(env=environment(faults.port))

The jars come from Maven Central by tests/tools/dynamodb-local/pom.xml, once, into .cache.
"""

import http.client
import http.server
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading

import jars
from house import ROOT, free_ports, wait_until

TARGET = "DynamoDB_20120810."


def engine_jars():
    return jars.fetch(ROOT / "tests/tools/dynamodb-local/pom.xml", ROOT / ".cache/dynamodb-local")


def environment(port, key="test", secret="test"):
    """What the reference is told, and nothing else."""
    return {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_REGION": "eu-central-1",
            "AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret}


def ask(port, operation, timeout_s=10, **body):
    """One request that the engine answers; it checks no signature. Returns what its JSON says."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout_s)
    headers = {"X-Amz-Target": TARGET + operation, "Content-Type": "application/x-amz-json-1.0", "Authorization":
               "AWS4-HMAC-SHA256 Credential=test/20260101/eu-central-1/dynamodb/aws4_request, SignedHeaders=host, Signature=none"}
    try:
        connection.request("POST", "/", json.dumps(body), headers)
        answer = connection.getresponse()
        text = answer.read()
    finally:
        connection.close()
    assert answer.status == 200, text
    return json.loads(text)


def plain(item):
    """An item without its types; a number is a float where it has a point."""
    def value(typed):
        (kind, text), = typed.items()
        return (float(text) if "." in text or "e" in text.lower() else int(text)) if kind == "N" else text
    return {name: value(typed) for name, typed in item.items()}


class Process:
    """A server on a port of its own: started, killed, started again."""

    def __init__(self):
        self.port, = free_ports(1)
        # In memory: what matters is that it outlives the process, and disks of test machines are slow.
        self.folder = tempfile.mkdtemp(prefix="usher-", dir="/dev/shm" if os.path.isdir("/dev/shm") else "/tmp")
        self.process = None

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self):
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self.process = subprocess.Popen(self.command(), cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env={**os.environ, **self.environment()})
        wait_until(self.answers, f"{type(self).__name__} answers", 60, 0.1)
        return self

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()


class Engine(Process):
    """DynamoDB Local; what it was told survives kill()."""

    def command(self):
        lib = engine_jars()
        return ["java", "-Xmx512m", *jars.QUICK, f"-Djava.library.path={lib}", "-cp", f"{lib}/*",
                "com.amazonaws.services.dynamodbv2.local.main.ServerRunner", "-sharedDb", "-dbPath", self.folder,
                "-port", str(self.port)]

    def environment(self):
        return {"DDB_LOCAL_TELEMETRY": "0"}

    def answers(self):
        assert self.process.poll() is None, pathlib.Path(self.folder, "log").read_text(errors="replace")[-1000:]
        return "TableNames" in ask(self.port, "ListTables")

    def items(self, table):
        """All items of a table with their types, [] while there is no table."""
        found, start = [], {}
        while True:
            try:
                page = ask(self.port, "Scan", TableName=table, ConsistentRead=True, **start)
            except AssertionError as error:
                if "ResourceNotFound" in str(error):
                    return []
                raise
            found += page["Items"]
            if "LastEvaluatedKey" not in page:
                return found
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}


class Checker(Process):
    """moto, which checks every signature once three requests have made a user, a key and a policy."""

    def command(self):
        program = pathlib.Path(sys.executable).parent / "moto_server"
        return [program, "-H", "127.0.0.1", "-p", str(self.port)]

    def environment(self):
        return {"INITIAL_NO_AUTH_ACTION_COUNT": "3"}

    def answers(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/moto-api/data.json")
            return connection.getresponse().status == 200
        finally:
            connection.close()

    def iam(self, **fields):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        body = "&".join(f"{key}={value}" for key, value in {"Version": "2010-05-08", **fields}.items())
        scope = "Credential=none/20260101/us-east-1/iam/aws4_request"
        try:
            connection.request("POST", "/", body, {"Content-Type": "application/x-www-form-urlencoded", "Host": "iam.amazonaws.com",
                                                   "Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=none"})
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        assert answer.status == 200, text
        return text

    def asked(self):
        """How many requests have come: it logs a line for each."""
        return len(pathlib.Path(self.folder, "log").read_text(errors="replace").splitlines())

    def make_key(self):
        """A user who may use DynamoDB: (key, secret). From here on signatures are checked."""
        policy = "%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A" \
                 "%22dynamodb%3A%2A%22%2C%22Resource%22%3A%22%2A%22%7D%7D"
        self.iam(Action="CreateUser", UserName="usher")
        text = self.iam(Action="CreateAccessKey", UserName="usher")
        self.iam(Action="PutUserPolicy", UserName="usher", PolicyName="all", PolicyDocument=policy)
        return tuple(text.split(f"<{tag}>")[1].split(f"</{tag}>")[0] for tag in ("AccessKeyId", "SecretAccessKey"))


class Faults:
    """Stands before the engine and fails as it can: `how` maps a fault to its share of requests.

    throttle: 400; busy: 500; drop: the connection ends, before or after the request is done; partly: some items of a batch
    are passed on and the others said to be throttled, inside a 200. Operations of `refused` are all busy.
    """

    def __init__(self, port, seed="1"):
        self.behind, self.how, self.dice, self.done, self.refused = port, {}, random.Random(seed), {}, set()
        faults = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True
            behind = None

            def log_message(self, *_):
                pass

            def do_POST(self):
                faults.serve(self)

            def finish(self):
                if self.behind:
                    self.behind.close()
                super().finish()

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def choose(self):
        point = self.dice.random()
        for fault, share in self.how.items():
            point -= share
            if point < 0:
                self.done[fault] = self.done.get(fault, 0) + 1
                return fault
        return None

    def pass_on(self, handler, body):
        """(status, answer) of the engine; 500 where it is gone."""
        headers = {key: value for key, value in handler.headers.items() if key.lower() not in ("host", "content-length")}
        try:
            handler.behind = handler.behind or http.client.HTTPConnection("127.0.0.1", self.behind, timeout=30)
            handler.behind.request("POST", "/", body, headers)
            answer = handler.behind.getresponse()
            return answer.status, answer.read()
        except OSError:
            handler.behind = None
            return 500, b'{"__type":"InternalServerError"}'

    def serve(self, handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        operation = handler.headers["X-Amz-Target"].removeprefix(TARGET)
        fault = "busy" if operation in self.refused else self.choose()
        if fault == "drop":
            if self.dice.random() < 0.5:
                self.pass_on(handler, body)
            handler.close_connection = True
            return
        if fault == "throttle":
            status, text = 400, b'{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow down"}'
        elif fault == "busy":
            status, text = 500, b'{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"try again"}'
        elif fault == "partly":
            status, text = self.pass_partly(handler, operation, json.loads(body))
        else:
            status, text = self.pass_on(handler, body)
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(text)))
        handler.end_headers()
        handler.wfile.write(text)

    def pass_partly(self, handler, operation, body):
        """The first half of a batch is done, the second half is throttled inside a 200."""
        if operation == "BatchExecuteStatement":
            all_of = body["Statements"]
            body["Statements"] = all_of[:(len(all_of) + 1) // 2]
            status, text = self.pass_on(handler, json.dumps(body))
            answer = json.loads(text)
            left = len(all_of) - len(body["Statements"])
            answer.setdefault("Responses", []).extend([{"Error": {"Code": "ThrottlingError", "Message": "slow down"}}] * left)
            return status, json.dumps(answer).encode()
        if operation == "BatchWriteItem":
            (table, all_of), = body["RequestItems"].items()
            done, left = all_of[:(len(all_of) + 1) // 2], all_of[(len(all_of) + 1) // 2:]
            status, text = self.pass_on(handler, json.dumps({"RequestItems": {table: done}}))
            answer = json.loads(text)
            if left:
                answer["UnprocessedItems"] = {table: left}
            return status, json.dumps(answer).encode()
        return self.pass_on(handler, json.dumps(body))
