// What a user of go-redis does, on the node at the address that is given: RESP3 (its default) and RESP2.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sort"
	"time"

	"github.com/redis/go-redis/v9"
)

func check(what string, got, want any, err error) {
	if err != nil {
		fmt.Printf("go-redis: %s: %v\n", what, err)
		os.Exit(1)
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		fmt.Printf("go-redis: %s: got %v, want %v\n", what, got, want)
		os.Exit(1)
	}
}

func use(address string, protocol int) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	db := redis.NewClient(&redis.Options{Addr: address, Protocol: protocol, DB: 3, ClientName: "go"})
	defer db.Close()
	check("flush", db.FlushDB(ctx).Val(), "OK", nil)

	set, err := db.Set(ctx, "s", "value", time.Hour).Result()
	check("set", set, "OK", err)
	_, err = db.Get(ctx, "missing").Result()
	check("a missing key", errors.Is(err, redis.Nil), true, nil)
	left, err := db.TTL(ctx, "s").Result()
	check("ttl", left > 0 && left <= time.Hour, true, err)

	fields, err := db.HSet(ctx, "h", map[string]any{"a": 1, "b": "two"}).Result()
	check("hset", fields, 2, err)
	hash, err := db.HGetAll(ctx, "h").Result()
	check("hgetall", hash, map[string]string{"a": "1", "b": "two"}, err)

	_, err = db.ZAdd(ctx, "z", redis.Z{Score: 1.5, Member: "x"}, redis.Z{Score: 2, Member: "y"}).Result()
	check("zadd", true, true, err)
	scores, err := db.ZRangeWithScores(ctx, "z", 0, -1).Result()
	check("zrange", scores, []redis.Z{{Score: 1.5, Member: "x"}, {Score: 2, Member: "y"}}, err)

	_, err = db.SAdd(ctx, "set", "p", "q").Result()
	check("sadd", true, true, err)
	members, err := db.SMembers(ctx, "set").Result()
	sort.Strings(members)
	check("smembers", members, []string{"p", "q"}, err)

	id, err := db.XAdd(ctx, &redis.XAddArgs{Stream: "x", ID: "1-1", Values: []any{"f", "v"}}).Result()
	check("xadd", id, "1-1", err)
	check("xgroup", db.XGroupCreate(ctx, "x", "g", "0").Val(), "OK", nil)
	read, err := db.XReadGroup(ctx, &redis.XReadGroupArgs{Group: "g", Consumer: "c", Streams: []string{"x", ">"}}).Result()
	check("xreadgroup", read, []redis.XStream{{Stream: "x", Messages: []redis.XMessage{{ID: "1-1", Values: map[string]any{"f": "v"}}}}}, err)
	about, err := db.XInfoStream(ctx, "x").Result()
	check("xinfo", about.Length, 1, err)

	replies, err := db.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.Incr(ctx, "n")
		pipe.IncrBy(ctx, "n", 41)
		return nil
	})
	check("transaction", replies[1].(*redis.IntCmd).Val(), 42, err)

	script := redis.NewScript("return {KEYS[1], ARGV[1], redis.call('GET', 's')}")
	said, err := script.Run(ctx, db, []string{"k"}, 7).Result()
	check("script", said, []any{"k", "7", "value"}, err)

	listener := db.Subscribe(ctx, "news")
	defer listener.Close()
	_, err = listener.Receive(ctx)
	check("subscribe", true, true, err)
	heard, err := db.Publish(ctx, "news", "hello").Result()
	check("publish", heard, 1, err)
	message, err := listener.ReceiveMessage(ctx)
	check("message", message.Payload, "hello", err)

	_, err = db.LPush(ctx, "s", "x").Result()
	check("wrong type", err.Error(), "WRONGTYPE Operation against a key holding the wrong kind of value", nil)
	keys := 0
	scan := db.Scan(ctx, 0, "*", 2).Iterator()
	for scan.Next(ctx) {
		keys++
	}
	check("scan", keys, 6, scan.Err())
	info, err := db.Info(ctx, "server").Result()
	check("info", len(info) > 100, true, err)
	commands, err := db.Command(ctx).Result()
	check("command", commands["get"].Name, "get", err)
}

func main() {
	for _, protocol := range []int{3, 2} {
		use(os.Args[1], protocol)
	}
	fmt.Println("go-redis: ok")
}
