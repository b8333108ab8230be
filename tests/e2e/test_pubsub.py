# SPDX-License-Identifier: BSD-3-Clause
"""Publish and subscribe with real clients: many of them, slow ones, dying ones, large messages."""

import random
import threading

import pytest

from conftest import Closed, Error
from daemon_process import wait_until


def subscribe(connection, *channels, command="SUBSCRIBE"):
    connection.send_command(command, *channels)
    return [connection.read_reply() for _ in channels]


def test_redis_py_receives_what_is_published(server):
    client = server.redis(encoding="latin-1")
    pubsub = client.pubsub()
    pubsub.subscribe("news", "\xff\x00raw")
    pubsub.psubscribe("n*")
    kinds = [pubsub.get_message(timeout=10)["type"] for _ in range(3)]
    assert kinds == ["subscribe", "subscribe", "psubscribe"]
    assert client.publish("news", "\x00\r\n\xff") == 2
    assert client.publish("\xff\x00raw", "") == 1
    messages = [pubsub.get_message(timeout=10) for _ in range(3)]
    assert [m["data"] for m in messages] == ["\x00\r\n\xff", "\x00\r\n\xff", ""]
    assert [m["pattern"] for m in messages] == [None, "n*", None]
    pubsub.unsubscribe()
    pubsub.punsubscribe()
    for _ in range(3):
        pubsub.get_message(timeout=10)
    assert client.ping()
    assert client.pubsub_channels() == [] and client.pubsub_numpat() == 0
    pubsub.close()


@pytest.mark.parametrize("resp", [2, 3])
def test_one_client_with_many_channels(server, resp):
    channels, control = 20000, server.control()
    client = server.connect()
    if resp == 3:
        client.call("HELLO", 3)
    names = [f"channel:{n}" for n in range(channels)]
    for at in range(0, channels, 1000):
        last = subscribe(client, *names[at:at + 1000])[-1]
    assert last == ["subscribe", names[-1], channels]
    assert server.info("stats")["pubsub_channels"] == str(channels)
    assert int(server.clients("TYPE", "pubsub")[0]["tot-mem"]) > sum(len(name) for name in names)
    assert control.call("PUBLISH", names[12345], "x") == 1
    assert client.read_reply() == ["message", names[12345], "x"]
    assert subscribe(client, *names[::-2], command="UNSUBSCRIBE")[-1][2] == channels // 2
    assert control.call("PUBSUB", "NUMSUB", names[0], names[1]) == [names[0], 1, names[1], 0]
    client.close()
    wait_until(lambda: server.info("stats")["pubsub_channels"] == "0", "its channels are gone")
    assert server.info("clients")["pubsub_clients"] == "0"


def test_many_subscribers_with_workers(start_server):
    """Each receives each message, once and in order, while others come and go."""
    seed = random.randrange(1 << 32)
    print("seed", seed)
    rng = random.Random(seed)
    server = start_server("--io-threads", 4, "--io-threads-always-active", "yes")
    control = server.control()
    staying = [server.connect() for _ in range(200)]
    for number, connection in enumerate(staying):
        if number % 2:
            connection.call("HELLO", 3)
        subscribe(connection, "all", "other")
    guests, rounds = [], 300
    for number in range(rounds):
        if rng.random() < 0.3:
            guest = server.connect()
            guest.send_command("SUBSCRIBE", "all")
            guests.append(guest)
        if guests and rng.random() < 0.3:
            guests.pop(rng.randrange(len(guests))).close()
        size = rng.choice([0, 10, 1000, 20000])
        assert control.call("PUBLISH", "all", f"{number}:" + "x" * size) >= len(staying)
    for connection in staying:
        for number in range(rounds):
            kind, channel, text = connection.read_reply()
            assert (kind, channel) == ("message", "all")
            assert int(text.partition(":")[0]) == number
            assert set(text.partition(":")[2]) <= {"x"}


