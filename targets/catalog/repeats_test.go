package catalog_test

import (
	"testing"

	"brunt/targets/catalog"
	"brunt/targets/targetstest"
)

// TestRepeats lists which calls of each protocol may be sent twice.
func TestRepeats(t *testing.T) {
	for protocol, steps := range map[string]map[string]bool{
		"http": {
			"get: /": true, "head: /": true, "options: /": true, "put: /": true, "delete: /": true, "post: /": false,
			"patch: /": false, `{post: /, headers: {Idempotency-Key: "${uuid()}"}}`: true,
		},
		"redis": {
			"redis: [GET, a]": true, "redis: [zrange, a, 0, 9]": true, "redis: [SET, a, 1]": false, "redis: [LPOP, a]": false,
			"redis: [SORT, a]": false, "redis: {pipeline: [[GET, a], [TTL, a]]}": true,
			"redis: {multi: [[GET, a], [INCR, a]]}": false,
		},
		"memcached": {
			"memcached.get: a": true, "memcached.stats: true": true, "{memcached.set: a, message: x}": false,
			"memcached.incr: a": false,
		},
		"mongo": {
			"mongo.find: a": true, "{mongo.aggregate: a, pipeline: [{$count: n}]}": true,
			"{mongo.aggregate: a, pipeline: [{$count: n}, {$merge: b}]}": false, "mongo: {ping: 1}": false,
			"{mongo.delete: a, filter: {_id: 1}}": false,
		},
		"dns":   {"dns: example.test": true},
		"kafka": {"{kafka.produce: a, text: x}": false, "{kafka.produce: a, text: x, idempotent: true}": true},
		"sql":   {"sql: select 1": false},
		"grpc":  {"grpc: grpc.health.v1.Health/Check": false},
	} {
		for _, d := range catalog.Protocols() {
			if d.Name != protocol {
				continue
			}
			for step, want := range steps {
				if got := targetstest.Compile(t, d, "", step).Calls[0].Traits().Repeats; got != want {
					t.Errorf("%s: %t", step, got)
				}
			}
		}
	}
}
