# SPDX-License-Identifier: BSD-3-Clause
"""What clients may hold and for how long: output, input, connections, memory, time."""

import re
import socket
import time

import pytest

from conftest import Error, encode
from daemon_process import wait_until

MEGABYTE = 1 << 20


@pytest.fixture
def server(start_on_engine):
    return start_on_engine()


def with_megabyte(server):
    server.control().call("SET", "large", "x" * MEGABYTE)
    return server


# --- output --------------------------------------------------------------------------------------


def test_a_client_over_the_hard_output_limit_is_closed(server):
    control = with_megabyte(server).control()
    control.call("CONFIG", "SET", "client-output-buffer-limit", "normal 4mb 0 0")
    lazy, other = server.connect(receive_buffer=4096), server.connect()
    number = lazy.call("CLIENT", "ID")
    lazy.send(encode(["GET", "large"]) * 30)
    wait_until(lambda: not server.clients("ID", number), "it is closed")
    assert len(lazy.wait_for_close()) < 30 * MEGABYTE
    assert other.call("PING") == "PONG"
    assert server.info("stats")["client_output_buffer_limit_disconnections"] == "1"


def test_a_client_over_the_soft_output_limit_is_closed_after_its_time_and_not_before(server):
    control = with_megabyte(server).control()
    control.call("CONFIG", "SET", "client-output-buffer-limit", "normal 0 100kb 2")
    lazy = server.connect(receive_buffer=4096)
    number = lazy.call("CLIENT", "ID")
    began = time.monotonic()
    lazy.send(encode(["GET", "large"]) * 20)
    wait_until(lambda: int(server.clients("ID", number)[0]["omem"]) > 100 * 1024,
               "the output piles up")  # and the client is still there
    wait_until(lambda: not server.clients("ID", number), "it is closed")
    assert time.monotonic() - began >= 2  # the output was not there before it was asked for
    assert server.info("stats")["client_output_buffer_limit_disconnections"] == "1"


def test_a_client_that_reads_in_time_is_not_closed_by_the_soft_limit(server):
    control = with_megabyte(server).control()
    control.call("CONFIG", "SET", "client-output-buffer-limit", "normal 0 100kb 1")
    eager = server.connect(receive_buffer=4096)
    age = 0
    while age < 3:  # several times the limit's second
        eager.send(encode(["GET", "large"]) * 4)
        for _ in range(4):
            assert len(eager.read_reply()) == MEGABYTE
        age = int(re.search(r" age=(\d+)", eager.call("CLIENT", "INFO")).group(1))


# --- input ---------------------------------------------------------------------------------------


def test_a_request_over_the_query_buffer_limit_ends_the_connection(server):
    server.control().call("CONFIG", "SET", "client-query-buffer-limit", "1mb")
    greedy, other = server.connect(), server.connect()
    number = greedy.call("CLIENT", "ID")
    with pytest.raises(OSError):  # the connection is reset while we send
        greedy.send(b"*1000000\r\n")
        for _ in range(100):
            greedy.send(b"$1000\r\n" + b"x" * 1000 + b"\r\n" + b"".join([b"$1\r\nx\r\n"] * 10_000))
    wait_until(lambda: not server.clients("ID", number), "it is closed")
    assert other.call("PING") == "PONG"
    assert server.info("stats")["client_query_buffer_limit_disconnections"] == "1"
    server.daemon.wait_for_log("reached max query buffer length")


def test_an_argument_over_the_query_buffer_limit_ends_the_connection(server):
    server.control().call("CONFIG", "SET", "client-query-buffer-limit", "1mb")
    greedy, other = server.connect(), server.connect()
    number = greedy.call("CLIENT", "ID")
    with pytest.raises((BrokenPipeError, ConnectionResetError)):  # and no wait for it
        greedy.send(encode(["SET", "key", "x" * 64 * MEGABYTE]))
    wait_until(lambda: not server.clients("ID", number), "it is closed")
    assert other.call("EXISTS", "key") == 0


