package mongo_test

import (
	"errors"
	"net/netip"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/mongo"
	"brunt/targets/targetstest"

	"go.mongodb.org/mongo-driver/v2/bson"
)

// long is a timeout that passes only if something is wrong.
const long = 30 * time.Second

// newFixture creates a client of the endpoint of o.
func newFixture(t testing.TB, o targets.Options, steps ...string) *targetstest.Fixture {
	t.Helper()
	return targetstest.NewFixture(t, mongo.Descriptor(), o, steps...)
}

// extended reads extended JSON.
func extended(t testing.TB, text string) (d bson.D) {
	t.Helper()
	if err := bson.UnmarshalExtJSON([]byte(text), false, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestCall: what is sent, and how answers are judged.
func TestCall(t *testing.T) {
	const id = `{"$oid":"0123456789abcdef01234567"}`
	for _, c := range []struct{ name, step, sends, says, want, message string }{
		{
			"command", `{mongo: {ping: 1}, check: {$.n: 5}}`, `{"ping":1,"$db":"shop"}`, `{"n":5,"ok":1}`, "ok", "",
		},
		{
			"insert", `{mongo.insert: orders, document: {n: 1, at: {$date: "2026-01-02T03:04:05Z"}}, check: {$.n: 1}}`,
			`{"insert":"orders","documents":[{"n":1,"at":{"$date":"2026-01-02T03:04:05Z"}}],"ordered":true,"$db":"shop"}`,
			`{"n":1,"ok":1}`, "ok", "",
		},
		{
			"inserts", `{mongo.insert: orders, documents: [{n: 1}, {n: 2}], ordered: off, write_concern: {w: majority}, database: "d${int(7,7)}"}`,
			`{"insert":"orders","documents":[{"n":1},{"n":2}],"ordered":false,"writeConcern":{"w":"majority"},"$db":"d7"}`,
			`{"n":2,"ok":1}`, "ok", "",
		},
		{
			"find", `{mongo.find: "o${int(3,3)}", filter: {_id: "${int(7,7)}"}, sort: {n: -1}, limit: 2, read_concern: majority, check: {"$[0].n": 5}}`,
			`{"find":"o3","filter":{"_id":7},"sort":{"n":-1},"limit":2,"readConcern":{"level":"majority"},"$db":"shop"}`,
			`{"cursor":{"id":0,"ns":"shop.o3","firstBatch":[{"_id":7,"n":5}]},"ok":1}`, "ok", "",
		},
		{
			"another", `{mongo.find: orders, check: {"$[0].n": 5}}`, `{"find":"orders","filter":{},"$db":"shop"}`,
			`{"cursor":{"id":0,"ns":"shop.orders","firstBatch":[{"n":6}]},"ok":1}`, "error, check $[0].n", "$[0].n was",
		},
		{
			"types", `{mongo.find: orders, check: {"$[0]._id['$oid']": 0123456789abcdef01234567, "$[0].at['$date']": "2026-01-02T03:04:05Z"}}`,
			``, `{"cursor":{"id":0,"ns":"a.b","firstBatch":[{"_id":` + id + `,"at":{"$date":"2026-01-02T03:04:05Z"}}]},"ok":1}`, "ok", "",
		},
		{
			"update", `{mongo.update: orders, filter: {_id: 7}, update: {$set: {paid: true}}, upsert: on}`,
			`{"update":"orders","updates":[{"q":{"_id":7},"u":{"$set":{"paid":true}},"multi":false,"upsert":true}],"$db":"shop"}`,
			`{"n":1,"nModified":1,"ok":1}`, "ok", "",
		},
		{
			"delete", `{mongo.delete: orders, filter: {_id: 7}}`,
			`{"delete":"orders","deletes":[{"q":{"_id":7},"limit":1}],"$db":"shop"}`, `{"n":1,"ok":1}`, "ok", "",
		},
		{
			"delete many", `{mongo.delete: orders, many: on}`,
			`{"delete":"orders","deletes":[{"q":{},"limit":0}],"$db":"shop"}`, `{"n":1,"ok":1}`, "ok", "",
		},
		{
			"aggregate", `{mongo.aggregate: orders, pipeline: [{$match: {a: 1}}, {$count: n}], check: {"$[0].n": 3}}`,
			`{"aggregate":"orders","pipeline":[{"$match":{"a":1}},{"$count":"n"}],"cursor":{},"$db":"shop"}`,
			`{"cursor":{"id":0,"ns":"shop.orders","firstBatch":[{"n":3}]},"ok":1}`, "ok", "",
		},
		{
			"failed", `{mongo: {ping: 1}}`, ``, `{"ok":0,"errmsg":"try again","code":112,"codeName":"WriteConflict"}`,
			"error, error WriteConflict", "WriteConflict: try again",
		},
		{
			"a write failed", `{mongo.insert: orders, document: {}}`, ``,
			`{"n":0,"writeErrors":[{"index":0,"code":11000,"errmsg":"twice"}],"ok":1}`, "error, error DuplicateKey",
			"DuplicateKey: twice",
		},
		{
			"the write concern", `{mongo.insert: orders, document: {}}`, ``,
			`{"n":1,"writeConcernError":{"code":64,"codeName":"WriteConcernFailed","errmsg":"waited"},"ok":1}`,
			"error, error WriteConcernFailed", "the write concern is not met: WriteConcernFailed: waited",
		},
		{
			"allowed", `{mongo.insert: orders, document: {}, check: {allow: DuplicateKey}}`, ``,
			`{"n":0,"writeErrors":[{"index":0,"code":11000,"errmsg":"twice"}],"ok":1}`, "ok", "",
		},
		{"shed", `{mongo: {ping: 1}, check: {shed: [462, 112]}}`, ``, `{"ok":0,"code":112}`, "shed", ""},
		{"an unknown code", `{mongo: {ping: 1}}`, ``, `{"ok":0,"code":8675309,"errmsg":"odd"}`, "error, error other", "8675309: odd"},
		{"no answer", `{mongo: {ping: 1}}`, ``, `{}`, "error, error UnknownError", ""},
		{"no cursor", `{mongo.find: orders}`, ``, `{"ok":1}`, "error, protocol", "has no cursor"},
		{"none found", `{mongo.find: orders, check: {"$[0]": absent, $: exists}}`, ``, `{"cursor":{"id":0,"ns":"a.b","firstBatch":[]},"ok":1}`, "ok", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			kept := new(targetstest.Sampler)
			s := start(t, options{say: func(bson.Raw) bson.D { return extended(t, c.says) }})
			f := newFixture(t, targets.Options{Base: s.Base() + "/shop", Sampler: kept}, c.step)
			out := f.Flow.Open(t, f.Client, f.T0, 0).Do(0, long)
			if got := f.Got(out); got != c.want {
				t.Errorf("got %s, want %s: %+v", got, c.want, kept.Kept)
			}
			if c.message != "" && (len(kept.Kept) != 1 || !strings.Contains(kept.Kept[0].Message, c.message)) {
				t.Errorf("samples %+v, want %q", kept.Kept, c.message)
			}
			sent, err := bson.MarshalExtJSON(s.last(), false, false)
			if err != nil || c.sends != "" && string(sent) != c.sends {
				t.Errorf("sent %s, %v\nwant %s", sent, err, c.sends)
			}
		})
	}
}

// TestCursor: all batches of a cursor are one answer.
func TestCursor(t *testing.T) {
	s := start(t, options{say: func(c bson.Raw) bson.D {
		if c.Index(0).Key() == "find" {
			return extended(t, `{"cursor":{"id":{"$numberLong":"9007199254740993"},"ns":"shop.a.b","firstBatch":[{"n":1},{"n":2}]},"ok":1}`)
		}
		return extended(t, `{"cursor":{"id":{"$numberLong":"0"},"ns":"shop.a.b","nextBatch":[{"n":3}]},"ok":1}`)
	}})
	f := newFixture(t, targets.Options{Base: s.Base() + "/shop"}, `{mongo.find: a.b, check: {"$[2].n": 3, "$[3]": absent}}`)
	out := f.Flow.Open(t, f.Client, f.T0, 0).Do(0, long)
	if got := f.Got(out); got != "ok" || s.Requests() != 2 {
		t.Errorf("%s after %d requests: %+v", got, s.Requests(), out)
	}
	sent := s.last().String()
	if !strings.Contains(sent, `"9007199254740993"`) || !strings.Contains(sent, `"collection": "a.b"`) {
		t.Errorf("sent %s", sent)
	}
}

// TestURL: the concerns of the URL are those of steps without their own.
func TestURL(t *testing.T) {
	s := start(t, options{say: func(bson.Raw) bson.D {
		return extended(t, `{"cursor":{"id":0,"ns":"a.b","firstBatch":[]},"ok":1}`)
	}})
	f := newFixture(t, targets.Options{
		Base: s.Base() + "/shop?w=2&journal=true&wtimeoutMS=500&readConcernLevel=local&readPreference=nearest",
	}, `{mongo.insert: a, document: {}}`, `{mongo.find: a}`, `{mongo.insert: a, document: {}, write_concern: {w: 1}}`)
	u := f.Flow.Open(t, f.Client, f.T0, 0)
	for i, want := range []string{
		`{"insert":"a","documents":[{}],"ordered":true,"$db":"shop","$readPreference":{"mode":"nearest"},"writeConcern":{"j":true,"w":2,"wtimeout":500}}`,
		`{"find":"a","filter":{},"$db":"shop","$readPreference":{"mode":"nearest"},"readConcern":{"level":"local"}}`,
		`{"insert":"a","documents":[{}],"ordered":true,"writeConcern":{"w":1},"$db":"shop","$readPreference":{"mode":"nearest"}}`,
	} {
		u.Do(i, long)
		if sent, err := bson.MarshalExtJSON(s.last(), false, false); err != nil || string(sent) != want {
			t.Errorf("sent %s, %v\nwant %s", sent, err, want)
		}
	}
}

// TestLogin: the server's side checks the proof of the password, and brunt checks that of the server.
func TestLogin(t *testing.T) {
	for _, c := range []struct {
		name, user, want, message string
		options
	}{
		{
			"right", "app:ses%2Came@", "ok", "",
			options{user: "app:ses,ame"},
		},
		{
			"an empty exchange", "app:sesame@", "ok", "",
			options{user: "app:sesame", longer: true},
		},
		{
			"a wrong password", "app:sesame@", "error, error AuthenticationFailed", "the login is refused",
			options{user: "app:other"},
		},
		{
			"a wrong user", "app:sesame@", "error, error AuthenticationFailed", "the login is refused",
			options{user: "ap:sesame"},
		},
		{
			"a wrong server", "app:sesame@", "error, protocol", "it does not know the password",
			options{user: "app:sesame", wrong: true},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			kept := new(targetstest.Sampler)
			s := start(t, c.options)
			base := strings.Replace(s.Base(), "://", "://"+c.user, 1)
			f := newFixture(t, targets.Options{Base: base, Sampler: kept}, "mongo: {ping: 1}")
			out := f.Flow.Open(t, f.Client, f.T0, 0).Do(0, long)
			if got := f.Got(out); got != c.want || out.WasSent != (c.want == "ok") {
				t.Errorf("got %s, want %s: %+v", got, c.want, out)
			}
			if c.message != "" && (len(kept.Kept) != 1 || !strings.Contains(kept.Kept[0].Message, c.message)) {
				t.Errorf("samples %+v, want %q", kept.Kept, c.message)
			}
		})
	}
}

