# SPDX-License-Identifier: BSD-3-Clause
"""redis-benchmark at full speed beside 10,000 connections that do nothing.

LOAD_FULL=1 in the environment makes it two million requests of each kind; otherwise it is a short
run. The figures are printed (pytest -s) and never judged.
"""

import contextlib
import csv
import os
import resource
import selectors
import shutil
import socket
import struct
import subprocess
import threading
import time

import pytest

from daemon_process import wait_until

pytestmark = pytest.mark.heavy

FULL = os.environ.get("LOAD_FULL") == "1"
REQUESTS = 2000000 if FULL else 40000
KEYS = 1000000
IDLE = 10000
SPARE_FILES = 1000
IDLE_BYTES_MAX = 2000  # a connection that held on to its buffers would have many times that
KINDS = ["SET", "GET", "INCR", "MSET (10 keys)", "PING_INLINE", "PING_MBULK"]

needs_benchmark = pytest.mark.skipif(not shutil.which("redis-benchmark"),
                                     reason="no redis-benchmark here")


@contextlib.contextmanager
def many_files(count):
    """This process, and those it starts, may open that many files."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    if before[1] != resource.RLIM_INFINITY and before[1] < count:
        pytest.skip(f"no more than {before[1]} open files are allowed here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(before[0], count), before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


class Crowd:
    """Connections that each say something once in a while, all at the same time."""

    def __init__(self, port, count):
        self.sockets = []
        for _ in range(count):
            member = socket.create_connection(("127.0.0.1", port), timeout=30)
            # Ends without a trace, for there are only so many ports to wait in.
            member.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.sockets.append(member)

    def ping(self):
        """Every one of them has been answered."""
        with selectors.EpollSelector() as selector:
            for member in self.sockets:
                selector.register(member, selectors.EVENT_READ)
                member.sendall(b"PING\r\n")
            waiting = len(self.sockets)
            while waiting:
                events = selector.select(30)
                assert events, f"{waiting} connections wait for an answer"
                for key, _ in events:
                    assert key.fileobj.recv(100) == b"+PONG\r\n"
                    selector.unregister(key.fileobj)
                    waiting -= 1

    def close(self):
        for member in self.sockets:
            member.close()


class Prober:
    """Asks for a PONG again and again, and knows how long the longest took."""

    def __init__(self, connection):
        self.connection = connection
        self.count, self.longest_s, self.failure = 0, 0.0, None
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        try:
            while not self.ending.wait(0.002):
                started = time.monotonic()
                assert self.connection.call("PING") == "PONG"
                self.longest_s = max(self.longest_s, time.monotonic() - started)
                self.count += 1
        except Exception as failure:  # pylint: disable=broad-except
            self.failure = failure

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ending.set()
        self.thread.join()


def benchmark(port, *args):
    """Its rows: kind to (requests a second, p99 in ms)."""
    command = ["redis-benchmark", "-p", port, "-P", 16, "-n", REQUESTS, "--csv", *args]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    report = f"{done.stdout}{done.stderr}"
    assert done.returncode == 0 and "rror" not in report, report
    rows = [row for row in csv.reader(done.stdout.splitlines()) if len(row) > 6]
    assert rows and rows[0][0] == "test", report
    return {row[0]: (float(row[1]), float(row[6])) for row in rows[1:]}


def used_memory(server):
    return int(server.info("memory")["used_memory"])


@needs_benchmark
@pytest.mark.parametrize("threads", [pytest.param(1, marks=pytest.mark.once), 4])
def test_load_beside_ten_thousand_idle_connections(start_on_engine, engine, threads):
    with many_files(IDLE + SPARE_FILES):
        server = start_on_engine("--io-threads", threads, "--maxclients", IDLE + 500)
        server.control()
        before = used_memory(server)
        crowd = Crowd(server.port, IDLE)
        try:
            crowd.ping()
            each = (used_memory(server) - before) / IDLE
            assert each < IDLE_BYTES_MAX

            with Prober(server.connect()) as prober:
                figures = benchmark(server.port, "-t", "set,get,incr,mset,ping", "-r", KEYS,
                                    "--threads", 4)
            assert prober.failure is None and prober.count > 0
            crowd.ping()
        finally:
            crowd.close()

        print(f"\n{engine}, {threads} I/O threads, {IDLE} idle connections of {each:.0f} bytes; "
              f"{prober.count} PINGs beside, the longest {prober.longest_s * 1000:.1f} ms")
        for kind, (rate, p99_ms) in figures.items():
            print(f"  {kind:16}{rate:12.0f} a second, p99 {p99_ms:.2f} ms")

        assert sorted(figures) == sorted(KINDS)
        stats = server.info("stats")
        assert stats["total_error_replies"] == "0"
        assert stats["rejected_connections"] == "0"
        # Six kinds, each with that many; the commands of redis-benchmark itself come on top.
        assert int(stats["total_commands_processed"]) >= len(KINDS) * REQUESTS + 2 * IDLE
        wait_until(lambda: server.info("clients")["connected_clients"] == "2", "all have left")
