package link

import (
	"context"
	"errors"
	"fmt"
	"time"

	"brunt/chaos"
	"brunt/chaos/netns"
	"brunt/chaos/proof"
	"brunt/chaos/proxy"
	"brunt/chaos/selector"
)

// DatagramEvidence says how to prove a toxic on a link of datagrams, by datagrams of brunt's own to an echo.
type DatagramEvidence struct {
	N, Size int           // datagrams, and bytes of each; zero is the least
	Wait    time.Duration // for the last answer; zero is [proof.Silence]
	// Prove proves the effect. Before is what a probe found before the toxic.
	Prove func(before, now netns.ProbeResult, hit netns.Affected) (string, error)
	// Undone proves that the effect is over.
	Undone func(before, now netns.ProbeResult) (string, error)
}

// errConnections says that a fault has no effect on datagrams.
var errConnections = errors.New("this fault acts on connections, and the load sends datagrams on this link; " +
	selector.ActOnDatagrams)

// probe probes a link n times.
func (e *DatagramEvidence) probe(ctx context.Context, l *chaos.Link, n int) (netns.ProbeResult, netns.Affected, error) {
	wait := e.Wait
	if wait == 0 {
		wait = proof.Silence
	}
	r, err := l.Proxy.Probe(ctx, proxy.ProbeRequest{Kind: proxy.Datagram, N: n, Size: e.Size, Wait: wait})
	d := r.Datagrams
	return netns.ProbeResult{
		Sent: d.Sent, Came: d.Came, Twice: d.Twice, Late: d.Late, Damaged: d.Damaged, Bytes: d.Bytes, Times: d.Times,
		Span: d.Span,
	}, netns.Affected{Packets: d.Hit, Hit: d.Hit}, err
}

// count returns the number of datagrams of a proof.
func (e *DatagramEvidence) count() int { return max(e.N, proof.Pings) }

// mostLate is the lateness of this machine beyond which datagrams without an effect of the fault show nothing: they or
// their answers may have waited, and arrived together or after their time.
const mostLate = 20 * time.Millisecond

// prove proves the effect on a link.
func (e *DatagramEvidence) prove(ctx context.Context, l *chaos.Link, before netns.ProbeResult) (string, error) {
	return UntilClear(ctx, func(pulse *proxy.Pulse) (string, error) {
		now, hit, err := e.probe(ctx, l, e.count())
		if err != nil {
			return "", err
		}
		text, err := e.Prove(before, now, hit)
		if late := pulse.Late(); errors.Is(err, chaos.ErrNoEffect) && late > mostLate {
			return err.Error(), Mixed(late)
		}
		return text, err
	})
}

// undone proves that the effect on a link is over.
func (e *DatagramEvidence) undone(ctx context.Context, l *chaos.Link) (string, error) {
	now, _, err := e.probe(ctx, l, e.count())
	if err != nil {
		return "", err
	}
	return e.Undone(netns.ProbeResult{}, now)
}

// probeBefore probes the first links of datagrams before the toxic.
func (t *Toxic) probeBefore(ctx context.Context) error {
	t.found = make([]netns.ProbeResult, min(len(t.Links), mostProved))
	return t.each(func(i int, l *chaos.Link) (err error) {
		if l.Datagrams {
			t.found[i], _, err = t.Datagrams.probe(ctx, l, proof.Pings)
		}
		return err
	})
}

// checkDatagrams refuses a toxic without an effect on datagrams on a link that carries them.
func (t *Toxic) checkDatagrams() error {
	for _, l := range t.Links {
		if l.Datagrams && (t.Datagrams == nil || t.Toxic.Begin().Datagrams == nil) {
			return fmt.Errorf("%s: %w", l.Name(), errConnections)
		}
	}
	return nil
}
