package smtp_test

import (
	"testing"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/dial"
	"brunt/targets/smtp"
	"brunt/targets/targetstest"
)

var steps = targetstest.Steps{
	Answer: "smtp.send: answer@x", Slow: "smtp.send: slow@x", Hold: "smtp.send: hold@x",
	Marked: `smtp.send: "hold+${var.mark}@x"`, Fail: "smtp.send: fail@x", Cut: "smtp.send: cut@x",
	Reset: "smtp.send: reset@x",
}

func network(o *targets.Options) (targets.Network, error) { return dial.NewNetwork(o) }

func TestSMTP_Suite(t *testing.T) {
	for _, secure := range []bool{false, true} {
		name, d, over := "plain", smtp.Descriptor(), steps
		if secure {
			name, over.Reset = "TLS", "" // the server's TLS cannot reset the connection
			client := d.Client
			d.Client = func(o targets.Options) (targets.Client, error) {
				o.TLS = &scenarios.TLS{InsecureSkipVerify: true}
				return client(o)
			}
		}
		t.Run(name, func(t *testing.T) {
			targetstest.Run(t, targetstest.Suite{
				Protocol: d, Start: func(t testing.TB) targetstest.Server { return start(t, options{secure: secure}) },
				Steps: over, Failed: smtp.ErrorCause("550"), Network: network,
			})
		})
	}
}
