# SPDX-License-Identifier: BSD-3-Clause
"""The life of connections under load, with and without I/O threads, on both engines.

tests/stress/io_stress.c sends the load and checks every byte that comes back. All runs together
take STRESS_SECONDS (of the environment, 20 if it is not set).
"""

import os
import random
import shlex
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import encode
from daemon_process import read_tasks, wait_until

pytestmark = [pytest.mark.heavy, pytest.mark.once]

SOURCE = Path(__file__).resolve().parent.parent / "stress" / "io_stress.c"
THREADS = [
    ("1", "no"),
    ("2", "yes"),
    ("4", "no"),
    ("8", "yes"),
]
# Options of io_stress: what disturbs, and what the values are like.
LOADS = ["kpts", "bm"]
SECONDS = max(1, int(os.environ.get("STRESS_SECONDS", "20")) // (2 * len(THREADS) * len(LOADS)))


@pytest.fixture(scope="session")
def io_stress(tmp_path_factory):
    program = tmp_path_factory.mktemp("stress") / "io_stress"
    compiler = shlex.split(os.environ.get("CC", "cc"))
    flags = ["-std=c11", "-D_GNU_SOURCE", "-O2", "-pthread"]
    subprocess.run([*compiler, *flags, str(SOURCE), "-o", str(program)], check=True)
    return program


def start_with_threads(start_on_engine, threads, always):
    return start_on_engine("--io-threads", threads, "--io-threads-always-active", always)


def stress(program, server, options, connections=64, seconds=SECONDS):
    seed = random.randrange(1 << 30)
    command = [program, server.port, seconds, connections, seed, options]
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True)
    report = f"{shlex.join(map(str, command[1:]))}\n{done.stdout}{done.stderr}"
    print(report, file=sys.stderr)
    assert done.returncode == 0, f"{report}\n{server.daemon.log()[-4000:]}"


@pytest.mark.parametrize("options", LOADS)
@pytest.mark.parametrize("threads, always", THREADS)
def test_no_reply_is_lost_or_wrong(start_on_engine, io_stress, threads, always, options):
    server = start_with_threads(start_on_engine, threads, always)
    stress(io_stress, server, options)
    # What its connections held has been given back.
    wait_until(lambda: int(server.info("clients")["connected_clients"]) == 1, "all have left")


def test_more_connections_than_jobs_that_may_wait(start_on_engine, io_stress):
    """Beyond a full queue the executor reads and writes by itself."""
    server = start_with_threads(start_on_engine, "4", "yes")
    stress(io_stress, server, "qts", connections=1500, seconds=max(2, SECONDS))


def reset(connection):
    option = struct.pack("ii", 1, 0)
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, option)
    connection.close()


@pytest.mark.parametrize("threads, always", [("1", "no"), ("4", "yes")])
def test_a_peer_that_closed_its_half_gets_its_replies(start_on_engine, threads, always):
    server = start_with_threads(start_on_engine, threads, always)
    for count in [1, 10, 1000]:
        connection = server.connect()
        connection.send(b"".join(encode(["ECHO", number]) for number in range(count)))
        connection.socket.shutdown(socket.SHUT_WR)
        expected = b"".join(b"$%d\r\n%d\r\n" % (len(str(n)), n) for n in range(count))
        assert connection.wait_for_close() == expected


@pytest.mark.parametrize("threads, always", [("1", "no"), ("4", "yes")])
def test_a_peer_that_closed_its_half_gets_replies_of_any_size(start_on_engine, threads, always):
    """More than one write, and than the sockets hold: the end of its half comes before they are sent."""
    server = start_with_threads(start_on_engine, threads, always)
    size, count = 8 << 20, 4
    server.control().call("SET", "big", b"x" * size)
    connection = server.connect()
    connection.send(encode(["GET", "big"]) * count)
    connection.socket.shutdown(socket.SHUT_WR)
    received = connection.wait_for_close()
    assert received == (b"$%d\r\n" % size + b"x" * size + b"\r\n") * count


