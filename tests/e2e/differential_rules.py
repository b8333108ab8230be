# SPDX-License-Identifier: BSD-3-Clause
"""When two replies count as the same, and which differences the versions explain.

The peer is redis-server 7.0; this server behaves as Valkey 9.1. A reply is a tuple of its kind and
its value, as differential_peer.parse gives it. None of the differences below changes a key.
"""

import differential_hashes
from differential_lists import packed_list, smallest_rank, what_is_a_number
from differential_sets import (is_same_set_reply, member_is_named, packed_since_7_2,
                               polygons_since_9)
from differential_zsets import is_same_zset_reply, packed_for_longer

WRONG_TYPE = ("error", b"WRONGTYPE Operation against a key holding the wrong kind of value")
SECONDS_APART = 3
UNORDERED = {b"KEYS", b"SCAN"} | differential_hashes.UNORDERED
TIMES_LEFT = {b"TTL": SECONDS_APART, b"EXPIRETIME": SECONDS_APART,
              b"PTTL": SECONDS_APART * 1000, b"PEXPIRETIME": SECONDS_APART * 1000}


def error_text(reply):
    return reply[1] if reply[0] == "error" else b""


def bitcount_without_end(line, peer, ours):
    """BITCOUNT key start: the end may be left out since Valkey 8.0."""
    return (line[0] == b"BITCOUNT" and len(line) == 3 and error_text(peer) == b"ERR syntax error"
            and (ours[0] == "integer" or b"not an integer" in error_text(ours)))


def bit_arguments_before_key(line, peer, ours):
    """BITCOUNT and BITPOS check their arguments even if the key is missing, or of another type; 7.0
    looks first."""
    return (line[0] in (b"BITCOUNT", b"BITPOS") and ours[0] == "error"
            and (peer in (("integer", 0), ("integer", -1)) or peer == WRONG_TYPE))


def refcount_is_one(line, peer, ours):
    """OBJECT REFCOUNT: 7.0 shares objects for 0..9999 and, for a moment, with the request; here and
    in Valkey 9 a value is its key's alone."""
    return (line[:2] == [b"OBJECT", b"REFCOUNT"] and peer[0] == "integer"
            and ours == ("integer", 1))


def idle_for_a_moment(line, peer, ours):
    """OBJECT IDLETIME: seconds since the last access, read at two moments."""
    return (line[:2] == [b"OBJECT", b"IDLETIME"] and peer[0] == ours[0] == "integer"
            and abs(peer[1] - ours[1]) <= SECONDS_APART)


def expired_keys_counted(line, peer, ours):
    """DBSIZE of 7.0 counts a key that was stored with a time in the past until it finds it."""
    return line[0] == b"DBSIZE" and peer[0] == ours[0] == "integer" and ours[1] <= peer[1]


def not_allowed_in_transaction(line, peer, ours):
    """MULTI and WATCH inside a transaction: each of the two had words of its own in 7.0."""
    return (line[0] in (b"MULTI", b"WATCH")
            and error_text(peer) in (b"ERR MULTI calls can not be nested",
                                     b"ERR WATCH inside MULTI is not allowed")
            and error_text(ours) == b"ERR Command '%s' not allowed inside a transaction"
            % line[0].lower())


def corrupt_runs_shown(line, peer, ours):
    """PFDEBUG DECODE shows the runs of a HyperLogLog, which 7.0 does not check."""
    return (line[:2] == [b"PFDEBUG", b"DECODE"] and peer[0] == "bulk"
            and error_text(ours) == b"INVALIDOBJ Corrupted HLL object detected")


def getex_times_before_key(line, peer, ours):
    """GETEX checks its time even if the key is missing; 7.0 looks first."""
    return (line[0] == b"GETEX" and ours[0] == "error"
            and (peer[0] in ("nullbulk", "null") or peer == WRONG_TYPE)
            and (b"invalid expire time" in ours[1] or b"not an integer" in ours[1]))


EXPLAINED = [
    packed_list, smallest_rank, what_is_a_number,
    getex_times_before_key,
    corrupt_runs_shown,
    not_allowed_in_transaction,
    bitcount_without_end,
    bit_arguments_before_key,
    refcount_is_one,
    idle_for_a_moment,
    packed_for_longer,
    packed_since_7_2,
    polygons_since_9,
    member_is_named,
    expired_keys_counted,
]


def elements_together(line, reply):
    """How many elements of the reply belong together: a field and its value, where they are side by
    side. In RESP3 HRANDFIELD has them in an array of their own."""
    flat = reply[0] == "map" or not any(kind == "array" for kind, _ in reply[1])
    paired = line[0] in (b"HGETALL", b"HSCAN") or b"WITHVALUES" in line
    return 2 if paired and flat else 1


def sorted_elements(line, reply):
    """What is in a reply whose order does not count."""
    kind, value = reply
    if (kind == "array" and len(value) == 2 and value[0][0] == "bulk"
            and value[1][0] == "array"):  # SCAN, HSCAN
        return kind, [value[0], sorted_elements(line, value[1])]
    if kind in ("array", "map") and value:
        step = elements_together(line, reply)
        return kind, sorted((value[at:at + step] for at in range(0, len(value), step)), key=repr)
    return reply


def is_same(line, peer, ours, queue):
    """Whether the replies to a line agree. queue: what EXEC ran, if that is the line."""
    if peer == ours:
        return True
    line = [line[0].upper()] + line[1:] if line else line
    name = line[0]
    if name == b"EXEC" and peer[0] == ours[0] == "array":
        return (len(peer[1]) == len(ours[1]) == len(queue) and
                all(is_same(queued, a, b, ()) for queued, a, b in zip(queue, peer[1], ours[1])))
    if name in UNORDERED and sorted_elements(line, peer) == sorted_elements(line, ours):
        return True
    if name.lstrip(b"B").startswith(b"Z") and is_same_zset_reply(name, peer, ours):
        return True
    if name[:1] in (b"S", b"G") and is_same_set_reply(name, line, peer, ours):
        return True
    if name in TIMES_LEFT and peer[0] == ours[0] == "integer" and peer[1] > 0 and ours[1] > 0:
        return abs(peer[1] - ours[1]) <= TIMES_LEFT[name]
    if name in (b"OBJECT", b"PFDEBUG", b"COMMAND"):
        line[1:2] = [word.upper() for word in line[1:2]]
    return any(rule(line, peer, ours) for rule in EXPLAINED)
