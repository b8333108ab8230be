# SPDX-License-Identifier: BSD-3-Clause
"""Client tracking with real clients: a cache that is kept by invalidations is never wrong."""

import random

import pytest

from daemon_process import wait_until

CHANNEL = "__redis__:invalidate"


def resp3(server, *tracking):
    client = server.connect()
    client.call("HELLO", 3)
    client.call("CLIENT", "TRACKING", "ON", *tracking)
    return client


class Cache:
    """Keeps what it reads, until it is told that it has changed."""

    def __init__(self, server, *tracking):
        self.connection = resp3(server, *tracking)
        self.values = {}
        self.told = 0

    def take(self, reply):
        """True if the reply is an invalidation, which is then obeyed."""
        if not isinstance(reply, list) or not reply or reply[0] != "invalidate":
            return False
        self.told += 1
        if reply[1] is None:
            self.values.clear()
        for key in reply[1] or []:
            self.values.pop(key, None)
        return True

    def call(self, *args):
        self.connection.send_command(*args)
        while True:
            reply = self.connection.read_reply()
            if not self.take(reply):
                return reply

    def get(self, key):
        if key not in self.values:
            self.values[key] = None
            self.values[key] = self.call("GET", key)
        return self.values[key]

    def settle(self):
        """All that was sent before now has been read afterwards."""
        assert self.call("ECHO", "here") == "here"


@pytest.mark.parametrize("tracking", [[], ["BCAST"], ["BCAST", "PREFIX", "key:1", "PREFIX", "key:2"],
                                      ["NOLOOP"]])
def test_a_cache_is_never_wrong(start_server, tracking):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    rng = random.Random(seed)
    server = start_server("--io-threads", 4, "--io-threads-always-active", "yes",
                          "--tracking-table-max-keys", 30)
    cache, writer, model = Cache(server, *tracking), server.connect(), {}
    for step in range(3000):
        key = f"key:{rng.randrange(1, 60)}"
        dice = rng.random()
        if dice < 0.4:
            if "PREFIX" not in tracking or key.startswith(("key:1", "key:2")):
                cache.settle()
                assert cache.get(key) == model.get(key), f"step {step}"
            continue
        value = str(step)
        if dice < 0.7:
            writer.call("SET", key, value)
            model[key] = value
        elif dice < 0.8:
            writer.call("DEL", key)
            model.pop(key, None)
        elif dice < 0.9:
            other = f"key:{rng.randrange(1, 60)}"
            writer.call("MSET", key, value, other, value)
            model[key] = model[other] = value
        elif dice < 0.905:
            writer.call("FLUSHALL")
            model.clear()
        else:
            assert cache.call("SET", key, value) == "OK"
            cache.values[key] = model[key] = value
            if "NOLOOP" not in tracking and "BCAST" not in tracking:
                cache.values.pop(key)  # a write does not make the server note the key
            elif "NOLOOP" in tracking:
                assert cache.call("GET", key) == value  # this does
    assert cache.told > 100


def test_a_skipped_reply_takes_no_invalidation_with_it(start_server):
    server = start_server()
    cache, control = resp3(server), server.control()
    assert cache.call("LLEN", "to") == 0  # noted
    number = cache.call("CLIENT", "ID")
    cache.send_command("CLIENT", "REPLY", "SKIP")
    cache.send_command("BLMOVE", "from", "to", "LEFT", "RIGHT", "0")
    wait_until(lambda: "b" in server.clients("ID", number)[0]["flags"], "it waits")
    control.call("RPUSH", "from", "x")
    assert cache.read_reply() == ["invalidate", ["to"]]
    assert cache.call("LLEN", "to") == 1


def test_each_flush_is_told_also_when_statistics_are_reset(start_server):
    server = start_server()
    cache, control = Cache(server), server.control()
    for value in ("1", "2", "3"):
        control.call("SET", "key", value)
        assert cache.get("key") == value
        control.call("CONFIG", "RESETSTAT")  # the flush is the second command since, each time
        control.call("FLUSHALL")
        cache.settle()
        assert not cache.values


def test_expired_and_evicted_keys_are_told_also_with_noloop(start_server):
    server = start_server("--maxmemory-policy", "allkeys-random")
    cache, control = Cache(server, "NOLOOP"), server.control()
    cache.call("SET", "brief", "x", "PX", 50)
    cache.get("brief")
    wait_until(lambda: (cache.settle(), "brief" not in cache.values)[1], "brief is told")
    for number in range(50):
        control.call("SET", f"key:{number}", "x")
        cache.get(f"key:{number}")
    control.call("CONFIG", "SET", "maxmemory", 1)
    cache.call("SET", "own", "x")  # refused, and yet it evicts
    cache.settle()
    left = control.call("DBSIZE")
    assert left < 50 and len(cache.values) == left


