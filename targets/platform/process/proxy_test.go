package process

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http/httpproxy"
)

// TestDirect checks that a unit reaches its links without a proxy, and that other settings stay.
func TestDirect(t *testing.T) {
	for _, c := range []struct {
		name string
		env  []string
		more []string
	}{
		{"no proxy", []string{"A=b", "NO_PROXY=x"}, nil},
		{"a proxy", []string{"HTTP_PROXY=http://p"}, []string{"NO_PROXY=" + loopback, "no_proxy=" + loopback}},
		{
			"exceptions",
			[]string{"all_proxy=http://p", "no_proxy=a,b"},
			[]string{"NO_PROXY=a,b," + loopback, "no_proxy=a,b," + loopback},
		},
		{"an empty one", []string{"HTTPS_PROXY="}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := direct(c.env)
			if want := slices.Concat(c.env, c.more); !slices.Equal(got, want) {
				t.Errorf("%q, want %q", got, want)
			}
			for _, e := range got {
				no, ok := strings.CutPrefix(e, "NO_PROXY=")
				if !ok || c.more == nil {
					continue
				}
				by := (&httpproxy.Config{HTTPProxy: "http://p", NoProxy: no}).ProxyFunc()
				for to, want := range map[string]bool{
					"http://127.0.0.2:80": false, "http://[::1]:80": false, "http://10.1.2.3": true,
				} {
					r, _ := http.NewRequest(http.MethodGet, to, nil)
					if via, _ := by(&url.URL{Scheme: r.URL.Scheme, Host: r.URL.Host}); (via != nil) != want {
						t.Errorf("%s is reached by %v", to, via)
					}
				}
			}
		})
	}
}
