package catalog_test

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/targets"
	"brunt/targets/catalog"
	"brunt/targets/http/h1"
	"brunt/targets/targetstest"
)

// greeting is the one of a MySQL server that lets everyone in, and the answer to the login.
const greeting = "\x47\x00\x00\x00\x0a8.0\x00\x01\x00\x00\x00saltsalt\x00\x05\xa2\x21\x02\x00\x08\x00\x15\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
	"saltsaltsalt\x00mysql_native_password\x00" + pause + "\x07\x00\x00\x02\x00\x00\x00\x02\x00\x00\x00" + pause

// What a server of AMQP says first, and after the login.
const (
	amqpStart = "\x01\x00\x00\x00\x00\x00\x1c\x00\x0a\x00\x0a\x00\x09\x00\x00\x00\x00\x00\x00\x00\x05PLAIN\x00\x00\x00\x05en_US\xce"
	amqpTune  = "\x01\x00\x00\x00\x00\x00\x0c\x00\x0a\x00\x1e\x00\x01\x00\x02\x00\x00\x00\x00\xce"
)

// natsHello is what a NATS server says until a client is logged in.
const natsHello = "INFO {\"headers\":true}\r\n" + pause + "PONG\r\n" + pause

// memcachedHello is what a memcached says first.
const memcachedHello = pause + "VERSION 1.6.18\r\n" + pause

// mqttHello is the CONNACK of a server of MQTT 5.
const mqttHello = pause + "\x20\x03\x00\x00\x00"

// Answers of MongoDB: to hello, which is request 1 of a connection, and to a search, which is request 2.
const (
	mongoHello = "\x22\x00\x00\x00\x07\x00\x00\x00\x01\x00\x00\x00\xdd\x07\x00\x00\x00\x00\x00\x00\x00" +
		"\x0d\x00\x00\x00\x10ok\x00\x01\x00\x00\x00\x00"
	mongoFound = "\x63\x00\x00\x00\x08\x00\x00\x00\x02\x00\x00\x00\xdd\x07\x00\x00\x00\x00\x00\x00\x00" +
		"\x4e\x00\x00\x00\x10ok\x00\x01\x00\x00\x00\x03cursor\x00\x39\x00\x00\x00\x12id\x00\x00\x00\x00\x00\x00\x00\x00\x00" +
		"\x02ns\x00\x04\x00\x00\x00a.b\x00\x04firstBatch\x00\x10\x00\x00\x00\x030\x00\x08\x00\x00\x00\x0aa\x00\x00\x00\x00\x00"
)

// pause is where a server waits for more of the client before it says the rest.
const pause = "<pause>"

// sameID stands for the first two bytes that a client has said last, which are the id of a DNS query.
const sameID = "<id>"

// dnsQuestion is the question of a query, and dnsAnswer is the answer to it.
const (
	dnsQuestion = "\x01a\x07example\x00\x00\x01\x00\x01"
	dnsAnswer   = sameID + "\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00" + dnsQuestion +
		"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01"
)

// kafkaVersions is the answer of a broker to ApiVersions, which knows Metadata alone.
const kafkaVersions = pause + "\x00\x00\x00\x10\x00\x00\x00\x01\x00\x00\x00\x00\x00\x01\x00\x03\x00\x00\x00\x09"

// A hostileServer says bytes to a call of a protocol.
type hostileServer struct {
	name, base, step string
	says             []string
}

// serverOf returns the server of a protocol in hostile.
func serverOf(t testing.TB, name string) hostileServer {
	t.Helper()
	for _, h := range hostile {
		if h.name == name {
			return h
		}
	}
	t.Fatalf("no hostile server speaks %q", name)
	return hostileServer{}
}