@pytest.mark.parametrize("threads, always", [("1", "no"), ("4", "yes")])
def test_a_request_may_come_byte_by_byte(start_on_engine, threads, always):
    server = start_with_threads(start_on_engine, threads, always)
    connection = server.connect()
    request = encode(["SET", "key", "value"]) + b"GET key\r\n" + encode(["MGET", "key", "none"])
    for byte in request:
        connection.send(bytes([byte]))
    assert [connection.read_reply() for _ in range(3)] == ["OK", "value", ["value", None]]


@pytest.mark.parametrize("threads, always", [("1", "no"), ("4", "yes")])
def test_a_large_argument_may_come_in_any_pieces(start_on_engine, threads, always):
    server = start_with_threads(start_on_engine, threads, always)
    connection = server.connect()
    value = random.randbytes(300000)
    request = encode(["SET", "key", value]) + encode(["STRLEN", "key"])
    for piece in [3, 40, 4096, 16384, 100001]:
        for at in range(0, len(request), piece):
            connection.send(request[at : at + piece])
        assert connection.read_reply() == "OK"
        assert connection.read_reply() == len(value)
    assert connection.call("GET", "key").encode("latin-1") == value


@pytest.mark.parametrize("threads, always", [("1", "no"), ("4", "yes")])
def test_clients_that_are_held_by_a_pause_may_go_away(start_on_engine, threads, always):
    server = start_with_threads(start_on_engine, threads, always)
    control = server.control()
    control.call("CLIENT", "PAUSE", 100000, "WRITE")
    held = [server.connect() for _ in range(20)]
    for number, connection in enumerate(held):
        connection.send(encode(["SET", f"key{number}", "value"]) * 3)

    def blocked():
        return sum("b" in client["flags"] for client in server.clients())

    wait_until(lambda: blocked() == len(held), "all are held")
    for connection in held[::2]:
        reset(connection)
    wait_until(lambda: blocked() == len(held) / 2, "those that have gone are not held")
    control.call("CLIENT", "UNPAUSE")
    for connection in held[1::2]:
        assert [connection.read_reply() for _ in range(3)] == ["OK"] * 3
    assert control.call("DBSIZE") == len(held) / 2


@pytest.mark.parametrize("threads, always", [("1", "no"), ("4", "yes")])
def test_a_command_held_by_a_pause_stays_unanswered_if_it_is_to_be(
    start_on_engine, threads, always
):
    server = start_with_threads(start_on_engine, threads, always)
    server.control().call("CLIENT", "PAUSE", 100000, "WRITE")
    connection = server.connect()
    connection.send(b"CLIENT REPLY SKIP\r\nSET key value\r\nPING\r\n")
    wait_until(lambda: any("b" in client["flags"] for client in server.clients()), "it is held")
    server.control().call("CLIENT", "UNPAUSE")
    assert connection.read_reply() == "PONG"
    assert connection.call("GET", "key") == "value"


@pytest.mark.parametrize("threads, always", [("1", "no"), ("4", "yes")])
def test_a_client_may_be_killed_while_its_output_does_not_flow(start_on_engine, threads, always):
    server = start_with_threads(start_on_engine, threads, always)
    control = server.control()
    control.call("SET", "large", "x" * (1 << 20))
    for _ in range(4):
        lazy = server.connect(receive_buffer=4096)
        number = lazy.call("CLIENT", "ID")
        lazy.send(encode(["GET", "large"]) * 20)
        wait_until(lambda: int(server.clients("ID", number)[0]["tot-net-out"]) > 5, "it flows")
        assert control.call("CLIENT", "KILL", "ID", number) == 1
        assert len(lazy.wait_for_close()) < 20 << 20


@pytest.mark.parametrize("threads, always", [("1", "no"), ("4", "yes")])
def test_output_that_waited_for_room_goes_on_between_reads(start_on_engine, threads, always):
    """A peer that reads again while the server reads from it: neither wake-up may be lost."""
    server = start_with_threads(start_on_engine, threads, always)
    server.control().call("SET", "large", "x" * (1 << 20))
    connection = server.connect(receive_buffer=4096)
    asked = 40
    connection.send(encode(["GET", "large"]) * (asked - 20))
    for _ in range(20):
        connection.send(encode(["GET", "large"]))
        connection.read_bytes(1 << 16)
    size = len(b"$%d\r\n" % (1 << 20)) + (1 << 20) + 2
    connection.read_bytes(asked * size - 20 * (1 << 16))
    assert connection.call("PING") == "PONG"


