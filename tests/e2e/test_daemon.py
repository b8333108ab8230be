# SPDX-License-Identifier: BSD-3-Clause
"""The process as the system, its operator and its supervisor see it."""

import ctypes
import os
import re
import resource
import shlex
import signal
import socket
import stat
import subprocess
import threading
from pathlib import Path

import pytest
import redis

from daemon_process import (Daemons, SERVER, free_port, is_alive, read_tasks, state_of,
                            wait_until)


@pytest.fixture
def daemons(tmp_path):
    daemons = Daemons(tmp_path)
    yield daemons
    daemons.close()


# --- start ---------------------------------------------------------------------------------------


def test_the_log_of_a_start_has_what_runners_wait_for_in_their_order(daemons):
    daemon = daemons.start("--always-show-logo", "yes")
    log = daemon.log()
    order = [log.index(text) for text in (f" PID: {daemon.pid}\n", "Server initialized",
                                          "Ready to accept")]
    assert order == sorted(order)


def test_without_a_terminal_there_is_no_banner_unless_asked_for(daemons):
    daemon = daemons.start()
    assert " PID: " not in daemon.log()
    assert f"Running mode=standalone, port={daemon.port}." in daemon.log()


def test_a_bare_ping_and_an_extra_newline_are_answered(daemons):
    daemon = daemons.start()
    with socket.create_connection(("127.0.0.1", daemon.port), 10) as probe:
        probe.sendall(b"PING\r\n\n")
        assert probe.recv(100) == b"+PONG\r\n"


def test_a_port_in_use_is_named_and_ends_the_start(daemons, tmp_path):
    first = daemons.start()
    pidfile, unixsocket = tmp_path / "pid", tmp_path / "socket"
    status, log = daemons.run("--port", first.port, "--pidfile", pidfile, "--unixsocket", unixsocket)
    assert status == 1
    assert f"Failed listening on port {first.port}" in log
    assert "already in use" in log
    assert "Ready to accept" not in log
    assert not pidfile.exists() and not unixsocket.exists()
    assert first.client().ping()


def test_a_server_that_would_listen_nowhere_does_not_start(daemons):
    status, log = daemons.run("--port", "0")
    assert status == 1
    assert "Configured to not listen anywhere" in log


def test_port_0_leaves_only_the_unix_socket_with_its_mode_until_the_end(daemons, tmp_path):
    path = tmp_path / "socket"
    daemon = daemons.start_raw("--port", "0", "--unixsocket", path, "--unixsocketperm", "700")
    daemon.wait_until_ready()
    assert daemon.client(unix_socket_path=str(path)).ping()
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    assert "tcp" not in re.findall(r"Ready to accept.*", daemon.log())[-1]
    assert daemon.stop() == 0
    assert not path.exists()


def test_a_relative_socket_and_pid_file_are_removed_after_dir_has_changed(daemons, tmp_path):
    daemon = daemons.start("--unixsocket", "socket", "--pidfile", "pid", "--enable-protected-configs",
                           "yes")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    daemon.client().config_set("dir", str(elsewhere))
    assert os.readlink(f"/proc/{daemon.pid}/cwd") == str(elsewhere)
    assert {"socket", "pid"} <= set(os.listdir(daemon.folder))
    assert daemon.stop() == 0
    assert not {"socket", "pid"} & set(os.listdir(daemon.folder))


def test_no_descriptor_leaks_into_a_child(daemons, tmp_path):
    daemon = daemons.start("--unixsocket", tmp_path / "socket", "--io-threads", "2")
    assert daemon.client().ping()
    leaks = []
    for fd in os.listdir(f"/proc/{daemon.pid}/fd"):
        if int(fd) <= 2:
            continue
        with open(f"/proc/{daemon.pid}/fdinfo/{fd}") as info:
            flags = int(re.search(r"^flags:\s+([0-7]+)", info.read(), re.M).group(1), 8)
        if not flags & os.O_CLOEXEC:
            leaks.append(os.readlink(f"/proc/{daemon.pid}/fd/{fd}"))
    assert leaks == []


