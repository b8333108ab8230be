#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compare key/value servers side by side in one run: throughput and CPU per command.

    bench.py ours=src/valkey-server peer=redis-server
    bench.py --workloads set,get --pipelines 16 --rounds 5 ours=src/valkey-server@"--io-threads 2" peer=redis-server

Each NAME=PATH[@"ARGS"] is started on its own loopback port, pinned to --server-cpus; the client
(redis-benchmark, from the package redis-tools) is pinned to --client-cpus. Servers take turns, round
by round, so that drift of the machine hits all alike. Printed per workload and pipeline depth, as
medians over the rounds: requests/s, user and system CPU microseconds per command (all threads of the server
process), p99 latency in ms, and ratios against the first server named. On a small machine the client is often the
bottleneck: then CPU per command, not requests/s, says how fast the server is.

The kernel accounts user and system time by what it sees a few hundred times a second. --sampled takes the sum from
its run times and the share of user time from perf (package linux-perf), which looks 10,000 times a second.

With --results DIR the figures go to DIR/NAME.json, with what the machine is, and chart.py draws
DIR/NAME.svg from them; NAME is the time of the run.
"""
import argparse, csv, io, json, os, platform, shutil, signal, socket, statistics, subprocess, sys, tempfile, time

TICK = os.sysconf("SC_CLK_TCK")

# name -> (benchmark arguments, commands run first to prepare the keyspace)
KEYS = "1000000"
WORKLOADS = {
    "set":      (["SET", "key:__rand_int__", "__data__"], "fill"),
    "get":      (["GET", "key:__rand_int__"], "fill"),
    "incr":     (["INCR", "counter:__rand_int__"], None),
    "mset10":   (["MSET"] + ["key:__rand_int__", "__data__"] * 10, "fill"),
    "mget10":   (["MGET"] + ["key:__rand_int__"] * 10, "fill"),
    "setex":    (["SET", "key:__rand_int__", "__data__", "EX", "1000"], "fill"),
    "del":      (["DEL", "key:__rand_int__"], "fill"),
    "lpush":    (["LPUSH", "list:__rand_int__", "__data__"], None),
    "rpop":     (["RPOP", "list:__rand_int__"], "lists"),
    "lrange100": (["LRANGE", "mylist", "0", "99"], "biglist"),
    "sadd":     (["SADD", "set:bench", "m:__rand_int__"], None),
    "sismember": (["SISMEMBER", "set:bench", "m:__rand_int__"], "bigset"),
    "hset":     (["HSET", "hash:bench", "f:__rand_int__", "__data__"], None),
    "hget":     (["HGET", "hash:bench", "f:__rand_int__"], "bighash"),
    "zadd":     (["ZADD", "zset:bench", "__rand_int__", "m:__rand_int__"], None),
    "zrank":    (["ZRANK", "zset:bench", "m:__rand_int__"], "bigzset"),
    "zrange10": (["ZRANGEBYSCORE", "zset:bench", "__rand_int__", "+inf", "LIMIT", "0", "10"], "bigzset"),
    "xrange100": (["XRANGE", "stream:bench", "-", "+", "COUNT", "100"], "bigstream"),
    "xadd":     (["XADD", "stream:bench", "MAXLEN", "~", "100000", "*", "f", "__data__"], None),
    "pfadd":    (["PFADD", "hll:bench", "m:__rand_int__"], None),
    "publish":  (["PUBLISH", "chan", "__data__"], None),
    "eval":     (["EVAL", "return redis.call('incr',KEYS[1])", "1", "counter:__rand_int__"], None),
    "ping":     (["PING"], None),
}
FILLS = {
    "fill":    ["SET", "key:__rand_int__", "__data__"],
    "lists":   ["RPUSH", "list:__rand_int__", "__data__"],
    "biglist": ["RPUSH", "mylist", "__data__"],
    "bigset":  ["SADD", "set:bench", "m:__rand_int__"],
    "bighash": ["HSET", "hash:bench", "f:__rand_int__", "__data__"],
    "bigstream": ["XADD", "stream:bench", "*", "f", "__data__"],
    "bigzset": ["ZADD", "zset:bench", "__rand_int__", "m:__rand_int__"],
}


class Server:
    def __init__(self, spec, cpus, port):
        self.name, _, rest = spec.partition("=")
        path, _, args = rest.partition("@")
        self.port, self.dir = port, tempfile.mkdtemp(prefix="bench-")
        path = shutil.which(path) or os.path.abspath(path)
        command = ["taskset", "-c", cpus, path, "--port", str(port), "--bind", "127.0.0.1", "--save", "",
                   "--appendonly", "no", "--dir", self.dir, "--daemonize", "no", "--protected-mode", "no"] + args.split()
        self.process = subprocess.Popen(command, stdout=open(os.path.join(self.dir, "log"), "w"), stderr=subprocess.STDOUT)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        sys.exit(f"{self.name}: did not start:\n" + open(os.path.join(self.dir, "log")).read()[-2000:])

    def cpu_total(self):
        """CPU seconds of the process, all threads, to the nanosecond."""
        tasks = f"/proc/{self.process.pid}/task"
        return sum(int(open(f"{tasks}/{task}/schedstat").read().split()[0]) for task in os.listdir(tasks)) / 1e9

    def cpu(self):
        """(user, system) CPU seconds of the process, all threads."""
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return int(fields[11]) / TICK, int(fields[12]) / TICK

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
        shutil.rmtree(self.dir, ignore_errors=True)


class Sampler:
    """User and system CPU of a server while it lasts. The kernel's accounting looks a few hundred times a second at
    what a process is doing, which is coarse for a run of a second; perf does so SAMPLES times."""
    SAMPLES = 10_000

    def __init__(self, server):
        self.server = server

    def __enter__(self):
        self.perf = subprocess.Popen(["perf", "record", "-q", "-e", "cpu-clock:u", "-F", str(self.SAMPLES), "-o", "-",
                                      "-p", str(self.server.process.pid)], stdout=subprocess.PIPE)
        self.lines = tempfile.TemporaryFile("w+")  # a pipe that nobody reads meanwhile would make perf lose samples
        self.script = subprocess.Popen(["perf", "script", "-i", "-", "-F", "tid"], stdin=self.perf.stdout,
                                       stdout=self.lines, stderr=subprocess.DEVNULL)
        self.perf.stdout.close()
        time.sleep(0.5)  # perf has no way to say that it has begun; what comes before the load is idle
        self.total = self.server.cpu_total()
        return self

    def __exit__(self, *_):
        self.total = self.server.cpu_total() - self.total
        self.perf.send_signal(signal.SIGINT)
        self.perf.wait()
        self.script.wait()
        self.lines.seek(0)
        self.user = sum(1 for _ in self.lines) / self.SAMPLES
        self.lines.close()
        self.system = self.total - self.user


class Accounting:
    """The same by the kernel's own accounting."""

    def __init__(self, server):
        self.server = server

    def __enter__(self):
        self.before = self.server.cpu()
        return self

    def __exit__(self, *_):
        self.user, self.system = (after - before for after, before in zip(self.server.cpu(), self.before))