// TestReplicaSet: commands go to the primary, also after it has moved, and no server is followed that only a server
// names.
func TestReplicaSet(t *testing.T) {
	var mu sync.Mutex
	primary := 1
	member := func(n int) *server {
		leads := func() bool {
			mu.Lock()
			defer mu.Unlock()
			return primary == n
		}
		return start(t, options{
			about: func() bson.D {
				return bson.D{
					{Key: "setName", Value: "rs"},
					{Key: "isWritablePrimary", Value: leads()},
					{Key: "secondary", Value: !leads()},
					{Key: "hosts", Value: bson.A{"192.0.2.1:27017"}},
					{Key: "primary", Value: "192.0.2.1:27017"},
					{Key: "ok", Value: 1.0},
				}
			},
			say: func(bson.Raw) bson.D {
				if leads() {
					return bson.D{{Key: "ok", Value: 1.0}}
				}
				return failed(10107, "NotWritablePrimary")
			},
		})
	}
	a, b := member(0), member(1)
	asked := map[string]bool{}
	o := targets.Options{Base: a.Base() + "/?replicaSet=rs&addr=" + b.Addr().String()}
	o.Allow = targetstest.Gate(func(_ netip.Addr, hostport, _ string) error {
		mu.Lock()
		defer mu.Unlock()
		if asked[hostport] = true; hostport == "192.0.2.1:27017" {
			return errors.New("a stranger")
		}
		return nil
	})
	f := newFixture(t, o, "mongo: {write: 1}")
	u := f.Flow.Open(t, f.Client, f.T0, 0)
	if out := u.Do(0, long); out.Kind != scenarios.OK || b.Requests() != 1 || a.Requests() != 0 {
		t.Fatalf("%+v, %d and %d requests", out, a.Requests(), b.Requests())
	}
	mu.Lock()
	primary = 0
	mu.Unlock()
	if out := u.Do(0, long); f.Got(out) != "error, error NotWritablePrimary" {
		t.Fatalf("%+v", out)
	}
	if out := u.Do(0, long); out.Kind != scenarios.OK || a.Requests() != 1 {
		t.Fatalf("%+v, %d requests", out, a.Requests())
	}
	if len(asked) != 2 {
		t.Errorf("asked %v", asked)
	}
	o.Base += "&readPreference=secondary"
	f = newFixture(t, o, "mongo: {read: 1}")
	before := b.Requests()
	f.Flow.Open(t, f.Client, f.T0, 0).Do(0, long)
	if b.Requests() != before+1 {
		t.Errorf("the secondary has %d requests, want one more than %d", b.Requests(), before)
	}
	f = newFixture(t, targets.Options{Base: a.Base() + "/?replicaSet=other"}, "mongo: {ping: 1}")
	if out := f.Flow.Open(t, f.Client, f.T0, 0).Do(0, long); out.Kind != scenarios.Error || out.WasSent {
		t.Errorf("another replica set: %+v", out)
	}
}