def test_lines_without_effect_are_named_in_the_log(daemons):
    daemon = daemons.start("--always-show-logo", "no", config="user alice on nopass +@all ~*\n"
                           "user bob off\nloadmodule /nowhere.so\nappendonly yes\n")
    assert re.search(r"# WARNING: 2 'user' line\(s\).*NO EFFECT", daemon.log())
    assert re.search(r"# WARNING: 1 'loadmodule' line\(s\).*no effect", daemon.log())
    assert re.search(r"# WARNING: appendonly has no effect", daemon.log())


# --- signals -------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_in_good_order(daemons, tmp_path, number):
    pidfile = tmp_path / "pid"
    daemon = daemons.start("--pidfile", pidfile)
    assert pidfile.read_text() == f"{daemon.pid}\n"
    daemon.signal(number)
    assert daemon.wait_for_exit() == 0
    lines = daemon.log().splitlines()
    assert any(f"Received {signal.Signals(number).name} scheduling shutdown" in line for line in lines)
    assert lines[-1].endswith("Valkey is now ready to exit, bye bye...")
    assert not pidfile.exists()


def test_replies_of_executed_commands_arrive_before_the_end(daemons):
    daemon = daemons.start()
    with socket.create_connection(("127.0.0.1", daemon.port), 10) as client:
        client.sendall(b"SET a 1\r\nGET a\r\nSHUTDOWN NOSAVE\r\n")
        received = b""
        while chunk := client.recv(1000):
            received += chunk
    assert received == b"+OK\r\n$1\r\n1\r\n"
    assert daemon.wait_for_exit() == 0


def test_a_second_sigint_ends_a_busy_server_at_once(daemons):
    daemon = daemons.start("--enable-debug-command", "yes")
    busy = socket.create_connection(("127.0.0.1", daemon.port), 10)
    busy.sendall(b"DEBUG LOG before\r\nDEBUG SLEEP 1000\r\n")
    daemon.wait_for_log("before")
    daemon.signal(signal.SIGINT)
    wait_until(lambda: not _is_pending(daemon.pid, signal.SIGINT), "the first signal is taken")
    assert daemon.process.poll() is None
    daemon.signal(signal.SIGINT)
    assert daemon.wait_for_exit() == 1
    assert "You insist... exiting now." in daemon.log()
    busy.close()


def _is_pending(pid, number):
    with open(f"/proc/{pid}/status") as status:
        text = status.read()
    masks = re.findall(r"^(?:SigPnd|ShdPnd):\s+([0-9a-f]+)", text, re.M)
    return any(int(mask, 16) & 1 << (number - 1) for mask in masks)


def test_sighup_and_sigpipe_are_ignored(daemons):
    daemon = daemons.start()
    for number in (signal.SIGHUP, signal.SIGPIPE):
        daemon.signal(number)
        assert daemon.client().ping()


def test_a_shutdown_that_cannot_save_is_refused_until_it_is_not_asked_to(daemons):
    daemon = daemons.start("--shutdown-on-sigterm", "save")
    client = daemon.client()
    os.mkdir(os.path.join(daemon.folder, "dump.rdb"))  # no file can be renamed to this
    for count in (1, 2):  # the second signal is heard like the first
        daemon.signal(signal.SIGTERM)
        wait_until(lambda: daemon.log().count("Errors trying to shut down") == count, "a refusal")
    assert client.ping()
    client.config_set("shutdown-on-sigterm", "save force")
    assert daemon.stop() == 0


def test_a_pause_of_cron_does_not_keep_the_server_from_ending(daemons):
    daemon = daemons.start("--enable-debug-command", "yes")
    daemon.client().execute_command("DEBUG", "PAUSE-CRON", "1")
    assert daemon.stop() == 0


