package stack

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"brunt/scenarios"
)

// checkTimeout bounds one readiness check.
const checkTimeout = time.Second

// Await asks until there is no error, for so long at most. The error is the last that was answered, or last where
// none was; it says nothing of ctx, which may be over.
func Await(ctx context.Context, within time.Duration, last error, ask func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		err := ask(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return last
		case <-time.After(50 * time.Millisecond):
		}
	}
}

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
	resp, err := request(ctx, addr, r.Get)
	if err != nil {
		return err
	}
	if resp.StatusCode >= 400 {
		return fmt.Errorf("GET %s: %s", r.Get, resp.Status)
	}
	return nil
}

// request gets a path of what listens on addr, or a URL, and reads what is answered away.
func request(ctx context.Context, addr, url string) (*http.Response, error) {
	if strings.HasPrefix(url, "/") {
		url = "http://" + addr + url
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	// A connection of its own: a pooled one could have been opened to the process
	// before.
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	return resp, nil
}

// ask asks what listens on addr for an answer; nil means that one came, good or bad.
// A connection alone is none: the kernel makes it for a process that is stopped, too.
// Where the readiness check is no more than that, nobody says what is spoken there.
// The request is one of HTTP then; what speaks something else closes the connection or
// complains, which it could not either if it were stopped, or waits for more.
func ask(ctx context.Context, addr string, r scenarios.Ready) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	if r.Get != "" {
		_, err := request(ctx, addr, r.Get)
		return err
	}
	c, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer c.Close()
	if at, ok := ctx.Deadline(); ok {
		_ = c.SetDeadline(at)
	}
	_, err = io.WriteString(c, "GET / HTTP/1.0\r\n\r\n")
	if err == nil {
		_, err = c.Read(make([]byte, 1))
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return nil // an end of the connection is an answer as well
}
