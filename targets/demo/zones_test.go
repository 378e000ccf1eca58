package demo

import (
	"strings"
	"testing"
)

// TestConfig_Zones: two entries, and the store and its standby in different zones.
func TestConfig_Zones(t *testing.T) {
	c := Config{
		Gateway: Entries{Replicas: 2, Zones: []string{"a", "b"}}, StoreZones: []string{"a", "b"}, Standby: hotStandby,
	}
	got := map[string][]string{}
	for _, s := range c.Services() {
		if got[s.Name] = s.Zones; s.Name == gatewayName && (s.Replicas != 2 || !s.Entry) {
			t.Errorf("the gateway is %+v", s)
		}
	}
	for service, want := range map[string]string{gatewayName: "ab", storeName: "a", standbyName: "b", usersName: ""} {
		in := strings.Join(got[service], "")
		if in != want {
			t.Errorf("%s is in %q, want %q", service, in, want)
		}
	}
	c.StoreZones = []string{"a"}
	for _, s := range c.Services() {
		if s.Name == standbyName && len(s.Zones) > 0 {
			t.Errorf("the standby is in %q, without a zone of its own", s.Zones)
		}
	}
}
