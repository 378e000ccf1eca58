package run_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/plantest"
	"brunt/scenarios/run"
)

// compileIn compiles a scenario in an environment.
func compileIn(t *testing.T, env map[string]string, text string) (*plan.Plan, error) {
	t.Helper()
	sc, err := scenarios.Parse(scenario(t, text), scenarios.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return plan.Compile(sc, plan.CompileOptions{
		Env: func(name string) (string, bool) { v, ok := env[name]; return v, ok },
	})
}

// TestProxy_Compile refuses requests by a proxy that the load does not name, a proxy or a host
// behind one outside the blast radius, and a fault on a link that a proxy bypasses.
func TestProxy_Compile(t *testing.T) {
	const remote = "http://ann:sesame@10.9.9.9:3128"
	inEnv := map[string]string{"HTTP_PROXY": remote}
	for _, c := range []struct {
		name                string
		env                 map[string]string
		target, allow, more string // other settings of the load
		rest                string
		want                string // empty means accepted
		note                string
	}{
		{name: "nothing named", target: "http://shop.test", allow: "shop.test"},
		{
			name: "unnamed", env: inEnv, target: "http://shop.test", allow: "shop.test",
			want: `load "main": HTTP_PROXY=http://***@10.9.9.9:3128 names a proxy for shop.test, and the load does not say whether to ` +
				`use it: connections: {proxy: env}, or {proxy: none}`,
		},
		{name: "loopback", env: inEnv, target: "http://127.0.0.1:80"},
		{
			name: "exempt", env: map[string]string{"HTTP_PROXY": remote, "no_proxy": ".test"}, target: "http://shop.test",
			allow: "shop.test",
		},
		{name: "none", env: inEnv, target: "http://shop.test", allow: "shop.test", more: "connections: {proxy: none}"},
		{
			name: "env", env: inEnv, target: "http://shop.test", allow: "shop.test, 10.9.9.9",
			more: "connections: {proxy: env}",
			note: `load "main" reaches the target by the proxy 10.9.9.9:3128, which the environment names`,
		},
		{
			name: "env, and the proxy beyond", env: inEnv, target: "http://shop.test", allow: "shop.test",
			more: "connections: {proxy: env}",
			want: `the proxy 10.9.9.9:3128: load goes to loopback and to what brunt started; name 10.9.9.9 under guard.allow.load`,
		},
		{
			name: "env, and the host beyond", env: inEnv, target: "http://shop.test", allow: "10.9.9.9",
			more: "connections: {proxy: env}",
			want: "shop.test is reached by a proxy, which looks the name up itself; name shop.test under guard.allow.load",
		},
		{name: "resolved", env: inEnv, target: "http://shop.test", more: "resolve: {shop.test: 127.0.0.1}"},
		{
			name: "a step", env: inEnv, target: "http://127.0.0.1", allow: "shop.test",
			more: `init: [{get: "http://shop.test/"}]`,
			want: "HTTP_PROXY=http://***@10.9.9.9:3128 names a proxy for shop.test",
		},
		{
			name: "setup", env: inEnv, target: "http://127.0.0.1", allow: "shop.test",
			rest: `setup: [{get: "http://shop.test/"}]`, want: "names a proxy for shop.test",
		},
		{
			name: "named", target: "http://shop.test", allow: "shop.test",
			more: `connections: {proxy: "http://127.0.0.1:3128"}`,
		},
		{
			name: "named, beyond", target: "http://shop.test", allow: "shop.test",
			more: `connections: {proxy: "http://ann:sesame@10.9.9.9"}`, want: "the proxy 10.9.9.9: load goes to loopback",
		},
		{
			name: "named, for a stack", target: "", more: `connections: {proxy: "http://10.9.9.9"}`,
			want: "the proxy 10.9.9.9: load goes to loopback",
		},
		{
			name: "no proxy", target: "http://127.0.0.1", more: "connections: {proxy: socks5://ann:sesame@127.0.0.1}",
			want: `"socks5://***@127.0.0.1" is not an HTTP proxy; brunt supports no other kind; want env, none or such as http://127.0.0.1:3128`,
		},
		{
			name: "a fault on the link", target: "http://127.0.0.1", more: `connections: {proxy: "http://127.0.0.1:3128"}`,
			rest: "chaos: {x: {at: 5s, for: 1s, network.stall: {from: load, to: target}}}",
			want: `load "main" reaches the target by the proxy 127.0.0.1:3128, and a fault is on the link between load and target`,
		},
		{
			name: "a fault on the link to a stack", target: "", more: `connections: {proxy: "http://127.0.0.1:3128"}`,
			rest: "chaos: {x: {at: 5s, for: 1s, network.stall: {from: load, to: gateway}}}",
			want: `and a fault is on the link between load and target`,
		},
		{
			name: "a fault elsewhere", target: "", more: `connections: {proxy: "http://127.0.0.1:3128"}`,
			rest: "chaos: {x: {at: 5s, for: 1s, network.stall: {from: gateway, to: users}}}",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			target := "{stack: demo}"
			if c.target != "" {
				target = fmt.Sprintf("{url: %q}", c.target)
			}
			plan, err := compileIn(t, c.env,
				fmt.Sprintf("version: 1\ntarget: %s\nguard: {allow: {load: [%s]}}\nload:\n  main:\n"+
					"    executor: constant-arrival-rate\n    rate: 10/s\n    duration: 30s\n    flow: [{get: /}]\n    %s\n%s\n",
					target, c.allow, c.more, c.rest))
			said := ""
			if err != nil {
				said = plantest.Explained(err)
			}
			if (said == "") != (c.want == "") || !strings.Contains(said, c.want) || strings.Contains(said, "sesame") {
				t.Errorf("got %q, want %q", said, c.want)
			}
			if notes := strings.Join(plan.Notes, "\n"); err == nil && !strings.Contains(notes, c.note) ||
				strings.Contains(notes, "sesame") ||
				err == nil && strings.Contains(notes, "by the proxy") != (c.note != "") {
				t.Errorf("notes %q, want %q", notes, c.note)
			}
		})
	}
}