@pytest.mark.parametrize("words", ["", "NOSAVE", "NOW", "FORCE", "SAVE FORCE", "NOSAVE NOW FORCE",
                                   "SAFE", "FAILOVER", "nosave safe failover"])
def test_shutdown_ends_the_server(daemons, words):
    daemon = daemons.start("--save", "")
    with socket.create_connection(("127.0.0.1", daemon.port), 10) as client:
        client.sendall(f"SHUTDOWN {words}\r\n".encode())
        assert client.recv(100) == b""
    assert daemon.wait_for_exit() == 0


def test_shutdown_refuses_what_contradicts_itself_and_what_cannot_be(daemons):
    daemon = daemons.start()
    client = daemon.client()
    for words in ("SAVE NOSAVE", "ABORT NOW", "NOSAVE ABORT", "LATER", "NOW LATER"):
        with pytest.raises(redis.ResponseError, match="syntax error"):
            client.execute_command("SHUTDOWN", *words.split())
    with pytest.raises(redis.ResponseError, match="No shutdown in progress"):
        client.execute_command("SHUTDOWN", "ABORT")
    with pytest.raises(redis.ResponseError, match="Errors trying to SHUTDOWN. Check logs"):
        os.mkdir(os.path.join(daemon.folder, "dump.rdb"))
        client.execute_command("SHUTDOWN", "SAVE")
    assert client.ping()
    os.rmdir(os.path.join(daemon.folder, "dump.rdb"))


# --- background and supervisors ------------------------------------------------------------------


def _start_in_background(daemons, folder, *args, env=None):
    """The parent has ended when this returns; the pid of the server."""
    log = folder / "background.log"
    port = free_port()
    parent = daemons.start_raw("--daemonize", "yes", "--port", port, "--logfile", log, *args, env=env)
    parent.port = port
    assert parent.wait_for_exit() == 0
    wait_until(lambda: log.exists() and "Ready to accept" in log.read_text(), "a start")
    return parent, int(re.search(r"pid=(\d+), just started", log.read_text()).group(1)), log


def _end(pid):
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: not is_alive(pid), "the end of the server in the background")


def test_daemonize_leaves_a_server_of_its_own_session_and_its_pid_file(daemons, tmp_path):
    pidfile = tmp_path / "pid"
    parent, pid, log = _start_in_background(daemons, tmp_path, "--pidfile", pidfile)
    try:
        assert pid != parent.pid
        assert pidfile.read_text() == f"{pid}\n"
        assert os.getsid(pid) == pid
        assert [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in range(3)] == ["/dev/null"] * 3
        assert parent.client().ping()
    finally:
        _end(pid)
    assert not pidfile.exists()
    assert "ready to exit, bye bye" in log.read_text()


@pytest.mark.skipif(not os.access("/var/run", os.W_OK) or os.path.exists("/var/run/valkey.pid"),
                    reason="/var/run/valkey.pid is not ours")
def test_a_daemon_has_a_pid_file_even_if_none_is_named(daemons, tmp_path):
    _, pid, _ = _start_in_background(daemons, tmp_path)
    try:
        with open("/var/run/valkey.pid") as file:
            assert file.read() == f"{pid}\n"
    finally:
        _end(pid)
    assert not os.path.exists("/var/run/valkey.pid")


def test_a_pid_file_that_cannot_be_written_is_only_logged(daemons):
    daemon = daemons.start("--pidfile", "/nowhere/at/all.pid")
    assert "Failed to write PID file: /nowhere/at/all.pid" in daemon.log()
    assert daemon.stop() == 0


