package redis

import "strings"

// stateful are commands that change the state of a connection, which later calls would notice, each with a hint on
// what to write instead.
var stateful = map[string]string{
	"AUTH":   "user and password stand in the URL of the endpoint: redis://user:password@127.0.0.1:6379",
	"HELLO":  "brunt asks for RESP3 by itself; ?protocol=2 behind the URL of the endpoint asks for none",
	"SELECT": "the URL of the endpoint has the number of the database: redis://127.0.0.1:6379/1",
	"MULTI":  "`redis: {multi: [[INCR, a], [INCR, b]]}` sends a transaction",
	"EXEC":   "`redis: {multi: [[INCR, a], [INCR, b]]}` sends a transaction",
	"WATCH":  "a script, by EVAL, compares and sets at once", "UNWATCH": "", "DISCARD": "",
	"SUBSCRIBE": "", "PSUBSCRIBE": "", "SSUBSCRIBE": "", "UNSUBSCRIBE": "", "PUNSUBSCRIBE": "", "SUNSUBSCRIBE": "",
	"MONITOR": "", "SYNC": "",
	"PSYNC": "", "REPLCONF": "", "QUIT": "", "RESET": "", "ASKING": "", "READONLY": "", "READWRITE": "",
	"CLIENT REPLY": "", "CLIENT TRACKING": "", "CLIENT CACHING": "",
}

// keyless are commands without a key. Any node of a cluster answers them.
var keyless = words(`ACL BGREWRITEAOF BGSAVE CLIENT CLUSTER COMMAND CONFIG DBSIZE ECHO FAILOVER FLUSHALL FLUSHDB FUNCTION INFO KEYS LASTSAVE LATENCY
	LOLWUT MODULE PING PUBLISH PUBSUB RANDOMKEY ROLE SAVE SCAN SCRIPT SHUTDOWN SLOWLOG SWAPDB TIME WAIT WAITAOF`)

// second and third are the commands whose first key is the second or the third argument.
var (
	second = words(`BITOP BLMPOP BZMPOP DEBUG MEMORY OBJECT XGROUP XINFO ZDIFF ZINTER ZUNION ZINTERCARD SINTERCARD LMPOP ZMPOP`)
	third  = words(`EVAL EVALSHA EVAL_RO EVALSHA_RO FCALL FCALL_RO`)
)

// blocking are commands that wait for an event.
var blocking = words(`BLPOP BRPOP BRPOPLPUSH BLMOVE BLMPOP BZPOPMIN BZPOPMAX BZMPOP WAIT WAITAOF`)

// taking are commands that remove what they answer with.
var taking = words(`LPOP RPOP SPOP ZPOPMIN ZPOPMAX LMPOP ZMPOP BLPOP BRPOP BLMPOP BZPOPMIN BZPOPMAX BZMPOP`)

// reading are the commands that change nothing: those with the flag readonly, and questions about the server.
var reading = words(`BITCOUNT BITFIELD_RO BITPOS DBSIZE ECHO EVALSHA_RO EVAL_RO EXISTS EXPIRETIME FCALL_RO GEODIST GEOHASH
	GEOPOS GEORADIUSBYMEMBER_RO GEORADIUS_RO GEOSEARCH GET GETBIT GETRANGE HEXISTS HGET HGETALL HKEYS HLEN HMGET
	HRANDFIELD HSCAN HSTRLEN HVALS INFO KEYS LCS LINDEX LLEN LPOS LRANGE MGET PEXPIRETIME PFCOUNT PING PTTL RANDOMKEY ROLE
	SCAN SCARD SDIFF SINTER SINTERCARD SISMEMBER SMEMBERS SMISMEMBER SORT_RO SRANDMEMBER SSCAN STRLEN SUBSTR SUNION TIME
	TTL TYPE XLEN XPENDING XRANGE XREAD XREVRANGE ZCARD ZCOUNT ZDIFF ZINTER ZINTERCARD ZLEXCOUNT ZMSCORE ZRANDMEMBER ZRANGE
	ZRANGEBYLEX ZRANGEBYSCORE ZRANK ZREVRANGE ZREVRANGEBYLEX ZREVRANGEBYSCORE ZREVRANK ZSCAN ZSCORE ZUNION`)

func words(text string) map[string]bool {
	m := map[string]bool{}
	for w := range strings.FieldsSeq(text) {
		m[w] = true
	}
	return m
}

// keyOf returns which word of a command is its first key, or 0 if it has none. A word with placeholders is empty.
func keyOf(args []string) int {
	at, name := 1, args[0]
	switch {
	case keyless[name]:
		return 0
	case name == "XREAD" || name == "XREADGROUP":
		for i, a := range args {
			if strings.EqualFold(a, "STREAMS") {
				at = i + 1
			}
		}
	case name == "BLMPOP" || name == "BZMPOP" || third[name]:
		if at = 3; third[name] && len(args) > 2 && args[2] == "0" {
			return 0
		}
	case second[name]:
		at = 2
	}
	if at >= len(args) {
		return 0
	}
	return at
}

// waits reports whether a command waits for an event.
func waits(args []string) bool {
	if blocking[args[0]] {
		return true
	}
	if args[0] != "XREAD" && args[0] != "XREADGROUP" {
		return false
	}
	for _, a := range args {
		if strings.EqualFold(a, "BLOCK") {
			return true
		}
	}
	return false
}