def test_an_argument_that_stops_over_the_query_buffer_limit_ends_the_connection(server):
    server.control().call("CONFIG", "SET", "client-query-buffer-limit", "1mb")
    greedy, patient = server.connect(), server.connect()
    number = patient.call("CLIENT", "ID")
    head = b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$%d\r\n" % (2 * MEGABYTE)
    patient.send(head + b"x" * (MEGABYTE - 100000))
    greedy.send(head + b"x" * (MEGABYTE + 200000))
    assert greedy.wait_for_close() == b""
    assert len(server.clients("ID", number)) == 1


def test_an_argument_over_proto_max_bulk_len_is_refused(server):
    server.control().call("CONFIG", "SET", "proto-max-bulk-len", "1mb")
    greedy = server.connect()
    greedy.send(b"*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$%d\r\n" % (MEGABYTE + 1))
    assert greedy.wait_for_close() == b"-ERR Protocol error: invalid bulk length\r\n"


def test_before_authentication_only_little_is_read(start_on_engine):
    server = start_on_engine("--requirepass", "secret")
    for data, what in ((b"*11\r\n", b"multibulk"), (b"*2\r\n$4\r\nAUTH\r\n$16385\r\n", b"bulk")):
        stranger = server.connect()
        stranger.send(data)
        assert stranger.wait_for_close() == (
            b"-ERR Protocol error: unauthenticated %s length\r\n" % what)


def test_the_limits_before_authentication_end_with_it_even_inside_a_pipeline(start_on_engine):
    server = start_on_engine("--requirepass", "secret")
    connection = server.connect()
    assert connection.ask("PING") == Error("NOAUTH Authentication required.")
    connection.send(encode(["AUTH", "secret"]) + encode(["EXISTS"] + ["key"] * 100) +
                    encode(["ECHO", "x" * 100_000]))
    assert [connection.read_reply(), connection.read_reply()] == ["OK", 0]
    assert len(connection.read_reply()) == 100_000


# --- how many ------------------------------------------------------------------------------------


def test_one_client_more_than_maxclients_is_told_so(start_on_engine):
    server = start_on_engine("--maxclients", 5)
    server.control()
    connections = [server.connect() for _ in range(4)]
    for connection in connections:
        connection.call("PING")
    refused = server.connect()
    assert refused.wait_for_close() == b"-ERR max number of clients reached\r\n"
    assert int(server.info("stats")["rejected_connections"]) == 1
    connections.pop().close()
    wait_until(lambda: len(server.clients()) == 4, "one has left")
    assert server.connect().call("PING") == "PONG"


def test_maxclients_can_be_raised_at_run_time(start_on_engine):
    server = start_on_engine("--maxclients", 2)
    server.control()
    server.connect().call("PING")
    assert b"max number of clients" in server.connect().wait_for_close()
    server.control().call("CONFIG", "SET", "maxclients", 3)
    assert server.connect().call("PING") == "PONG"


# --- how long ------------------------------------------------------------------------------------


def test_an_idle_client_is_closed_after_timeout_and_a_busy_one_is_not(start_on_engine):
    server = start_on_engine("--timeout", 2)
    idle, busy = server.connect(), server.connect()
    idle.call("PING")
    wait_until(lambda: busy.call("PING") == "PONG" and idle.is_closed(), "the idle one is closed")
    assert busy.call("PING") == "PONG"


def test_a_monitor_is_not_closed_by_timeout(start_on_engine):
    server = start_on_engine("--timeout", 2)
    monitor, idle = server.connect(), server.connect()
    monitor.call("MONITOR")
    idle.call("PING")
    control = server.control()
    wait_until(lambda: control.call("PING") == "PONG" and idle.is_closed(), "the idle one is closed")
    assert not monitor.is_closed()


