package netns

import (
	"brunt/chaos/netns/responder"

	"github.com/miekg/dns"
)

// redirect applies a DNS fault to the thread's namespace.
func redirect(s Spec) (Held, error) {
	c := responder.Config{
		Names: s.Names, Share: s.Share, Seed: s.Seed, Resolvers: s.Match.Peers, Ports: s.Match.Ports,
		Mute: s.Do == DNSMute, Answers: s.Answers,
	}
	if s.Do == DNSFail {
		c.RCode = dns.RcodeServerFailure
		if s.RCode != "" {
			c.RCode = dns.StringToRcode[s.RCode]
		}
	}
	r, err := responder.Start(c)
	if err != nil {
		return nil, err
	}
	return responding{r}, nil
}

// responding is a DNS fault that is active.
type responding struct{ *responder.Responder }

func (r responding) Via() string { return "nft" }

// Affected implements [Held]. A packet is a query.
func (r responding) Affected() (Affected, error) {
	queries, affected, bytes := r.Counts()
	return Affected{Packets: queries, Hit: affected, Bytes: bytes}, nil
}
