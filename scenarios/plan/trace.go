package plan

import (
	"net/netip"

	"brunt/scenarios/syntax"
)

// checkListen refuses to receive spans at an address beyond loopback that the scenario and the policies do not allow:
// everybody who reaches it could send some.
func checkListen(p *Plan, m *syntax.Mistakes) {
	t := &p.Scenario.Trace
	at, err := netip.ParseAddrPort(t.ListenAddress())
	if err != nil { // no address, or a mistake that is already reported
		return
	}
	if err := p.LoadAllowlist.CheckAddr(at, ""); err != nil {
		m.Add(t.Of("listen"), "spans would be received at %s: %v", at, err)
	}
}
