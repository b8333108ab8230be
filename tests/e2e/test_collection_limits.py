# SPDX-License-Identifier: BSD-3-Clause
"""Collections at their limits: indexes and counts at the edges of 64 bits, scores that are hardly
numbers, members as large as any argument. Every form of a collection, against plain lists."""

import itertools
import random

import pytest

from conftest import Error, encode
from daemon_process import wait_until
from test_keyspace import pipeline, used_memory

MEGABYTE = 1 << 20
INT64_MAX, INT64_MIN = 2**63 - 1, -2**63
BEYOND = [INT64_MAX + 1, INT64_MIN - 1, 2**64, -2**64, 10**30]
SIZES = {"listpack": 12, "large": 3000}  # elements: of the packed form, of the other


@pytest.fixture(name="server")
def server_without_snapshots(start_server):
    return start_server("--save", "")


@pytest.fixture(autouse=True)
def seed():
    number = random.randrange(2**32)
    print(f"seed {number}")
    random.seed(number)


@pytest.fixture(name="size", params=SIZES)
def size_of_form(request):
    return SIZES[request.param]


def edges(size):
    near = [0, 1, 2, size - 1, size, size + 1]
    far = [2**31 - 1, 2**31, 2**32, 2**32 + 1, 2**62, INT64_MAX - 1, INT64_MAX]
    return sorted({sign * number for number in near + far for sign in (1, -1)} | {INT64_MIN})


def names(size):
    return [f"e{i:06}" for i in range(size)]


def fill(connection, size):
    """A list, a set, a hash and a sorted set of these names."""
    elements = names(size)
    connection.call("RPUSH", "list", *elements)
    connection.call("SADD", "set", *elements)
    connection.call("HSET", "hash", *[word for name in elements for word in (name, f"v{name}")])
    connection.call("ZADD", "zset", *[word for i, name in enumerate(elements) for word in (i, name)])
    return elements


def span(elements, start, stop):
    """What a range of both ends, counted from either end, means."""
    size = len(elements)
    first = max(start + size, 0) if start < 0 else start
    last = stop + size if stop < 0 else stop
    return elements[first:last + 1] if first <= last else []


# --- indexes and ranges --------------------------------------------------------------------------


def test_ranges_end_where_the_elements_do(server, size):
    connection = server.connect()
    elements = fill(connection, size)
    pairs = list(itertools.product(edges(size), repeat=2))
    for (start, stop), listed, ranked, reverse in zip(
            pairs, pipeline(connection, [["LRANGE", "list", *pair] for pair in pairs]),
            pipeline(connection, [["ZRANGE", "zset", *pair] for pair in pairs]),
            pipeline(connection, [["ZREVRANGE", "zset", *pair] for pair in pairs])):
        assert listed == span(elements, start, stop), (start, stop)
        assert ranked == listed, (start, stop)
        assert reverse == span(elements[::-1], start, stop), (start, stop)


def test_what_is_cut_is_cut_at_the_edges_too(server, size):
    connection = server.connect()
    elements = fill(connection, size)
    pairs = list(itertools.product(edges(size), repeat=2))
    for start, stop in random.sample(pairs, 60):
        connection.call("COPY", "list", "l", "REPLACE")
        connection.call("COPY", "zset", "z", "REPLACE")
        kept = span(elements, start, stop)
        assert connection.call("LTRIM", "l", start, stop) == "OK"
        assert connection.call("LRANGE", "l", 0, -1) == kept, (start, stop)
        assert connection.call("ZREMRANGEBYRANK", "z", start, stop) == len(kept), (start, stop)
        rest = connection.call("ZRANGE", "z", 0, -1)
        assert rest == [name for name in elements if name not in set(kept)], (start, stop)
        assert connection.call("EXISTS", "l", "z") == bool(kept) + bool(rest)


