# SPDX-License-Identifier: BSD-3-Clause
"""The same random commands on this server and on a redis-server 7.0: the same replies, but for the
differences that differential_rules.py explains.

DIFFERENTIAL_COMMANDS says how many, DIFFERENTIAL_SEED which; both are printed with a difference,
and with it a list of commands, as short as can be found in a few seconds, that shows it.
"""

import os
import random
import shutil
import subprocess
import time

import pytest

from daemon_process import free_port, wait_until
from differential_commands import Generator
from differential_rules import is_same
from conftest import Connection, encode

COMMANDS = int(os.environ.get("DIFFERENTIAL_COMMANDS", 200000))
SEED = int(os.environ.get("DIFFERENTIAL_SEED", random.SystemRandom().randrange(2**32)))
BATCH = 150
PROTOCOLS = (2, 3, 2)  # of the connections that take turns
SHRINK_S = 20
PEER_VERSION = "7.0."
# Options that lines change, or whose initial values differ.
INITIAL = {"hll-sparse-max-bytes": 3000, "hash-max-listpack-entries": 512,
           "hash-max-listpack-value": 64, "zset-max-listpack-entries": 128,
           "zset-max-listpack-value": 64, "set-max-intset-entries": 512,
           "list-compress-depth": 0}


# --- replies -------------------------------------------------------------------------------------

KINDS = {b"+": "simple", b"-": "error", b":": "integer", b"_": "null", b"#": "boolean",
         b",": "double", b"(": "bignum", b"$": "bulk", b"=": "verbatim", b"*": "array", b"~": "set",
         b">": "push", b"%": "map"}


def parse(data, at):
    """The reply at an offset as (kind, value), and the offset behind it."""
    end = data.index(b"\r\n", at)
    mark, text = data[at:at + 1], data[at + 1:end]
    kind = KINDS[mark]
    at = end + 2
    if mark in b"$=":
        if text == b"-1":
            return ("nullbulk", None), at
        end = at + int(text)
        return (kind, data[at:end]), end + 2
    if mark in b"*~>%":
        if text == b"-1":
            return ("nullarray", None), at
        items = []
        for _ in range(int(text) * (2 if mark == b"%" else 1)):
            item, at = parse(data, at)
            items.append(item)
        return (kind, items), at
    return (kind, int(text) if mark == b":" else text), at


def parse_all(data):
    replies, at = [], 0
    while at < len(data):
        reply, at = parse(data, at)
        replies.append(reply)
    return replies


# --- the two servers -----------------------------------------------------------------------------


class Side:
    """One of the servers, with a connection for each of PROTOCOLS."""

    def __init__(self, port):
        self.port = port
        self.links = []

    def restart(self):
        """An empty server and fresh connections."""
        for link in self.links:
            link.close()
        self.links = []
        for protocol in PROTOCOLS:
            link = Connection(self)
            link.call("HELLO", protocol)
            self.links.append(link)
        self.links[0].call("FLUSHALL")
        for name, value in INITIAL.items():
            self.links[0].call("CONFIG", "SET", name, value)

    def close(self):
        for link in self.links:
            link.close()

    def send(self, index, data):
        self.links[index].send(data)

    def receive(self, index, end):
        """All bytes up to those at the end."""
        link = self.links[index]
        parts = [link.buffer]
        tail = parts[-1][-len(end):]
        while tail != end:
            part = link.socket.recv(1 << 20)
            assert part, "the connection ended: " + repr(b"".join(parts)[-300:])
            parts.append(part)
            tail = (tail + part)[-len(end):]
        link.buffer = b""
        return b"".join(parts)[:-len(end)]


class Pair:
    def __init__(self, peer, ours):
        self.sides = [peer, ours]
        self.batches = 0

    def restart(self):
        for side in self.sides:
            side.restart()

    def play(self, index, lines):
        """Sends lines on one connection to both. Gives what each replied, as bytes."""
        self.batches += 1
        mark = b"mark-%d" % self.batches
        data = b"".join(map(encode, lines)) + encode([b"ECHO", mark])
        for side in self.sides:
            side.send(index, data)
        end = b"$%d\r\n%s\r\n" % (len(mark), mark)
        return [side.receive(index, end) for side in self.sides]

    def first_difference(self, index, lines):
        """(position, reply of the peer, our reply), or None."""
        peer, ours = self.play(index, lines)
        if peer == ours:
            return None
        peer, ours = parse_all(peer), parse_all(ours)
        queue = []
        for at, (line, a, b) in enumerate(zip(lines, peer, ours)):
            if not is_same(line, a, b, queue):
                return at, a, b
            if line[0].upper() == b"MULTI":
                queue = []
            elif a == ("simple", b"QUEUED"):
                queue.append(line)
        if not len(peer) == len(ours) == len(lines):
            return len(lines) - 1, ("count", len(peer)), ("count", len(ours))
        return None


# --- a shorter way to the same difference --------------------------------------------------------


