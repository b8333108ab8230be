# SPDX-License-Identifier: BSD-3-Clause
"""What a hostile user may try: random commands, garbage in every option, broken protocol.

Each test draws from a seed that it prints; HOSTILE_SEED runs it again. HOSTILE_SECONDS is about how
long the random ones take together. What is checked all the time: the server lives and answers
others, and what it sends is well-formed RESP with one reply for each request."""

import contextlib
import os
import random
import re
import resource
import select
import socket
import threading
import time

import pytest

from conftest import Closed, Error, encode
from daemon_process import PATIENCE_S, wait_until

SECONDS = float(os.environ.get("HOSTILE_SECONDS", 12))
BATCH_COMMANDS_MAX = 24
MEMORY_SLACK = 8 << 20  # statistics per command, logs of commands, pools of buffers

NUMBERS = [
    b"0", b"1", b"-1", b"2", b"7", b"8", b"63", b"64", b"65", b"100", b"1000", b"4096", b"65536",
    b"2147483647", b"2147483648", b"-2147483648", b"-2147483649", b"4294967295", b"4294967296",
    b"9223372036854775807", b"9223372036854775808", b"-9223372036854775808", b"18446744073709551615",
    b"-9223372036854775809", b"18446744073709551616", b"9223372036854775", b"9223372036854776",
    b"4611686018427387904", b"1e400", b"-1e400", b"1e308", b"1e-400", b"1.5", b"nan", b"-nan", b"inf",
    b"-inf", b"infinity", b"-0", b"+1", b"0x10", b"0x1p4", b"007", b" 1", b"1 ", b"1\x00", b"", b"-",
    b"99999999999999999999999999999999999999999", b"1" * 400, b"0." + b"0" * 300 + b"1", b"1e5000",
    b"#0", b"#9223372036854775807", b"#-1", b"i8", b"u63", b"i64", b"u64", b"i65", b"u0", b"i0",
]
TEXTS = [
    b"", b"a", b"*", b"?", b"[", b"[^", b"[a-", b"\\", b"\r\n", b"\r\n+OK\r\n", b"a\nb", b"\x00",
    b"\xff\xfe", b"%s%n%p", b"%", b"\"", b"'", b"{", b"{}", b"{a}b", b"$-1", b"*1", b"+PONG", b"-ERR",
    b"a*" * 40 + b"b", b"[" * 300, b"x" * 127, b"x" * 128, b"x" * 129, b"HYLL", b"HYLL" + b"\x01" * 12,
]
KEYS = [b"k%d" % i for i in range(12)]
# Not sent: what ends the server, or holds it up because it was told to.
LEFT_OUT = {b"shutdown", b"debug", b"client|pause", b"config|set", b"config|rewrite", b"monitor"}
DEBUG_FORMS = [
    b"change-repl-id", b"dict-resizing", b"digest", b"digest-value", b"error", b"help", b"htstats",
    b"htstats-key", b"log", b"mallctl", b"object", b"pause-cron", b"populate", b"protocol",
    b"replybuffer", b"sdslen", b"set-active-expire", b"structsize", b"listpack", b"reload", b"\r\n",
]


# --- replies ---------------------------------------------------------------------------------


class Malformed(AssertionError):
    """What the server sent is not RESP."""


def parse_reply(data, at=0, depth=0):
    """(value, end) of the reply at that place, or None if it is unfinished."""
    end = data.find(b"\r\n", at)
    if end == -1:
        return None
    kind, line = data[at:at + 1], bytes(data[at + 1:end])
    at = end + 2
    if b"\r" in line or b"\n" in line or depth > 20:
        raise Malformed(f"{line[:200]!r}")
    if kind in (b"+", b"-"):
        return (kind, line), at
    if kind in (b":", b"("):
        if not re.fullmatch(rb"-?[0-9]+", line):
            raise Malformed(f"{line[:200]!r}")
        return (kind, int(line)), at
    if kind == b",":
        if not re.fullmatch(rb"-?inf|nan|-?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?", line):
            raise Malformed(f"{line[:200]!r}")
        return (kind, line), at
    if kind == b"_" and line == b"" or kind == b"#" and line in (b"t", b"f"):
        return (kind, line), at
    if kind not in (b"$", b"=", b"*", b"~", b">", b"%", b"|") or not re.fullmatch(rb"-1|[0-9]+", line):
        raise Malformed(f"{kind!r} {line[:200]!r}")
    count = int(line)
    if kind in (b"$", b"="):
        return parse_bulk(data, at, kind, count)
    parts = []
    for _ in range(count * (2 if kind in (b"%", b"|") else 1)):
        part = parse_reply(data, at, depth + 1)
        if part is None:
            return None
        parts.append(part[0])
        at = part[1]
    return (kind, parts if count >= 0 else None), at


def parse_bulk(data, at, kind, size):
    if size == -1:
        return (kind, None), at
    if len(data) < at + size + 2:
        return None
    if data[at + size:at + size + 2] != b"\r\n":
        raise Malformed(f"a bulk of {size} bytes ends in {data[at + size:at + size + 2]!r}")
    return (kind, bytes(data[at:at + size])), at + size + 2


def parse_stream(data):
    """All whole replies, and what is left over."""
    replies, at = [], 0
    while at < len(data):
        parsed = parse_reply(data, at)
        if parsed is None:
            break
        replies.append(parsed[0])
        at = parsed[1]
    return replies, data[at:]


def exchange(connection, data, is_last, on_wait=lambda: None):
    """Sends data while it reads, until is_last says so of a reply, which only pushed messages may
    follow, or the peer closes: (replies, whether it was closed)."""
    sock, received, replies, parsed_at, last = connection.socket, bytearray(), [], 0, None
    view, deadline = memoryview(data), time.monotonic() + PATIENCE_S
    while True:
        assert time.monotonic() < deadline, f"no end of replies after {replies[-3:]!r}"
        readable, writable, _ = select.select([sock], [sock] if view else [], [], 0.02)
        if not readable and not writable:
            on_wait()
        try:
            if writable:
                view = view[sock.send(view[:1 << 16]):]
            if readable:
                piece = sock.recv(1 << 20)
                if not piece:
                    return replies, True
                received += piece
        except (ConnectionResetError, BrokenPipeError):
            return replies, True
        while parsed_at < len(received) and readable:
            parsed = parse_reply(received, parsed_at)
            if parsed is None:
                break
            assert last is None or parsed[0][0] == b">", f"{parsed[0]!r} after {last!r}"
            replies.append(parsed[0])
            parsed_at = parsed[1]
            if is_last(parsed[0]):
                last = parsed[0]
        if last is not None and parsed_at == len(received):
            return replies, False


