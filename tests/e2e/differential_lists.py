# SPDX-License-Identifier: BSD-3-Clause
"""Random list commands and SORT for the differential test, and when their replies are the same.

Lists of 7.0 are quicklists whatever their size. SORT of 7.0 reads numbers with strtod, up to a NUL,
and remembers an overflow from one element to the next: what it takes for numbers is not compared,
and only sorted texts are stored. Texts with equal weights are in no order there.
"""

LIST_KEYS = [b"l%d" % i for i in range(6)]
WEIGHTS = [b"w_%d" % i for i in range(12)]

# Never spoilt: a wrong timeout could let them wait for ever.
KEPT = {b"BLPOP", b"BRPOP", b"BLMOVE", b"BRPOPLPUSH", b"BLMPOP"}
ENDS = [b"LEFT", b"RIGHT", b"left", b"Right"]


class ListLines:
    """next() gives a command line."""

    def __init__(self, rng):
        self.rng = rng
        self.makers, self.weights = zip(*[
            (self.push, 60), (self.push_many, 3), (self.pop, 40), (self.lmpop, 10), (self.llen, 8),
            (self.lrange, 30), (self.lindex, 15), (self.lpos, 20), (self.lset, 20),
            (self.linsert, 20), (self.lrem, 20), (self.ltrim, 6), (self.move, 25),
            (self.blocking, 2), (self.sort, 25), (self.weigh, 10), (self.limits, 2),
            (self.others, 6), (self.empty, 2),
        ])

    def next(self):
        maker, = self.rng.choices(self.makers, self.weights)
        return maker()

    # --- arguments ---

    def key(self):
        return self.rng.choice(LIST_KEYS)

    def any_key(self):
        rng = self.rng
        return self.key() if rng.random() < 0.97 else rng.choice([b"k0", b"none", b"z0"])

    def item(self):
        rng = self.rng
        roll = rng.random()
        if roll < 0.5:
            return b"%d" % rng.randint(-3, 12)
        if roll < 0.6:
            return b"%d" % rng.choice([127, 128, -4097, 32768, 2**31, 2**40, -2**63, 2**63 - 1])
        if roll < 0.9:
            return rng.choice([b"a", b"b", b"c", b"", b"01", b"1.5", b"-0", b"foo", b"x" * 63,
                               b"x" * 64, b"y" * 200])
        return b"z" * rng.choice([1000, 4094, 4096, 8000, 8192, 9000])

    def index(self):
        return b"%d" % self.rng.randint(-30, 30)

    def some_items(self, most):
        return [self.item() for _ in range(self.rng.randint(1, most))]

    # --- lines ---

    def push(self):
        rng = self.rng
        name = rng.choice([b"LPUSH", b"RPUSH", b"LPUSH", b"RPUSH", b"LPUSHX", b"RPUSHX"])
        return [name, self.any_key()] + self.some_items(4)

    def push_many(self):
        items = [self.item() for _ in range(self.rng.randint(50, 400))]
        return [self.rng.choice([b"LPUSH", b"RPUSH"]), self.key()] + items

    def pop(self):
        rng = self.rng
        line = [rng.choice([b"LPOP", b"RPOP"]), self.any_key()]
        return line + ([b"%d" % rng.randint(0, 12)] if rng.random() < 0.3 else [])

    def lmpop(self):
        rng = self.rng
        count = rng.randint(1, 3)
        line = [b"LMPOP", b"%d" % count] + [self.any_key() for _ in range(count)]
        line.append(rng.choice(ENDS))
        return line + ([b"COUNT", b"%d" % rng.randint(1, 8)] if rng.random() < 0.5 else [])

    def llen(self):
        return [b"LLEN", self.any_key()]

    def lrange(self):
        if self.rng.random() < 0.3:
            return [b"LRANGE", self.any_key(), b"0", b"-1"]
        return [b"LRANGE", self.any_key(), self.index(), self.index()]

    def lindex(self):
        return [b"LINDEX", self.any_key(), self.index()]

    def lpos(self):
        rng = self.rng
        line = [b"LPOS", self.any_key(), self.item()]
        if rng.random() < 0.4:
            line += [b"RANK", b"%d" % rng.choice([-3, -2, -1, 1, 2, 3])]
        if rng.random() < 0.4:
            line += [b"COUNT", b"%d" % rng.randint(0, 4)]
        if rng.random() < 0.3:
            line += [b"MAXLEN", b"%d" % rng.randint(0, 30)]
        return line

    def lset(self):
        return [b"LSET", self.any_key(), self.index(), self.item()]

    def linsert(self):
        where = self.rng.choice([b"BEFORE", b"AFTER", b"after"])
        return [b"LINSERT", self.any_key(), where, self.item(), self.item()]

    def lrem(self):
        return [b"LREM", self.any_key(), b"%d" % self.rng.randint(-4, 4), self.item()]

    def ltrim(self):
        rng = self.rng
        return [b"LTRIM", self.key(), b"%d" % rng.randint(-60, 6), b"%d" % rng.randint(-4, 60)]

    def move(self):
        rng = self.rng
        source, target = self.any_key(), self.any_key()
        if rng.random() < 0.3:
            return [b"RPOPLPUSH", source, target]
        return [b"LMOVE", source, target, rng.choice(ENDS), rng.choice(ENDS)]

    def blocking(self):
        rng = self.rng
        name = rng.choice(sorted(KEPT))
        if name in (b"BLPOP", b"BRPOP"):
            return [name] + [self.any_key() for _ in range(rng.randint(1, 3))] + [b"0.001"]
        if name == b"BLMOVE":
            return [name, self.any_key(), self.any_key(), rng.choice(ENDS), rng.choice(ENDS),
                    b"0.001"]
        if name == b"BRPOPLPUSH":
            return [name, self.any_key(), self.any_key(), b"0.001"]
        return [name, b"0.001"] + self.lmpop()[1:]

    def sort(self):
        rng = self.rng
        key = self.key() if rng.random() < 0.97 else b"never-a-key"  # 7.0 unpacks a sorted set to sort it
        line = [rng.choice([b"SORT", b"SORT", b"SORT_RO"]), key]
        alpha = rng.random() < 0.6
        if alpha:
            line.append(b"ALPHA")
        if rng.random() < 0.3:
            line += [b"BY", b"nosort" if alpha else rng.choice([b"w_*", b"nosort", b"nosuch_*"])]
        for _ in range(rng.choice([0, 0, 0, 1, 2])):
            line += [b"GET", rng.choice([b"#", b"w_*", b"nosuch_*", b"fixed", b"w_*->f"])]
        if rng.random() < 0.4:
            line += [b"LIMIT", b"%d" % rng.randint(-2, 20), b"%d" % rng.randint(-2, 10)]
        if rng.random() < 0.4:
            line.append(rng.choice([b"ASC", b"DESC"]))
        if line[0] == b"SORT" and alpha and rng.random() < 0.3:
            line += [b"STORE", self.key()]
        return line

    def weigh(self):
        rng = self.rng
        return [b"SET", rng.choice(WEIGHTS), b"%d" % rng.randint(-5, 5)]

    def limits(self):
        if self.rng.random() < 0.4:
            depth = self.rng.choice([b"0", b"1", b"1", b"2"])
            return [b"CONFIG", b"SET", b"list-compress-depth", depth]
        size = self.rng.choice([b"-2", b"-2", b"-1", b"1", b"2", b"4", b"16", b"128"])
        return [b"CONFIG", b"SET", b"list-max-listpack-size", size]

    def others(self):
        rng = self.rng
        name = rng.choice([b"DEL", b"TYPE", b"EXISTS", b"COPY", b"RENAME"])
        keys = rng.sample(LIST_KEYS, 2) if name in (b"COPY", b"RENAME") else [self.key()]
        return [name] + keys

    def empty(self):
        return [b"LTRIM", self.key(), b"1", b"0"]


def what_is_a_number(line, peer, ours):
    """SORT of what only one of the two takes for numbers."""
    refused = ("error", b"ERR One or more scores can't be converted into double")
    return (line[0] in (b"SORT", b"SORT_RO") and b"ALPHA" not in [word.upper() for word in line]
            and (peer == refused) != (ours == refused))


def smallest_rank(line, peer, ours):
    """LPOS RANK -2^63, which has no positive counterpart: 7.0 takes it."""
    return (line[0] == b"LPOS" and b"-9223372036854775808" in line and ours[0] == "error"
            and b"value must between" in ours[1])


def packed_list(line, peer, ours):
    """OBJECT ENCODING of a small list: 7.0 has quicklists only."""
    return (line[:2] == [b"OBJECT", b"ENCODING"] and peer == ("bulk", b"quicklist")
            and ours == ("bulk", b"listpack"))
