#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What single requests feel while the server has other work: each scenario prints a line of figures.

    scenarios.py ours=src/valkey-server peer=redis-server
    scenarios.py --only expiry,resize ours=src/valkey-server@"--io-threads 2"

idle      50 clients GET, nothing else: what the machine itself does to the longest request, and how often a request
          waits for more than 2 ms (those at the same time count once)
expiry    1 M keys with one deadline go while 50 clients GET: when the last was gone, the longest stall
resize    50 clients SET 1 M keys that are there beside 8 M others, then new ones: the longest stall, and how many
          commands took long by the server's own slow log
large     50 clients GET 64 bytes while 4 fetch 10 MiB: p99.9
evict     CPU of SET under full write load at maxmemory against plain SET; memory over the limit
flush     FLUSHALL ASYNC of 2 M keys while 50 clients GET
release   4 M keys are deleted one by one: memory when all are there, when one in four is, and when all are gone
delete    collections of 10 M elements are deleted or cut while 50 clients GET: what the command itself took, and
          the longest stall
The client, stalls.c, is compiled at the start. Server and client are pinned to a core each.

With --own, the waits of 1 ms and more of each scenario are also shown less the time that other programs, or threads of
the system, had one of the two cores meanwhile: by perf's record of the scheduler, for which one has to be root. What
is left is the server's own, all of its threads, and what a virtual machine's host took.
"""
import argparse
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

import bench

HERE = os.path.dirname(os.path.abspath(__file__))
MILLION = 1_000_000


def command(server, *words):
    """One command over a connection that is kept: no process of its own beside what is measured."""
    if not hasattr(server, "control"):
        server.control = socket.create_connection(("127.0.0.1", server.port)).makefile("rwb")
    words = [str(word).encode() for word in words]
    server.control.write(b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
    server.control.flush()
    return read_reply(server.control)


def read_reply(file):
    line = file.readline().rstrip(b"\r\n")
    if line[:1] == b"$":
        return file.read(int(line[1:]) + 2)[:-2].decode(errors="replace") if line != b"$-1" else ""
    if line[:1] == b"*":
        return [read_reply(file) for _ in range(int(line[1:]))]
    return line[1:].decode()


def info(server, field):
    for line in command(server, "INFO", "all").splitlines():
        if line.startswith(field + ":"):
            return line.partition(":")[2].strip()
    return ""


def stalls(args, server, seconds, *words, clients=50):
    recorder = Recorder(seconds + 1) if args.own else None
    out = subprocess.run(["taskset", "-c", args.client_cpus, args.stalls, str(server.port), str(clients), str(seconds),
                          *map(str, words)], capture_output=True, text=True)
    if out.returncode:
        sys.exit(f"stalls: {out.stderr}")
    result = json.loads(out.stdout)
    if recorder:
        result["own_ms"] = recorder.own_waits(result["waits_ns"], os.listdir(f"/proc/{server.process.pid}/task"))
    return result


class Recorder:
    """Which thread had which core when, from now on for some seconds."""

    def __init__(self, seconds):
        self.path = os.path.join(tempfile.mkdtemp(prefix="bench-"), "switches")
        self.perf = subprocess.Popen(["perf", "record", "-q", "-k", "CLOCK_MONOTONIC", "-a", "-e", "sched:sched_switch",
                                      "-o", self.path, "--", "sh", "-c", f"echo records; exec sleep {seconds}"],
                                     stdout=subprocess.PIPE)
        self.perf.stdout.readline()

    def turns_of_others(self, server_threads):
        """(from, to) in seconds, in order."""
        self.perf.wait()
        text = subprocess.run(["perf", "script", "-i", self.path, "-F", "cpu,time,event,trace"], check=True,
                              capture_output=True, text=True).stdout
        shutil.rmtree(os.path.dirname(self.path))
        turns, since = [], {}
        for line in text.splitlines():
            found = re.search(r"\[(\d+)\] +([\d.]+): .* ==> next_comm=(.*) next_pid=(\d+)", line)
            if not found:
                continue
            cpu, now, name, thread = found[1], float(found[2]), found[3], found[4]
            if cpu in since:
                turns.append((since.pop(cpu), now))
            if thread not in server_threads and thread != "0" and name != "stalls":
                since[cpu] = now
        return sorted(turns)

    def own_waits(self, waits_ns, server_threads):
        """Of each wait, in milliseconds, what no other program's turn explains."""
        turns, own = self.turns_of_others(server_threads), []
        for begin, end in ((a / 1e9, b / 1e9) for a, b in waits_ns):
            left, covered = end - begin, begin
            for start, stop in turns:
                start, stop = max(start, covered), min(stop, end)
                if stop > start:
                    left -= stop - start
                    covered = stop
            own.append(left * 1000)
        return own