def drive(client, server, cpus, command, requests, pipeline, clients, data, threads, meter=Accounting):
    argv = ["taskset", "-c", cpus, client, "-p", str(server.port), "--csv", "-n", str(requests), "-P", str(pipeline),
            "-c", str(clients), "-r", KEYS] + (["--threads", str(threads)] if threads > 1 else [])
    value = "x" * data
    argv += [value if a == "__data__" else a for a in command]
    with meter(server) as cpu:
        out = subprocess.run(argv, capture_output=True, text=True)
    rows = [r for r in csv.reader(io.StringIO(out.stdout)) if r]
    if out.returncode or len(rows) < 2:
        sys.exit(f"{server.name}: client failed: {out.stdout[-300:]} {out.stderr[-300:]}")
    row = dict(zip(rows[0], rows[-1]))
    return {"rps": float(row["rps"]), "user": cpu.user / requests * 1e6, "sys": cpu.system / requests * 1e6,
            "p99": float(row["p99_latency_ms"])}


def machine():
    """What the figures were measured on."""
    model = [line.partition(":")[2].strip() for line in open("/proc/cpuinfo") if line.startswith(("model name", "Model"))]
    return {"cpu": model[0] if model else platform.machine(), "cores": os.cpu_count(),
            "kernel": platform.release(), "load": os.getloadavg()[0]}


def version(spec):
    path = spec.partition("=")[2].partition("@")[0]
    path = shutil.which(path) or os.path.abspath(path)
    return subprocess.run([path, "--version"], capture_output=True, text=True).stdout.strip()


