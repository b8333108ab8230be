# SPDX-License-Identifier: BSD-3-Clause
"""valkey-cli without a terminal: one command, lines of standard input, every option and format."""

import contextlib
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess

import pytest

from cli_program import (CLI, CannedServer, environment, ours, out, redis, redis_server,
                         run_cli)
from daemon_process import PATIENCE_S, free_port, wait_until

pytestmark = pytest.mark.once


@pytest.fixture(params=["ours", "redis"])
def port(request):
    """The port of each server in turn, with the same few keys."""
    port = request.getfixturevalue(request.param)
    out("flushall", port=port)
    out("rpush", "l", "a", 'b"c', "x\ny", "é", port=port)
    out("hset", "h", "f", "v", "g", "w", port=port)
    out("zadd", "z", "1.5", "m", port=port)
    out("set", "s", "hi é", port=port)
    return port


# --- formats ---------------------------------------------------------------------------------------

LIST_TTY = '1) "a"\n2) "b\\"c"\n3) "x\\ny"\n4) "\\xc3\\xa9"\n'


@pytest.mark.parametrize("options, command, expected", [
    ("--no-raw", "lrange l 0 -1", LIST_TTY),
    ("--raw", "lrange l 0 -1", 'a\nb"c\nx\ny\né\n'),
    ("", "lrange l 0 -1", 'a\nb"c\nx\ny\né\n'),
    ("--csv", "lrange l 0 -1", '"a","b\\"c","x\\ny","\\xc3\\xa9"\n'),
    ("--json", "lrange l 0 -1", '["a","b\\"c","x\\ny","é"]\n'),
    ("--quoted-json", "lrange l 0 -1", '["a","b\\\\\\"c","x\\\\ny","\\\\xc3\\\\xa9"]\n'),
    ("--no-raw", "hgetall h", '1) "f"\n2) "v"\n3) "g"\n4) "w"\n'),
    ("-3 --no-raw", "hgetall h", '1# "f" => "v"\n2# "g" => "w"\n'),
    ("-3 --raw", "hgetall h", "f v\ng w\n"),
    ("-3 --csv", "hgetall h", '"f","v","g","w"\n'),
    ("--json", "hgetall h", '{"f":"v","g":"w"}\n'),
    ("--json -2", "hgetall h", '["f","v","g","w"]\n'),
    ("-3 --no-raw", "hgetall none", "(empty hash)\n"),
    ("--no-raw", "lrange none 0 -1", "(empty array)\n"),
    ("-3 --no-raw", "smembers none", "(empty set)\n"),
    ("--raw", "lrange none 0 -1", "\n"),
    ("-3 --no-raw", "zscore z m", "(double) 1.5\n"),
    ("-2 --no-raw", "zscore z m", '"1.5"\n'),
    ("--json", "zscore z m", "1.5\n"),
    ("-3 --no-raw", "zrange z 0 -1 withscores", '1) 1) "m"\n   2) (double) 1.5\n'),
    ("--no-raw", "get none", "(nil)\n"),
    ("--raw", "get none", "\n"),
    ("--csv", "get none", "NULL\n"),
    ("--json", "get none", "null\n"),
    ("--no-raw", "llen l", "(integer) 4\n"),
    ("--no-raw", "set k v", "OK\n"),
    ("--csv", "set k v", '"OK"\n'),
    ("--no-raw", "exec", "(error) ERR EXEC without MULTI\n"),
    ("--raw", "exec", "ERR EXEC without MULTI\n\n"),
    ("--csv", "exec", 'ERROR,"ERR EXEC without MULTI"\n'),
    ("--json", "exec", 'error:"ERR EXEC without MULTI"\n'),
    ("-d ; --raw", "lrange l 0 1", 'a;b"c\n'),
    ("-D ;", "llen l", "4;"),
    ("-r 3", "incr n", "1\n2\n3\n"),
    ("-n 3", "get s", "\n"),
    ("-4", "llen l", "4\n"),
    ("-h localhost -6", "llen l", "4\n"),
    ("-h localhost", "llen l", "4\n"),
    ("--quoted-input", 'get "\\x73"', "hi é\n"),
])
def test_format(port, options, command, expected):
    assert out(*options.split(), *command.split(), port=port) == expected


