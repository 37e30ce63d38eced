// What a user of ioredis does, on the node at the port that is given.
import assert from "node:assert/strict";
import Redis from "ioredis";

const options = { port: Number(process.argv[2]), db: 1, connectionName: "js", maxRetriesPerRequest: 1 };
const db = new Redis(options);
await db.flushdb();
assert.equal(await db.set("s", "value", "EX", 3600), "OK");
assert.equal(await db.get("s"), "value");
assert.equal(await db.get("missing"), null);
assert.deepEqual(await db.mget("s", "missing"), ["value", null]);
assert.equal(await db.hset("h", { f: "v", g: 2 }), 2);
assert.deepEqual(await db.hgetall("h"), { f: "v", g: "2" });
assert.equal(await db.rpush("l", 1, 2, 3), 3);
assert.deepEqual(await db.blpop("l", 1), ["l", "1"]);
assert.equal(await db.zadd("z", 1.5, "x", 2, "y"), 2);
assert.deepEqual(await db.zrange("z", 0, -1, "WITHSCORES"), ["x", "1.5", "y", "2"]);
assert.deepEqual((await db.sadd("set", "p", "q"), (await db.smembers("set")).sort()), ["p", "q"]);
assert.equal(await db.xadd("x", "1-1", "f", "v"), "1-1");
assert.equal(await db.xgroup("CREATE", "x", "g", "0"), "OK");
assert.deepEqual(await db.xreadgroup("GROUP", "g", "c", "STREAMS", "x", ">"), [["x", [["1-1", ["f", "v"]]]]]);
assert.deepEqual(await db.multi().incr("n").incrby("n", 41).exec(), [[null, 1], [null, 42]]);
const pipeline = db.pipeline();
for (let i = 0; i < 1000; i++) pipeline.set(`key:${i}`, i);
assert.ok((await pipeline.exec()).every(([error, reply]) => error === null && reply === "OK"));
db.defineCommand("both", { numberOfKeys: 1, lua: "return {KEYS[1], ARGV[1]}" });
assert.deepEqual(await db.both("k", 7), ["k", "7"]);
assert.deepEqual(await db.both("k", 8), ["k", "8"]);
await assert.rejects(db.lpush("s", "x"), /WRONGTYPE/);

const listener = new Redis(options);
const heard = new Promise((resolve) => listener.on("message", (channel, text) => resolve([channel, text])));
assert.equal(await listener.subscribe("news"), 1);
assert.equal(await db.publish("news", "hello"), 1);
assert.deepEqual(await heard, ["news", "hello"]);

const keys = new Set();
for await (const some of db.scanStream({ count: 100 })) some.forEach((key) => keys.add(key));
assert.equal(keys.size, await db.dbsize());
const binary = Buffer.from([0, 255, 13, 10]);
await db.set("binary", binary);
assert.deepEqual(await db.getBuffer("binary"), binary);
assert.match(await db.info("server"), /redis_version:7\.0\.15/);
assert.equal(await db.client("GETNAME"), "js");
await Promise.all([listener.quit(), db.quit()]);
console.log("ioredis: ok");
