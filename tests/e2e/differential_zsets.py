# SPDX-License-Identifier: BSD-3-Clause
"""Random sorted set commands for the differential test, and when their replies are the same.

What 7.0 leaves open, or does otherwise, is not asked for: ranges by name where scores differ, sums
whose value depends on the order of the inputs, hexadecimal scores (no number since Valkey 9),
ZRANK WITHSCORE and ZSCAN NOSCORES.
"""

ZSET_KEYS = [b"z%d" % i for i in range(6)]
LEX_KEYS = [b"lex0", b"lex1"]  # all scores are 0
ODD_KEY = b"odd"  # scores that are not exact in sums
ALL_ZSET_KEYS = ZSET_KEYS + LEX_KEYS + [ODD_KEY]

# Never spoilt: a wrong argument could make them reply or wait for ever, or ask what 7.0 does not
# know.
KEPT = {b"ZRANDMEMBER", b"ZSCAN", b"BZPOPMIN", b"BZPOPMAX", b"BZMPOP", b"ZRANK", b"ZREVRANK"}
# Numbers for 7.0, which reads scores and bounds with strtod, and not for Valkey 9.
ONLY_OLD_NUMBERS = {b"0x10", b" 1", b"1\x00"}


class ZsetLines:
    """next() gives a command line."""

    def __init__(self, rng):
        self.rng = rng
        self.makers, self.weights = zip(*[
            (self.zadd, 60), (self.zadd_lex, 25), (self.zadd_odd, 15), (self.zadd_many, 2),
            (self.zincrby, 15), (self.zrem, 15), (self.by_member, 40), (self.zcard, 5),
            (self.zrange, 30), (self.old_range, 40), (self.zrangestore, 10), (self.count, 20),
            (self.remove_range, 10), (self.pop, 10), (self.zmpop, 10), (self.blocking, 1),
            (self.algebra, 20), (self.store_algebra, 15), (self.zintercard, 6),
            (self.zrandmember, 8), (self.zscan, 5), (self.limits, 2), (self.encoding, 10),
        ])

    def next(self):
        maker, = self.rng.choices(self.makers, self.weights)
        return maker()

    @staticmethod
    def mend(line):
        """The line after it was spoilt, without what cannot be compared."""
        return [b"x10" if word in ONLY_OLD_NUMBERS else word for word in line]

    # --- arguments ---

    def key(self):
        return self.rng.choice(ZSET_KEYS)

    def any_key(self):
        rng = self.rng
        return rng.choice(ALL_ZSET_KEYS) if rng.random() < 0.96 else rng.choice([b"k0", b"none"])

    def member(self):
        rng = self.rng
        roll = rng.random()
        if roll < 0.6:
            return b"m%d" % rng.randrange(30)
        if roll < 0.75:
            return b"%d" % rng.randint(-10, 40)
        if roll < 0.9:
            return b"m%d" % rng.randrange(1000)
        return rng.choice([b"", b"x" * 64, b"x" * 65, b"\x00", b"\xff", b"10", b"010", b"a\r\nb"])

    def score(self):
        rng = self.rng
        roll = rng.random()
        if roll < 0.6:
            return b"%d" % rng.randint(-20, 20)
        if roll < 0.9:
            return b"%.1f" % (rng.randint(-2000, 2000) / 2)
        return rng.choice([b"inf", b"-inf", b"+inf", b"0", b"-0", b"1e3", b"Infinity", b"127",
                           b"128", b"-129", b"32768", b"8388608", b"4294967296"])

    def odd_score(self):
        rng = self.rng
        if rng.random() < 0.6:
            return repr(rng.uniform(-10, 10) * 10.0 ** rng.randint(-20, 20)).encode()
        return rng.choice([b"1e300", b"-1e300", b"5e-324", b"0.1", b"9007199254740993",
                           b"9223372036854775807", b"-9223372036854775808", b"1e17", b"1e21"])

    def bound(self):
        rng = self.rng
        text = self.score() if rng.random() < 0.9 else self.odd_score()
        return b"(" + text if rng.random() < 0.3 else text

    def lex_bound(self):
        rng = self.rng
        if rng.random() < 0.25:
            return rng.choice([b"-", b"+"])
        return rng.choice([b"[", b"("]) + self.member()

    def limit(self):
        rng = self.rng
        if rng.random() < 0.6:
            return []
        return [b"LIMIT", b"%d" % rng.randint(-1, 6), b"%d" % rng.randint(-1, 8)]

    def index(self):
        return b"%d" % self.rng.randint(-12, 12)

    def with_scores(self):
        return [b"WITHSCORES"] if self.rng.random() < 0.5 else []

    # --- adding and removing ---

    def flags(self):
        rng = self.rng
        flags = []
        if rng.random() < 0.3:
            flags.append(rng.choice([b"NX", b"XX"]))
        if rng.random() < 0.2:
            flags.append(rng.choice([b"GT", b"LT"]))
        if rng.random() < 0.3:
            flags.append(b"CH")
        if rng.random() < 0.15:
            flags.append(b"INCR")
        rng.shuffle(flags)
        return flags

    def zadd(self):
        rng = self.rng
        line = [b"ZADD", self.any_key() if rng.random() < 0.05 else self.key()]
        if line[1] in LEX_KEYS:
            line[1] = self.key()
        flags = self.flags() if rng.random() < 0.5 else []
        count = 1 if b"INCR" in flags and rng.random() < 0.9 else rng.randint(1, 5)
        return line + flags + [word for _ in range(count)
                               for word in (self.score(), self.member())]

    def zadd_lex(self):
        pairs = [(b"0", self.member()) for _ in range(self.rng.randint(1, 4))]
        return [b"ZADD", self.rng.choice(LEX_KEYS)] + [word for pair in pairs for word in pair]

    def zadd_odd(self):
        return [b"ZADD", ODD_KEY, self.odd_score(), self.member()]

    def zadd_many(self):
        """Enough to leave the packed form."""
        rng = self.rng
        count = rng.choice([100, 127, 128, 129, 400])
        return [b"ZADD", self.key()] + [
            word for i in range(count) for word in (b"%d" % rng.randrange(500), b"n%d" % i)]

    def zincrby(self):
        return [b"ZINCRBY", self.key(), self.score(), self.member()]

    def zrem(self):
        return [b"ZREM", self.any_key()] + [self.member()
                                            for _ in range(self.rng.randint(1, 4))]

    # --- reading ---

    def by_member(self):
        rng = self.rng
        name = rng.choice([b"ZSCORE", b"ZRANK", b"ZREVRANK", b"ZMSCORE"])
        count = rng.randint(1, 4) if name == b"ZMSCORE" else 1
        return [name, self.any_key()] + [self.member() for _ in range(count)]

    def zcard(self):
        return [b"ZCARD", self.any_key()]

    def range_tail(self):
        """Key, bounds and options of ZRANGE, but for WITHSCORES."""
        rng = self.rng
        roll = rng.random()
        rev = [b"REV"] if rng.random() < 0.4 else []
        if roll < 0.4:
            return [self.any_key(), self.index(), self.index()] + rev
        if roll < 0.7:
            tail = [self.any_key(), self.bound(), self.bound(), b"BYSCORE"]
        else:
            tail = [rng.choice(LEX_KEYS), self.lex_bound(), self.lex_bound(), b"BYLEX"]
        return tail + rev + self.limit()

    def zrange(self):
        return [b"ZRANGE"] + self.range_tail() + self.with_scores()

    def zrangestore(self):
        return [b"ZRANGESTORE", self.key()] + self.range_tail()

    def old_range(self):
        name = self.rng.choice([b"ZREVRANGE", b"ZRANGEBYSCORE", b"ZREVRANGEBYSCORE",
                                b"ZRANGEBYLEX", b"ZREVRANGEBYLEX"])
        if name == b"ZREVRANGE":
            return [name, self.any_key(), self.index(), self.index()] + self.with_scores()
        if name.endswith(b"LEX"):
            return [name, self.rng.choice(LEX_KEYS), self.lex_bound(),
                    self.lex_bound()] + self.limit()
        return [name, self.any_key(), self.bound(),
                self.bound()] + self.with_scores() + self.limit()

    def count(self):
        if self.rng.random() < 0.5:
            return [b"ZCOUNT", self.any_key(), self.bound(), self.bound()]
        return [b"ZLEXCOUNT", self.rng.choice(LEX_KEYS), self.lex_bound(), self.lex_bound()]

    def remove_range(self):
        rng = self.rng
        roll = rng.random()
        if roll < 0.4:
            return [b"ZREMRANGEBYRANK", self.any_key(), self.index(), self.index()]
        if roll < 0.7:
            return [b"ZREMRANGEBYSCORE", self.any_key(), self.bound(), self.bound()]
        return [b"ZREMRANGEBYLEX", rng.choice(LEX_KEYS), self.lex_bound(), self.lex_bound()]

    # --- popping ---

    def pop(self):
        rng = self.rng
        line = [rng.choice([b"ZPOPMIN", b"ZPOPMAX"]), self.any_key()]
        return line + ([b"%d" % rng.randint(-1, 4)] if rng.random() < 0.6 else [])

    def multi_pop(self):
        rng = self.rng
        count = rng.randint(1, 3)
        line = [b"%d" % count] + [self.any_key() for _ in range(count)]
        line.append(rng.choice([b"MIN", b"MAX", b"min"]))
        return line + ([b"COUNT", b"%d" % rng.randint(0, 4)] if rng.random() < 0.5 else [])

    def zmpop(self):
        return [b"ZMPOP"] + self.multi_pop()

    def blocking(self):
        rng = self.rng
        if rng.random() < 0.4:
            return [b"BZMPOP", b"0.01"] + self.multi_pop()
        keys = [self.any_key() for _ in range(rng.randint(1, 3))]
        return [rng.choice([b"BZPOPMIN", b"BZPOPMAX"])] + keys + [b"0.01"]

    # --- algebra: of one or two different keys, so that the order of sums does not matter ---

    def sources(self):
        rng = self.rng
        keys = rng.sample(ZSET_KEYS + [b"none"], rng.randint(1, 2))
        return [b"%d" % len(keys)] + keys

    def algebra_tail(self, name):
        rng = self.rng
        line = self.sources()
        if b"DIFF" in name:
            return line
        if rng.random() < 0.3:
            line.append(b"WEIGHTS")
            line += [rng.choice([b"1", b"2", b"-1", b"0.5", b"0", b"inf"])
                     for _ in range(int(line[0]))]
        if rng.random() < 0.4:
            line += [b"AGGREGATE", rng.choice([b"SUM", b"MIN", b"MAX", b"max"])]
        return line

    def algebra(self):
        name = self.rng.choice([b"ZUNION", b"ZINTER", b"ZDIFF"])
        return [name] + self.algebra_tail(name) + self.with_scores()

    def store_algebra(self):
        name = self.rng.choice([b"ZUNIONSTORE", b"ZINTERSTORE", b"ZDIFFSTORE"])
        return [name, self.key()] + self.algebra_tail(name)

    def zintercard(self):
        rng = self.rng
        line = [b"ZINTERCARD"] + self.sources()
        return line + ([b"LIMIT", b"%d" % rng.randint(-1, 5)] if rng.random() < 0.4 else [])

    # --- the rest ---

    def zrandmember(self):
        rng = self.rng
        line = [b"ZRANDMEMBER", self.any_key()]
        if rng.random() < 0.3:
            return line
        return line + [b"%d" % rng.randint(-20, 20)] + self.with_scores()

    def zscan(self):
        line = [b"ZSCAN", self.any_key(), b"0", b"COUNT", b"100000"]
        return line + ([b"MATCH", b"m1*"] if self.rng.random() < 0.4 else [])

    def limits(self):
        name, values = self.rng.choice([(b"zset-max-listpack-entries", [0, 5, 128, 128]),
                                        (b"zset-max-listpack-value", [4, 64, 64])])
        return [b"CONFIG", b"SET", name, b"%d" % self.rng.choice(values)]

    def encoding(self):
        return [b"OBJECT", b"ENCODING", self.any_key()]