# --- requests --------------------------------------------------------------------------------


class Grammar:
    """Makes requests out of what COMMAND DOCS says."""

    def __init__(self, control, rng):
        self.rng = rng
        self.commands = []  # (words of the name, arguments)
        docs = control.call("COMMAND", "DOCS")
        for name, doc in self.pairs(docs):
            self.add(name.encode(), dict(self.pairs(doc)))
        assert len(self.commands) > 100

    @staticmethod
    def pairs(flat):
        return list(zip(flat[::2], flat[1::2]))

    def add(self, name, doc):
        if name in LEFT_OUT:
            return
        for sub, sub_doc in self.pairs(doc.get("subcommands", [])):
            self.add(sub.encode(), dict(self.pairs(sub_doc)))
        args = [self.argument(arg) for arg in doc.get("arguments", [])]
        self.commands.append((name.split(b"|"), args))

    def argument(self, flat):
        arg = dict(self.pairs(flat))
        arg["arguments"] = [self.argument(part) for part in arg.get("arguments", [])]
        return arg

    def junk(self):
        rng = self.rng
        roll = rng.random()
        if roll < 0.5:
            return rng.choice(NUMBERS)
        if roll < 0.8:
            return rng.choice(TEXTS)
        if roll < 0.9:
            return rng.choice(KEYS)
        if roll < 0.995:
            return rng.randbytes(rng.choice((1, 2, 16, 44, 45, 64, 300)))
        return rng.randbytes(rng.randrange(200 << 10))

    def key(self):
        roll = self.rng.random()
        if roll < 0.9:
            return self.rng.choice(KEYS)
        if roll < 0.98:
            return self.junk()
        return b"K" * self.rng.choice((0, 255, 256, 65535, 65536, 70000))

    def value_of(self, arg):
        rng, kind = self.rng, arg["type"]
        if rng.random() < 0.1:
            return [self.junk()]
        if kind == "key":
            return [self.key()]
        if kind in ("integer", "double", "unix-time"):
            return [rng.choice(NUMBERS) if rng.random() < 0.6 else b"%d" % rng.randrange(1000)]
        if kind == "pure-token":
            return [arg.get("token", "").encode()]
        if kind == "oneof":
            return self.form_of(rng.choice(arg["arguments"])) if arg["arguments"] else []
        if kind == "block":
            return [word for part in arg["arguments"] for word in self.form_of(part)]
        return [self.junk()]

    def form_of(self, arg):
        rng, flags = self.rng, arg.get("flags", [])
        if "optional" in flags and rng.random() < 0.5:
            return []
        count = 1
        if "multiple" in flags and rng.random() < 0.4:
            count = rng.choice((0, 2, 3, 9, 40))
        words, token = [], arg.get("token")
        for i in range(count):
            if token and arg["type"] != "pure-token" and (i == 0 or "multiple_token" in flags):
                words.append(token.encode())
            words += self.value_of(arg)
        return words

    def debug(self):
        form = self.rng.choice(DEBUG_FORMS)
        if form == b"populate":
            return [b"DEBUG", form, b"%d" % self.rng.randrange(-1, 50), self.junk()[:99],
                    self.rng.choice((b"0", b"-1", b"70000", b"x", b"9223372036854775807"))]
        return [b"DEBUG", form] + [self.junk() for _ in range(self.rng.randrange(4))]

    def rare(self):
        rng = self.rng
        return rng.choice((
            [b"CLIENT", b"PAUSE", rng.choice((b"0", b"5", b"-1", b"x", b"", b"1e400", b"30")),
             rng.choice((b"ALL", b"WRITE", b"x"))],
            [b"SHUTDOWN", b"JUNK", rng.choice((b"NOSAVE", b"SAVE", b"NOW", b"ABORT", b"FORCE"))],
            [self.junk() or b"x" for _ in range(rng.randrange(1, 4))],
            [b"CONFIG", b"SET"] + [self.junk()] * rng.randrange(5),
            [b"HELLO", rng.choice((b"2", b"3"))],
        ))

    def request(self):
        rng, roll = self.rng, self.rng.random()
        if roll < 0.06:
            return self.debug()
        if roll < 0.12:
            return self.rare()
        name, args = rng.choice(self.commands)
        words = list(name) + [word for arg in args for word in self.form_of(arg)]
        first = len(name)  # what may be changed
        if len(words) > first and rng.random() < 0.15:
            del words[rng.randrange(first, len(words))]
        if len(words) > first + 1 and rng.random() < 0.1:
            i, j = rng.randrange(first, len(words)), rng.randrange(first, len(words))
            words[i], words[j] = words[j], words[i]
        if rng.random() < 0.1:
            words.insert(rng.randrange(first, len(words) + 1), self.junk())
        return words


def random_source(name):
    seed = int(os.environ.get("HOSTILE_SEED") or random.randrange(1 << 32))
    print(f"{name}: HOSTILE_SEED={seed}")
    return random.Random(seed)


def is_word(request, at, *words):
    return len(request) > at and request[at].lower() in words


def memory_in_use(server):
    return int(server.info("memory")["used_memory"])


def wait_for_memory(server, start, slack=MEMORY_SLACK):
    """All clients but the fixture's are gone, and no key is left: nothing else is either."""
    for connection in server.connections[1:]:
        connection.close()
    server.control().call("FLUSHALL")
    wait_until(lambda: len(server.clients()) == 1, "the other clients to be gone")
    wait_until(lambda: memory_in_use(server) < start + slack,
               f"used_memory near {start}; it is {memory_in_use(server)}", patience_s=10)


# --- random commands -------------------------------------------------------------------------


def let_go(control):
    """Who waits for a key, or for a replica, waits no longer."""
    for line in control.ask("CLIENT", "LIST").splitlines():
        fields = dict(field.partition("=")[::2] for field in line.split())
        if "b" in fields["flags"]:
            control.ask("CLIENT", "UNBLOCK", fields["id"])


