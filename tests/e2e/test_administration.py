# SPDX-License-Identifier: BSD-3-Clause
"""What an operator sets and asks for while the server runs, and when it takes effect."""

from conftest import encode
from daemon_process import wait_until


def used_memory(server):
    return int(server.info("memory")["used_memory"])


# --- CONFIG --------------------------------------------------------------------------------------


def test_hz_changes_at_once(start_server):
    server = start_server("--hz", 1)
    server.control().call("CONFIG", "SET", "hz", 50)
    fields = server.info("server")
    assert (fields["hz"], fields["configured_hz"]) == ("50", "50")


def test_resetstat_resets_what_the_io_threads_have_counted(start_server):
    server = start_server("--io-threads", 2, "--io-threads-always-active", "yes")
    connection = server.connect()
    figures = ("io_threaded_reads_processed", "io_threaded_writes_processed", "eventloop_cycles")

    def counted():
        return [int(server.info("stats")[name]) for name in figures]

    def after_some_work():
        for _ in range(50):
            connection.call("PING")
        return min(counted()[:2]) > 50

    wait_until(after_some_work, "the threads work")
    before = counted()
    server.control().call("CONFIG", "RESETSTAT")
    assert all(now < then for now, then in zip(counted(), before))


def test_only_a_new_maxmemory_is_warned_of(server):
    control = server.control()
    control.call("CONFIG", "SET", "maxmemory", 1000)
    server.daemon.wait_for_log("is smaller than the current memory usage")
    control.call("CONFIG", "SET", "maxmemory-samples", 7, "maxmemory-policy", "allkeys-random")
    assert server.daemon.log().count("is smaller than the current memory usage") == 1


# --- eviction ------------------------------------------------------------------------------------


def test_import_mode_neither_evicts_nor_refuses(start_server):
    server = start_server("--import-mode", "yes", "--maxmemory-policy", "allkeys-lru",
                          "--enable-debug-command", "yes")
    connection = server.connect()
    connection.call("DEBUG", "POPULATE", 5000, "key", 100)
    connection.call("CONFIG", "SET", "maxmemory", used_memory(server) // 2)
    cycles = int(server.info("stats")["eventloop_cycles"])
    wait_until(lambda: int(server.info("stats")["eventloop_cycles"]) > cycles + 20, "some turns")
    assert connection.call("SET", "another", "x") == "OK"
    assert connection.call("DBSIZE") == 5001
    connection.call("CONFIG", "SET", "import-mode", "no")
    wait_until(lambda: connection.call("DBSIZE") < 5001, "eviction begins")


def test_the_latency_monitor_sees_long_evictions(start_server):
    server = start_server("--maxmemory-policy", "allkeys-random", "--enable-debug-command", "yes",
                          "--maxmemory-eviction-tenacity", 100, "--latency-monitor-threshold", 1)
    connection = server.connect()
    connection.call("DEBUG", "POPULATE", 200000, "key", 100)
    connection.call("CONFIG", "SET", "maxmemory", used_memory(server) // 2)
    connection.call("SET", "another", "x")
    assert "eviction-cycle" in [event[0] for event in connection.call("LATENCY", "LATEST")]


# --- clients -------------------------------------------------------------------------------------


def test_clients_are_listed_and_killed_by_their_ids(server):
    control = server.control()
    others = [server.connect() for _ in range(5)]
    ids = [connection.call("CLIENT", "ID") for connection in others]

    def listed(*filters):
        return [int(client["id"]) for client in server.clients(*filters)]

    assert listed("ID", ids[3], ids[1], 999999, ids[1]) == [ids[1], ids[3]]
    assert listed("ID", ids[3], ids[1], "NOT-ID", ids[1]) == [ids[3]]
    assert listed("ID", 999999) == []
    assert control.call("CLIENT", "KILL", "ID", ids[0], ids[2], ids[0]) == 2
    others[0].wait_for_close()
    others[2].wait_for_close()
    assert control.call("CLIENT", "KILL", "ID", ids[0]) == 0
    own = control.call("CLIENT", "ID")
    assert control.call("CLIENT", "KILL", "ID", own) == 0  # it is left out unless SKIPME is NO
    assert set(ids[1:2] + ids[3:]) <= set(listed())


def test_a_monitor_that_does_not_read_is_closed_by_the_limit_without_waiting_for_cron(start_server):
    server = start_server("--client-output-buffer-limit", "normal 2mb 0 0",
                          "--enable-debug-command", "yes")
    lazy, busy = server.connect(receive_buffer=4096), server.connect()
    number = lazy.call("CLIENT", "ID")
    assert lazy.call("MONITOR") == "OK"
    server.control().call("DEBUG", "PAUSE-CRON", 1)
    for _ in range(200):
        busy.call("ECHO", "x" * 100000)
    wait_until(lambda: not server.clients("ID", number), "it is closed")
    assert server.info("stats")["client_output_buffer_limit_disconnections"] == "1"


def test_a_reply_larger_than_a_block_counts_as_the_memory_of_its_client(server):
    lazy = server.connect(receive_buffer=4096)
    number = lazy.call("CLIENT", "ID")
    lazy.send(encode(["ECHO", "x" * 20000000]))

    def memory_of_what_is_being_sent():
        client = server.clients("ID", number)[0]
        return client["cmd"] == "echo" and client["obl"] == "0" and int(client["tot-mem"])

    assert wait_until(memory_of_what_is_being_sent, "it is being sent") > 20000000
