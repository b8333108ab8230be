# SPDX-License-Identifier: BSD-3-Clause
"""Hashes by the clock and at size: fields that expire, and values and hashes that are large."""

import random
import time

import pytest

from daemon_process import wait_until
from test_keyspace import Neighbour, pipeline, stat, used_memory, work_ms


@pytest.fixture(name="server")
def server_without_snapshots(start_server):
    return start_server("--save", "", "--enable-debug-command", "yes")


def test_fields_with_one_deadline_leave_within_a_second_of_it(server):
    count = 100000
    connection = server.connect()
    connection.call("HSET", "kept", "field", "value")
    started = time.monotonic()
    pipeline(connection, [["HSET", "hash", f"field:{i}", "x"] for i in range(count)])
    took_ms = int((time.monotonic() - started) * 1000)
    deadline_ms = int(time.time() * 1000) + 2 * took_ms + 1000
    commands = [["HPEXPIREAT", "hash", deadline_ms, "FIELDS", 1, f"field:{i}"]
                for i in range(count)]
    assert pipeline(connection, commands) == [[1]] * count
    assert connection.call("HLEN", "hash") == count
    assert server.info("keyspace")["db0"].endswith("keys_with_volatile_items=1")

    with Neighbour(server.connect(), "HGET", "kept", "field") as neighbour:
        wait_until(lambda: int(time.time() * 1000) >= deadline_ms, "the deadline")
        assert connection.call("HGET", "hash", "field:1") is None
        assert connection.call("HGETALL", "hash") == []
        wait_until(lambda: connection.call("EXISTS", "hash") == 0, "all have left")
        late_ms = int(time.time() * 1000) - deadline_ms
    print(f"\n{count} fields gone {late_ms} ms after their deadline; {neighbour}")
    assert late_ms < 1000
    assert stat(server, "expired_fields") == count
    assert stat(server, "expired_keys") == 0
    assert connection.call("HGETALL", "kept") == ["field", "value"]


def test_no_field_outlives_its_deadline_for_those_who_ask(server):
    """Deadlines all over the place, in one large hash and many small ones."""
    connection = server.connect()
    fields = {}
    for i in range(6000):
        key = "large" if i % 2 else f"small:{i % 500}"
        fields[key, f"field:{i}"] = random.randrange(50, 1500)
    started_ms = int(time.time() * 1000)
    pipeline(connection, [["HSETEX", key, "PXAT", started_ms + ms, "FIELDS", 1, field, "x"]
                          for (key, field), ms in fields.items()])
    ended = False
    while not ended:
        before_ms = int(time.time() * 1000) - started_ms
        sample = random.sample(list(fields), 200)
        replies = pipeline(connection, [["HGET", *place] for place in sample])
        after_ms = int(time.time() * 1000) - started_ms
        for place, reply in zip(sample, replies):
            if fields[place] < before_ms - 1:
                assert reply is None
            elif fields[place] > after_ms + 1:
                assert reply == "x"
        ended = after_ms > 1500
    wait_until(lambda: connection.call("DBSIZE") == 0, "all have left")
    assert stat(server, "expired_fields") == len(fields)


@pytest.mark.parametrize("move", ["RENAME", "COPY", "MOVE", "SWAPDB"])
def test_fields_leave_on_time_wherever_their_hash_went(server, move):
    connection = server.connect()
    for key, count in (("large", 3000), ("small", 20)):
        pairs = [word for i in range(count) for word in (f"field:{i}", "x")]
        connection.call("HSETEX", key, "PX", 600, "FIELDS", count, *pairs)
        connection.call("HSET", key, "kept", "value")
        if move in ("RENAME", "COPY"):
            connection.call(move, key, key + ":2")
        elif move == "MOVE":
            connection.call("MOVE", key, 1)
    if move == "SWAPDB":
        connection.call("SWAPDB", 0, 1)
    if move in ("MOVE", "SWAPDB"):
        connection.call("SELECT", 1)
    suffix = ":2" if move in ("RENAME", "COPY") else ""
    for key in ("large", "small"):
        wait_until(lambda k=key + suffix: connection.call("HLEN", k) == 1, "its fields have left")
        assert connection.call("HGETALL", key + suffix) == ["kept", "value"]


def test_deleting_a_large_hash_holds_nobody_up(server):
    count = 300000
    connection = server.connect()
    empty = used_memory(server)
    pipeline(connection, [["HSET", "hash", f"field:{i}", "value"] for i in range(count)])
    pipeline(connection, [["HPEXPIRE", "hash", 100000, "FIELDS", 1, f"field:{i}"]
                          for i in range(0, count, 3)])
    assert used_memory(server) > empty + count * 30
    removed, took_ms = work_ms(server, connection, "DEL", "hash")
    wait_until(lambda: used_memory(server) < empty + (2 << 20), "its memory is back")
    print(f"\nDEL of {count} fields took {took_ms:.1f} ms")
    assert removed == 1 and took_ms < 100  # far less than freeing all that takes


