# SPDX-License-Identifier: BSD-3-Clause
"""Random command lines about hashes, for the generator of differential_commands.py. 7.0 knows no
times to live of fields: those have tests of their own."""

HASH_KEYS = [b"m%d" % i for i in range(5)]
FIELDS = [b"f%d" % i for i in range(24)] + [b"", b"17", b"-5", b"\x00\xff", b"n" * 70]
# Replies whose order is a server's own affair, once a hash is a table.
UNORDERED = {b"HGETALL", b"HKEYS", b"HVALS", b"HSCAN", b"HRANDFIELD"}


class HashLines:
    """Makers of lines, for a generator with rng, key(), value(), number() and incrbyfloat()."""

    def __init__(self, generator):
        self.generator = generator
        self.rng = generator.rng

    def key(self):
        """Now and then a key of another type."""
        return self.rng.choice(HASH_KEYS) if self.rng.random() < 0.96 else self.generator.key()

    def field(self):
        return self.rng.choice(FIELDS)

    def value(self):
        rng = self.rng
        roll = rng.random()
        if roll < 0.3:
            return b"%d" % rng.randint(-100, 100)
        if roll < 0.4:
            return b"%.3f" % rng.uniform(-50, 50)
        if roll < 0.5:
            return self.generator.number()
        if roll < 0.6:
            return bytes(rng.choice(b"xyz") for _ in range(rng.choice([0, 1, 40, 63, 64, 65, 300])))
        return self.generator.value()

    def pairs(self, name, most):
        """No field twice: 7.0 does not count those twice when it decides whether to stay packed."""
        line = [name, self.key()]
        for field in self.rng.sample(FIELDS, self.rng.randint(1, min(most, len(FIELDS)))):
            line += [field, self.value()]
        return line

    def fields(self, name, most):
        return [name, self.key()] + [self.field() for _ in range(self.rng.randint(1, most))]

    def scan(self):
        line = [b"HSCAN", self.key(), b"0", b"COUNT", b"100000"]
        if self.rng.random() < 0.4:
            line += [b"MATCH", self.rng.choice([b"*", b"f1*", b"f?", b"nosuch", b"1*"])]
        return line

    def random_field(self):
        """Only counts for which the reply is certain: all fields, or none."""
        line = [b"HRANDFIELD", self.key(), self.rng.choice([b"0", b"100", b"9223372036854775807"])]
        if self.rng.random() < 0.5:
            line.append(b"WITHVALUES")
        return line

    def table(self):
        rng = self.rng

        def one(name, *makers):
            return lambda: [name, self.key()] + [maker() for maker in makers]

        return [
            (50, lambda: self.pairs(b"HSET", 3)), (3, lambda: self.pairs(b"HSET", 30)),
            (8, lambda: self.pairs(b"HMSET", 3)), (12, one(b"HSETNX", self.field, self.value)),
            (40, one(b"HGET", self.field)), (20, lambda: self.fields(b"HMGET", 5)),
            (2, lambda: self.fields(b"HMGET", 40)), (12, one(b"HGETALL")), (6, one(b"HKEYS")),
            (6, one(b"HVALS")), (10, one(b"HLEN")), (10, one(b"HSTRLEN", self.field)),
            (10, one(b"HEXISTS", self.field)), (25, lambda: self.fields(b"HDEL", 4)),
            (2, lambda: self.fields(b"HDEL", 40)),
            (15, one(b"HINCRBY", self.field, self.generator.number)),
            (12, lambda: [b"HINCRBYFLOAT", self.key(), self.field(),
                          self.generator.incrbyfloat()[-1]]),
            (6, self.scan), (6, self.random_field),
            (8, one(b"DEL")), (4, one(b"TYPE")), (12, lambda: [b"OBJECT", b"ENCODING", self.key()]),
            (4, lambda: [rng.choice([b"RENAME", b"RENAMENX", b"COPY"])] +
                rng.choices(HASH_KEYS, k=2)),
            (3, lambda: [b"MOVE", rng.choice(HASH_KEYS), b"%d" % rng.randint(0, 2)]),
            (2, lambda: [b"CONFIG", b"SET", b"hash-max-listpack-entries",
                         b"%d" % rng.choice([0, 4, 12, 512])]),
            (2, lambda: [b"CONFIG", b"SET", b"hash-max-listpack-value",
                         b"%d" % rng.choice([8, 64, 64, 1000])]),
        ]
