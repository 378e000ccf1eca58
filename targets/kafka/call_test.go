package kafka_test

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/suite"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/kafka"
	"brunt/targets/targetstest"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// long is a timeout that passes only if something is wrong.
const long = 30 * time.Second

// fake starts a cluster of kfake, franz-go's stand-in of Kafka in process. It is no Kafka.
func fake(t testing.TB, brokers int, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append([]kfake.Opt{
		kfake.NumBrokers(brokers), kfake.SeedTopics(3, "orders"), kfake.SeedTopics(1, "one"),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func base(c *kfake.Cluster) string {
	all := c.ListenAddrs()
	var text strings.Builder
	text.WriteString("kafka://" + all[0])
	for i, a := range all[1:] {
		text.WriteString(map[bool]string{true: "?", false: "&"}[i == 0] + "addr=" + a)
	}
	return text.String()
}

// foreign is a client of franz-go, the truth from outside of brunt.
func foreign(t testing.TB, c *kfake.Cluster, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	k, err := kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(c.ListenAddrs()...), kgo.RecordPartitioner(kgo.ManualPartitioner()),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(k.Close)
	return k
}

// part is an outcome of a part.
type part struct {
	number int
	out    scenarios.Outcome
}

// fixture is a client with its calls.
type fixture struct {
	*targetstest.Fixture
	targetstest.Sampler

	mu    sync.Mutex
	parts []part
}

// newFixture creates a client of an endpoint.
func newFixture(t testing.TB, o targets.Options, steps ...string) *fixture {
	t.Helper()
	f := new(fixture)
	o.Sampler = &f.Sampler
	o.Emit = func(_ *template.Iter, _ scenarios.Call, number int, out *scenarios.Outcome) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.parts = append(f.parts, part{number, *out})
	}
	f.Fixture = targetstest.NewFixture(t, kafka.Descriptor(), o, steps...)
	return f
}

// TestProduce: franz-go's client reads each record as the step wrote it, and finds a key in the partition in which it
// looks for it.
func TestProduce(t *testing.T) {
	c := fake(t, 3)
	f := newFixture(t, targets.Options{Base: base(c)},
		`{kafka.produce: orders, key: "k${int(7,7)}", json: {id: "a\"b", n: "${int(5,5)}"}, headers: {trace: "t${int(1,1)}", empty: ""},
  check: {partition: exists, offset: 0}, extract: {p: partition, o: $.offset}}`,
		`{kafka.produce: orders, partition: 2, text: "plain"}`,
		`{kafka.produce: one, key: "", acks: leader}`,
		`{kafka.produce: one, text: unheard, acks: none}`,
		`{kafka.produce: one, text: first, idempotent: on}`,
		`{kafka.produce: orders, partition: 7}`,
		`{kafka.produce: none, text: hi}`,
		`{kafka.produce: one, text: x, check: {offset: "> 1000"}}`,
	)
	u := f.User(t, 0)
	for i, want := range []string{
		"ok", "ok", "ok", "ok", "ok", "error, error UNKNOWN_TOPIC_OR_PARTITION", "error, error UNKNOWN_TOPIC_OR_PARTITION",
		"error, check the record's offset",
	} {
		if i == 2 { // an empty key is one for a call without memory of earlier calls too
			runtime.GC()
			runtime.GC()
		}
		out := u.Do(i, long)
		if got := f.Got(out); got != want {
			t.Fatalf("%d: %s, want %s; %s", i, got, want, f.Message())
		}
		if i == 4 { // its records have numbers, of one producer
			for range 3 {
				if got := f.Got(u.Do(i, long)); got != "ok" {
					t.Fatalf("an idempotent record: %s, %s", got, f.Message())
				}
			}
		}
	}
	if !strings.Contains(f.Message(), `the record's offset was "6", and > 1000 was wanted`) {
		t.Error(f.Message())
	}
	k := foreign(t, c, kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{
		"orders": {0: kgo.NewOffset().AtStart(), 1: kgo.NewOffset().AtStart(), 2: kgo.NewOffset().AtStart()},
		"one":    {0: kgo.NewOffset().AtStart()},
	}))
	seen := map[string]*kgo.Record{}
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	for n := 0; n < 9; {
		k.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
			n++
			seen[string(r.Value)] = r
		})
		if ctx.Err() != nil {
			t.Fatalf("only %d records: %v", n, seen)
		}
	}
	r := seen[`{"id":"a\"b","n":"5"}`]
	if r == nil {
		r = seen[`{"id":"a\"b","n":5}`]
	}
	want := kgo.StickyKeyPartitioner(nil).ForTopic("orders").Partition(&kgo.Record{Key: []byte("k7")}, 3)
	if r == nil || string(r.Key) != "k7" || fmt.Sprint(r.Headers) != "[{empty []} {trace [116 49]}]" ||
		int(r.Partition) != want || u.Var("p") != fmt.Sprint(want) || u.Var("o") != ":0" {
		t.Errorf("%+v of %v, variables %s %s", r, seen, u.Var("p"), u.Var("o"))
	}
	if r := seen["plain"]; r == nil || r.Partition != 2 || r.Key != nil {
		t.Errorf("%+v", r)
	}
	if r := seen[""]; r == nil || r.Key == nil || r.Value != nil {
		t.Errorf("%+v", r)
	}
	if seen["unheard"] == nil || seen["first"].ProducerID < 0 {
		t.Errorf("%v", seen)
	}
}

