# SPDX-License-Identifier: BSD-3-Clause
"""valkey-cli as a user has it: run with words, fed through a pipe, or typed at in a pseudo-terminal.

Servers to talk to: the fixture start_server of conftest.py; one of ours or a redis-server that all
tests of a file share (the fixtures ours and redis give their ports); a server of a few canned replies.
"""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import threading

import pytest

from daemon_process import PATIENCE_S, SERVER, Daemons, free_port, wait_until

CLI = os.environ.get("VALKEY_CLI") or os.path.join(os.path.dirname(SERVER), "valkey-cli")
QUIET_VARIABLES = ("VALKEYCLI_AUTH", "REDISCLI_AUTH", "FAKETTY", "VALKEYCLI_HISTFILE",
                   "REDISCLI_HISTFILE", "VALKEYCLI_RCFILE", "REDISCLI_RCFILE", "NO_COLOR")


class Ended:
    """How a run ended: text of stdout and stderr, and the exit status."""

    def __init__(self, result):
        self.raw = result.stdout
        self.out = result.stdout.decode("utf-8", "replace")
        self.err = result.stderr.decode("utf-8", "replace")
        self.status = result.returncode

    def __repr__(self):
        return f"status {self.status}\nstdout:\n{self.out}\nstderr:\n{self.err}"


def environment(**changes):
    env = {name: value for name, value in os.environ.items() if name not in QUIET_VARIABLES}
    env.update({"TERM": "xterm", **changes})
    return env


def run_cli(*words, port=None, stdin=b"", env=None):
    place = ["-p", str(port)] if port else []
    result = subprocess.run([CLI, *place, *[str(word) for word in words]], input=stdin,
                            capture_output=True, timeout=PATIENCE_S, check=False,
                            env=environment(**(env or {})))
    return Ended(result)


def out(*words, **options):
    """What a run that ends well prints."""
    ended = run_cli(*words, **options)
    assert ended.status == 0 and not ended.err, (ended.status, ended.err)
    return ended.out


@contextlib.contextmanager
def redis_server(folder, *args, port=None):
    """A redis-server on a free port; its port."""
    program = shutil.which("redis-server")
    if not program:
        pytest.skip("there is no redis-server")
    given, port = port is not None, port or free_port()
    log_path = os.path.join(str(folder), f"redis-{port}.log")
    with open(log_path, "wb") as log:
        process = subprocess.Popen(
            [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir",
             str(folder), "--enable-debug-command", "yes", *[str(arg) for arg in args]],
            stdout=log, stderr=log)
    try:
        wait_until(lambda: b"Ready to accept" in open(log_path, "rb").read(), "redis-server is up")
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
    assert given or not os.path.exists(os.path.join(str(folder), "core"))


@pytest.fixture(scope="module")
def ours(tmp_path_factory):
    daemons = Daemons(tmp_path_factory.mktemp("ours"))
    try:
        yield daemons.start().port
    finally:
        daemons.close()


@pytest.fixture(scope="module")
def redis(tmp_path_factory):
    with redis_server(tmp_path_factory.mktemp("redis")) as port:
        yield port


class CannedServer:
    """Answers each request with the next of its replies, whatever it is; keeps the requests. A reply
    is bytes, or begins with the first and has the second again and again, without end. tls is the
    SSLContext of a server that takes TLS only; ciphers has what each handshake agreed on."""

    def __init__(self, *replies, tls=None):
        self.replies = list(replies)
        self.requests = []
        self.tls = tls
        self.ciphers = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
                if self.tls:
                    peer = self.tls.wrap_socket(peer, server_side=True)
                    self.ciphers.append(peer.cipher()[0])
            except OSError:
                return
            with contextlib.suppress(OSError), peer, peer.makefile("rb") as stream:
                while request := read_request(stream):
                    self.requests.append(request)
                    if not self.replies:
                        break
                    reply = self.replies.pop(0)
                    if isinstance(reply, bytes):
                        peer.sendall(reply)
                        continue
                    peer.sendall(reply[0])
                    while True:
                        peer.sendall(reply[1])

    def close(self):
        self.listener.close()


def read_request(stream):
    header = stream.readline()
    if not header.startswith(b"*"):
        return None
    words = []
    for _ in range(int(header[1:])):
        size = int(stream.readline()[1:])
        words.append(stream.read(size).decode("latin-1"))
        stream.read(2)
    return words


class Terminal:
    """valkey-cli in a pseudo-terminal. text is all that was seen, without what terminals are told."""

    ESCAPES = re.compile(r"\x1b(\[[0-9;?]*[A-Za-z]|[78=>])")

    def __init__(self, *words, home, env=None, size=(24, 100)):
        pexpect = pytest.importorskip("pexpect")
        self.pexpect = pexpect
        self.child = pexpect.spawn(CLI, [str(word) for word in words], encoding="utf-8",
                                   timeout=PATIENCE_S, dimensions=size, codec_errors="replace",
                                   env=environment(HOME=str(home), LANG="C.UTF-8", **(env or {})))
        self.child.delaybeforesend = None

    def expect(self, pattern):
        """Waits for text that matches; what came before it."""
        self.child.expect(pattern)
        return self.ESCAPES.sub("", self.child.before)

    def expect_text(self, text):
        self.child.expect_exact(text)
        return self.ESCAPES.sub("", self.child.before)

    def prompt(self, port, extra=""):
        """What is on the screen before the next prompt."""
        return self.expect_text(f"127.0.0.1:{port}{extra}> ")

    def send(self, keys):
        self.child.send(keys)

    def enter(self, line):
        self.child.send(line + "\r")

    def close(self):
        self.child.close(force=True)
