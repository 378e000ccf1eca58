package targets_test

import (
	"context"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/targets"
)

// TestSelection_Spoken: the client of a load of several protocols tells what each of them used.
func TestSelection_Spoken(t *testing.T) {
	set := targets.NewSet(nil, idle("b"), idle("aaa"))
	var calls []scenarios.Call
	for _, kind := range []string{"b", "aaa"} {
		call, _ := set.Compile(syntax.Block{Kind: kind}, targets.Scope{}, &syntax.Mistakes{})
		calls = append(calls, call)
	}
	client, err := set.Select(calls...).Client(targets.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := targets.Spoken{Versions: []string{"1.0", "aaa", "b"}, Waits: 4, Streams: 3}
	if got := client.Spoken(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestSelection_Bind: a target that does not answer while calls are prepared is an error in time, which says what to
// look at.
func TestSelection_Bind(t *testing.T) {
	for _, c := range []struct {
		name string
		bind func(ctx context.Context) error
		want string
		most time.Duration
	}{
		{
			"silent", func(ctx context.Context) error { <-ctx.Done(); return io.ErrUnexpectedEOF },
			"did not answer within 10s", 11 * time.Second,
		},
		{"closed", func(context.Context) error { return io.EOF }, "ends them without an answer", 0},
		{"refused", func(context.Context) error { return io.ErrShortWrite }, "aaa: short write", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := idle("aaa")
				d.Bind = func(ctx context.Context, _ scenarios.Call, _ targets.Client) error { return c.bind(ctx) }
				set := targets.NewSet(nil, d)
				call, _ := set.Compile(syntax.Block{Kind: "aaa"}, targets.Scope{}, &syntax.Mistakes{})
				began := time.Now()
				err := set.Select(call).BindOnce(t.Context(), targets.Options{})
				if took := time.Since(began); err == nil || !strings.Contains(err.Error(), c.want) || took > c.most {
					t.Errorf("after %v: %v", took, err)
				}
			})
		})
	}
}

// stubborn is a client that ends only when it is told so.
type stubborn struct {
	targets.Client
	ends chan struct{}
}

func (s stubborn) Close() error {
	<-s.ends
	return nil
}

// TestClient_Close: a client that does not end is given up after ten seconds, with an error that says so.
func TestClient_Close(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := stubborn{ends: make(chan struct{})}
		d := &targets.Descriptor{Name: "stubborn", Client: func(targets.Options) (targets.Client, error) { return s, nil }}
		client, err := targets.NewSet(nil, d).Select().Client(targets.Options{})
		if err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if err := client.Close(); err == nil || !strings.Contains(err.Error(), "still open 10s after") {
			t.Errorf("it ended with %v", err)
		}
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("it took %v", took)
		}
		close(s.ends)
	})
}
