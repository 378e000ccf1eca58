package network

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"brunt/chaos"
	"brunt/chaos/medium/link"
	"brunt/chaos/medium/packets"
	"brunt/chaos/netns"
	"brunt/chaos/proof"
	"brunt/chaos/proxy"
)

// A cut is the effect of a fault that lets nothing pass.
type cut struct {
	fresh proxy.Outcome             // of a connection opened while the fault is in
	old   proxy.Outcome             // of one opened before, on links
	line  func(netns.Outcome) error // checks that of one opened before, on packets
}

// onPackets proves that nothing is answered, or that the fault refuses connections, and not the other end.
func (c cut) onPackets() packets.Evidence {
	s := packets.Evidence{N: proof.Pings, Undone: answersAgain, Line: c.line}
	if c.fresh == proxy.Silent {
		s.Prove = func(_ packets.Baseline, now netns.ProbeResult, affected netns.Affected) (string, error) {
			switch n := now.Answered(); { // unreachable is no answer: where the kernel can't drop a packet unseen, sending fails
			case n > 0:
				return "", fmt.Errorf("%w: %d of %d have an answer", chaos.ErrNoEffect, n, now.Sent)
			case affected.Hit == 0: // the other end may have ended
				return "", fmt.Errorf("%w: none of %d has an answer, and no packet of them was hit", chaos.ErrNoEffect, now.Sent)
			}
			return fmt.Sprintf("none of %d has an answer", now.Sent), nil
		}
		return s
	}
	s.Kind = netns.Connect
	s.Prove = func(_ packets.Baseline, now netns.ProbeResult, affected netns.Affected) (string, error) {
		if now.Came > 0 || now.Silent() > 0 || affected.Hit == 0 {
			return "", fmt.Errorf("%w: of %d connections %d are made and %d have no answer, and %d packets of them were hit",
				chaos.ErrNoEffect, now.Sent,
				now.Came, now.Silent(), affected.Hit)
		}
		return fmt.Sprintf("%d of %d connections are refused", now.Sent, now.Sent), nil
	}
	return s
}

func (c cut) onLinks() link.Evidence {
	return link.Evidence{Watch: true, Prove: link.Outcomes{Fresh: c.fresh, Old: c.old}.Find, Undone: link.Answers}
}

// wantOutcome returns a check of the outcome of a connection that was opened before the fault.
func wantOutcome(what string, wanted ...netns.Outcome) func(netns.Outcome) error {
	return func(got netns.Outcome) error {
		if slices.Contains(wanted, got) {
			return nil
		}
		return fmt.Errorf("%w: it is %s, and should be %s", chaos.ErrNoEffect, got, what)
	}
}

// An ended is the effect of a fault that ends open connections. New ones may work.
type ended struct{}

func (ended) onPackets() packets.Evidence {
	return packets.Evidence{
		Ends: true, Undone: answersAgain, Line: wantOutcome("reset", netns.Ended),
		Prove: func(_ packets.Baseline, now netns.ProbeResult, _ netns.Affected) (string, error) {
			return fmt.Sprintf("%d of %d have an answer", now.Answered(), now.Sent), nil
		},
	}
}

func (ended) onLinks() link.Evidence {
	return link.Evidence{
		Watch: true, Undone: link.Answers,
		Prove: func(ctx context.Context, _ *chaos.Link, before proxy.Line) (string, error) {
			if before == nil {
				return "", errors.New("no connection could be opened before it, as another fault is on the link")
			}
			if got := link.OutcomeOf(ctx, before); got != proxy.WasReset {
				return "", fmt.Errorf("%w: a connection that was open before is %s", chaos.ErrNoEffect, got)
			}
			return "a connection that was open before is reset", nil
		},
	}
}