def test_the_number_of_threads_follows_config_set(start_on_engine):
    server = start_on_engine()
    control = server.control()

    def count():  # a thread gives itself its name when it runs
        names = read_tasks(server.daemon.pid, "comm").values()
        return sum(name.startswith("io_thd_") for name in names)

    for threads in [2, 9, 3, 256, 1, 4]:
        control.call("CONFIG", "SET", "io-threads", threads)
        assert control.call("CONFIG", "GET", "io-threads") == ["io-threads", str(threads)]
        wait_until(lambda: count() == threads - 1, f"{threads - 1} threads run")
        assert control.call("PING") == "PONG"


@pytest.mark.parametrize("threads, always", [("1", "no"), ("4", "yes")])
def test_a_client_may_end_itself_inside_its_own_transaction(start_on_engine, threads, always):
    server = start_with_threads(start_on_engine, threads, always)
    control = server.control()
    for turn in range(20):
        connection = server.connect()
        number = connection.call("CLIENT", "ID")
        commands = [
            ["WATCH", "other"],
            ["MULTI"],
            ["SET", f"before{turn}", "x"],
            ["CLIENT", "KILL", "ID", number, "SKIPME", "no"],
            ["CONFIG", "SET", "io-threads", 1 + turn % 5],
            ["SET", f"after{turn}", "x"],
            ["EXEC"],
            ["SET", f"too-late{turn}", "x"],
        ]
        connection.send(b"".join(encode(command) for command in commands))
        connection.wait_for_close()
        assert control.call("EXISTS", f"before{turn}", f"too-late{turn}") == 1
    assert control.call("CLIENT", "LIST").count("\n") == 1


@pytest.mark.parametrize("threads, always", [("1", "no"), ("4", "yes")])
def test_a_request_before_the_end_of_its_connection_is_not_cut_off(
    start_on_engine, threads, always
):
    """QUIT in the middle of a pipeline: what came before is answered, what follows is not."""
    server = start_with_threads(start_on_engine, threads, always)
    for count in [0, 1, 63, 64, 65, 3000]:
        connection = server.connect()
        connection.send(b"PING\r\n" * count + b"QUIT\r\n" + b"SET key value\r\n" * 100)
        assert connection.wait_for_close() == b"+PONG\r\n" * count + b"+OK\r\n"
    assert server.control().call("EXISTS", "key") == 0


@pytest.mark.parametrize("threads, always", [("1", "no"), ("4", "yes")])
def test_a_protocol_error_is_told_after_the_replies_before_it(start_on_engine, threads, always):
    server = start_with_threads(start_on_engine, threads, always)
    for count in [0, 1, 64, 3000]:
        connection = server.connect()
        connection.send(b"PING\r\n" * count + b"*1\r\nnonsense\r\n" + b"PING\r\n" * 100)
        said = connection.wait_for_close()
        assert said == b"+PONG\r\n" * count + b"-ERR Protocol error: expected '$', got 'n'\r\n"


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="threads need a second processor")
def test_clients_are_served_while_keys_are_evicted(start_on_engine):
    """A few jobs wake no worker, and the executor has work of its own for seconds."""
    server = start_on_engine("--io-threads", "4", "--enable-debug-command", "yes")
    control = server.control()
    control.call("CONFIG", "SET", "maxmemory-policy", "allkeys-random")
    for _ in range(5):  # again if all were evicted while this test had no processor
        control.call("CONFIG", "SET", "maxmemory", 0)
        control.call("DEBUG", "POPULATE", 2_000_000)
        control.call("CONFIG", "SET", "maxmemory", "1mb")
        wait_until(lambda: server.info("server")["io_threads_active"] == "1", "a thread has jobs")
        for _ in range(10):
            assert control.call("PING") == "PONG"
            time.sleep(0.01)  # the thread falls asleep
        if control.call("DBSIZE") > 100_000:
            return
    raise AssertionError("it is over too soon each time")