def test_large_messages_are_shared(server):
    """Thirty receivers of 4 MiB do not take thirty times the memory."""
    control, size = server.control(), 4 << 20
    control.call("CONFIG", "SET", "client-output-buffer-limit", "pubsub 0 0 0")
    clients = [server.connect() for _ in range(30)]
    for client in clients:
        subscribe(client, "big")
    before = int(server.info("memory")["used_memory"])
    message = bytes(random.Random(1).randrange(256) for _ in range(4096)) * (size // 4096)
    assert control.call("PUBLISH", "big", message) == len(clients)
    assert int(server.info("memory")["used_memory"]) - before < 4 * size
    for client in clients:
        assert client.read_reply() == ["message", "big", message.decode("latin-1")]


@pytest.mark.parametrize("threads", [1, 4])
def test_a_slow_subscriber_is_closed_without_harm_to_others(start_server, threads):
    server = start_server("--client-output-buffer-limit", "pubsub 1mb 0 0", "--io-threads", threads,
                          "--io-threads-always-active", "yes" if threads > 1 else "no")
    control = server.control()
    slow = [server.connect(receive_buffer=4096) for _ in range(5)]
    quick = [server.connect() for _ in range(5)]
    for client in slow + quick:
        subscribe(client, "ch")
    received, failures = [0] * len(quick), []

    def read_all(at):
        try:
            while quick[at].read_reply()[2] != "end":
                received[at] += 1
        except Exception as error:  # told to the test below
            failures.append(error)

    readers = [threading.Thread(target=read_all, args=(at,)) for at in range(len(quick))]
    for reader in readers:
        reader.start()
    sent = 0
    while control.call("PUBLISH", "ch", "x" * 1000) > len(quick):
        sent += 1
        assert sent < 200000
        if sent % 100 == 0:  # those who read shall not be taken for slow ones
            wait_until(lambda: min(received) >= sent - 400 or failures, "readers keep up")
    control.call("PUBLISH", "ch", "end")
    for reader in readers:
        reader.join()
    assert not failures and received == [sent + 1] * len(quick)
    assert server.info("stats")["client_output_buffer_limit_disconnections"] == str(len(slow))
    for client in slow:
        client.wait_for_close()
    assert server.info("clients")["pubsub_clients"] == str(len(quick))


def test_eviction_of_clients_while_a_message_is_sent(start_server):
    """maxmemory-clients closes the largest client, which need not be the one that is written to."""
    server = start_server("--maxmemory-clients", "3mb", "--client-output-buffer-limit",
                          "pubsub 0 0 0")
    control = server.control()
    control.call("CLIENT", "NO-EVICT", "ON")
    clients = [server.connect(receive_buffer=4096) for _ in range(40)]
    for client in clients:
        subscribe(client, "ch")
    counts = [control.call("PUBLISH", "ch", "x" * 8000)]
    while counts[-1] > len(clients) // 2:
        counts.append(control.call("PUBLISH", "ch", "x" * 8000))
        assert len(counts) < 20000
    assert counts[0] == len(clients) and counts == sorted(counts, reverse=True)
    control.call("MULTI")  # both at one moment
    control.call("CLIENT", "LIST", "TYPE", "pubsub")
    control.call("PUBSUB", "NUMSUB", "ch")
    left, subscribed = control.call("EXEC")
    assert len(left.splitlines()) == subscribed[1]


def test_protocol_changes_while_subscribed(server):
    client, control = server.connect(), server.control()
    client.call("HELLO", 3)
    subscribe(client, "ch")
    assert client.call("SET", "key", "value") == "OK"
    client.send_command("HELLO", 2)  # the reply is an array of pairs
    assert client.read_reply()[:2] == ["server", "valkey"]
    assert isinstance(client.ask("GET", "key"), Error)
    assert client.call("PING", "x") == ["pong", "x"]
    control.call("PUBLISH", "ch", "m")
    assert client.read_reply() == ["message", "ch", "m"]
    assert client.call("RESET") == "RESET"
    assert client.call("GET", "key") == "value"
    assert control.call("PUBSUB", "CHANNELS") == []


def test_reply_off_does_not_silence_messages(server):
    client, control = server.connect(), server.control()
    client.call("HELLO", 3)
    client.send_command("CLIENT", "REPLY", "OFF")
    client.send_command("SET", "key", "value")
    client.send_command("SUBSCRIBE", "ch")
    assert client.read_reply() == ["subscribe", "ch", 1]
    control.call("PUBLISH", "ch", "m")
    assert client.read_reply() == ["message", "ch", "m"]
    client.send_command("PUBLISH", "ch", "own")
    assert client.read_reply() == ["message", "ch", "own"]
    assert client.call("CLIENT", "REPLY", "ON") == "OK"


def test_a_subscriber_is_not_idle(start_server):
    server = start_server()
    subscriber, other = server.connect(), server.connect()
    subscribe(subscriber, "ch")
    server.control().call("CONFIG", "SET", "timeout", 1)
    with pytest.raises(Closed):
        other.read_line()
    assert server.connect().call("PUBLISH", "ch", "still there") == 1
    assert subscriber.read_reply() == ["message", "ch", "still there"]


def test_notifications_of_expiry_reach_a_sleeping_client(start_server):
    server = start_server("--notify-keyspace-events", "Ex")
    client = server.connect()
    subscribe(client, "__keyevent@0__:expired")
    for number in range(50):
        server.control().call("SET", f"key:{number}", "x", "PX", 20 + number)
    names = {client.read_reply()[2] for _ in range(50)}
    assert names == {f"key:{number}" for number in range(50)}
