# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures for tests that need a server and connections to it, raw or through redis-py.

    def test_something(start_server):
        server = start_server("--maxclients", 10)     # ready, on a free port, in a folder of its own
        assert server.connect().call("PING") == "PONG"

All servers are stopped at the end of the test: each must end with status 0, without a report of a
sanitizer or of a crash in its output.

Two marks tell the runner about a test:
    heavy   takes much memory, or all processors: with processes side by side (pytest-xdist) one of
            them runs all that have this mark, one by one; of the others each file is run by one
    once    chooses the I/O threads itself, or has nothing to do with them: not run again for them
"""

import os
import re
import signal
import socket

import pytest

from daemon_process import PATIENCE_S, Daemons

# What the job of a shell's background, or of nohup, ignores, every program that a test starts would ignore too.
signal.signal(signal.SIGINT, signal.default_int_handler)
for number in (signal.SIGHUP, signal.SIGQUIT):
    signal.signal(number, signal.SIG_DFL)

BAD_SIGNS = re.compile(r"(Address|Thread|Leak|Memory)Sanitizer|runtime error:|BUG REPORT")


def pytest_configure(config):
    config.addinivalue_line("markers", "heavy: takes much memory, or all processors")
    config.addinivalue_line("markers", "once: nothing new is seen with other I/O threads")
    config.addinivalue_line("markers", "xdist_group(name): run by one process")


def pytest_collection_modifyitems(items):
    """What is heavy begins first, for it takes longest."""
    items.sort(key=lambda item: item.get_closest_marker("heavy") is None)
    for item in items:
        heavy = item.get_closest_marker("heavy")
        item.add_marker(pytest.mark.xdist_group("heavy" if heavy else item.path.name))


class Closed(Exception):
    """The peer has closed the connection."""


class ReplyError(Exception):
    """An error reply where a value was expected."""


class Error(str):
    """An error reply, for tests that expect one."""


def encode(args):
    parts = [arg if isinstance(arg, bytes) else str(arg).encode() for arg in args]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(p), p) for p in parts)


class Connection:
    """A socket that speaks RESP when asked to, and sends any bytes when asked to."""

    def __init__(self, server, address=None, receive_buffer=None):
        if isinstance(address, str):
            self.socket = socket.socket(socket.AF_UNIX)
        else:
            address = address or ("127.0.0.1", server.port)
            family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
            self.socket = socket.socket(family)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(PATIENCE_S)
        self.buffer = b""
        try:
            self.socket.connect(address)
        except OSError:
            self.socket.close()
            raise

    def close(self):
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def send_command(self, *args):
        self.send(encode(args))

    def _more(self):
        try:
            data = self.socket.recv(1 << 16)
        except (ConnectionResetError, BrokenPipeError):
            data = b""
        if not data:
            raise Closed(f"with {self.buffer[:200]!r} left over")
        self.buffer += data

    def read_line(self):
        """Without its CR LF, as text."""
        while b"\r\n" not in self.buffer:
            self._more()
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line.decode("latin-1")

    def read_bytes(self, size):
        parts, missing = [], size
        while True:
            parts.append(self.buffer[:missing])
            self.buffer = self.buffer[missing:]
            missing -= len(parts[-1])
            if not missing:
                return b"".join(parts)
            self._more()

    def read_reply(self):
        """Text, an integer, None, a list, a dict; an error as an Error among them."""
        line = self.read_line()
        kind, rest = line[0], line[1:]
        if kind == "+":
            return rest
        if kind == "-":
            return Error(rest)
        if kind == ":":
            return int(rest)
        if kind in "$=":
            if rest == "-1":
                return None
            text = self.read_bytes(int(rest) + 2)[:-2].decode("latin-1")
            return text[4:] if kind == "=" else text
        if kind in "*~>":
            return None if rest == "-1" else [self.read_reply() for _ in range(int(rest))]
        if kind == "%":
            return {self.read_reply(): self.read_reply() for _ in range(int(rest))}
        if kind == "_":
            return None
        raise AssertionError(f"not a reply: {line!r}")

    def ask(self, *args):
        """The reply, whatever it is."""
        self.send_command(*args)
        return self.read_reply()

    def call(self, *args):
        """The reply, which is no error."""
        reply = self.ask(*args)
        if isinstance(reply, Error):
            raise ReplyError(reply)
        return reply

    def wait_for_close(self):
        """Everything that comes before the end."""
        parts = []
        try:
            while True:
                parts.append(self.buffer)  # a buffer that grows would be copied each time
                self.buffer = b""
                self._more()
        except Closed:
            return b"".join(parts)

    def is_closed(self):
        """True if the end has arrived; what comes before it is kept."""
        self.socket.settimeout(0.001)
        try:
            while True:
                self._more()
        except Closed:
            return True
        except TimeoutError:
            return False
        finally:
            self.socket.settimeout(PATIENCE_S)


class Server:
    """A running server: its process is in daemon."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.port = daemon.port
        self.connections = []

    def connect(self, address=None, **options):
        connection = Connection(self, address, **options)
        self.connections.append(connection)
        return connection

    def redis(self, **options):
        """A client of redis-py, closed with the server."""
        return self.daemon.client(**options)

    def info(self, section):
        """The fields of an INFO section, as text."""
        lines = self.control().call("INFO", section).splitlines()
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def control(self):
        """A connection of the fixture's own, for looking at the server."""
        if not self.connections or self.connections[0].socket.fileno() == -1:
            self.connections.insert(0, Connection(self))
        return self.connections[0]

    def clients(self, *filters):
        """CLIENT LIST as a list of dicts."""
        lines = self.control().call("CLIENT", "LIST", *filters).splitlines()
        return [dict(field.split("=", 1) for field in line.split(" ")) for line in lines]

    def stop(self):
        for connection in self.connections:
            connection.close()
        running = self.daemon.process.poll() is None
        status = self.daemon.stop() if running else self.daemon.process.returncode
        assert status == 0, f"ended with {status}:\n{self.daemon.log()}"
        sign = BAD_SIGNS.search(self.daemon.log())
        assert not sign, f"{sign.group(0)} in the output:\n{self.daemon.log()}"