def run_batch(connection, grammar, control, number):
    """False if the connection has ended, as it was told to."""
    rng, token = grammar.rng, b"end of batch %d" % number
    requests = [grammar.request() for _ in range(rng.randrange(1, BATCH_COMMANDS_MAX))]
    if rng.random() < 0.2:
        requests.insert(rng.randrange(len(requests)), [b"MULTI"])
        requests.insert(rng.randrange(len(requests)), [b"EXEC"])
    # Not one reply each: none, or one for each channel.
    silenced = any(is_word(r, 0, b"client") and is_word(r, 1, b"reply") or
                   r[0].lower().endswith(b"subscribe") for r in requests)
    ended = any(is_word(r, 0, b"quit", b"hello", b"reset") or
                is_word(r, 0, b"client") and is_word(r, 1, b"kill") for r in requests)
    # First DISCARD: a transaction would only queue what ends subscriptions.
    tail = [[b"DISCARD"], [b"CLIENT", b"REPLY", b"ON"], [b"ECHO", token]]
    if silenced:
        tail[1:1] = [[b"UNSUBSCRIBE"], [b"PUNSUBSCRIBE"], [b"SUNSUBSCRIBE"]]
    data = b"".join(encode(request) for request in requests + tail)
    try:
        replies, closed = exchange(connection, data, lambda reply: reply == (b"$", token),
                                   lambda: let_go(control))
    except AssertionError as failure:
        raise AssertionError(f"{failure}\nafter {requests!r}"[:20000]) from failure
    if closed:
        assert ended, f"closed after {requests!r}"[:20000]
        return False
    if not silenced:
        answers = [reply for reply in replies if reply[0] != b">"]
        assert len(answers) == len(requests) + len(tail), f"{requests!r}\n{replies!r}"[:20000]
    return True


EVICTING = ("--maxmemory", "2mb", "--maxmemory-policy", "allkeys-random", "--hz", "200",
            "--lazyfree-lazy-eviction", "no", "--io-threads", "2")


@pytest.mark.parametrize("options", [(), EVICTING], ids=["plain", "evicting"])
def test_random_commands_get_one_reply_each(start_server, options):
    rng = random_source("commands")
    server = start_server("--enable-debug-command", "yes", "--proto-max-bulk-len", "4mb", *options)
    control = server.control()
    grammar = Grammar(control, rng)
    start, connection, number = memory_in_use(server), None, 0
    deadline = time.monotonic() + SECONDS / 4
    while time.monotonic() < deadline:
        if connection is None or rng.random() < 0.05:
            if connection:
                connection.close()
            connection = server.connect()
            connection.send_command("HELLO", rng.choice((2, 3)))
            exchange(connection, encode(["ECHO", "hello"]), lambda r: r == (b"$", b"hello"))
        number += 1
        if not run_batch(connection, grammar, control, number):
            connection.close()
            connection = None
        try:
            assert control.call("PING") == "PONG"
        except Closed:  # CLIENT KILL may have meant it
            control.close()
            control = server.control()
        if number % 50 == 1:
            control.call("FLUSHALL")
            control.ask("DEBUG", "POPULATE", 5000 if options else 50, "filler", 500)
            control.ask("SET", "one", "more")
            assert not options or server.info("stats")["evicted_keys"] != "0"
    print(f"{number} batches")
    control = server.control()
    control.call("DEBUG", "DICT-RESIZING", 1)
    wait_for_memory(server, start)


# --- garbage in every option -----------------------------------------------------------------

OPTION_GARBAGE = NUMBERS + TEXTS + [
    b"yes", b"no", b"-1 -1", b"1 2 3", b"a b c d", b"x" * 5000, b"100%", b"101%", b"-5%", b"1kb", b"1gb",
    b"9223372036854775807gb", b"yes\nrequirepass injected", b"\"\nenable-debug-command yes\n",
    b"save 1 1\r\nrequirepass injected", b"/nonexistent/x", b"normal 0 0 0", b"everything",
    b"normal -1 -1 -1", b"replica 1 2", b"KEA$lshzxetgmn!", b"0777", b"8", b"\x7f\x80\n",
]


def test_garbage_in_options_is_refused_or_kept_and_survives_a_rewrite(start_server):
    """Whatever was accepted is shown, taken back, and read back from the rewritten file; nothing in
    a value becomes a line of its own."""
    rng = random_source("options")
    server = start_server(config="# nothing but this\n")
    control = server.control()
    # These would lock out or end the test itself.
    left_out = {"maxmemory", "maxmemory-clients", "timeout", "maxclients", "io-threads", "port", "bind",
                "client-query-buffer-limit", "client-output-buffer-limit", "proto-max-bulk-len"}
    flat = control.call("CONFIG", "GET", "*")
    options = sorted(set(flat[::2]) - left_out)
    originals = dict(zip(flat[::2], flat[1::2]))
    rng.shuffle(options)
    deadline, accepted = time.monotonic() + SECONDS / 4, 0
    path = os.path.join(server.daemon.folder, "server.conf")
    while time.monotonic() < deadline:
        for option in options:
            value = rng.choice(OPTION_GARBAGE)
            if isinstance(control.ask("CONFIG", "SET", option, value), Error):
                continue
            accepted += 1
            shown = control.call("CONFIG", "GET", option)
            assert len(shown) == 2, (option, value, shown)
            control.call("CONFIG", "SET", option, shown[1].encode("latin-1"))
            assert control.call("CONFIG", "GET", option) == shown, (option, value)
        control.call("CONFIG", "REWRITE")
        with open(path, "rb") as file:
            # Given on the command line of this run, perhaps, and hidden from CONFIG GET *.
            check_rewritten(file.read(), set(originals) | {"io-threads-always-active"})
    assert accepted > 20
    for option in options:
        control.ask("CONFIG", "SET", option, originals[option])
    assert control.call("CONFIG", "GET", "requirepass") == ["requirepass", ""]


def check_rewritten(text, known):
    """Every line is empty, a comment, or of an option; none is of those we tried to slip in."""
    for line in text.split(b"\n"):
        name = line.split(b" ")[0].decode("latin-1")
        assert not line or line.startswith(b"#") or name in known, f"{line!r}\nin {text!r}"
        assert not line.startswith((b"requirepass injected", b"enable-debug-command yes")), text


def test_what_a_user_sets_cannot_become_a_line_of_the_config_file(start_server):
    server = start_server(config="# one line\n")
    control = server.control()
    wanted = "pass \"word\\\nenable-debug-command yes\r\n\x01\xff'"
    control.call("CONFIG", "SET", "requirepass", wanted.encode("latin-1"))
    control.call("CONFIG", "REWRITE")
    path = os.path.join(server.daemon.folder, "server.conf")
    with open(path, "rb") as file:
        text = file.read()
    assert not re.search(rb"^enable-debug-command", text, re.M), text
    copy = start_server(config=text.decode("latin-1"))
    control = copy.control()
    assert isinstance(control.ask("CONFIG", "GET", "requirepass"), Error)
    control.call("AUTH", wanted.encode("latin-1"))
    assert control.call("CONFIG", "GET", "requirepass") == ["requirepass", wanted]
    assert control.call("CONFIG", "GET", "enable-debug-command")[1] == "no"