@pytest.fixture
def notify_socket(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.bind(str(tmp_path / "notify"))
        supervisor.settimeout(30)
        yield supervisor


@pytest.mark.parametrize("supervised", ["systemd", "auto"])
def test_systemd_hears_of_readiness_and_of_the_end(daemons, notify_socket, supervised):
    daemon = daemons.start("--supervised", supervised, "--daemonize", "yes",
                           env={"NOTIFY_SOCKET": notify_socket.getsockname()})
    if "this build does not know systemd" in daemon.log():
        pytest.skip("built without systemd")
    assert b"READY=1" in notify_socket.recv(1000).split(b"\n")
    assert daemon.client().info("server")["process_supervised"] == "systemd"
    assert daemon.process.poll() is None  # daemonize gives way
    assert daemon.stop() == 0
    assert b"STOPPING=1" in notify_socket.recv(1000).split(b"\n")


@pytest.mark.parametrize("supervised", ["upstart", "auto"])
def test_upstart_sees_the_process_stop_itself_when_it_is_ready(daemons, supervised):
    port = free_port()
    daemon = daemons.start_raw("--port", port, "--supervised", supervised,
                               env={"UPSTART_JOB": "valkey"})
    daemon.wait_until_ready()
    wait_until(lambda: state_of(daemon.pid) == "T", "the process is stopped")
    daemon.signal(signal.SIGCONT)
    assert daemon.client(port).info("server")["process_supervised"] == "upstart"


def test_a_supervisor_that_is_not_there_is_logged(daemons):
    daemon = daemons.start("--supervised", "systemd")
    assert "systemd supervision requested, but NOTIFY_SOCKET not found!" in daemon.log()
    assert daemon.client().info("server")["process_supervised"] == "no"


# --- what the system allows ----------------------------------------------------------------------


def _oom_score(pid):
    with open(f"/proc/{pid}/oom_score_adj") as file:
        return int(file.read())


def test_oom_score_follows_its_options_and_goes_back(daemons):
    base = _oom_score(os.getpid())
    daemon = daemons.start()
    client = daemon.client()
    assert _oom_score(daemon.pid) == base
    client.config_set("oom-score-adj-values", f"{base + 30} 200 800")
    assert _oom_score(daemon.pid) == base  # still off
    client.config_set("oom-score-adj", "absolute")
    assert _oom_score(daemon.pid) == base + 30
    client.config_set("oom-score-adj-values", "40 200 800", "oom-score-adj", "relative")
    assert _oom_score(daemon.pid) == base + 40
    client.config_set("oom-score-adj", "no")
    assert _oom_score(daemon.pid) == base
    with pytest.raises(redis.ResponseError, match="oom-score-adj-values"):
        client.config_set("oom-score-adj-values", "3000 0 0")


def test_oom_score_of_the_config_file_holds_from_the_start(daemons):
    base = _oom_score(os.getpid())
    daemon = daemons.start("--oom-score-adj", "yes", "--oom-score-adj-values", "25 200 800")
    assert _oom_score(daemon.pid) == base + 25
    assert daemon.client().config_get("oom-score-adj") == {"oom-score-adj": "yes"}


def _threads(pid):
    """Name and CPUs of each thread; without those that a sanitizer adds, which have no name."""
    threads = {}
    for task, text in read_tasks(pid, "status").items():
        name = "main" if task == pid else re.search(r"^Name:\s+(.*)", text, re.M).group(1)
        if SERVER.endswith("/" + name):
            continue
        threads[name] = re.search(r"^Cpus_allowed_list:\s+(.*)", text, re.M).group(1)
    return threads


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="one CPU only")
def test_threads_stay_on_the_cpus_of_their_lists(daemons):
    first, second = sorted(os.sched_getaffinity(0))[:2]
    daemon = daemons.start("--server-cpulist", first, "--bio-cpulist", second, "--io-threads", "2",
                           "--jemalloc-bg-thread", "no", extra_args=False)
    wait_until(lambda: len(_threads(daemon.pid)) >= 3, "the threads")
    # A later thread is bound like those of the start.
    daemon.client().config_set("io-threads", "4")
    wait_until(lambda: len(_threads(daemon.pid)) >= 5, "the new threads")

    def all_are_bound():
        return all(cpus == str(second if name.startswith("bio") else first)
                   for name, cpus in _threads(daemon.pid).items())

    wait_until(all_are_bound, f"all threads are bound: {_threads(daemon.pid)}")


