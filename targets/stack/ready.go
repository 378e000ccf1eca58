package stack

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"brunt/scenarios"
)

// checkTimeout bounds one readiness check.
const checkTimeout = time.Second

// Check asks once whether what listens on addr is ready: by a GET with a status
// under 400 where a path is given, else by a connection.
func Check(ctx context.Context, addr string, r scenarios.Ready) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	if r.Get == "" {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
		if err != nil {
			return err
		}
		return c.Close()
	}
	url := r.Get
	if strings.HasPrefix(url, "/") {
		url = "http://" + addr + url
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	// A connection of its own: a pooled one could have been opened to the process
	// before.
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	if resp.StatusCode >= 400 {
		return fmt.Errorf("GET %s: %s", r.Get, resp.Status)
	}
	return nil
}