// TestProxy_Run loads a target behind a proxy: readiness, setup, token and load use the proxy, and
// its password is sent only to it and printed nowhere.
func TestProxy_Run(t *testing.T) {
	t.Parallel()
	var direct, led, wrong atomic.Int64
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		direct.Add(1)
		if r.Header.Get("Proxy-Authorization") != "" {
			wrong.Add(1)
		}
		if r.URL.Path == "/token" {
			w.Header().Set("Content-Type", "application/json")
			_, _ = io.WriteString(w, `{"access_token": "abc", "token_type": "bearer", "expires_in": 3600}`)
			return
		}
		if r.URL.Path == "/" && r.Header.Get("Authorization") != "Bearer abc" {
			wrong.Add(1)
		}
		_, _ = io.WriteString(w, r.Host)
	}))
	defer target.Close()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, pw, _ := credentials(r); user != "ann" || pw != "sesame" || r.URL.Host != "shop.test" {
			wrong.Add(1)
		}
		led.Add(1)
		up, err := net.Dial("tcp", target.Listener.Addr().String())
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer up.Close()
		r.Header.Del("Proxy-Authorization")
		_ = r.Write(up)
		resp, err := http.ReadResponse(bufio.NewReader(up), r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", resp.Header.Get("Content-Type"))
		w.WriteHeader(resp.StatusCode)
		_, _ = io.Copy(w, resp.Body)
	}))
	defer proxy.Close()
	for name, ready := range map[string]string{"asked": ", ready: {get: /healthz}", "not asked": ""} {
		t.Run(name, func(t *testing.T) {
			try(t, func(complaints *complaints) {
				direct.Store(0)
				led.Store(0)
				res := runOnce(t, fmt.Sprintf(`
version: 1
name: behind a proxy
target: {url: "http://shop.test"%s}
guard: {allow: {load: [shop.test]}}
setup: [{get: /login}]
load:
  main: {executor: constant-arrival-rate, rate: 50/s, duration: 1s, flow: [{get: /, check: {body: shop.test}}], connections: {proxy: "%s"},
    auth: {oauth2: {token_url: /token, client_id: ann, client_secret: bob}}}
slo: [errors < 10%%]
`, ready, strings.Replace(proxy.URL, "//", "//ann:sesame@", 1)), run.Options{})
				complaints.passed(res)
				want := int64(52) // includes the setup and the token
				if ready != "" {
					want++
				}
				if t.Logf("%s: %s", res.Verdict, res.Reason); direct.Load() != want || led.Load() != want || wrong.Load() != 0 {
					t.Errorf("%d requests, %d by the proxy, %d wrong", direct.Load(), led.Load(), wrong.Load())
				}
				if b, err := json.Marshal(res); err != nil || strings.Contains(string(b), "sesame") ||
					!strings.Contains(res.Scenario, "ann:***@") {
					t.Errorf("the password stands in the result: %v\n%s", err, res.Scenario)
				}
			})
		})
	}
}

// credentials returns the proxy credentials of a request.
func credentials(r *http.Request) (user, password string, ok bool) {
	return (&http.Request{Header: http.Header{"Authorization": r.Header["Proxy-Authorization"]}}).BasicAuth()
}
