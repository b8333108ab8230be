# SPDX-License-Identifier: BSD-3-Clause
"""The modes of valkey-cli that look at a server or feed it: --pipe, --rdb, --stat, --bigkeys..."""

import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import threading

import pytest

from cli_program import CLI, Ended, environment
from conftest import encode
from daemon_process import PATIENCE_S, Daemons, free_port, wait_until

REDIS = shutil.which("redis-server")
BOTH = ["ours", pytest.param("redis", marks=pytest.mark.skipif(not REDIS, reason="no redis-server"))]

pytestmark = [pytest.mark.skipif(not os.path.exists(CLI), reason="valkey-cli is not built"),
              pytest.mark.once]
needs_redis = pytest.mark.skipif(not REDIS, reason="no redis-server to compare with")


class Peer:
    """A server of either kind, and valkey-cli pointed at it."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.port = daemon.port
        self.redis = daemon.client()

    def command(self, *args):
        return [CLI, "-p", str(self.port), *map(str, args)]

    def run(self, *args, **options):
        return run(*self.command(*args), **options)

    def start(self, *args, **options):
        usual = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE,
                 "env": environment()}
        return subprocess.Popen(self.command(*args), **{**usual, **options})


def run(*command, **options):
    if "stdin" not in options and "input" not in options:
        options["stdin"] = subprocess.DEVNULL
    return Ended(subprocess.run(command, capture_output=True, timeout=PATIENCE_S * 2, check=False,
                                env=environment(), **options))


def run_for(process, condition):
    """Lets a process that goes on for ever run until its output has this, then presses Ctrl-C."""
    out = b""
    os.set_blocking(process.stdout.fileno(), False)

    def more():
        nonlocal out
        out += process.stdout.read() or b""
        return condition(out.decode("latin-1"))

    wait_until(more, "the output")
    process.send_signal(signal.SIGINT)
    rest, err = process.communicate(timeout=PATIENCE_S)
    return Ended(subprocess.CompletedProcess(process.args, process.returncode, out + (rest or b""),
                                             err or b""))


@pytest.fixture
def start_peer(tmp_path):
    folder = tmp_path / "peers"
    folder.mkdir()
    daemons = Daemons(folder)

    def start(kind, *args):
        if kind == "redis":
            args = ("--save", "", "--repl-diskless-sync-delay", 0, *args)
            return Peer(daemons.start(*args, program=REDIS, extra_args=False))
        return Peer(daemons.start(*args))

    yield start
    daemons.close()


@pytest.fixture(params=BOTH)
def kind(request):
    return request.param


@pytest.fixture
def peer(start_peer, kind):
    return start_peer(kind)


@pytest.fixture(params=["-2", "-3"])
def protocol(request):
    return request.param


# ---- --pipe ----

def test_pipe_counts_replies_and_errors_of_lines_and_requests(peer, protocol):
    text = b"SET a 1\r\nnonsense\r\n" + encode(["INCR", "a"]) + b"PING\nINCR a"  # no end of line
    done = peer.run(protocol, "--pipe", input=text)
    assert done.status == 1, done
    assert done.out.endswith("Last reply received from server.\nerrors: 1, replies: 5\n"), done
    assert "unknown command" in done.err
    assert peer.redis.get("a") == "3"


def test_pipe_without_errors_ends_with_status_0(peer, protocol):
    done = peer.run(protocol, "--pipe", "-n", 3, input=b"SET a 1\r\n" * 3)
    assert (done.status, done.err) == (0, ""), done
    assert "errors: 0, replies: 3" in done.out
    assert peer.redis.info("keyspace")["db3"]["keys"] == 1


@pytest.mark.parametrize("how", ["file", "pipe"])
def test_pipe_carries_a_large_input_with_large_replies(start_peer, tmp_path, how):
    peer = start_peer("ours")
    value = os.urandom(1000)
    requests = b"".join(encode(["SET", f"k{i}", value]) + encode(["GET", f"k{i}"])
                        for i in range(10000))
    if how == "file":
        path = tmp_path / "input"
        path.write_bytes(requests)
        with open(path, "rb") as file:
            done = peer.run("--pipe", stdin=file)
    else:
        done = peer.run("--pipe", input=requests)
    assert done.status == 0, done
    assert "errors: 0, replies: 20000\n" in done.out
    assert peer.redis.dbsize() == 10000


def test_pipe_of_nothing(start_peer):
    done = start_peer("ours").run("--pipe", input=b"")
    assert (done.status, done.err) == (0, "")
    assert "errors: 0, replies: 0\n" in done.out


def test_pipe_gives_up_on_a_last_reply_that_does_not_come(start_peer):
    done = start_peer("ours").run("--pipe", "--pipe-timeout", 1,
                                  input=b"PING\r\n*2\r\n$4\r\nECHO\r\n$1000\r\nx")
    assert done.status == 1
    assert "No replies for 1 seconds: exiting." in done.err
    assert "errors: 0, replies: 1\n" in done.out


def test_pipe_says_that_the_server_has_gone(start_peer):
    peer = start_peer("ours")
    process = peer.start("--pipe", stdin=subprocess.PIPE)
    process.stdin.write(b"SET a 1\r\n" * 5)
    process.stdin.flush()
    wait_until(lambda: peer.redis.exists("a"), "the first commands")
    peer.daemon.process.kill()
    assert process.wait(PATIENCE_S) == 1  # though the input has not ended
    process.stdin.close()
    assert b"Error: " in process.stderr.read()
    assert b"errors: 0, replies: 5\n" in process.stdout.read()


def test_pipe_shows_refusals_and_logs_in(start_peer):
    peer = start_peer("ours", "--requirepass", "secret")
    done = peer.run("--pipe", "--pipe-timeout", 0, input=b"SET a 1\r\n")  # ECHO is refused too
    assert done.status == 1
    assert "was not answered but with: NOAUTH" in done.err
    assert "errors: 1, replies: 1\n" in done.out
    done = peer.run("-a", "secret", "--no-auth-warning", "--pipe", input=b"SET a 1\r\nGET a\r\n")
    assert (done.status, done.err) == (0, ""), done


def test_pipe_ends_though_the_input_leaves_a_transaction_open(peer):
    done = peer.run("--pipe", "--pipe-timeout", 0, input=b"SET a 1\r\nMULTI\r\nSET a 2\r\n")
    assert done.status == 1
    assert "was not answered but with: QUEUED" in done.err
    assert "errors: 0, replies: 3\n" in done.out
    assert peer.redis.get("a") == "1"


def read_terminal(master):
    text = b""
    try:
        while True:
            data = os.read(master, 65536)
            if not data:
                return text
            text += data
    except OSError:  # the last one has closed the terminal
        return text


def test_pipe_shows_progress_on_a_terminal(start_peer):
    peer = start_peer("ours")
    master, slave = pty.openpty()
    process = peer.start("--pipe", stdin=subprocess.PIPE, stderr=slave)
    os.close(slave)
    process.stdin.write(b"SET a 1\r\n" * 1000)
    process.stdin.flush()
    screen = b""
    while b"/s" not in screen:
        screen += os.read(master, 65536)
    process.stdin.close()
    screen += read_terminal(master)
    os.close(master)
    assert process.wait(PATIENCE_S) == 0
    assert re.search(rb"8\.79K, [0-9.]+[BKMG]/s, 1000 replies, 0 errors", screen), screen
    assert screen.endswith(b"\r\x1b[K")  # the line is taken away
    assert b"/s" not in process.stdout.read()


# ---- snapshots ----

def check_rdb(path):
    program = shutil.which("redis-check-rdb")
    if program:
        done = run(program, str(path))
        assert done.status == 0, done


@needs_redis
@pytest.mark.parametrize("diskless", ["yes", "no"])  # with a marker at the end; with a length
def test_rdb_fetches_a_snapshot(start_peer, tmp_path, diskless, protocol):
    peer = start_peer("redis", "--repl-diskless-sync", diskless)
    peer.redis.mset({f"key{i}": os.urandom(30).hex() for i in range(5000)})
    path = tmp_path / "copy.rdb"
    path.write_bytes(b"old")
    done = peer.run(protocol, "--rdb", path)
    assert done.status == 0, done
    assert f"Transfer finished with success after {path.stat().st_size} bytes" in done.err
    assert path.read_bytes().startswith(b"REDIS00")
    assert os.listdir(tmp_path).count("copy.rdb") == 1
    assert not [name for name in os.listdir(tmp_path) if name.endswith(".part")]
    check_rdb(path)


@needs_redis
def test_rdb_to_standard_output_is_the_file_and_nothing_else(start_peer, tmp_path):
    peer = start_peer("redis")
    peer.redis.set("a", "1")
    path = tmp_path / "out.rdb"
    with open(path, "wb") as out:
        process = peer.start("--rdb", "-", stdout=out)
        assert process.wait(PATIENCE_S) == 0, process.stderr.read()
        process.stderr.close()
    check_rdb(path)


@needs_redis
def test_functions_rdb_has_no_keys(start_peer, tmp_path):
    peer = start_peer("redis")
    peer.redis.set("plain-key", "1")
    peer.redis.execute_command("FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('one', "
                               "function() return 1 end)")
    done = peer.run("--functions-rdb", tmp_path / "f.rdb")
    assert done.status == 0, done
    data = (tmp_path / "f.rdb").read_bytes()
    assert b"name=lib" in data
    assert b"plain-key" not in data
    check_rdb(tmp_path / "f.rdb")


@pytest.mark.parametrize("option", ["--rdb", "--functions-rdb"])
def test_rdb_shows_the_error_of_a_server_without_replication(tmp_path, option):
    path = tmp_path / "copy.rdb"
    path.write_bytes(b"old")
    answers = [b"-ERR unknown command 'REPLCONF'\r\n"] * 2 + [b"-ERR unknown command\r\n"] * 2
    with FakeServer(answers) as fake:
        done = run(CLI, "-p", str(fake.port), option, str(path))
    assert done.status == 1
    assert "failed: ERR unknown command" in done.err or "without the keys" in done.err
    assert path.read_bytes() == b"old"


class FakeServer:
    """Answers each request with the next of the answers; an answer that is a list goes out in
    pieces. Closes behind the last one."""

    def __init__(self, answers):
        self.answers = answers
        self.requests = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self._serve)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.thread.join(PATIENCE_S)

    def _serve(self):
        peer, _ = self.listener.accept()
        with peer:
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for answer in self.answers:
                data = peer.recv(65536)
                if not data:
                    return
                self.requests.append(data)
                for piece in answer if isinstance(answer, list) else [answer]:
                    peer.sendall(piece)


MARKER = b"0123456789abcdef0123456789abcdef01234567"


def test_rdb_finds_the_marker_however_the_bytes_come(tmp_path):
    body = b"REDIS0011" + MARKER[:20] + os.urandom(300) + MARKER[:39]
    stream = b"\n\n$EOF:" + MARKER + b"\r\n" + body + MARKER
    answers = [b"+OK\r\n", b"+OK\r\n", [stream[i:i + 1] for i in range(len(stream))]]
    with FakeServer(answers) as fake:
        done = run(CLI, "-p", str(fake.port), "--rdb", str(tmp_path / "x"))
    assert done.status == 0, done
    assert (tmp_path / "x").read_bytes() == body


@pytest.mark.parametrize("verbose", [[], ["--verbose"]])
def test_verbose_tells_what_a_server_does_not_know(tmp_path, verbose):
    answers = [b"-ERR eof?\r\n", b"-ERR only?\r\n", b"$9\r\nREDIS0011"]
    with FakeServer(answers) as fake:
        done = run(CLI, "-p", str(fake.port), *verbose, "--rdb", str(tmp_path / "x"))
    assert done.status == 0, done
    for what in ("REPLCONF capa eof failed: ERR eof?", "REPLCONF rdb-only 1 failed: ERR only?"):
        assert (what in done.err) == bool(verbose), done


def test_rdb_asks_with_psync_where_there_is_no_sync(tmp_path):
    answers = [b"-ERR unknown\r\n", b"-ERR unknown\r\n", b"-ERR unknown command 'SYNC'\r\n",
               b"+FULLRESYNC " + b"a" * 40 + b" 0\r\n\n$9\r\nREDIS0011"]
    with FakeServer(answers) as fake:
        done = run(CLI, "-p", str(fake.port), "--rdb", str(tmp_path / "x"))
    assert done.status == 0, done
    assert fake.requests[-1] == encode(["PSYNC", "?", "-1"])
    assert (tmp_path / "x").read_bytes() == b"REDIS0011"


@pytest.mark.parametrize("start", [b"$100\r\nREDIS", b"$EOF:" + MARKER + b"\r\nREDIS", b"$-5\r\n",
                                   b"$EOF:short\r\n", b"+what\r\n", b"$99999999999999999999\r\n"])
def test_rdb_of_a_transfer_that_breaks_off_leaves_the_old_file(tmp_path, start):
    (tmp_path / "x").write_bytes(b"old")
    with FakeServer([b"+OK\r\n", b"+OK\r\n", start]) as fake:
        done = run(CLI, "-p", str(fake.port), "--rdb", str(tmp_path / "x"))
    assert done.status == 1
    assert os.listdir(tmp_path) == ["x"]
    assert (tmp_path / "x").read_bytes() == b"old"


@needs_redis
@pytest.mark.parametrize("option", ["--replica", "--slave"])
def test_replica_prints_the_commands_it_gets(start_peer, option):
    peer = start_peer("redis")
    process = peer.start(option)
    wait_until(lambda: peer.redis.info("replication").get("slave0", {}).get("state") == "online",
               "a replica")
    peer.redis.set("a", 'say "hi"\n')
    done = run_for(process, lambda out: '"SET"' in out.upper())
    assert '"SET","a","say \\"hi\\"\\n"\n' in done.out, done
    assert done.status == 0
    assert "Full resync done" in done.err


# ---- looking at keys ----

@pytest.fixture
def filled(start_peer, kind):
    peer = start_peer(kind, "--maxmemory-policy", "allkeys-lfu")
    pipe = peer.redis.pipeline(transaction=False)
    for i in range(1, 101):
        pipe.set(f"s{i}", "x" * i)
        pipe.rpush(f"l{i % 3}", i)
        pipe.sadd(f"t{i % 4}", i)
        pipe.zadd(f"z{i % 2}", {i: i})
        pipe.hset("h one", i, i)
    for _ in range(60):
        pipe.get("s77")
    pipe.execute()
    return peer


def test_bigkeys_finds_the_biggest_of_each_type(filled, protocol):
    done = filled.run(protocol, "--bigkeys")
    assert done.status == 0, done
    assert "Sampled 110 keys in the keyspace!" in done.out
    assert "Biggest string found '\"s100\"' has 100 bytes" in done.out
    assert "Biggest   hash found '\"h one\"' has 100 fields" in done.out
    assert re.search(r"Biggest   list found '\"l1\"' has 34 items", done.out)
    assert "2 zsets with 100 members (01.82% of keys, avg size 50.00)" in done.out
    assert "100 strings with 5050 bytes (90.91% of keys, avg size 50.50)" in done.out
    assert "found so far '\"s" in done.out


def test_bigkeys_looks_at_the_keys_of_a_pattern_only(filled):
    done = filled.run("--bigkeys", "--pattern", "s1*", "--count", 7)
    assert "Sampled 12 keys in the keyspace!" in done.out, done  # s1, s10..s19, s100


@pytest.mark.parametrize("samples", [[], ["--memkeys-samples", "0"]])
def test_memkeys_adds_up_what_the_server_says(filled, protocol, samples):
    extra = ["SAMPLES", "0"] if samples else []
    done = filled.run(protocol, "--memkeys", *samples)
    expected = filled.redis.execute_command("MEMORY", "USAGE", "h one", *extra)
    assert f"Biggest   hash found '\"h one\"' has {expected} bytes" in done.out, done
    assert f"1 hashs with {expected} bytes" in done.out


def test_memkeys_samples_alone_means_memkeys(filled):
    assert "Biggest   hash found" in filled.run("--memkeys-samples", 5, "--pattern", "h*").out


def test_hotkeys_lists_the_most_used_first(filled, protocol):
    done = filled.run(protocol, "--hotkeys", "--hotkeys-count", 3, "--count", 1000)
    assert done.status == 0, done
    rows = re.findall(r"hot key found with counter: (\d+)\tkeyname: (.*)\n", done.out)
    assert len(rows) == 3
    counters = [int(counter) for counter, _ in rows]
    assert counters == sorted(counters, reverse=True)
    every_key = filled.run("--hotkeys", "--hotkeys-count", 1000).out
    assert len(re.findall("hot key found", every_key)) == 110
    assert len(re.findall("hot key found", filled.run("--hotkeys").out)) == 16


def test_hotkeys_needs_a_server_that_counts(peer):
    peer.redis.set("a", 1)
    done = peer.run("--hotkeys")
    assert done.status == 1
    assert "Error: ERR An LFU maxmemory policy is not selected" in done.err


def test_keystats_tells_types_sizes_and_the_largest(filled, protocol):
    done = filled.run(protocol, "--keystats")
    assert done.status == 0, done
    assert "Sampled 110 keys in the keyspace!" in done.out
    assert re.search(r"\n  string +100 +90\.91% +5050 +50\.50 ", done.out)
    ranks = re.findall(r"\n  (\d+) +\w+ +\S+ +\d+  \".*\"", done.out)
    assert ranks == [str(i) for i in range(1, 11)]
    assert "100.00%" in done.out.splitlines()[-1]


def test_keys_of_an_empty_database(peer):
    for mode in "--bigkeys", "--memkeys", "--keystats", "--hotkeys":
        done = peer.run(mode)
        assert done.status == 0, done
        assert "Sampled 0 keys in the keyspace!" in done.out


@pytest.mark.parametrize("mode", ["--bigkeys", "--memkeys", "--keystats", "--hotkeys"])
def test_replicas_of_a_cluster_are_asked_to_answer_themselves(mode):
    answers = [b"+OK\r\n", b":0\r\n", b"*2\r\n$1\r\n0\r\n*0\r\n"]
    with FakeServer(answers) as fake:
        done = run(CLI, "-p", str(fake.port), mode)
    assert done.status == 0, done
    assert fake.requests[0] == encode(["READONLY"])


def test_ctrl_c_shows_what_was_seen_so_far(filled):
    filled.redis.mset({f"more{i}": i for i in range(5000)})
    process = filled.start("--bigkeys", "-i", 60, "--count", 1)  # pauses long before the last key

    def is_pausing(_):
        return filled.redis.info("commandstats").get("cmdstat_scan", {}).get("calls") == 100

    done = run_for(process, is_pausing)
    assert done.status == 0
    assert "-------- summary -------" in done.out
    assert "Interrupted" in done.err


def test_scan_lists_keys(filled, protocol):
    assert len(filled.run(protocol, "--scan").out.splitlines()) == 110
    assert sorted(filled.run(protocol, "--scan", "--pattern", "t*").out.split()) == ["t0", "t1", "t2", "t3"]
    filled.redis.set(b"a\x00b", 1)
    assert filled.run("--scan", "--quoted-pattern", '"a\\x00*"', "--count", 50).out == "a\x00b\n"
    assert '"h one"' in filled.run(protocol, "--no-raw", "--scan", "-i", 0.001).out.splitlines()


# ---- figures ----

def test_stat_goes_on_when_the_server_comes_back(start_peer, kind):
    peer = start_peer(kind)
    process = peer.start("--stat", "-i", 0.05)
    lines = []
    done = threading.Event()

    def read():
        for line in process.stdout:
            lines.append(line.decode())
        done.set()

    threading.Thread(target=read, daemon=True).start()
    wait_until(lambda: len(lines) >= 25, "lines")
    assert lines[0].startswith("------- data ------") and lines[22].startswith("------- data ------")
    assert re.match(r"0 +\d+\.\d\d[KM] +\d+ +0 +\d+ \(\+\d+\) +\d+ +$", lines[5]), lines[5]
    peer.redis.close()
    assert peer.daemon.stop() == 0
    before = len(lines)
    args = peer.daemon.args
    again = subprocess.Popen(args, cwd=peer.daemon.folder, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: len(lines) >= before + 5, "more lines")
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0
    finally:
        again.kill()
        again.wait()
    done.wait(PATIENCE_S)


@pytest.mark.parametrize("formatting, pattern", [
    ([], r"\d+ \d+ \d+\.\d\d \d+\n"),
    (["--raw"], r"\d+ \d+ \d+\.\d\d \d+\n"),
    (["--csv"], r"\d+,\d+,\d+\.\d\d,\d+\n"),
    (["--json"], r'\{"min":\d+,"max":\d+,"avg":\d+\.\d\d,"count":\d+\}\n'),
])
def test_latency_without_a_terminal_is_one_sample(start_peer, formatting, pattern):
    done = start_peer("ours").run("--latency", "-i", 0.1, *formatting)
    assert done.status == 0, done
    assert re.fullmatch(pattern, done.out), done


def test_latency_on_a_terminal_goes_on(start_peer):
    process = start_peer("ours").start("--latency", "--no-raw")
    done = run_for(process, lambda out: "samples" in out)
    assert done.status == 0, done
    assert re.search(r"\r\x1b\[Kmin: \d+, max: \d+, avg: \d+\.\d\d \(\d+ samples\)", done.out)


def test_latency_history_has_a_line_for_each_interval(start_peer):
    peer = start_peer("ours")
    done = run_for(peer.start("--latency-history", "-i", 0.05), lambda out: out.count("\n") >= 3)
    assert all(re.fullmatch(r"\d+ \d+ \d+\.\d\d \d+", line) for line in done.out.splitlines()), done
    done = run_for(peer.start("--latency-history", "-i", 0.05, "--no-raw"), lambda out: "range" in out)
    assert re.search(r"samples\) -- 0\.\d\d seconds range\n", done.out)


def test_latency_dist_in_words_and_in_colours(start_peer):
    peer = start_peer("ours")
    done = run_for(peer.start("--latency-dist", "-i", 0.05), lambda out: out.count("\n") >= 2)
    shares = re.findall(r"([\d.]+)%", done.out.splitlines()[0])
    assert abs(sum(map(float, shares)) - 100) < 1, done
    process = peer.start("--latency-dist", "-i", 0.05, env=environment(FAKETTY="1"))
    done = run_for(process, lambda out: out.count("\x1b[0m\n") >= 3)
    signs = re.sub(r"\x1b\[[0-9;]*m", "", done.out).splitlines()[-1]
    assert signs == ".-*#123456789ABCDEFGHIJKLMNOPQ?"
    assert "48;5;" in done.out


def test_intrinsic_latency_needs_no_server():
    done = run(CLI, "-p", "1", "--intrinsic-latency", "0.1")
    assert done.status == 0, done
    assert re.search(r"Max latency so far: \d+ microseconds\.\n", done.out)
    assert re.search(r"\n\d+ total runs \(avg latency: \S+ microseconds / \S+ nanoseconds per run\)",
                     done.out)
    assert run(CLI, "--intrinsic-latency", "soon").status == 1


def test_lru_test_reports_hits_and_misses(peer):
    done = run_for(peer.start("--lru-test", 500), lambda out: out.count("\n") >= 1)
    assert done.status == 0, done
    assert re.match(r"\d+ Gets/sec \| Hits: \d+ \(\d+\.\d\d%\) \| Misses: \d+ \(\d+\.\d\d%\)\n", done.out)
    assert "maxmemory is 0" in done.err
    assert 100 < peer.redis.dbsize() <= 500
    assert peer.redis.randomkey().startswith("lru:")
    assert peer.run("--lru-test", "many").status == 1


@pytest.mark.parametrize("mode", ["--pipe", "--bigkeys", "--hotkeys", "--keystats", "--stat", "--latency",
                                  "--latency-dist", "--latency-history", "--replica", "--scan"])
def test_modes_say_that_there_is_no_server(mode):
    port = free_port()
    done = run(CLI, "-p", str(port), mode)
    assert done.status == 1
    assert f"Could not connect to Valkey at 127.0.0.1:{port}" in done.err


# ---- over TLS ----

@pytest.fixture
def tls_peer(tmp_path, start_peer):
    """A server that takes TLS only, with a certificate of our own making."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    if not shutil.which("openssl"):
        pytest.skip("no openssl")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                    "/CN=localhost", "-keyout", key, "-out", certificate], check=True,
                   capture_output=True)
    tls_port = free_port()
    peer = start_peer("redis", "--tls-port", tls_port, "--tls-cert-file", certificate,
                      "--tls-key-file", key, "--tls-ca-cert-file", certificate,
                      "--tls-auth-clients", "no")
    peer.port = tls_port
    peer.tls = ["--tls", "--cacert", str(certificate)]
    return peer


@needs_redis
def test_modes_over_tls(tls_peer, tmp_path):
    peer = tls_peer
    done = peer.run(*peer.tls, "--scan")
    if "TLS" in done.err:
        pytest.skip("built without TLS")
    assert done.status == 0, done
    requests = b"".join(encode(["SET", f"k{i}", os.urandom(500)]) + encode(["GET", f"k{i}"])
                        for i in range(8000))
    done = peer.run(*peer.tls, "--pipe", input=requests)
    assert done.status == 0, done
    assert "errors: 0, replies: 16000\n" in done.out
    done = peer.run(*peer.tls, "--rdb", tmp_path / "tls.rdb")
    assert done.status == 0, done
    check_rdb(tmp_path / "tls.rdb")
    done = peer.run(*peer.tls, "--bigkeys", "--count", 1000)
    assert "8000 strings with 4000000 bytes" in done.out, done
