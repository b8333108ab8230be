# SPDX-License-Identifier: BSD-3-Clause
"""Random set and geo commands for the differential test, and when their replies are the same.

Nothing that chance decides changes a key: SPOP takes all members or none. Places lie apart, so that
no two are equally far from anywhere, and clear of the very edges of the map, which 7.0 does not
search.
"""

SET_KEYS = [b"s%d" % i for i in range(6)]
GEO_KEYS = [b"geo%d" % i for i in range(3)]

# Never spoilt: a random count or cursor would ask for what chance decides, or for a huge reply.
KEPT = {b"SPOP", b"SRANDMEMBER", b"SSCAN", b"GEOSEARCH", b"GEOSEARCHSTORE", b"GEORADIUS",
        b"GEORADIUSBYMEMBER", b"GEORADIUS_RO", b"GEORADIUSBYMEMBER_RO"}
UNORDERED = {b"SMEMBERS", b"SINTER", b"SUNION", b"SDIFF", b"SPOP"}
SEARCHES = {b"GEOSEARCH", b"GEORADIUS", b"GEORADIUS_RO", b"GEORADIUSBYMEMBER",
            b"GEORADIUSBYMEMBER_RO"}


class SetLines:
    """next() gives a command line."""

    def __init__(self, rng):
        self.rng = rng
        self.makers, self.weights = zip(*[
            (self.sadd, 60), (self.sadd_many, 3), (self.srem, 25), (self.of_member, 40),
            (self.of_key, 25), (self.smove, 15), (self.algebra, 40), (self.store, 25),
            (self.sintercard, 15), (self.spop, 6), (self.srandmember, 8), (self.sscan, 6),
            (self.limits, 3), (self.encoding, 15),
        ])

    def next(self):
        maker, = self.rng.choices(self.makers, self.weights)
        return maker()

    def key(self):
        return self.rng.choice(SET_KEYS)

    def any_key(self):
        """A set, or no key or a string: SORT may ask for those, where a set has no order."""
        return self.key() if self.rng.random() < 0.95 else self.rng.choice([b"k0", b"none"])

    def keys(self, most=4):
        return [self.any_key() for _ in range(self.rng.randint(1, most))]

    def member(self):
        rng = self.rng
        roll = rng.random()
        if roll < 0.5:
            return b"%d" % rng.randint(-5, 40)
        if roll < 0.65:
            return b"%d" % rng.choice([32767, 32768, -32769, 2**31, -2**31 - 1, 2**63 - 1, -2**63])
        if roll < 0.9:
            return b"m%d" % rng.randrange(30)
        return rng.choice([b"", b"x" * 64, b"x" * 65, b"x" * 300, b"\x00", b"01", b"-0", b"+1"])

    def members(self, most=5):
        return [self.member() for _ in range(self.rng.randint(1, most))]

    def sadd(self):
        return [b"SADD", self.key()] + self.members()

    def sadd_many(self):
        """Enough to leave the packed forms."""
        rng = self.rng
        count = rng.choice([100, 127, 129, 511, 513])
        form = rng.choice([b"%d", b"%d", b"n%d"])
        start = rng.randint(-300, 300)
        return [b"SADD", self.key()] + [form % (start + i) for i in range(count)]

    def srem(self):
        return [b"SREM", self.any_key()] + self.members()

    def of_member(self):
        if self.rng.random() < 0.5:
            return [b"SISMEMBER", self.any_key(), self.member()]
        return [b"SMISMEMBER", self.any_key()] + self.members(20)

    def of_key(self):
        return [self.rng.choice([b"SCARD", b"SMEMBERS"]), self.any_key()]

    def smove(self):
        return [b"SMOVE", self.any_key(), self.key(), self.member()]

    def algebra(self):
        return [self.rng.choice([b"SINTER", b"SUNION", b"SDIFF"])] + self.keys(6)

    def store(self):
        name = self.rng.choice([b"SINTERSTORE", b"SUNIONSTORE", b"SDIFFSTORE"])
        return [name, self.key()] + self.keys()

    def sintercard(self):
        rng = self.rng
        keys = self.keys()
        line = [b"SINTERCARD", b"%d" % len(keys)] + keys
        return line + ([b"LIMIT", b"%d" % rng.randint(-1, 5)] if rng.random() < 0.5 else [])

    def spop(self):
        return [b"SPOP", self.any_key(), self.rng.choice([b"0", b"100000", b"-1", b"x"])]

    def srandmember(self):
        rng = self.rng
        line = [b"SRANDMEMBER", self.any_key()]
        return line + ([b"%d" % rng.randint(-20, 20)] if rng.random() < 0.7 else [])

    def sscan(self):
        line = [b"SSCAN", self.any_key(), b"0", b"COUNT", b"100000"]
        return line + ([b"MATCH", b"*1*"] if self.rng.random() < 0.4 else [])

    def limits(self):
        return [b"CONFIG", b"SET", b"set-max-intset-entries",
                b"%d" % self.rng.choice([0, 5, 512, 512])]

    def encoding(self):
        return [b"OBJECT", b"ENCODING", self.any_key()]


