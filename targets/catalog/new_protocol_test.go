package catalog_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/catalog"
	"brunt/targets/dial"
	"brunt/targets/targetstest"
)

// TestNewProtocol adds a protocol by one file and one line, and runs its steps beside HTTP
// steps in one load.
func TestNewProtocol(t *testing.T) {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_,
			_ = io.WriteString(w, "hello")
	}))
	defer web.Close()
	line := targetstest.StartEcho(t)
	echo := new(targetstest.Echo)
	set := catalog.NewSet(append(catalog.Protocols(), echo.Descriptor())...) // the one line
	if !slices.Contains(set.Kinds(), "parrot") || !slices.Contains(set.Kinds(), "get") {
		t.Fatalf("kinds: %v", set.Kinds())
	}
	flow := targetstest.Compile(t, &targets.Descriptor{Kinds: set.Kinds(), Compile: set.Compile}, "", "get: /",
		`parrot: "line ${int(7,7)}"`, "parrot: none", "parrot: busy")
	get, say, none, busy := flow.Calls[0], flow.Calls[1], flow.Calls[2], flow.Calls[3]
	if set.Of(get).Name != "http" || set.Of(say).Name != "parrot" ||
		!slices.Equal(set.Parts(say), []string{"first byte"}) || set.Parts(get) != nil {
		t.Errorf("%s, %s, parts %v and %v", set.Of(get).Name, set.Of(say).Name, set.Parts(say), set.Parts(get))
	}
	var parts []scenarios.Outcome
	o := targets.Options{
		Base: web.URL, Endpoints: map[string]string{"line": line.Base()}, Timeout: 10 * time.Second, T0: time.Now(),
		Emit: func(_ *template.Iter, c scenarios.Call, part int, out *scenarios.Outcome) {
			if c == say && part == 0 {
				parts = append(parts, *out)
			}
		},
	}
	of := set.Select(flow.Calls...)
	client, err := of.Client(o)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := of.Bind(t.Context(), client); err != nil || echo.Bound.Load() != 3 {
		t.Fatalf("bound: %d, %v", echo.Bound.Load(), err)
	}
	user := flow.Open(t, client, o.T0, 0)
	for i := range 2 {
		if out := user.Do(0, 10*time.Second); out.Kind != scenarios.OK || out.Status != 200 || set.Absent(get, &out) {
			t.Fatalf("%+v", out)
		}
		out := user.Do(1, 10*time.Second)
		if out.Kind != scenarios.OK || out.Bytes != int64(len("line 7\n")) || out.Sent > out.First || out.First > out.End ||
			set.Absent(say, &out) {
			t.Fatalf("%+v", out)
		}
		if len(parts) != i+1 || parts[i].End != out.First {
			t.Fatalf("parts: %+v of %+v", parts, out)
		}
		if out := user.Do(2, 10*time.Second); !set.Absent(none, &out) {
			t.Errorf("not absent: %+v", out)
		} else if set.Retry(none, &out) || !set.Retry(none, &scenarios.Outcome{}) {
			t.Error("an answer is asked for again, or the lack of one is not")
		}
		if out := user.Do(3, 10*time.Second); !set.Retry(busy, &out) {
			t.Errorf("not asked for again: %+v", out)
		}
		of.Ender()(user.Session, &user.It)
	}
	if n := echo.Ended.Load(); n != 2 {
		t.Errorf("%d iterations ended", n)
	}
	if n := line.Connections(); n != 4 { // three to bind, one for the calls
		t.Errorf("%d connections", n)
	}
	if client.Opened() != 2 { // one to the echo server, one to the web server
		t.Errorf("opened %d", client.Opened())
	}
	client.Abort()
	if out := user.Do(1, 10*time.Second); out.Cause != scenarios.Unfinished {
		t.Errorf("after the abort: %+v", out)
	}
}