def load(args, server, n, *words, pipeline=64):
    subprocess.run(["taskset", "-c", args.client_cpus, "redis-benchmark", "-p", str(server.port), "-P", str(pipeline),
                    "-n", str(n), "-r", str(MILLION), "-q", *words], stdout=subprocess.DEVNULL, check=True)


def figures(result):
    own = ""
    if "own_ms" in result:
        over = [ms for ms in result["own_ms"] if ms > 1]
        own = f", its own {max(result['own_ms'], default=0):.2f} ms, {len(over)} times over 1 ms"
    return (f"{result['rps']:>7.0f} rps  p50 {result['p50_ms']:.2f}  p99 {result['p99_ms']:.2f}  p99.9 {result['p99.9_ms']:.2f}"
            f"  longest {result['longest_ms']:.2f} ms, {result['stalls']} times over 2 ms{own}")


def idle(args, server):
    load(args, server, MILLION, "SET", "key:__rand_int__", "x" * 64)
    return figures(stalls(args, server, 5, "GET", f"#{MILLION}"))


def pipe(server, commands):
    """Sends many commands through redis-cli --pipe."""
    subprocess.run(["redis-cli", "-p", str(server.port), "--pipe"], input="\r\n".join(commands).encode() + b"\r\n",
                   stdout=subprocess.DEVNULL, check=True)


def expiry(args, server):
    load(args, server, MILLION, "SET", "key:__rand_int__", "x" * 64)
    deadline = int(time.time() * 1000) + 15000
    pipe(server, [f"SET volatile:{i:012} xxxxxxxx PXAT {deadline}" for i in range(MILLION)])
    volatile = int(info(server, "db0").split("expires=")[1].split(",")[0])
    if time.time() * 1000 > deadline - 1500:
        return "the keys could not be loaded in time"
    time.sleep(max(0, deadline / 1000 - time.time() - 1))
    gone = []

    def watch():
        while not gone and time.time() * 1000 < deadline + 60000:
            field = info(server, "db0")
            if "expires=0," in field + ",":
                gone.append(time.time() * 1000 - deadline)
            time.sleep(0.05)

    watcher = threading.Thread(target=watch)
    watcher.start()
    result = stalls(args, server, 5, "GET", f"#{MILLION}")
    watcher.join()
    when = f"gone {gone[0]:.0f} ms after their deadline" if gone else "not gone a minute after their deadline"
    return f"{figures(result)}  {volatile} keys {when}"


def resize(args, server):
    def sets(keys):
        command(server, "SLOWLOG", "RESET")
        result = stalls(args, server, 20, "SET", f"#{keys}", "12345678")
        took = [int(entry[2]) for entry in command(server, "SLOWLOG", "GET", "1000") if entry[3][0].upper() == "SET"]
        over = sum(us > 1000 for us in took)
        return (f"{figures(result)}  of {result['rps'] * 20 / MILLION:.1f} M SETs {len(took)} took over 300 us, {over} over 1 ms, "
                f"the longest {max(took, default=0)} us")

    command(server, "CONFIG", "SET", "slowlog-log-slower-than", "300")
    command(server, "CONFIG", "SET", "slowlog-max-len", "1000")
    command(server, "DEBUG", "POPULATE", 8 * MILLION, "old", 8)
    load(args, server, 5 * MILLION, "SET", "key:__rand_int__", "12345678")
    same = sets(MILLION)
    grown = sets(1000 * MILLION)
    return f"{same}\n{'':17} growing: {grown}; {command(server, 'DBSIZE')} keys"


def large(args, server):
    load(args, server, MILLION, "SET", "key:__rand_int__", "x" * 64)
    command(server, "SET", "big", "x" * (10 * 1024 * 1024))
    result = stalls(args, server, 8, "-l", "4", "big", "GET", f"#{MILLION}")
    return f"{figures(result)}  and {result['large_replies'] / 8:.0f} replies of 10 MiB a second"