def still_differs(pair, history, kinds):
    """Whether the last command of the history differs, with replies of these kinds, and no command
    before it, played on empty servers, one by one."""
    pair.restart()
    queues = [[] for _ in PROTOCOLS]
    open_multi = [False] * len(PROTOCOLS)
    for at, (index, line) in enumerate(history):
        peer, ours = [], []
        for side, replies in zip(pair.sides, (peer, ours)):
            side.send(index, encode(line))
        for side, replies in zip(pair.sides, (peer, ours)):
            replies.append(read_one(side.links[index]))
        if not is_same(line, peer[0], ours[0], queues[index]):
            return at == len(history) - 1 and (peer[0][0], ours[0][0]) == kinds
        if line[0].upper() == b"MULTI" and not open_multi[index]:
            queues[index], open_multi[index] = [], True
        elif peer[0] == ("simple", b"QUEUED"):
            queues[index].append(line)
        elif line[0].upper() in (b"EXEC", b"DISCARD"):
            open_multi[index] = False
    return False


def read_one(link):
    """One reply; what is left over stays in the link's buffer."""
    while True:
        try:
            reply, end = parse(link.buffer, 0)
            if end <= len(link.buffer):
                link.buffer = link.buffer[end:]
                return reply
        except (ValueError, KeyError):
            pass
        link._more()


def shrink(pair, history, kinds):
    """Drops commands as long as the last one still differs, and time is left."""
    deadline = time.monotonic() + SHRINK_S
    words = set(history[-1][1][1:])
    related = [step for step in history[:-1] if words & set(step[1]) or step[1][0] in
               (b"SELECT", b"MULTI", b"EXEC", b"DISCARD", b"FLUSHALL", b"FLUSHDB", b"SWAPDB")]
    for start in (related[-400:] + history[-1:], history[-3000:], history):
        if still_differs(pair, start, kinds):
            history = start
            break
    else:
        return history, False
    size = len(history) // 2
    while size and time.monotonic() < deadline:
        at = 0
        while at < len(history) - 1 and time.monotonic() < deadline:
            shorter = history[:at] + history[min(at + size, len(history) - 1):]
            if still_differs(pair, shorter, kinds):
                history = shorter
            else:
                at += size
        size //= 2
    return history, True


def report(pair, history, peer, ours):
    lines = [f"seed {SEED}, command {len(history)} of {COMMANDS}",
             f"redis-server: {str(peer)[:2000]}", f"this server:  {str(ours)[:2000]}"]
    try:
        shorter, shown = shrink(pair, history, (peer[0], ours[0]))
        lines.append("played again:" if shown else "does not show again; the last commands were:")
    except Exception as error:  # what was found must be told in any case
        shorter = history
        lines.append(f"playing it again failed: {error!r}; the last commands were:")
    for index, line in shorter[-60:]:
        lines.append(f"  {index}> " + " ".join(repr(word)[2:-1] or "''" for word in line)[:500])
    return "\n".join(lines)


# --- the test ------------------------------------------------------------------------------------


@pytest.fixture
def redis_port(tmp_path):
    program = shutil.which("redis-server")
    assert program, "this test needs the package redis-server"
    version = subprocess.run([program, "--version"], capture_output=True, text=True).stdout
    if f"v={PEER_VERSION}" not in version:
        pytest.skip(f"the differences are known for version {PEER_VERSION}x, this is {version}")
    port = free_port()
    with open(tmp_path / "redis.log", "wb") as log:
        process = subprocess.Popen(
            [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly",
             "no", "--dir", str(tmp_path)], stdout=log, stderr=log)
    try:
        wait_until(lambda: answers(port), "redis-server answers")
        yield port
    finally:
        process.terminate()
        process.wait(30)


def answers(port):
    try:
        link = Connection(Side(port))
    except OSError:
        return False
    try:
        return link.ask("PING") == "PONG"
    finally:
        link.close()


def check_keys(pair, history):
    """What is left in the databases is the same too."""
    for db in range(3):
        lines = [[b"SELECT", b"%d" % db], [b"KEYS", b"*"]]
        _, keys = parse_all(pair.play(0, lines)[0])
        for _, key in keys[1]:
            lines += [[b"GET", key], [b"PEXPIRETIME", key], [b"OBJECT", b"ENCODING", key],
                      [b"LRANGE", key, b"0", b"-1"], [b"SMEMBERS", key], [b"HGETALL", key],
                      [b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"]]
        found = pair.first_difference(0, lines)
        if found:
            at, peer, ours = found
            history = history + [(0, line) for line in lines[:at + 1]]
            pytest.fail(report(pair, history, peer, ours), pytrace=False)


def test_random_commands_get_the_replies_of_redis_server(start_server, redis_port):
    print(f"DIFFERENTIAL_SEED={SEED} DIFFERENTIAL_COMMANDS={COMMANDS}")
    pair = Pair(Side(redis_port), Side(start_server("--save", "").port))
    rng = random.Random(SEED)
    generator = Generator(rng)
    history = []
    try:
        pair.restart()
        while len(history) < COMMANDS:
            index = rng.randrange(len(PROTOCOLS))
            lines = [generator.next() for _ in range(rng.randint(1, BATCH))]
            if generator.in_multi:
                lines.append(generator.close())
            found = pair.first_difference(index, lines)
            if not found:
                history += [(index, line) for line in lines]
                continue
            at, peer, ours = found
            history += [(index, line) for line in lines[:at + 1]]
            pytest.fail(report(pair, history, peer, ours), pytrace=False)
        check_keys(pair, history)
    finally:
        for side in pair.sides:
            side.close()
