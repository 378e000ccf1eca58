package result_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// TestRequests writes requests of every kind and reads them back.
func TestRequests(t *testing.T) {
	head := result.Requests{
		Run: "r", T0: time.Now(), Loads: []string{"a", "b"},
		Steps: []result.RequestsStep{{"read", "GET", "/posts"}, {"x\ny", "POST", "/"}}, Checks: []string{"$.a"},
	}
	var b bytes.Buffer
	w, err := result.NewRequestsWriter(&b, head)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 2))
	var want []scenarios.Outcome
	for range 1000 {
		at := func() time.Duration { return time.Duration(r.Int64()) - time.Hour }
		o := scenarios.Outcome{
			Load: r.Int32N(2), Step: r.Int32N(2), Kind: scenarios.Kind(r.IntN(int(scenarios.Kinds))),
			Closed: r.IntN(2) == 0, WasSent: r.IntN(2) == 0, Answered: r.IntN(2) == 0,
			Status: r.Int32N(600), Cause: scenarios.Check(r.IntN(3)), Intended: at(), Ready: at(), Slot: at(), Sent: at(),
			End: at(), Bytes: r.Int64(),
		}
		want = append(want, o)
		if err := w.Write(&o); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	file := b.Bytes()
	in, err := result.NewRequestsReader(bytes.NewReader(file))
	if err != nil || !in.T0.Equal(head.T0) || in.Steps[1].Name != "x\ny" || in.Checks[0] != "$.a" {
		t.Fatalf("%+v: %v", in, err)
	}
	var o scenarios.Outcome
	for i := range want {
		if err := in.Read(&o); err != nil || o != want[i] {
			t.Fatalf("request %d: %+v, want %+v: %v", i, o, want[i], err)
		}
	}
	if err := in.Read(&o); !errors.Is(err, io.EOF) {
		t.Errorf("behind the last: %v", err)
	}
	// A killed run leaves an incomplete request.
	in, _ = result.NewRequestsReader(bytes.NewReader(file[:len(file)-1]))
	n := 0
	for in.Read(&o) == nil {
		n++
	}
	if n != len(want)-1 {
		t.Errorf("%d of a file without its last byte", n)
	}
}

func TestRequests_Damaged(t *testing.T) {
	for _, c := range []struct{ name, file, want string }{
		{"empty", "", "this is not a file of requests"},
		{"of something else", "hello\n", "this is not a file of requests"},
		{"of another version", `{"version": 2}` + "\n", "is of version 2, and this brunt reads version 1"},
		{"of a step that is not there", `{"version": 1, "loads": ["a"], "steps": []}` + "\n" +
			strings.Repeat("\x00", result.RecordSize), "damaged"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in, err := result.NewRequestsReader(strings.NewReader(c.file))
			if err == nil {
				err = in.Read(new(scenarios.Outcome))
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}
