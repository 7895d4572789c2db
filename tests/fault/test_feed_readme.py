"""The consumer of the feed in services/publisher/README.md, run as it stands there"""

import pathlib
import subprocess
import sys
import threading

from house import ROOT, House, media_event, wait_until


def consumer():
    text = pathlib.Path(ROOT, "services/publisher/README.md").read_text()
    return text.split("```python\n", 1)[1].split("```", 1)[0]


def test_the_consumer_in_python(tmp_path):
    program = tmp_path / "consumer.py"
    program.write_text(consumer())
    with House() as house:
        lines = []
        process = subprocess.Popen([sys.executable, "-u", program, f"{house.directory}/run"], stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        reader = threading.Thread(target=lambda: lines.extend(line.rstrip("\n") for line in process.stdout))
        reader.start()
        try:
            def told(line):
                assert process.poll() is None, lines
                return line in lines
            # Nobody gets what was sent before they were there: events come until the first one is told.
            number = iter(range(1, 1000))
            wait_until(lambda: house.post([media_event("play", f"first-{next(number)}", "s0")]) or lines, "the consumer is there", every_s=0.5)
            house.post([media_event("play", "ann", "s1"), media_event("pause", "ben", "s2")])
            wait_until(lambda: told("ann s1 state 1") and told("ben s2 state 4"), "sessions and their states")
            wait_until(lambda: told("ann status 0") and told("ben status 1"), "status changes")
            old = house.kill("publisher")
            house.wait_replaced("publisher", old)
            wait_until(lambda: house.post([media_event("play", f"again-{next(number)}", "s0")]) or any(line.startswith("again-") for line in lines),
                       "it goes on with another epoch", every_s=0.5)
            assert not [line for line in lines if "Traceback" in line or "Error" in line]
        finally:
            process.kill()
            process.wait()
            reader.join()