@pytest.fixture
def start_server(tmp_path):
    """Starts servers: start_server(*arguments, config=None, ...) gives a Server that is ready."""
    daemons, servers = Daemons(tmp_path), []

    def start(*args, **options):
        daemon = daemons.start(*args, **options)
        server = Server(daemon)
        servers.append(server)
        server.control().ask("PING")  # PONG, or that a password is needed: it answers
        return server

    try:
        yield start
        for server in servers:
            server.stop()
    finally:
        daemons.close()


@pytest.fixture
def server(start_server):
    """A server with the default options."""
    return start_server()


@pytest.fixture(params=["epoll", "io_uring"])
def engine(request):
    """Each I/O engine in turn; a test that uses it passes it on as --io-engine."""
    return request.param


@pytest.fixture
def start_on_engine(start_server, engine):
    """start_server with each I/O engine in turn."""

    def start(*args, **options):
        server = start_server("--io-engine", engine, *args, **options)
        if f"{engine} is not available" in server.daemon.log():
            pytest.skip(f"{engine} is not available here")
        return server

    return start


@pytest.fixture(scope="session")
def outer_address():
    """An IPv4 address of this machine that is not a loopback one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("198.51.100.1", 9))  # chooses a route, sends nothing
            address = probe.getsockname()[0]
        except OSError:
            address = "127.0.0.1"
    if address.startswith("127."):
        pytest.skip("this machine has no address but loopback ones")
    return address


@pytest.fixture(scope="session")
def ipv6():
    """Skips the test where ::1 is missing."""
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("no IPv6 here")
    return "::1"


@pytest.fixture
def short_path(tmp_path_factory):
    """A folder whose path fits into the address of a Unix socket."""
    folder = tmp_path_factory.mktemp("s")
    if len(str(folder)) > 80:
        pytest.skip(f"{os.fspath(folder)} is too long for a Unix socket")
    return folder
