# SPDX-License-Identifier: BSD-3-Clause
"""What the keyspace does by the clock and under pressure: expiry, SCAN, eviction, freeing."""

import random
import re
import threading
import time

import pytest

from conftest import Error, encode
from daemon_process import wait_until


class Neighbour(threading.Thread):
    """Another client that asks without a pause, and knows the longest wait for a reply."""

    def __init__(self, connection, *args):
        super().__init__()
        self.connection, self.args = connection, args
        self.ending, self.count, self.longest_s, self.failure = False, 0, 0.0, None

    def run(self):
        try:
            while not self.ending:
                started = time.monotonic()
                self.connection.call(*self.args)
                self.longest_s = max(self.longest_s, time.monotonic() - started)
                self.count += 1
        except Exception as failure:  # pylint: disable=broad-except
            self.failure = failure

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ending = True
        self.join()
        assert self.failure is None and self.count > 0

    def __str__(self):
        return f"{self.count} replies beside, the longest wait {self.longest_s * 1000:.1f} ms"


def pipeline(connection, commands, size=1000):
    """The replies of all."""
    replies = []
    for at in range(0, len(commands), size):
        part = commands[at : at + size]
        connection.send(b"".join(encode(command) for command in part))
        replies += [connection.read_reply() for _ in part]
    return replies


def used_memory(server):
    return int(server.info("memory")["used_memory"])


def work_ms(server, connection, *command):
    """The reply, and how many milliseconds the command took; or, if others had the processor
    meanwhile, how many the executor worked."""

    def figures():
        stats = server.info("commandstats").get(f"cmdstat_{command[0].lower()}", "usec=0")
        taken_us = int(dict(part.split("=") for part in stats.split(","))["usec"])
        cpu = server.info("cpu")
        return taken_us / 1e3, 1e3 * sum(float(cpu[f"used_cpu_{kind}_main_thread"])
                                         for kind in ("user", "sys"))

    before = figures()
    reply = connection.call(*command)
    after = figures()
    assert after[1] > 0, "the system counts no time of threads"
    return reply, min(now - then for now, then in zip(after, before))


def stat(server, name):
    return int(server.info("stats")[name])


# --- expiry ------------------------------------------------------------------------------------


def test_keys_with_one_deadline_leave_within_a_second_of_it(server):
    count = 100000
    connection = server.connect()
    connection.call("SET", "kept", "value")
    connection.call("CONFIG", "RESETSTAT")
    started = time.monotonic()
    pipeline(connection, [["SET", f"key:{i}", "x"] for i in range(count)])
    took_ms = int((time.monotonic() - started) * 1000)
    deadline_ms = int(time.time() * 1000) + 2 * took_ms + 1000
    commands = [["SET", f"key:{i}", "x", "PXAT", deadline_ms] for i in range(count)]
    assert pipeline(connection, commands) == ["OK"] * count
    assert connection.call("DBSIZE") == count + 1

    with Neighbour(server.connect(), "GET", "kept") as neighbour:
        wait_until(lambda: int(time.time() * 1000) >= deadline_ms, "the deadline")
        # Only the clock is needed: nobody asks for the keys.
        wait_until(lambda: connection.call("DBSIZE") == 1, "all have left")
        late_ms = int(time.time() * 1000) - deadline_ms
    print(f"\n{count} keys gone {late_ms} ms after their deadline; {neighbour}")
    assert late_ms < 1000
    assert stat(server, "expired_keys") == count
    assert connection.call("GET", "kept") == "value"


def test_no_key_outlives_its_deadline_for_those_who_ask(server):
    """Deadlines all over the place; what a GET finds is judged by the server's own clock."""
    connection = server.connect()
    keys = {f"key:{i}": random.randrange(1, 1500) for i in range(5000)}
    started_ms = int(time.time() * 1000)
    pipeline(connection, [["SET", key, "x", "PXAT", started_ms + ms] for key, ms in keys.items()])
    ended = False
    while not ended:
        before_ms = int(time.time() * 1000) - started_ms
        sample = random.sample(list(keys), 200)
        replies = pipeline(connection, [["GET", key] for key in sample])
        after_ms = int(time.time() * 1000) - started_ms
        for key, reply in zip(sample, replies):
            if keys[key] < before_ms - 1:
                assert reply is None
            elif keys[key] > after_ms + 1:
                assert reply == "x"
        ended = after_ms > 1500
    wait_until(lambda: connection.call("DBSIZE") == 0, "all have left")


