package docker_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"brunt/targets/platform/docker"
)

// seat is a fake engine: the configuration of a container in network n, and the last requests for
// it.
type seat struct {
	version string
	has     string // the endpoint according to inspect; empty is none
	gives   string // the endpoint after it is connected again
	asked   []map[string]any
}

func (s *seat) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Api-Version", s.version)
	switch {
	case strings.HasSuffix(r.URL.Path, "/containers/c/json"):
		nets := ""
		if s.has != "" {
			nets = `"n":` + s.has
		}
		fmt.Fprintf(w, `{"Id": "c", "NetworkSettings": {"Networks": {%s}}}`, nets)
	case strings.HasSuffix(r.URL.Path, "/connect"):
		var body struct{ EndpointConfig map[string]any }
		_ = json.NewDecoder(r.Body).Decode(&body)
		s.asked = append(s.asked, body.EndpointConfig)
		s.has = s.gives
	case strings.HasSuffix(r.URL.Path, "/disconnect"):
		s.has = ""
	}
}

// TestConnect restores a container's configuration in a network.
func TestConnect(t *testing.T) {
	const made = `"NetworkID": "n", "IPAddress": "10.0.0.5", "MacAddress": "02:42:0a:00:00:05"`
	for _, c := range []struct {
		name, version, has, gives string
		want                      []string // requests of each attempt
	}{
		{"the engine's choice", "1.48", `{` + made + `}`, `{` + made + `}`, []string{"mac= 4= 6= priority=0"}},
		{
			"a hardware address", "1.48", `{"NetworkID": "n", "IPAddress": "10.0.0.5", "MacAddress": "aa:bb:cc:00:00:01", "GwPriority": 7}`,
			`{"NetworkID": "n", "IPAddress": "10.0.0.5"}`,
			[]string{"mac=aa:bb:cc:00:00:01 4= 6= priority=7"},
		},
		{
			"a hardware address of the container's", "1.41", `{"NetworkID": "n", "IPAddress": "10.0.0.5", "MacAddress": "aa:bb:cc:00:00:01"}`,
			`{"NetworkID": "n", "IPAddress": "10.0.0.5"}`,
			[]string{"mac= 4= 6= priority=0"},
		},
		{
			"an address that was asked for", "1.48", `{` + made + `, "IPAMConfig": {"IPv4Address": "10.0.0.5"}}`, `{` + made + `}`,
			[]string{"mac= 4=10.0.0.5 6= priority=0"},
		},
		{
			"one of IPv6 alone", "1.48", `{` + made + `, "GlobalIPv6Address": "fd00::5", "IPAMConfig": {"IPv6Address": "fd00::5"}}`,
			`{` + made + `, "GlobalIPv6Address": "fd00::5"}`,
			[]string{"mac= 4= 6=fd00::5 priority=0"},
		},
		{
			"the engine chooses another of IPv6", "1.48", `{` + made + `, "GlobalIPv6Address": "fd00::5"}`, `{` + made + `, "GlobalIPv6Address": "fd00::6"}`,
			[]string{"mac= 4= 6= priority=0", "mac= 4=10.0.0.5 6=fd00::5 priority=0"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &seat{version: c.version, has: c.has, gives: c.gives}
			srv := httptest.NewServer(s)
			defer srv.Close()
			e, err := docker.Open(docker.Address{Host: "tcp://" + srv.Listener.Addr().String()}, docker.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			eps, err := e.Endpoints(t.Context(), "c")
			if err != nil || len(eps) != 1 {
				t.Fatalf("%+v, %v", eps, err)
			}
			b, err := json.Marshal(eps[0]) // as in the journal
			var ep docker.Endpoint
			if err == nil {
				err = json.Unmarshal(b, &ep)
			}
			if err == nil {
				err = e.Disconnect(t.Context(), "c", "n")
			}
			if err == nil {
				err = e.Connect(t.Context(), "c", ep)
			}
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, a := range s.asked {
				ipam, _ := a["IPAMConfig"].(map[string]any)
				text := func(m map[string]any, key string) string {
					v, _ := m[key].(string)
					return v
				}
				got = append(got, fmt.Sprintf("mac=%s 4=%s 6=%s priority=%v", text(a, "MacAddress"), text(ipam, "IPv4Address"), text(ipam, "IPv6Address"), a["GwPriority"]))
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("asked for %q, want %q", got, c.want)
			}
		})
	}
}
