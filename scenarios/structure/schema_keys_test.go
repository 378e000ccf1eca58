package structure_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// plainKeys are the keys of the language that hold neither an address nor a command nor a file of this machine,
// wherever they stand.
var plainKeys = strings.Fields(`
above absent access_key ack ack_early acks action.run additional affected affinity after agent agent_namespace alerts
alg allow amqp.call amqp.consume amqp.declare amqp.depth amqp.nack amqp.publish answer api approver args arguments
arrivals as ask ask_issuer at_least at_most audience auth authority await aws backoff bad_lines balance base base64
basic batch before below binding body bounds breaker broken bulkhead by bytes cache cache_fallback cache_life
cache_size call canary capabilities capacity channel chaos check claims client_id client_secret close closes code
collection columns commit compress conditions confirm connections consistency consumer container container.kill
container.pause container.restart container.stop context correlation count cpu cpu.throttle cpu_limit cpus
crash_reports daemonset data database deadline deadlines dedup degrade delay deliveries dependencies deployment detect
direction disk.fill disk.throttle dns.fail dns.spoof dns.timeout dns_cache dns_ttl dnssec document documents drain
durable duration during each edns effect ejection encoding engine entries entry env equals escape event events every
eviction except exchange executor existing expect expects expires expiry expiry_jitter extract fall fd.exhaust fields
filter flow follow for forgets form format found gateway gone grace graceful group grpc grpc.delay grpc.error guard
hash_pool header headers health hex hmac hold host_disk http http.delay http.error http.rewrite hypothesis id
idempotency idempotent identity idle idle_limit in_network index init inline insecure_skip_verify into irreversible
isolation iterations jitter join join_work judge jwt kafka.consume kafka.delay kafka.error kafka.lag kafka.produce
keep keep_alive keep_free keep_last kid kube.apply kubernetes labels leader leaders leak leave ledger ledgers leeway
length limit limit_by limiter links liveness load lock_order log_writes login_limit lost mailers mandatory many max
max_age max_backoff max_body max_duration max_each max_in_flight max_streams max_tries max_units max_version max_vus
memcached.add memcached.cas memcached.delete memcached.get memcached.gets memcached.incr memcached.set memcached.stats
memory memory.limit message messages meta metadata method methods metric metrics min_version mix mode mongo
mongo.aggregate mongo.delay mongo.delete mongo.error mongo.find mongo.insert mongo.update monitor mqtt.publish
mqtt.subscribe multi multipart name names namespace nats.consume nats.publish nats.request nats.subscribe
negative_cache network network.bandwidth network.blackhole network.corrupt network.disconnect network.duplicate
network.half_open network.latency network.loss network.partition network.reorder network.reset network.stall networks
never newer node node.cordon node.drain node.taint nodeAffinity nodes nonce oauth2 of off offset on on_no_unit
on_restart oom operation operator ordered outbox outcome outstanding over pace pacing pages params partition
password passwords patience peak per percent persistent phase pick pid pids.limit ping pipeline platform plugin
pod.delete pod.evict pod.fail podAffinity podAntiAffinity pods pool pool_leak pool_wait port ports posts prefetch
probe probes process.crash process.freeze process.restart process.stop processors profiles project projection promql
propagate protocol pull_secrets pulse qos query queue range rate rcode read read_concern read_your_writes reader ready
reconnect recursion redirects redis redis.delay redis.error region registry repeat repeats replica_reads replicas
replicate_hot replication reply request require_impact restart restart_delay retain retries retry retry_after
retry_budget retry_writes reuse rise roles rows sampled scenario scheme scope secret secret_key secrets seed seen
selector send sent separator service services session_token sessions settle setup shards share shed shedding sign
signal single_flight size skew skip slo slow smtp.send sort speed spread sql sql.copy sql.delay sql.error sql.listen
sql.tx sqlstate stack stages standby start start_rate start_vus statefulset statement status steady step steps stop
store_zones stress.cpu stress.io stress.memory strict style subject subprotocols sum target tcp tcp.limit tcp.slicer
tcp.slow_close teardown telemetry text think threads ticket time time.skew timeout timeouts times tls tmpfs to token
token_life tolerate topic trace trigger ttl type udp unchecked unit units until update upsert usage user validation
value values variables variation verify version versions via vus wait wait_for want warm_up warmup watch watchdog
webhook weight window with within work workers workload.restart workload.scale write write_concern zipf zone zones
`)

// schemaFile is the schema of the language, which a test of cmd/brunt compares with the code.
const schemaFile = "../../examples/brunt.schema.json"

// TestSchema_Keys: every key of the language is known to hold an address (addressFields), a command or a file
// (hostileFields), or none of these (plainKeys). So a new key can't be forgotten, however it is decoded.
func TestSchema_Keys(t *testing.T) {
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
	for _, f := range moduleFiles(t) { // the schema leaves the settings of endpoints to their protocols
		if !f.test && settles(f.dir()) {
			for name := range settingsIn(f.ast) {
				_, key, _ := strings.Cut(name, ".")
				keys[key] = true
			}
		}
	}
	for key := range keys {
		ends := func(name string) bool { // after folder.Type
			_, field, _ := strings.Cut(name[strings.LastIndexByte(name, '/')+1:], ".")
			_, field, _ = strings.Cut(field, ".")
			return field == key
		}
		holds := false
		for name := range addressFields {
			holds = holds || ends(name)
		}
		for name := range hostileFields {
			holds = holds || ends(name)
		}
		if plain := slices.Contains(plainKeys, key); plain == holds {
			t.Errorf("%s: it holds an address, a command or a file: %t; plainKeys has it: %t. Add the field to "+
				"addressFields or hostileFields, with a scenario that tries it, or the key to plainKeys", key, holds, plain)
		}
	}
	for _, key := range plainKeys {
		if !keys[key] {
			t.Errorf("the language has no key %s any more: remove it from plainKeys", key)
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