// TestStale: an answer to an earlier request is not that of the call.
func TestStale(t *testing.T) {
	f := newFixture(t, targets.Options{Base: start(t, options{stale: true}).Base()}, "mongo: {ping: 1}")
	if out := f.Flow.Open(t, f.Client, f.T0, 0).Do(0, long); out.Kind != scenarios.OK {
		t.Error(f.Got(out))
	}
}

// TestHostile: an answer that is said to be large takes no memory before it comes.
func TestHostile(t *testing.T) {
	s := start(t, options{nonsense: "\x00\x00\x00\x02\x00\x00\x00\x00\x02\x00\x00\x00\xdd\x07\x00\x00\x00\x00\x00\x00\x00"})
	f := newFixture(t, targets.Options{Base: s.Base()}, "mongo: {answer: 1}")
	u := f.Flow.Open(t, f.Client, f.T0, 0)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	out := u.Do(0, 100*time.Millisecond)
	runtime.ReadMemStats(&after)
	if took := (after.TotalAlloc - before.TotalAlloc) >> 20; out.Cause != scenarios.Timeout || took > 5 {
		t.Errorf("%+v took %d MiB", out, took)
	}
}

func TestCompile_Mistakes(t *testing.T) {
	for _, c := range []struct{ step, want string }{
		{"mongo: ping", "a command is a map"},
		{"mongo: {}", "a command is a map"},
		{"mongo: {ping: 1, $db: shop}", "`database` of the step names the database"},
		{"mongo.insert: orders", "mongo.insert wants `document`"},
		{"{mongo.insert: orders, document: {}, documents: [{}]}", "wants one of `document` and `documents`"},
		{"mongo.update: orders", "mongo.update wants `update`"},
		{"mongo.aggregate: orders", "mongo.aggregate wants `pipeline`"},
		{"mongo.find: a$b", "is not the name of a collection"},
		{"{mongo.find: orders, document: {}}", "`document` belongs to a step of mongo.insert, not of mongo.find"},
		{"{mongo.find: orders, fliter: {}}", `did you mean "filter"?`},
		{"{mongo.find: orders, filter: {_id: {$oid: 12}}}", "the command is no extended JSON"},
		{"{mongo.find: orders, filter: 7, limit: 0}", "limit"},
		{"{mongo.find: orders, read_concern: most}", "known are"},
		{"{mongo: {ping: 1}, check: {allow: maybe}}", `"maybe" is not an error of this protocol; such as 11000 or DuplicateKey`},
	} {
		if _, err := targetstest.Try(mongo.Descriptor(), "", c.step); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v\nwant %s", c.step, err, c.want)
		}
	}
}
