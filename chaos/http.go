package chaos

import (
	"context"
	"fmt"
	"time"

	"brunt/chaos/proxy"
	"brunt/scenarios"
)

// Requests says which requests on a link a fault hits.
type Requests struct {
	Percent *scenarios.Share `yaml:"percent"` // of the requests that fit; nil is all
	Path    string           `yaml:"path"`    // such as /posts/7 or /posts/*; zero is all
	Method  string           `yaml:"method"`  // zero is all
}

// HTTPError answers requests on a link itself, in place of who was asked.
type HTTPError struct {
	Edge     `yaml:",inline"`
	Requests `yaml:",inline"`
	Status   int               `yaml:"status,min=200,max=599"` // zero is 503
	Body     string            `yaml:"body"`
	Headers  map[string]string `yaml:"headers"`
}

// HTTPDelay holds requests on a link back before they are passed on.
type HTTPDelay struct {
	Edge     `yaml:",inline"`
	Requests `yaml:",inline"`
	Delay    scenarios.Duration `yaml:"delay,required,positive"`
	Jitter   scenarios.Duration `yaml:"jitter"` // at most this much more or less, uniform
}

var (
	_ Fault  = (*HTTPError)(nil)
	_ Fault  = (*HTTPDelay)(nil)
	_ Linked = (*HTTPError)(nil)
	_ Linked = (*HTTPDelay)(nil)
)

// probe is a request that fits: its path stands for a *.
func (r *Requests) probe() (method, path string) {
	method, path = r.Method, ""
	for _, c := range r.Path {
		if c != '*' {
			path += string(c)
		}
	}
	if method == "" {
		method = "GET"
	}
	if path == "" {
		path = "/"
	}
	return method, path
}

func (r *Requests) check(e *Edge, at scenarios.Pos, sc Scope, m *scenarios.Mistakes) {
	e.check(at, sc, m)
	if sc.TLS && e.on(LoadName, TargetName) {
		m.Add(at, "the load speaks TLS, so that no link can look into its requests; network.* faults work")
	}
	if r.Percent != nil && *r.Percent == 0 {
		m.Add(e.Of("percent"), "0%% of the requests are none")
	}
	if r.Path != "" && r.Path[0] != '/' && r.Path[0] != '*' {
		m.Add(e.Of("path"), "a path begins with /, such as /posts/*")
	}
}

// Check implements [Fault].
func (f *HTTPError) Check(at scenarios.Pos, sc Scope, m *scenarios.Mistakes) {
	f.Requests.check(&f.Edge, at, sc, m)
}

// Check implements [Fault].
func (f *HTTPDelay) Check(at scenarios.Pos, sc Scope, m *scenarios.Mistakes) {
	f.Requests.check(&f.Edge, at, sc, m)
	if f.Jitter > f.Delay {
		m.Add(f.Of("jitter"), "the jitter %s is more than the delay %s, and no delay is negative", f.Jitter, f.Delay)
	}
}

// Touches implements [Linked].
func (f *HTTPError) Touches(from, to string) (hit, http bool) { return f.on(from, to), true }

// Touches implements [Linked].
func (f *HTTPDelay) Touches(from, to string) (hit, http bool) { return f.on(from, to), true }

func (r *Requests) text() string {
	s := "all requests"
	if r.Percent != nil {
		s = r.Percent.String() + " of requests"
	}
	if r.Method+r.Path != "" {
		s += " of " + r.Method + " " + r.Path
	}
	return s
}

// Plan implements [Fault].
func (f *HTTPError) Plan(_ context.Context, env Env) ([]Step, error) {
	status := f.Status
	if status == 0 {
		status = 503
	}
	share := orAll(f.Percent)
	hits := func(ctx context.Context, l *Link) (hit, n int, err error) {
		method, path := f.probe()
		r, err := requests(ctx, l, tries(share), method, path)
		for _, s := range r.Statuses {
			if s == status {
				hit++
			}
		}
		return hit, len(r.Statuses), err
	}
	return toxicPlan(&f.Edge, env, &toxic{
		what:  fmt.Sprintf("answer %s with %d", f.text(), status),
		toxic: proxy.HTTPError{Status: status, Share: share, Path: f.Path, Method: f.Method, Body: f.Body, Headers: f.Headers},
		prove: func(ctx context.Context, l *Link, _ *proxy.Line) (string, error) {
			hit, n, err := hits(ctx, l)
			if err != nil {
				return "", err
			}
			if hit == 0 || share == 1 && hit < n {
				return "", fmt.Errorf("%w: %d of %d requests are answered with %d", errNoEffect, hit, n, status)
			}
			return fmt.Sprintf("%d of %d requests are answered with %d", hit, n, status), nil
		},
		undone: func(ctx context.Context, l *Link) (string, error) {
			hit, n, err := hits(ctx, l)
			if err != nil {
				return "", err
			}
			if hit > 0 {
				return "", fmt.Errorf("%d of %d requests are still answered with %d", hit, n, status)
			}
			return fmt.Sprintf("none of %d requests is answered with %d", n, status), nil
		},
	})
}

// Plan implements [Fault].
func (f *HTTPDelay) Plan(_ context.Context, env Env) ([]Step, error) {
	share := orAll(f.Percent)
	least := f.Delay.D() - f.Jitter.D() - time.Millisecond
	late := func(ctx context.Context, l *Link, limit time.Duration) (hit, n int, err error) {
		method, path := f.probe()
		r, err := requests(ctx, l, tries(share), method, path)
		for _, d := range r.Times {
			if d >= limit {
				hit++
			}
		}
		return hit, len(r.Times), err
	}
	return toxicPlan(&f.Edge, env, &toxic{
		what:  fmt.Sprintf("delay %s by %s", f.text(), f.Delay),
		toxic: proxy.HTTPDelay{Delay: f.Delay.D(), Jitter: f.Jitter.D(), Share: share, Path: f.Path, Method: f.Method},
		prove: func(ctx context.Context, l *Link, _ *proxy.Line) (string, error) {
			hit, n, err := late(ctx, l, max(least, time.Millisecond))
			if err != nil {
				return "", err
			}
			if hit == 0 || share == 1 && hit < n {
				return "", fmt.Errorf("%w: %d of %d requests are delayed", errNoEffect, hit, n)
			}
			return fmt.Sprintf("%d of %d requests take %s and more", hit, n, scenarios.FormatSeconds(least.Seconds())), nil
		},
		undone: func(ctx context.Context, l *Link) (string, error) {
			hit, n, err := late(ctx, l, f.Delay.D()/2+time.Millisecond)
			if err != nil {
				return "", err
			}
			if hit > 0 {
				return "", fmt.Errorf("%d of %d requests are still delayed", hit, n)
			}
			return fmt.Sprintf("none of %d requests is delayed", n), nil
		},
	})
}
