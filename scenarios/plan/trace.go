package plan

import (
	"net/netip"

	"brunt/scenarios/syntax"
	"brunt/targets"
)

// checkListen refuses to receive spans at an address beyond loopback that the scenario and the policies do not allow:
// everybody who reaches it could send some.
func checkListen(p *Plan, m *syntax.Mistakes) {
	t := &p.Scenario.Trace
	checkForward(p, m)
	at, err := netip.ParseAddrPort(t.ListenAddress())
	if err != nil { // no address, or a mistake that is already reported
		return
	}
	if err := p.LoadAllowlist.CheckAddr(at, ""); err != nil {
		m.Add(t.Of("listen"), "spans would be received at %s: %v", at, err)
	}
}

// checkForward refuses to send spans on to an address that the scenario and the policies do not allow. A name is
// looked up when the run begins.
func checkForward(p *Plan, m *syntax.Mistakes) {
	t := &p.Scenario.Trace
	to := t.ForwardTo()
	if to == nil {
		return
	}
	at, err := netip.ParseAddrPort(targets.HostPort(to))
	if err != nil {
		return
	}
	reach, err := p.SendTo()
	if err == nil {
		err = reach(at, to.Hostname())
	}
	if err != nil {
		m.Add(t.Of("forward"), "spans would be forwarded to %s: %v", at, err)
	}
}
