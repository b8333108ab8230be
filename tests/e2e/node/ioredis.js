// SPDX-License-Identifier: BSD-3-Clause
// ioredis.js MODULE PORT PROTOCOL -- ioredis and iovalkey, which are called alike. Protocol 3
// needs ioredis 6.
"use strict";

const assert = require("node:assert/strict");
const { bytes, event, run } = require("./checks.js");

const [, , moduleName, port, protocol] = process.argv;
const Redis = require(moduleName).Redis;
const options = { host: "127.0.0.1", port: Number(port), protocol: Number(protocol) };
const client = new Redis(options);
const other = new Redis({ ...options, connectionName: "other" });
for (const each of [client, other])
    each.on("error", (error) => console.log(`error event: ${error.message}`));

run({
    async connects() {
        assert.equal(await client.ping(), "PONG");
        assert.match(await client.info("server"), /redis_version:7\./);
        const list = await client.client("LIST");
        assert.match(list, new RegExp(`resp=${protocol}\\b`));
    },

    async strings() {
        assert.equal(await client.set("key", "value"), "OK");
        assert.equal(await client.get("key"), "value");
        assert.equal(await client.get("none"), null);
        assert.equal(await client.set("key", "other", "NX"), null);
        assert.equal(await client.set("key", "other", "EX", 100, "GET"), "value");
        assert.ok((await client.ttl("key")) > 90);
        assert.equal(await client.mset({ a: "1", b: "2" }), "OK");
        assert.deepEqual(await client.mget("a", "none", "b"), ["1", null, "2"]);
        assert.equal(await client.incrby("a", 41), 42);
        assert.equal(await client.incrbyfloat("b", 0.5), "2.5");
        assert.equal(await client.strlen("key"), 5);
        assert.equal(await client.del("key", "none"), 1);
        assert.equal(await client.getBuffer("none"), null);
    },

    async anErrorIsThatCommandsAlone() {
        await client.set("text", "no number");
        const replies = await Promise.allSettled([
            client.incr("text"), client.get("text"), client.call("NONSENSE")]);
        assert.match(replies[0].reason.message, /^ERR value is not an integer/);
        assert.equal(replies[1].value, "no number");
        assert.match(replies[2].reason.message, /^ERR unknown command/);
    },

    async pipelines() {
        const pipeline = client.pipeline();
        for (let i = 0; i < 10000; i++) pipeline.set(`p${i}`, i).get(`p${i}`);
        const replies = await pipeline.exec();
        assert.equal(replies.length, 20000);
        for (let i = 0; i < 10000; i++) {
            assert.deepEqual(replies[2 * i], [null, "OK"]);
            assert.deepEqual(replies[2 * i + 1], [null, String(i)]);
        }
    },

    async pipelinesOfItsOwnAccord() {
        const automatic = new Redis({ ...options, enableAutoPipelining: true });
        const gets = [];
        for (let i = 0; i < 1000; i++) gets.push(automatic.get(`p${i}`));
        (await Promise.all(gets)).forEach((value, i) => assert.equal(value, String(i)));
        await automatic.quit();
    },

    async transactions() {
        const replies = await client.multi().set("t", 1).incr("t").get("t").exec();
        assert.deepEqual(replies, [[null, "OK"], [null, 2], [null, "2"]]);
        await client.watch("t");
        await other.set("t", "changed");
        assert.equal(await client.multi().set("t", "lost").exec(), null);
        assert.equal(await client.get("t"), "changed");
        await assert.rejects(client.multi().set("t").exec(), /EXECABORT/);
    },

    async largeValues() {
        const value = bytes(10 * 1024 * 1024);
        assert.equal(await client.set("large", value), "OK");
        assert.ok(value.equals(await client.getBuffer("large")));
        const [one, two] = await client.mgetBuffer("large", "large");
        assert.ok(value.equals(one) && value.equals(two));
        assert.equal(await client.unlink("large"), 1);
    },

    async scans() {
        const seen = new Set();
        for await (const keys of client.scanStream({ match: "p*", count: 500 }))
            keys.forEach((key) => seen.add(key));
        assert.equal(seen.size, 10000);
    },

    async expires() {
        await client.set("short", "x", "PX", 50);
        await new Promise((resolve) => setTimeout(resolve, 120));
        assert.equal(await client.get("short"), null);
    },

    async selectsDatabases() {
        const second = new Redis({ ...options, db: 2 });
        await second.set("here", "2");
        assert.equal(await client.get("here"), null);
        assert.equal(await second.get("here"), "2");
        second.disconnect();
    },

    async connectsAgainAfterClientKill() {
        await other.ping();
        const closed = event(other, "close");
        const ready = event(other, "ready");
        const id = /id=(\d+)[^\n]* name=other /.exec(await client.client("LIST"))[1];
        assert.equal(await client.client("KILL", "ID", id), 1);
        await closed;
        assert.equal(await other.get("t"), "changed"); // waits for the new connection
        await ready;
        assert.notEqual(String(await other.client("ID")), id);
        assert.equal(await other.client("GETNAME"), "other");
    },

    async quits() {
        assert.equal(await other.quit(), "OK");
        assert.equal(await client.quit(), "OK");
    },
});
