# SPDX-License-Identifier: BSD-3-Clause
"""valkey-cli at a terminal: prompt, editing, completion, hints, history, messages, restarts."""

import os
import signal
import stat
import termios
import time

import pytest

from cli_program import CannedServer, Terminal, ours, out, redis, redis_server
from daemon_process import free_port, wait_until

pytestmark = pytest.mark.once

pytest.importorskip("pexpect")

CTRL_C, CTRL_D, CTRL_R, TAB, UP = "\x03", "\x04", "\x12", "\t", "\x1b[A"


@pytest.fixture(params=["ours", "redis"])
def port(request):
    port = request.getfixturevalue(request.param)
    out("flushall", port=port)
    return port


@pytest.fixture
def start(tmp_path):
    """start(port, ...) gives a Terminal at its first prompt."""
    terminals = []

    def start_one(port, *words, **options):
        terminals.append(Terminal("-p", port, *words, home=tmp_path, **options))
        terminals[-1].prompt(port)
        return terminals[-1]

    yield start_one
    for terminal in terminals:
        terminal.close()


def history(tmp_path):
    path = tmp_path / ".valkeycli_history"
    return path.read_text().splitlines() if path.exists() else []


def test_commands_and_their_replies(start, port):
    at = start(port)
    at.enter("set a b")
    assert at.prompt(port).endswith("\r\nOK\r\n")
    at.enter("get a")
    assert at.prompt(port).endswith('"b"\r\n')
    at.enter("3 incr n")
    assert at.prompt(port).endswith("(integer) 1\r\n(integer) 2\r\n(integer) 3\r\n")
    at.enter('get "')
    assert "Invalid argument(s)" in at.prompt(port)
    at.enter("-1 ping")
    assert "Invalid repeat count" in at.prompt(port)
    at.enter("restart")
    assert "word of the script debugger" in at.prompt(port)
    at.enter("clear")
    at.prompt(port)
    at.enter("exit")
    at.expect(at.pexpect.EOF)


@pytest.mark.parametrize("word", ["quit", "EXIT"])
def test_words_that_leave(start, ours, word, tmp_path):
    at = start(ours)
    at.enter(word)
    at.expect(at.pexpect.EOF)
    assert history(tmp_path) == [word]


def test_prompt_shows_database_and_transaction(start, port):
    at = start(port)
    at.enter("select 3")
    at.prompt(port, "[3]")
    at.enter("multi")
    at.prompt(port, "[3](TX)")
    at.enter("set a b")
    assert "QUEUED" in at.prompt(port, "[3](TX)")
    at.enter("exec")
    assert "1) OK" in at.prompt(port, "[3]")
    at.enter("multi")
    at.prompt(port, "[3](TX)")
    at.enter("select 5")
    at.prompt(port, "[5](TX)")
    at.enter("discard")
    at.prompt(port, "[3]")


def completed(at, port, tmp_path, keys):
    """The line that keys make, and what it prints."""
    at.send(keys + "\r")
    shown = at.prompt(port)
    return history(tmp_path)[-1], shown


def test_tab_completes_commands_options_and_keys(start, port, tmp_path):
    out("set", "user:1000:name", "x", port=port)
    at = start(port)
    line, shown = completed(at, port, tmp_path, "conf" + TAB + "reset" + TAB)
    assert line == "config resetstat" and "OK" in shown
    line, shown = completed(at, port, tmp_path, "get us" + TAB)
    assert line == "get user:1000:name" and '"x"' in shown
    line, shown = completed(at, port, tmp_path, "SET k v keep" + TAB)
    assert line == "SET k v keepttl" and "OK" in shown
    line, shown = completed(at, port, tmp_path, "set k v EX 9 G" + TAB)
    assert line == "set k v EX 9 GET"
    line, shown = completed(at, port, tmp_path, "help @hyper" + TAB)
    assert line == "help @hyperloglog" and "PFADD" in shown
    at.send("zrangeb" + TAB + TAB)
    at.expect("zrangebylex +zrangebyscore")


