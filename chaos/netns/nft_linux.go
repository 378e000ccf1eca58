package netns

import (
	"net/netip"
)

// nftMechanism implements actions with rules in an nftables table that its maker owns. The kernel removes
// the table when brunt ends, even if it is killed.
func nftMechanism(a Action) mechanism {
	install := cut
	switch a {
	case DNSFail, DNSMute, DNSSpoof:
		install = redirect
	}
	return mechanism{
		name: "nft",
		can:  func(Spec) error { return nil },
		probe: func() error {
			h, err := install(Spec{
				Do: a, Match: Match{Ports: []uint16{53}}, Share: 0.5, Answers: []netip.Addr{netip.IPv6Loopback()},
			})
			if err != nil {
				return err
			}
			return h.Close()
		},
		set: func(n *Namespace, s Spec) (held Held, err error) {
			err = n.Do(func() (err error) {
				held, err = install(s)
				return err
			})
			return held, err
		},
		fix: "load the kernel modules nf_tables, nft_ct, nft_numgen, nft_reject_inet, nft_nat and nfnetlink_queue; Linux " +
			"5.12 or newer",
	}
}
