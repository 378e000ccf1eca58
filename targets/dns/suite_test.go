package dns_test

import (
	"testing"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/dial"
	"brunt/targets/dns"
	"brunt/targets/targetstest"
)

var steps = targetstest.Steps{
	Answer: "dns: answer.test A", Slow: "dns: slow.test", Hold: "dns: hold.test", Marked: `dns: "${var.mark}.mark.test A"`,
	Fail: "dns: fail.test", Cut: "dns: cut.test", Reset: "dns: reset.test",
}

func network(o *targets.Options) (targets.Network, error) { return dial.NewNetwork(o) }

func TestDNS_Suite(t *testing.T) {
	for _, scheme := range []string{"dns", "dns+tcp", "dns+tls"} {
		t.Run(scheme, func(t *testing.T) {
			d, over := dns.Descriptor(), steps
			if scheme == "dns+tls" {
				client := d.Client
				d.Client = func(o targets.Options) (targets.Client, error) {
					o.TLS = &scenarios.TLS{InsecureSkipVerify: true}
					return client(o)
				}
				over.Reset = "" // the server's TLS cannot reset the connection
			}
			targetstest.Run(t, targetstest.Suite{
				Protocol: d, Start: func(t testing.TB) targetstest.Server { return start(t, scheme, nil) }, Steps: over,
				Failed: dns.RcodeCause("NXDOMAIN"), Network: network, Datagrams: scheme == "dns",
			})
		})
	}
}
