# SPDX-License-Identifier: BSD-3-Clause
"""The clients that people use: redis-cli, redis-benchmark, redis-py and those of Node.js.

The clients of Node.js come from npm into build/node; where that cannot be had, their tests are
skipped.
"""

import csv
import json
import os
import re
import shutil
import subprocess
import threading
from pathlib import Path

import pytest
import redis

from conftest import encode
from daemon_process import PATIENCE_S, TOP, wait_until

NODE_FOLDER = Path(__file__).resolve().parent / "node"
INSTALLED = Path(TOP) / "build" / "node"
INSTALL_LIMIT_S = 90

needs_cli = pytest.mark.skipif(not shutil.which("redis-cli"), reason="no redis-cli here")
needs_benchmark = pytest.mark.skipif(not shutil.which("redis-benchmark"),
                                     reason="no redis-benchmark here")


# --- redis-cli ---------------------------------------------------------------------------------


def run_program(*command, stdin=None):
    """What it prints; it ends with status 0 and complains of nothing."""
    done = subprocess.run([str(word) for word in command], input=stdin, capture_output=True,
                          timeout=10 * PATIENCE_S)
    complaint = b"" if b"WARNING: Keepalive disabled" in done.stderr else done.stderr
    assert done.returncode == 0 and not complaint, (command, done.stdout[-2000:], done.stderr)
    return done.stdout.decode()


@pytest.fixture
def cli(server):
    def run(*args, stdin=b""):
        return run_program("redis-cli", "-p", server.port, *args, stdin=stdin)

    return run


@needs_cli
def test_cli_prints_each_kind_of_reply(cli):
    form = ["--no-raw"]
    assert cli(*form, "SET", "key", "a value") == "OK\n"
    assert cli(*form, "GET", "key") == '"a value"\n'
    assert cli(*form, "GET", "none") == "(nil)\n"
    assert cli(*form, "STRLEN", "key") == "(integer) 7\n"
    assert cli(*form, "MGET", "key", "none") == '1) "a value"\n2) (nil)\n'
    assert cli(*form, "INCR", "key") == "(error) ERR value is not an integer or out of range\n"
    assert cli("--raw", "GET", "key") == "a value\n"
    assert cli("--raw", "MGET", "key", "none", "key") == "a value\n\na value\n"
    assert cli("--csv", "MGET", "key", "none") == '"a value",NULL\n'
    assert cli("-n", "1", "DBSIZE") == "0\n"


@needs_cli
def test_cli_speaks_resp3(cli):
    assert cli("-3", "--no-raw", "CONFIG", "GET", "maxmemory") == '1# "maxmemory" => "0"\n'
    assert '1# "server" => "valkey"' in cli("-3", "--no-raw", "HELLO")
    assert json.loads(cli("--json", "CONFIG", "GET", "maxmemory")) == {"maxmemory": "0"}
    assert json.loads(cli("--json", "GET", "none")) is None


@needs_cli
def test_cli_reads_commands_from_a_pipe(cli):
    script = b'SET "a b" "c\\x00d"\nGET "a b"\n# nothing\nMULTI\nINCR n\nINCR n\nEXEC\nDBSIZE\n'
    assert cli("--no-raw", stdin=script.replace(b"# nothing\n", b"")) == (
        'OK\n"c\\x00d"\nOK\nQUEUED\nQUEUED\n1) (integer) 1\n2) (integer) 2\n(integer) 2\n')
    assert cli("-x", "SET", "from stdin", stdin=b"value") == "OK\n"
    assert cli("GET", "from stdin") == "value\n"
    assert cli("-r", "3", "INCR", "n") == "3\n4\n5\n"


@needs_cli
def test_cli_pipes_a_hundred_thousand_commands(cli):
    count = 100000
    data = b"".join(encode(["SET", f"key:{i}", i]) for i in range(count))
    assert f"errors: 0, replies: {count}\n" in cli("--pipe", stdin=data)
    assert cli("DBSIZE") == f"{count}\n"
    assert cli("GET", "key:99999") == "99999\n"


@needs_cli
def test_cli_pipe_counts_errors(cli):
    data = b"SET key text\r\n" + b"INCR key\r\n" * 7
    done = subprocess.run(["redis-cli", "-p", cli("CONFIG", "GET", "port").split()[1], "--pipe"],
                          input=data, capture_output=True, timeout=PATIENCE_S)
    assert b"errors: 7, replies: 8" in done.stdout


