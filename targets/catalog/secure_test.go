package catalog_test

import (
	"slices"
	"strings"
	"testing"

	"brunt/targets/catalog"
)

func TestSecure(t *testing.T) {
	set := catalog.New()
	for scheme, want := range map[string]bool{
		"https": true, "grpcs": true, "rediss": true, "rediss+cluster": true, "rediss+sentinel": true,
		"http": false, "grpc": false, "redis": false, "redis+cluster": false, "redis+sentinel": false, "postgres": false,
	} {
		if set.Wire(scheme).TLS != want {
			t.Errorf("%s: secure is %v", scheme, !want)
		}
	}
}

// TestSecure_Form: SCHEME+tls is TLS for each protocol that has it, whatever the field's own scheme is.
func TestSecure_Form(t *testing.T) {
	set := catalog.New()
	n := 0
	for _, d := range set.Protocols() {
		for scheme, wire := range d.Wires {
			if !wire.TLS {
				continue
			}
			n++
			if plain, found := strings.CutSuffix(scheme, "+tls"); found {
				if d.Name != "DNS" && !slices.Contains(d.Schemes, plain) {
					t.Errorf("%s has %s and no %s", d.Name, scheme, plain)
				}
				continue
			}
			means := func(plain string) bool { return set.FieldScheme(plain+"+tls") == scheme }
			if !slices.ContainsFunc(d.Schemes, means) {
				t.Errorf("%s: no other scheme with +tls means %s", d.Name, scheme)
			}
		}
	}
	if n < 14 {
		t.Errorf("%d schemes with TLS", n)
	}
	if got := set.FieldScheme("udp+tls"); got != "udp+tls" {
		t.Errorf("udp+tls became %s", got)
	}
}