# --- broken protocol -------------------------------------------------------------------------


def plain_requests(rng):
    """Commands that do no harm whatever becomes of their bytes."""
    for _ in range(rng.randrange(1, 30)):
        key, value = rng.choice(KEYS), rng.randbytes(rng.choice((0, 1, 10, 64, 500, 20000, 40000)))
        yield rng.choice((
            [b"SET", key, value], [b"GET", key], [b"APPEND", key, value[:100]], [b"STRLEN", key],
            [b"MSET", key, value, rng.choice(KEYS), b"1"], [b"INCR", key], [b"PING"], [b"ECHO", value],
            [b"MULTI"], [b"EXEC"], [b"SETRANGE", key, b"10", value[:50]], [b"MGET"] + KEYS,
            [b"PFADD", key, value[:20]], [b"EXPIRE", key, b"100"], [b"TYPE", key], [b"DEL", key],
        ))


def mutate(rng, data):
    data = bytearray(data)
    for _ in range(rng.choice((0, 1, 1, 2, 3, 10))):
        at, how = rng.randrange(len(data)), rng.randrange(6)
        if how == 0:
            data[at] ^= 1 << rng.randrange(8)
        elif how == 1:
            del data[at:at + rng.randrange(1, 20)]
        elif how == 2:
            data[at:at] = rng.randbytes(rng.randrange(1, 10))
        elif how == 3:
            data[at:at] = rng.choice((b"\r\n", b"*", b"$", b"*-1\r\n", b"*0\r\n", b"$-1\r\n", b"\n", b"\0",
                                      b"*2147483647\r\n", b"$536870912\r\n", b"$9223372036854775807\r\n",
                                      b"PING\r\n", b"\"", b"'\\x", b"*1\r\n$4\r\nPING\r\n"))
        elif how == 4:
            data[at:] = b""
        else:
            data[at:at + 1] = b"%d" % rng.choice((0, -1, 10, 1 << 31, 1 << 63))
        if not data:
            break
    return bytes(data)


def send_in_pieces(rng, connection, data):
    """What came back, until nothing more does or the peer closes."""
    received, at = bytearray(), 0
    sock = connection.socket
    sock.setblocking(False)
    while True:
        patience = 0 if rng.random() < 0.5 else 0.001
        readable, writable, _ = select.select([sock], [sock] if at < len(data) else [], [], patience)
        try:
            if readable:
                piece = sock.recv(1 << 18)
                if not piece:
                    break
                received += piece
            if writable:
                at += sock.send(data[at:at + rng.choice((1, 2, 3, 17, 1000, 1 << 16))])
        except (ConnectionResetError, BrokenPipeError):
            break
        if at >= len(data) and not readable:
            break
        if rng.random() < 0.0005:
            break
    return bytes(received)


@pytest.mark.parametrize("threads", [1, 3])
def test_broken_protocol_harms_nobody_else(start_on_engine, threads):
    rng = random_source("protocol")
    server = start_on_engine("--io-threads", threads, "--proto-max-bulk-len", "1mb")
    control, other = server.control(), server.connect()
    start, sent = memory_in_use(server), 0
    deadline = time.monotonic() + SECONDS / 16
    while time.monotonic() < deadline:
        connections = [server.connect() for _ in range(rng.randrange(1, 5))]
        for connection in connections:
            data = mutate(rng, b"".join(encode(request) for request in plain_requests(rng)))
            parse_stream(send_in_pieces(rng, connection, data))
            sent += 1
        token = b"other %d" % sent
        assert other.call("ECHO", token) == token.decode()
        for connection in connections:
            connection.close()
            server.connections.remove(connection)
    print(f"{sent} broken streams")
    assert control.call("PING") == "PONG"
    wait_for_memory(server, start)


# --- what could use up memory or time --------------------------------------------------------


@pytest.mark.parametrize("head", [
    b"*2147483648\r\n", b"*9223372036854775807\r\n", b"*1048577\r\n$1\r\n",
    b"*1\r\n$536870913\r\n", b"*1\r\n$-1\r\n", b"*1\r\n$99999999999999999999\r\n", b"*x\r\n", b"*1\r\nx\r\n",
    b"*" + b"1" * 70000, b"*1\r\n$" + b"1" * 70000, b"x" * 70000,
], ids=lambda head: repr(head[:24]))
def test_impossible_sizes_end_the_connection(start_server, head):
    server = start_server()
    connection = server.connect()
    connection.send(head)
    if head.startswith(b"*1048577"):  # as many as INT_MAX are allowed, and cost what arrives
        assert not connection.is_closed()
    else:
        assert connection.wait_for_close().startswith(b"-ERR Protocol error")
    assert server.control().call("PING") == "PONG"


def test_promised_sizes_reserve_nothing(start_server):
    """Many clients that announce 512 MB, or 2^31 arguments, and send a little of it."""
    server = start_server()
    start = memory_in_use(server)
    for i in range(200):
        connection = server.connect()
        connection.send(b"*2\r\n$3\r\nGET\r\n$536870912\r\n" if i % 2 else b"*2147483647\r\n$3\r\nSET\r\n")
        connection.send(b"x" * 1000)
    wait_until(lambda: len(server.clients()) == 201, "the clients to be there")
    assert memory_in_use(server) < start + 200 * (160 << 10)
    wait_for_memory(server, start)


def test_a_million_empty_arguments(start_server):
    server = start_server()
    start, connection = memory_in_use(server), server.connect()
    count = 1000 * 1000
    for name, expected in ((b"DEL", 0), (b"MGET", None), (b"GET", Error), (b"PFADD", None)):
        connection.send(b"*%d\r\n$%d\r\n%s\r\n" % (count, len(name), name) + b"$0\r\n\r\n" * (count - 1))
        reply = connection.read_reply()
        if expected is Error:
            assert isinstance(reply, Error)
        elif expected is not None:
            assert reply == expected
        elif name == b"MGET":
            assert len(reply) == count - 1
    wait_for_memory(server, start)


