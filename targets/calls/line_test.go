package calls

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/template"
	"brunt/targets/park"
)

// TestLine_Queued: the frames that wait for a call are few, or small. The size of one is that of its bytes.
func TestLine_Queued(t *testing.T) {
	c, server := net.Pipe()
	defer c.Close()
	defer server.Close()
	l := &Line[[]byte]{
		Conn: park.Conn{Conn: c, Plain: true}, arrived: make(chan arrived[[]byte], 64), room: make(chan struct{}, 1),
	}
	l.Reader = bufio.NewReaderSize(l, 4<<10)
	sizes := []int{5000, 100, 9000}
	go func() {
		var all []byte
		for _, n := range sizes {
			all = append(binary.BigEndian.AppendUint32(all, uint32(n)), make([]byte, n)...)
		}
		_, _ = server.Write(append(all, 0)) // the last byte lets the reader see that more comes
	}()
	p := &Protocol[[]byte]{Read: func(r *bufio.Reader) ([]byte, error) {
		var head [4]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return nil, err
		}
		return ReadWhole(r, int(binary.BigEndian.Uint32(head[:])))
	}}
	want := int64(0)
	for _, n := range sizes {
		if err := l.pass(p, func() time.Duration { return 0 }); err != nil {
			t.Fatal(err)
		}
		if want += int64(n) + 4; l.queued.Load() != want {
			t.Errorf("%d bytes are queued, want %d", l.queued.Load(), want)
		}
	}
	x := &Exchange[[]byte]{Line: l}
	for _, n := range sizes {
		if f, _, err := x.Next(time.Minute); err != nil || len(f) != n {
			t.Errorf("%d bytes, want %d: %v", len(f), n, err)
		}
	}
	const half = mostQueued / 2
	for i, c := range []struct {
		size int64
		want bool
	}{{half, true}, {half, true}, {1, false}} {
		if got := l.queue(arrived[[]byte]{size: c.size}); got != c.want {
			t.Errorf("frame %d: %v", i, got)
		}
	}
	done := make(chan error)
	go func() { done <- l.wait(arrived[[]byte]{size: half}) }()
	if _, _, err := x.Next(time.Minute); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil || l.queued.Load() != mostQueued {
		t.Errorf("%d bytes are queued: %v", l.queued.Load(), err)
	}
	for range 2 {
		_, _, _ = x.Next(time.Minute)
	}
	if !l.queue(arrived[[]byte]{size: 2 * mostQueued}) {
		t.Error("a frame that is alone is refused")
	}
}

// TestExchange_Came: a message that came before the call took it no time, and the time when it came is known.
func TestExchange_Came(t *testing.T) {
	x := new(Exchange[[]byte])
	x.Out, x.It = &scenarios.Outcome{Slot: 5, Sent: 5}, new(template.Iter)
	x.Take(nil, 3)
	if o := x.Out; o.First != 5 || o.End != 5 || o.Sent != 5 || x.It.Came != 3 {
		t.Errorf("%+v, and it came at %d", o, x.It.Came)
	}
	x.Take(nil, 7)
	if o := x.Out; o.First != 5 || o.End != 7 || x.It.Came != 0 {
		t.Errorf("%+v, and it came at %d", o, x.It.Came)
	}
}