def test_json_is_json_whatever_the_bytes(redis):
    run_cli("-x", "set", "bin", port=redis, stdin=bytes(range(1, 128)))
    assert json.loads(out("--json", "get", "bin", port=redis)) == bytes(range(1, 128)).decode()
    run_cli("-x", "set", "bin", port=redis, stdin=bytes(range(256)))
    text = out("--quoted-json", "get", "bin", port=redis)
    assert text.isascii() and '\\x00\\x01' in json.loads(text)


def test_nested_maps_line_up(redis):
    shown = out("-3", "--no-raw", "command", "info", "get", port=redis)
    assert '    9) 1~ 1# "flags" => \n             1~ RO\n' in shown
    assert '2# "spec" => 1# "index" => (integer) 1\n' in shown


def test_texts_for_people_are_never_quoted(port):
    for option in ("--no-raw", "--csv", "--json", "--raw"):
        assert out(option, "info", "server", port=port).startswith("# Server\r\n")
        assert out(option, "client", "list", port=port).startswith("id=")


def test_a_terminal_may_be_feigned(port):
    assert out("get", "s", port=port, env={"FAKETTY": "1"}) == '"hi \\xc3\\xa9"\n'


# --- input ------------------------------------------------------------------------------------------

def test_last_argument_from_stdin(port):
    data = b"line\r\n\x00\xff" * 100000
    assert run_cli("-x", "set", "k", port=port, stdin=data).out == "OK\n"
    assert run_cli("-D", "", "get", "k", port=port).raw == data


def test_tagged_argument_from_stdin(port):
    dump = run_cli("-D", "", "dump", "s", port=port).raw
    assert run_cli("-X", "data", "restore", "copy", "0", "data", port=port, stdin=dump).out == "OK\n"
    assert out("get", "copy", port=port) == "hi é\n"
    ended = run_cli("-X", "data", "set", "a", "b", port=port)
    assert ended.status == 1 and "data" in ended.err
    ended = run_cli("-x", "-X", "t", "set", "t", port=port)
    assert ended.status == 1 and "mutually exclusive" in ended.err


def test_lines_of_stdin_are_commands(port):
    lines = b'set a "x y"\nget a\n\n2 incr n\nfoo\nset a "x\nmulti\nget a\nexec\nselect 3\nget a\nquit\nget a\n'
    ended = run_cli("--no-raw", port=port, stdin=lines)
    shown = ended.out.split("\n")
    assert shown[:4] == ["OK", '"x y"', "(integer) 1", "(integer) 2"]
    assert shown[4].startswith("(error) ERR unknown command 'foo'")
    assert shown[5:] == ["Invalid argument(s)", "OK", "QUEUED", '1) "x y"', "OK", "(nil)", ""]
    assert ended.status == 0


def test_a_command_that_is_not_answered_is_not_waited_for(port):
    lines = b"client reply skip\nset a 1\nget a\nclient reply off\nset a 2\nget a\nclient reply on\nget a\n"
    assert out(port=port, stdin=lines) == "1\nOK\n2\n"