// The smallest protocol keeps the promises of all, by the pool of package targets.
func TestNewProtocol_Suite(t *testing.T) {
	targetstest.Run(t, targetstest.Suite{
		Protocol: new(targetstest.Echo).Descriptor(),
		Start:    func(t testing.TB) targetstest.Server { return targetstest.StartEcho(t) },
		Network:  func(o *targets.Options) (targets.Network, error) { return dial.NewNetwork(o) },
		Failed:   scenarios.Check(0),
		Steps: targetstest.Steps{
			Answer: "parrot: hello", Slow: "parrot: slow", Hold: "parrot: hold", Marked: "parrot: hold ${var.mark}",
			Fail: "{parrot: wrong, want: right}", Cut: "parrot: cut", Reset: "parrot: reset",
		},
	})
}

// A load whose steps use one protocol needs no step of another.
func TestSet_OneProtocol(t *testing.T) {
	set := catalog.NewSet(append(catalog.Protocols(), new(targetstest.Echo).Descriptor())...)
	flow := targetstest.Compile(t, &targets.Descriptor{Kinds: set.Kinds(), Compile: set.Compile}, "", "parrot: hi")
	client, err := set.Select(flow.Calls...).Client(targets.Options{
		Base: "parrot://127.0.0.1:1", T0: time.Now(),
		Allow: targetstest.Gate(func(netip.Addr, string, string) error { return errors.New("no") }),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if out := flow.Open(t, client, time.Now(), 0).Do(0, time.Second); out.Cause != scenarios.NotAllowed {
		t.Errorf("%+v", out)
	}
}

// TestCauses: files of requests carry causes as numbers, so that a number keeps its name for ever.
func TestCauses(t *testing.T) {
	names := scenarios.Causes{Families: catalog.New().Causes()}
	for cause, want := range map[scenarios.Cause]string{
		0x40000: "status OK", 0x4000e: "status UNAVAILABLE", 0x40010: "status UNAUTHENTICATED", 0x40011: "status 17",
		0x50000: "error other", 0x50002: "error WRONGTYPE", 0x50004: "error READONLY", 0x50025: "error NOSUB",
		0x50026: "error other", 0x604bd: "error 1213", 0x71136: "close 4406",
		0x40000000: "error 00000", 0x40668401: "error 40001", 0x439aa3ff: "error ZZZZZ", 0x43653f40: "error XX000",
		0x80001: "other", 0xb0001: "error permissions violation", 0xb01f7: "status 503", 0xb274b: "error 10059",
		0xc0001: "error nack", 0xc0138: "error 312",
	} {
		if got := names.Name(cause); got != want {
			t.Errorf("%#x is %q, want %q", uint32(cause), got, want)
		}
	}
}

// TestCauses_Families: no cause is of two families, nor of one and of brunt itself.
func TestCauses_Families(t *testing.T) {
	all := catalog.New().Causes()
	for i, f := range all {
		if f.First < scenarios.FirstFamily || f.Cause(0) != f.First || !f.Has(f.First) || f.Has(f.First-1) {
			t.Errorf("a family begins with %#x", uint32(f.First))
		}
		for _, other := range all[i+1:] {
			if f.Has(other.First) || other.Has(f.First) {
				t.Errorf("%#x is of two families", uint32(max(f.First, other.First)))
			}
		}
	}
}

// A protocol describes itself in one sentence, and no two have a kind in common.
func TestProtocols(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range catalog.Protocols() {
		if !strings.HasSuffix(d.Doc, ".") || d.Name == "" || len(d.Schemes) == 0 {
			t.Errorf("%s: %q, %v", d.Name, d.Doc, d.Schemes)
		}
		files, _ := filepath.Glob(filepath.Join("..", strings.TrimPrefix(d.Settings.PkgPath(), "brunt/targets/"),
			"*_test.go"))
		if !slices.ContainsFunc(files, func(name string) bool {
			b, err := os.ReadFile(name)
			return err == nil && strings.Contains(string(b), "targetstest.Run(")
		}) {
			t.Errorf("%s: no test of %s runs the suite: targetstest.Run", d.Name, d.Settings.PkgPath())
		}
		for _, kind := range d.Kinds {
			if seen[kind] {
				t.Errorf("%s: kind %s is another's", d.Name, kind)
			}
			seen[kind] = true
		}
	}
}
