# SPDX-License-Identifier: BSD-3-Clause
"""valkey-benchmark, option by option, against this server and redis-server: what arrives there, and
what is printed."""

import contextlib
import csv
import json
import os
import pty
import re
import resource
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time
import xml.etree.ElementTree

import pytest

from conftest import Connection
from daemon_process import PATIENCE_S, SERVER, Daemons, free_port, state_of, wait_until

pytestmark = pytest.mark.once

BENCHMARK = os.path.join(os.path.dirname(SERVER), "valkey-benchmark")
REDIS_SERVER = shutil.which("redis-server")
LIMIT_S = 4 * PATIENCE_S


def run(*args, status=0, stdin=None, env=None):
    """The finished process; it ended with this status."""
    done = subprocess.run([BENCHMARK, *map(str, args)], input=stdin, capture_output=True, text=True,
                          timeout=LIMIT_S, env={**os.environ, **(env or {})})
    assert done.returncode == status, (args, done.returncode, done.stdout[-2000:], done.stderr)
    return done


@pytest.fixture(scope="module")
def daemons(tmp_path_factory):
    daemons = Daemons(tmp_path_factory.mktemp("bench"))
    yield daemons
    daemons.close()


@pytest.fixture(scope="module")
def ours(daemons):
    path = os.path.join(daemons.folder, "s")
    server = daemons.start("--save", "", "--unixsocket", path)
    server.path = path
    return server


@pytest.fixture(scope="module")
def peer(daemons):
    if not REDIS_SERVER:
        pytest.skip("no redis-server here")
    return daemons.start("--save", "", program=REDIS_SERVER, extra_args=False)