// hostile are the protocols, with the bytes of servers. The driver of MySQL panics at the first four.
var hostile = []hostileServer{
	{"MySQL", "mysql://app:sesame@ADDR/shop", `{sql: "select $1", args: ["1"]}`, []string{
		"\x01\x00\x00\x00\x0a", "\x03\x00\x00\x00\xff\x10\x04", greeting + "\x01\x00\x00\x01\x00",
		greeting + "\x02\x00\x00\x01\xff\x10", greeting, "",
	}},
	{"PostgreSQL", "postgres://app@ADDR/shop", `{sql: "select $1", args: ["1"]}`, []string{
		"R\x00\x00\x00\x08\x00\x00\x00\x00Z\x00\x00\x00\x05I", "b8\x00\x00\x04", "R\x00\x00\x00\x04", "E\x00\x00\x00\x05\x00", "N", "",
	}},
	{
		"Redis", "redis://ADDR", `redis: [GET, a]`,
		[]string{"$-2\r\n", "*1000000000\r\n", "%1\r\n", "$1\r\na\r\n", "-MOVED 1 \r\n", ""},
	},
	{"HTTP", "http://ADDR", `get: /`, []string{
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n", "",
	}},
	{"gRPC", "grpc://ADDR", `grpc: health`, []string{
		"\x00\x00\x00\x04\x00\x00\x00\x00\x00",
		"\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00\x01\x01\x05\x00\x00\x00\x01\x80", "HTTP/1.1 400 No\r\n\r\n", "",
	}},
	{
		"WebSocket", "ws://ADDR", `{ws: /, name: chat}`,
		[]string{"HTTP/1.1 101 Switching Protocols\r\n\r\n\x81\x7f", "HTTP/1.1 200 OK\r\n\r\n", ""},
	},
	{"TCP", "tcp://ADDR", `{tcp: lines, name: chat}`, []string{"\n", "a", ""}},
	{"frames", "tcp://ADDR", `{tcp: {length: 2, after: 1}, name: chat, send: hi, expect: exists}`, []string{
		pause + "a\x00\x02hi", pause + "a\xff\xffhi", "a\x00\x00a\x00\x01b", "",
	}},
	{"datagrams", "udp://ADDR", `{udp: hi, expect: exists}`, []string{"hi", pause + "hi" + pause + "ho", ""}},
	{"DNS", "dns://ADDR", `{dns: a.example A, check: {answers: "> 0"}}`, []string{
		dnsAnswer, sameID + "\x83\x80\x00\x01\x00\x00\x00\x00\x00\x00" + dnsQuestion, sameID + "\x81\x83" + dnsAnswer[6:],
		sameID + "\x81\x80\x00\x01\xff\xff\x00\x00\x00\x00" + dnsQuestion + "\xc0\x0c", dnsAnswer[:20], "",
	}},
	{"DNS over TCP", "dns+tcp://ADDR", `{dns: a.example A, check: {answers: "> 0"}}`, []string{
		pause + "\x00\x2b" + dnsAnswer, pause + "\xff\xff" + dnsAnswer, pause + "\x00\x00", "\x00\x0c", "",
	}},
	{"events", "http://ADDR", `{sse: /, name: news}`, []string{
		"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\ndata: a\nretry: -1\n\n",
		"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n:", "",
	}},
	{"Redis Sentinel", "redis+sentinel://ADDR/main", `redis: [GET, a]`, []string{
		"*2\r\n$9\r\n127.0.0.1\r\n$1\r\n1\r\n", "*2\r\n$9\r\n192.0.2.1\r\n$4\r\n6379\r\n", "*-1\r\n", "*2\r\n:1\r\n*0\r\n",
		"*2\r\n$1\r\n \r\n$6\r\n999999\r\n", "",
	}},
	{"Redis Cluster", "redis+cluster://ADDR", `redis: [GET, a]`, []string{
		"*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:1\r\n", "*1\r\n*3\r\n:-1\r\n:99999\r\n*2\r\n$0\r\n\r\n:0\r\n",
		"*1\r\n*3\r\n:9\r\n:1\r\n*0\r\n", "-MOVED 99999 192.0.2.1:6379\r\n", "-ASK 1 :\r\n", "-MOVED x\r\n", "*1\r\n$-1\r\n", "",
	}},
	{"Kafka", "kafka://ADDR", `{kafka.consume: a, group: g, messages: 1}`, []string{
		kafkaVersions, kafkaVersions + pause + "\x00\x00\x00\x08\x00\x00\x00\x02\x00\x00\x00\x00", "\x7f\xff\xff\xff",
		"\x00\x00\x00\x04\x00\x00\x00\x01", "",
	}},
	{"copies", "postgres://app@ADDR/shop", `{sql.copy: {into: t, rows: {values: [1, tea]}}}`, []string{
		"R\x00\x00\x00\x08\x00\x00\x00\x00Z\x00\x00\x00\x05I" + pause + "G\x00\x00\x00\x07\x00\x00\x00" + pause +
			"C\x00\x00\x00\x0bCOPY 2\x00Z\x00\x00\x00\x05I",
		"R\x00\x00\x00\x08\x00\x00\x00\x00Z\x00\x00\x00\x05I" + pause + "W\x00\x00\x00\x04", "",
	}},
	{"AMQP", "amqp://ADDR", `{amqp.consume: q, messages: 2, within: 50ms}`, []string{
		"AMQP\x00\x00\x09\x01", pause + amqpStart, pause + amqpStart + pause + amqpTune + pause + "\x01\x00\x00\x00\x00\x00\x05\x00\x0a\x00\x29\x00\xce" +
			pause + "\x01\x00\x01\x00\x00\x00\x08\x00\x14\x00\x0b\x00\x00\x00\x00\xce" + pause + "\x01\x00\x01\x00\x00\x00\x04\x00\x3c\x00\x3c\xce", "",
	}},
	{"MongoDB", "mongodb://ADDR/shop", `{mongo.find: a, limit: 2}`, []string{
		pause + mongoHello + pause + mongoFound, pause + mongoHello + pause + mongoHello, pause + mongoHello,
		"\xff\xff\xff\x7f\x00\x00\x00\x00\x01\x00\x00\x00\xdd\x07\x00\x00", pause + mongoHello + pause + mongoFound[:60], "",
	}},
	{"SMTP", "smtp://ADDR", `{smtp.send: [ann@x, bob@x], body: hi}`, []string{
		"220 a\r\n" + pause + "250-a\r\n250 AUTH PLAIN\r\n" + pause + "250 a\r\n" + pause + "250 b\r\n" + pause + "250 c\r\n" + pause +
			"354 d\r\n" + pause + "250 e\r\n",
		"220 a\r\n" + pause + "250 a\r\n" + pause + "550 a\r\n" + pause + "421 b\r\n", "220-a\r\n", "999 a\r\n", "",
	}},
	{"NATS", "nats://ADDR", `{nats.consume: S, consumer: c, messages: 2, within: 50ms}`, []string{
		natsHello, natsHello + "MSG a 1 $JS.ACK.x 2\r\nhi\r\nPONG\r\n", natsHello + "HMSG a 1 99 1\r\n", "INFO\r\n", "-ERR\r\n",
		natsHello + "-ERR 'no'\r\n", "",
	}},
	{"MQTT", "mqtt://ADDR", `{mqtt.subscribe: a, messages: 2, within: 50ms, keep: user}`, []string{
		mqttHello, mqttHello + pause + "\x90\x04\x00\x01\x00\x01\x30\x06\x00\x01a\x00hi\x32\x07\x00\x01a\x00\x09\x00!",
		mqttHello + "\x34\x07\x00\x01a\x00\x09\x00!\x62\x02\x00\x09\xd0\x00", mqttHello + "\xe0\x02\x8b\x00", "\x20\x03\x00\x87\x00",
		"\x20\x06\x00\x00\x03\x13\x00\x01", mqttHello + "\x30\xff\xff\xff\x7f", "",
	}},
	{"memcached", "memcached://ADDR", `{memcached.gets: a}`, []string{
		memcachedHello, memcachedHello + "VA 2 c7\r\nhi\r\n", memcachedHello + "VA 2 c\r\nhi\r\n", memcachedHello + "VA 4294967295\r\n",
		memcachedHello + "EN\r\n", memcachedHello + "SERVER_ERROR out\r\n", "ERROR\r\n", "",
	}},
	{"MQTT 3.1.1", "mqtt://ADDR?version=3.1.1", `{mqtt.publish: a, qos: 2}`, []string{
		"\x20\x02\x00\x00" + pause + "\x50\x02\x00\x01" + pause + "\x70\x02\x00\x01", "\x20\x02\x01\x09", "\x20\x02\x00\x00\x40\x01\x00", "",
	}},
}

