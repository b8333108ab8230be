# SPDX-License-Identifier: BSD-3-Clause
"""A server process whose start and end are themselves under test.

Where a test merely needs a server, the fixtures of conftest.py are the shorter way.
"""

import contextlib
import os
import random
import re
import shlex
import signal
import socket
import subprocess
import time

import redis

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SERVER = os.path.abspath(os.path.join(TOP, os.environ.get("VALKEY_SERVER") or "src/valkey-server"))
EXTRA_ARGS = shlex.split(os.environ.get("VALKEY_SERVER_ARGS", ""))
PATIENCE_S = 30  # sanitizer builds on a busy machine are slow


def wait_until(condition, what, patience_s=PATIENCE_S):
    """Returns the condition's first true value."""
    deadline = time.monotonic() + patience_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {patience_s} s in vain: {what}"
        time.sleep(0.01)


def _ports():
    """Ports that are not in use, each once. They lie below those that the system gives to
    connections, and test processes that run side by side (pytest-xdist) never give the same one."""
    first, end = 10000, 32000
    index = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    at = random.SystemRandom().randrange(first, end)  # other runs on this machine are elsewhere
    while True:
        at = at + 1 if at + 1 < end else first
        if at % count != index:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("", at))
            except OSError:
                continue
        yield at


_free_ports = _ports()


def free_port():
    return next(_free_ports)


def is_alive(pid):
    """True while the process runs; one that has ended and was not waited for does not."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def read_tasks(pid, name):
    """Thread to what its file of that name says; one that ends meanwhile is left out."""
    texts = {}
    for task in os.listdir(f"/proc/{pid}/task"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            with open(f"/proc/{pid}/task/{task}/{name}") as file:
                texts[int(task)] = file.read()
    return texts


def state_of(pid):
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[0]


class Daemon:
    """Runs the server in folder; log and output are in there too."""

    def __init__(self, folder, *args, config=None, env=None, stdin=None, preexec=None, program=None,
                 extra_args=True):
        self.folder = str(folder)
        self.args = [program or SERVER]
        if config is not None:
            self.config_path = os.path.join(self.folder, "server.conf")
            with open(self.config_path, "w") as file:
                file.write(config)
            self.args.append(self.config_path)
        self.args += [str(arg) for arg in args] + (EXTRA_ARGS if extra_args else [])
        self.output_path = os.path.join(self.folder, "output")
        self.clients = []
        with open(self.output_path, "ab") as output:
            self.process = subprocess.Popen(
                self.args, cwd=self.folder, env={**os.environ, **(env or {})}, preexec_fn=preexec,
                stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
                stdout=output, stderr=output)
        self.pid = self.process.pid
        if stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self.process.stdin.write(stdin.encode())
            self.process.stdin.close()

    def log(self):
        with open(self.output_path, errors="replace") as file:
            return file.read()

    def wait_for_log(self, pattern):
        return wait_until(lambda: re.search(pattern, self.log()),
                          f"{pattern!r} in the log:\n{self.log()}")

    def wait_until_ready(self):
        def ready_or_dead():
            return "Ready to accept" in self.log() or self.process.poll() is not None

        wait_until(ready_or_dead, f"Ready to accept in the log:\n{self.log()}")
        assert "Ready to accept" in self.log(), self.log()
        return self

    def client(self, port=None, **options):
        if "unix_socket_path" not in options:
            options.setdefault("host", "127.0.0.1")
            options["port"] = port or self.port
        client = redis.Redis(decode_responses=True, socket_timeout=PATIENCE_S, **options)
        self.clients.append(client)
        return client

    def wait_for_exit(self):
        """The exit status, negative for a signal."""
        try:
            return self.process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the server does not end:\n{self.log()}") from None

    def signal(self, number):
        os.kill(self.pid, number)

    def stop(self):
        self.signal(signal.SIGTERM)
        return self.wait_for_exit()

    def close(self):
        """Whatever state it is in: nothing is left afterwards."""
        for client in self.clients:
            client.close()
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()


class Daemons:
    """Starts servers in a folder each and ends them all."""

    def __init__(self, folder):
        self.folder = folder
        self.all = []

    def start_raw(self, *args, **options):
        """Does not wait, and sets no port."""
        folder = self.folder / str(len(self.all))
        folder.mkdir()
        self.all.append(Daemon(folder, *args, **options))
        return self.all[-1]

    def start(self, *args, **options):
        """A server that is ready, on a free port."""
        for _ in range(10):
            port = free_port()
            daemon = self.start_raw("--port", port, *args, **options)
            daemon.port = port
            wait_until(lambda: "Ready to accept" in daemon.log() or daemon.process.poll() is not None,
                       "a start")
            if "Failed listening on port" not in daemon.log():  # somebody else took it meanwhile
                return daemon.wait_until_ready()
        raise AssertionError("no free port found")

    def run(self, *args, **options):
        """A server that ends by itself: its exit status and its output."""
        daemon = self.start_raw(*args, **options)
        return daemon.wait_for_exit(), daemon.log()

    def close(self):
        for daemon in self.all:
            daemon.close()