def test_a_transaction_ends_with_its_connection(redis):
    program = subprocess.Popen([CLI, "-p", str(redis)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, env=environment())
    program.stdin.write(b"multi\n")
    program.stdin.flush()
    assert program.stdout.readline() == b"OK\n"
    out("client", "kill", "type", "normal", port=redis)
    shown, errors = program.communicate(b"set stray 1\nping\n", PATIENCE_S)
    assert shown == b"PONG\n" and b"transaction" in errors
    assert out("exists", "stray", port=redis) == "0\n"


def test_many_lines_of_stdin(port):
    lines = b"".join(b"set key:%d %d\n" % (i, i) for i in range(5000)) + b"dbsize"
    assert out(port=port, stdin=lines) == "OK\n" * 5000 + "5004\n"


def test_script_with_keys_and_arguments(redis, tmp_path):
    script = tmp_path / "s.lua"
    script.write_text("return {#KEYS, KEYS[1], ARGV[1]}")
    assert out("--eval", script, "k1", "k2", ",", "a1", port=redis) == "2\nk1\na1\n"
    assert out("--no-raw", "--eval", script, port=redis) == "1) (integer) 0\n"
    ended = run_cli("--eval", tmp_path / "none", port=redis)
    assert ended.status == 1 and "No such file" in ended.err


def test_scan_lists_keys_that_match(port):
    out("--quoted-input", "set", '"q\\x00r"', "1", port=port)
    assert sorted(out("--scan", port=port).split("\n")[:-1]) == sorted(["l", "h", "z", "s", "q\0r"])
    assert out("--scan", "--pattern", "[sl]", "--count", "2", port=port).split() in (
        ["s", "l"], ["l", "s"])
    assert out("--scan", "--no-raw", "--quoted-pattern", '"q\\x00*"', port=port) == '"q\\x00r"\n'
    assert out("--scan", "--pattern", "l", "-i", "0.01", port=port) == "l\n"


def test_interval_between_repetitions(port):
    time = out("-r", "3", "-i", "0.1", "time", port=port).split()
    assert int(time[4]) + int(time[5]) / 1e6 - int(time[0]) - int(time[1]) / 1e6 > 0.19


# --- status ----------------------------------------------------------------------------------------

def test_exit_status(port):
    assert run_cli("foo", port=port).status == 0
    ended = run_cli("-e", "exec", port=port)
    assert (ended.status, ended.out, ended.err) == (1, "", "ERR EXEC without MULTI\n")
    ended = run_cli("-e", port=port, stdin=b"ping\nexec\nping\n")
    assert (ended.status, ended.out, ended.err) == (1, "PONG\nPONG\n", "ERR EXEC without MULTI\n")
    assert run_cli(port=port, stdin=b"ping\nexec\n").status == 0


def test_no_server():
    ended = run_cli("ping", port=free_port())
    assert ended.status == 1
    assert "Could not connect to Valkey at 127.0.0.1:" in ended.err
    assert "Connection refused" in ended.err


@pytest.mark.parametrize("words, reason", [
    (["--nosuch"], "no option --nosuch"), (["-r"], "needs an argument"), (["-p", "0"], "-p"),
    (["-n", "x"], "-n"), (["-t", "x"], "-t"), (["-i", "-1"], "-i"), (["-2", "-3"], "exclude"),
    (["-u", "http://x"], "valkey://"), (["--show-pushes", "maybe"], "neither"),
    (["--rdma"], "no RDMA"), (["--ldb"], "not there yet"), (["--ldb-sync-mode"], "not there yet"),
    (["--cluster", "check", "h:1"], "not there yet"), (["--quoted-input", "get", '"x'], "quoted"),
    (["--quoted-pattern", '"x', "--scan"], "--quoted-pattern"),
    (["-s", "/nowhere/s", "ping"], "No such file"), (["-h", "nosuch.invalid", "ping"], "connect"),
])
def test_what_is_wrong_is_said(words, reason):
    ended = run_cli(*words)
    assert ended.status == 1 and reason in ended.err and not ended.out


def test_help_and_version():
    shown = out("--help")
    for option in ("-h <host>", "--tls-ciphersuites", "--askpass", "--scan", "--quoted-json"):
        assert option in shown
    assert all(len(line) <= 100 for line in shown.split("\n"))
    assert out("--version") == out("-v") == "valkey-cli 9.1.0\n"


def test_a_reader_that_goes_ends_the_program(redis):
    program = subprocess.Popen([CLI, "-p", str(redis), "-r", "-1", "ping"], stdout=subprocess.PIPE,
                               env=environment())
    assert program.stdout.readline() == b"PONG\n"
    program.stdout.close()
    assert program.wait(PATIENCE_S) != 0


def test_connecting_may_take_as_long_as_t_says():
    with contextlib.ExitStack() as stack:
        deaf = stack.enter_context(socket.socket())
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        for _ in range(4):  # its queue is full: the system lets others wait
            other = stack.enter_context(socket.socket())
            other.setblocking(False)
            other.connect_ex(deaf.getsockname())
        ended = run_cli("-t", "0.2", "ping", port=deaf.getsockname()[1])
    assert ended.status == 1 and "no answer in time" in ended.err


def test_multipath_tcp_or_a_reason(redis):
    ended = run_cli("--mptcp", "ping", port=redis)
    assert ended.out == "PONG\n" or "Multipath TCP" in ended.err


# --- who and where -----------------------------------------------------------------------------------

def test_passwords(tmp_path):
    with redis_server(tmp_path, "--requirepass", "secret", "--user", "me", "on", ">mine", "~*",
                      "+@all") as port:
        check_passwords(port)


def check_passwords(port):
    warned = run_cli("-a", "secret", "ping", port=port)
    assert warned.out == "PONG\n" and warned.err.startswith("Warning: Using a password")
    assert out("-a", "secret", "--no-auth-warning", "ping", port=port) == "PONG\n"
    assert out("--pass", "mine", "--user", "me", "--no-auth-warning", "acl", "whoami",
               port=port) == "me\n"
    assert out("ping", port=port, env={"VALKEYCLI_AUTH": "secret"}) == "PONG\n"
    assert out("ping", port=port, env={"REDISCLI_AUTH": "secret"}) == "PONG\n"
    assert out("-3", "ping", port=port, env={"REDISCLI_AUTH": "secret"}) == "PONG\n"
    uri = f"redis://me:mine@127.0.0.1:{port}/2"
    assert out("-u", uri, "--no-auth-warning", "acl", "whoami") == "me\n"
    assert " db=2 " in out("-u", uri, "--no-auth-warning", "client", "info")
    wrong = run_cli("ping", port=port, env={"VALKEYCLI_AUTH": "wrong"})
    assert "AUTH failed: WRONGPASS" in wrong.err and "NOAUTH" in wrong.out


def test_a_database_that_is_refused_gets_no_commands(redis):
    ended = run_cli("-n", "99", "set", "stray", "1", port=redis)
    assert ended.status == 1 and ended.err.startswith("SELECT 99 failed: ERR") and not ended.out
    assert run_cli("-n", "99", port=redis, stdin=b"set stray 1\nset stray 1\n").status == 1
    assert run_cli("-n", "99", "--pipe", port=redis, stdin=b"set stray 1\n").status == 1
    assert out("exists", "stray", port=redis) == "0\n"


def test_the_database_is_selected_behind_the_password(tmp_path):
    with redis_server(tmp_path, "--requirepass", "secret") as port:
        ended = run_cli("-n", "3", port=port, stdin=b"auth secret\nset a 1\n")
        assert ended.out == "OK\nOK\n" and "SELECT 3 failed: NOAUTH" in ended.err
        env = {"VALKEYCLI_AUTH": "secret"}
        assert out("-n", "3", "exists", "a", port=port, env=env) == "1\n"
        assert out("exists", "a", port=port, env=env) == "0\n"


def test_unix_socket(start_server, short_path):
    path = short_path / "s"
    start_server("--unixsocket", path)
    assert out("-s", path, "ping") == "PONG\n"


@pytest.mark.parametrize("option, address", [("-4", "127.0.0.1:"), ("-6", "[::1]:")])
def test_family_whose_addresses_are_tried_first(start_server, tmp_path, option, address):
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.1 both\n::1 both\n")
    # With a table of hosts of its own: most machines have no name with addresses of both families.
    apart = ["unshare", "-rm", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', hosts]
    if not shutil.which("unshare") or subprocess.run([*apart, "true"], check=False).returncode != 0:
        pytest.skip("a mount of one's own is not allowed here")
    server = start_server("--bind", "127.0.0.1", "::1")
    shown = subprocess.run([*apart, CLI, "-h", "both", "-p", str(server.port), option, "client",
                            "info"], check=True, capture_output=True, timeout=PATIENCE_S,
                           env=environment()).stdout.decode()
    assert f" addr={address}" in shown


def test_cluster_redirections_are_followed():
    there = CannedServer(b"$2\r\nhi\r\n", b"+OK\r\n", b"$3\r\nask\r\n")
    try:
        here = CannedServer(b"-MOVED 1 127.0.0.1:%d\r\n" % there.port)
        assert out("-c", "--no-raw", "get", "k", port=here.port) == (
            f'-> Redirected to slot [1] located at 127.0.0.1:{there.port}\n"hi"\n')
        here = CannedServer(b"-ASK 1 :%d\r\n" % there.port)
        assert out("-c", "get", "k", port=here.port) == "ask\n"
        assert there.requests == [["get", "k"], ["ASKING"], ["get", "k"]]
        here = CannedServer(b"-MOVED 1 127.0.0.1:1\r\n")
        assert "MOVED 1" in out("get", "k", port=here.port)
    finally:
        there.close()


def test_bytes_that_are_no_reply():
    ended = run_cli("get", "k", port=CannedServer(b"HTTP/1.1 200 OK\r\n").port)
    assert ended.status == 1 and "Protocol error" in ended.err
    ended = run_cli("get", "k", port=CannedServer().port)
    assert ended.status == 1 and "Server closed the connection" in ended.err


# --- a server that talks by itself -------------------------------------------------------------------

@pytest.mark.parametrize("protocol", ["-2", "-3"])
def test_messages_are_printed_as_they_come(port, protocol, tmp_path):
    with open(tmp_path / "messages", "wb") as shown:
        program = subprocess.Popen([CLI, "-p", str(port), protocol, "--csv", "subscribe", "c", "d"],
                                   stdout=shown, env=environment())
    seen = tmp_path / "messages"
    wait_until(lambda: seen.read_text().count("\n") == 2, "both subscriptions")
    out("publish", "d", "hello", port=port)
    wait_until(lambda: seen.read_text().count("\n") == 3, "the message")
    assert seen.read_text() == '"subscribe","c",1\n"subscribe","d",2\n"message","d","hello"\n'
    program.send_signal(signal.SIGINT)
    assert program.wait(PATIENCE_S) == -signal.SIGINT


def test_a_shard_channel_is_followed_to_its_node(tmp_path):
    there = CannedServer(b"*3\r\n$10\r\nssubscribe\r\n$1\r\nc\r\n:1\r\n")
    here = CannedServer(b"-MOVED 1 127.0.0.1:%d\r\n" % there.port)
    seen = tmp_path / "messages"
    with open(seen, "wb") as shown:
        program = subprocess.Popen([CLI, "-c", "--csv", "-p", str(here.port), "ssubscribe", "c"],
                                   stdout=shown, env=environment())
    try:
        wait_until(lambda: seen.read_text() == '"ssubscribe","c",1\n', "the subscription")
    finally:
        program.kill()
        program.wait()
        there.close()


def test_pushes_are_shown_or_hidden(port):
    lines = b"client tracking on\nget a\nset a 1\nping\n"
    shown = out("-3", "--csv", "--show-pushes", "yes", port=port, stdin=lines)
    assert '"invalidate","a"\n' in shown
    hidden = out("-3", "--csv", "--show-pushes", "no", port=port, stdin=lines)
    assert hidden.startswith('"OK"\n') and hidden.endswith('"PONG"\n') and "invalidate" not in hidden
    assert "invalidate" not in out("-3", "--csv", port=port, stdin=lines)  # no terminal


def test_monitor(port, tmp_path):
    with open(tmp_path / "monitor", "wb") as shown:
        program = subprocess.Popen([CLI, "-p", str(port), "monitor"], stdout=shown,
                                   env=environment())
    try:
        wait_until(lambda: (tmp_path / "monitor").read_text().startswith("OK\n"), "OK")
        out("get", "watched", port=port)
        wait_until(lambda: '"get" "watched"' in (tmp_path / "monitor").read_text(), "the command")
    finally:
        program.kill()
        program.wait()


def test_shutdown_is_no_error(tmp_path):
    with redis_server(tmp_path) as port:
        assert out("shutdown", "nosave", port=port) == ""


# --- TLS ---------------------------------------------------------------------------------------------

def openssl(folder, *words):
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """The folder of a server's certificate and of the authority's: ca.crt, and in a folder."""
    folder = tmp_path_factory.mktemp("tls")
    try:
        openssl(folder, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out",
                "ca.crt", "-subj", "/CN=authority", "-days", "2")
        openssl(folder, "req", "-newkey", "rsa:2048", "-nodes", "-keyout", "server.key", "-out",
                "server.csr", "-subj", "/CN=server")
    except FileNotFoundError:
        pytest.skip("there is no openssl")
    openssl(folder, "x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
            "-CAcreateserial", "-out", "server.crt", "-days", "2")
    (folder / "certificates").mkdir()
    (folder / "certificates" / "ca.crt").write_bytes((folder / "ca.crt").read_bytes())
    openssl(folder, "rehash", "certificates")
    return folder


@pytest.fixture(scope="module")
def tls(certificates):
    """The port of a redis-server with TLS and the folder of the certificates."""
    folder, port = certificates, free_port()
    with redis_server(folder, "--tls-port", port, "--tls-cert-file", folder / "server.crt",
                      "--tls-key-file", folder / "server.key", "--tls-ca-cert-file",
                      folder / "ca.crt"):
        yield port, folder


def test_tls(tls):
    port, folder = tls
    own = ["--cert", folder / "server.crt", "--key", folder / "server.key"]
    trusted = ["--tls", "--cacert", folder / "ca.crt", *own]
    assert out(*trusted, "ping", port=port) == "PONG\n"
    assert out("--tls", "--cacertdir", folder / "certificates", *own, "ping", port=port) == "PONG\n"
    assert out("--tls", "--insecure", *own, "ping", port=port) == "PONG\n"
    assert out(*trusted[1:], "-u", f"rediss://127.0.0.1:{port}", "ping") == "PONG\n"
    data = os.urandom(1 << 20)
    assert run_cli(*trusted, "-x", "set", "big", port=port, stdin=data).out == "OK\n"
    assert run_cli(*trusted, "-D", "", "get", "big", port=port).raw == data


def shake_hands(folder, *words, newest=ssl.TLSVersion.MAXIMUM_SUPPORTED):
    """What a server hears of valkey-cli: the name that is asked for, and the cipher."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.crt", folder / "server.key")
    context.maximum_version = newest
    names = []
    context.sni_callback = lambda session, name, context: names.append(name)
    server = CannedServer(b"+PONG\r\n", tls=context)
    try:
        trusted = ["--tls", "--cacert", folder / "ca.crt"]
        assert out(*trusted, *words, "ping", port=server.port) == "PONG\n"
    finally:
        server.close()
    return names[0], server.ciphers[0]


def test_name_that_is_asked_for(certificates):
    assert shake_hands(certificates)[0] is None
    assert shake_hands(certificates, "--sni", "example.org")[0] == "example.org"


@pytest.mark.parametrize("newest, option, ciphers", [
    (ssl.TLSVersion.TLSv1_2, "--tls-ciphers",
     ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384"]),
    (ssl.TLSVersion.TLSv1_3, "--tls-ciphersuites",
     ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"]),
])
def test_cipher_that_is_agreed_on(certificates, newest, option, ciphers):
    for cipher in ciphers:  # one of them is not what is agreed on anyway
        assert shake_hands(certificates, option, cipher, newest=newest)[1] == cipher


def test_folder_without_the_authority(tls, tmp_path):
    ended = run_cli("--tls", "--cacertdir", tmp_path, "ping", port=tls[0])
    assert ended.status == 1 and "not trusted" in ended.err


@pytest.mark.parametrize("words, reason", [
    (["--tls"], "not trusted"),
    (["--tls", "--cacert", "/nowhere"], "--cacert"),
    (["--tls", "--insecure", "--cert", "/nowhere"], "go together"),
    (["--tls", "--insecure", "--tls-ciphers", "nonsense"], "--tls-ciphers"),
    (["--tls", "--insecure", "--tls-ciphersuites", "nonsense"], "--tls-ciphersuites"),
])
def test_tls_that_fails_says_why(tls, words, reason):
    ended = run_cli(*words, "ping", port=tls[0])
    assert ended.status == 1 and reason in ended.err
