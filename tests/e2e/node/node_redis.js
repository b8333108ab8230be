// SPDX-License-Identifier: BSD-3-Clause
// node_redis.js MODULE PORT PROTOCOL -- node-redis 4 and 5. Protocol 3 needs 5.
"use strict";

const assert = require("node:assert/strict");
const { bytes, event, run } = require("./checks.js");

const [, , moduleName, port, protocol] = process.argv;
const redis = require(moduleName);
const five = moduleName !== "redis4";
const options = {
    socket: { host: "127.0.0.1", port: Number(port) },
    ...(protocol === "3" ? { RESP: 3 } : {}),
};

function connect(more) {
    const made = redis.createClient({ ...options, ...more });
    made.on("error", (error) => console.log(`error event: ${error.message}`));
    return made.connect().then(() => made);
}

// GET as bytes: the two versions ask for it differently.
function getBuffer(client, key) {
    return five
        ? client.withTypeMapping({ [redis.RESP_TYPES.BLOB_STRING]: Buffer }).get(key)
        : client.get(redis.commandOptions({ returnBuffers: true }), key);
}

let client, other;

run({
    async connects() {
        client = await connect({});
        other = await connect({ name: "other" });
        assert.equal(await client.ping(), "PONG");
        assert.match(await client.info("server"), /redis_version:7\./);
        const list = await client.sendCommand(["CLIENT", "LIST"]);
        assert.match(list, new RegExp(`resp=${protocol}\\b`));
    },

    async strings() {
        assert.equal(await client.set("key", "value"), "OK");
        assert.equal(await client.get("key"), "value");
        assert.equal(await client.get("none"), null);
        assert.equal(await client.set("key", "other", { NX: true }), null);
        assert.equal(await client.set("key", "other", { EX: 100, GET: true }), "value");
        assert.ok((await client.ttl("key")) > 90);
        assert.equal(await client.mSet({ a: "1", b: "2" }), "OK");
        assert.deepEqual(await client.mGet(["a", "none", "b"]), ["1", null, "2"]);
        assert.equal(await client.incrBy("a", 41), 42);
        assert.equal(String(await client.incrByFloat("b", 0.5)), "2.5");
        assert.equal(await client.strLen("key"), 5);
        assert.equal(await client.del(["key", "none"]), 1);
    },

    async mapsAndHello() {
        const config = await client.configGet("maxmemory*");
        assert.equal(config["maxmemory"], "0");
        assert.equal(config["maxmemory-policy"], "noeviction");
        const hello = await client.sendCommand(["HELLO"]);
        const proto = Array.isArray(hello) ? hello[hello.indexOf("proto") + 1] : hello.proto;
        assert.equal(proto, Number(protocol));
    },

    async anErrorIsThatCommandsAlone() {
        await client.set("text", "no number");
        const replies = await Promise.allSettled([
            client.incr("text"), client.get("text"), client.sendCommand(["NONSENSE"])]);
        assert.match(replies[0].reason.message, /^ERR value is not an integer/);
        assert.equal(replies[1].value, "no number");
        assert.match(replies[2].reason.message, /^ERR unknown command/);
    },

    async pipelines() {
        const calls = [];
        for (let i = 0; i < 10000; i++)
            calls.push(client.set(`p${i}`, String(i)), client.get(`p${i}`));
        const replies = await Promise.all(calls);
        for (let i = 0; i < 10000; i++) {
            assert.equal(replies[2 * i], "OK");
            assert.equal(replies[2 * i + 1], String(i));
        }
        assert.deepEqual(await client.multi().get("p1").get("p2").execAsPipeline(), ["1", "2"]);
    },

    async transactions() {
        const replies = await client.multi().set("t", "1").incr("t").get("t").exec();
        assert.deepEqual(replies, ["OK", 2, "2"]);
        await client.watch("t");
        await other.set("t", "changed");
        await assert.rejects(client.multi().set("t", "lost").exec(), redis.WatchError);
        assert.equal(await client.get("t"), "changed");
    },

    async largeValues() {
        const value = bytes(10 * 1024 * 1024);
        assert.equal(await client.set("large", value), "OK");
        assert.ok(value.equals(await getBuffer(client, "large")));
        assert.equal(await client.unlink("large"), 1);
    },

    async scans() {
        const seen = new Set();
        for await (const found of client.scanIterator({ MATCH: "p*", COUNT: 500 }))
            [found].flat().forEach((key) => seen.add(key));
        assert.equal(seen.size, 10000);
    },

    async expires() {
        await client.set("short", "x", { PX: 50 });
        await new Promise((resolve) => setTimeout(resolve, 120));
        assert.equal(await client.get("short"), null);
    },

    async connectsAgainAfterClientKill() {
        const id = await other.sendCommand(["CLIENT", "ID"]);
        const ready = event(other, "ready");
        assert.equal(await client.sendCommand(["CLIENT", "KILL", "ID", String(id)]), 1);
        await ready;
        assert.equal(await other.get("t"), "changed");
        assert.notEqual(await other.sendCommand(["CLIENT", "ID"]), id);
        assert.equal(await other.sendCommand(["CLIENT", "GETNAME"]), "other");
    },

    async quits() {
        await (five ? other.close() : other.quit());
        assert.equal(await client.quit(), "OK");
    },
});
