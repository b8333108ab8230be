/* SPDX-License-Identifier: BSD-3-Clause */
/* rdb_format -- the numbers of the RDB format, and how a file is laid out.
 *
 *   bytes  meaning
 *   9      "REDIS" and four digits (versions 1 to 79), or "VALKEY" and three (from 80 on)
 *   ..     AUX fields, then for each database SELECTDB, RESIZEDB and its keys
 *   1      EOF
 *   8      CRC-64 of all before, little endian; 0: none (from version 5 on)
 *
 *   a key: [EXPIRETIME_MS and 8 bytes] [IDLE and a length | FREQ and a byte] type, key, value
 *
 *   a length, first byte           a string
 *   00xxxxxx   6 bits              length and bytes, or
 *   01xxxxxx   14 bits, 2 bytes    11000000  integer of 8 bits
 *   10000000   32 bits, 5 bytes    11000001  of 16 bits, LE
 *   10000001   64 bits, 9 bytes    11000010  of 32 bits, LE
 *   11xxxxxx   of a string only    11000011  LZF: length compressed, length of the text, data
 *   (long lengths are big endian)
 *
 *   DUMP: type, value, version (2 bytes LE), CRC-64 of all before (8 bytes LE) */
#pragma once

enum {
    RDB_VERSION = 80,     /* what is written */
    RDB_VERSION_OLD = 11, /* the last one that other families of servers share */
    RDB_MAGIC_SIZE = 9,
    RDB_VERSION_CRC = 5,    /* the first one that ends with a checksum */
    RDB_FOREIGN_FIRST = 12, /* versions 12 to 79 and the types behind 21 are others' under */
    RDB_FOREIGN_LAST = 79,  /* "REDIS" */
    RDB_DUMP_TAIL = 10,     /* version and checksum */
};

enum rdb_opcode {
    RDB_SLOT_IMPORT = 243,
    RDB_SLOT_INFO = 244,
    RDB_FUNCTION2 = 245,
    RDB_FUNCTION_PRE_GA = 246,
    RDB_MODULE_AUX = 247,
    RDB_IDLE = 248,
    RDB_FREQ = 249,
    RDB_AUX = 250,
    RDB_RESIZEDB = 251,
    RDB_EXPIRETIME_MS = 252,
    RDB_EXPIRETIME = 253,
    RDB_SELECTDB = 254,
    RDB_EOF = 255,
};

enum rdb_type {
    RDB_STRING = 0,
    RDB_LIST = 1,
    RDB_SET = 2,
    RDB_ZSET = 3, /* scores as text */
    RDB_HASH = 4,
    RDB_ZSET_2 = 5, /* scores as doubles */
    RDB_MODULE_PRE_GA = 6,
    RDB_MODULE_2 = 7,
    RDB_HASH_ZIPMAP = 9,
    RDB_LIST_ZIPLIST = 10,
    RDB_SET_INTSET = 11,
    RDB_ZSET_ZIPLIST = 12,
    RDB_HASH_ZIPLIST = 13,
    RDB_LIST_QUICKLIST = 14,
    RDB_STREAM_LISTPACKS = 15,
    RDB_HASH_LISTPACK = 16,
    RDB_ZSET_LISTPACK = 17,
    RDB_LIST_QUICKLIST_2 = 18,
    RDB_STREAM_LISTPACKS_2 = 19,
    RDB_SET_LISTPACK = 20,
    RDB_STREAM_LISTPACKS_3 = 21,
    RDB_HASH_2 = 22, /* fields with expiry */
};
enum { RDB_TYPE_COUNT = 23 };

enum { RDB_NODE_PLAIN = 1, RDB_NODE_PACKED = 2 }; /* of QUICKLIST_2 */

enum rdb_length_form {
    RDB_LENGTH_6 = 0x00,
    RDB_LENGTH_14 = 0x40,
    RDB_LENGTH_32 = 0x80,
    RDB_LENGTH_64 = 0x81,
    RDB_STRING_FORM = 0xc0, /* this and the numbers below */
};
enum rdb_string_form { RDB_INT8 = 0, RDB_INT16, RDB_INT32, RDB_LZF };
