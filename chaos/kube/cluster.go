package kube

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"sync/atomic"
	"syscall"
	"time"
)

// InCluster is the context of the cluster whose pod brunt runs in, by the service account of that pod.
const InCluster = "in-cluster"

// An Address says which cluster is meant.
type Address struct {
	// files, as $KUBECONFIG lists them; empty: those that kubectl reads, else the service account of the pod that brunt
	// runs in
	Kubeconfig string
	Context    string // of the kubeconfig, or InCluster; empty: its current one
	Namespace  string // empty: that of the context, else default
}

// Options configure the connection to a cluster.
type Options struct {
	// Check refuses addresses that must not be connected to; nil refuses none. It gets the resolved address of the
	// connection.
	Check func(addr netip.AddrPort, host string) error
	// AnswerWithin is how long the answer to a request may take; zero is 20 s. Watches and connections to pods have no
	// such limit.
	AnswerWithin time.Duration
}

// Manager is what brunt calls itself in requests, and so the manager of the fields that it sets.
const Manager = "brunt"

const (
	answerWithin  = 20 * time.Second
	connectWithin = 10 * time.Second
)

// A Cluster is a client of a Kubernetes cluster. It is safe for concurrent use.
type Cluster struct {
	at      Address
	base    *url.URL
	access  Access
	dial    Dial
	within  time.Duration
	page    int                   // how many objects of a list come at a time
	refused atomic.Pointer[error] // why Check refused the address
}

// Dial connects to an address, such as host:443.
type Dial func(ctx context.Context, network, addr string) (net.Conn, error)

// Access is how requests come to an API server.
type Access struct {
	Client *http.Client // for requests, with credentials
	TLS    *tls.Config  // for connections to pods; nil: the defaults, where the API server speaks TLS
	// Credentials adds those of the caller to the requests of a connection to a pod.
	Credentials func(http.RoundTripper) (http.RoundTripper, error)
}

// New prepares the client of a cluster, whose access connects by a function of the client's own. It does not connect.
// Package kubeconfig finds the server and the access.
func New(at Address, server *url.URL, o Options, access func(Dial) (Access, error)) (*Cluster, error) {
	c := &Cluster{at: at, base: server, within: cmp.Or(o.AnswerWithin, answerWithin), page: pageOf}
	c.dial = c.dialer(o.Check)
	var err error
	if c.access, err = access(c.dial); err != nil {
		return nil, err
	}
	if c.access.TLS == nil && c.base.Scheme == "https" {
		c.access.TLS = new(tls.Config)
	}
	c.access.Client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c, nil
}

// dialer connects to the API server, once check has seen the address.
func (c *Cluster) dialer(check func(netip.AddrPort, string) error) Dial {
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
func (c *Cluster) Close() { c.access.Client.CloseIdleConnections() }