@needs_cli
def test_cli_scans_and_looks_for_big_keys(cli, server):
    client = server.redis()
    for i in range(3000):
        client.set(f"key:{i}", "x")
    client.set("big", "x" * 100000)
    keys = cli("--scan").split()
    assert sorted(keys) == sorted(["big", *(f"key:{i}" for i in range(3000))])
    assert len(cli("--scan", "--pattern", "key:1*").split()) == 1111
    report = cli("--bigkeys")
    assert re.search(r"Biggest string found ['\"]+big['\"]+ has 100000 bytes", report), report
    assert "3001 strings with 103000 bytes" in report
    assert re.search(r"Biggest string found ['\"]+big['\"]+ has \d{6} bytes", cli("--memkeys"))


@needs_cli
def test_cli_finds_hot_keys(start_server):
    server = start_server("--maxmemory-policy", "allkeys-lfu")
    client = server.redis()
    for i in range(100):
        client.set(f"key:{i}", "x")
    for _ in range(2000):
        client.get("key:7")
    report = run_program("redis-cli", "-p", server.port, "--hotkeys")
    found = re.search(r"hot key found with counter: \d+\s+keyname: ['\"]?key:7['\"]?", report)
    assert found, report


@needs_cli
def test_cli_shows_info_latency_and_stat(cli):
    report = cli("INFO")
    for section in ["Server", "Clients", "Memory", "Stats", "CPU", "Keyspace"]:
        assert f"# {section}\r\n" in report
    assert re.fullmatch(r"\d+ \d+ \d+\.\d+ \d+\n?", cli("--raw", "--latency", "-i", "0.1"))