def test_a_client_that_does_not_read_is_held_back(start_server):
    """Its replies stay below the limit, or it is closed; nothing is read from it without end."""
    server = start_server("--client-output-buffer-limit", "normal 16mb 0 0")
    control = server.control()
    control.call("SET", "big", b"x" * 100000)
    start, connection = memory_in_use(server), server.connect(receive_buffer=4096)
    connection.socket.settimeout(1)
    request = encode(["GET", "big"]) * 1000
    peak = start
    try:
        for _ in range(20):
            connection.send(request)
            peak = max(peak, memory_in_use(server))
    except (TimeoutError, ConnectionResetError, BrokenPipeError):
        pass
    assert peak < start + (100 << 20)
    wait_for_memory(server, start)


def test_a_transaction_that_grows_is_ended_by_maxmemory_clients(start_server):
    server = start_server("--maxmemory-clients", "5mb")
    start, connection = memory_in_use(server), server.connect()
    connection.call("MULTI")
    value = b"x" * 50000
    peak = start
    with pytest.raises((Closed, ConnectionResetError, BrokenPipeError)):
        for _ in range(1000):
            assert connection.ask("SET", "k", value) == "QUEUED"
            peak = max(peak, memory_in_use(server))
    assert peak < start + (16 << 20)
    assert server.control().call("PING") == "PONG"
    wait_for_memory(server, start)


def test_patterns_of_hostile_shape_take_bounded_time(start_server):
    """CVE-2022-36021, CVE-2024-31228."""
    server = start_server()
    control = server.control()
    control.call("SET", b"a" * 200, "x")
    started = time.monotonic()
    for pattern in (b"a*" * 100 + b"b", b"*" * 5000, b"*a" * 90 + b"?b", b"[a-z]*" * 100 + b"[^a]", b"[" * 9000,
                    b"\\" * 4001, b"*?" * 4000, b"[^" * 4000, b"a*" * 100000 + b"b"):
        assert isinstance(control.call("KEYS", pattern), list)
        assert len(control.call("SCAN", 0, "MATCH", pattern, "COUNT", 1000)) == 2
        assert isinstance(control.call("CONFIG", "GET", pattern), list)
        assert isinstance(control.call("COMMAND", "LIST", "FILTERBY", "PATTERN", pattern), list)
    assert time.monotonic() - started < PATIENCE_S


def test_huge_offsets_are_refused_before_memory_is_taken(start_server):
    """CVE-2022-35977 and the offset of BITFIELD."""
    server = start_server("--proto-max-bulk-len", "1mb", "--enable-debug-command", "yes")
    control, start = server.control(), memory_in_use(server)
    control.call("SET", "k", "abc")
    top = [2**63 - 1, 2**63, 2**62, 2**32, 2**31, 2**24, -1, -(2**63), (1 << 20) + 1, 8 * (1 << 20)]
    for at in top:
        assert isinstance(control.ask("SETRANGE", "k", at, "xyz"), Error), at
        if at > (1 << 20) + 1 or at < 0:
            assert isinstance(control.ask("SETBIT", "k", at, 1), Error), at
            assert isinstance(control.ask("BITFIELD", "k", "SET", "u8", at, 1), Error), at
            assert isinstance(control.ask("BITFIELD", "k", "SET", "u63", f"#{at}", 1), Error), at
            assert isinstance(control.ask("BITFIELD", "k", "GET", "i64", f"#{at}"), Error), at
            assert isinstance(control.ask("GETBIT", "k", at), Error), at
        for command in ("GETRANGE", "SUBSTR", "BITCOUNT", "BITPOS"):
            args = ["k", at, at] if command != "BITPOS" else ["k", 1, at, at]
            control.ask(command, *args)
            control.ask(command, args[0], *args[1:-1], -at)
    half = b"x" * (600 << 10)
    control.call("SET", "big", half)
    assert isinstance(control.ask("APPEND", "big", half), Error)
    assert control.call("STRLEN", "big") == len(half)
    assert control.call("GET", "k") == "abc"
    wait_for_memory(server, start)


def test_times_that_overflow_are_refused(server):
    control = server.control()
    control.call("SET", "k", "v")
    for option in ("EX", "PX", "EXAT", "PXAT"):
        for when in (2**63 - 1, 2**63, -(2**63), 0, -1, 2**64, "1e3", "nan", "", " 1", "1x"):
            if option == "PXAT" and when == 2**63 - 1:
                continue  # the last moment there is
            assert isinstance(control.ask("SET", "k", "v", option, when), Error), (option, when)
            assert isinstance(control.ask("GETEX", "k", option, when), Error), (option, when)
    for command in ("EXPIRE", "PEXPIRE", "EXPIREAT"):
        for when in (2**63 - 1, 2**63, -(2**63), 2**64, "1e3", ""):
            if command == "PEXPIRE" and when == -(2**63):
                continue  # long gone: tried on its own below
            assert isinstance(control.ask(command, "k", when), Error), (command, when)
    assert isinstance(control.ask("SETEX", "k", 2**63 - 1, "v"), Error)
    assert isinstance(control.ask("PSETEX", "k", 2**63 - 1, "v"), Error)
    assert control.call("GET", "k") == "v"
    assert control.call("TTL", "k") == -1
    control.ask("PEXPIRE", "k", -(2**63))
    assert control.call("PING") == "PONG"


def test_lcs_of_large_strings_is_bounded(start_server):
    server = start_server("--proto-max-bulk-len", "4mb")
    control = server.control()
    control.call("MSET", "a", b"ab" * 500000, "b", b"ba" * 500000, "c", b"x" * 900, "d", b"yx" * 450)
    for form in ([], ["LEN"], ["IDX"], ["IDX", "MINMATCHLEN", 2**63 - 1, "WITHMATCHLEN"]):
        assert isinstance(control.ask("LCS", "a", "b", *form), Error)
    assert control.call("LCS", "c", "d", "LEN") == 450
    control.call("LCS", "c", "d", "IDX", "MINMATCHLEN", -(2**63), "WITHMATCHLEN")


def test_memory_and_object_forms_on_every_encoding(start_server):
    server = start_server("--enable-debug-command", "yes")
    control = server.control()
    control.call("MSET", "int", 12, "wide", -(2**63), "short", "abc", "long", b"x" * 70000, "", "")
    control.call("APPEND", "raw", "abc")
    control.call("PFADD", "hll", *range(100))
    control.call("SET", "expires", "x", "PX", 100000)
    for key in ("int", "wide", "short", "long", "", "raw", "hll", "expires", "missing"):
        for form in ("ENCODING", "REFCOUNT", "IDLETIME", "FREQ"):
            control.ask("OBJECT", form, key)
        for samples in (0, 1, 5, 2**63 - 1, -1):
            control.ask("MEMORY", "USAGE", key, "SAMPLES", samples)
        control.ask("DEBUG", "OBJECT", key)
        control.ask("DEBUG", "SDSLEN", key)
        control.ask("DEBUG", "DIGEST-VALUE", key)
    assert control.call("PING") == "PONG"