def test_an_index_is_of_an_element_or_of_none(server, size):
    connection = server.connect()
    elements = fill(connection, size)
    for index in edges(size):
        wanted = elements[index] if -size <= index < size else None
        assert connection.call("LINDEX", "list", index) == wanted, index
        reply = connection.ask("LSET", "list", index, "changed")
        if wanted is None:
            assert reply == Error("ERR index out of range"), index
        else:
            assert connection.call("LSET", "list", index, wanted) == "OK"
    assert connection.call("LRANGE", "list", 0, -1) == elements


def test_what_is_cut_off_is_freed_in_the_background(server):
    connection = server.connect()
    fill(connection, 100_000)

    def freed():
        return int(server.info("memory")["lazyfreed_objects"])

    for command in (["LTRIM", "list", 0, 9], ["ZREMRANGEBYRANK", "zset", 10, -1],
                    ["DEL", "set"], ["DEL", "hash"]):
        before = freed()
        connection.call(*command)
        wait_until(lambda: freed() == before + 1, f"{command} is done")
    assert connection.call("LRANGE", "list", 0, -1) == names(10)
    assert connection.call("ZRANGE", "zset", 0, -1) == names(10)


# --- counts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["LPOP", "RPOP", "SPOP", "ZPOPMIN", "ZPOPMAX", "LREM"])
def test_a_count_takes_what_there_is_or_nothing(server, size, command):
    connection = server.connect()
    fill(connection, size)
    key = {"L": "list", "R": "list", "S": "set", "Z": "zset"}[command[0]]
    counter = {"list": "LLEN", "set": "SCARD", "zset": "ZCARD"}[key]
    for count in edges(size):
        connection.call("COPY", key, "copy", "REPLACE")
        if command == "LREM":
            assert connection.call("LREM", "copy", count, "e000003") == 1
            assert connection.call("LLEN", "copy") == size - 1
            continue
        reply = connection.ask(command, "copy", count)
        if count < 0:
            assert reply == Error("ERR value is out of range, must be positive"), count
            continue
        taken = min(count, size)
        assert len(reply) == taken * (2 if key == "zset" else 1), count
        assert connection.call(counter, "copy") == size - taken
        assert connection.call("EXISTS", "copy") == (taken < size)


def test_limits_of_what_is_found(server, size):
    connection = server.connect()
    elements = fill(connection, size)
    for count in edges(size):
        least = [elements[:count] if 0 <= count <= size else elements][0]
        assert connection.call("ZRANGE", "zset", "-inf", "+inf", "BYSCORE", "LIMIT", 0,
                               count) == least
        past = elements[count:] if 0 <= count else []
        assert connection.call("ZRANGEBYSCORE", "zset", "-inf", "+inf", "LIMIT", count, -1) == past
        for command in (["SINTERCARD", 1, "set"], ["ZINTERCARD", 1, "zset"]):
            reply = connection.ask(*command, "LIMIT", count)
            if count < 0:
                assert isinstance(reply, Error), (command, count)
            else:
                assert reply == (min(count, size) if count else size), (command, count)
        for option in ("COUNT", "MAXLEN"):
            reply = connection.ask("LPOS", "list", "e000001", option, count)
            if count < 0:
                assert isinstance(reply, Error), count
            elif option == "COUNT":
                assert reply == [1]
            else:
                assert reply == (None if count == 1 else 1)
        reply = connection.ask("LPOS", "list", "e000001", "RANK", count)
        if count in (0, INT64_MIN):
            assert isinstance(reply, Error)
        else:
            assert reply == (1 if abs(count) == 1 else None)
        for start in (0, count):
            rest = elements[max(start, 0):]
            wanted = rest if count < 0 else rest[:count]
            assert connection.call("SORT", "list", "ALPHA", "LIMIT", start, count) == wanted


