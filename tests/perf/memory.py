#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compare key/value servers by memory: bytes a key, a member, a field, a connection.

    memory.py ours=src/valkey-server peer=redis-server

Each dataset is loaded into a freshly started server; what is printed is the growth of used_memory (INFO)
and of the process's resident set over the empty server, divided by the number of elements.
"""
import argparse, os, resource, shutil, socket, subprocess, sys, tempfile, time


def encode(*args):
    parts = [b"*%d\r\n" % len(args)]
    for arg in args:
        arg = arg if isinstance(arg, bytes) else str(arg).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(arg), arg))
    return b"".join(parts)


DATASETS = {
    "string k16 v8":     (1_000_000, lambda i: encode("SET", f"key:{i:012d}", f"{i:08d}"[::-1].replace("0", "a"))),
    "string k16 v64":    (1_000_000, lambda i: encode("SET", f"key:{i:012d}", b"x" * 64)),
    "string k16 v512":   (300_000, lambda i: encode("SET", f"key:{i:012d}", b"x" * 512)),
    "string k16 v8 ttl": (1_000_000, lambda i: encode("SET", f"key:{i:012d}", "abcdefgh", "EX", "100000")),
    "string k16 int":    (1_000_000, lambda i: encode("SET", f"key:{i:012d}", 1000000 + i)),
    "set member 16":     (1_000_000, lambda i: encode("SADD", "s", f"mem:{i:012d}")),
    "hash field 16 v8":  (1_000_000, lambda i: encode("HSET", "h", f"fld:{i:012d}", "abcdefgh")),
    "zset member 16":    (1_000_000, lambda i: encode("ZADD", "z", i * 1.5, f"mem:{i:012d}")),
    "list item 16":      (1_000_000, lambda i: encode("RPUSH", "l", f"itm:{i:012d}")),
    "stream entry 2f":   (300_000, lambda i: encode("XADD", "x", "*", "a", i, "b", "abcdefgh")),
    "small hash 5f":     (200_000, lambda i: encode("HSET", f"h:{i:010d}", "f1", "v1", "f2", "v2", "f3", "v3", "f4", "v4", "f5", "v5")),
}


class Server:
    def __init__(self, path, port):
        self.port, self.dir = port, tempfile.mkdtemp(prefix="memory-")
        self.process = subprocess.Popen([shutil.which(path) or os.path.abspath(path), "--port", str(port), "--bind", "127.0.0.1",
                                         "--save", "", "--dir", self.dir, "--maxclients", "12000"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _ in range(200):
            try:
                self.socket = socket.create_connection(("127.0.0.1", port), 60)
                return
            except OSError:
                time.sleep(0.05)
        sys.exit(f"{path}: did not start")

    def ask(self, *args):
        self.socket.sendall(encode(*args))
        data = self.socket.recv(1 << 20)
        if data[:1] == b"$":
            want = int(data[1:data.index(b"\r\n")]) + data.index(b"\r\n") + 4
            while len(data) < want:
                data += self.socket.recv(1 << 20)
        return data

    def load(self, count, make):
        for start in range(0, count, 5000):
            n = min(5000, count - start)
            self.socket.sendall(b"".join(make(i) for i in range(start, start + n)))
            got = 0
            tail = b""
            while got < n:
                data = tail + self.socket.recv(1 << 20)
                lines = data.split(b"\r\n")
                tail = lines.pop()
                for line in lines:
                    if line[:1] == b"-":
                        raise RuntimeError(line.decode())
                    got += line[:1] in b"+:" or (line[:1] == b"$")

    def used(self):
        time.sleep(0.3)
        info = self.ask("INFO", "memory").decode(errors="replace")
        used = next(int(l.split(":")[1]) for l in info.split("\r\n") if l.startswith("used_memory:"))
        return used, self.rss()

    def rss(self):
        return int(open(f"/proc/{self.process.pid}/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def stop(self):
        self.process.terminate()
        self.process.wait(20)
        shutil.rmtree(self.dir, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("servers", nargs="+", metavar="NAME=PATH")
    parser.add_argument("--only", default="")
    parser.add_argument("--connections", type=int, default=5000)
    args = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    for title, (count, make) in DATASETS.items():
        if args.only not in title:
            continue
        for spec in args.servers:
            name, _, path = spec.partition("=")
            server = Server(path, 26400)
            try:
                used0, rss0 = server.used()
                server.load(count, make)
                used1, rss1 = server.used()
                print(f"{title:20} {name:12} used {(used1 - used0) / count:8.1f}  rss {(rss1 - rss0) / count:8.1f} bytes each", flush=True)
            except RuntimeError as error:
                print(f"{title:20} {name:12} {error}")
            finally:
                server.stop()
    if args.only in "idle connection":
        for spec in args.servers:
            name, _, path = spec.partition("=")
            server = Server(path, 26400)
            try:
                used0, rss0 = server.used()
                connections = []
                for _ in range(args.connections):
                    c = socket.create_connection(("127.0.0.1", 26400))
                    c.sendall(b"*1\r\n$4\r\nPING\r\n")
                    c.recv(64)
                    connections.append(c)
                time.sleep(3)
                used1, rss1 = server.used()
                print(f"{'idle connection':20} {name:12} used {(used1 - used0) / args.connections:8.0f}  rss {(rss1 - rss0) / args.connections:8.0f} bytes each", flush=True)
            finally:
                server.stop()


if __name__ == "__main__":
    main()
