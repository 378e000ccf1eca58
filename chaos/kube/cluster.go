package kube

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// InCluster is the context of the cluster whose pod brunt runs in, by the service account of that pod.
const InCluster = "in-cluster"

// An Address says which cluster is meant.
type Address struct {
	Kubeconfig string // files, as $KUBECONFIG lists them; empty: those that kubectl reads, else the service account of the pod that brunt runs in
	Context    string // of the kubeconfig, or InCluster; empty: its current one
	Namespace  string // empty: that of the context, else default
}

// Options configure the connection to a cluster.
type Options struct {
	// Check refuses addresses that must not be connected to; nil refuses none. It gets the resolved address of the connection.
	Check func(addr netip.AddrPort, host string) error
	// AnswerWithin is how long the answer to a request may take; zero is 20 s. Watches and connections to pods have no such limit.
	AnswerWithin time.Duration
}

// userAgent is what brunt calls itself, also as the manager of the fields that it sets.
const userAgent = "brunt"

const (
	answerWithin  = 20 * time.Second
	connectWithin = 10 * time.Second
)

// A Cluster is a client of a Kubernetes cluster. It is safe for concurrent use.
type Cluster struct {
	at      Address
	base    *url.URL
	config  *rest.Config
	tls     *tls.Config // nil: the API server speaks plain HTTP
	client  *http.Client
	within  time.Duration
	page    int                   // how many objects of a list come at a time
	refused atomic.Pointer[error] // why Check refused the address
}

// A NoContextError says that a kubeconfig lacks a context.
type NoContextError struct {
	Context string
	Known   []string // the contexts that it has
}

func (e NoContextError) Error() string {
	return fmt.Sprintf("the kubeconfig has no context %q; it has: %s", e.Context, cmp.Or(strings.Join(e.Known, ", "), "none"))
}

// Open prepares the client of a cluster. It does not connect.
func Open(at Address, o Options) (*Cluster, error) {
	if at.Context == InCluster {
		config, err := rest.InClusterConfig()
		if err != nil {
			return nil, fmt.Errorf("the context %s: %w", InCluster, err)
		}
		return open(at, config, o)
	}
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	switch files := filepath.SplitList(at.Kubeconfig); {
	case len(files) == 1:
		rules.ExplicitPath = at.Kubeconfig
	case len(files) > 1:
		rules.Precedence = files
	}
	overrides := &clientcmd.ConfigOverrides{CurrentContext: at.Context}
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides)
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	if names := slices.Sorted(maps.Keys(raw.Contexts)); at.Context != "" && !slices.Contains(names, at.Context) {
		return nil, NoContextError{at.Context, names}
	}
	config, err := loader.ClientConfig()
	if clientcmd.IsEmptyConfig(err) {
		return nil, errors.New("there is no kubeconfig, and brunt does not run in a pod: name a file by KUBECONFIG")
	}
	if err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	if config.Proxy != nil {
		return nil, errors.New("the kubeconfig names a proxy (proxy-url), which would hide the address that brunt connects to: remove it")
	}
	if at.Context == "" {
		at.Context = raw.CurrentContext
	}
	if at.Namespace == "" {
		if at.Namespace, _, err = loader.Namespace(); err != nil {
			return nil, fmt.Errorf("read the kubeconfig: %w", err)
		}
	}
	return open(at, config, o)
}

func open(at Address, config *rest.Config, o Options) (*Cluster, error) {
	c := &Cluster{at: at, config: config, within: cmp.Or(o.AnswerWithin, answerWithin), page: pageOf}
	host := config.Host
	if !strings.Contains(host, "://") {
		host = "https://" + host
	}
	var err error
	if c.base, err = url.Parse(host); err != nil || c.base.Host == "" {
		return nil, fmt.Errorf("the kubeconfig's server %q: want a URL", config.Host)
	}
	config.Host = host
	config.Proxy = func(*http.Request) (*url.URL, error) { return nil, nil }
	config.Dial = c.dialer(o.Check)
	config.UserAgent = userAgent
	if c.tls, err = rest.TLSConfigFor(config); err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	if c.tls == nil && c.base.Scheme == "https" {
		c.tls = new(tls.Config)
	}
	if c.client, err = rest.HTTPClientFor(config); err != nil {
		return nil, fmt.Errorf("read the kubeconfig: %w", err)
	}
	c.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c, nil
}

// dialer connects to the API server, once check has seen the address.
func (c *Cluster) dialer(check func(netip.AddrPort, string) error) func(ctx context.Context, network, addr string) (net.Conn, error) {
	d := net.Dialer{Timeout: connectWithin}
	if check != nil {
		d.Control = func(_, addr string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(addr)
			if err == nil {
				err = check(netip.AddrPortFrom(to.Addr().Unmap(), to.Port()), c.base.Hostname())
			}
			if err != nil {
				c.refused.Store(&err)
			}
			return err
		}
	}
	return d.DialContext
}

// Address returns the address of the cluster, with its context and namespace filled in.
func (c *Cluster) Address() Address { return c.at }

// Server is the URL of the API server.
func (c *Cluster) Server() string { return c.base.String() }

// Identity is what stays the same as long as a cluster lives: the UID of its namespace kube-system.
func (c *Cluster) Identity(ctx context.Context) (string, error) {
	ns, err := c.Namespaces().Get(ctx, "kube-system")
	if err != nil {
		return "", fmt.Errorf("identify the cluster: %w", err)
	}
	return string(ns.UID), nil
}

// Close closes the connections that no request uses.
func (c *Cluster) Close() { c.client.CloseIdleConnections() }