def test_a_cpu_list_that_makes_no_sense_ends_the_start(daemons):
    status, log = daemons.run("--port", free_port(), "--server-cpulist", "3-1")
    assert status == 1
    assert "CPU" in log


def test_the_allocator_has_a_thread_of_its_own_if_wanted(daemons):
    daemon = daemons.start()
    client = daemon.client()
    if "jemalloc" not in client.info("memory")["mem_allocator"]:
        pytest.skip("another allocator")

    def has_thread():
        return any(name.startswith("jemalloc") for name in _threads(daemon.pid))

    wait_until(has_thread, "the thread")
    client.config_set("jemalloc-bg-thread", "no")
    wait_until(lambda: not has_thread(), "the end of the thread")


def _drop_cap_sys_resource():
    """Not even root may raise its hard limits then."""
    cap_sys_resource, pr_capbset_drop = 24, 24
    ctypes.CDLL(None).prctl(pr_capbset_drop, cap_sys_resource, 0, 0, 0)


def _limit_files(soft, hard):
    def limit():
        _drop_cap_sys_resource()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return limit


def test_open_files_are_raised_to_fit_maxclients(daemons):
    hard = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1], 2000)
    daemon = daemons.start("--maxclients", "500", preexec=_limit_files(100, hard))
    assert "Increased maximum number of open files to 532 (it was originally set to 100)" in daemon.log()
    assert daemon.client().config_get("maxclients") == {"maxclients": "500"}
    daemon.client().config_set("maxclients", "600")
    assert resource.prlimit(daemon.pid, resource.RLIMIT_NOFILE)[0] >= 632


def test_maxclients_gives_way_to_a_low_limit_of_open_files(daemons):
    daemon = daemons.start("--maxclients", "5000", preexec=_limit_files(200, 200))
    client = daemon.client()
    assert "maxclients has been reduced to 168" in daemon.log()
    assert client.config_get("maxclients") == {"maxclients": "168"}
    with pytest.raises(redis.ResponseError, match="not able to handle.*try with 168"):
        client.config_set("maxclients", "300")
    assert client.config_get("maxclients") == {"maxclients": "168"}
    client.config_set("maxclients", "100")


def _setting(path):
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError:
        return ""


def test_settings_of_the_system_that_hurt_are_warned_of(daemons):
    log = daemons.start("--tcp-backlog", "2000000000").log()
    assert "The TCP backlog setting of 2000000000 cannot be enforced" in log
    overcommit = _setting("/proc/sys/vm/overcommit_memory")
    assert ("Memory overcommit must be enabled" in log) == (overcommit in ("0", "2"))
    assert "Transparent Huge Pages" not in log  # switched off for the process


def test_huge_pages_are_switched_off_for_the_process_unless_told_not_to(daemons):
    def enabled(pid):
        with open(f"/proc/{pid}/status") as status:
            found = re.search(r"^THP_enabled:\s+(\d)", status.read(), re.M)
        return found.group(1) if found else pytest.skip("this kernel does not tell")

    assert enabled(daemons.start().pid) == "0"
    daemon = daemons.start("--disable-thp", "no")
    assert enabled(daemon.pid) == "1"
    always = "[always]" in _setting("/sys/kernel/mm/transparent_hugepage/enabled")
    assert ("Transparent Huge Pages" in daemon.log()) == always


# --- title ---------------------------------------------------------------------------------------


def _title(pid):
    with open(f"/proc/{pid}/cmdline") as file:
        return file.read().rstrip("\0")


