package structure_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// plainKeys are the keys of the language that are settings of no type, and hold neither an address nor a command nor a
// file of this machine.
var plainKeys = strings.Fields(`
ack_early action.run additional affected amqp.nack approver ask_issuer authority balance batch bounds breaker broken
bulkhead cache cache_fallback cache_life cache_size call canary capacity closes container.kill container.pause
container.restart container.stop cpu.throttle crash_reports deadlines dedup degrade disk.fill disk.throttle dns.fail
dns.spoof dns.timeout dns_cache drain ejection event eviction expiry_jitter fd.exhaust forgets gateway graceful
grpc.delay grpc.error hash_pool hex http.delay http.error http.rewrite idempotency identity idle idle_limit index
join_work kafka.delay kafka.error keep_last kube.apply leak leeway length limit_by limiter lock_order log_writes
login_limit mailers max_body max_tries memory.limit mongo.delay mongo.error monitor multi negative_cache
network.bandwidth network.blackhole network.corrupt network.disconnect network.duplicate network.half_open
network.latency network.loss network.partition network.reorder network.reset network.stall newer node.cordon
node.drain node.taint nodeAffinity nonce operator outbox pages passwords pids.limit pod.delete pod.evict pod.fail
podAffinity podAntiAffinity pool pool_leak pool_wait posts process.crash process.freeze process.restart process.stop
propagate read_your_writes reader redis.delay redis.error registry replica_reads replicate_hot replication retry_after
retry_budget retry_writes sessions shards shedding single_flight sql.delay sql.error standby store_zones stress.cpu
stress.io stress.memory tcp.limit tcp.slicer tcp.slow_close telemetry think threads ticket time.skew timeouts
token_life unchecked validation versions wait_for warm_up webhook work workload.restart workload.scale
`)

// schemaFile is the schema of the language, which a test of cmd/brunt compares with the code.
const schemaFile = "../../examples/brunt.schema.json"

// plainSettings is the file of the settings that hold neither an address nor a command nor a file of this machine, as
// folder.Type.key.
const plainSettings = "testdata/plain_settings.txt"

// TestSchema_Keys: every setting is known to hold an address (addressFields), a command or a file (hostileFields), or
// none of these (plainSettings), by its type: the same key of another type may hold something else. So is every key of
// the language that is the setting of no type (plainKeys). So a new setting can't be forgotten, however it is decoded.
func TestSchema_Keys(t *testing.T) {
	list, err := os.ReadFile(filepath.FromSlash(plainSettings))
	if err != nil {
		t.Fatal(err)
	}
	plain, ofType := map[string]bool{}, map[string]bool{}
	for name := range strings.FieldsSeq(string(list)) {
		plain[name] = true
	}
	for _, f := range moduleFiles(t) {
		if f.test || !settles(f.dir()) {
			continue
		}
		for name := range settingsIn(f.ast) {
			full := f.dir() + "." + name
			_, key, _ := strings.Cut(name, ".")
			ofType[key] = true
			if holds := addressFields[full] != "" || hostileFields[full] != ""; plain[full] == holds {
				t.Errorf("%s: it holds an address, a command or a file: %t; %s has it: %t. Add it to addressFields or "+
					"hostileFields, with a scenario that tries it, or to that file", full, holds, plainSettings, plain[full])
			}
			delete(plain, full)
		}
	}
	for name := range plain {
		t.Errorf("the language has no setting %s any more: remove it from %s", name, plainSettings)
	}
	text, err := os.ReadFile(filepath.FromSlash(schemaFile))
	if err != nil {
		t.Fatal(err)
	}
	var schema any
	if err := json.Unmarshal(text, &schema); err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	gatherKeys(schema, keys)
	for key := range keys {
		holds := slices.ContainsFunc(decodedByHand, func(name string) bool { return strings.HasSuffix(name, "."+key) })
		if isPlain := slices.Contains(plainKeys, key); !ofType[key] && isPlain == holds {
			t.Errorf("%s: it holds a command or a file: %t; plainKeys has it: %t. Add it to decodedByHand and hostileFields, "+
				"with a scenario that tries it, or to plainKeys", key, holds, isPlain)
		}
	}
	for _, key := range plainKeys {
		if !keys[key] || ofType[key] {
			t.Errorf("the language has no key %s without a type any more: remove it from plainKeys", key)
		}
	}
}

// gatherKeys gathers the names of the properties in a schema.
func gatherKeys(schema any, keys map[string]bool) {
	switch s := schema.(type) {
	case map[string]any:
		if properties, ok := s["properties"].(map[string]any); ok {
			for key := range properties {
				keys[key] = true
			}
		}
		for _, part := range s {
			gatherKeys(part, keys)
		}
	case []any:
		for _, part := range s {
			gatherKeys(part, keys)
		}
	}
}
