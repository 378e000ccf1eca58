package allow

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/connect"
	"brunt/scenarios/policies"
	"brunt/scenarios/syntax"
)

// TestList_Names: names are refused before a run according to this machine's hosts file and a
// load's resolve.
func TestList_Names(t *testing.T) {
	const hosts = `# names of this machine
127.0.0.1	localhost vm
::1 ip6-localhost ip6-loopback # both
127.0.1.1 Shop.Test www.shop.test.
10.1.2.3 far.test far
10.1.2.3 both.test
127.0.0.1 both.test
nonsense here
192.0.2.1
`
	for _, c := range []struct {
		url     string
		resolve map[string]string
		allow   string
		refused string // the part that the error must name
	}{
		{url: "http://localhost/"},
		{url: "http://LOCALHOST.:80/"},
		{url: "http://a.localhost/"},
		{url: "http://127.9.9.9:80"},
		{url: "http://[::1]:80"},
		{url: "http://[::ffff:127.0.0.1]:80"},
		{url: "http://10.1.2.3/", refused: "10.1.2.3"},
		{url: "http://[::ffff:10.1.2.3]/", refused: "10.1.2.3"},
		{url: "http://ip6-localhost/"},
		{url: "http://vm:8080/"},
		{url: "http://shop.test/"},
		{url: "http://SHOP.test./"},
		{url: "http://www.shop.test/"},
		{url: "http://both.test/"},
		{url: "http://far.test/", refused: "10.1.2.3"},
		{url: "http://far/", refused: "10.1.2.3"},
		{url: "http://far/", allow: "10.0.0.0/8"},
		{url: "http://far/", allow: "far"},
		{url: "http://unknown/", refused: "unknown"}, // the search list of the resolver would make it a question
		{url: "http://unknown/", allow: "unknown"},
		{url: "http://unknown.test/", refused: "unknown.test"},
		{url: "http://127.1/", refused: "127.1"},
		{url: "http://unknown.test/", allow: "Unknown.test"},
		{url: "http://unknown.test/", allow: "unknown.test:80"},
		{url: "http://unknown.test/", allow: "unknown.test:443", refused: "unknown.test"},
		{url: "http://unknown.test/", allow: "10.0.0.0/8"},
		{url: "http://shop.example/", resolve: map[string]string{"shop.example": "127.0.0.1"}},
		{url: "http://shop.example/", resolve: map[string]string{"shop.example:80": "[::1]:8080"}},
		{url: "http://shop.example/", resolve: map[string]string{"shop.example": "localhost"}},
		{url: "http://shop.example/", resolve: map[string]string{"shop.example:443": "127.0.0.1"}, refused: "shop.example"},
		{url: "http://shop.example/", resolve: map[string]string{"shop.example": "10.1.2.3"}, refused: "10.1.2.3"},
		{url: "http://shop.example/", resolve: map[string]string{"shop.example": "10.1.2.3"}, allow: "10.1.2.3"},
		{url: "http://localhost/", resolve: map[string]string{"localhost": "10.1.2.3"}, refused: "10.1.2.3"},
		{
			url: "http://shop.example/", resolve: map[string]string{"shop.example": "127.0.0.1, 10.1.2.3:81"},
			refused: "10.1.2.3",
		},
		{url: "http://shop.example/", resolve: map[string]string{"shop.example": "127.0.0.1:81, [::1]:82"}},
		// The list allows the name's own address, not one that a scenario gives it.
		{
			url: "http://shop.example/", resolve: map[string]string{"shop.example": "10.1.2.3"}, allow: "shop.example",
			refused: "10.1.2.3",
		},
		{url: "http://shop.example/", resolve: map[string]string{"shop.example": "far"}, allow: "far", refused: "10.1.2.3"},
	} {
		t.Run(c.url, func(t *testing.T) {
			var m syntax.Mistakes
			var guard scenarios.Guard
			if c.allow != "" {
				guard.Allow.Load = []string{c.allow}
			}
			g := New(Load, &scenarios.Scenario{Guard: guard}, nil, &m)
			g.local = func() connect.Hosts { return connect.ParseHosts(hosts) }
			u, err := url.Parse(c.url)
			if err != nil {
				t.Fatal(err)
			}
			switch err := g.CheckURL(c.resolve)(u); {
			case c.refused == "" && err != nil:
				t.Errorf("with %v and %q: %v", c.resolve, c.allow, err)
			case c.refused != "" && (err == nil || !strings.Contains(err.Error(), "name "+c.refused+" under guard.allow.load")):
				t.Errorf("with %v and %q: %v", c.resolve, c.allow, err)
			}
		})
	}
}