def test_the_title_names_address_and_follows_config_set(daemons):
    daemon = daemons.start("--bind", "127.0.0.1")
    client = daemon.client()
    assert _title(daemon.pid) == f"{SERVER} 127.0.0.1:{daemon.port}"
    client.config_set("proc-title-template", "{port}|{tls-port}|{server-mode}|{unixsocket}|tail")
    assert _title(daemon.pid) == f"{daemon.port}|0|||tail"
    for bad in ("{unknown}", "{title", "title}", ""):
        with pytest.raises(redis.ResponseError, match="template format is invalid"):
            client.config_set("proc-title-template", bad)
    assert _title(daemon.pid) == f"{daemon.port}|0|||tail"


def test_the_title_knows_socket_and_config_file(daemons, tmp_path):
    socket_path = tmp_path / "socket"
    daemon = daemons.start("--unixsocket", socket_path, "--proc-title-template",
                           "{unixsocket} {config-file}", config="# empty\n",
                           env={"ROOM": "x" * 1000})
    assert _title(daemon.pid) == f"{socket_path} {daemon.config_path}"


def test_a_bad_title_template_ends_the_start(daemons):
    status, log = daemons.run("--proc-title-template", "{nonsense}")
    assert status == 1
    assert "FATAL CONFIG FILE ERROR" in log and "template format is invalid" in log


def test_set_proc_title_no_leaves_the_arguments(daemons):
    daemon = daemons.start("--set-proc-title", "no")
    assert _title(daemon.pid).split("\0") == daemon.args


# --- CONFIG SET of what the process itself does --------------------------------------------------


def test_port_changes_at_run_time(daemons):
    daemon = daemons.start()
    client, new_port = daemon.client(), free_port()
    client.config_set("port", new_port)
    assert daemon.client(new_port).ping()
    assert client.ping()  # a connection that was there stays
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", daemon.port), 10).close()
    client.config_set("port", "0")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", new_port), 10).close()
    client.config_set("port", daemon.port)
    assert daemon.client().ping()
    assert _title(daemon.pid).endswith(f":{daemon.port}")


def test_a_port_in_use_changes_nothing(daemons):
    daemon, other = daemons.start(), daemons.start()
    client = daemon.client()
    with pytest.raises(redis.ResponseError, match="Unable to listen on this port"):
        client.config_set("maxclients", "777", "port", other.port, "hz", "77")
    assert client.config_get("port", "hz", "maxclients") == {
        "port": str(daemon.port), "hz": "10", "maxclients": "10000"}
    assert daemon.client().ping()
    assert _title(daemon.pid).endswith(f":{daemon.port}")


def test_an_address_that_cannot_be_bound_changes_nothing(daemons):
    daemon = daemons.start("--bind", "127.0.0.1")
    client = daemon.client()
    for bind in ("198.51.100.7", "127.0.0.1 198.51.100.7", "not-a-host.invalid"):
        with pytest.raises(redis.ResponseError, match="Failed to bind to specified addresses"):
            client.config_set("bind", bind)
        assert client.config_get("bind") == {"bind": "127.0.0.1"}
        assert daemon.client().ping()


def test_bind_changes_at_run_time_and_an_empty_one_closes_all(daemons, tmp_path):
    path = tmp_path / "socket"
    daemon = daemons.start("--bind", "127.0.0.1", "--unixsocket", path)
    client = daemon.client(unix_socket_path=str(path))
    client.config_set("bind", "127.0.0.2")
    assert daemon.client(host="127.0.0.2").ping()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", daemon.port), 10).close()
    client.config_set("bind", "*")  # overlaps with the one before
    assert daemon.client(host="127.0.0.1").ping()
    client.config_set("bind", "127.0.0.1 127.0.0.3")  # and the other way round
    assert daemon.client(host="127.0.0.3").ping()
    client.config_set("bind", "")
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", daemon.port), 10).close()
    assert client.ping()