# --- SCAN --------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [1, 10, 1000])
def test_scan_gives_what_was_there_all_the_time(server, count):
    """While other keys come and go so fast that the table grows and shrinks."""
    kept = {f"kept:{i}" for i in range(3000)}
    connection = server.connect()
    pipeline(connection, [["SET", key, "x"] for key in kept])
    ending = threading.Event()
    failures = []

    def disturb(own):
        try:
            while not ending.is_set():
                size = random.choice([100, 3000, 30000])
                pipeline(own, [["SET", f"gone:{i}", "x"] for i in range(size)])
                pipeline(own, [["DEL", *(f"gone:{i + j}" for j in range(100))]
                               for i in range(0, size, 100)])
        except Exception as failure:  # pylint: disable=broad-except
            failures.append(failure)

    thread = threading.Thread(target=disturb, args=[server.connect()])
    thread.start()
    try:
        for _ in range({1: 1, 10: 4, 1000: 20}[count]):
            seen, cursor, strangers = set(), "0", 0
            while True:
                cursor, keys = connection.call("SCAN", cursor, "COUNT", count)
                seen.update(key for key in keys if key in kept)
                strangers += sum(1 for key in keys if not key.startswith(("kept:", "gone:")))
                if cursor == "0":
                    break
            assert seen == kept and strangers == 0
    finally:
        ending.set()
        thread.join()
    assert not failures


# --- eviction ----------------------------------------------------------------------------------

POLICIES = [f"{keys}-{how}" for keys in ["allkeys", "volatile"]
            for how in ["lru", "lfu", "random"]] + ["volatile-ttl", "noeviction"]


def evicted_and_left(connection):
    """At one moment: eviction goes on between commands."""
    connection.call("MULTI")
    connection.call("INFO", "stats")
    connection.call("DBSIZE")
    info, size = connection.call("EXEC")
    return int(re.search(r"evicted_keys:(\d+)", info).group(1)), size


@pytest.mark.parametrize("policy", POLICIES)
def test_memory_stays_at_its_limit_under_writes(start_server, policy):
    server = start_server("--maxmemory-policy", policy)
    connection = server.connect()
    lasting = [f"lasting:{i}" for i in range(2000)]
    pipeline(connection, [["SET", key, "x" * 100] for key in lasting])
    limit = used_memory(server) + 4 * 1024 * 1024
    connection.call("CONFIG", "SET", "maxmemory", limit)
    value, highest, errors = "x" * 500, 0, 0
    for start in range(0, 30000, 1000):
        replies = pipeline(connection, [["SET", f"key:{i}", value, "EX", 1000 + i]
                                        for i in range(start, start + 1000)])
        errors += sum(1 for reply in replies if isinstance(reply, Error))
        assert all(reply == "OK" or reply.startswith("OOM ") for reply in replies)
        highest = max(highest, used_memory(server))
    evicted, size = evicted_and_left(connection)
    print(f"\n{policy}: {evicted} evicted, {errors} errors, {highest - limit:+} bytes at most")
    # What is served meanwhile needs memory too.
    assert highest < limit + 512 * 1024
    left = pipeline(connection, [["EXISTS", key] for key in lasting])
    if policy == "noeviction":
        assert evicted == 0 and errors > 20000
        assert connection.ask("SET", "one more", "x").startswith(
            "OOM command not allowed when used memory > 'maxmemory'")
        assert connection.call("GET", lasting[0]) == "x" * 100  # reading goes on
        assert connection.call("DEL", "key:0") == 1
    else:
        assert errors == 0
        assert evicted == 30000 + len(lasting) - size > 15000
        assert highest > limit - 1024 * 1024  # and not more than needed
    if policy.startswith("volatile") or policy == "noeviction":
        assert left == [1] * len(lasting)
    elif policy == "allkeys-lru":
        assert sum(left) < len(lasting) // 10  # the oldest go first
    if policy == "volatile-ttl":
        connection.call("CONFIG", "SET", "maxmemory", 0)
        ages = [i for i in range(30000) if connection.call("EXISTS", f"key:{i}")]
        assert sum(ages) / len(ages) > 20000  # those with the most time left stay


@pytest.mark.parametrize("policy", ["volatile-lru", "volatile-lfu", "volatile-random",
                                    "volatile-ttl"])