// fuzzHostile: whatever a server says, a call returns by its deadline, with an error or an answer, and brunt lives on.
// The driver of MySQL alone is known to panic.
func fuzzHostile(f *testing.F, name string) {
	for _, says := range serverOf(f, name).says {
		f.Add([]byte(says), true)
		f.Add([]byte(says), false)
	}
	f.Fuzz(func(t *testing.T, says []byte, ends bool) {
		out, message := callHostile(t, name, says, ends)
		if out.Cause == scenarios.Panicked && !strings.Contains(message, ", in mysql.") {
			t.Error(message)
		}
	})
}

func FuzzHostile_Frames(f *testing.F)     { fuzzHostile(f, "frames") }
func FuzzHostile_Datagrams(f *testing.F)  { fuzzHostile(f, "datagrams") }
func FuzzHostile_DNS(f *testing.F)        { fuzzHostile(f, "DNS") }
func FuzzHostile_DNSTCP(f *testing.F)     { fuzzHostile(f, "DNS over TCP") }
func FuzzHostile_MySQL(f *testing.F)      { fuzzHostile(f, "MySQL") }
func FuzzHostile_PostgreSQL(f *testing.F) { fuzzHostile(f, "PostgreSQL") }
func FuzzHostile_Redis(f *testing.F)      { fuzzHostile(f, "Redis") }
func FuzzHostile_HTTP(f *testing.F)       { fuzzHostile(f, "HTTP") }
func FuzzHostile_GRPC(f *testing.F)       { fuzzHostile(f, "gRPC") }
func FuzzHostile_WebSocket(f *testing.F)  { fuzzHostile(f, "WebSocket") }
func FuzzHostile_TCP(f *testing.F)        { fuzzHostile(f, "TCP") }
func FuzzHostile_SSE(f *testing.F)        { fuzzHostile(f, "events") }
func FuzzHostile_Sentinel(f *testing.F)   { fuzzHostile(f, "Redis Sentinel") }
func FuzzHostile_Cluster(f *testing.F)    { fuzzHostile(f, "Redis Cluster") }
func FuzzHostile_Kafka(f *testing.F)      { fuzzHostile(f, "Kafka") }
func FuzzHostile_Copy(f *testing.F)       { fuzzHostile(f, "copies") }
func FuzzHostile_AMQP(f *testing.F)       { fuzzHostile(f, "AMQP") }
func FuzzHostile_Mongo(f *testing.F)      { fuzzHostile(f, "MongoDB") }
func FuzzHostile_SMTP(f *testing.F)       { fuzzHostile(f, "SMTP") }
func FuzzHostile_NATS(f *testing.F)       { fuzzHostile(f, "NATS") }
func FuzzHostile_Memcached(f *testing.F)  { fuzzHostile(f, "memcached") }
func FuzzHostile_MQTT(f *testing.F)       { fuzzHostile(f, "MQTT") }
func FuzzHostile_MQTT3(f *testing.F)      { fuzzHostile(f, "MQTT 3.1.1") }

