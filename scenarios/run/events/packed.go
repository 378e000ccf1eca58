package events

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"time"

	"brunt/scenarios/disk"
	"brunt/scenarios/result"
)

// packed is a list of events that are encoded in a file, because a run has thousands of events, and each would take
// 150 bytes of memory besides its texts.
//
// An event is encoded as the number of its kind, its time since base and its time by the wall clock, both in ns, its
// fault, unit and text, each preceded by its length, and the number of its data; 0 means no data.
type packed struct {
	base  time.Time // times are relative to base
	kinds []string
	data  []map[string]any
	list  disk.Spool
	n     int
}

// add adds an event at a time.
func (p *packed) add(at time.Time, e *result.Event) {
	kind := slices.Index(p.kinds, e.Event)
	if kind < 0 {
		kind, p.kinds = len(p.kinds), append(p.kinds, e.Event)
	}
	data := 0
	if e.Data != nil {
		p.data = append(p.data, e.Data)
		data = len(p.data)
	}
	var buf [512]byte
	b := binary.AppendUvarint(buf[:0], uint64(kind))
	b = binary.AppendVarint(b, int64(at.Sub(p.base)))
	b = binary.AppendVarint(b, int64(e.At.Sub(p.base.Round(0))))
	for _, s := range []string{e.Fault, e.Unit, e.Text} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	b = binary.AppendUvarint(b, uint64(data))
	cluster := int64(0)
	if !e.Cluster.IsZero() {
		cluster = e.Cluster.Unix()
	}
	b = binary.AppendVarint(b, cluster)
	p.list.Append(b)
	p.n++
}

// each calls do with each event, in the order in which they were added. The time of an event is relative to t0. After
// an error of the file, the remaining events are lost.
func (p *packed) each(t0 time.Time, do func(e result.Event)) error {
	begun := t0.Sub(p.base)
	in := bufio.NewReader(p.list.Reader())
	var broken error
	keep := func(err error) {
		if broken == nil {
			broken = err
		}
	}
	number := func() uint64 {
		n, err := binary.ReadUvarint(in)
		keep(err)
		return n
	}
	signed := func() int64 {
		n, err := binary.ReadVarint(in)
		keep(err)
		return n
	}
	offset := func() time.Duration { return time.Duration(signed()) }
	text := func() string {
		n := number()
		if broken != nil || n == 0 {
			return ""
		}
		b := make([]byte, n)
		_, err := io.ReadFull(in, b)
		keep(err)
		return string(b)
	}
	for range p.n {
		kind := number()
		var e result.Event
		e.T, e.At = result.Sec(offset()-begun), p.base.Round(0).UTC().Add(offset())
		e.Fault, e.Unit, e.Text = text(), text(), text()
		data, cluster := number(), signed()
		if broken != nil {
			return fmt.Errorf("reading the events back: %w", broken)
		}
		if e.Event = p.kinds[kind]; data > 0 {
			e.Data = p.data[data-1]
		}
		if cluster != 0 {
			e.Cluster = time.Unix(cluster, 0).UTC()
		}
		do(e)
	}
	return nil
}
