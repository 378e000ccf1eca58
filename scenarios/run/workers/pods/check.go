package pods

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/template"
)

// Check returns an error that says why pods can't make the load of a plan; nil if they can.
func Check(p *plan.Plan) error {
	if p.Stack != nil && !p.Stack.OnPods() {
		return errors.New("brunt starts the target on this machine, where pods do not reach it: name a target by its URL, " +
			"as the pods see it")
	}
	var why []string
	for i := range p.Loads {
		if p.Loads[i].Script != nil {
			why = append(why, fmt.Sprintf("load %q is a script of k6, which processes of this machine make: use `on: process`",
				p.Loads[i].Name))
		}
	}
	hops := []string{p.FirstHop()}
	for _, text := range p.Endpoints(&template.Env{}) {
		if hop, err := p.HopTo(text); err == nil {
			hops = append(hops, hop)
		}
	}
	for _, hop := range hops {
		host, _, err := net.SplitHostPort(hop)
		if ip, wrong := netip.ParseAddr(host); err == nil &&
			(scenarios.IsLocalhost(host) || wrong == nil && ip.Unmap().IsLoopback()) {
			why = append(why,
				fmt.Sprintf("the target %s is this machine's own, and a pod would reach itself there: name it as the pods see it",
					hop))
		}
	}
	if len(why) == 0 {
		return nil
	}
	return fmt.Errorf("pods can't make the load: %s", strings.Join(why, "; "))
}