def test_tab_completes_the_names_of_the_servers_options(start, port, tmp_path):
    at = start(port)
    line, shown = completed(at, port, tmp_path, "config get maxmemory-pol" + TAB)
    assert line == "config get maxmemory-policy" and "noeviction" in shown
    line, shown = completed(at, port, tmp_path, "config set maxmemory-sam" + TAB + "5 lfu-log" + TAB
                            + "10")
    assert line == "config set maxmemory-samples 5 lfu-log-factor 10" and "OK" in shown
    line, _ = completed(at, port, tmp_path, "config set maxmemory-policy maxmemory-sam" + TAB)
    assert line == "config set maxmemory-policy maxmemory-sam"  # a value, not a name
    at.enter("hello 3")
    at.prompt(port)
    line, shown = completed(at, port, tmp_path, "config get databa" + TAB)
    assert line == "config get databases" and "16" in shown


def test_keys_with_blanks_are_completed_in_quotes(start, port, tmp_path):
    out("set", "two words", "x", port=port)
    at = start(port)
    line, shown = completed(at, port, tmp_path, "get tw" + TAB)
    assert line == 'get "two words"' and '"x"' in shown


def test_hints_show_what_is_missing(start, port):
    at = start(port)
    at.send("setex ")
    at.expect_text("key seconds value")
    at.send("k ")
    at.expect_text("seconds value")
    at.send("10 v\r")
    assert "OK" in at.prompt(port)
    at.enter(":set nohints")
    at.prompt(port)
    at.send("setex x ")
    time.sleep(0.1)
    at.send("1 y\r")
    assert "seconds" not in at.prompt(port)
    at.enter(":set hints")
    at.prompt(port)
    at.send("setex ")
    at.expect_text("key seconds value")


def test_a_dumb_terminal_gets_neither_hints_nor_marks(start, ours):
    at = start(ours, env={"TERM": "dumb"})
    at.send("setex ")
    time.sleep(0.1)
    at.send("x 10 y\r")
    assert "seconds" not in at.prompt(ours)
    at.enter("help setex")
    at.expect_text("SETEX")
    at.prompt(ours)
    assert "\x1b[1m" not in at.child.before and "summary:" in at.child.before


def test_commands_are_known_once_the_password_is(start, tmp_path):
    with redis_server(tmp_path, "--requirepass", "secret") as port:
        at = start(port)
        at.enter("auth secret")
        at.prompt(port)
        at.send("setex ")
        at.expect_text("key seconds value")


def test_a_database_that_is_refused_is_left(start, redis):
    at = Terminal("-p", redis, "-n", 99, home="/nowhere")
    try:
        at.expect_text("SELECT 99 failed")
        at.expect_text("not connected> ")
        at.enter("client info")
        assert " db=0 " in at.prompt(redis)
    finally:
        at.close()


def test_history_is_kept_without_passwords(start, ours, tmp_path):
    at = start(ours)
    for line in ("ping", "auth secret", "config set requirepass ''", "hello 3 auth default x",
                 "migrate h 1 k 0 1 auth x", "acl setuser me >secret", "echo last"):
        at.enter(line)
        at.prompt(ours)
    at.send(UP + UP + "\r")
    assert "PONG" in at.prompt(ours)
    at.send(CTRL_D)
    at.expect(at.pexpect.EOF)
    path = tmp_path / ".valkeycli_history"
    assert history(tmp_path) == ["ping", "echo last", "ping"]
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_reverse_search_finds_lines_of_earlier_sessions(start, port, tmp_path):
    (tmp_path / ".valkeycli_history").write_text("echo first\necho second-line\n")
    at = start(port)
    at.send(CTRL_R + "first" + "\r")
    assert '"first"' in at.prompt(port)


@pytest.mark.parametrize("name", ["VALKEYCLI_HISTFILE", "REDISCLI_HISTFILE"])
def test_history_file_of_the_environment(start, ours, tmp_path, name):
    at = start(ours, env={name: str(tmp_path / "other")})
    at.enter("echo here")
    at.prompt(ours)
    assert (tmp_path / "other").read_text() == "echo here\n" and not history(tmp_path)