// TestHostile_MySQL: what makes the driver panic is an error of the request, with a cause of its own, and says what
// panicked and where.
func TestHostile_MySQL(t *testing.T) {
	for i, says := range serverOf(t, "MySQL").says[:4] {
		out, message := callHostile(t, "MySQL", []byte(says), false)
		if out.Kind != scenarios.Error || out.Cause != scenarios.Panicked {
			t.Errorf("%d: %v %q: %+v", i, out.Kind, out.Cause, out)
		}
		if !strings.Contains(message, "what the server sent made its reader panic: runtime error: ") ||
			!strings.Contains(message, "(packets.go:") {
			t.Errorf("%d: %s", i, message)
		}
	}
}

// TestHostile_Lengths: a server that declares an answer of 900 MiB, and sends none of it, takes no such memory.
func TestHostile_Lengths(t *testing.T) {
	for _, c := range []struct {
		name, says string
	}{
		{"PostgreSQL", "b8\x00\x00\x04"},
		{"PostgreSQL", "R8\x00\x00\x04"},
		{"PostgreSQL", "R\x00\x00\x00\x08\x00\x00\x00\x00Z\x00\x00\x00\x05ID8\x00\x00\x04"},
		{"Redis", "$939524100\r\n"},
		{"Redis", "*939524100\r\n"},
		{"HTTP", "HTTP/1.1 200 OK\r\nContent-Length: 939524100\r\n\r\n"},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		out, message := callHostile(t, c.name, []byte(c.says), false)
		runtime.ReadMemStats(&after)
		if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 200 || out.Kind != scenarios.Error {
			t.Errorf("%s says %q: %v, %q; it took %d MiB", c.name, c.says, out.Kind, message, took)
		}
	}
}