# --- text that could pass for something else -------------------------------------------------

SPLITTERS = ["\n", "\r", "\r\n", "\0", " ", "a\nb", "a b", "\x7f", "\x80", "id=1 addr=x"]


def test_names_cannot_forge_the_list_of_clients(server):
    connection = server.connect()
    for text in SPLITTERS:
        text = text.encode("latin-1")
        assert isinstance(connection.ask("CLIENT", "SETNAME", text), Error), text
        assert isinstance(connection.ask("CLIENT", "SETINFO", "LIB-NAME", text), Error), text
        assert isinstance(connection.ask("CLIENT", "SETINFO", "LIB-VER", text), Error), text
        assert isinstance(connection.ask("HELLO", 3, "SETNAME", text), Error), text
    assert len(server.clients()) == 2
    assert all(client["name"] == "" for client in server.clients())


@pytest.mark.parametrize("text", [b"x\r\n+OK", b"x\r\n$3\r\nabc", b"\n", b"\r", b"x" * 5000 + b"\r\n-x", b"\0"],
                         ids=lambda text: repr(text[:24]))
def test_errors_are_one_line(start_server, text):
    """CVE-2025-67733: what the error repeats must not end it."""
    server = start_server("--enable-debug-command", "yes")
    connection = server.connect()
    requests = [
        [text], [text, text], [b"CLIENT", text], [b"OBJECT", text, text], [b"CONFIG", b"GET", text],
        [b"CONFIG", b"SET", text, text], [b"CONFIG", b"SET", b"maxmemory", text], [b"DEBUG", text],
        [b"CONFIG", b"SET", b"maxmemory-policy", text], [b"DEBUG", b"ERROR", text], [b"COMMAND", text],
        [b"SET", b"k", b"v", text], [b"HELLO", text], [b"HELLO", b"3", text], [b"AUTH", text, text],
        [b"CLIENT", b"KILL", text], [b"CLIENT", b"KILL", b"TYPE", text], [b"CLIENT", b"LIST", b"TYPE", text],
        [b"CLIENT", b"NO-EVICT", text], [b"SCAN", text], [b"SELECT", text], [b"MEMORY", text],
        [b"LATENCY", b"HISTORY", text], [b"LATENCY", b"HISTOGRAM", text], [b"INFO", text], [b"ECHO", text],
        [b"CONFIG", b"SET", b"save", text], [b"DEBUG", b"MALLCTL", text], [b"DEBUG", b"PROTOCOL", text],
        [b"BITFIELD", b"k", text], [b"PFDEBUG", text, b"k"], [b"PING", text], [b"COMMAND", b"DOCS", text],
        [b"COMMAND", b"INFO", text], [b"COMMAND", b"GETKEYS", text], [b"COMMAND", b"LIST", b"FILTERBY", text],
        [b"CONFIG", b"SET", b"dir", text], [b"CONFIG", b"SET", b"bind", text], [b"LOLWUT", b"VERSION", text],
        [b"COMMANDLOG", b"GET", b"1", text], [b"CLIENT", b"SETINFO", text, text], [b"SHUTDOWN", text],
        [b"FLUSHALL", text], [b"EXPIRE", b"k", b"1", text], [b"MIGRATE", text], [b"CLIENT", b"REPLY", text],
    ]
    data = b"".join(encode(request) for request in requests) + encode([b"ECHO", b"the end"])
    replies, closed = exchange(connection, data, lambda reply: reply == (b"$", b"the end"))
    assert not closed
    assert len(replies) == len(requests) + 1, replies


def test_messages_cannot_forge_lines_of_the_log(start_server):
    server = start_server("--enable-debug-command", "yes", "--loglevel", "debug")
    control = server.control()
    forged = "1:M 01 Jan 2030 00:00:00.000 * Forged"
    control.ask("DEBUG", "LOG", f"x\r\n{forged}\n{forged}")
    control.ask("CLIENT", "SETNAME", f"x\n{forged}")
    control.ask(f"x\n{forged}")
    control.ask("CONFIG", "SET", "dir", f"/x\n{forged}")
    connection = server.connect()
    connection.send(f"*1\r\n$1x\n{forged}\r\n".encode())
    connection.wait_for_close()
    connection = server.connect()
    connection.send(f"POST / HTTP/1.1\r\nHost: x\n{forged}\r\n\r\n".encode())
    connection.wait_for_close()
    assert not re.search(f"^{re.escape(forged)}", server.daemon.log(), re.M), server.daemon.log()


def test_the_monitor_shows_a_request_as_one_line(server):
    monitor, control = server.connect(), server.control()
    assert monitor.call("MONITOR") == "OK"
    control.call("SET", b"a\r\n+forged\r\n\"", b"\0\xff\n")
    control.call("PING")
    lines = [monitor.read_line() for _ in range(2)]
    assert re.fullmatch(r'\+[0-9.]+ \[0 [^]]+\] "SET" "a\\r\\n\+forged\\r\\n\\"" "\\x00\\xff\\n"', lines[0])
    assert lines[1].endswith('"PING"')


# --- HyperLogLogs made by hand ---------------------------------------------------------------


def hll(form, body, cache=b"\x80" * 8):
    return b"HYLL" + bytes([form]) + b"\0\0\0" + cache + body