def test_lines_of_the_rc_file_are_run(start, ours, tmp_path):
    (tmp_path / ".valkeyclirc").write_text(":set nohints\n\nset from:rc 1\n")
    start(ours)
    assert out("get", "from:rc", port=ours) == "1\n"
    for name in ("REDISCLI_RCFILE", "VALKEYCLI_RCFILE"):
        (tmp_path / "rc").write_text(f"set from:{name} 1\n")
        start(ours, env={name: str(tmp_path / "rc")})
        assert out("get", f"from:{name}", port=ours) == "1\n"


def test_help(start, port):
    at = start(port)
    at.enter("help")
    assert ":set hints|nohints" in at.prompt(port)
    at.enter("help config get")
    shown = at.prompt(port)
    assert "CONFIG GET" in shown and "summary:" in shown and "2.0.0" in shown
    at.enter("help @hyperloglog")
    shown = at.prompt(port)
    assert "PFADD" in shown and "PFCOUNT" in shown and "GET key" not in shown
    at.enter("help nosuchthing")
    assert "No command has that" in at.prompt(port)


def test_ctrl_c_drops_the_line_and_leaves_on_an_empty_one(start, port):
    at = start(port)
    at.send("set never ")
    at.expect_text("value")  # the hint: the keys have been read, Ctrl-C drops those that have not
    at.send(CTRL_C)
    at.expect_text("^C")
    at.prompt(port)
    at.enter("get never")
    assert "(nil)" in at.prompt(port)
    at.send(CTRL_C)
    at.expect(at.pexpect.EOF)


def test_ctrl_c_ends_a_blocked_command(start, port):
    at = start(port)
    at.enter("blpop nothing 0")
    wait_until(lambda: "cmd=blpop" in out("client", "list", port=port), "the command is blocked")
    at.send(CTRL_C)
    at.prompt(port)
    at.enter("ping")
    assert "PONG" in at.prompt(port)


@pytest.mark.parametrize("words, line, begin, more", [
    ([], "monitor", b"+OK\r\n", b'+1.5 [0 127.0.0.1:1] "ping"\r\n' * 2000),
    ([], "lrange endless 0 -1", b"*2000000000\r\n", b":1\r\n" * 20000),
    (["-3"], "client tracking on", b"+OK\r\n", b">2\r\n+invalidate\r\n*1\r\n+key\r\n" * 2000),
], ids=["monitor", "one reply", "pushes"])
def test_ctrl_c_is_seen_however_fast_the_server_sends(start, words, line, begin, more):
    greetings = [b"%0\r\n"] * len(words)
    server = CannedServer(*greetings, b"*0\r\n", (begin, more))
    at = start(server.port, *words)
    at.enter(line)
    wait_until(lambda: not server.replies, "the server sends")
    if begin == b"+OK\r\n":
        at.expect_text("OK")
    at.send(CTRL_C)
    if words:
        at.expect(at.pexpect.EOF)
    else:
        at.prompt(server.port)
    server.close()


@pytest.fixture
def subscribed(start):
    """subscribed(port) gives a Terminal that listens to the channel news."""

    def start_one(port):
        at = start(port)
        at.enter("subscribe news")
        at.expect_text("Reading messages...")
        return at

    return start_one


def press_a_key(at, port):
    """While it listens: now a command may be typed."""
    at.send("\r")
    at.prompt(port, "(subscribed mode)")


def test_subscribed_mode(subscribed, port):
    at = subscribed(port)
    out("publish", "news", "one", port=port)
    at.expect_text('3) "one"')
    press_a_key(at, port)
    at.enter("subscribe more")
    at.expect_text('2) "more"')
    at.expect_text("Reading messages...")
    out("publish", "more", "two", port=port)
    at.expect_text('3) "two"')
    at.send(CTRL_C)
    at.prompt(port)
    at.enter("ping")
    assert "PONG" in at.prompt(port)