def test_numbers_of_more_than_64_bits_are_refused(server):
    connection = server.connect()
    fill(connection, SIZES["listpack"])
    before = used_memory(server)
    for number in [*BEYOND, "1.0", "1e3", " 1", "1 ", "+1", "", "0x10", "nan"]:
        for command in (["LINDEX", "list", number], ["LSET", "list", number, "x"],
                        ["LRANGE", "list", 0, number], ["LTRIM", "list", number, -1],
                        ["LREM", "list", number, "x"], ["LPOP", "list", number],
                        ["RPOP", "list", number], ["LMPOP", 1, "list", "LEFT", "COUNT", number],
                        ["LMPOP", number, "list", "LEFT"], ["BLMPOP", 1, number, "list", "LEFT"],
                        ["LPOS", "list", "x", "RANK", number], ["SPOP", "set", number],
                        ["SRANDMEMBER", "set", number], ["SINTERCARD", number, "set"],
                        ["SINTERCARD", 1, "set", "LIMIT", number],
                        ["HRANDFIELD", "hash", number], ["HEXPIRE", "hash", number, "FIELDS", 1, "x"],
                        ["HTTL", "hash", "FIELDS", number, "x"], ["ZRANDMEMBER", "zset", number],
                        ["ZRANGE", "zset", number, -1], ["ZPOPMIN", "zset", number],
                        ["ZUNION", number, "zset"], ["ZREMRANGEBYRANK", "zset", 0, number],
                        ["ZRANGEBYSCORE", "zset", 0, 1, "LIMIT", number, 1],
                        ["ZMPOP", 1, "zset", "MIN", "COUNT", number], ["SSCAN", "set", 0, "COUNT", number],
                        ["SORT", "list", "LIMIT", 0, number],
                        ["GEOSEARCH", "zset", "FROMLONLAT", 0, 0, "BYRADIUS", 1, "m", "COUNT", number]):
            assert isinstance(connection.ask(*command), Error), command
    assert connection.call("LRANGE", "list", 0, -1) == names(SIZES["listpack"])
    assert used_memory(server) < before + MEGABYTE


def test_keys_announced_in_millions_take_nothing(server):
    connection = server.connect()
    fill(connection, SIZES["listpack"])
    for count in (3, 2**31, 2**32 + 1, INT64_MAX):
        for command in (["LMPOP", count, "list", "LEFT"], ["ZMPOP", count, "zset", "MIN"],
                        ["SINTERCARD", count, "set"], ["ZINTER", count, "zset"],
                        ["ZUNIONSTORE", "to", count, "zset"], ["ZDIFF", count, "zset"],
                        ["HGETDEL", "hash", "FIELDS", count, "x"], ["HTTL", "hash", "FIELDS", count, "x"],
                        ["HSETEX", "hash", "FIELDS", count, "x", "y"]):
            assert isinstance(connection.ask(*command), Error), command
    assert int(server.info("memory")["used_memory_peak"]) < 64 * MEGABYTE


# --- by chance -----------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["SRANDMEMBER set", "HRANDFIELD hash", "ZRANDMEMBER zset"])
def test_random_counts(server, size, command):
    connection = server.connect()
    elements = set(fill(connection, size))
    command = command.split()
    for count in edges(size):
        reply = connection.ask(*command, count)
        if count >= 0:
            assert len(reply) == len(set(reply)) == min(count, size), count
        elif count > -10000:
            assert len(reply) == -count
        else:  # a reply of many gigabytes
            assert isinstance(reply, Error), count
            continue
        assert set(reply) <= elements
    assert int(server.info("memory")["used_memory_peak"]) < 64 * MEGABYTE


# --- scores --------------------------------------------------------------------------------------


