# SPDX-License-Identifier: BSD-3-Clause
"""Clients that wait for keys or for a time, over real connections: on both engines, with workers."""

import random
import time

import pytest

from conftest import Error
from daemon_process import wait_until

THREADS = [pytest.param(count, marks=pytest.mark.once) for count in (1, 4)]


@pytest.fixture(params=THREADS, ids=lambda count: f"{count} threads")
def blocking_server(request, start_on_engine):
    return start_on_engine("--io-threads", request.param, "--io-threads-always-active", "yes")


def blocked(server):
    return int(server.info("clients")["blocked_clients"])


def wait_for_blocked(server, count):
    wait_until(lambda: blocked(server) == count, f"{count} clients to wait")


def start_waiting(server, *command):
    """A connection whose command is known to wait."""
    before = blocked(server)
    client = server.connect()
    client.send_command(*command)
    wait_for_blocked(server, before + 1)
    return client


def test_the_oldest_is_served_first(blocking_server):
    server = blocking_server
    waiting = [start_waiting(server, "BZPOPMIN", "z", 0) for _ in range(20)]
    server.control().call("ZADD", "z", *[part for i in range(20) for part in (i, f"m{i}")])
    assert [client.read_reply() for client in waiting] == [["z", f"m{i}", str(i)] for i in range(20)]
    assert server.control().call("EXISTS", "z") == 0


def test_requests_behind_one_that_waits_are_answered_after_it(blocking_server):
    server = blocking_server
    client = start_waiting(server, "BZPOPMIN", "z", 0)
    filler = "x" * 5000
    for i in range(200):
        client.send_command("ECHO", f"{i}:{filler}")
    client.send_command("BZPOPMIN", "y", 0)
    client.send_command("ECHO", "end")
    assert not client.is_closed() and not client.buffer
    server.control().call("ZADD", "z", 1, "m")
    assert client.read_reply() == ["z", "m", "1"]
    assert [client.read_reply() for _ in range(200)] == [f"{i}:{filler}" for i in range(200)]
    wait_for_blocked(server, 1)
    server.control().call("ZADD", "y", 2, "n")
    assert [client.read_reply(), client.read_reply()] == [["y", "n", "2"], "end"]


def test_a_time_is_never_over_too_early_nor_much_too_late(server):
    client = server.connect()
    for timeout_ms in [1, 2, 5, 10, 33, 50, 111, 200]:
        began = time.monotonic()
        assert client.ask("BZPOPMIN", "none", timeout_ms / 1000) is None
        took_ms = (time.monotonic() - began) * 1000
        assert timeout_ms <= took_ms < timeout_ms + 3000, f"{timeout_ms} ms took {took_ms}"


def test_wait_ends_with_its_time(server):
    client = server.connect()
    began = time.monotonic()
    assert client.call("WAIT", 1, 100) == 0
    assert time.monotonic() - began >= 0.1
    assert client.call("WAITAOF", 0, 1, 5) == [0, 0]


def test_a_peer_that_goes_away_gives_up_its_place(blocking_server):
    server = blocking_server
    first = start_waiting(server, "BZPOPMIN", "z", 0)
    second = start_waiting(server, "BZPOPMIN", "z", 0)
    first.send_command("PING")
    first.close()
    wait_for_blocked(server, 1)
    server.control().call("ZADD", "z", 1, "m")
    assert second.read_reply() == ["z", "m", "1"]


def test_a_request_whose_sender_leaves_at_once_takes_nothing(blocking_server):
    server = blocking_server
    for _ in range(20):
        client = server.connect()
        client.send_command("BZPOPMIN", "z", 0)
        client.close()
    wait_until(lambda: int(server.info("stats")["total_connections_received"]) == 21, "all came")
    wait_until(lambda: len(server.clients()) == 1, "the connections to end")
    assert blocked(server) == 0
    assert int(server.info("clients")["total_blocking_keys"]) == 0


def test_a_peer_that_goes_away_is_seen_behind_what_it_has_sent(blocking_server):
    server = blocking_server
    control = server.control()
    client = start_waiting(server, "BZPOPMIN", "z", 0)
    for _ in range(12):
        client.send_command("ECHO", "more")
        control.call("PING")  # until then the server has received it by itself
    client.close()
    wait_for_blocked(server, 0)
    control.call("ZADD", "z", 1, "m")
    assert control.call("ZRANGE", "z", 0, -1) == ["m"]


