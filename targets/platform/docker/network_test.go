package docker_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// seat is a fake engine: the configuration of a container in network n, and the last requests for
// it.
type seat struct {
	version string
	has     string // the endpoint according to inspect; empty if the container has no endpoint
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
			"a hardware address", "1.48",
			`{"NetworkID": "n", "IPAddress": "10.0.0.5", "MacAddress": "aa:bb:cc:00:00:01", "GwPriority": 7}`,
			`{"NetworkID": "n", "IPAddress": "10.0.0.5"}`,
			[]string{"mac=aa:bb:cc:00:00:01 4= 6= priority=7"},
		},
		{
			"a hardware address of the container's", "1.41",
			`{"NetworkID": "n", "IPAddress": "10.0.0.5", "MacAddress": "aa:bb:cc:00:00:01"}`,
			`{"NetworkID": "n", "IPAddress": "10.0.0.5"}`,
			[]string{"mac= 4= 6= priority=0"},
		},
		{
			"an address that was asked for", "1.48", `{` + made + `, "IPAMConfig": {"IPv4Address": "10.0.0.5"}}`,
			`{` + made + `}`,
			[]string{"mac= 4=10.0.0.5 6= priority=0"},
		},
		{
			"one of IPv6 alone", "1.48", `{` + made +
				`, "GlobalIPv6Address": "fd00::5", "IPAMConfig": {"IPv6Address": "fd00::5"}}`,
			`{` + made + `, "GlobalIPv6Address": "fd00::5"}`,
			[]string{"mac= 4= 6=fd00::5 priority=0"},
		},
		{
			"the engine chooses another of IPv6", "1.48", `{` + made + `, "GlobalIPv6Address": "fd00::5"}`,
			`{` + made + `, "GlobalIPv6Address": "fd00::6"}`,
			[]string{"mac= 4= 6= priority=0", "mac= 4=10.0.0.5 6=fd00::5 priority=0"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &seat{version: c.version, has: c.has, gives: c.gives}
			srv := httptest.NewServer(s)
			defer srv.Close()
			e := engineAt(t, srv)
			eps, err := e.Endpoints(t.Context(), "c")
			if err != nil || len(eps) != 1 {
				t.Fatalf("%+v, %v", eps, err)
			}
			b, err := json.Marshal(eps[0]) // as in the journal
			var ep containers.Endpoint
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
				got = append(got, fmt.Sprintf("mac=%s 4=%s 6=%s priority=%v", text(a, "MacAddress"), text(ipam, "IPv4Address"),
					text(ipam, "IPv6Address"), a["GwPriority"]))
			}
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("asked for %q, want %q", got, c.want)
			}
		})
	}
}

// TestConnect_Device asks an engine that can name the device of a container to give it back its name.
func TestConnect_Device(t *testing.T) {
	const option = "com.docker.network.endpoint.ifname"
	for _, c := range []struct {
		name, version, device string
		own                   map[string]string // the options of the endpoint
		want                  any
	}{
		{"an engine that can", "1.48", "eth0", nil, "eth0"},
		{"an engine that can't", "1.47", "eth0", nil, nil},
		{"a device that is not known", "1.48", "", nil, nil},
		{"a name of the container's own", "1.48", "eth0", map[string]string{option: "lan"}, "lan"},
	} {
		t.Run(c.name, func(t *testing.T) {
			const there = `{"NetworkID": "n", "IPAddress": "10.0.0.5"}`
			s := &seat{version: c.version, gives: there}
			srv := httptest.NewServer(s)
			defer srv.Close()
			ep := containers.Endpoint{Network: "n", Address: "10.0.0.5", Device: c.device, DriverOpts: c.own}
			if err := engineAt(t, srv).Connect(t.Context(), "c", ep); err != nil {
				t.Fatal(err)
			}
			opts, _ := s.asked[0]["DriverOpts"].(map[string]any)
			if got := opts[option]; got != c.want {
				t.Errorf("asked for device %v, want %v", got, c.want)
			}
		})
	}
}

