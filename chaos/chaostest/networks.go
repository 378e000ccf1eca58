package chaostest

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"brunt/chaos"
)

// Networks returns the state of the networks of some units, as the usual tools show it: rules, queueing disciplines,
// links and routes. It must be the same before and after a fault.
func Networks(t *testing.T, units ...chaos.Unit) string {
	t.Helper()
	var out strings.Builder
	for _, u := range units {
		pid := u.PID()
		for _, command := range []string{
			"nft -s list ruleset", "tc qdisc show", "tc filter show dev eth0", "tc filter show dev eth0 ingress",
			"ip -d link show",
			"ip address show", "ip route show table all", "ip -6 route show table all",
		} {
			args := append([]string{"-t", fmt.Sprint(pid), "-n"}, strings.Fields(command)...)
			b, err := exec.Command("nsenter", args...).CombinedOutput()
			if err != nil {
				b = fmt.Appendf(b, "%v\n", err)
			}
			fmt.Fprintf(&out, "%s: %s\n%s", u.Name(), command, b)
		}
	}
	return out.String()
}
