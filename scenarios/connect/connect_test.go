package connect_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"brunt/scenarios/connect"
	"brunt/scenarios/suite"
)

func refuse(addr string) error { return errors.New("name " + addr + " under guard.allow") }

// beyond returns a listener on an address of this machine that is not loopback.
func beyond(t *testing.T) net.Listener {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Skip(err)
	}
	for _, a := range addrs {
		p, err := netip.ParsePrefix(a.String())
		if err != nil || p.Addr().IsLoopback() || p.Addr().IsLinkLocalUnicast() {
			continue
		}
		if l, err := net.Listen("tcp", netip.AddrPortFrom(p.Addr(), 0).String()); err == nil {
			t.Cleanup(func() { _ = l.Close() })
			return l
		}
	}
	t.Skip("this machine has no address but loopback")
	return nil
}

// listsOf returns the check of allow-lists.
func listsOf(t *testing.T, lists [][]string) connect.Check {
	t.Helper()
	c, err := connect.Lists(lists, refuse)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCheck_Dial(t *testing.T) {
	l := beyond(t)
	at := l.Addr().String()
	ip, port, err := net.SplitHostPort(at)
	if err != nil {
		t.Fatal(err)
	}
	lists := func(l ...[]string) connect.Check { return listsOf(t, l) }
	for _, c := range []struct {
		name  string
		check connect.Check
		want  string // part of the error; empty: it connects
	}{
		{"no check", nil, "beyond loopback"},
		{"no list", lists(), "name " + ip + " under guard.allow"},
		{"an empty list", lists([]string{}), "name " + ip + " under guard.allow"},
		{"the address", lists([]string{ip}), ""},
		{"another port", lists([]string{net.JoinHostPort(ip, "1")}), "name " + ip},
		{"its port", lists([]string{net.JoinHostPort(ip, port)}), ""},
		{"a policy that does not name it", lists([]string{ip}, []string{"198.51.100.0/24"}), "name " + ip},
		{"that alone", connect.To(at), ""},
		{"another alone", connect.To("198.51.100.1:80"), "is not 198.51.100.1:80"},
	} {
		if early := c.check.Reaches(t.Context(), at); (early == nil) != (c.want == "") {
			t.Errorf("%s: beforehand %v, want %q", c.name, early, c.want)
		}
		conn, err := c.check.Dial(t.Context(), "tcp", at)
		if conn != nil {
			_ = conn.Close()
		}
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
	}
}

// TestCheck_ReachesNames: a name goes by its addresses, and one without any is told of by the connection.
func TestCheck_ReachesNames(t *testing.T) {
	var none connect.Check
	for _, at := range []string{"localhost:http", "localhost:80", "[::1]:80"} {
		if err := none.Reaches(t.Context(), at); err != nil {
			t.Errorf("%s: %v", at, err)
		}
	}
	named, err := connect.Lists([][]string{{"nowhere.invalid"}}, refuse)
	if err == nil {
		err = named.Reaches(t.Context(), "nowhere.invalid:80")
	}
	if err != nil {
		t.Error(err)
	}
}

// TestTo: another spelling of the one place that is asked leads there; the same address with another port does not.
func TestTo(t *testing.T) {
	suite.Needs(t, suite.Localhost)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	for _, c := range []struct {
		asked, dialled string
		ok             bool
	}{
		{"127.0.0.1:" + port, "127.0.0.1:" + port, true},
		{"127.0.0.1:" + port, "localhost:" + port, true},
		{"localhost:" + port, "127.0.0.1:" + port, true},
		{"localhost:" + port, "LOCALHOST:" + port, true},
		{"127.0.0.2:" + port, "localhost:" + port, false},
		{"127.0.0.1:1", "127.0.0.1:" + port, false},
	} {
		conn, err := connect.To(c.asked).Dial(t.Context(), "tcp", c.dialled)
		if conn != nil {
			_ = conn.Close()
		}
		if (err == nil) != c.ok {
			t.Errorf("to %s by %s: %v", c.asked, c.dialled, err)
		}
	}
}

// TestCheck_Transport leads a client beyond its check by a redirect, by a name and by a proxy of the environment.
func TestCheck_Transport(t *testing.T) {
	l := beyond(t)
	hit := make(chan struct{}, 10)
	outside := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hit <- struct{}{} })}
	go func() { _ = outside.Serve(l) }()
	t.Cleanup(func() { _ = outside.Close() })
	inside := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/away" {
			http.Redirect(w, r, "http://"+l.Addr().String()+"/", http.StatusFound)
		}
	}))
	t.Cleanup(inside.Close)
	check, err := connect.Lists([][]string{{"allowed.invalid"}}, refuse)
	if err != nil {
		t.Fatal(err)
	}
	via := check.Transport()
	if via.Proxy != nil {
		t.Error("it asks the environment for a proxy")
	}
	t.Cleanup(via.CloseIdleConnections)
	client := &http.Client{Transport: via}
	get := func(url string) error {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		resp, err := client.Do(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		return err
	}
	if err := get(inside.URL); err != nil {
		t.Errorf("loopback: %v", err)
	}
	for _, url := range []string{inside.URL + "/away", "http://" + l.Addr().String() + "/"} {
		if err := get(url); err == nil || !strings.Contains(err.Error(), "under guard.allow") {
			t.Errorf("%s: %v", url, err)
		}
	}
	if len(hit) > 0 {
		t.Error("it was reached all the same")
	}
}

// TestCheck_Names: a name is checked before it is looked up, by lists, by the one place that is asked, and without any.
func TestCheck_Names(t *testing.T) {
	lists := func(l ...[]string) connect.Check { return listsOf(t, l) }
	for _, c := range []struct {
		name  string
		check connect.Check
		host  string
		ok    bool
	}{
		{"no check", nil, "secret.example.com:80", false},
		{"no check, this machine", nil, "localhost:80", true},
		{"an empty list", lists([]string{}), "secret.example.com:80", false},
		{"a name without a dot", lists([]string{}), "secret:80", false},
		{"the name", lists([]string{"secret.example.com"}), "secret.example.com:80", true},
		{"another port", lists([]string{"secret.example.com:81"}), "secret.example.com:80", false},
		{"it may have an address of the list", lists([]string{"10.0.0.0/8"}), "secret.example.com:80", true},
		{"one of two lists", lists([]string{"10.0.0.0/8"}, []string{}), "secret.example.com:80", false},
		{"an address is looked up nowhere", lists([]string{}), "192.0.2.1:80", true},
		{"one place", connect.To("shop.test:80"), "secret.example.com:80", false},
		{"that place", connect.To("shop.test:80"), "SHOP.test:80", true},
		{"that place by another name", connect.To("127.0.0.1:80"), "localhost:80", true},
	} {
		err := c.check.CheckName(t.Context(), c.host)
		if (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	asked := 0
	check := connect.Check(func(to netip.AddrPort, host string) error {
		if asked++; to.Addr().IsValid() || host != "secret.example.com" || to.Port() != 80 {
			t.Errorf("asked of %v, %s", to, host)
		}
		return errors.New("no")
	})
	_, dialled := check.Dial(t.Context(), "tcp", "secret.example.com:80")
	if reached := check.Reaches(t.Context(), "secret.example.com:80"); asked != 2 || dialled == nil || reached == nil {
		t.Errorf("asked %d times: %v, %v", asked, dialled, reached)
	}
}