@needs_cli
def test_cli_shows_how_the_server_is_doing(server):
    server.redis().mset({f"key:{i}": i for i in range(123)})
    command = ["redis-cli", "-p", str(server.port), "--stat", "-i", "0.01"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        lines = [process.stdout.readline() for _ in range(3)]  # once its buffer is full
        process.kill()
    assert lines[0].startswith("------- data ------")
    assert lines[1].split()[:2] == ["keys", "mem"]
    assert re.match(r"123 +\d+\.\d+[KM] +\d+ +0 +\d+ \(\+0\)", lines[2]), lines


@needs_cli
def test_cli_monitors(server):
    process = subprocess.Popen(["redis-cli", "-p", str(server.port), "MONITOR"],
                               stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "OK\n"
        connection = server.connect()
        connection.call("SET", "key", 'a "value"\r\n')
        line = process.stdout.readline()
        when, who, what = re.fullmatch(r"(\d+\.\d{6}) \[0 (\S+)\] (.*)\n", line).groups()
        assert float(when) > 0 and who.startswith("127.0.0.1:")
        assert what == r'"SET" "key" "a \"value\"\r\n"'
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@needs_cli
def test_cli_authenticates_and_uses_a_unix_socket(start_server, short_path):
    path = short_path / "s"
    server = start_server("--requirepass", "secret", "--unixsocket", path)
    assert "NOAUTH" in run_program("redis-cli", "-p", server.port, "GET", "key")
    login = ["--no-auth-warning", "-a", "secret"]
    assert run_program("redis-cli", "-p", server.port, *login, "PING") == "PONG\n"
    assert run_program("redis-cli", "-s", path, *login, "-3", "PING") == "PONG\n"
    user = ["--no-auth-warning", "--user", "default", "--pass", "secret"]
    assert run_program("redis-cli", "-s", path, *user, "PING") == "PONG\n"


# --- redis-benchmark ---------------------------------------------------------------------------


@needs_benchmark
@pytest.mark.parametrize("more", [[], ["-P", "16"], ["-P", "16", "--threads", "4"],
                                  ["-3"], ["-d", "20000", "-P", "4"], ["-k", "0", "-c", "5"]],
                         ids=lambda words: " ".join(words) or "plain")
def test_benchmark_runs_clean(start_server, more):
    server = start_server()
    requests = 400 if "-k" in more else 4000
    report = run_program("redis-benchmark", "-p", server.port, "-n", requests, "-r", 1000, "--csv",
                         "-t", "ping,set,get,incr,mset", *more)
    assert "rror" not in report
    rows = list(csv.DictReader(report.splitlines()))
    assert [row["test"] for row in rows] == [
        "PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "MSET (10 keys)"]
    assert all(float(row["rps"]) > 0 for row in rows)
    calls = server.info("commandstats")
    for name in ["set", "get", "incr", "mset"]:
        stats = dict(field.split("=") for field in calls[f"cmdstat_{name}"].split(","))
        assert requests <= int(stats["calls"]) < requests + 64 * 50  # whole pipelines, at the end
        assert stats["failed_calls"] == stats["rejected_calls"] == "0"
    assert server.info("stats")["total_error_replies"] == "0"


@needs_benchmark
def test_benchmark_speaks_quietly_and_runs_any_command(server):
    report = run_program("redis-benchmark", "-p", server.port, "-n", 2000, "-q", "-t", "set,get",
                         "-P", 16, "--threads", 4)
    for kind in ["SET", "GET"]:
        line = rf"{kind}: \d+\.\d\d requests per second, p50=\d+\.\d+ msec"
        assert re.search(line, report), report
    report = run_program("redis-benchmark", "-p", server.port, "-n", 2000, "-q", "-r", 100000,
                         "-P", 8, "SETEX", "key:__rand_int__", "100", "__data__")
    assert "requests per second" in report
    assert server.info("keyspace")["db0"].startswith("keys=")


# --- redis-py ----------------------------------------------------------------------------------


@pytest.fixture(params=[2, 3], ids=["resp2", "resp3"])
def client(request, server):
    if request.param == 3 and not hasattr(redis.connection, "_RESP3Parser"):
        pytest.skip(f"redis-py {redis.__version__} knows no RESP3")
    options = {"protocol": 3} if request.param == 3 else {}
    client = server.redis(**options)
    assert client.client_info()["resp"] == str(request.param)
    return client


def test_py_strings(client):
    assert client.set("key", "value") is True
    assert client.get("key") == "value"
    assert client.get("none") is None
    assert client.set("key", "other", nx=True) is None
    assert client.set("key", "other", ex=100, get=True) == "value"
    assert 90 < client.ttl("key") <= 100
    assert client.mset({"a": "1", "b": "2"}) is True
    assert client.mget("a", "none", "b") == ["1", None, "2"]
    assert client.incrby("a", 41) == 42
    assert client.incrbyfloat("b", 0.5) == 2.5
    assert client.append("key", "!") == 6
    assert client.getrange("key", 1, 3) == "the"
    assert client.getex("key", px=10000) == "other!"
    assert client.getdel("key") == "other!"
    assert client.exists("key", "a", "a") == 2
    assert client.setbit("bits", 7, 1) == 0 and client.bitcount("bits") == 1
    assert client.bitfield("bits").set("u8", 0, 255).incrby("u8", 0, 1).execute() == [1, 0]
    assert client.pfadd("hll", "a", "b") == 1 and client.pfcount("hll") == 2
    assert client.lcs("a", "b", len=True) == 1
    with pytest.raises(redis.ResponseError, match="not an integer"):
        client.incr("b")
    with pytest.raises(redis.ResponseError, match="unknown command"):
        client.execute_command("NONSENSE")


def test_py_pipelines(client):
    pipeline = client.pipeline(transaction=False)
    for i in range(20000):
        pipeline.set(f"key:{i}", i)
        pipeline.get(f"key:{i}")
    replies = pipeline.execute()
    assert replies[::2] == [True] * 20000
    assert replies[1::2] == [str(i) for i in range(20000)]
    replies = pipeline.set("text", "x").incr("text").get("text").execute(raise_on_error=False)
    assert replies[0] is True and replies[2] == "x"
    assert isinstance(replies[1], redis.ResponseError)


def test_py_transactions_are_retried_until_nobody_interferes(client, server):
    """Several clients add one each, many times, by reading and writing back."""
    clients, times = 4, 100

    def add_one(pipeline):
        value = int(pipeline.get("sum") or 0)
        pipeline.multi()
        pipeline.set("sum", value + 1)

    def work(own):
        for _ in range(times):
            own.transaction(add_one, "sum")

    threads = [threading.Thread(target=work, args=[server.redis()]) for _ in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.get("sum") == str(clients * times)

    with client.pipeline() as pipeline:
        pipeline.watch("sum")
        server.redis().set("sum", "changed")
        pipeline.multi()
        pipeline.set("sum", "lost")
        with pytest.raises(redis.WatchError):
            pipeline.execute()
    assert client.get("sum") == "changed"


def test_py_scans(client):
    client.mset({f"key:{i}": i for i in range(5000)})
    assert sorted(client.scan_iter(count=100)) == sorted(f"key:{i}" for i in range(5000))
    assert len(set(client.scan_iter("key:1*"))) == 1111
    assert len(set(client.scan_iter(_type="string"))) == 5000
    assert not set(client.scan_iter(_type="list"))
    assert len(client.keys("key:??")) == 90


def test_py_expiry(client):
    client.set("short", "x", px=50)
    client.set("long", "x", ex=1000)
    client.set("kept", "x")
    wait_until(lambda: client.get("short") is None, "it expires")
    assert client.ttl("kept") == -1 and client.ttl("short") == -2
    assert client.expire("kept", 100) is True and client.persist("kept") is True
    assert client.expire("long", 10, gt=True) is False
    assert client.expiretime("long") > 0 and client.pttl("long") > 900000


def test_py_looks_after_the_server(client, server):
    lines = client.client_list()
    assert {"id", "addr", "name", "cmd", "resp"} <= set(lines[0])
    client.client_setname("me")
    assert client.client_getname() == "me"
    assert client.client_info()["name"] == "me"
    assert client.config_set("maxmemory-samples", 7) is True
    assert client.config_get("maxmemory-s*")["maxmemory-samples"] == "7"
    assert client.config_resetstat() is True
    assert client.info("server")["redis_version"].startswith("7.")
    assert client.info("keyspace") == {}
    assert client.memory_usage("none") is None
    assert client.dbsize() == 0 and client.ping() is True and client.echo("x") == "x"
    assert len(client.time()) == 2
    assert client.slowlog_len() >= 0 and isinstance(client.slowlog_get(), list)
    assert client.command_count() > 50 and "get" in client.command()
    assert client.execute_command("LATENCY", "LATEST") == []
    client.set("key", "12")
    assert client.object("encoding", "key") == "int"
    assert client.type("key") == "string"
    assert client.flushdb() is True and client.flushall(asynchronous=True) is True

    victim = server.redis()
    victim_id = victim.client_id()
    assert client.client_kill_filter(_id=victim_id) == 1
    assert victim.ping() is True  # on a new connection
    assert victim.client_id() != victim_id


def test_py_values_of_ten_megabytes(server, short_path, start_server):
    path = str(short_path / "s")
    local = start_server("--unixsocket", path, "--unixsocketperm", "700")
    value = os.urandom(10 * 1024 * 1024)
    for options in [{"port": local.port}, {"unix_socket_path": path}]:
        with redis.Redis(socket_timeout=PATIENCE_S, **options) as client:
            assert client.set("large", value) is True
            assert client.get("large") == value
            assert client.append("large", value) == 2 * len(value)
            assert client.getrange("large", len(value) - 1, len(value)) == value[-1:] + value[:1]
            assert client.mget(["large"] * 3) == [value + value] * 3
            assert client.setrange("large", 5, b"here") == 2 * len(value)
            assert client.get("large") == (value[:5] + b"here" + value[9:]) + value
            assert client.unlink("large") == 1
    assert local.redis(unix_socket_path=path).client_info()["addr"].startswith(path)


def test_py_blocking_pool_shared_by_threads(server):
    pool = redis.BlockingConnectionPool(port=server.port, max_connections=5, timeout=PATIENCE_S)
    shared = redis.Redis(connection_pool=pool)

    def work():
        for _ in range(200):
            shared.incr("count")

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shared.get("count") == b"4000"
    pool.disconnect()


# --- Node.js -----------------------------------------------------------------------------------


def node_major():
    version = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout
    return int(version.lstrip("v").split(".")[0])


@pytest.fixture(scope="session")
def node_modules():
    """The folder with the clients, installed if it is not there."""
    for program in ["node", "npm"]:
        if not shutil.which(program):
            pytest.skip(f"no {program} here")
    wanted, stamp = (NODE_FOLDER / "package.json").read_bytes(), INSTALLED / "installed"
    modules = INSTALLED / "node_modules"
    if stamp.exists() and stamp.read_bytes() == wanted:
        return modules
    INSTALLED.mkdir(parents=True, exist_ok=True)
    (INSTALLED / "package.json").write_bytes(wanted)
    command = ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts",
               "--fetch-retries=0", "--fetch-timeout=20000", "--loglevel=error"]
    try:
        done = subprocess.run(command, cwd=INSTALLED, capture_output=True, text=True,
                              timeout=INSTALL_LIMIT_S)
    except subprocess.TimeoutExpired:
        pytest.skip("npm takes too long")
    if done.returncode != 0:
        pytest.skip(f"npm could not install the clients: {done.stderr.strip()[-300:]}")
    stamp.write_bytes(wanted)
    return modules


@pytest.mark.parametrize("script, module, protocol, needs_node", [
    ("ioredis.js", "ioredis", 2, 12),
    ("ioredis.js", "ioredis6", 2, 20),
    ("ioredis.js", "ioredis6", 3, 20),
    ("ioredis.js", "iovalkey", 2, 18),
    ("node_redis.js", "redis4", 2, 14),
    ("node_redis.js", "redis", 2, 18),
    ("node_redis.js", "redis", 3, 18),
])
def test_node_client(server, node_modules, script, module, protocol, needs_node):
    if node_major() < needs_node:
        pytest.skip(f"{module} needs Node.js {needs_node}")
    done = subprocess.run(["node", NODE_FOLDER / script, module, str(server.port), str(protocol)],
                          env={**os.environ, "NODE_PATH": str(node_modules)},
                          capture_output=True, text=True, timeout=10 * PATIENCE_S)
    assert done.returncode == 0, f"{done.stdout}{done.stderr}"
    assert "ok quits" in done.stdout, done.stdout
