package platform

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/connect"
)

// checkTimeout is the timeout of one readiness check.
const checkTimeout = time.Second

// silence is how long a target may take to become ready before the user is told that brunt waits for it.
const silence = 2 * time.Second

// A Wait is a wait for readiness.
type Wait struct {
	Within time.Duration
	Ask    func(context.Context) error // is called until it succeeds
	Tell   func(last error)            // is called once if nothing was ready after [silence]; may be nil
}

// A notice calls a function once, with the error of the first ask that fails after [silence].
type notice struct {
	began time.Time
	tell  func(last error) // nil if no caller wants it, or if it was already called
}

func (n *notice) failed(err error) {
	if n.tell != nil && time.Since(n.began) >= silence {
		n.tell(err)
		n.tell = nil
	}
}

// Await asks until an ask succeeds or the time is over. It returns the last error of an ask that was not cut off. It
// does not report that ctx ended.
func Await(ctx context.Context, w Wait) error {
	ctx, cancel := context.WithTimeout(ctx, w.Within)
	defer cancel()
	last := errors.New("it did not answer")
	late := notice{time.Now(), w.Tell}
	for {
		err := w.Ask(ctx)
		if err == nil {
			return nil
		}
		if ctx.Err() == nil {
			last = err
			late.failed(err)
		}
		select {
		case <-ctx.Done():
			return last
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Check checks once whether the service on addr is ready: with a GET whose status must be below 400 if a path is
// given, and with a connection otherwise. It does not ask the question of the block; [Unit.Ready] does.
func Check(ctx context.Context, addr string, r scenarios.Ready) error {
	if r.Asks != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	if r.Get == "" {
		c, err := connect.To(addr).Dial(ctx, "tcp", addr)
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

// request gets a path or a URL from the service on addr, and discards the body.
func request(ctx context.Context, addr, url string) (*http.Response, error) {
	if strings.HasPrefix(url, "/") {
		url = "http://" + addr + url
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	// A new connection is used, because a pooled one may belong to a previous process.
	via := connect.To(addr).Transport()
	via.DisableKeepAlives = true
	client := http.Client{
		Transport:     via,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20))
	return resp, nil
}

// ask requests an answer from the service on addr. Nil means that some answer arrived. A connection is not an answer,
// because the kernel accepts it even for a stopped process.
//
// If the readiness check is only a connection, the protocol is unknown. Then ask sends an HTTP request. A service
// with another protocol closes the connection, reports an error, which a stopped process could not do, or waits for
// more input.
func ask(ctx context.Context, addr string, r scenarios.Ready) error {
	ctx, cancel := context.WithTimeout(ctx, checkTimeout)
	defer cancel()
	if r.Get != "" {
		_, err := request(ctx, addr, r.Get)
		return err
	}
	c, err := connect.To(addr).Dial(ctx, "tcp", addr)
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
	return nil // the end of the connection is also an answer
}