class Target:
    """A server that a test uses alone, as it looks before and after a run."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.port = daemon.port
        self.client = daemon.client()
        self.client.config_resetstat()
        self.client.flushall()

    def run(self, *args, **options):
        return run("-p", self.port, *args, **options)

    def json(self, *args, **options):
        document = json.loads(self.run("--json", *args, **options).stdout)
        return document, document["tests"]

    def calls(self, command):
        return self.client.info("commandstats").get("cmdstat_" + command, {}).get("calls", 0)


@pytest.fixture
def target(ours):
    return Target(ours)


@pytest.fixture(params=["ours", "peer"])
def each(request):
    return Target(request.getfixturevalue(request.param))


# --- what is sent ------------------------------------------------------------------------------


@pytest.mark.parametrize("pipeline, threads", [(1, 1), (7, 1), (16, 3)])
def test_the_number_of_requests_is_exact(each, pipeline, threads):
    _, tests = each.json("-t", "set,ping_inline", "-n", 5003, "-P", pipeline, "-c", 20, "--threads",
                         threads)
    assert [(t["test"], t["requests"]) for t in tests] == [("ping_inline", 5003), ("set", 5003)]
    assert each.calls("set") == 5003 and each.calls("ping") == 5003


def test_all_tests_run_and_what_the_server_lacks_is_left_out(each):
    done = each.run("-n", 200, "-q", "-r", 50)
    titles = re.findall(r"^(.+): [\d.]+ requests per second, p50=[\d.]+ msec$", done.stdout, re.M)
    names = ["PING_INLINE", "PING_MBULK", "SET", "GET", "INCR", "LPUSH", "RPUSH", "LPOP", "RPOP",
             "SADD", "HSET", "SPOP", "ZADD", "ZPOPMIN", "LPUSH (needed to benchmark LRANGE)",
             "LRANGE_100 (first 100 elements)", "LRANGE_300 (first 300 elements)",
             "LRANGE_500 (first 500 elements)", "LRANGE_600 (first 600 elements)", "MSET (10 keys)",
             "MGET (10 keys)", "XADD", "FUNCTION LOAD", "FCALL"]
    left_out = re.findall(r"^(.+?) is left out", done.stderr, re.M)
    assert titles == [name for name in names if name not in left_out]
    assert set(left_out) <= {"XADD", "FUNCTION LOAD", "FCALL"}


def test_a_test_asked_for_by_name_is_not_left_out(target):
    assert "there is no test 'nonsense'" in target.run("-t", "set,nonsense", status=1).stderr


def test_functions_are_loaded_and_called(peer):
    target = Target(peer)
    target.run("-t", "function_load,fcall", "-n", 20, "-r", 5, "--num-functions", 7,
               "--num-keys-in-fcall", 2)
    assert len(target.client.function_list()[0][5]) == 7
    assert target.calls("fcall") == 20
    assert target.calls("function|load") == 21
    assert 1 <= target.client.dbsize() <= 5
    target.client.function_flush()


def test_values_have_their_size(each):
    each.run("-t", "set", "-n", 10, "-d", 1000, "-q")
    assert each.client.strlen("key:__rand_int__") == 1000


def test_random_keys_stay_below_the_limit_and_the_seed_repeats_them(each):
    keys = []
    for seed in (5, 5, 6):
        each.client.flushall()
        each.run("-t", "set", "-n", 30, "-c", 1, "-r", 1000, "--seed", seed)
        keys.append(sorted(each.client.keys()))
    assert keys[0] == keys[1] != keys[2]
    assert all(re.fullmatch(r"key:0{9}\d{3}", key) for key in keys[0])


@pytest.mark.parametrize("threads", [1, 2])
def test_sequential_keys_miss_none(each, threads):
    each.run("-t", "set", "-n", 1000, "-P", 8, "-r", 1000, "--sequential", "--threads", threads)
    assert each.client.dbsize() == 1000
    assert each.client.exists("key:000000000000", "key:000000000999") == 2


@pytest.mark.parametrize("threads", [1, 3])
def test_sequential_keys_begin_again_at_the_first(each, threads):
    """2.5 rounds of 40 keys: each of the first 20 three times, each of the others twice."""
    each.run("-n", 100, "-P", 7, "-c", 4, "-r", 40, "--sequential", "--threads", threads, "incr",
             "n:__rand_int__")
    counts = [int(each.client.get(f"n:{i:012}")) for i in range(40)]
    assert counts == [3] * 20 + [2] * 20 and each.client.dbsize() == 40


def test_a_sequence_of_commands_with_shared_numbers(each):
    each.run("-n", 400, "-P", 2, "-r", 100000, "-d", 5, "--", "set", "a:__rand_1st__", "__data__",
             ";", "2", "append", "a:__rand_1st__", "x", ";", "set", "b:__rand_2nd__", "v")
    assert each.calls("set") == 200 and each.calls("append") == 200
    lengths = {each.client.strlen(key) for key in each.client.keys("a:*")}
    assert lengths == {7}
    assert len(each.client.keys("b:*")) > 90


def test_the_last_word_from_standard_input(each):
    each.run("-n", 1, "-c", 1, "-x", "set", "key", stdin="from\nstdin")
    assert each.client.get("key") == "from\nstdin"


def test_a_database_and_resp3_and_tracking(each):
    each.run("-n", 100, "--dbnum", 3, "-3", "--enable-tracking", "-r", 10, "-c", 4, "--", "set",
             "k:__rand_int__", "v", ";", "get", "k:__rand_int__")
    assert each.client.info("keyspace")["db3"]["keys"] <= 10
    assert each.calls("hello") == 5 and each.calls("client|tracking") == 4
    each.client.flushall()


def test_without_keep_alive_each_pipeline_has_a_connection(each):
    before = each.client.info("stats")["total_connections_received"]
    each.run("-t", "ping_mbulk", "-n", 60, "-P", 2, "-c", 3, "-k", 0, "-q")
    assert each.client.info("stats")["total_connections_received"] - before >= 30
    assert each.calls("ping") == 60


# --- where the server is -----------------------------------------------------------------------


def test_hosts_sockets_and_uris(ours):
    for where in (["-h", "localhost", "-p", ours.port], ["-s", ours.path],
                  ["-u", f"valkey://127.0.0.1:{ours.port}/2"]):
        run(*where, "-t", "set", "-n", 5, "-q")
    assert ours.client(db=2).exists("key:__rand_int__")


def test_passwords_and_users(daemons):
    if not REDIS_SERVER:
        pytest.skip("no redis-server here")
    server = daemons.start("--save", "", "--requirepass", "secret", program=REDIS_SERVER,
                           extra_args=False)
    server.client(password="secret").acl_setuser("ann", enabled=True, passwords=["+pw"], keys=["*"],
                                                 commands=["+@all"])
    common = ["-p", server.port, "-t", "ping", "-n", 5, "-q"]
    run(*common, "-a", "secret")
    run(*common, env={"VALKEYCLI_AUTH": "secret"})
    run(*common, "--user", "ann", "-a", "pw")
    run(*common, "-u", f"redis://ann:pw@127.0.0.1:{server.port}")
    assert "WRONGPASS" in run(*common, "-a", "wrong", status=1).stderr
    assert "NOAUTH" in run(*common, status=1).stderr


def test_multipath_tcp_or_a_clear_refusal(ours):
    done = subprocess.run([BENCHMARK, "-p", str(ours.port), "--mptcp", "-t", "ping", "-n", "5"],
                          capture_output=True, text=True, timeout=LIMIT_S)
    assert done.returncode == 0 or "Multipath TCP" in done.stderr


def test_rdma_is_refused(ours):
    assert "RDMA" in run("-p", ours.port, "--rdma", status=1).stderr


@pytest.fixture(scope="module")
def tls(daemons, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    if not REDIS_SERVER or not shutil.which("openssl"):
        pytest.skip("no redis-server, or no openssl here")

    def openssl(*args):
        subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.crt",
            "-subj", "/CN=authority", "-days", "2")
    openssl("req", "-newkey", "rsa:2048", "-nodes", "-keyout", "own.key", "-out", "own.csr", "-subj",
            "/CN=localhost")
    openssl("x509", "-req", "-in", "own.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-out", "own.crt",
            "-days", "2", "-CAcreateserial")
    openssl("rehash", ".")
    port = free_port()
    server = daemons.start("--save", "", "--tls-port", port, "--tls-cert-file", folder / "own.crt",
                           "--tls-key-file", folder / "own.key", "--tls-ca-cert-file",
                           folder / "ca.crt", program=REDIS_SERVER, extra_args=False)
    server.tls_port, server.certificates = port, folder
    return server


def test_tls(tls):
    folder = tls.certificates
    own = ["--cert", folder / "own.crt", "--key", folder / "own.key"]
    common = ["-p", tls.tls_port, "-t", "set", "-n", 2000, "-P", 4, "-d", 300, "--tls"]
    for more in (["--cacert", folder / "ca.crt", "--sni", "localhost"], ["--cacertdir", folder],
                 ["--insecure"], ["--insecure", "--tls-ciphers", "ECDHE-RSA-AES128-GCM-SHA256",
                                  "--tls-ciphersuites", "TLS_AES_128_GCM_SHA256"]):
        document = json.loads(run(*common, *own, *more, "--json").stdout)
        assert document["tls"] and document["tests"][0]["requests"] == 2000
    assert "certificate" in run(*common, *own, status=1).stderr
    run(*common, "--insecure", status=1)  # the server wants to see one of ours
    run(*common, *own, "--insecure", "--tls-ciphersuites", "NONSENSE", status=1)


def test_without_keep_alive_over_tls_replies_may_come_in_pieces(tls):
    tls.client().set("large", "x" * 300000)
    done = run("-p", tls.tls_port, "--tls", "--cacert", tls.certificates / "ca.crt", "--cert",
               tls.certificates / "own.crt", "--key", tls.certificates / "own.key", "-k", 0, "-c", 4,
               "-n", 100, "--json", "get", "large")
    assert json.loads(done.stdout)["tests"][0]["requests"] == 100


def test_tls_offers_what_it_was_told_to(tls):
    """A server of our own sees the name asked for and the cipher agreed on, on each connection."""
    seen = []

    def serve(listener, context):
        def answer(connection):
            with contextlib.suppress(OSError), context.wrap_socket(connection, True) as stream:
                seen.append((stream.server_name, stream.version(), stream.cipher()[0]))
                while request := stream.recv(65536):
                    stream.sendall(b"+OK\r\n" * request.count(b"*"))

        with contextlib.suppress(OSError):  # until the listener is closed
            while True:
                threading.Thread(target=answer, args=[listener.accept()[0]], daemon=True).start()

    class Stream(ssl.SSLSocket):
        server_name = None

    def note_name(stream, name, _):
        stream.server_name = name

    for version, ciphers in ((ssl.TLSVersion.TLSv1_2, ["--tls-ciphers", "ECDHE-RSA-AES128-GCM-SHA256"]),
                             (ssl.TLSVersion.TLSv1_3, ["--tls-ciphersuites", "TLS_AES_128_GCM_SHA256"])):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.sslsocket_class, context.sni_callback = Stream, note_name
        context.maximum_version = version
        context.load_cert_chain(tls.certificates / "own.crt", tls.certificates / "own.key")
        with socket.create_server(("127.0.0.1", 0)) as listener:
            threading.Thread(target=serve, args=[listener, context], daemon=True).start()
            run("-p", listener.getsockname()[1], "--tls", "--cacert", tls.certificates / "ca.crt",
                "--sni", "some.name", *ciphers, "-n", 20, "-c", 2, "-t", "set", "-q")
    assert seen == 3 * [("some.name", "TLSv1.2", "ECDHE-RSA-AES128-GCM-SHA256")] + \
        3 * [("some.name", "TLSv1.3", "TLS_AES_128_GCM_SHA256")]


# --- cluster -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def cluster(daemons):
    """Two primaries and a replica of the first."""
    if not REDIS_SERVER:
        pytest.skip("no redis-server here")
    nodes, bus_ports = [], [free_port() for _ in range(3)]
    for bus_port in bus_ports:
        nodes.append(daemons.start(
            "--save", "", "--cluster-enabled", "yes", "--cluster-node-timeout", 15000,
            "--cluster-port", bus_port, "--repl-diskless-sync-delay", 0,
            # CLUSTER SLOTS leaves out a replica that has not received a byte of the stream
            "--repl-ping-replica-period", 1, program=REDIS_SERVER, extra_args=False))
    clients = [node.client() for node in nodes]
    clients[0].execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 8191)
    clients[1].execute_command("CLUSTER", "ADDSLOTSRANGE", 8192, 16383)
    for one, other in ((0, 1), (0, 2), (1, 2)):  # gossip would bring the last two together, later
        clients[one].execute_command("CLUSTER", "MEET", "127.0.0.1", nodes[other].port,
                                     bus_ports[other])
    first = clients[0].execute_command("CLUSTER", "MYID")
    wait_until(lambda: all("handshake" not in str(nodes_of) and str(nodes_of).count("connected") >= 3
                           for nodes_of in [c.execute_command("CLUSTER NODES") for c in clients]),
               "the nodes know each other")
    clients[2].execute_command("CLUSTER", "REPLICATE", first)
    wait_until(lambda: all(c.execute_command("CLUSTER INFO")["cluster_state"] == "ok"
                           for c in clients), "the cluster is up")
    replication = clients[2].info
    wait_until(lambda: replication("replication").get("master_link_status") == "up", "a replica")
    port = str(nodes[2].port)
    wait_until(lambda: port in str(clients[0].execute_command("CLUSTER SLOTS")), "it is known")
    return nodes, clients


def test_a_cluster(cluster):
    nodes, clients = cluster
    common = ["--cluster", "-p", nodes[0].port, "-r", 100000, "-q"]
    done = run(*common, "-t", "set,mset,lpush", "-n", 2000, "-c", 10, "--threads", 2)
    assert done.stdout.count("requests per second") == 3
    sizes = [client.dbsize() for client in clients[:2]]
    assert min(sizes) > 4000
    for client in clients:
        client.config_resetstat()

    def gets():
        counts = [c.info("commandstats").get("cmdstat_get", {}).get("calls", 0) for c in clients]
        for client in clients:
            client.config_resetstat()
        return counts

    run(*common, "-n", 600, "-c", 6, "get", "key:{tag}:__rand_int__")
    assert gets()[2] == 0
    run(*common, "-n", 600, "-c", 6, "--rfr", "yes", "get", "key:{tag}:__rand_int__")
    assert gets() == [0, 0, 600]
    run(*common, "-n", 600, "-c", 6, "--rfr", "all", "get", "key:{tag}:__rand_int__")
    assert min(gets()) > 0

    def share():
        run(*common, "-n", 400, "-c", 4, "--rps", 2000, "get", "key:{tag}:__rand_int__")
        return min(gets()[:2])

    # A node that waits for a processor is overtaken: then once more.
    wait_until(lambda: share() > 150, "connections take turns, though one could do it all")


def test_redirections_are_followed_to_the_new_node(cluster):
    nodes, clients = cluster
    ids = [client.execute_command("CLUSTER", "MYID") for client in clients]
    process = subprocess.Popen([BENCHMARK, "--cluster", "-p", str(nodes[0].port), "--duration", "60",
                                "--rps", "2000", "--json", "-c", "4", "-t", "get", "-r", "10"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until(lambda: clients[1].info("commandstats").get("cmdstat_get"), "requests")
    slots = range(8192, 8192 + 2000)
    clients[0].flushall(), clients[1].flushall()
    for client in (clients[0], clients[1]):
        pipeline = client.pipeline(transaction=False)
        for slot in slots:
            pipeline.execute_command("CLUSTER", "SETSLOT", slot, "NODE", ids[0])
        pipeline.execute()
    wait_until(lambda: clients[1].info("errorstats").get("errorstat_MOVED"), "redirections")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 130, err
    assert json.loads(out)["tests"][0]["redirections"] > 0
    assert "try --cluster" in run("-p", nodes[0].port, "-n", 2000, "-r", 1000, "-t", "set",
                                  status=1).stderr


def test_cluster_of_a_server_that_is_in_none(peer):
    assert "cluster" in run("-p", peer.port, "--cluster", status=1).stderr


# --- rate, time --------------------------------------------------------------------------------


def test_a_duration_after_a_warm_up(target):
    _, tests = target.json("-t", "get", "--duration", 0.5, "--warmup", 0.3, "-c", 5)
    assert 0.45 < tests[0]["seconds"] < 2
    assert 0 < tests[0]["requests"] < target.calls("get")  # what was sent while warming up is more


def test_a_rate_is_kept(each):
    _, tests = each.json("-t", "get", "--duration", 1, "--rps", 2000, "-c", 10, "--threads", 2)
    assert 1700 < tests[0]["rps"] < 2300


def test_a_server_that_stalls_is_charged_for_what_was_due_meanwhile(each):
    """One connection, 100 requests a second; the server sleeps 0.5 s in the middle. Nobody sent the
    50 requests that were due then, but they count: a quarter of all, and half of them 250 ms."""
    process = subprocess.Popen([BENCHMARK, "-p", str(each.port), "-t", "get", "-c", "1", "--rps",
                                "100", "-n", "200", "--json"], stdout=subprocess.PIPE, text=True)
    wait_until(lambda: each.calls("get") >= 20, "some requests")
    each.daemon.signal(signal.SIGSTOP)
    time.sleep(0.5)
    each.daemon.signal(signal.SIGCONT)
    latency = json.loads(process.communicate(timeout=LIMIT_S)[0])["tests"][0]["latency_ms"]
    assert latency["max"] > 400
    assert latency["p90"] > 100


# --- output ------------------------------------------------------------------------------------


def test_text_says_what_users_look_for(each):
    text = each.run("-t", "set", "-n", 1000, "-r", 10).stdout
    for pattern in (r"^====== SET ======$", r"^  1000 requests completed in [\d.]+ seconds$",
                    r"^  50 parallel clients$", r"^  3 bytes payload$", r"^  keep alive: 1$",
                    r"^Latency by percentile distribution:$",
                    r"^100.000% <= [\d.]+ milliseconds \(cumulative count 1000\)$",
                    r"^Cumulative distribution of latencies:$",
                    r"^  throughput summary: [\d.]+ requests per second$",
                    r"^ +avg +min +p50 +p95 +p99 +max$"):
        assert re.search(pattern, text, re.M), pattern
    assert "\r" not in text  # no live line where there is no terminal


def test_precision_is_the_number_of_decimals(target):
    line = target.run("-t", "ping_inline", "-n", 100, "-q", "--precision", 5).stdout
    assert re.search(r"p50=\d+\.\d{5} msec", line)


def test_csv(each):
    rows = list(csv.DictReader(each.run("-t", "ping", "-n", 500, "--csv").stdout.splitlines()))
    assert [row["test"] for row in rows] == ["PING_INLINE", "PING_MBULK"]
    assert list(rows[0]) == ["test", "rps", "avg_latency_ms", "min_latency_ms", "p50_latency_ms",
                             "p95_latency_ms", "p99_latency_ms", "max_latency_ms"]
    values = [float(rows[0][name]) for name in list(rows[0])[3:]]
    assert values == sorted(values) and float(rows[0]["rps"]) > 0


def test_json_has_the_figures_of_each_test(each):
    document, tests = each.json("-n", 500, "-P", 5, "-r", 10, "set", 'key"\n', "\x01")
    assert document["pipeline"] == 5 and document["server"].endswith(str(each.port))
    test = tests[0]
    assert test["test"] == 'set key"\n \x01' and test["requests"] == 500
    latency = [test["latency_ms"][name] for name in
               ("min", "p50", "p90", "p95", "p99", "p99_9", "p99_99", "max")]
    assert latency == sorted(latency) and latency[0] > 0
    assert test["client_user_s"] + test["client_system_s"] > 0
    step, whole = test["interval_s"], test["seconds"]  # the last interval ends with the test
    requests = sum(sample["rps"] * min(step, whole - i * step)
                   for i, sample in enumerate(test["series"]))
    assert abs(requests - 500) < 2


def test_the_report_is_one_file_with_charts(each, tmp_path):
    path = tmp_path / "report.html"
    each.run("-t", "set,get", "-n", 3000, "--report", path, "-q")
    page = path.read_text()
    charts = re.findall(r"<svg.*?</svg>", page, re.S)
    assert len(charts) == 7  # throughput of both; for each, two over time and the percentiles
    for chart in charts:
        xml.etree.ElementTree.fromstring(chart)
    assert "polyline" in page and "http" not in page and "src=" not in page
    assert os.listdir(tmp_path) == ["report.html"]
    assert "cannot open" in each.run("-t", "get", "-n", 10, "--report", "/nowhere/r.html",
                                     status=1).stderr


def test_help_and_versions(ours):
    text = run("--help").stdout
    for word in ("--rps", "--cacertdir", "-P <count>", "--fuzz-loglevel", "function_load"):
        assert word in text
    assert run("--version").stdout == run("-v").stdout
    assert re.fullmatch(r"valkey-benchmark \d+\.\d+\.\d+\n", run("-v").stdout)


@pytest.mark.parametrize("args, complaint", [
    (["--nonsense"], "no option --nonsense"), (["-n"], "-n needs an argument"),
    (["-n", "0"], "-n"), (["-c", "x"], "-c"), (["-k", "2"], "-k"), (["--rfr", "some"], "--rfr"),
    (["--sequential"], "-r"), (["--rfr", "all"], "--cluster"), (["-x"], "-x needs a command"),
    (["--fuzz-mode", "x"], "modes are"), (["--fuzz-loglevel", "x"], "--fuzz-loglevel"),
    (["--seed", "-1"], "--seed"), (["--duration", "x"], "--duration"),
])
def test_wrong_options_are_refused(args, complaint):
    assert complaint in run(*args, status=1).stderr


# --- what goes wrong ---------------------------------------------------------------------------


def test_an_error_ends_the_run_unless_errors_are_shown(each):
    done = each.run("-n", 100, "nonsense", "word", status=1)
    assert "Error from server: ERR unknown command" in done.stderr and not done.stdout
    done = each.run("-n", 1000, "-q", "-e", "nonsense", "word")
    assert 1 <= done.stderr.count("Error from server") <= 3
    assert json.loads(each.run("-n", 300, "-e", "--json", "nonsense").stdout)["tests"][0]["errors"] == 300


def test_no_server_no_run():
    done = run("-p", free_port(), status=1)
    assert "Could not connect to the server at 127.0.0.1" in done.stderr


def expect_it_says_that_the_server_died(server, number, *args):
    process = subprocess.Popen([BENCHMARK, "-t", "set", "--duration", "60", *map(str, args)],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    client = server.client()
    wait_until(lambda: client.info("commandstats").get("cmdstat_set"), "requests")
    server.signal(number)
    out, err = process.communicate(timeout=LIMIT_S)
    server.wait_for_exit()
    assert process.returncode == 1 and not out
    assert len(err.splitlines()) == 1 and "connection" in err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
@pytest.mark.parametrize("threads", [1, 3])
def test_the_server_dies_in_the_middle(daemons, number, threads):
    server = daemons.start("--save", "")
    expect_it_says_that_the_server_died(server, number, "-p", server.port, "--threads", threads)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_server_dies_in_the_middle_of_tls(daemons, tls, number):
    port, folder = free_port(), tls.certificates
    server = daemons.start("--save", "", "--tls-port", port, "--tls-auth-clients", "no",
                           "--tls-cert-file", folder / "own.crt", "--tls-key-file",
                           folder / "own.key", "--tls-ca-cert-file", folder / "ca.crt",
                           program=REDIS_SERVER, extra_args=False)
    expect_it_says_that_the_server_died(server, number, "-p", port, "--tls", "--cacert",
                                        folder / "ca.crt")


def test_a_server_that_sends_no_replies():
    """What it sends is not RESP: an error, and no endless wait."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        def answer():
            with contextlib.suppress(OSError):  # the listener is closed when the program has ended
                while True:
                    connection, _ = listener.accept()
                    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        threading.Thread(target=answer, daemon=True).start()
        done = run("-p", listener.getsockname()[1], "-t", "ping", "-n", 10, "-c", 1, status=1)
    assert done.stderr