def write_results(args, results):
    """The figures as JSON and, where matplotlib is, as a chart."""
    os.makedirs(args.results, exist_ok=True)
    base = os.path.join(args.results, time.strftime("%Y%m%d-%H%M%S"))
    options = {k: getattr(args, k) for k in ("clients", "threads", "data", "rounds", "server_cpus", "client_cpus")}
    with open(base + ".json", "w") as out:
        json.dump({"time": time.strftime("%Y-%m-%d %H:%M:%S"), "machine": machine(), "options": options,
                   "servers": {spec.partition("=")[0]: version(spec) for spec in args.servers},
                   "results": results}, out, indent=1)
    print(f"figures: {base}.json")
    try:
        import chart
    except ImportError as missing:
        print(f"no chart: {missing}")
        return
    chart.draw(base + ".json", base + ".svg")
    print(f"chart:   {base}.svg")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("servers", nargs="+", metavar="NAME=PATH[@ARGS]")
    parser.add_argument("--workloads", default="set,get", help="of " + ",".join(WORKLOADS) + ", or all")
    parser.add_argument("--pipelines", default="1,16")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=0, help="per measurement (default: 200k at pipeline 1, else 1.5M)")
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--threads", type=int, default=1, help="client threads")
    parser.add_argument("--data", type=int, default=64, help="value bytes")
    parser.add_argument("--client", default="redis-benchmark")
    parser.add_argument("--server-cpus", default="0")
    parser.add_argument("--client-cpus", default="1")
    parser.add_argument("--port", type=int, default=26300)
    parser.add_argument("--sampled", action="store_true", help="user CPU by perf's samples, not by the kernel's accounting")
    parser.add_argument("--json", help="also write all figures to this file")
    parser.add_argument("--results", metavar="DIR", help="write figures and chart into this folder")
    args = parser.parse_args()
    workloads = args.workloads.split(",") if args.workloads != "all" else list(WORKLOADS)
    client = shutil.which(args.client) or sys.exit(f"{args.client} not found (apt-get install redis-tools)")
    results = []
    for workload in workloads:
        command, fill = WORKLOADS[workload]
        servers = [Server(spec, args.server_cpus, args.port + i) for i, spec in enumerate(args.servers)]
        try:
            for server in servers:
                if fill:
                    drive(client, server, args.client_cpus, FILLS[fill], 1_500_000, 64, args.clients, args.data, 1)
            for pipeline in map(int, args.pipelines.split(",")):
                requests = args.requests or (200_000 if pipeline == 1 else 1_500_000)
                if workload == "del":
                    requests //= 3  # of keys that are there, for the most part
                if workload in ("lrange100", "xrange100", "mset10", "mget10", "zrange10"):
                    requests //= 8
                rounds = {server.name: [] for server in servers}
                for _ in range(args.rounds):
                    for server in servers:
                        if workload == "del":
                            drive(client, server, args.client_cpus, FILLS[fill], 1_500_000, 64, args.clients, args.data, 1)
                        rounds[server.name].append(drive(client, server, args.client_cpus, command, requests, pipeline,
                                                         args.clients, args.data, args.threads,
                                                         Sampler if args.sampled else Accounting))
                medians = {name: {k: statistics.median(r[k] for r in rs) for k in rs[0]} for name, rs in rounds.items()}
                first = medians[servers[0].name]
                for name, m in medians.items():
                    cpu, cpu0 = m["user"] + m["sys"], first["user"] + first["sys"]
                    print(f"{workload:10} P={pipeline:<4} {name:12} {m['rps']:>11,.0f} rps  user {m['user']:.3f} sys {m['sys']:.3f} us/cmd"
                          f"  p99 {m['p99']:.2f} ms  | vs {servers[0].name}: rps x{m['rps'] / first['rps']:.2f}"
                          f"  user x{m['user'] / max(first['user'], 1e-9):.2f}  cpu x{cpu / max(cpu0, 1e-9):.2f}", flush=True)
                    results.append({"workload": workload, "pipeline": pipeline, "server": name, **m})
        finally:
            for server in servers:
                server.stop()
    if args.json:
        json.dump(results, open(args.json, "w"), indent=1)
    if args.results:
        write_results(args, results)


if __name__ == "__main__":
    main()
