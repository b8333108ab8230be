# SPDX-License-Identifier: BSD-3-Clause
"""Snapshots: files of redis-server 7.0 are loaded here, ours survive a kill, damaged ones end the
start with a reason and never with a crash; payloads of DUMP go from one server to the other."""

import os
import random
import shutil
import signal
import subprocess
import time

import pytest
import redis

from daemon_process import Daemons, free_port, wait_until

REDIS = shutil.which("redis-server")


@pytest.fixture
def daemons(tmp_path):
    daemons = Daemons(tmp_path)
    yield daemons
    daemons.close()


@pytest.fixture
def peer(tmp_path):
    """A client of a real redis-server, and the folder it saves to."""
    if not REDIS:
        pytest.skip("there is no redis-server")
    folder, port = tmp_path / "peer", free_port()
    folder.mkdir()
    process = subprocess.Popen([REDIS, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir",
                                str(folder)], stdout=subprocess.DEVNULL)
    client = redis.Redis(port=port)
    wait_until(lambda: answers(client), "a redis-server")
    yield client, folder
    client.close()
    process.terminate()
    process.wait()


def answers(client):
    try:
        return client.ping()
    except redis.ConnectionError:
        return False


def fill(client, rng):
    """Every type in every form that the server gives it."""
    client.set("integer", 12345)
    client.set("negative", -1)
    client.set("large", 1 << 60)
    client.set("short", "hello")
    client.set("repeated", b"ab" * 5000)
    client.set("noise", rng.randbytes(100000))
    client.set("empty", "")
    client.set("expiring", "v", ex=100000)
    client.rpush("list", "a", 1, -70000, "x" * 100, "")
    client.rpush("long list", *[rng.randbytes(rng.randrange(200)) for _ in range(3000)])
    client.rpush("list of large elements", "x" * 100000, "y", rng.randbytes(70000))
    client.sadd("intset", *range(-100, 100))
    client.sadd("wide intset", 1 << 40, 5, -(1 << 62))
    client.sadd("small set", "a", "b", 3)
    client.sadd("large set", *[rng.randbytes(20) for _ in range(1000)])
    client.hset("hash", mapping={"a": 1, "b": "text", "": ""})
    client.hset("large hash", mapping={f"field {i}": rng.randbytes(100) for i in range(1000)})
    client.zadd("zset", {"a": 1, "b": 2.5, "c": float("inf"), "d": float("-inf"), "e": -3})
    client.zadd("large zset", {f"member {i}": rng.uniform(-1e6, 1e6) for i in range(1000)})
    client.pfadd("hyperloglog", *range(1000))


def contents(client):
    found = {}
    for key in client.keys("*"):
        kind = client.type(key)
        value = {b"string": lambda k: client.get(k),
                 b"list": lambda k: client.lrange(k, 0, -1),
                 b"set": lambda k: client.smembers(k),
                 b"hash": lambda k: client.hgetall(k),
                 b"zset": lambda k: client.zrange(k, 0, -1, withscores=True)}[kind](key)
        found[key] = (kind, value, client.pexpiretime(key))
    return found


def raw_client(daemon):
    return redis.Redis(port=daemon.port)


def test_a_file_of_redis_is_loaded_with_all_types(daemons, peer, tmp_path):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    client, folder = peer
    fill(client, random.Random(seed))
    client.save()
    shutil.copy(folder / "dump.rdb", tmp_path / "dump.rdb")
    ours = raw_client(daemons.start("--dir", tmp_path))
    assert contents(ours) == contents(client)


def test_values_dumped_by_redis_are_restored_here(daemons, peer):
    client, _ = peer
    fill(client, random.Random(1))
    ours = raw_client(daemons.start())
    for key in client.keys("*"):
        assert ours.restore(key, 0, client.dump(key))
    ours.pexpireat("expiring", client.pexpiretime("expiring"))
    assert contents(ours) == contents(client)


def test_a_data_set_survives_a_kill_and_a_reload(daemons, tmp_path):
    daemon = daemons.start("--dir", tmp_path, "--enable-debug-command", "yes")
    client = raw_client(daemon)
    fill(client, random.Random(2))
    digest = client.execute_command("DEBUG", "DIGEST")
    client.execute_command("DEBUG", "RELOAD")
    assert client.execute_command("DEBUG", "DIGEST") == digest
    before = contents(client)
    client.save()
    daemon.signal(signal.SIGKILL)
    daemon.wait_for_exit()
    again = daemons.start("--dir", tmp_path, "--enable-debug-command", "yes")
    assert contents(raw_client(again)) == before
    assert raw_client(again).execute_command("DEBUG", "DIGEST") == digest


