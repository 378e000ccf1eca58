package mongo_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/suite"
	"brunt/targets"
	"brunt/targets/targetstest"
)

// ferret is a FerretDB over SQLite, which speaks MongoDB's protocol. It ends with the test.
type ferret struct {
	*exec.Cmd
	t    *testing.T
	args []string
}

func startFerret(t *testing.T, more ...string) *ferret {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	n := &ferret{t: t, args: append([]string{
		suite.Program(t, "ferretdb", "ferretdb, which .ci/prepare builds"), l.Addr().String(), t.TempDir(),
	}, more...)}
	_ = l.Close()
	n.start()
	t.Cleanup(n.kill)
	return n
}

func (n *ferret) start() {
	n.t.Helper()
	n.Cmd = exec.Command(n.args[0], n.args[1:]...)
	if err := n.Start(); err != nil {
		n.t.Fatal(err)
	}
	suite.Until(n.t, "ferretdb to listen", func() bool {
		c, err := net.Dial("tcp", n.args[1])
		if err == nil {
			_ = c.Close()
		}
		return err == nil
	})
}

// kill ends the server as a crash does.
func (n *ferret) kill() {
	if n.ProcessState == nil {
		_ = n.Process.Kill()
		_ = n.Wait()
	}
}

// TestReal: a server agrees with each kind of step. It is FerretDB, and the MongoDB whose URL is in BRUNT_TEST_MONGO,
// such as mongodb://127.0.0.1:27017/test, whose collections brunt_a and brunt_b the test drops.
func TestReal(t *testing.T) {
	t.Run("ferretdb", func(t *testing.T) { checkReal(t, "mongodb://"+startFerret(t).args[1]+"/shop") })
	t.Run("mongodb", func(t *testing.T) {
		base := os.Getenv("BRUNT_TEST_MONGO")
		if base == "" {
			t.Skip("BRUNT_TEST_MONGO is not set: mongodb://HOST:PORT/DATABASE of a MongoDB")
		}
		checkReal(t, base)
	})
}

func checkReal(t *testing.T, base string) {
	var many strings.Builder
	for i := range 250 {
		fmt.Fprintf(&many, "{n: %d}, ", i)
	}
	steps := []struct{ step, want string }{
		{`{mongo: {drop: brunt_a}, check: {allow: NamespaceNotFound}}`, "ok"},
		{`{mongo: {drop: brunt_b}, check: {allow: NamespaceNotFound}}`, "ok"},
		{`{mongo: {ping: 1}}`, "ok"},
		{`{mongo: {hello: 1}, check: {$.isWritablePrimary: true}}`, "ok"},
		{`{mongo: {noSuch: 1}}`, "error, error CommandNotFound"},
		{
			`{mongo.insert: brunt_a, document: {_id: {$oid: 0123456789abcdef01234567}, at: {$date: "2026-01-02T03:04:05Z"}, ` +
				`big: {$numberLong: "9007199254740993"}, x: 1.5, list: [a, {b: null}]}, check: {$.n: 1}}`, "ok",
		},
		{`{mongo.insert: brunt_a, document: {_id: {$oid: 0123456789abcdef01234567}}}`, "error, error DuplicateKey"},
		{`{mongo.insert: brunt_a, document: {_id: {$oid: 0123456789abcdef01234567}}, check: {allow: 11000}}`, "ok"},
		{
			`{mongo.find: brunt_a, filter: {_id: {$oid: 0123456789abcdef01234567}}, check: {"$[0].at['$date']": "2026-01-02T03:04:05Z", ` +
				`"$[0].big": 9007199254740993, "$[0].x": 1.5, "$[0].list[1].b": exists, "$[1]": absent}}`, "ok",
		},
		{`{mongo.find: brunt_a, filter: {_id: 1}, check: {"$[0]": absent}}`, "ok"},
		{`{mongo.find: nowhere, check: {"$[0]": absent}}`, "ok"},
		{`{mongo.update: brunt_a, filter: {x: 1.5}, update: {$set: {y: 2}}, check: {$.n: 1, $.nModified: 1}}`, "ok"},
		{`{mongo.update: brunt_a, filter: {x: 7}, update: {$set: {y: 2}}, check: {$.n: 0}}`, "ok"},
		{`{mongo.update: brunt_a, filter: {_id: new}, update: {$set: {y: 2}}, upsert: on, check: {"$.upserted[0]._id": new}}`, "ok"},
		{`{mongo.aggregate: brunt_a, pipeline: [{$match: {y: 2}}, {$count: n}], check: {"$[0].n": 2}}`, "ok"},
		{`{mongo.delete: brunt_a, filter: {y: 2}, check: {$.n: 1}}`, "ok"},
		{`{mongo.delete: brunt_a, filter: {y: 2}, many: on, check: {$.n: 1}}`, "ok"},
		{`{mongo: {count: brunt_a}, check: {$.n: 0}}`, "ok"},
		{`{mongo.insert: brunt_b, documents: [` + many.String() + `], check: {$.n: 250}}`, "ok"},
		{`{mongo.find: brunt_b, sort: {n: 1}, check: {"$[249].n": 249, "$[250]": absent}}`, "ok"}, // of several batches
		{`{mongo.find: brunt_b, sort: {n: -1}, skip: 1, limit: 2, check: {"$[0].n": 248, "$[1].n": 247, "$[2]": absent}}`, "ok"},
		{`{mongo.find: brunt_b, filter: {n: {$bad: 1}}}`, "error, error BadValue"},
	}
	var texts []string
	for _, s := range steps {
		texts = append(texts, s.step)
	}
	kept := new(targetstest.Sampler)
	f := newFixture(t, targets.Options{Base: base, Sampler: kept}, texts...)
	u := f.Flow.Open(t, f.Client, f.T0, 0)
	for i, s := range steps {
		if got := f.Got(u.Do(i, long)); got != s.want {
			t.Errorf("%s: got %s, want %s; %+v", s.step, got, s.want, kept.Kept)
		}
	}
}

// TestReal_Crash: what a server with files has acknowledged outlives its crash, and what it has in memory alone does
// not.
func TestReal_Crash(t *testing.T) {
	for _, c := range []struct {
		name string
		more []string
		left int
	}{{"files", nil, 20}, {"memory", []string{"memory"}, 0}} {
		t.Run(c.name, func(t *testing.T) {
			n := startFerret(t, c.more...)
			f := newFixture(t, targets.Options{Base: "mongodb://" + n.args[1] + "/shop"},
				`{mongo.insert: orders, document: {n: 1}}`, `{mongo: {ping: 1}}`,
				fmt.Sprintf(`{mongo: {count: orders}, check: {$.n: %d}}`, c.left))
			u := f.Flow.Open(t, f.Client, f.T0, 0)
			for range 20 {
				if out := u.Do(0, long); out.Kind != scenarios.OK {
					t.Fatal(f.Got(out))
				}
			}
			n.kill()
			n.start()
			suite.Until(t, "ferretdb to be ready", func() bool { return u.Do(1, time.Second).Kind == scenarios.OK })
			if out := u.Do(2, long); out.Kind != scenarios.OK {
				t.Error(f.Got(out))
			}
		})
	}
}