def test_handmade_hyperloglogs_are_read_within_their_bounds(server):
    """CVE-2025-32023: runs that are longer than the registers there are."""
    rng, control = random_source("hyperloglog"), server.control()
    control.call("PFADD", "good", *range(50))
    bodies = [
        b"", b"\x7f\xff" * 10000, b"\x7f\xff", b"\x7f", b"\x40", b"\x00" * 16384, b"\x3f" * 300, b"\xff" * 16384,
        b"\x7f\xff\x00", b"\x7f\xfe\xff\xff", b"\x7f\xff\x80" + b"\xff" * 100, b"\x40\x00" * 20000,
        b"\x7f\xff" * ((1 << 31) // 16384 // 64), b"\x80", b"\xfc" * 4096,
    ] + [rng.randbytes(rng.choice((1, 2, 100, 12288, 12289))) for _ in range(40)]
    for i, body in enumerate(bodies * 2):
        value = hll(i % 3 if i % 7 else rng.randrange(256), body)
        control.call("DEL", "bad", "target", "copy")
        control.call("SETRANGE", "bad", 0, value)
        for request in (["PFCOUNT", "bad"], ["PFCOUNT", "bad", "good"], ["PFMERGE", "target", "good", "bad"],
                        ["PFDEBUG", "DECODE", "bad"], ["PFDEBUG", "ENCODING", "bad"],
                        ["PFADD", "bad", "a", "b", i], ["PFMERGE", "bad", "good"], ["PFCOUNT", "bad"],
                        ["PFDEBUG", "GETREG", "bad"], ["PFDEBUG", "TODENSE", "bad"], ["PFADD", "bad", "c"],
                        ["PFDEBUG", "SIMD", "ON"], ["PFCOUNT", "bad", "good"]):
            control.ask(*request)
        assert control.call("GET", "bad")[:4] == "HYLL"
    assert 45 <= control.call("PFCOUNT", "good") <= 55


# --- the rest of what others have been caught with -------------------------------------------


def test_key_extraction_stays_within_the_arguments(server):
    """CVE-2023-36824 and wrong arities: every command with every number of arguments."""
    control = server.control()
    names = control.call("COMMAND", "LIST")
    for name in names:
        for count in range(6):
            for filler in ("STORE", "GET", "-1", "9223372036854775807", "2147483647"):
                control.ask("COMMAND", "GETKEYS", name, *[filler] * count)
                control.ask("COMMAND", "GETKEYSANDFLAGS", name, *[filler] * count)
    for count in ("0", "-1", "2", "1000000000", "9223372036854775807", "18446744073709551617", "x"):
        assert isinstance(control.ask("MSETEX", count, "k", "v", "k2"), Error), count
        control.ask("COMMAND", "GETKEYS", "MSETEX", count, "k", "v")
    assert control.call("PING") == "PONG"


def test_duplicate_keys_in_one_command(server):
    """CVE-2023-28425."""
    control = server.control()
    assert control.call("MSETNX", "k", "1", "k", "2") == 1
    assert control.call("GET", "k") == "2"
    assert control.call("MSET", "k", "3", "k", "4") == "OK"
    assert control.call("DEL", "k", "k") == 1
    assert control.call("MSETEX", 2, "k", "1", "k", "2", "EX", 10) == 1
    assert control.call("UNLINK", "k", "k") == 1
    assert control.call("PFMERGE", "h", "h", "h") == "OK"
    assert isinstance(control.ask("RENAME", "none", "none"), Error)
    assert control.call("RENAME", "h", "h") == "OK"
    assert isinstance(control.ask("COPY", "h", "h"), Error)
    assert control.call("PING") == "PONG"


def test_scan_counts_and_cursors_at_their_bounds(server):
    control = server.control()
    for i in range(100):
        control.call("SET", f"k{i}", i)
    for cursor in (0, 1, 2**32, 2**48, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -1, "x"):
        for count in (1, 2**31, 2**63 - 1, 2**63, 0, -1, -(2**63)):
            reply = control.ask("SCAN", cursor, "COUNT", count)
            assert isinstance(reply, (Error, list))
    assert control.call("PING") == "PONG"


def test_before_authentication_little_is_taken_and_little_is_kept(start_server):
    """CVE-2025-21605: replies to a client that has not logged in and does not read."""
    server = start_server("--requirepass", "secret")
    control = server.control()
    control.call("AUTH", "secret")
    for head, word in ((b"*11\r\n", b"multibulk"), (b"*1\r\n$16385\r\n", b"bulk")):
        connection = server.connect()
        connection.send(head)
        assert b"unauthenticated " + word in connection.wait_for_close()
    start, connection = memory_in_use(server), server.connect(receive_buffer=4096)
    connection.socket.settimeout(1)
    peak = start
    try:
        for _ in range(100):
            connection.send(encode(["GET", "x"]) * 5000)
            peak = max(peak, memory_in_use(server))
    except (TimeoutError, ConnectionResetError, BrokenPipeError):
        pass
    assert peak < start + (4 << 20), peak - start
    wait_for_memory(server, start)


def test_an_empty_request_leaves_no_trace(server):
    """CVE-2026-27623: the kind of request is decided anew after an empty one."""
    connection = server.connect()
    for nothing in (b"*0\r\n", b"*-1\r\n", b"\r\n", b"\n", b"*-9223372036854775808\r\n"):
        for request in (b"PING\r\n", encode(["PING"])):
            for split in range(len(nothing + request)):
                data = nothing + request
                connection.send(data[:split])
                connection.send(data[split:])
                assert connection.read_reply() == "PONG"


def test_clients_killed_or_evicted_while_they_work(start_server):
    """Lifetime: each of these has been a use after free somewhere."""
    rng = random_source("kills")
    server = start_server("--maxmemory-clients", "2mb", "--io-threads", 3)
    control = server.control()
    control.call("CLIENT", "NO-EVICT", "on")
    start = memory_in_use(server)
    deadline = time.monotonic() + SECONDS / 8
    control.call("SET", "big", b"x" * 60000)
    while time.monotonic() < deadline:
        connections = [server.connect() for _ in range(6)]
        numbers = [connection.call("CLIENT", "ID") for connection in connections]
        for connection, number in zip(connections, numbers):
            target = rng.choice(numbers)
            connection.send(b"".join(encode(r) for r in rng.sample([
                ["GET", "big"], ["CLIENT", "KILL", "ID", target, "SKIPME", "no"], ["MULTI"], ["EXEC"],
                ["CLIENT", "KILL", "ID", number, "SKIPME", "no"], ["SET", "k", "x" * 40000], ["MONITOR"],
                ["WATCH", "k"], ["GET", "big"], ["CLIENT", "REPLY", "OFF"], ["QUIT"], ["RESET"],
                ["CLIENT", "KILL", "TYPE", "normal", "MAXAGE", 100000], ["CONFIG", "RESETSTAT"],
            ], rng.randrange(2, 9))) + b"*2\r\n$3\r\nGET\r\n$100\r\nx")
        assert control.call("PING") == "PONG"
        for connection in connections:
            connection.close()
            server.connections.remove(connection)
    wait_for_memory(server, start)


def test_the_unix_socket_has_its_mode_before_anybody_can_connect(start_server, short_path):
    """CVE-2023-45145: whoever gets through sees the mode that was asked for."""
    path, seen, stop = str(short_path / "s"), [], threading.Event()

    def knock():
        while not stop.is_set() and not seen:
            with socket.socket(socket.AF_UNIX) as probe:
                with contextlib.suppress(OSError):
                    probe.connect(path)
                    seen.append(os.stat(path).st_mode & 0o777)

    thread = threading.Thread(target=knock)
    thread.start()
    try:
        start_server("--unixsocket", path, "--unixsocketperm", "700")
        wait_until(lambda: seen, "a connection")
    finally:
        stop.set()
        thread.join()
    assert seen == [0o700]


def test_nothing_but_greetings_before_authentication(start_server):
    server = start_server("--requirepass", "secret", "--enable-debug-command", "yes")
    control, stranger = server.control(), server.connect()
    control.call("AUTH", "secret")
    allowed = {"auth", "hello", "quit", "reset"}
    for name in set(control.call("COMMAND", "LIST")) - allowed:
        for args in ([], ["x"], ["a", "b", "c"], ["HELP"], ["LIST"], ["GET", "requirepass"]):
            reply = stranger.ask(*name.split("|"), *args)
            assert isinstance(reply, Error) and "NOAUTH" in reply, (name, args, reply)
    for args in (["AUTH", ""], ["AUTH", "secret\0"], ["AUTH", "default", "Secret"], ["AUTH", "secret", "secret"],
                 ["AUTH", "default", "secret", "x"], ["HELLO", 3], ["HELLO", 3, "AUTH", "default", "x"]):
        assert isinstance(stranger.ask(*args), Error), args
    assert stranger.ask("GET", "k").startswith("NOAUTH")
    assert not [line for line in control.call("CLIENT", "LIST").splitlines() if "resp=3" in line]


def test_limits_follow_a_login_and_its_end_inside_a_pipeline(start_server):
    server = start_server("--requirepass", "secret")
    connection, large = server.connect(), b"x" * 100000
    many = ["DEL"] + [f"k{i}" for i in range(50)]
    connection.send(encode(["AUTH", "secret"]) + encode(["SET", "k", large]) + encode(many) + encode(["RESET"])
                    + encode(["SET", "k", "stolen"]) + encode(["AUTH", "secret"]) + encode(["STRLEN", "k"]))
    replies = [connection.read_reply() for _ in range(7)]
    assert replies[:4] == ["OK", "OK", 0, "RESET"]
    assert replies[4].startswith("NOAUTH")
    assert replies[5:] == ["OK", len(large)]
    connection.call("RESET")
    connection.send(encode(["SET", "k", large]))
    assert b"unauthenticated bulk length" in connection.wait_for_close()


def test_blanks_in_lists_of_words_survive_a_rewrite(start_server):
    """Empty words are kept where they are taken, and do not join or vanish in the file."""
    server = start_server(config="# nothing but this\n")
    control = server.control()
    for value in (" ", "  ", "a ", " a", "a  b", "127.0.0.1\0evil", "a\nb", "a \"b\" 'c'", "\t", "a\tb"):
        for option in ("rdma-bind", "oom-score-adj-values", "save", "notify-keyspace-events"):
            control.ask("CONFIG", "SET", option, value)
            assert control.call("CONFIG", "REWRITE") == "OK", (option, value)
    assert isinstance(control.ask("CONFIG", "SET", "bind", "127.0.0.1\0evil"), Error)


def test_no_descriptors_left_harms_only_new_clients(start_server):
    """CVE-2025-48367: a failing accept must not keep the server busy, nor fill its log."""
    server = start_server()
    control, connections = server.control(), [server.connect() for _ in range(3)]
    pid = server.daemon.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    descriptors = os.listdir(f"/proc/{pid}/fd")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (len(descriptors) + 2, before[1]))
    connections += [server.connect() for _ in range(20)]
    started, count = time.monotonic(), 0
    while time.monotonic() - started < 1:
        assert control.call("PING") == "PONG"
        assert connections[0].call("PING") == "PONG"
        count += 1
    assert len(server.daemon.log()) < 100000, server.daemon.log()[-3000:]
    resource.prlimit(pid, resource.RLIMIT_NOFILE, before)
    assert server.connect().call("PING") == "PONG"
    print(f"{count} rounds of two requests a second, {len(server.daemon.log())} bytes of log")