def evict(args, server):
    def cpu_of_set():
        before = server.cpu()
        load(args, server, 3 * MILLION, "SET", "key:__rand_int____rand_int__", "x" * 64, pipeline=16)
        after = server.cpu()
        return sum(after) - sum(before), after[0] - before[0]

    load(args, server, 2 * MILLION, "SET", "key:__rand_int____rand_int__", "x" * 64)
    plain, plain_user = cpu_of_set()
    command(server, "FLUSHALL")
    command(server, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    load(args, server, 2 * MILLION, "SET", "key:__rand_int____rand_int__", "x" * 64)
    limit = int(info(server, "used_memory"))
    command(server, "CONFIG", "SET", "maxmemory", limit)
    most, done = [0], []

    def watch():
        while not done:
            most[0] = max(most[0], int(info(server, "used_memory") or 0))
            time.sleep(0.05)

    watcher = threading.Thread(target=watch)
    watcher.start()
    evicting, evicting_user = cpu_of_set()
    done.append(True)
    watcher.join()
    return (f"CPU a SET {plain / 3:.3f} us, evicting {evicting / 3:.3f} us: x{evicting / plain:.2f} (user x"
            f"{evicting_user / plain_user:.2f}); {info(server, 'evicted_keys')} evicted, memory at most "
            f"{(most[0] / limit - 1) * 100:+.2f} % over the limit")


def flush(args, server):
    load(args, server, MILLION, "SET", "key:__rand_int__", "x" * 64)
    command(server, "DEBUG", "POPULATE", MILLION, "old", 64)
    threading.Timer(1, command, (server, "FLUSHALL", "ASYNC")).start()
    return figures(stalls(args, server, 3, "GET", f"#{MILLION}"))


def release(args, server):
    def memory():
        time.sleep(11)  # the allocator keeps what was freed for up to ten seconds
        used, resident = (int(info(server, field)) for field in ("used_memory", "used_memory_rss"))
        return f"{used / MILLION:.1f} MB used, {resident / MILLION:.1f} resident"

    empty = memory()
    pipe(server, [f"SET key:{i:012} xxxxxxxx" for i in range(4 * MILLION)])
    full = memory()
    pipe(server, [f"DEL key:{i:012}" for i in range(4 * MILLION) if i % 4])
    quarter = memory()
    pipe(server, [f"DEL key:{i:012}" for i in range(0, 4 * MILLION, 4)])
    return f"empty {empty}; 4 M keys {full}; 1 M left {quarter}; none left {memory()}"


def fill(server, *words):
    """Sends a command again and again, with 10 M elements in all: a word "#" stands for their numbers."""
    many = 1000
    for start in range(0, 10 * MILLION, many * 20):
        batch = []
        for first in range(start, start + many * 20, many):
            fixed = [word.encode() for word in words if not word.startswith("#")]
            parts = [word for i in range(first, first + many) for word in element(words, i)]
            batch.append(b"*%d\r\n" % (len(fixed) + len(parts)))
            batch += [b"$%d\r\n%s\r\n" % (len(w), w) for w in fixed + parts]
        server.control.write(b"".join(batch))
        server.control.flush()
        for _ in range(20):
            read_reply(server.control)


def element(words, number):
    return [b"%s%012d" % (word[1:].encode(), number) for word in words if word.startswith("#")]


def delete(args, server):
    load(args, server, MILLION, "SET", "key:__rand_int__", "x" * 64)
    lines = []
    for fillers, cut in ((("SADD", "big", "#m:"), ("DEL", "big")),
                         (("HSET", "big", "#f:", "#v:"), ("DEL", "big")),
                         (("ZADD", "big", "#", "#m:"), ("DEL", "big")),
                         (("ZADD", "big", "#", "#m:"), ("ZREMRANGEBYRANK", "big", 0, -101)),
                         (("RPUSH", "big", "#i:"), ("DEL", "big")),
                         (("RPUSH", "big", "#i:"), ("LTRIM", "big", -100, -1))):
        command(server, "DEL", "big")
        fill(server, *fillers)
        command(server, "CONFIG", "RESETSTAT")
        timer = threading.Timer(1, command, (server, *cut))
        timer.start()
        result = stalls(args, server, 3, "GET", f"#{MILLION}")
        timer.join()
        took = info(server, f"cmdstat_{cut[0].lower()}").split("usec=")[1].split(",")[0]
        lines.append(f"after {fillers[0]} {cut[0]} took {int(took) / 1000:.2f} ms: {figures(result)}")
    return "\n         ".join(lines)


SCENARIOS = {"idle": idle, "expiry": expiry, "resize": resize, "large": large, "evict": evict, "flush": flush,
             "release": release, "delete": delete}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("servers", nargs="+", metavar="NAME=PATH[@ARGS]")
    parser.add_argument("--only", default=",".join(SCENARIOS))
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--server-cpus", default="0")
    parser.add_argument("--client-cpus", default="1")
    parser.add_argument("--port", type=int, default=26400)
    parser.add_argument("--own", action="store_true", help="tell the server's own waits from those for other programs")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        args.stalls = os.path.join(folder, "stalls")
        compiler = shutil.which("cc") or sys.exit("no C compiler")
        subprocess.run([compiler, "-std=c11", "-D_GNU_SOURCE", "-O2", os.path.join(HERE, "stalls.c"), "-o", args.stalls],
                       check=True)
        for name in args.only.split(","):
            for spec in args.servers * args.rounds:
                spec += (" " if "@" in spec else "@") + "--enable-debug-command yes"
                server = bench.Server(spec, args.server_cpus, args.port)
                try:
                    print(f"{name:8} {server.name:8} {SCENARIOS[name](args, server)}", flush=True)
                finally:
                    server.stop()


if __name__ == "__main__":
    main()
