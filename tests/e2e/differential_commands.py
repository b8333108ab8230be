# SPDX-License-Identifier: BSD-3-Clause
"""Random command lines for the differential test: mostly sensible, some wrong in one argument.

Nothing here depends on time or on a server's own choices: times to live are past or far away, and
no offset makes a string larger than some hundred KiB. HyperLogLogs have keys of their own, where
no string command writes inside them: what a server does with a corrupt one is its own affair.
"""

import differential_lists as lists
import differential_sets as sets
import differential_zsets as zsets
from differential_hashes import HASH_KEYS, HashLines

KEYS = [b"k%d" % i for i in range(10)]
HLL_KEYS = [b"h%d" % i for i in range(4)]
ALL_KEYS = KEYS + HLL_KEYS + HASH_KEYS
# Never watched: for 7.0, a BITFIELD that fails and lengthens the string all the same is no change,
# a SET with a time in the past is one even where no key was, and PFDEBUG TODENSE is none.
FIELD_KEY, PAST_KEY, DENSE_KEY = b"field", b"past", b"dense"
UNWATCHED = [FIELD_KEY, PAST_KEY, DENSE_KEY]

FAR_S = 4102444800  # in the year 2100
NUMBERS = [b"0", b"-1", b"1", b"2", b"7", b"8", b"63", b"64", b"65", b"255", b"4294967296",
           b"9007199254740993", b"9223372036854775806", b"9223372036854775807",
           b"9223372036854775808", b"-9223372036854775807", b"-9223372036854775808",
           b"-9223372036854775809", b"18446744073709551616"]
NOT_NUMBERS = [b"", b"abc", b"1.5", b" 1", b"1 ", b"+1", b"01", b"-0", b"1e3", b"0x10", b"nan",
               b"inf", b"-inf", b"1\x00", b"#1", b"\xff\xfe", b"--1", b"1" * 40]
WORDS = [b"NX", b"XX", b"GT", b"LT", b"GET", b"KEEPTTL", b"EX", b"PX", b"EXAT", b"PERSIST", b"BIT",
         b"BYTE", b"REPLACE", b"DB", b"FOO", b"AND", b"nosuch", b"MATCH", b"LEN"]
# Where a number may be a time to live in seconds or milliseconds: never one that ends in this run.
TIMES = [b"0", b"-1", b"-9223372036854775808", b"9223372036854775807", b"9223372036854775808",
         b"9223372036854775", b"9223372036854776", b"9999999999999", b"-5000"]