def test_held_clients_may_be_killed_evicted_or_leave(start_on_engine):
    """CVE-2026-23479: what waits to be run again is run by nobody once its client is gone."""
    server = start_on_engine("--maxmemory-clients", "3mb")
    control = server.control()
    control.call("CLIENT", "NO-EVICT", "on")
    start = memory_in_use(server)
    for round_ in range(5):
        connections = [server.connect() for _ in range(8)]
        numbers = [connection.call("CLIENT", "ID") for connection in connections]
        control.call("CLIENT", "PAUSE", 300, "WRITE")
        for connection in connections:
            connection.send(encode(["SET", "k", b"x" * 40000]) * 3 + encode(["GET", "k"]) + b"*2\r\n$3\r\nGET\r\n")
        control.call("CLIENT", "KILL", "ID", numbers[0])
        connections[1].close()
        for connection in connections[2:5]:
            connection.socket.settimeout(0.2)
            try:
                for _ in range(30):
                    connection.send(encode(["SET", "k", b"y" * 100000]))
            except OSError:
                pass
            connection.socket.settimeout(PATIENCE_S)
        control.call("CLIENT", "KILL", "ID", numbers[5])
        if round_ % 2:
            control.call("CLIENT", "UNPAUSE")
        try:
            assert connections[6].read_reply() == "OK"
        except Closed:
            pass
        for connection in connections:
            connection.close()
            server.connections.remove(connection)
        assert control.call("PING") == "PONG"
    wait_for_memory(server, start)


def test_a_random_key_is_found_or_not_among_expired_ones(start_server):
    server = start_server("--enable-debug-command", "yes")
    control = server.control()
    control.call("DEBUG", "SET-ACTIVE-EXPIRE", 0)
    count = 20000
    control.send(b"".join(encode(["SET", b"k%d" % i, b"v", b"PX", b"1"]) for i in range(count)))
    for _ in range(count):
        assert control.read_reply() == "OK"
    wait_until(lambda: control.call("EXISTS", f"k{count - 1}") == 0, "the keys to expire")
    started = time.monotonic()
    for _ in range(3):
        assert not isinstance(control.ask("RANDOMKEY"), Error)
        assert control.call("KEYS", "*") == []
        assert control.call("SCAN", 0)[1] == []
    assert time.monotonic() - started < 10
