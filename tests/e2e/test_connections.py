# SPDX-License-Identifier: BSD-3-Clause
"""What a connection may do and what becomes of it: input in pieces, bad input, pipelines, replies
that nobody reads, and the commands about the connection itself. On both I/O engines."""

import re

import pytest
import redis

from conftest import Closed, Error, encode
from daemon_process import wait_until

MEGABYTE = 1 << 20


@pytest.fixture
def server(start_on_engine):
    return start_on_engine()


def test_the_engine_is_the_one_asked_for(server, engine):
    assert server.info("server")["multiplexing_api"] == engine


# --- input in pieces -----------------------------------------------------------------------------


def test_half_a_request_waits_for_its_other_half_and_holds_nobody_up(server):
    slow, other = server.connect(), server.connect()
    slow.send(b"*2\r\n$4\r\nECHO\r\n$5\r\nhe")
    for number in range(100):
        assert other.call("ECHO", number) == str(number)
    slow.send(b"llo\r\n")
    assert slow.read_reply() == "hello"


def test_a_request_of_single_bytes_is_a_request(server):
    slow, other = server.connect(), server.connect()
    for byte in encode(["SET", "key", "a value"]) + b"GET key\r\n":
        slow.send(bytes([byte]))
        assert other.call("PING") == "PONG"  # the server has had a turn
    assert [slow.read_reply(), slow.read_reply()] == ["OK", "a value"]


def test_a_request_may_end_anywhere_in_a_packet(server):
    stream = b"".join(encode(["ECHO", "x" * size]) for size in (0, 1, 2, 100, 5000))
    for step in (2, 3, 7, 64, 4096):
        connection = server.connect()
        for start in range(0, len(stream), step):
            connection.send(stream[start:start + step])
        assert [len(connection.read_reply()) for _ in range(5)] == [0, 1, 2, 100, 5000]