// sticky is a fake engine that keeps endpoints in network n.
type sticky struct {
	mu         sync.Mutex
	endpoints  map[string]string // names of endpoints, by the ids of their containers, or ep- and an id
	containers map[string]string // states of the containers that exist, by id
	forced     []string          // names that were disconnected by force
	removed    bool
	miscounted bool // it counts an endpoint that does not exist
}

func (s *sticky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	w.Header().Set("Api-Version", "1.41")
	fail := func(status int, text string) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		fmt.Fprintf(w, `{"message": %q}`, text)
	}
	_, id, _ := strings.Cut(strings.TrimSuffix(r.URL.Path, "/json"), "/containers/")
	switch {
	case strings.HasSuffix(r.URL.Path, "/disconnect"):
		var body struct {
			Container string
			Force     bool
		}
		_ = json.NewDecoder(r.Body).Decode(&body)
		for of, name := range s.endpoints {
			if body.Force && name == body.Container {
				s.forced = append(s.forced, name)
				delete(s.endpoints, of)
			}
		}
	case r.Method == http.MethodDelete && (len(s.endpoints) > 0 || s.miscounted):
		fail(http.StatusForbidden, "error while removing network: network n id n has active endpoints")
	case r.Method == http.MethodDelete:
		s.removed = true
	case strings.HasSuffix(r.URL.Path, "/networks/n"):
		all := map[string]map[string]string{}
		for of, name := range s.endpoints {
			all[of] = map[string]string{"Name": name}
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"Id": "n", "Containers": all})
		for of, state := range s.containers { // the engine has removed it by the next request
			if state == "removing" {
				delete(s.containers, of)
				delete(s.endpoints, of)
			}
		}
	case s.containers[id] != "":
		fmt.Fprintf(w, `{"Id": %q, "State": {"Status": %q}}`, id, s.containers[id])
	default:
		fail(http.StatusNotFound, "No such container: "+id)
	}
}

// TestRemoveNetwork removes a network in which the engine has kept endpoints.
func TestRemoveNetwork(t *testing.T) {
	for _, c := range []struct {
		name                  string
		endpoints, containers map[string]string
		forced                string
		removed               bool
	}{
		{"none", nil, nil, "[]", true},
		{"of no container", map[string]string{"ep-5a": "web"}, nil, "[web]", true},
		{"of a container that is gone", map[string]string{"c1": "web"}, nil, "[web]", true},
		{
			"of a container that is being removed",
			map[string]string{"c1": "web"},
			map[string]string{"c1": "removing"},
			"[]",
			true,
		},
		{
			"of a container that exists",
			map[string]string{"c1": "web", "ep-5a": "db"},
			map[string]string{"c1": "running"},
			"[db]", false,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &sticky{endpoints: c.endpoints, containers: c.containers}
			srv := httptest.NewServer(s)
			defer srv.Close()
			e := engineAt(t, srv)
			err := e.RemoveNetwork(t.Context(), "n")
			if s.removed != c.removed || (err == nil) != c.removed || fmt.Sprint(s.forced) != c.forced {
				t.Errorf("removed %v, forced %v: %v", s.removed, s.forced, err)
			}
			if !c.removed && !strings.Contains(fmt.Sprint(err), "active endpoints") || errors.Is(err, docker.ErrMiscounted) {
				t.Error(err)
			}
		})
	}
}

// TestRemoveNetwork_Miscounted removes a network without endpoints for which the engine counts one.
func TestRemoveNetwork_Miscounted(t *testing.T) {
	srv := httptest.NewServer(&sticky{miscounted: true})
	defer srv.Close()
	e := engineAt(t, srv)
	if err := e.RemoveNetwork(t.Context(), "n"); !errors.Is(err, docker.ErrMiscounted) {
		t.Errorf("%v, want an ErrMiscounted", err)
	}
}