// TestProduce_Keys: brunt and franz-go take the same partition for a key.
func TestProduce_Keys(t *testing.T) {
	c := fake(t, 1)
	var steps []string
	for i := range 12 {
		steps = append(steps, fmt.Sprintf("{kafka.produce: orders, key: key-%d, extract: {p: partition}}", i))
	}
	f := newFixture(t, targets.Options{Base: base(c)}, steps...)
	u := f.User(t, 0)
	of := kgo.StickyKeyPartitioner(nil).ForTopic("orders")
	for i := range steps {
		want := of.Partition(&kgo.Record{Key: fmt.Appendf(nil, "key-%d", i)}, 3)
		if got := f.Got(u.Do(i, long)); got != "ok" || u.Var("p") != fmt.Sprint(want) {
			t.Errorf("%d: %s, partition %s, want %d", i, got, u.Var("p"), want)
		}
	}
}

// TestConsume reads what franz-go's client wrote, in each compression, from the beginning, without a group.
func TestConsume(t *testing.T) {
	c := fake(t, 3)
	f := newFixture(t, targets.Options{Base: base(c)},
		`{kafka.consume: orders, from: start, messages: 10, check: {$.state: exists}}`,
		`{kafka.consume: orders, from: start, until: {$.state: DONE}, check: {key: last, "header trace": t9, partition: 1},
  extract: {id: $.id, h: header trace, o: offset}}`,
		`{kafka.consume: orders, from: start, for: 100ms}`,
	)
	wrote := time.Now()
	for i, by := range []kgo.CompressionCodec{
		kgo.NoCompression(), kgo.GzipCompression(), kgo.SnappyCompression(), kgo.Lz4Compression(), kgo.ZstdCompression(),
	} {
		k := foreign(t, c, kgo.ProducerBatchCompression(by))
		for n := range 2 {
			if err := k.ProduceSync(t.Context(), &kgo.Record{
				Topic: "orders", Partition: int32(n), Value: fmt.Appendf(nil, `{"id": %d, "state": "NEW", "pad": "%0500d"}`, i, 0),
			}).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
	u := f.User(t, 0)
	out := u.Do(0, long)
	if f.Got(out) != "ok" || len(f.parts) != 10 {
		t.Fatalf("%s, %d parts: %s", f.Got(out), len(f.parts), f.Message())
	}
	for _, p := range f.parts { // timestamps are in milliseconds
		if least := wrote.Sub(f.T0) - time.Millisecond; p.out.Intended < least || p.out.End < p.out.Intended ||
			p.out.End > out.End {
			t.Errorf("%+v", p.out)
		}
	}
	f.parts = nil
	k := foreign(t, c)
	var batch []*kgo.Record // in one batch
	for i, one := range []string{`{"id": 8, "state": "NEW"}`, `{"id": 9, "state": "DONE"}`} {
		batch = append(batch, &kgo.Record{
			Topic: "orders", Partition: 1, Key: []byte("last"), Value: []byte(one),
			Headers: []kgo.RecordHeader{{Key: "trace", Value: fmt.Appendf(nil, "t%d", 8+i)}},
		})
	}
	if err := k.ProduceSync(t.Context(), batch...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if got := f.Got(u.Do(1, long)); got != "ok" || u.Var("id") != ":9" || u.Var("h") != "t9" ||
		u.Var("o") != fmt.Sprint(batch[1].Offset) || len(f.parts) != 2 {
		t.Errorf("%s, %s, %s, %d parts: %s", got, u.Var("id"), u.Var("h"), len(f.parts), f.Message())
	}
	if got := f.Got(u.Do(2, long)); got != "error, stream" ||
		!strings.Contains(f.Message(), "any record within 100ms was wanted, and none came") {
		t.Errorf("%s: %s", got, f.Message())
	}
}

// TestConsume_Reset: if the offset that a group has committed is not in the log, one step says so, and the next one
// reads from where the step begins.
func TestConsume_Reset(t *testing.T) {
	const deleted, cut = "records were deleted, and its first one is 3", "it was cut off or made again, and ends at 5"
	for _, c := range []struct {
		from      string
		committed int64
		why       string
		next      int64 // offset of the record that is read next
	}{
		{"start", 1, deleted, 3},
		{"end", 1, deleted, 5},
		{"start", 9, cut, 3},
		{"end", 9, cut, 5},
	} {
		t.Run(fmt.Sprint(c.from, c.committed), func(t *testing.T) {
			cluster := fake(t, 1)
			k := foreign(t, cluster)
			write := func(n int) {
				t.Helper()
				for range n {
					if err := k.ProduceSync(t.Context(), &kgo.Record{Topic: "one", Value: []byte("{}")}).FirstErr(); err != nil {
						t.Fatal(err)
					}
				}
			}
			write(5)
			if err := cluster.DeleteRecords("one", 0, 3); err != nil {
				t.Fatal(err)
			}
			commit, topic := kmsg.NewPtrOffsetCommitRequest(), kmsg.NewOffsetCommitRequestTopic()
			one := kmsg.NewOffsetCommitRequestTopicPartition()
			one.Offset = c.committed
			topic.Topic, topic.TopicID = "one", cluster.TopicInfo("one").TopicID
			topic.Partitions = append(topic.Partitions, one)
			commit.Group, commit.Topics = "shop", append(commit.Topics, topic)
			if _, err := commit.RequestWith(t.Context(), k); err != nil {
				t.Fatal(err)
			}
			f := newFixture(t, targets.Options{Base: base(cluster)},
				"{kafka.consume: one, messages: 1, group: shop, from: "+c.from+", extract: {o: offset}}")
			u := f.User(t, 0)
			if got := f.Got(u.Do(0, long)); got != "error, error OFFSET_OUT_OF_RANGE" || !strings.Contains(f.Message(), c.why) {
				t.Fatalf("%s: %s", got, f.Message())
			}
			write(1)
			if got := f.Got(u.Do(0, long)); got != "ok" || u.Var("o") != fmt.Sprint(c.next) {
				t.Errorf("%s, offset %s: %s", got, u.Var("o"), f.Message())
			}
		})
	}
}

// TestConsume_Came: a record that was fetched with an earlier one took its step no time, and the time when it came is
// known.
func TestConsume_Came(t *testing.T) {
	c := fake(t, 1)
	var batch []*kgo.Record
	for range 3 {
		batch = append(batch, &kgo.Record{Topic: "one", Value: []byte("{}")})
	}
	if err := foreign(t, c).ProduceSync(t.Context(), batch...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, targets.Options{Base: base(c)}, "{kafka.consume: one, from: start, messages: 1}")
	u := f.User(t, 0)
	first := u.Do(0, long)
	if got := f.Got(first); got != "ok" || u.It.Came != 0 {
		t.Fatalf("%s, the record came at %s: %s", got, u.It.Came, f.Message())
	}
	for range 2 {
		out := u.Do(0, long)
		if got := f.Got(out); got != "ok" || u.It.Came != first.End || out.End < out.Sent {
			t.Errorf("%s, the record came at %s; the fetch at %s: %s", got, u.It.Came, first.End, f.Message())
		}
	}
}

// TestGroup_Connections: a consumer keeps the connection on which it commits.
func TestGroup_Connections(t *testing.T) {
	c := fake(t, 1)
	var opened atomic.Int64
	c.ControlKey(int16(kmsg.ApiVersions), func(kmsg.Request) (kmsg.Response, error, bool) {
		c.KeepControl()
		opened.Add(1)
		return nil, nil, false
	})
	const steps = 200
	k := foreign(t, c)
	var batch []*kgo.Record
	for range steps {
		batch = append(batch, &kgo.Record{Topic: "one", Value: []byte("{}")})
	}
	if err := k.ProduceSync(t.Context(), batch...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	f := newFixture(t, targets.Options{Base: base(c)}, "{kafka.consume: one, group: shop, from: start, messages: 1}",
		"{kafka.lag: one, group: shop, check: {$.lag: 0}}")
	u := f.User(t, 0)
	before := int64(0)
	for i := range steps {
		if got := f.Got(u.Do(0, long)); got != "ok" {
			t.Fatalf("%d: %s: %s", i, got, f.Message())
		}
		if i == 0 {
			before = opened.Load()
		}
	}
	if n := opened.Load() - before; n > 0 {
		t.Errorf("%d steps opened %d connections", steps-1, n)
	}
	if got := f.Got(u.Do(1, long)); got != "ok" {
		t.Errorf("not everything is committed: %s, %s", got, f.Message())
	}
}

// TestConsume_Committed: with `read: committed`, a consumer reads no record of an aborted transaction, and none from
// the first one on that has not ended, also if transactions overlap. franz-go's client reads the same.
func TestConsume_Committed(t *testing.T) {
	c := fake(t, 1)
	producers := map[byte]*kgo.Client{'p': foreign(t, c)}
	for _, id := range "ab" {
		producers[byte(id)] = foreign(t, c, kgo.TransactionalID(string(id)), kgo.TransactionTimeout(long))
	}
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	offset := 0
	// p writes without a transaction, a and b in one: begin, write, commit, abort.
	for step := range strings.FieldsSeq("p. a( a. a. a- b( b. a( p. a. b- a+ p. a( b( a. b. b+ a. a- a( a. p.") {
		k := producers[step[0]]
		var err error
		switch step[1] {
		case '(':
			err = k.BeginTransaction()
		case '.':
			err = k.ProduceSync(ctx, &kgo.Record{Topic: "one", Value: fmt.Appendf(nil, `{"n": %d}`, offset)}).FirstErr()
			offset++
		case '+':
			err = k.EndTransaction(ctx, kgo.TryCommit)
			offset++
		case '-':
			err = k.EndTransaction(ctx, kgo.TryAbort)
			offset++
		}
		if err != nil {
			t.Fatalf("%s at %d: %v", step, offset, err)
		}
	}
	if got := c.PartitionInfo("one", 0); got.LastStableOffset != 15 || got.HighWatermark != 17 {
		t.Fatalf("%+v", got)
	}
	want := []int64{0, 5, 6, 9, 11}
	var theirs []int64
	other := foreign(t, c, kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{"one": {0: kgo.NewOffset().AtStart()}}))
	for len(theirs) < len(want) && ctx.Err() == nil {
		other.PollFetches(ctx).EachRecord(func(r *kgo.Record) { theirs = append(theirs, r.Offset) })
	}
	if !slices.Equal(theirs, want) {
		t.Fatalf("franz-go reads %v, want %v", theirs, want)
	}
	f := newFixture(t, targets.Options{Base: base(c)},
		"{kafka.consume: one, group: shop, from: start, messages: 1, read: committed, extract: {o: offset}}",
		"{kafka.consume: one, from: start, messages: 12}",
		"{kafka.consume: one, messages: 1, read: committed, extract: {o: offset}}",
		"{kafka.consume: one, from: start, messages: 1, read: committed, extract: {o: offset}}")
	whole := f.User(t, 99)
	for i, offset := range want { // a new member fetches from what is committed, which may be amid a transaction
		u := f.User(t, i)
		if got := f.Got(u.Do(0, long)); got != "ok" || u.Var("o") != fmt.Sprint(offset) {
			t.Errorf("record %d: %s, offset %s, want %d: %s", i, got, u.Var("o"), offset, f.Message())
		}
		if got := f.Got(whole.Do(3, long)); got != "ok" || whole.Var("o") != fmt.Sprint(offset) {
			t.Errorf("record %d of one fetch: %s, offset %s, want %d: %s", i, got, whole.Var("o"), offset, f.Message())
		}
		if err := u.Session.Close(); err != nil {
			t.Fatal(err)
		}
	}
	u := f.User(t, len(want))
	if got := f.Got(u.Do(1, long)); got != "ok" {
		t.Errorf("without a setting: %s: %s", got, f.Message())
	}
	for _, call := range []int{0, 2} {
		if got := f.Got(u.Do(call, 300*time.Millisecond)); got != "error, timeout" {
			t.Errorf("a record of a transaction that has not ended: %s, offset %s", got, u.Var("o"))
		}
	}
	if err := producers['a'].EndTransaction(ctx, kgo.TryCommit); err != nil {
		t.Fatal(err)
	}
	for _, call := range []int{0, 2} { // of the latter, the end was that of the open transaction's beginning
		for offset := 15; offset < 17; offset++ {
			if got := f.Got(u.Do(call, long)); got != "ok" || u.Var("o") != fmt.Sprint(offset) {
				t.Errorf("%s, offset %s, want %d: %s", got, u.Var("o"), offset, f.Message())
			}
		}
	}
}

// TestGroup: two members of a group share the partitions; after one has left, the other one gets
// its partitions; and what was committed is not read again.
func TestGroup(t *testing.T) {
	if testing.Short() {
		t.Skip("a member learns by its next heartbeat, 3 s later, that the group has changed")
	}
	c := fake(t, 2)
	f := newFixture(t, targets.Options{Base: base(c)}, `{kafka.consume: orders, group: shop, from: start, messages: 1}`,
		`{kafka.lag: orders, group: shop, check: {$.lag: exists}, extract: {lag: $.lag}}`)
	k := foreign(t, c)
	write := func(from, to int) {
		t.Helper()
		for i := from; i < to; i++ {
			if err := k.ProduceSync(t.Context(), &kgo.Record{
				Topic: "orders", Partition: int32(i % 3), Value: fmt.Appendf(nil, `{"id": %d}`, i),
			}).FirstErr(); err != nil {
				t.Fatal(err)
			}
		}
	}
	one, two := f.User(t, 0), f.User(t, 1)
	lag := func() string {
		if got := f.Got(two.Do(1, long)); got != "ok" {
			return got + ": " + f.Message()
		}
		return two.Var("lag")
	}
	if got := lag(); got != ":0" {
		t.Errorf("the lag is %s", got)
	}
	write(0, 6)
	if got := lag(); got != ":6" {
		t.Errorf("the lag is %s", got)
	}
	for range 6 {
		if got := f.Got(one.Do(0, long)); got != "ok" {
			t.Fatalf("%s: %s", got, f.Message())
		}
	}
	if got := lag(); got != ":0" {
		t.Errorf("the lag is %s after all was read", got)
	}
	if got := f.Got(one.Do(0, 300*time.Millisecond)); got != "error, timeout" { // nothing is read twice
		t.Error(got)
	}
	// A second member takes some of the partitions, and both together read all that comes.
	joined := make(chan string)
	go func() { joined <- f.Got(two.Do(0, long)) }()
	suite.Until(t, "two members", func() bool {
		g := c.GroupInfo("shop")
		return g != nil && len(g.Members) == 2 && g.State == "Stable"
	})
	write(6, 12)
	if got := <-joined; got != "ok" {
		t.Fatalf("%s: %s", got, f.Message())
	}
	for lag() != ":0" {
		_, _ = one.Do(0, 400*time.Millisecond), two.Do(0, 400*time.Millisecond)
	}
	f.mu.Lock()
	n := len(f.parts)
	f.mu.Unlock()
	if n < 12 {
		t.Errorf("%d records came, want 12", n)
	}
	if err := two.Session.Close(); err != nil {
		t.Fatal(err)
	}
	write(12, 15)
	for range 3 {
		if got := f.Got(one.Do(0, long)); got != "ok" {
			t.Fatalf("%s: %s", got, f.Message())
		}
	}
}

// TestLogin: a broker with SASL takes the right password by each mechanism, and refuses a wrong one with its cause.
func TestLogin(t *testing.T) {
	c := fake(t, 1, kfake.EnableSASL(), kfake.Superuser("PLAIN", "ann", "sesame"),
		kfake.Superuser("SCRAM-SHA-256", "ben", "sesame"), kfake.Superuser("SCRAM-SHA-512", "eve", "sesame"))
	at := c.ListenAddrs()[0]
	for base, want := range map[string]string{
		"kafka://ann:sesame@" + at + "?sasl=plain":         "ok",
		"kafka://ben:sesame@" + at + "?sasl=scram-sha-256": "ok",
		"kafka://eve:sesame@" + at + "?sasl=scram-sha-512": "ok",
		// kfake closes the connection, where Kafka answers SASL_AUTHENTICATION_FAILED
		"kafka://ann:open@" + at + "?sasl=plain":           "error, closed",
		"kafka://ben:open@" + at + "?sasl=scram-sha-256":   "error, closed",
		"kafka://ann:sesame@" + at + "?sasl=scram-sha-512": "error, closed",
	} {
		f := newFixture(t, targets.Options{Base: base}, "{kafka.produce: one, text: hi}")
		if got := f.Got(f.User(t, 0).Do(0, long)); got != want {
			t.Errorf("%s: %s, want %s; %s", base, got, want, f.Message())
		}
		if m := f.Message(); want != "ok" && !strings.Contains(m, "during the login by") {
			t.Errorf("%s: %s", base, m)
		}
	}
}

// TestLeaderMoves: a broker that no longer leads a partition refuses a record, and brunt then finds the new leader.
// Nothing is sent twice.
func TestLeaderMoves(t *testing.T) {
	c := fake(t, 3)
	f := newFixture(t, targets.Options{Base: base(c)}, "{kafka.produce: one, text: hi}")
	u := f.User(t, 0)
	if got := f.Got(u.Do(0, long)); got != "ok" {
		t.Fatal(got)
	}
	if err := c.MoveTopicPartition("one", 0, (c.LeaderFor("one", 0)+1)%3); err != nil {
		t.Fatal(err)
	}
	if got := f.Got(u.Do(0, long)); got != "error, error NOT_LEADER_FOR_PARTITION" {
		t.Errorf("%s: %s", got, f.Message())
	}
	suite.Until(t, "the new leader", func() bool { return f.Got(u.Do(0, long)) == "ok" })
	if p := c.PartitionInfo("one", 0); p.HighWatermark != 2 {
		t.Errorf("%d records, want 2", p.HighWatermark)
	}
}

// TestStep_Mistakes: a step that can't be meant is refused with a remedy.
func TestStep_Mistakes(t *testing.T) {
	for step, want := range map[string]string{
		`{kafka.produce: a, messages: 3}`:                                  "`messages` belongs to a step of kafka.consume",
		`{kafka.consume: a, messages: 3, key: b}`:                          "`key` belongs to a step of kafka.produce",
		`{kafka.consume: a}`:                                               "one of messages, until, for",
		`{kafka.consume: a, messages: 3, for: 1s}`:                         "not both messages and for",
		`{kafka.consume: a, until: {state: DONE}}`:                         `unknown key "state"`,
		`{kafka.consume: a, messages: 1, commit: off}`:                     "the step has none",
		`{kafka.consume: a, messages: 1, from: begin}`:                     "from is end or start",
		`{kafka.produce: a, text: b, json: {}}`:                            "one value: json or text",
		`{kafka.produce: a, acks: al}`:                                     "did you mean \"all\"",
		`{kafka.produce: a, acks: leader, idempotent: on}`:                 "needs `acks: all`",
		`{kafka.lag: a}`:                                                   "wants a group",
		`{kafka.produce: a, check: {shed: NOT_ENOUGH_REPLICA}}`:            "did you mean \"NOT_ENOUGH_REPLICAS\"",
		`{kafka.produce: a, check: {ofset: 1}}`:                            "did you mean \"offset\"",
		`{kafka.produce: a, extract: {o: ofset}}`:                          "a field or a header of the record",
		`{kafka.produce: a, check: {allow: [19, NOT_LEADER_OR_FOLLOWER]}}`: "",
	} {
		_, err := targetstest.Try(kafka.Descriptor(), "", step)
		if got := fmt.Sprint(err); want != "" && !strings.Contains(strings.ToLower(got), strings.ToLower(want)) ||
			want == "" && err != nil {
			t.Errorf("%s: %s, want %q", step, got, want)
		}
	}
}