def test_a_large_argument_in_pieces_arrives_whole(server):
    value = bytes(range(256)) * (4 * MEGABYTE // 256)
    connection = server.connect()
    request = encode(["SET", "large", value])
    for start in range(0, len(request), 300_007):
        connection.send(request[start:start + 300_007])
    assert connection.read_reply() == "OK"
    connection.send_command("GET", "large")
    assert connection.read_line() == f"${len(value)}"
    assert connection.read_bytes(len(value) + 2) == value + b"\r\n"


def test_a_client_that_leaves_in_the_middle_of_a_request_leaves_nothing(server):
    for part in (b"*", b"*3\r\n", b"*3\r\n$3\r\nSE", b"*2\r\n$4\r\nECHO\r\n$100000\r\nabc", b"PIN"):
        connection = server.connect()
        connection.send(part)
        connection.close()
    wait_until(lambda: len(server.clients()) == 1, "the clients that left are gone")


# --- bad input -----------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [2**63, 2**63 - 1, 2**64, 10**30, -1, "", "abc"])
def test_an_impossible_bulk_length_ends_the_connection_alone(server, length):
    bad, other = server.connect(), server.connect()
    bad.send(b"*2\r\n$3\r\nGET\r\n$%s\r\n" % str(length).encode())
    assert bad.wait_for_close() == b"-ERR Protocol error: invalid bulk length\r\n"
    assert other.call("PING") == "PONG"


@pytest.mark.parametrize("count", [2**31, 2**63, 10**30, "abc"])
def test_an_impossible_array_length_ends_the_connection_alone(server, count):
    bad, other = server.connect(), server.connect()
    bad.send(b"*%s\r\n" % str(count).encode())
    assert bad.wait_for_close() == b"-ERR Protocol error: invalid multibulk length\r\n"
    assert other.call("PING") == "PONG"


def test_a_huge_array_header_takes_no_memory_before_its_elements_come(server):
    connection = server.connect()
    connection.call("CLIENT", "SETNAME", "huge")
    connection.send(b"*2147483647\r\n$4\r\nECHO\r\n")

    def holds_a_part():
        client = server.clients("NAME", "huge")[0]
        return client if int(client["argv-mem"]) > 0 else None

    assert int(wait_until(holds_a_part, "the header has been read")["tot-mem"]) < 100_000
    assert server.control().call("PING") == "PONG"


@pytest.mark.parametrize("start, error", [
    (b"x", "too big inline request"), (b"*1", "too big mbulk count string"),
    (b"*1\r\n$1", "too big bulk count string")])
def test_a_line_without_an_end_is_cut_off(server, start, error):
    bad = server.connect()
    bad.send(start + b"1" * 70_000)
    assert bad.wait_for_close() == b"-ERR Protocol error: %s\r\n" % error.encode()
    assert server.control().call("PING") == "PONG"


def test_the_replies_before_a_protocol_error_are_sent_first(server):
    connection = server.connect()
    connection.send(encode(["PING"]) * 1000 + b"*1\r\n:1\r\n" + encode(["PING"]))
    expected = b"+PONG\r\n" * 1000 + b"-ERR Protocol error: expected '$', got ':'\r\n"
    assert connection.wait_for_close() == expected


def test_http_is_cut_off_and_logged(server):
    for line in (b"POST / HTTP/1.1\r\n", b"Host: example.org\r\n"):
        connection = server.connect()
        connection.send(line + b"\r\nSET hacked 1\r\n")
        assert connection.wait_for_close() == b""
    assert server.control().call("EXISTS", "hacked") == 0
    server.daemon.wait_for_log("Possible SECURITY ATTACK detected")


# --- pipelines -----------------------------------------------------------------------------------


def test_ten_thousand_requests_in_one_write_are_answered_in_order(server):
    connection = server.connect()
    connection.send(b"".join(encode(["ECHO", number]) for number in range(10_000)))
    assert [connection.read_reply() for _ in range(10_000)] == [str(n) for n in range(10_000)]


def test_pipelines_of_several_clients_do_not_mix(server):
    connections = [server.connect() for _ in range(20)]
    for index, connection in enumerate(connections):
        connection.send(b"".join(encode(["INCR", f"counter:{index}"]) for _ in range(500)))
    for connection in connections:
        assert [connection.read_reply() for _ in range(500)] == list(range(1, 501))


def test_a_mix_of_inline_and_array_requests_is_answered_in_order(server):
    connection = server.connect()
    connection.send(b"PING\r\n" + encode(["ECHO", "a"]) + b"ECHO 'b c'\r\n\r\n" + encode(["PING"]))
    assert [connection.read_reply() for _ in range(4)] == ["PONG", "a", "b c", "PONG"]


# --- output that is not read ---------------------------------------------------------------------


def test_a_client_that_never_reads_holds_nobody_up_and_loses_nothing(server):
    server.control().call("SET", "large", "x" * MEGABYTE)
    lazy, other = server.connect(receive_buffer=4096), server.connect()
    lazy.call("CLIENT", "SETNAME", "lazy")
    lazy.send(encode(["GET", "large"]) * 40 + encode(["ECHO", "end"]))

    def waits():
        client = server.clients("NAME", "lazy")[0]
        return client["events"] == "rw" and int(client["omem"]) > 10 * MEGABYTE

    wait_until(waits, "the output piles up")
    for number in range(1000):
        assert other.call("ECHO", number) == str(number)
    for _ in range(40):
        assert len(lazy.read_reply()) == MEGABYTE
    assert lazy.read_reply() == "end"


def test_a_client_that_leaves_its_output_behind_is_forgotten(server):
    server.control().call("SET", "large", "x" * MEGABYTE)
    for _ in range(5):
        connection = server.connect(receive_buffer=4096)
        connection.send(encode(["GET", "large"]) * 20)
        assert connection.read_line() == f"${MEGABYTE}"
        connection.close()
    wait_until(lambda: len(server.clients()) == 1, "the clients that left are gone")


# --- QUIT, RESET, REPLY, MONITOR -----------------------------------------------------------------


def test_quit_answers_and_nothing_after_it_is_executed(server):
    connection = server.connect()
    connection.send(encode(["QUIT"]) + encode(["SET", "after", 1]))
    assert connection.wait_for_close() == b"+OK\r\n"
    assert server.control().call("EXISTS", "after") == 0


def test_reset_makes_the_connection_new(server):
    connection = server.connect()
    connection.call("CLIENT", "SETNAME", "me")
    connection.call("SELECT", 5)
    connection.call("CLIENT", "NO-TOUCH", "ON")
    connection.call("WATCH", "key")
    connection.call("MULTI")
    assert connection.call("RESET") == "RESET"
    number = connection.call("CLIENT", "ID")
    client = server.clients("ID", number)[0]
    shown = {field: client[field] for field in ("name", "db", "flags", "watch", "multi", "resp")}
    assert shown == {"name": "", "db": "0", "flags": "N", "watch": "0", "multi": "-1", "resp": "2"}


def test_reset_ends_a_silence(server):
    connection = server.connect()
    connection.send(b"CLIENT REPLY OFF\r\nPING\r\nRESET\r\nPING\r\n")
    assert [connection.read_reply(), connection.read_reply()] == ["RESET", "PONG"]


@pytest.mark.parametrize("commands, replies", [
    (b"CLIENT REPLY SKIP\r\nNOSUCH\r\nPING\r\n", ["PONG"]),
    (b"CLIENT REPLY SKIP\r\nGET\r\nPING\r\n", ["PONG"]),
    (b"CLIENT REPLY SKIP\r\nCLIENT REPLY SKIP\r\nPING\r\nECHO hi\r\n", ["hi"]),
    (b"CLIENT REPLY SKIP\r\nMULTI\r\nPING\r\nEXEC\r\n", ["QUEUED", ["PONG"]]),
    (b"MULTI\r\nPING\r\nCLIENT REPLY OFF\r\nEXEC\r\n",
     ["OK", "QUEUED", "ERR Command 'client|reply' not allowed inside a transaction",
      "EXECABORT Transaction discarded because of previous errors."]),
    (b"CLIENT REPLY OFF\r\nCLIENT REPLY SKIP\r\nCLIENT REPLY ON\r\nPING\r\n", ["OK", "PONG"]),
    (b"CLIENT REPLY OFF\r\nMULTI\r\nPING\r\nEXEC\r\nCLIENT REPLY ON\r\n", ["OK"]),
    (b"CLIENT REPLY SKIP\r\nCLIENT PAUSE 100\r\nECHO late\r\n", ["late"]),
])
def test_client_reply_skips_what_it_says_and_no_more(server, commands, replies):
    connection = server.connect()
    connection.send(commands)
    assert [connection.read_reply() for _ in replies] == replies
    assert connection.call("ECHO", "in step") == "in step"


def test_a_reply_skipped_by_a_client_that_is_paused_stays_skipped(server):
    connection = server.connect()
    connection.call("CLIENT", "PAUSE", 100)
    connection.send(b"CLIENT REPLY SKIP\r\nECHO skipped\r\nECHO seen\r\n")
    assert connection.read_reply() == "seen"


def test_a_command_skipped_and_then_held_by_a_pause_stays_skipped(server):
    connection, other = server.connect(), server.connect()
    other.call("CLIENT", "PAUSE", 100_000, "WRITE")
    connection.send(b"CLIENT REPLY SKIP\r\nSET key value\r\nECHO seen\r\n")
    wait_until(lambda: [c for c in server.clients("FLAGS", "b") if c["cmd"] == "set"], "it is held")
    other.call("CLIENT", "UNPAUSE")
    assert connection.read_reply() == "seen"
    assert connection.call("GET", "key") == "value"


def test_monitor_shows_commands_quoted_and_without_secrets(server):
    monitor, other = server.connect(), server.connect()
    assert monitor.call("MONITOR") == "OK"
    address = "127.0.0.1:%d" % other.socket.getsockname()[1]
    other.call("SET", b'a "quoted"\\ key', b"\x00\n\xff")
    other.ask("AUTH", "default", "secret")
    other.ask("HELLO", 2, "AUTH", "default", "secret", "SETNAME", "me")
    other.call("SELECT", 3)
    other.ask("NOSUCH")
    other.call("CONFIG", "GET", "port")
    other.send(b"MULTI\r\nGET a\r\nEXEC\r\n")
    other.call("PING")
    shown = []
    while len(shown) < 8:
        line = re.fullmatch(r"(\d+)\.(\d{6}) \[(\d+) (\S+)\] (.*)", monitor.read_reply())
        if line.group(4) == address:
            shown.append((line.group(3), line.group(5)))
    assert shown == [
        ("0", r'"SET" "a \"quoted\"\\ key" "\x00\n\xff"'),
        ("0", '"AUTH" "(redacted)" "(redacted)"'),
        ("0", '"HELLO" "2" "AUTH" "(redacted)" "(redacted)" "SETNAME" "me"'),
        ("3", '"SELECT" "3"'),
        ("3", '"MULTI"'),
        ("3", '"GET" "a"'),
        ("3", '"EXEC"'),
        ("3", '"PING"'),
    ]


def test_a_monitor_leaves_the_keys_alone(server):
    monitor = server.connect()
    assert monitor.call("MONITOR") == "OK"
    refused = "ERR Replica can't interact with the keyspace"
    for command in (("GET", "a"), ("SET", "a", "b"), ("DBSIZE",), ("PUBLISH", "a", "b")):
        assert monitor.ask(*command) == refused
    assert monitor.call("RESET") == "RESET"
    assert monitor.call("GET", "a") is None


def test_a_transaction_does_not_become_a_monitor(server):
    client = server.connect()
    client.send(b"MULTI\r\nMONITOR\r\nSET a b\r\nEXEC\r\nGET a\r\n")
    assert [client.read_reply() for _ in range(3)] == ["OK", "QUEUED", "QUEUED"]
    replies = client.read_reply()
    assert str(replies[0]) == "ERR MONITOR isn't allowed for DENY BLOCKING client"
    assert replies[1] == "OK" and client.read_reply() == "b"


def test_a_monitor_sees_its_own_reply_before_its_own_line(server):
    monitor = server.connect()
    monitor.call("MONITOR")
    assert monitor.call("ECHO", "me") == "me"
    assert monitor.read_reply().endswith('"ECHO" "me"')
    assert monitor.call("RESET") == "RESET"
    server.control().call("PING")
    assert monitor.call("PING") == "PONG"  # and no line before it


# --- CLIENT --------------------------------------------------------------------------------------


FIELDS = ("id addr laddr fd name age idle flags capa db sub psub ssub multi watch qbuf qbuf-free "
          "argv-mem multi-mem rbs rbp obl oll omem tot-mem events cmd user redir resp lib-name "
          "lib-ver tot-net-in tot-net-out tot-cmds").split()


def test_client_list_has_all_fields_in_order_and_an_idle_client_holds_no_buffers(server):
    idle = server.connect()
    number = idle.call("CLIENT", "ID")

    def at_rest():
        client = server.clients("ID", number)[0]
        return client if client["qbuf-free"] == "0" else None

    client = wait_until(at_rest, "the input buffer is given back")
    assert list(client) == FIELDS
    expected = {"flags": "N", "capa": "", "qbuf": "0", "argv-mem": "0", "multi-mem": "0", "obl": "0",
                "oll": "0", "omem": "0", "events": "r", "cmd": "client|id", "user": "default",
                "redir": "-1", "resp": "2", "tot-cmds": "1",
                "addr": "127.0.0.1:%d" % idle.socket.getsockname()[1],
                "laddr": "127.0.0.1:%d" % server.port,
                "tot-net-in": str(len(encode(["CLIENT", "ID"])))}
    assert {field: client[field] for field in expected} == expected
    assert int(client["tot-mem"]) < 4096


def test_replies_begin_with_as_much_memory_as_they_needed_lately(start_on_engine):
    server = start_on_engine("--enable-debug-command", "yes")
    client, control = server.connect(), server.control()
    number = client.call("CLIENT", "ID")
    control.call("SET", "key", "x" * 8000)

    def buffer():
        seen = server.clients("ID", number)[0]
        return int(seen["rbs"]), int(seen["rbp"])

    assert control.call("DEBUG", "REPLYBUFFER", "PEAK-RESET-TIME", "NEVER") == "OK"
    assert buffer()[0] == 1024
    assert client.call("GET", "key") == "x" * 8000
    assert buffer() == (16384, len("$8000\r\n") + 8000 + 2)
    assert control.call("DEBUG", "REPLYBUFFER", "PEAK-RESET-TIME", 20) == "OK"
    wait_until(lambda: buffer() == (1024, 0), "what was needed is forgotten")
    assert control.call("DEBUG", "REPLYBUFFER", "RESIZING", 0) == "OK"
    assert buffer()[0] == 16384
    new = server.connect()
    assert server.clients("ID", new.call("CLIENT", "ID"))[0]["rbs"] == "16384"
    assert control.call("DEBUG", "REPLYBUFFER", "RESIZING", 1) == "OK"
    wait_until(lambda: buffer() == (1024, 0), "replies are short again")
    assert control.call("DEBUG", "REPLYBUFFER", "PEAK-RESET-TIME", "RESET") == "OK"
    for wrong in ("0", "-1", "soon"):
        assert control.ask("DEBUG", "REPLYBUFFER", "PEAK-RESET-TIME", wrong) == Error(
            "ERR value is not an integer or out of range")


def test_a_client_that_kills_itself_gets_its_reply(server):
    connection = server.connect()
    number = connection.call("CLIENT", "ID")
    connection.send(encode(["PING"]) + encode(["CLIENT", "KILL", "ID", number, "SKIPME", "no"]) +
                    encode(["SET", "after", 1]))
    assert connection.wait_for_close() == b"+PONG\r\n:1\r\n"
    assert server.control().call("EXISTS", "after") == 0


def test_clients_killed_while_their_requests_run_are_gone(server):
    server.control().call("SET", "large", "x" * MEGABYTE)
    victims = [server.connect(receive_buffer=4096) for _ in range(20)]
    for victim in victims:
        victim.send(encode(["GET", "large"]) * 10 + encode(["INCR", "counter"]) * 100)
    wait_until(lambda: len(server.clients()) == 21, "they are there")
    assert server.control().call("CLIENT", "KILL", "TYPE", "normal") == 20
    for victim in victims:
        victim.wait_for_close()
    assert len(server.clients()) == 1


def test_clients_can_be_listed_while_they_are_busy(server):
    busy = [server.connect() for _ in range(10)]
    for round_number in range(20):
        for connection in busy:
            connection.send(encode(["SET", "key", "x" * 3000]) * 20 + encode(["GET", "key"]) * 20)
        for _ in range(5):
            clients = server.clients()
            assert len(clients) == 11
            assert all(list(client) == FIELDS for client in clients)
        for connection in busy:
            replies = [connection.read_reply() for _ in range(40)]
            assert replies == ["OK"] * 20 + ["x" * 3000] * 20, round_number


def test_client_kill_by_address_ends_that_one(server):
    one, two = server.connect(), server.connect()
    one.call("PING")
    two.call("PING")
    address = "127.0.0.1:%d" % one.socket.getsockname()[1]
    assert server.control().call("CLIENT", "KILL", address) == "OK"
    assert one.wait_for_close() == b""
    assert two.call("PING") == "PONG"
    assert server.control().ask("CLIENT", "KILL", address) == Error("ERR No such client")


# --- redis-py ------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"protocol": 3}], ids=["resp2", "resp3"])
def test_redis_py_works(server, options):
    if options and int(redis.__version__.split(".")[0]) < 5:
        pytest.skip("this redis-py speaks RESP2 only")
    client = server.redis(**options)
    assert client.ping()
    assert client.set("key", "värld") and client.get("key") == "värld"
    assert client.mset({"a": 1, "b": 2}) and client.mget("a", "b", "c") == ["1", "2", None]
    assert client.incrby("a", 41) == 42
    with client.pipeline(transaction=True) as pipe:
        pipe.set("x", 1).incr("x").get("x")
        assert pipe.execute() == [True, 2, "2"]
    assert sorted(client.scan_iter(match="[ab]")) == ["a", "b"]
    assert client.expire("a", 100) and 90 < client.ttl("a") <= 100
    with pytest.raises(redis.ResponseError, match="not an integer"):
        client.incr("key")
    assert client.client_info()["cmd"] == "client|info"
    client.flushall()
    assert client.dbsize() == 0


def test_a_pool_of_redis_py_gets_over_killed_connections(server):
    client = server.redis()
    assert client.set("key", 1)
    server.control().call("CLIENT", "KILL", "TYPE", "normal")
    assert client.get("key") == "1"


def test_a_connection_that_is_killed_in_the_middle_of_a_request_reads_its_end(server):
    connection = server.connect()
    number = connection.call("CLIENT", "ID")
    connection.send(b"*2\r\n$4\r\nECHO\r\n$1000000\r\nabc")
    assert server.control().call("CLIENT", "KILL", "ID", number) == 1
    with pytest.raises(Closed):
        connection.read_reply()
