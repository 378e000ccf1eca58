package dns

import (
	"brunt/scenarios"

	"github.com/miekg/dns"
)

// RcodeCause returns the cause of an answer with an rcode.
func RcodeCause(name string) scenarios.Cause { return causes.Cause(int32(dns.StringToRcode[name])) }
