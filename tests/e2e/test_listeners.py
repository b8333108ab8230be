# SPDX-License-Identifier: BSD-3-Clause
"""Where the server listens, and whom it lets in."""

import os
import socket
import stat

import pytest

from conftest import Closed, Error
from daemon_process import free_port, wait_until


def can_connect(address, port):
    try:
        socket.create_connection((address, port), 5).close()
        return True
    except OSError:
        return False


# --- addresses -----------------------------------------------------------------------------------


def test_ipv6_clients_are_served_and_shown_in_brackets(start_on_engine, ipv6):
    server = start_on_engine("--bind", "127.0.0.1 ::1")
    client = server.connect(("::1", server.port))
    number = client.call("CLIENT", "ID")
    shown = server.clients("ID", number)[0]
    assert shown["addr"] == "[::1]:%d" % client.socket.getsockname()[1]
    assert shown["laddr"] == "[::1]:%d" % server.port
    assert len(server.clients("IP", "::1")) == 1
    assert server.control().call("CLIENT", "KILL", "ADDR", shown["addr"]) == 1
    with pytest.raises(Closed):
        client.call("PING")


def test_an_address_with_a_minus_may_be_missing(start_server):
    server = start_server("--bind", "127.0.0.1 -::1 -203.0.113.77")
    assert server.control().call("PING") == "PONG"
    assert server.control().call("CONFIG", "GET", "bind") == [
        "bind", "127.0.0.1 -::1 -203.0.113.77"]


def test_only_the_addresses_of_bind_are_open(start_server, outer_address):
    server = start_server("--bind", "127.0.0.1")
    assert can_connect("127.0.0.1", server.port)
    assert not can_connect(outer_address, server.port)


def test_bind_can_change_at_run_time(start_on_engine):
    server = start_on_engine("--bind", "127.0.0.1")
    old = server.connect()
    old.call("PING")
    old.call("CONFIG", "SET", "bind", "127.0.0.1 127.0.0.2")
    assert server.connect(("127.0.0.2", server.port)).call("PING") == "PONG"
    assert server.connect().call("PING") == "PONG"
    old.call("CONFIG", "SET", "bind", "127.0.0.1")
    assert not can_connect("127.0.0.2", server.port)
    assert old.call("PING") == "PONG"  # connections there are stay


def test_a_bind_that_fails_changes_nothing(start_on_engine):
    server = start_on_engine("--bind", "127.0.0.1")
    reply = server.control().ask("CONFIG", "SET", "bind", "203.0.113.77")
    assert isinstance(reply, Error)
    assert server.control().call("CONFIG", "GET", "bind") == ["bind", "127.0.0.1"]
    assert server.connect().call("PING") == "PONG"


# --- ports ---------------------------------------------------------------------------------------


def test_the_port_can_change_at_run_time(start_on_engine):
    server = start_on_engine()
    old_port, old = server.port, server.connect()
    old.call("PING")
    for _ in range(10):
        server.port = free_port()
        if old.ask("CONFIG", "SET", "port", server.port) == "OK":
            break
    assert server.connect().call("PING") == "PONG"
    assert not can_connect("127.0.0.1", old_port)
    assert old.call("CONFIG", "GET", "port") == ["port", str(server.port)]


def test_a_port_in_use_is_refused_and_the_old_one_stays_open(start_on_engine):
    server = start_on_engine()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        reply = server.control().ask("CONFIG", "SET", "port", other.getsockname()[1])
    assert reply == Error("ERR CONFIG SET failed (possibly related to argument 'port') - Unable to "
                          "listen on this port. Check server logs.")
    assert server.connect().call("PING") == "PONG"
    assert server.control().call("CONFIG", "GET", "port") == ["port", str(server.port)]


# --- the Unix socket -----------------------------------------------------------------------------


def test_the_unix_socket_has_its_permissions_and_goes_with_the_server(start_on_engine, short_path):
    path = str(short_path / "socket")
    server = start_on_engine("--unixsocket", path, "--unixsocketperm", "770")
    assert stat.S_ISSOCK(os.stat(path).st_mode)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o770
    client = server.connect(path)
    number = client.call("CLIENT", "ID")
    shown = server.clients("ID", number)[0]
    assert [shown["addr"], shown["laddr"], shown["flags"]] == [f"{path}:0", f"{path}:0", "U"]
    client.call("SET", "key", "value")
    assert server.control().call("GET", "key") == "value"
    assert server.redis(unix_socket_path=path).get("key") == "value"
    server.stop()
    assert not os.path.exists(path)


def test_a_monitor_names_clients_of_the_unix_socket(start_server, short_path):
    path = str(short_path / "socket")
    server = start_server("--unixsocket", path)
    monitor = server.connect()
    monitor.call("MONITOR")
    server.connect(path).call("ECHO", "hello")
    assert monitor.read_reply().endswith(f'[0 unix:{path}] "ECHO" "hello"')


def test_without_a_port_the_unix_socket_is_enough(start_server, short_path):
    path = str(short_path / "socket")
    server = start_server("--unixsocket", path)
    client = server.connect(path)
    client.call("CONFIG", "SET", "port", 0)
    assert not can_connect("127.0.0.1", server.port)
    assert server.connect(path).call("PING") == "PONG"
    client.call("CONFIG", "SET", "port", server.port)
    wait_until(lambda: can_connect("127.0.0.1", server.port), "the port is open again")


# --- protected mode ------------------------------------------------------------------------------


def test_protected_mode_turns_strangers_away_and_says_what_to_do(start_on_engine, outer_address):
    server = start_on_engine("--bind", "127.0.0.1", outer_address, "--protected-mode", "yes")
    stranger = server.connect((outer_address, server.port))
    text = stranger.wait_for_close().decode()
    assert text.startswith("-DENIED Running in protected mode")
    assert "requirepass" in text and "CONFIG SET protected-mode no" in text
    assert text.endswith("\r\n") and text.count("\n") == 1
    assert server.connect().call("PING") == "PONG"
    assert server.info("stats")["rejected_connections"] == "1"


def test_protected_mode_lets_strangers_in_when_a_password_is_set(start_server, outer_address):
    server = start_server("--bind", "127.0.0.1", outer_address, "--protected-mode", "yes")
    server.control().call("CONFIG", "SET", "requirepass", "secret")
    stranger = server.connect((outer_address, server.port))
    assert stranger.ask("PING") == Error("NOAUTH Authentication required.")
    assert stranger.call("AUTH", "secret") == "OK"
    assert stranger.call("PING") == "PONG"


def test_without_protected_mode_strangers_are_let_in(start_server, outer_address):
    server = start_server("--bind", "127.0.0.1", outer_address, "--protected-mode", "yes")
    server.control().call("CONFIG", "SET", "protected-mode", "no")
    assert server.connect((outer_address, server.port)).call("PING") == "PONG"