def test_a_reply_before_its_request_was_sent_ends_the_run():
    """A value that is too long for the server is refused while most of it is still to be sent."""
    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.ExitStack() as stack:
        def answer():
            with contextlib.suppress(OSError):
                while True:
                    connection = stack.enter_context(listener.accept()[0])
                    if b"SET" in connection.recv(1000):
                        connection.sendall(b"-ERR Protocol error: invalid bulk length\r\n")
                    else:
                        connection.sendall(2 * b"-ERR nothing\r\n" + b"-ERR info\r\n")

        threading.Thread(target=answer, daemon=True).start()
        done = run("-p", listener.getsockname()[1], "-t", "set", "-d", 50000000, "-c", 1, "-e",
                   "-n", 100, status=1)
    assert "before it was sent" in done.stderr and not done.stdout


def interrupt(*args, when):
    process = subprocess.Popen([BENCHMARK, *map(str, args)], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    wait_until(when, "it runs")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=LIMIT_S)
    return process.returncode, out, err


def test_ctrl_c_prints_what_was_measured(each):
    status, out, err = interrupt("-p", each.port, "-t", "set,get", "--duration", 60,
                                 when=lambda: each.calls("set") > 100)
    assert status == 130 and "====== SET ======" in out and not err
    assert each.calls("get") == 0


