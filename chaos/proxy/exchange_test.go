package proxy_test

import (
	"fmt"
	"io"
	"net"
	"testing"

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/codec/http1"
	"brunt/chaos/proxy/codec/http1/http1test"
	"brunt/chaos/proxy/toxics"
)

// TestExchangesPass checks that every exchange passes unchanged, in any pieces, while a toxic hits
// other requests of the same connection, before and after.
func TestExchangesPass(t *testing.T) {
	want503 := string(http1.NewCannedResponse(503, nil, "").For("GET", false, false))
	for _, tc := range http1test.Exchanges() {
		for _, piece := range []int{1 << 20, 1} {
			if piece == 1 && len(tc.Request) > 10_000 {
				continue
			}
			t.Run(fmt.Sprintf("%s in pieces of %d", tc.Name, piece), func(t *testing.T) {
				p := start(t, serve(t, func(c *net.TCPConn) {
					got := make([]byte, len(tc.Request))
					if _, err := io.ReadFull(c, got); err != nil || string(got) != tc.Request {
						t.Errorf("the upstream got %.200q, %v", got, err)
					}
					inPieces(c, tc.Response, piece)
					if tc.Closes {
						return
					}
					echo(c)
				}), proxy.Config{HTTP: true})
				x := add(t, p, toxics.HTTPError{Path: "/hit"})
				c := dial(t, p)
				want := func(s string) {
					t.Helper()
					got := make([]byte, len(s))
					if n, err := io.ReadFull(c, got); err != nil || string(got) != s {
						t.Fatalf("got %q, %v, want %q", got[:n], err, s)
					}
				}
				inPieces(c, http1test.HitMe, piece)
				want(want503)
				inPieces(c, tc.Request, piece)
				want(tc.Response)
				switch {
				case tc.Closes:
					isEnded(t, c)
				case tc.Foreign: // not affected by the toxic, but forwarded
					inPieces(c, http1test.HitMe, piece)
					want(http1test.HitMe)
				default:
					inPieces(c, http1test.HitMe, piece)
					want(want503)
				}
				hits := int64(2)
				if tc.Closes || tc.Foreign {
					hits = 1
				}
				if s := x.Seen(); s.Hit != hits || s.Passed != 0 || s.Connections != 1 ||
					s.Forward != hits*int64(len(http1test.HitMe)) {
					t.Errorf("it met %+v", s)
				}
			})
		}
	}
}

func inPieces(w io.Writer, s string, n int) {
	for len(s) > 0 {
		m := min(n, len(s))
		_, _ = io.WriteString(w, s[:m])
		s = s[m:]
	}
}