def test_nothing_volatile_left_is_an_error(start_server, policy):
    server = start_server("--maxmemory-policy", policy)
    connection = server.connect()
    connection.call("CONFIG", "SET", "maxmemory", used_memory(server) + 1024 * 1024)
    replies = pipeline(connection, [["SET", f"key:{i}", "x" * 500] for i in range(5000)])
    assert replies[0] == "OK" and replies[-1].startswith("OOM ")
    assert stat(server, "evicted_keys") == 0


def test_a_lower_limit_is_reached_at_once(start_server):
    server = start_server("--maxmemory-policy", "allkeys-lru", "--enable-debug-command", "yes")
    connection = server.connect()
    before = used_memory(server)
    connection.call("DEBUG", "POPULATE", 100000, "key", 100)
    with Neighbour(server.connect(), "PING") as neighbour:
        limit = before + (used_memory(server) - before) // 4
        connection.call("CONFIG", "SET", "maxmemory", limit)
        wait_until(lambda: used_memory(server) <= limit, "memory is at the limit")
    print(f"\n{stat(server, 'evicted_keys')} evicted; {neighbour}")
    assert 0 < connection.call("DBSIZE") < 50000


def test_nothing_is_evicted_while_writes_are_paused(start_server):
    server = start_server("--maxmemory-policy", "allkeys-lru", "--enable-debug-command", "yes")
    connection = server.connect()
    connection.call("DEBUG", "POPULATE", 10000, "key", 100)
    connection.call("CLIENT", "PAUSE", 100000, "WRITE")
    connection.call("CONFIG", "SET", "maxmemory", used_memory(server) - 500000)
    ticks = int(server.info("stats")["eventloop_cycles"])
    wait_until(lambda: int(server.info("stats")["eventloop_cycles"]) > ticks + 20, "some turns")
    assert connection.call("DBSIZE") == 10000
    connection.call("CLIENT", "UNPAUSE")
    wait_until(lambda: connection.call("DBSIZE") < 10000, "eviction goes on")


# --- freeing -----------------------------------------------------------------------------------


def test_flushall_async_returns_at_once_and_memory_comes_back(start_server):
    server = start_server("--enable-debug-command", "yes")
    connection = server.connect()
    before = used_memory(server)
    connection.call("DEBUG", "POPULATE", 1000000, "key", 10)
    assert connection.call("DBSIZE") == 1000000
    full = used_memory(server) - before
    assert full > 30 * 1000000
    with Neighbour(server.connect(), "PING") as neighbour:
        started = time.monotonic()
        assert connection.call("FLUSHALL", "ASYNC") == "OK"
        assert connection.call("DBSIZE") == 0
        took_s = time.monotonic() - started
        wait_until(lambda: used_memory(server) - before < full // 20, "the memory is back")
        back_s = time.monotonic() - started
    print(f"\nFLUSHALL ASYNC took {took_s * 1000:.1f} ms, memory was back after "
          f"{back_s * 1000:.0f} ms; {neighbour}")
    assert took_s < 1  # it would be seconds under a sanitizer if it did the work itself
    assert connection.call("SET", "key", "value") == "OK"
    wait_until(lambda: server.info("memory")["lazyfree_pending_objects"] == "0", "nothing pending")


@pytest.mark.parametrize("how", ["UNLINK", "DEL", "SET", "FLUSHDB", "expiry", "EVICT"])
def test_large_values_are_freed(start_server, how):
    server = start_server("--maxmemory-policy", "allkeys-random")
    connection = server.connect()
    connection.call("PING")
    before, size, count = used_memory(server), 1024 * 1024, 50
    expiry = ["PX", 1000] if how == "expiry" else []
    for i in range(count):
        assert connection.call("SET", f"large:{i}", b"x" * size, *expiry) == "OK"
    if how != "expiry":
        assert used_memory(server) - before > count * size
    if how in ["UNLINK", "DEL"]:
        assert connection.call(how, *(f"large:{i}" for i in range(count))) == count
    elif how == "SET":
        pipeline(connection, [["SET", f"large:{i}", "small"] for i in range(count)])
    elif how == "FLUSHDB":
        assert connection.call("FLUSHDB", "SYNC") == "OK"
    elif how == "EVICT":
        connection.call("CONFIG", "SET", "maxmemory", before + 2 * size)
        assert connection.call("SET", "small", "x") == "OK"
        # In steps, which go on between commands while the limit is there.
        wait_until(lambda: used_memory(server) - before < 3 * size, "it is evicted")
        connection.call("CONFIG", "SET", "maxmemory", 0)
    wait_until(lambda: used_memory(server) - before < 3 * size, "the memory is back")
