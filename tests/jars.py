"""jars - Java programs that tests run against, from Maven Central into .cache, once"""

import fcntl
import subprocess

#  For a program that lives for seconds, and would spend most of them on compiling what it runs once.
QUICK = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]


def fetch(pom, folder):
    """The folder with the jars that pom names; filled when it is not there, or older than pom. Tests side by side take turns."""
    lib, done = folder / "lib", folder / "lib/done"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists() or done.stat().st_mtime < pom.stat().st_mtime:
            subprocess.run(["mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies", f"-DoutputDirectory={lib}"],
                           check=True, stdin=subprocess.DEVNULL, timeout=600)
            done.touch()
    return lib