def test_scores_that_are_hardly_numbers(server):
    connection = server.connect()
    for form in ("listpack", "large"):
        connection.call("FLUSHALL")
        fill(connection, SIZES[form])
        for text in ("nan", "-nan", "NaN", "nan(1)", "0x", "1e", "--1", "1e400", "-1e400"):
            for command in (["ZADD", "zset", text, "x"], ["ZADD", "zset", "INCR", text, "x"],
                            ["ZINCRBY", "zset", text, "x"], ["ZADD", "zset", 1, "y", text, "x"]):
                assert isinstance(connection.ask(*command), Error), command
            for command in (["ZCOUNT", "zset", text, 1], ["ZRANGEBYSCORE", "zset", 0, text],
                            ["ZREMRANGEBYSCORE", "zset", text, "+inf"]):
                assert isinstance(connection.ask(*command), Error), command
        assert connection.call("ZCARD", "zset") == SIZES[form]

        connection.call("ZADD", "zset", "inf", "top", "-inf", "bottom", "-0", "zero", 5e-324, "least")
        assert connection.call("ZRANK", "zset", "bottom") == 0
        assert connection.call("ZREVRANK", "zset", "top") == 0
        assert connection.call("ZRANGE", "zset", 0, 0, "BYSCORE") == ["e000000", "zero"]
        assert connection.call("ZRANGE", "zset", "-0", "-0", "BYSCORE") == ["e000000", "zero"]
        assert connection.call("ZRANGE", "zset", "(0", "(1", "BYSCORE") == ["least"]
        assert connection.call("ZCOUNT", "zset", "(-inf", "(inf") == SIZES[form] + 2
        assert connection.call("ZCOUNT", "zset", "inf", "inf") == 1
        assert isinstance(connection.ask("ZINCRBY", "zset", "-inf", "top"), Error)
        assert isinstance(connection.ask("ZADD", "zset", "INCR", "inf", "bottom"), Error)
        assert connection.call("ZSCORE", "zset", "top") == "inf"
        assert connection.call("ZINCRBY", "zset", "1.7e308", "zero") == "1.7e+308"
        assert connection.call("ZINCRBY", "zset", "1.7e308", "zero") == "inf"
        assert connection.call("ZADD", "zset", "GT", "CH", "inf", "zero", "inf", "top") == 0
        connection.call("ZUNIONSTORE", "sum", 2, "zset", "zset", "WEIGHTS", 1, -1)
        assert connection.call("ZSCORE", "sum", "top") == "0"  # inf - inf
        connection.call("ZUNIONSTORE", "sum", 1, "zset", "WEIGHTS", 0)
        assert connection.call("ZSCORE", "sum", "bottom") == "0"  # -inf * 0


# --- sizes ---------------------------------------------------------------------------------------


LARGEST = 512 * MEGABYTE  # the default of proto-max-bulk-len


def once(*words):
    """Threads read and write what is large in one way, whatever it becomes."""
    return pytest.param(*words, marks=pytest.mark.once)


@pytest.mark.heavy
@pytest.mark.parametrize("command, read", [
    ("RPUSH key {}", "LINDEX key -1"), once("SADD key {}", "SRANDMEMBER key"),
    once("HSET key {} value", "HRANDFIELD key"), once("HSET key field {}", "HGET key field"),
    once("ZADD key 1 {}", "ZRANDMEMBER key")])
def test_an_element_as_large_as_any_argument(server, command, read):
    """One more byte is refused by test_limits."""
    connection = server.connect()
    element = random.randbytes(MEGABYTE) * (LARGEST // MEGABYTE)
    connection.send(encode([element if word == "{}" else word for word in command.split()]))
    assert connection.read_reply() == 1
    connection.socket.sendall(encode(read.split()))
    head = b"$%d\r\n" % LARGEST
    received = bytearray()
    while len(received) < len(head) + LARGEST + 2:
        received += connection.socket.recv(16 * MEGABYTE)
    assert received.startswith(head) and received.endswith(b"\r\n")
    assert memoryview(received)[len(head):-2] == element
    assert connection.call("MEMORY", "USAGE", "key") >= LARGEST
    assert connection.call("COPY", "key", "copy") == 1
    assert connection.call("DEL", "key", "copy") == 2
    wait_until(lambda: used_memory(server) < 64 * MEGABYTE, "its memory is back")
    assert int(server.info("memory")["used_memory_peak"]) < 4 * LARGEST + 64 * MEGABYTE