class Generator:
    """next() gives a command line; in_multi says whether a transaction is open after it.

    BITFIELD gets no numbers near -2^63: OVERFLOW SAT of 7.0 takes them for too large.
    """

    def __init__(self, rng):
        self.rng = rng
        self.in_multi = False
        self.doomed = False
        self.zsets = zsets.ZsetLines(rng)
        self.lists = lists.ListLines(rng)
        self.sets = sets.SetLines(rng)
        self.geo = sets.GeoLines(rng)
        self.makers, weights = [], []
        for weight, maker in self.table() + HashLines(self).table():
            self.makers.append(maker)
            weights.append(weight)
        self.cumulative = []
        total = 0
        for weight in weights:
            total += weight
            self.cumulative.append(total)

    def next(self):
        rng = self.rng
        if self.in_multi:
            line = self.in_transaction()
        else:
            maker, = rng.choices(self.makers, cum_weights=self.cumulative)
            line = maker()
        if rng.random() < 0.05 and line[0] not in KEPT and line[1:2] not in ZSETS_KEPT:
            line = self.spoil(line)
        if line[0].upper().lstrip(b"B").startswith((b"Z", b"GEO")):
            line = self.zsets.mend(line)
        if line[0].upper() == b"BITFIELD":
            line = [word if not word.startswith(b"-92233") else b"-100" for word in line]
        if self.doomed and line[0].upper() == b"EXEC":
            line = [b"DISCARD"]
        self.follow(line)
        return line

    def follow(self, line):
        """Keeps track of transactions. MULTI and WATCH inside one doom it in Valkey 9 but not in
        7.0, so such a one is only discarded."""
        word = line[0].upper()
        if self.in_multi and word in (b"MULTI", b"WATCH"):
            self.doomed = True
        elif len(line) == 1 and word in (b"MULTI", b"EXEC", b"DISCARD"):
            self.in_multi = word == b"MULTI"
            self.doomed = False

    def close(self):
        """The line that ends an open transaction."""
        line = [b"DISCARD" if self.doomed or self.rng.random() < 0.2 else b"EXEC"]
        self.follow(line)
        return line

    def in_transaction(self):
        rng = self.rng
        roll = rng.random()
        if roll < 0.2:
            return [b"EXEC"]
        if roll < 0.23:
            return [rng.choice([b"DISCARD", b"MULTI", b"UNWATCH"])]
        if roll < 0.24:
            return [b"WATCH", self.key()]
        if roll < 0.25:
            return [b"NOSUCHCOMMAND", b"x"]
        maker, = rng.choices(self.makers, cum_weights=self.cumulative)
        return maker()

    def spoil(self, line):
        """The line with one argument wrong, missing or too much."""
        rng = self.rng
        line = list(line)
        has_time = line[0] in TIMED
        first = 3 if line[0] in KEEPS_KEYS else 1
        roll = rng.random()
        if roll < 0.15 and len(line) > first:
            del line[rng.randrange(first, len(line))]
        elif roll < 0.3:
            line.append(rng.choice(WORDS if has_time else WORDS + NUMBERS))
        elif roll < 0.35:
            line[0] = line[0].lower() if rng.random() < 0.8 else line[0] + b"X"
        elif len(line) > first:
            at = rng.randrange(first, len(line))
            pool = rng.choice([TIMES if has_time else NUMBERS, NOT_NUMBERS, WORDS])
            line[at] = rng.choice(pool)
        # COMMAND GETKEYS of a single word: 7.0 refuses it, and the transaction it stands in.
        if line[0].upper() == b"COMMAND" and len(line) == 3:
            line.append(b"")
        return line

    # --- arguments ---

    def key(self):
        return self.rng.choice(KEYS)

    def hll_key(self):
        return self.rng.choice(HLL_KEYS)

    def any_key(self):
        return self.rng.choice(ALL_KEYS)

    def two_keys(self):
        return self.rng.choices(KEYS if self.rng.random() < 0.7 else HLL_KEYS, k=2)

    def hll_source(self):
        """Rarely what is no HyperLogLog."""
        return self.hll_key() if self.rng.random() < 0.97 else self.key()

    def keys(self, most, key=None):
        return [(key or self.any_key)() for _ in range(self.rng.randint(1, most))]

    def value(self):
        rng = self.rng
        roll = rng.random()
        if roll < 0.35:
            return b"%d" % rng.randint(-20, 300)
        if roll < 0.45:
            return rng.choice(NUMBERS)
        if roll < 0.5:
            return rng.choice(NOT_NUMBERS)
        if roll < 0.6:
            return b"%.*f" % (rng.randint(0, 6), rng.uniform(-1e6, 1e6))
        if roll < 0.8:
            return rng.choice([b"a", b"foobar", b"hello world", b"ohmytext", b"mynewtext"])
        if roll < 0.97:
            return rng.randbytes(rng.choice([1, 2, 3, 8, 20, 43, 44, 45, 64, 100]))
        return rng.randbytes(rng.choice([1000, 4095, 4096, 4097, 6000]))

    def number(self):
        rng = self.rng
        return b"%d" % rng.randint(-100, 100) if rng.random() < 0.85 else rng.choice(NUMBERS)

    def index(self):
        rng = self.rng
        return b"%d" % rng.randint(-50, 50) if rng.random() < 0.95 else rng.choice(NUMBERS)

    def bit_offset(self):
        rng = self.rng
        roll = rng.random()
        if roll < 0.9:
            return b"%d" % rng.randint(0, 400)
        return b"%d" % rng.randint(0, 20000) if roll < 0.98 else rng.choice(NUMBERS)

    def seconds(self):
        return b"%d" % self.rng.randint(10**5, 10**8)

    def millis(self):
        return b"%d" % self.rng.randint(10**8, 10**11)

    def at_seconds(self):
        return b"%d" % (FAR_S + self.rng.randint(0, 50))

    def at_millis(self):
        return b"%d" % (FAR_S * 1000 + self.rng.randint(0, 50000))

    def past(self):
        return b"%d" % self.rng.randint(1, 10**9)

    def expiry(self):
        word = self.rng.choice([b"EX", b"PX", b"EXAT", b"PXAT"])
        amount = {b"EX": self.seconds, b"PX": self.millis, b"EXAT": self.at_seconds,
                  b"PXAT": self.at_millis}[word]()
        return [word, amount]

    def past_expiry(self):
        return [self.rng.choice([b"EXAT", b"PXAT"]), self.past()]

    def elements(self):
        rng = self.rng
        if rng.random() < 0.03:  # enough to leave the sparse form
            base = rng.randrange(10**6)
            return [b"m%d" % (base + i) for i in range(rng.choice([200, 1500]))]
        most = rng.choice([5, 300, 10**6])
        return [b"e%d" % rng.randrange(most) for _ in range(rng.randint(0, 4))]

    # --- commands ---

    def set(self):
        rng = self.rng
        line = [b"SET", self.key(), self.value()]
        if rng.random() < 0.5:
            return line
        options = []
        if rng.random() < 0.4:
            options.append([rng.choice([b"NX", b"XX"])])
        if rng.random() < 0.3:
            options.append([b"GET"])
        if rng.random() < 0.5:
            options.append(self.expiry() if rng.random() < 0.8 else [b"KEEPTTL"])
        if rng.random() < 0.03:
            options.append(self.expiry())
        rng.shuffle(options)
        return line + [word for option in options for word in option]

    def set_past(self):
        return [b"SET", PAST_KEY, self.value()] + self.past_expiry()

    def getex(self):
        rng = self.rng
        roll = rng.random()
        if roll < 0.3:
            return [b"GETEX", self.key()]
        extra = ([b"PERSIST"] if roll < 0.5 else self.expiry() if roll < 0.95
                 else self.past_expiry())
        return [b"GETEX", self.key()] + extra

    def mset(self, name):
        pairs = [(self.key(), self.value()) for _ in range(self.rng.randint(1, 4))]
        return [name] + [word for pair in pairs for word in pair]

    def setrange(self):
        rng = self.rng
        roll = rng.random()
        offset = rng.randint(0, 100) if roll < 0.95 else rng.choice([5000, -1, 536870912, 2**62])
        return [b"SETRANGE", self.key(), b"%d" % offset, self.value()[:200]]

    def incrbyfloat(self):
        rng = self.rng
        amount = rng.choice([b"1", b"0.1", b"-0.5", b"3.0e3", b"1.25", b"-100", b"0.001", b"1e-5"])
        return [b"INCRBYFLOAT", self.key(), amount if rng.random() < 0.9 else self.value()]

    def lcs(self):
        rng = self.rng
        line = [b"LCS", b"k0", b"k1"]
        roll = rng.random()
        if roll < 0.3:
            line.append(b"LEN")
        elif roll < 0.6:
            line.append(b"IDX")
            if rng.random() < 0.5:
                line += [b"MINMATCHLEN", b"%d" % rng.randint(0, 4)]
            if rng.random() < 0.5:
                line.append(b"WITHMATCHLEN")
        return line

    def bit_range(self, name, *before):
        rng = self.rng
        line = [name, self.any_key(), *before]
        roll = rng.random()
        if roll < 0.3:
            return line
        line.append(self.index())
        if roll < 0.4 and name == b"BITPOS":
            return line
        line.append(self.index())
        if roll < 0.7:
            line.append(rng.choice([b"BIT", b"BYTE", b"bit"]))
        return line

    def bitpos(self):
        return self.bit_range(b"BITPOS", self.rng.choice([b"0", b"1"]))

    def bitop(self):
        rng = self.rng
        if rng.random() < 0.25:
            return [b"BITOP", b"NOT", self.key(), self.key()]
        return [b"BITOP", rng.choice([b"AND", b"OR", b"XOR"]), self.key()] + self.keys(4, self.key)

    def bit_field(self):
        rng = self.rng
        width = rng.choice([1, 2, 3, 4, 5, 7, 8, 16, 31, 32, 33, 63, 64])
        sign = b"i" if width == 64 or rng.random() < 0.5 else b"u"
        if rng.random() < 0.15:
            return [b"%s%d" % (sign, width), b"#%d" % rng.randint(0, 10)]
        return [b"%s%d" % (sign, width), self.bit_offset()]

    def bitfield(self, read_only=False):
        rng = self.rng
        line = [b"BITFIELD_RO" if read_only else b"BITFIELD", self.key()]
        for _ in range(rng.randint(0, 4)):
            verb = b"GET" if read_only else rng.choice([b"GET", b"SET", b"INCRBY", b"OVERFLOW"])
            if verb == b"OVERFLOW":
                line += [verb, rng.choice([b"WRAP", b"SAT", b"FAIL"])]
                if line[-1] == b"FAIL":
                    line[1] = FIELD_KEY
                continue
            line += [verb] + self.bit_field()
            if verb != b"GET":
                line.append(self.number())
        return line

    def expire(self):
        rng = self.rng
        name = rng.choice([b"EXPIRE", b"PEXPIRE", b"EXPIREAT", b"PEXPIREAT"])
        amount = {b"EXPIRE": self.seconds, b"PEXPIRE": self.millis, b"EXPIREAT": self.at_seconds,
                  b"PEXPIREAT": self.at_millis}[name]()
        if rng.random() < 0.1:
            amount = self.past() if name.endswith(b"AT") else rng.choice(TIMES)
        line = [name, self.any_key(), amount]
        if rng.random() < 0.4:
            line.append(rng.choice([b"NX", b"XX", b"GT", b"LT"]))
        if rng.random() < 0.1:
            line.append(rng.choice([b"NX", b"XX", b"GT", b"LT"]))
        return line

    def copy(self):
        rng = self.rng
        line = [b"COPY"] + self.two_keys()
        if rng.random() < 0.2:
            line += [b"DB", b"%d" % rng.randint(0, 2)]
        if rng.random() < 0.4:
            line.append(b"REPLACE")
        return line

    def scan(self):
        rng = self.rng
        line = [b"SCAN", b"0", b"COUNT", b"1000"]
        if rng.random() < 0.4:
            line += [b"MATCH", rng.choice([b"*", b"k*", b"h?", b"k[1-3]", b"nosuch", b"[^k]*"])]
        if rng.random() < 0.2:
            line += [b"TYPE", rng.choice([b"string", b"list"])]
        return line

    def get_keys(self):
        maker = self.rng.choice([self.set, self.bitop, self.bitfield, self.bitpos, self.expire])
        verb = self.rng.choice([b"GETKEYS", b"GETKEYSANDFLAGS"])
        line = maker()
        return [b"COMMAND", verb] + (line if len(line) > 1 else line + [b""])

    def table(self):
        """(weight, maker) of each kind of line."""
        rng = self.rng

        def one(name, *makers):
            return lambda: [name] + [maker() for maker in makers]

        def some(name, most, key=None):
            return lambda: [name] + self.keys(most, key)

        key, any_key, hll = self.key, self.any_key, self.hll_key
        return [
            (60, self.set), (2, self.set_past), (60, one(b"GET", key)),
            (3, lambda: [rng.choice([b"GET", b"STRLEN", b"DEL", b"TTL"]),
                         rng.choice(UNWATCHED)]), (6, one(b"GETDEL", key)),
            (12, self.getex), (8, one(b"GETSET", key, self.value)),
            (8, one(b"SETNX", key, self.value)),
            (6, one(b"SETEX", key, self.seconds, self.value)),
            (6, one(b"PSETEX", key, self.millis, self.value)),
            (15, some(b"MGET", 5)), (10, lambda: self.mset(b"MSET")),
            (6, lambda: self.mset(b"MSETNX")),
            (20, one(b"APPEND", key, self.value)), (15, one(b"STRLEN", any_key)),
            (20, one(b"GETRANGE", any_key, self.index, self.index)),
            (3, one(b"SUBSTR", key, self.index, self.index)), (20, self.setrange),
            (15, one(b"INCR", key)), (10, one(b"DECR", key)),
            (15, one(b"INCRBY", key, self.number)), (10, one(b"DECRBY", key, self.number)),
            (15, self.incrbyfloat), (4, self.lcs),
            (30, one(b"SETBIT", key, self.bit_offset, lambda: rng.choice([b"0", b"1"]))),
            (15, one(b"GETBIT", any_key, self.bit_offset)),
            (20, lambda: self.bit_range(b"BITCOUNT")), (20, self.bitpos), (20, self.bitop),
            (30, self.bitfield), (10, lambda: self.bitfield(True)),
            (40, lambda: [b"PFADD", hll()] + self.elements()),
            (25, some(b"PFCOUNT", 3, self.hll_source)),
            (12, lambda: [b"PFMERGE", hll()] + self.keys(3, self.hll_source)),
            (12, one(b"GET", hll)), (1, one(b"SET", hll, self.value)),
            (3, lambda: [b"PFDEBUG", rng.choice([b"ENCODING", b"DECODE"]), hll()]),
            (1, lambda: [b"PFDEBUG", rng.choice([b"ENCODING", b"TODENSE"]), DENSE_KEY]),
            (2, lambda: [b"PFADD", DENSE_KEY] + self.elements()),
            (1, lambda: [b"PFCOUNT", DENSE_KEY]),
            (2, lambda: [b"CONFIG", b"SET", b"hll-sparse-max-bytes",
                         b"%d" % rng.choice([0, 40, 100, 3000, 3000, 3000, 15000])]),
            (40, self.expire), (12, one(b"PERSIST", any_key)), (15, one(b"TTL", any_key)),
            (6, one(b"PTTL", any_key)), (8, one(b"EXPIRETIME", any_key)),
            (8, one(b"PEXPIRETIME", any_key)),
            (15, some(b"DEL", 4)), (8, some(b"UNLINK", 3)), (12, some(b"EXISTS", 4)),
            (5, some(b"TOUCH", 3)), (10, one(b"TYPE", any_key)),
            (12, lambda: [b"RENAME"] + self.two_keys()),
            (10, lambda: [b"RENAMENX"] + self.two_keys()),
            (15, self.copy), (5, lambda: [b"MOVE", any_key(), b"%d" % rng.randint(0, 3)]),
            (3, lambda: [b"KEYS", rng.choice([b"*", b"k*", b"h[0-2]", b"?1", b"nosuch"])]),
            (3, self.scan), (3, one(b"DBSIZE")),
            (20, lambda: [b"OBJECT", b"ENCODING", any_key()]),
            (2, lambda: [b"OBJECT", rng.choice([b"FREQ", b"IDLETIME", b"REFCOUNT"]), any_key()]),
            (6, lambda: [b"SELECT", b"%d" % rng.choice([0, 0, 0, 0, 1, 2])]),
            (1, lambda: [b"SWAPDB", b"%d" % rng.randint(0, 2), b"%d" % rng.randint(0, 2)]),
            (1, lambda: [rng.choice([b"FLUSHDB", b"FLUSHALL"])] +
                rng.choice([[], [b"SYNC"], [b"ASYNC"]])),
            (4, lambda: [b"ECHO", self.value()]), (2, one(b"PING")), (2, one(b"PING", self.value)),
            (30, one(b"MULTI")), (15, some(b"WATCH", 3)), (3, one(b"UNWATCH")),
            (2, lambda: [rng.choice([b"EXEC", b"DISCARD"])]),
            (2, lambda: [b"NOSUCH"] + self.keys(3)), (3, self.get_keys),
            (400, self.zsets.next), (400, self.lists.next), (300, self.sets.next),
            (150, self.geo.next),
            (8, lambda: [rng.choice([b"DEL", b"TYPE", b"EXISTS"]), rng.choice(sets.SET_KEYS)]),
            (8, lambda: [rng.choice([b"RENAME", b"COPY"])] + rng.sample(sets.SET_KEYS, 2)),
            (8, lambda: [rng.choice([b"DEL", b"TYPE", b"EXISTS"]), rng.choice(zsets.ZSET_KEYS)]),
            (8, lambda: [rng.choice([b"RENAME", b"COPY"])] + rng.sample(zsets.ZSET_KEYS, 2)),
        ]


TIMED = {b"SET", b"SETEX", b"PSETEX", b"GETEX", b"EXPIRE", b"PEXPIRE", b"EXPIREAT", b"PEXPIREAT"}
# Never spoilt: a random cursor or count means nothing, and options have tests of their own.
KEPT = ({b"SCAN", b"CONFIG", b"PFDEBUG", b"HSCAN", b"HRANDFIELD"} | zsets.KEPT | lists.KEPT |
        sets.KEPT)
ZSETS_KEPT = [[key] for key in zsets.LEX_KEYS + lists.WEIGHTS]
# Where a wrong key would put a HyperLogLog where strings are edited.
KEEPS_KEYS = {b"RENAME", b"RENAMENX", b"COPY", b"PFADD", b"PFMERGE"}