def test_packed_values_that_are_checked_are_counted(daemons):
    client = raw_client(daemons.start("--enable-debug-command", "yes"))
    client.sadd("intset", 1, 2)
    client.hset("hash", "f", "v")
    client.set("string", "nothing to check")
    for key in ("intset", "hash", "string"):
        client.restore(key + " copy", 0, client.dump(key))
    assert client.info("stats")["dump_payload_sanitizations"] == 2
    client.execute_command("DEBUG", "RELOAD")
    assert client.info("stats")["dump_payload_sanitizations"] == 6
    client.config_resetstat()
    assert client.info("stats")["dump_payload_sanitizations"] == 0


def test_checksums_may_be_ignored_for_a_while(daemons, tmp_path):
    client = raw_client(daemons.start("--dir", tmp_path, "--enable-debug-command", "yes"))
    client.set("key", "value")
    client.save()
    path = tmp_path / "dump.rdb"
    path.write_bytes(path.read_bytes()[:-8] + b"8 wrong!")
    payload = client.dump("key")[:-8] + b"8 wrong!"

    def reload_and_restore():
        client.execute_command("DEBUG", "RELOAD", "NOSAVE")
        assert client.restore("copy", 0, payload, replace=True)
        return client.mget("key", "copy")

    with pytest.raises(redis.ResponseError, match="Error trying to load the RDB"):
        reload_and_restore()
    with pytest.raises(redis.ResponseError, match="DUMP payload version or checksum are wrong"):
        client.restore("copy", 0, payload)
    assert client.execute_command("DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", 1) == b"OK"
    assert reload_and_restore() == [b"value", b"value"]
    with pytest.raises(redis.ResponseError, match="DUMP payload version or checksum are wrong"):
        client.restore("copy", 0, b"\x00\x05value\xff\xff12345678", replace=True)  # a version of the future
    assert client.execute_command("DEBUG", "SET-SKIP-CHECKSUM-VALIDATION", 0) == b"OK"
    with pytest.raises(redis.ResponseError, match="Error trying to load the RDB"):
        reload_and_restore()


def test_a_shutdown_saves_and_the_next_start_loads(daemons, tmp_path):
    daemon = daemons.start("--dir", tmp_path, "--save", "3600 1")
    raw_client(daemon).set("a", "1")
    assert daemon.stop() == 0
    assert raw_client(daemons.start("--dir", tmp_path)).get("a") == b"1"
    assert not [name for name in os.listdir(tmp_path) if name.startswith("temp-")]


@pytest.mark.parametrize("round", range(12))
def test_a_damaged_file_ends_the_start_with_a_reason(daemons, tmp_path, round):
    rng = random.Random(round)
    daemon = daemons.start("--dir", tmp_path)
    client = raw_client(daemon)
    fill(client, rng)
    client.save()
    client.shutdown(nosave=True)
    assert daemon.wait_for_exit() == 0
    data = bytearray((tmp_path / "dump.rdb").read_bytes())
    if round % 2:
        data = data[:rng.randrange(len(data))]
    else:
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    (tmp_path / "dump.rdb").write_bytes(data)
    damaged = daemons.start_raw("--dir", tmp_path, "--port", free_port())
    assert damaged.wait_for_exit() == 1
    log = damaged.log()
    assert "Terminating server after rdb file reading failure" in log or "Fatal error loading" in log


def test_clients_are_told_while_a_file_is_being_loaded(daemons, tmp_path):
    daemon = daemons.start("--dir", tmp_path, "--enable-debug-command", "yes")
    client = raw_client(daemon)
    client.execute_command("DEBUG", "POPULATE", 3000)
    client.save()
    assert daemon.stop() == 0
    port = free_port()
    slow = daemons.start_raw("--dir", tmp_path, "--key-load-delay", 1000, "--port", port)
    client = redis.Redis(port=port)
    wait_until(lambda: loading(client), "a server that loads", 10)
    with pytest.raises(redis.exceptions.BusyLoadingError):
        client.get("key:1")
    info = client.info("persistence")
    assert info["loading"] == 1 and 0 <= info["loading_loaded_perc"] <= 100
    wait_until(lambda: not loading(client), "the end of loading")
    assert client.dbsize() == 3000
    assert client.info("persistence")["rdb_last_load_keys_loaded"] == 3000
    slow.signal(signal.SIGTERM)
    assert slow.wait_for_exit() == 0


def loading(client):
    try:
        return client.info("persistence")["loading"]
    except redis.ConnectionError:
        time.sleep(0.01)
        return None