def test_nobody_is_refused_while_bind_and_port_change(daemons):
    daemon = daemons.start("--bind", "127.0.0.1")
    client, new_port = daemon.client(), free_port()
    stop, failures, connects = threading.Event(), [], []

    def connect():
        while not stop.is_set():
            try:
                with socket.create_connection(("127.0.0.1", daemon.port), 10) as probe:
                    probe.sendall(b"PING\r\n")
                    connects.append(probe.recv(7))
            except OSError as error:
                failures.append(error)

    thread = threading.Thread(target=connect)
    thread.start()
    try:
        for _ in range(50):
            client.config_set("bind", "127.0.0.2 127.0.0.1")
            client.config_set("bind", "127.0.0.1")
            with pytest.raises(redis.ResponseError):
                client.config_set("bind", "127.0.0.1 198.51.100.7")
        wait_until(lambda: len(connects) > 10 or failures, "connections")
    finally:
        stop.set()
        thread.join()
    assert failures == [] and set(connects) == {b"+PONG\r\n"}
    client.config_set("port", new_port)
    assert daemon.client(new_port).ping()


def test_dir_is_protected_and_must_exist(daemons, tmp_path):
    daemon = daemons.start()
    with pytest.raises(redis.ResponseError, match="can't set protected config"):
        daemon.client().config_set("dir", str(tmp_path))
    free = daemons.start("--enable-protected-configs", "local")
    client = free.client()
    with pytest.raises(redis.ResponseError, match="No such file or directory"):
        client.config_set("dir", "/nowhere/at/all")
    assert client.config_get("dir") == {"dir": free.folder}
    client.config_set("dir", str(tmp_path))
    assert client.config_get("dir") == {"dir": str(tmp_path)}


def test_the_watchdog_logs_where_a_long_command_is(daemons):
    daemon = daemons.start("--enable-debug-command", "yes", "--hz", "100")
    client = daemon.client()
    client.config_set("watchdog-period", "100")
    client.execute_command("DEBUG", "SLEEP", "0.5")
    assert "WATCHDOG TIMER EXPIRED" in daemon.log()
    client.config_set("watchdog-period", "0")
    assert client.ping()


def test_io_threads_change_while_clients_talk(daemons):
    daemon = daemons.start("--io-threads-always-active", "yes", extra_args=False)
    client = daemon.client()
    for count in (4, 1, 8, 2, 1):
        client.config_set("io-threads", count)
        assert client.config_get("io-threads") == {"io-threads": str(count)}
        assert client.set("a", str(count)) and client.get("a") == str(count)
    assert daemon.stop() == 0


# --- the clock -----------------------------------------------------------------------------------

CLOCK_SET_BACK = """
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t clock, struct timespec *now) {
    int rc = (int)syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_REALTIME && access("set_back", F_OK) == 0) now->tv_sec -= 3600;
    return rc;
}
"""


def test_periodic_work_goes_on_when_the_clock_is_set_back(start_server, tmp_path):
    source, library = tmp_path / "clock.c", tmp_path / "clock.so"
    source.write_text(CLOCK_SET_BACK)
    compiler = shlex.split(os.environ.get("CC", "cc"))
    subprocess.run([*compiler, "-D_GNU_SOURCE", "-shared", "-fPIC", str(source), "-o", str(library)],
                   check=True)
    asan = os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"
    server = start_server(env={"LD_PRELOAD": str(library), "ASAN_OPTIONS": asan})
    control = server.control()
    before = int(control.call("TIME")[0])
    waiter = server.connect()
    waiter.send_command("BLPOP", "none", 1)
    control.call("CLIENT", "PAUSE", 1500, "WRITE")
    Path(server.daemon.folder, "set_back").touch()
    if int(control.call("TIME")[0]) >= before:
        pytest.skip("this build reads the clock in a way of its own")
    control.call("CONFIG", "RESETSTAT")
    wait_until(lambda: server.info("stats")["instantaneous_ops_per_sec"] != "0", "cron counts")
    assert waiter.read_reply() is None
    assert control.call("SET", "k", "v") == "OK"  # clients are no longer paused
    assert int(server.info("server")["uptime_in_seconds"]) >= 0