class GeoLines:
    """The same for places."""

    def __init__(self, rng):
        self.rng = rng
        self.makers, self.weights = zip(*[
            (self.geoadd, 60), (self.of_members, 30), (self.geodist, 20), (self.geosearch, 40),
            (self.geosearchstore, 10), (self.georadius, 25), (self.georadiusbymember, 15),
            (self.stored, 10),
        ])

    def next(self):
        maker, = self.rng.choices(self.makers, self.weights)
        return maker()

    def key(self):
        return self.rng.choice(GEO_KEYS)

    def any_key(self):
        return self.key() if self.rng.random() < 0.96 else self.rng.choice([b"k0", b"none"])

    def member(self):
        return b"p%d" % self.rng.randrange(40)

    def point(self):
        rng = self.rng
        roll = rng.random()
        if roll < 0.4:
            lon, lat = rng.uniform(-179.9, 179.9), rng.uniform(-84.5, 84.5)
        elif roll < 0.8:
            lon, lat = rng.gauss(10, 2), rng.gauss(50, 1)
        else:
            lon, lat = rng.choice([-1, 1]) * rng.uniform(179, 179.99), rng.gauss(0, 1)
        if rng.random() < 0.02:
            lon, lat = rng.choice([(181, 1), (1, 86), (-200, 0)])
        return [b"%.7f" % lon, b"%.7f" % lat]

    def unit(self):
        return self.rng.choice([b"m", b"km", b"KM", b"ft", b"mi", b"km", b"km", b"xx"
                                if self.rng.random() < 0.05 else b"m"])

    def length(self):
        rng = self.rng
        return b"%.3f" % (rng.uniform(0, 1) * 10 ** rng.randint(0, 4))

    def options(self, stores=False):
        rng = self.rng
        options = []
        if rng.random() < 0.6:
            options.append(rng.choice([[b"ASC"], [b"DESC"]]))
        if rng.random() < 0.4:
            options.append([b"COUNT", b"%d" % rng.randint(0, 6)] +
                           ([b"ANY"] if rng.random() < 0.15 and not stores else []))
        if not stores:
            options += [[word] for word in (b"WITHDIST", b"WITHHASH", b"WITHCOORD")
                        if rng.random() < 0.3]
        rng.shuffle(options)
        return [word for option in options for word in option]

    def geoadd(self):
        rng = self.rng
        flags = [word for word in (b"NX", b"XX", b"CH") if rng.random() < 0.1]
        places = [self.point() + [self.member()] for _ in range(rng.randint(1, 5))]
        return [b"GEOADD", self.key()] + flags + [word for place in places for word in place]

    def of_members(self):
        members = [self.member() for _ in range(self.rng.randint(0, 4))]
        return [self.rng.choice([b"GEOPOS", b"GEOHASH"]), self.any_key()] + members

    def geodist(self):
        line = [b"GEODIST", self.any_key(), self.member(), self.member()]
        return line + ([self.unit()] if self.rng.random() < 0.6 else [])

    def query(self):
        rng = self.rng
        centre = ([b"FROMMEMBER", self.member()] if rng.random() < 0.5
                  else [b"FROMLONLAT"] + self.point())
        shape = ([b"BYRADIUS", self.length(), self.unit()] if rng.random() < 0.5
                 else [b"BYBOX", self.length(), self.length(), self.unit()])
        return centre + shape if rng.random() < 0.5 else shape + centre

    def geosearch(self):
        return [b"GEOSEARCH", self.any_key()] + self.query() + self.options()

    def geosearchstore(self):
        tail = [b"STOREDIST"] if self.rng.random() < 0.4 else []
        return [b"GEOSEARCHSTORE", b"geod", self.any_key()] + self.query() + self.options(True) + tail

    def stored(self):
        return [b"ZRANGE", b"geod", b"0", b"-1", b"WITHSCORES"]

    def georadius(self):
        rng = self.rng
        line = [self.any_key()] + self.point() + [self.length(), self.unit()]
        if rng.random() < 0.3:
            return [b"GEORADIUS"] + line + self.options(True) + [
                rng.choice([b"STORE", b"STOREDIST"]), b"geod"]
        return [rng.choice([b"GEORADIUS", b"GEORADIUS_RO"])] + line + self.options()

    def georadiusbymember(self):
        name = self.rng.choice([b"GEORADIUSBYMEMBER", b"GEORADIUSBYMEMBER_RO"])
        return [name, self.any_key(), self.member(), self.length(), self.unit()] + self.options()


# --- replies -------------------------------------------------------------------------------------


def as_sorted(reply):
    return reply[0], sorted(reply[1], key=repr)


def is_same_set_reply(name, line, peer, ours):
    if peer[0] != ours[0] or peer[0] not in ("array", "set"):
        # A member by chance.
        return name == b"SRANDMEMBER" and peer[0] == ours[0] == "bulk"
    if name == b"SRANDMEMBER":
        return len(peer[1]) == len(ours[1])
    if name == b"SSCAN":
        return peer[1][0] == ours[1][0] and as_sorted(peer[1][1]) == as_sorted(ours[1][1])
    if name in UNORDERED:
        return as_sorted(peer) == as_sorted(ours)
    if name in SEARCHES:
        if b"ANY" in line:  # whichever were found first
            return len(peer[1]) == len(ours[1])
        in_order = b"ASC" in line or b"DESC" in line
        return not in_order and as_sorted(peer) == as_sorted(ours)
    return False


def packed_since_7_2(line, peer, ours):
    """7.0 has no listpacks for sets."""
    return (line[:2] == [b"OBJECT", b"ENCODING"] and peer == ("bulk", b"hashtable")
            and ours == ("bulk", b"listpack"))


def polygons_since_9(line, peer, ours):
    """The error about shapes names polygons too."""
    return (line[0] in (b"GEOSEARCH", b"GEOSEARCHSTORE") and peer[0] == ours[0] == "error"
            and peer[1].replace(b"BYRADIUS and BYBOX", b"BYRADIUS, BYBOX and BYPOLYGON")
            == ours[1])


def member_is_named(line, peer, ours):
    """7.0 does not say which member there is not."""
    words = ours[1].split() if ours[0] == "error" else []
    return (peer == ("error", b"ERR could not decode requested zset member")
            and words[:2] == [b"ERR", b"member"] and words[2] in line
            and words[3:] == [b"does", b"not", b"exist"])