def test_the_table_keeps_its_limit(start_server):
    server = start_server("--tracking-table-max-keys", 1000)
    cache, control = Cache(server, "OPTOUT"), server.control()
    for number in range(3000):
        cache.get(f"key:{number}")
        assert len(cache.values) <= 1001
    assert server.info("stats")["tracking_total_keys"] == "1000"
    control.call("CONFIG", "SET", "tracking-table-max-keys", 10)
    wait_until(lambda: server.info("stats")["tracking_total_keys"] == "10", "cron brings it down")
    wait_until(lambda: (cache.settle(), len(cache.values) == 10)[1], "and tells of it")
    cache.connection.close()
    wait_until(lambda: server.info("clients")["tracking_clients"] == "0", "it is gone")
    assert server.info("stats")["tracking_total_items"] == "0"


@pytest.mark.parametrize("resp", [2, 3])
def test_redirection(server, resp):
    target, reader, writer = server.connect(), server.connect(), server.control()
    if resp == 3:
        target.call("HELLO", 3)
    number = target.call("CLIENT", "ID")
    target.call("SUBSCRIBE", CHANNEL)
    reader.call("CLIENT", "TRACKING", "ON", "REDIRECT", number)
    shown = [c for c in server.clients() if c["redir"] != "-1"]
    assert [c["redir"] for c in shown] == [str(number)] and shown[0]["flags"] == "t"
    reader.call("GET", "key")
    writer.call("SET", "key", 1)
    expected = ["invalidate", ["key"]] if resp == 3 else ["message", CHANNEL, ["key"]]
    assert target.read_reply() == expected
    reader.call("GET", "key")
    target.close()
    wait_until(lambda: str(number) not in {c["id"] for c in server.clients()}, "it is gone")
    writer.call("SET", "key", 2)
    assert "broken_redirect" in reader.call("CLIENT", "TRACKINGINFO")[1]
    assert [c["flags"] for c in server.clients() if c["redir"] != "-1"] == ["tR"]
    reader.call("CLIENT", "TRACKING", "OFF")
    assert reader.call("CLIENT", "GETREDIR") == -1


def test_redis_py_through_a_redirection(server):
    """How its documentation shows a cache: one connection listens for another."""
    client = server.redis()
    pubsub = client.pubsub(ignore_subscribe_messages=True)
    pubsub.subscribe(CHANNEL)
    wait_until(lambda: client.pubsub_numsub(CHANNEL) == [(CHANNEL, 1)], "it listens")
    listener = next(c["id"] for c in client.client_list(_type="pubsub"))
    with client.client() as single:
        single.execute_command("CLIENT", "TRACKING", "ON", "REDIRECT", listener)
        single.get("key")
        client.set("key", "value")
        messages = []
        wait_until(lambda: messages.append(pubsub.get_message()) or any(messages), "it is told")
        assert next(filter(None, messages))["data"] == ["key"]
    pubsub.close()


def test_many_clients_with_prefixes_come_and_go(start_server):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    rng = random.Random(seed)
    server = start_server("--io-threads", 4, "--io-threads-always-active", "yes")
    writer, clients = server.control(), {}
    for step in range(400):
        prefix = "".join(rng.choice("ab") for _ in range(rng.randrange(5)))
        if rng.random() < 0.5 or not clients:
            clients[resp3(server, "BCAST", "PREFIX", prefix)] = prefix
        elif rng.random() < 0.5:
            client = rng.choice(list(clients))
            del clients[client]
            client.close()
        key = "".join(rng.choice("ab") for _ in range(6)) + str(step)
        writer.call("SET", key, "x")
        for client, own in clients.items():
            if key.startswith(own):
                assert client.read_reply() == ["invalidate", [key]]
    wait_until(lambda: server.info("clients")["tracking_clients"] == str(len(clients)), "count")
    assert server.info("stats")["tracking_total_prefixes"] == str(len(set(clients.values())))
    for client in clients:
        assert client.call("ECHO", "no more") == "no more"


def test_a_transaction_is_one_broadcast(server):
    listener, noloop = resp3(server, "BCAST", "PREFIX", "a"), resp3(server, "BCAST", "NOLOOP")
    noloop.call("MULTI")
    for number in range(100):
        noloop.call("SET", f"a:{number % 10}", number)
    assert len(noloop.call("EXEC")) == 100
    assert listener.read_reply() == ["invalidate", [f"a:{number}" for number in range(10)]]
    server.control().call("MSET", "a:1", "x", "b:1", "x")
    assert listener.read_reply() == ["invalidate", ["a:1"]]
    assert noloop.read_reply() == ["invalidate", ["a:1", "b:1"]]


def test_a_slow_tracking_client_is_closed(start_server):
    server = start_server("--client-output-buffer-limit", "normal 1mb 0 0")
    slow = server.connect(receive_buffer=4096)
    slow.call("HELLO", 3)
    slow.call("CLIENT", "TRACKING", "ON", "BCAST")
    other, sent = resp3(server, "BCAST"), 0
    while server.info("clients")["tracking_clients"] == "2":
        sent += 1
        key = "k" * 5000 + str(sent)
        server.control().call("SET", key, "x")
        assert other.read_reply() == ["invalidate", [key]]
        assert sent < 50000
    server.control().call("SET", "after", "x")
    assert other.read_reply() == ["invalidate", ["after"]]