// TestList_Target: a target that no load reaches within the blast radius is refused.
func TestList_Target(t *testing.T) {
	near, remote := map[string]string{"shop.example": "127.0.0.1"}, map[string]string{"shop.example": "10.1.2.3"}
	u := &url.URL{Scheme: "http", Host: "shop.example"}
	for _, c := range []struct {
		name     string
		resolves []map[string]string
		refused  string
	}{
		{"no load", nil, "shop.example"},
		{"no resolve", []map[string]string{nil, nil}, "shop.example"},
		{"near", []map[string]string{near}, ""},
		{"one is near", []map[string]string{nil, near}, ""},
		{"far", []map[string]string{remote, nil}, "10.1.2.3"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var m syntax.Mistakes
			var loads []scenarios.Load
			for _, resolve := range c.resolves {
				loads = append(loads, scenarios.Load{Resolve: resolve})
			}
			g := New(Load, new(scenarios.Scenario), nil, &m).ReachedBy(loads)
			g.local = func() connect.Hosts { return nil }
			err := g.CheckTarget(u)
			if (err == nil) != (c.refused == "") || err != nil && !strings.Contains(err.Error(), "name "+c.refused) {
				t.Error(err)
			}
		})
	}
}

// TestList_Policies: the check of addresses at the moment of connecting.
func TestList_Policies(t *testing.T) {
	for _, c := range []struct {
		name     string
		own      []string // nil: the key is absent
		policies [][]string
		pass     string // addresses reached by the name n.test
		stop     string
	}{
		{"scenario alone", []string{"10.1.0.0/16"}, nil, "127.0.0.1 ::1 10.1.2.3", "10.2.0.1"},
		{"policy serves", nil, [][]string{{"10.1.0.0/16"}}, "127.0.0.1 10.1.2.3", "10.2.0.1"},
		{"scenario narrows", []string{"10.1.2.0/24"}, [][]string{{"10.1.0.0/16"}}, "10.1.2.3", "10.1.3.3"},
		{"scenario shuts", []string{}, [][]string{{"10.1.0.0/16"}}, "127.0.0.1", "10.1.2.3"},
		{"policy shuts", nil, [][]string{{}}, "127.0.0.1", "10.1.2.3"},
		{"two policies", nil, [][]string{{"10.1.0.0/16"}, {"10.1.2.0/24", "10.2.0.0/16"}}, "10.1.2.3", "10.1.3.3 10.2.0.1"},
		{"a name that leads out", []string{"n.test"}, [][]string{{"10.1.0.0/16"}}, "10.1.2.3", "10.2.0.1"},
		{"a name of both", []string{"n.test"}, [][]string{{"n.test"}}, "10.2.0.1", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var m syntax.Mistakes
			var held []*policies.Policy
			for _, list := range c.policies {
				held = append(held, &policies.Policy{Allow: scenarios.Allow{Load: list}})
			}
			g := New(Load, &scenarios.Scenario{Guard: scenarios.Guard{Allow: scenarios.Allow{Load: c.own}}}, held, &m)
			for to := range strings.FieldsSeq(c.pass + " " + c.stop) {
				ip := netip.MustParseAddr(to)
				err := g.CheckAddr(netip.AddrPortFrom(ip, 80), "n.test")
				if (err == nil) != slices.Contains(strings.Fields(c.pass), to) {
					t.Errorf("%s: %v", to, err)
				}
			}
		})
	}
}

// TestList_LookUp: a name is looked up only if every list lets it be, or if the hosts file of this machine has it.
func TestList_LookUp(t *testing.T) {
	for _, c := range []struct {
		host     string
		policies [][]string
		ok       bool
	}{
		{"secret.example.com", [][]string{{}}, false},
		{"secret", [][]string{{}}, false},
		{"secret.example.com", [][]string{{"10.0.0.0/8"}, {}}, false},
		{"secret.example.com", [][]string{{"10.0.0.0/8"}}, true},
		{"secret.example.com", [][]string{{"secret.example.com:80"}}, true},
		{"secret.example.com", [][]string{{"secret.example.com:81"}}, false},
		{"vm", [][]string{{}}, true},
		{"localhost", [][]string{{}}, true},
	} {
		var m syntax.Mistakes
		var held []*policies.Policy
		for _, list := range c.policies {
			held = append(held, &policies.Policy{Allow: scenarios.Allow{Load: list}})
		}
		g := New(Load, new(scenarios.Scenario), held, &m)
		g.local = func() connect.Hosts { return connect.ParseHosts("127.0.1.1 vm") }
		for _, err := range []error{g.CheckName(c.host, 80), All{g, g}.CheckName(c.host, 80)} {
			if (err == nil) != c.ok {
				t.Errorf("%s under %v: %v", c.host, c.policies, err)
			}
		}
	}
}

// TestOwnAddresses: the addresses of what brunt started are listed as they were added, and as entries of a list.
func TestOwnAddresses(t *testing.T) {
	var none *OwnAddresses
	if names := none.Names(); len(names) > 0 {
		t.Errorf("without a target of its own: %q", names)
	}
	var own OwnAddresses
	first, second := netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr("fd00::1")
	own.Add(first)
	own.Add(second)
	if names := own.Names(); !slices.Equal(names, []string{"10.1.2.3", "fd00::1"}) {
		t.Errorf("entries %q", names)
	}
	list := own.List()
	if !slices.Equal(list, []netip.Addr{first, second}) {
		t.Errorf("addresses %v", list)
	}
	list[0] = second
	if own.List()[0] != first {
		t.Error("a caller changes the addresses")
	}
}
