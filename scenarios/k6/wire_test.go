package k6

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
)

// sent contains one frame of every type.
func sent() []byte {
	b := appendHello(nil, time.Unix(1_800_000_000, 5))
	b = appendNamed(b, frameStep, 0, "list posts")
	b = appendNamed(b, frameCheck, 0, "is 200")
	b = appendRequest(b, &Request{
		Step: 0, End: time.Second, Service: time.Millisecond, First: time.Microsecond, Status: 503, Code: -1, Failed: true,
		Answered: true, Checks: 3, Wrong: 2, Check: 0, Queue: 1, Connect: 2, TLS: 3, Send: 4,
	})
	b = appendRequest(b, &Request{Step: 0, End: -time.Second})
	b = appendIteration(b, 2*time.Second, time.Second)
	b = appendDropped(b, 3*time.Second, 7)
	b = appendUsers(b, 50)
	b = appendNamed(b, frameException, int64(time.Minute), "Error: x\n\tat y")
	return appendNote(b, &Note{Ready: true, Lost: 4, Mark: &Mark{Text: "m", Data: map[string]any{"a": 1.5}}})
}

func TestRead(t *testing.T) {
	g := newGot()
	if err := readMessages(bytes.NewReader(sent()), g); err != nil {
		t.Fatal(err)
	}
	if !g.wall.Equal(time.Unix(1_800_000_000, 5)) || g.steps[0] != "list posts" || g.checks[0] != "is 200" ||
		g.dropped != 7 || g.users != 50 {
		t.Errorf("%+v", g)
	}
	want := []Request{
		{
			End: time.Second, Service: time.Millisecond, First: time.Microsecond, Status: 503, Code: -1, Failed: true,
			Answered: true, Checks: 3, Wrong: 2,
			Queue: 1, Connect: 2, TLS: 3, Send: 4,
		},
		{End: -time.Second},
	}
	if !reflect.DeepEqual(g.requests, want) {
		t.Errorf("%+v", g.requests)
	}
	if !reflect.DeepEqual(g.iterations, []Iteration{{2 * time.Second, time.Second}}) ||
		!reflect.DeepEqual(g.exceptions, []string{"Error: x\n\tat y"}) {
		t.Errorf("%+v %q", g.iterations, g.exceptions)
	}
	if n := g.last(); !n.Ready || n.Lost != 4 || n.Mark.Data["a"] != 1.5 {
		t.Errorf("%+v", n)
	}
}

// TestRead_Cut checks that Read distinguishes a process that died while writing from one that ended.
func TestRead_Cut(t *testing.T) {
	whole := sent()
	ends := map[int]bool{}
	for n := range whole {
		err := readMessages(bytes.NewReader(whole[:n]), newGot())
		switch {
		case err == nil:
			ends[n] = true
		case !errors.Is(err, io.ErrUnexpectedEOF):
			t.Errorf("cut after %d bytes: %v", n, err)
		}
	}
	if len(ends) != 10 { // before each frame
		t.Errorf("%d places are taken for an end", len(ends))
	}
}

func TestRead_Wrong(t *testing.T) {
	for _, c := range []struct {
		name, frames, want string
	}{
		{
			"another version", string(appendNumbers([]byte{frameHello}, 99, 0)),
			"it speaks version 99 and brunt 4; build both from the same tree",
		},
		{"something else on standard output", "hello, I am k6", "a frame of type 'h'"},
		{"a text without end", string([]byte{frameStep, 0, 0xff, 0xff, 0xff, 0xff, 0x0f}), "a text of 4294967295 bytes"},
		{"a note that is none", string([]byte{frameNote, 1, '{'}), "can't be read"},
		{"a number without end", string([]byte{frameUsers}) + strings.Repeat("\xff", 20), "overflows"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := readMessages(strings.NewReader(c.frames), newGot()); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add(sent())
	f.Fuzz(func(_ *testing.T, b []byte) { _ = readMessages(bytes.NewReader(b), newGot()) })
}
