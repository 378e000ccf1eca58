package platform_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/targets/platform"
)

// A fake is a platform without processes. It records what it is asked to do.
type fake struct {
	mu    sync.Mutex
	calls []string
	units []*platform.Unit

	prepare error                    // of Prepare
	checks  map[string]func() error  // by unit; nil: always ready
	failed  map[string]func() string // by unit; nil: never
}

func (f *fake) note(call string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, call)
}

func (f *fake) Units() []*platform.Unit { return f.units }

func (f *fake) Prepare(context.Context) error {
	f.note("prepare")
	return f.prepare
}

func (f *fake) Release(context.Context) error {
	f.note("release")
	return nil
}

type fakeInstance struct {
	*fake
	name string
}

func (i fakeInstance) Addr() string { return "10.0.0.1:80" }
func (i fakeInstance) Ref() string  { return i.name }
func (i fakeInstance) Start(context.Context) error {
	i.note("start " + i.name)
	return nil
}
func (i fakeInstance) Running() error { return nil }
func (i fakeInstance) Check(context.Context) error {
	if check := i.checks[i.name]; check != nil {
		return check()
	}
	return nil
}

func (i fakeInstance) Failed(context.Context) string {
	if failed := i.failed[i.name]; failed != nil {
		return failed()
	}
	return ""
}

func (i fakeInstance) Output(context.Context) (end string, exit error) {
	return "a\nlast words\n", errors.New("exit status 3")
}

func (i fakeInstance) Remove(context.Context) error {
	i.note("remove " + i.name)
	return nil
}

// fakeGroup returns a group of web, which calls store.
func fakeGroup(f *fake) *platform.Group {
	spec := platform.Spec{Services: []platform.Service{
		{Name: "web", Replicas: 1, Links: []string{"store"}},
		{Name: "store", Replicas: 1, Ready: scenarios.Ready{Within: quantity.Duration(time.Second)}},
	}}
	for i := range spec.Services {
		s := &spec.Services[i]
		f.units = append(f.units, platform.NewUnit(s, 0, fakeInstance{f, s.Name},
			func(event, unit, _ string) { f.note(event + " " + unit) }))
	}
	return platform.NewGroup(spec, f)
}

func TestGroup_UpAndDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tries := 0
		f := &fake{checks: map[string]func() error{"store": func() error {
			if tries++; tries < 3 {
				return errors.New("not yet")
			}
			return nil
		}}}
		g := fakeGroup(f)
		if err := g.Up(t.Context()); err != nil {
			t.Fatal(err)
		}
		if want := []string{
			"prepare", "start store", "unit.ready store[0]", "start web", "unit.ready web[0]",
		}; !slices.Equal(f.calls, want) {
			t.Errorf("%q, want %q", f.calls, want)
		}
		a := g.Addresses()
		if a["unit.web[0].url"] != "http://10.0.0.1:80" || a["unit.web.port"] != "80" ||
			g.Addr("web[0]") != "10.0.0.1:80" || g.Addr("web[1]") != "" {
			t.Errorf("%v", a)
		}
		f.calls = nil
		if err := g.Down(t.Context()); err != nil {
			t.Fatal(err)
		}
		if slices.Sort(f.calls[:2]); !slices.Equal(f.calls, []string{"remove store", "remove web", "release"}) {
			t.Errorf("%q", f.calls)
		}
	})
}

// A group that does not come up is removed as a whole, and the error says why.
func TestGroup_NotUp(t *testing.T) {
	refused := func() error { return errors.New("refused") }
	for _, c := range []struct {
		name  string
		fake  *fake
		want  string
		takes time.Duration
	}{
		{"prepare", &fake{prepare: errors.New("no image")}, "no image", 0},
		{
			"never ready", &fake{checks: map[string]func() error{"store": refused}},
			"store[0] is not ready: not within 1s: refused (exit status 3); its output ends:\n    a\n    last words",
			time.Second,
		},
		{
			"failed", &fake{
				checks: map[string]func() error{"store": refused},
				failed: map[string]func() string{"store": func() string { return "it keeps ending" }},
			},
			"store[0] is not ready: it keeps ending (exit status 3)", 0,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				err := fakeGroup(c.fake).Up(t.Context())
				if err == nil || !strings.Contains(err.Error(), c.want) || time.Since(began) != c.takes {
					t.Errorf("after %v: %v, want %q after %v", time.Since(began), err, c.want, c.takes)
				}
				if n := len(c.fake.calls); slices.Contains(c.fake.calls, "start web") || c.fake.calls[n-1] != "release" ||
					!slices.Contains(c.fake.calls, "remove web") {
					t.Errorf("%q", c.fake.calls)
				}
			})
		})
	}
}

// TestUnit_Silent has a check that does not end in time: the unit was asked, and no answer came. After an answer, that
// answer counts.
func TestUnit_Silent(t *testing.T) {
	for first, want := range map[bool]string{
		false: "web[0] is not ready: not within 1s: its readiness check has no answer yet",
		true:  "web[0] is not ready: not within 1s: refused",
	} {
		synctest.Test(t, func(t *testing.T) {
			asked := 0
			s := &platform.Service{Name: "web", Ready: scenarios.Ready{Within: quantity.Duration(time.Second)}}
			s.Ready.Asks = func(ctx context.Context, _, _, _ string) error {
				if asked++; first && asked == 1 {
					return errors.New("refused")
				}
				<-ctx.Done()
				return ctx.Err()
			}
			u := platform.NewUnit(s, 0, fakeInstance{&fake{}, "web"}, nil)
			if err := u.AwaitReady(t.Context()); err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%v, want %s", err, want)
			}
		})
	}
}

// A check that runs a command is run four times a second at most, whichever part of a run asks.
func TestUnit_Pace(t *testing.T) {
	for runs, want := range map[bool]int{true: 4, false: 40} {
		synctest.Test(t, func(t *testing.T) {
			var asked atomic.Int64
			s := &platform.Service{
				Name: "web", Ready: scenarios.Ready{Within: quantity.Duration(900 * time.Millisecond), Runs: runs},
			}
			s.Ready.Asks = func(context.Context, string, string, string) error {
				asked.Add(1)
				return errors.New("not yet")
			}
			u := platform.NewUnit(s, 0, fakeInstance{&fake{}, "web"}, nil)
			if err := u.AwaitReady(t.Context()); err == nil || !strings.Contains(err.Error(), "not yet") {
				t.Error(err)
			}
			if n := int(asked.Load()); n != want && (runs || n < want) {
				t.Errorf("runs %v: asked %d times, want %d", runs, n, want)
			}
			if !runs {
				return
			}
			var wg sync.WaitGroup
			began := time.Now()
			for range 5 {
				wg.Go(func() { _ = u.Ready(t.Context()) })
			}
			if wg.Wait(); time.Since(began) < time.Second || int(asked.Load()) != want+5 {
				t.Errorf("5 checks at once took %v, and asked %d times in all", time.Since(began), asked.Load())
			}
		})
	}
}

func TestGroup_Cancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &fake{checks: map[string]func() error{"store": func() error { return errors.New("refused") }}}
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		if err := fakeGroup(f).Up(ctx); !errors.Is(err, context.DeadlineExceeded) || f.calls[len(f.calls)-1] != "release" {
			t.Errorf("%v, %q", err, f.calls)
		}
	})
}