# --- replies -------------------------------------------------------------------------------------


def is_same_score(a, b):
    """7.0 writes 17 digits, Valkey 9 as few as read back; where -0 is packed, its sign is lost."""
    try:
        return float(a) == float(b)
    except ValueError:
        return False


def has_same_scores(peer, ours):
    if peer[0] != ours[0]:
        return False
    if peer[0] == "array":
        return (len(peer[1]) == len(ours[1]) and
                all(has_same_scores(a, b) for a, b in zip(peer[1], ours[1])))
    if peer[0] in ("bulk", "double"):
        return peer[1] == ours[1] or is_same_score(peer[1], ours[1])
    return peer == ours


def pairs_of(items):
    values = [value for _, value in items]
    return dict(zip(values[::2], values[1::2]))


def is_same_scan(peer, ours):
    """[cursor, [member, score, ...]] in any order."""
    if peer[0] != "array" or ours[0] != "array" or peer[1][0] != ours[1][0]:
        return False
    a, b = pairs_of(peer[1][1][1]), pairs_of(ours[1][1][1])
    return a.keys() == b.keys() and all(is_same_score(a[key], b[key]) for key in a)


def is_same_zset_reply(name, peer, ours):
    if name == b"ZRANDMEMBER":
        if peer[0] != ours[0]:
            return False
        return peer[0] != "array" or len(peer[1]) == len(ours[1])
    if name == b"ZSCAN":
        return is_same_scan(peer, ours)
    return has_same_scores(peer, ours)


def packed_for_longer(line, peer, ours):
    """7.0 leaves the packed form only with the member that does not fit; Valkey 9 when a command
    brings such a one, even if it is not added in the end."""
    return (line[:2] == [b"OBJECT", b"ENCODING"] and peer == ("bulk", b"listpack")
            and ours == ("bulk", b"skiplist"))