def test_unsubscribing_ends_the_mode(subscribed, port):
    at = subscribed(port)
    press_a_key(at, port)
    at.enter("unsubscribe")
    at.prompt(port)


def test_shard_channels_are_counted_apart(subscribed, redis):
    at = subscribed(redis)
    for line in ("ssubscribe shard", "sunsubscribe shard"):
        press_a_key(at, redis)
        at.enter(line)
        at.expect_text("Reading messages...")
    out("publish", "news", "still", port=redis)
    at.expect_text('3) "still"')
    press_a_key(at, redis)


def test_a_server_without_resp3_is_spoken_to_as_it_wants(start):
    message = b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"
    server = CannedServer(b"-ERR unknown command\r\n", b"*0\r\n", message)
    at = start(server.port, "-3")
    at.enter("subscribe c")
    at.expect_text("Reading messages...")
    server.close()


def test_pushed_messages_appear_at_the_prompt(start, port):
    at = start(port, "-3")
    at.enter("subscribe news")
    at.prompt(port)
    out("publish", "news", "now", port=port)
    at.expect_text('3) "now"')
    at.prompt(port)
    at.enter("ping")
    assert "PONG" in at.prompt(port)


def test_invalidations_are_pushed(start, port):
    at = start(port, "-3")
    at.enter("client tracking on")
    at.prompt(port)
    at.enter("get watched")
    at.prompt(port)
    out("set", "watched", "1", port=port)
    at.expect_text('"invalidate"')
    at.expect_text('"watched"')


def test_monitor_until_ctrl_c(start, port):
    at = start(port)
    at.enter("monitor")
    at.expect_text("OK")
    out("get", "seen", port=port)
    at.expect_text('"get" "seen"')
    at.send(CTRL_C)
    at.prompt(port)
    at.enter("ping")
    assert "PONG" in at.prompt(port)


def test_a_server_that_restarts_is_found_again(start, tmp_path):
    port = free_port()
    with redis_server(tmp_path, port=port):
        at = start(port)
        at.enter("select 4")
        at.prompt(port, "[4]")
    at.expect_text("not connected> ")
    at.enter("ping")
    at.expect_text("Could not connect")
    at.expect_text("not connected> ")
    with redis_server(tmp_path, port=port):
        at.enter("client info")
        assert " db=4 " in at.prompt(port, "[4]")


def test_connect_goes_elsewhere(start, ours, redis):
    at = start(ours)
    at.enter(f"connect 127.0.0.1 {redis}")
    at.prompt(redis)
    at.enter("info server")
    assert "redis_version:7.0" in at.prompt(redis)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT])
@pytest.mark.parametrize("words, line, shown", [
    (["--askpass", "ping"], None, "Please input password: "),
    ([], "subscribe news", "Reading messages..."),
    ([], "monitor", "OK"),
    ([], None, "> "),
], ids=["askpass", "subscribed", "monitoring", "prompt"])
def test_a_signal_leaves_the_terminal_as_it_was(redis, tmp_path, words, line, shown, number):
    at = Terminal("-p", redis, *words, home=tmp_path)
    try:
        if line:
            at.prompt(redis)
            at.enter(line)
        at.expect_text(shown)
        flags = termios.ECHO if words else termios.ECHO | termios.ICANON
        wait_until(lambda: not termios.tcgetattr(at.child.child_fd)[3] & flags, "it is changed")
        at.child.kill(number)
        if number == signal.SIGINT and line:  # which ends the listening only
            at.prompt(redis)
            at.send(CTRL_D)
        at.expect(at.pexpect.EOF)
        assert termios.tcgetattr(at.child.child_fd)[3] & flags == flags
    finally:
        at.close()


def test_askpass_shows_nothing(tmp_path):
    with redis_server(tmp_path, "--requirepass", "secret") as port:
        at = Terminal("-p", port, "--askpass", "ping", home=tmp_path)
        try:
            at.expect_text("Please input password: ")
            at.enter("secret")
            assert at.expect(at.pexpect.EOF).strip() == "PONG"
        finally:
            at.close()