def test_large_values_come_back_whole(server):
    connection = server.connect()
    values = {f"field:{size}": chr(97 + size % 26) * size
              for size in (0, 63, 64, 4095, 4096, 16384, 32768, 1 << 20, 5 << 20)}
    for field, value in values.items():
        assert connection.call("HSET", "hash", "other", value, field, value) in (1, 2)
    for field, value in values.items():
        assert connection.call("HSTRLEN", "hash", field) == len(value)
        assert connection.call("HGET", "hash", field) == value
    assert connection.call("HEXPIRE", "hash", 100, "FIELDS", 1, "field:5242880") == [1]
    assert connection.call("HGETDEL", "hash", "FIELDS", 1, "field:5242880") == [
        values["field:5242880"]]
    assert connection.call("HSET", "hash", "field:1048576", "short") == 0
    assert connection.call("HGET", "hash", "field:1048576") == "short"


SIZES = [0, 1, 3, 8, 20, 40, 70]
NAMES = 7  # so many fields keep their order in any form


def random_hash(rng):
    """As fields of a small hash, around the size up to which it lives in its entry."""
    count = rng.randrange(1, NAMES + 1)
    return {f"f{i}": rng.choice(["v" * rng.choice(SIZES), str(rng.getrandbits(rng.randrange(1, 63)))])
            for i in range(count)}


def change(rng, connection, hashes, key):
    """Does one thing to the hash, and to the model; the key may be another one afterwards."""
    fields = hashes.setdefault(key, {})
    name, kind = f"f{rng.randrange(NAMES)}", rng.randrange(13)
    if kind < 5 or not fields:
        fields.update(random_hash(rng))
        connection.call("HSET", key, *[text for pair in fields.items() for text in pair])
    elif kind < 8:
        connection.call("HDEL", key, name)
        fields.pop(name, None)
    elif kind == 8:
        payload = connection.call("DUMP", key).encode("latin-1")
        connection.call("RESTORE", key, 0, payload, "REPLACE")
    elif kind == 9:
        connection.call("COPY", key, key + ":copy", "REPLACE")
        connection.call("RENAME", key + ":copy", key)
    elif kind == 10:
        connection.call(*rng.choice([("PEXPIRE", key, 10000000), ("PERSIST", key)]))
    elif kind == 11:
        connection.call("HPERSIST", key, "FIELDS", 1, name)
    else:
        connection.call("HPEXPIRE", key, 10000000, "FIELDS", 1, name)
    if not fields:
        del hashes[key]


def expect_same(connection, hashes):
    assert connection.call("DBSIZE") == len(hashes)
    for key, fields in hashes.items():
        flat = [text for pair in fields.items() for text in pair]
        assert connection.call("HGETALL", key) == flat, key
        assert connection.call("HSCAN", key, 0) == ["0", flat], key
        assert connection.call("HKEYS", key) == list(fields), key
        assert connection.call("HLEN", key) == len(fields)


def test_small_hashes_are_what_they_were_and_in_order_whatever_happens_to_them(server):
    seed = random.getrandbits(32)
    print(f"\nseed {seed}")
    rng, connection, hashes = random.Random(seed), server.connect(), {}
    for round_number in range(6):
        for _ in range(400):
            change(rng, connection, hashes, f"hash:{rng.randrange(40)}")
        digest = connection.call("DEBUG", "DIGEST")
        expect_same(connection, hashes)
        if round_number % 2:
            connection.call("DEBUG", "RELOAD")
            assert connection.call("DEBUG", "DIGEST") == digest
            expect_same(connection, hashes)


def test_sort_reads_many_small_hashes_at_once(server):
    connection, count = server.connect(), 500
    numbers = list(range(count))
    random.Random(1).shuffle(numbers)
    pipeline(connection, [["HSET", f"h:{i}", "text", f"text-{n:05d}", "number", n, "name", f"name of {n}"]
                          for i, n in enumerate(numbers)])
    connection.call("RPUSH", "list", *range(count))
    expected = [f"name of {n}" for n in range(count)]
    assert connection.call("SORT", "list", "BY", "h:*->text", "ALPHA", "GET", "h:*->name") == expected
    assert connection.call("SORT", "list", "BY", "h:*->number", "GET", "h:*->name") == expected
    connection.call("SORT", "list", "BY", "h:*->text", "ALPHA", "GET", "h:*->name", "STORE", "sorted")
    assert connection.call("LRANGE", "sorted", 0, -1) == expected


def test_a_small_hash_takes_one_allocation(server):
    connection, count = server.connect(), 20000
    empty = used_memory(server)
    pipeline(connection, [["HSET", f"h:{i:010d}", "f1", "v1", "f2", "v2", "f3", "v3", "f4", "v4", "f5", "v5"]
                          for i in range(count)])
    assert used_memory(server) < empty + count * 100
    assert connection.call("OBJECT", "ENCODING", "h:0000000001") == "listpack"
    assert connection.call("MEMORY", "USAGE", "h:0000000001") <= 96