def test_unblock_and_kill(server):
    control = server.control()
    client = server.connect()
    number = client.call("CLIENT", "ID")
    for how, expected in [([], None), (["TIMEOUT"], None),
                          (["ERROR"], "UNBLOCKED client unblocked via CLIENT UNBLOCK")]:
        client.send_command("BZPOPMIN", "z", 0)
        wait_for_blocked(server, 1)
        assert control.call("CLIENT", "UNBLOCK", number, *how) == 1
        assert client.read_reply() == expected
        assert control.call("CLIENT", "UNBLOCK", number, *how) == 0
    client.send_command("BZPOPMIN", "z", 0)
    wait_for_blocked(server, 1)
    assert control.call("CLIENT", "KILL", "ID", number) == 1
    assert client.wait_for_close() == b""
    assert blocked(server) == 0


def test_nobody_is_served_while_writing_is_paused(server):
    control = server.control()
    client = start_waiting(server, "BZPOPMIN", "z", 0)
    brief = start_waiting(server, "BZPOPMIN", "y", 1)
    control.call("MULTI")
    control.call("ZADD", "z", 1, "m")
    control.call("CLIENT", "PAUSE", 100000, "WRITE")
    control.call("EXEC")
    assert brief.read_reply() is None, "a time is over in a pause too"
    assert not client.is_closed() and not client.buffer
    assert control.call("ZCARD", "z") == 1
    control.call("CLIENT", "UNPAUSE")
    assert client.read_reply() == ["z", "m", "1"]


def test_an_answer_that_is_not_wanted_is_not_sent(server):
    client = server.connect()
    client.send_command("CLIENT", "REPLY", "SKIP")
    client.send_command("BZPOPMIN", "z", 0)
    client.send_command("ECHO", "next")
    wait_for_blocked(server, 1)
    server.control().call("ZADD", "z", 1, "m")
    assert client.read_reply() == "next"


def test_figures_of_those_who_wait(server):
    control = server.control()
    control.call("CONFIG", "RESETSTAT")
    start_waiting(server, "BZPOPMIN", "a", "b", "a", 0)
    client = start_waiting(server, "BZPOPMIN", "b", "c", 100)
    fields = server.info("clients")
    assert fields["total_blocking_keys"] == "3"
    assert fields["total_blocking_keys_on_nokey"] == "0"
    assert fields["clients_in_timeout_table"] == "1"
    assert "cmdstat_bzpopmin" not in server.info("commandstats")
    control.call("ZADD", "c", 1, "m")
    assert client.read_reply() == ["c", "m", "1"]
    assert server.info("commandstats")["cmdstat_bzpopmin"].startswith("calls=1,")
    assert server.info("clients")["total_blocking_keys"] == "2"


def test_idle_times_do_not_count_while_waiting(start_server):
    server = start_server()
    client = start_waiting(server, "BZPOPMIN", "z", 0)
    idle = server.connect()
    server.control().call("CONFIG", "SET", "timeout", 1)
    idle.wait_for_close()
    server.connect().call("ZADD", "z", 1, "m")
    assert client.read_reply() == ["z", "m", "1"]


def test_every_element_reaches_exactly_one_waiter(blocking_server):
    """Producers and consumers that come and go, with pipelines: nothing is lost, nothing comes twice."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    rng = random.Random(seed)
    server, keys, consumers, total = blocking_server, ["a", "b", "c"], [], 600
    for _ in range(12):
        client = server.connect()
        for _ in range(total):  # the first one waits for all keys, or all might for the others only
            many = rng.randint(1, 3) if consumers else 3
            client.send_command("BZPOPMIN", *rng.sample(keys, many), 0)
        consumers.append(client)
    producer, put = server.connect(), 0
    while put < total:
        many = min(rng.randint(1, 8), total - put)
        in_multi = rng.random() < 0.3
        commands = [["ZADD", rng.choice(keys), put + i, f"m{put + i}"] for i in range(many)]
        for command in [["MULTI"]] * in_multi + commands + [["EXEC"]] * in_multi:
            producer.call(*command)
        put += many
    def taken():
        for client in consumers:
            assert not client.is_closed()  # takes in what has arrived
        parts = [part for client in consumers for part in client.buffer.split(b"\r\n")]
        return sorted(part.decode() for part in parts if part.startswith(b"m"))

    wait_until(lambda: len(taken()) >= total, "all to be taken")
    assert taken() == sorted(f"m{i}" for i in range(total))
    assert server.control().call("EXISTS", *keys) == 0
    wait_for_blocked(server, len(consumers))


@pytest.mark.parametrize("timeout,error", [
    ("-1", "ERR timeout is negative"), ("x", "ERR timeout is not a float or out of range"),
    ("1e18", "ERR timeout is out of range"), ("", "ERR timeout is not a float or out of range")])
def test_times_that_make_no_sense(server, timeout, error):
    reply = server.connect().ask("BZPOPMIN", "z", timeout)
    assert isinstance(reply, Error) and reply == error