def test_ctrl_c_ends_what_waits_for_standard_input(target):
    """As in any other program: the signal itself."""
    process = subprocess.Popen([BENCHMARK, "-p", str(target.port), "-x", "set", "k"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until(lambda: state_of(process.pid) == "S", "it waits")
    process.send_signal(signal.SIGINT)
    assert process.wait(PATIENCE_S) in (-signal.SIGINT, 130)
    process.communicate()


@pytest.mark.parametrize("args, links", [([], 1), (["--cluster"], 2)])
def test_ctrl_c_ends_what_waits_for_a_server_that_says_nothing(args, links):
    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.ExitStack() as stack:
        def is_asked():
            connections = [stack.enter_context(listener.accept()[0]) for _ in range(links)]
            return connections[-1].recv(1000)

        listener.settimeout(PATIENCE_S)
        outcome = interrupt("-p", listener.getsockname()[1], *args, when=is_asked)
    assert outcome == (130, "", "")


def test_the_loop_goes_on_until_ctrl_c(each):
    status, out, _ = interrupt("-p", each.port, "-t", "ping_inline", "-n", 100, "-l", "--csv",
                               when=lambda: each.calls("ping") > 500)
    assert status == 130 and out.count('"PING_INLINE"') >= 5


def test_idle_connections_stay_until_ctrl_c(each):
    status, _, _ = interrupt("-p", each.port, "-I", "-c", 300,
                             when=lambda: each.client.info("clients")["connected_clients"] >= 300)
    assert status == 130


def test_output_that_nobody_reads_ends_it(target):
    process = subprocess.Popen([BENCHMARK, "-p", str(target.port), "-t", "ping_inline", "-n", "100",
                                "-l", "-q"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(LIMIT_S) == 1
    assert b"Broken pipe" in process.stderr.read()


def test_a_terminal_shows_how_it_goes(target):
    controller, terminal = pty.openpty()
    process = subprocess.Popen([BENCHMARK, "-p", str(target.port), "-t", "get", "--duration", "1",
                                "-q"], stdout=terminal)
    os.close(terminal)
    shown = b""
    while True:
        try:
            shown += os.read(controller, 4096)
        except OSError:  # the other end is closed
            break
    os.close(controller)
    assert process.wait(LIMIT_S) == 0
    assert len(re.findall(rb"\rGET: rps=[\d.]+ \(overall: [\d.]+\) avg_msec=", shown)) >= 2
    assert re.search(rb"\rGET: [\d.]+ requests per second", shown)


def test_large_values_in_both_directions(each):
    """More than sockets hold: what is not sent at once waits, and replies come in pieces."""
    _, tests = each.json("-n", 60, "-c", 3, "-P", 4, "-d", 2000000, "--", "set", "k", "__data__",
                         ";", "get", "k")
    assert tests[0]["requests"] >= 60
    assert each.client.strlen("k") == 2000000


# --- fuzzing -----------------------------------------------------------------------------------


def test_fuzzing_sends_random_commands_and_the_server_lives(each):
    done = each.run("--fuzz", "-n", 400, "--seed", 1, "-c", 3)
    assert re.search(r"^Done: 400 requests, \d+ error replies", done.stdout, re.M)
    commands = [name for name in each.client.info("commandstats")]
    assert len(commands) > 50
    each.client.flushall()


def test_fuzzing_can_be_malformed_and_configure(daemons):
    server = daemons.start("--save", "")
    done = run("-p", server.port, "--fuzz-mode", "malformed-commands,config-commands", "-n", 300,
               "--fuzz-loglevel", "debug", "--seed", 2)
    assert "(damaged)" in done.stdout and '"CONFIG" "SET"' in done.stdout
    assert run("-p", server.port, "--fuzz", "-n", 50, "--fuzz-loglevel", "none").stdout == ""
    with Connection(server).socket:
        pass  # it still accepts


def test_fuzzing_tells_what_it_sent_to_a_server_that_died(start_server):
    server = start_server("--save", "")
    process = subprocess.Popen([BENCHMARK, "-p", str(server.port), "--fuzz", "--duration", "60",
                                "--seed", "3", "--fuzz-loglevel", "error"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    wait_until(lambda: int(server.info("stats")["total_commands_processed"]) > 50, "requests")
    server.stop()
    out, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 1 and "--seed 3" in err and len(err.splitlines()) >= 11
    assert not out


def test_the_last_requests_of_fuzzing_are_told_in_their_order(start_server):
    server = start_server("--save", "")
    process = subprocess.Popen([BENCHMARK, "-p", str(server.port), "--fuzz", "--duration", "60",
                                "--fuzz-loglevel", "debug"], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    while int(server.info("stats")["total_commands_processed"]) < 50:
        assert process.stdout.readline()
    server.stop()
    out, err = process.communicate(timeout=LIMIT_S)
    requests = [line for line in out.splitlines() if line.startswith(' "')]
    assert len(requests) >= 10
    assert err.splitlines()[1:11] == [" " + request for request in requests[-10:]]


def test_too_few_descriptors_are_an_error(ours):
    """One more each time: the error is said whatever could not be opened."""
    most, needed = 64, None

    def leave(free):
        os.closerange(3, 1000)
        for _ in range(most - 3 - free):
            os.set_inheritable(os.open(os.devnull, os.O_RDONLY), True)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))

    for free in range(1, 12):  # one: to load its libraries
        done = subprocess.run([BENCHMARK, "-p", str(ours.port), "-t", "ping", "-n", "10", "-c", "1"],
                              close_fds=False, preexec_fn=lambda: leave(free), text=True,
                              capture_output=True, timeout=LIMIT_S, check=False)
        if done.returncode == 0:
            needed = free
            break
        assert done.returncode == 1 and done.stderr and not done.stdout, (free, done)
    assert needed and needed > 4