def test_a_monitor_that_has_closed_its_half_and_does_not_read_is_closed_by_timeout(start_on_engine):
    server = start_on_engine("--timeout", 2)
    monitor = server.connect(receive_buffer=4096)
    number = monitor.call("CLIENT", "ID")
    monitor.call("MONITOR")
    server.control().call("ECHO", "x" * 16 * MEGABYTE)  # more than the system takes
    monitor.socket.shutdown(socket.SHUT_WR)
    wait_until(lambda: server.clients("ID", number) == [], "it is closed")


# --- how much memory -----------------------------------------------------------------------------


def client_with_input(server, name, size):
    """A client that has sent so much of a request that is not complete."""
    client = server.connect()
    client.call("CLIENT", "SETNAME", name)
    client.send(b"*2\r\n$4\r\nECHO\r\n$%d\r\n" % (4 * MEGABYTE) + b"x" * size)
    wait_until(lambda: int(server.clients("NAME", name)[0]["tot-net-in"]) > size, "it is read")
    return client


def test_the_largest_clients_go_first_when_all_hold_too_much(server):
    small = client_with_input(server, "small", 1100 * 1024)
    protected = server.connect()
    protected.call("CLIENT", "NO-EVICT", "ON")
    protected.call("CLIENT", "SETNAME", "protected")
    protected.send(b"*2\r\n$4\r\nECHO\r\n$%d\r\n" % (16 * MEGABYTE) + b"x" * 9 * MEGABYTE)
    wait_until(lambda: int(server.clients("NAME", "protected")[0]["tot-net-in"]) > 9 * MEGABYTE,
               "it is read")
    large = client_with_input(server, "large", 3 * MEGABYTE)
    held = {client["name"]: int(client["tot-mem"]) for client in server.clients()}
    assert held["protected"] > held["large"] > held["small"] > held[""]

    limit = held["protected"] + held["small"] + held["large"] // 2
    server.control().call("CONFIG", "SET", "maxmemory-clients", limit)
    wait_until(large.is_closed, "the large one is evicted")
    assert server.info("stats")["evicted_clients"] == "1"
    assert {client["name"] for client in server.clients()} == {"protected", "small", ""}

    server.control().call("CONFIG", "SET", "maxmemory-clients", held["protected"] + 600 * 1024)
    wait_until(small.is_closed, "the small one is evicted")
    assert server.info("stats")["evicted_clients"] == "2"
    assert not protected.is_closed()


def test_output_counts_towards_maxmemory_clients(start_on_engine):
    server = with_megabyte(start_on_engine("--maxmemory-clients", "10mb"))
    control = server.control()
    control.call("CLIENT", "NO-EVICT", "ON")
    # Small replies are copied into the client's own blocks; large ones are shared with the value.
    control.call("SET", "small", "x" * 10_000)
    lazy = server.connect(receive_buffer=4096)
    lazy.send(encode(["GET", "small"]) * 4000)
    wait_until(lambda: server.info("stats")["evicted_clients"] == "1", "it is evicted")
    assert len(lazy.wait_for_close()) < 4000 * 10_000


def test_no_client_is_evicted_in_the_middle_of_its_transaction(start_on_engine):
    server = start_on_engine("--maxmemory-clients", "10mb")
    control = server.control()
    listeners = [server.connect() for _ in range(2)]
    for listener in listeners:
        listener.call("SUBSCRIBE", "news")
    writer = server.connect()
    assert writer.call("MULTI") == "OK"
    assert writer.call("SET", "key", "x" * 3 * MEGABYTE) == "QUEUED"
    for _ in range(300):  # copied into the output of both: with these all clients hold too much
        assert writer.call("PUBLISH", "news", "x" * 10_000) == "QUEUED"
    assert writer.call("SUBSCRIBE", "late") == "QUEUED"
    assert server.info("stats")["evicted_clients"] == "0"
    writer.send_command("EXEC")
    assert writer.read_reply()[:301] == ["OK"] + [2] * 300
    assert control.call("PUBSUB", "NUMSUB", "late") == ["late", 1]
    assert writer.call("PING") == ["pong", ""]
    for listener in listeners:
        assert [listener.read_reply()[2] for _ in range(300)] == ["x" * 10_000] * 300
