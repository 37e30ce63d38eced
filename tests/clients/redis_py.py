"""What a user of redis-py does, on the node at the port that is given: RESP2 and RESP3."""

import sys
import time

import redis


def use(port, protocol):
    db = redis.Redis(port=port, protocol=protocol, db=2, decode_responses=True, client_name="py", socket_timeout=60)
    db.flushdb()
    assert db.ping() is True
    assert db.set("s", "value", ex=3600) is True
    assert db.set("s", "other", nx=True) is None
    assert db.get("s") == "value" and db.get("missing") is None
    assert 0 < db.ttl("s") <= 3600
    assert db.mset({"a": 1, "b": "2"}) and db.mget("a", "missing", "b") == ["1", None, "2"]
    assert db.incrbyfloat("a", 0.5) == 1.5

    assert db.hset("h", mapping={"f": "v", "g": 2}) == 2
    assert db.hgetall("h") == {"f": "v", "g": "2"}
    assert db.sadd("set", "p", "q") == 2 and db.smembers("set") == {"p", "q"}
    assert db.smismember("set", ["p", "z"]) == [1, 0]
    assert db.rpush("l", *range(5)) == 5 and db.lrange("l", 0, -1) == ["0", "1", "2", "3", "4"]
    assert db.lpos("l", "3") == 3 and db.blpop("l", timeout=1) in (("l", "0"), ["l", "0"])
    assert db.zadd("z", {"x": 1.5, "y": 2}) == 2
    assert [tuple(pair) for pair in db.zrange("z", 0, -1, withscores=True)] == [("x", 1.5), ("y", 2.0)]
    assert db.zscore("z", "x") == 1.5
    assert db.geoadd("geo", (13.361389, 38.115556, "Palermo")) == 1
    assert db.geosearch("geo", longitude=13, latitude=38, radius=100, unit="km") == ["Palermo"]
    assert db.pfadd("hll", "a", "b") == 1 and db.pfcount("hll") == 2
    assert db.setbit("bits", 7, 1) == 0 and db.bitcount("bits") == 1

    assert db.xadd("x", {"f": "v"}, id="1-1") == "1-1"
    assert db.xgroup_create("x", "g", id="0")
    read = db.xreadgroup("g", "c", {"x": ">"})
    assert read in ([["x", [("1-1", {"f": "v"})]]], {"x": [[("1-1", {"f": "v"})]]}), read
    assert db.xpending("x", "g")["pending"] == 1 and db.xack("x", "g", "1-1") == 1
    assert db.xinfo_stream("x")["length"] == 1

    with db.pipeline(transaction=True) as pipe:
        pipe.watch("n")
        pipe.multi()
        pipe.incr("n").incrby("n", 41)
        assert pipe.execute() == [1, 42]
    assert db.register_script("return {KEYS[1], ARGV[1]}")(keys=["k"], args=[7]) == ["k", "7"]

    listener = db.pubsub(ignore_subscribe_messages=False)
    listener.subscribe("news")
    assert listener.get_message(timeout=30)["type"] == "subscribe"
    assert db.publish("news", "hello") == 1
    assert listener.get_message(timeout=30)["data"] == "hello"
    listener.close()

    try:
        db.lpush("s", "x")
        raise AssertionError("no WRONGTYPE")
    except redis.ResponseError as error:
        assert str(error).startswith("WRONGTYPE") or "wrong kind" in str(error), error
    assert set(db.scan_iter(count=3)) == set(db.keys("*"))
    assert db.info("server")["redis_version"] == "7.0.15"
    assert db.config_set("maxmemory-samples", 6) and db.config_get("maxmemory-samples") == {"maxmemory-samples": "6"}
    assert db.acl_setuser("u", enabled=True, nopass=True, commands=["+get"], keys=["k*"])
    assert db.acl_getuser("u")["enabled"] is True and db.acl_deluser("u") == 1
    assert db.client_getname() == "py" and any(client["name"] == "py" for client in db.client_list())
    assert db.command_count() > 200 and db.object("encoding", "s") == "embstr"
    assert abs(db.time()[0] - time.time()) < 60
    dumped = redis.Redis(port=port, protocol=protocol, db=2).dump("h")
    assert db.restore("copy", 0, dumped) and db.hgetall("copy") == {"f": "v", "g": "2"}
    db.close()


for protocol in (2, 3):
    use(int(sys.argv[1]), protocol)
print("redis-py: ok")