const long = 20 * time.Second

// callHostile makes a call of a protocol to a server that says some bytes to everyone, whatever it is asked.
func callHostile(t *testing.T, name string, says []byte, ends bool) (scenarios.Outcome, string) {
	t.Helper()
	h := serverOf(t, name)
	var address string
	if strings.HasPrefix(h.base, "udp:") || strings.HasPrefix(h.base, "dns:") {
		address = answerDatagrams(t, says)
	} else {
		address = answerConnections(t, says, ends)
	}
	set, kept := catalog.New(), &messages{}
	flow := targetstest.Compile(t, &targets.Descriptor{Kinds: set.Kinds(), Compile: set.Compile, Beside: set.Beside()}, "",
		h.step)
	o := targets.Options{
		Base: strings.ReplaceAll(h.base, "ADDR", address), Timeout: time.Second, T0: time.Now(), Sampler: kept,
		// a server that names another one is not followed
		Allow: targetstest.Gate(func(_ netip.Addr, hostport, _ string) error {
			if hostport != address {
				return h1.ErrNotHTTP
			}
			return nil
		}),
	}
	of := set.Select(flow.Calls...)
	client, err := of.Client(o)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	user := flow.Open(t, client, o.T0, 0)
	const within = 200 * time.Millisecond
	out := user.Do(0, within)
	if end := of.Ender(); end != nil {
		end(user.Session, &user.It)
	}
	if late := time.Since(o.T0) - user.It.Deadline; late > long || out.End > user.It.Deadline {
		t.Fatalf("%s: it came back %v after its deadline: %+v", h.name, late, out)
	}
	return out, strings.Join(kept.said, "; ")
}

// answerConnections says the bytes to every connection, and ends with the test. Ends closes each connection then. It
// returns the address of the server.
func answerConnections(t *testing.T, says []byte, ends bool) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				heard := make([]byte, 4096)
				for i, part := range bytes.Split(says, []byte(pause)) {
					if i > 0 {
						_, _ = c.Read(heard)
					}
					_, _ = c.Write(bytes.ReplaceAll(part, []byte(sameID), heard[2:4])) // behind the length
				}
				if !ends {
					_, _ = io.Copy(io.Discard, c)
				}
			}()
		}
	}()
	return l.Addr().String()
}

// answerDatagrams answers every datagram by the bytes, as a datagram for each part between pauses, and ends with the
// test. It returns the address of the server.
func answerDatagrams(t *testing.T, says []byte) string {
	t.Helper()
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	go func() {
		for heard := make([]byte, 4096); ; {
			_, from, err := c.ReadFrom(heard)
			if err != nil {
				return
			}
			for part := range bytes.SplitSeq(says, []byte(pause)) {
				_, _ = c.WriteTo(bytes.ReplaceAll(part, []byte(sameID), heard[:2]), from)
			}
		}
	}()
	return c.LocalAddr().String()
}

// messages keeps the message of each failed request.
type messages struct {
	mu   sync.Mutex
	said []string
}

func (*messages) Want(o *scenarios.Outcome) bool { return o.Kind == scenarios.Error }

func (m *messages) Keep(_ *scenarios.Outcome, s result.Sample) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.said = append(m.said, s.Message)
}
