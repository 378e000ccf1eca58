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
	"time"

	"brunt/scenarios/connect"
)

// InCluster is the context for the cluster in which brunt runs as a pod, with the service account of that pod.
const InCluster = "in-cluster"

// An Address selects a cluster.
type Address struct {
	// kubeconfig files, as $KUBECONFIG lists them; empty: the files that kubectl reads, or else the service account of
	// the pod that brunt runs in
	Kubeconfig string
	Context    string // context of the kubeconfig, or InCluster; empty: the current one
	Namespace  string // empty: the namespace of the context, else default
}

// Options configure the connection to a cluster.
type Options struct {
	// Check refuses addresses that must not be connected to; nil refuses none.
	Check connect.Check
	// AnswerWithin is the time limit of a request; zero is 20 s. Watches and connections to pods have no such limit.
	AnswerWithin time.Duration
}

// Manager is brunt's name in requests, and thereby the manager of the fields that it sets.
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
	page    int                   // number of objects in a page of a list
	refused atomic.Pointer[error] // error of Check for the last refused address
}

// Dial connects to an address, such as host:443.
type Dial func(ctx context.Context, network, addr string) (net.Conn, error)

// Access says how requests reach an API server.
type Access struct {
	Client *http.Client // for requests, with credentials
	TLS    *tls.Config  // for connections to pods; nil: the defaults, if the API server uses TLS
	// Credentials adds the credentials of the caller to the requests of a connection to a pod.
	Credentials func(http.RoundTripper) (http.RoundTripper, error)
}

// New prepares the client of a cluster, whose access connects through the Dial that it is given. It does not connect.
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

// dialer returns a Dial to the API server, which asks check first.
func (c *Cluster) dialer(check connect.Check) Dial {
	if check == nil {
		d := net.Dialer{Timeout: connectWithin}
		return d.DialContext
	}
	return connect.Check(func(to netip.AddrPort, host string) error {
		err := check(to, host)
		if err != nil {
			c.refused.Store(&err)
		}
		return err
	}).Within(connectWithin)
}

// Address returns the address of the cluster, with its context and namespace filled in.
func (c *Cluster) Address() Address { return c.at }

// Server returns the URL of the API server.
func (c *Cluster) Server() string { return c.base.String() }

// Identity returns the UID of the namespace kube-system, which stays the same as long as the cluster lives.
func (c *Cluster) Identity(ctx context.Context) (string, error) {
	ns, err := Namespaces(c).Get(ctx, "kube-system")
	if err != nil {
		return "", fmt.Errorf("identify the cluster: %w", err)
	}
	return string(ns.UID), nil
}

// Close closes idle connections.
func (c *Cluster) Close() { c.access.Client.CloseIdleConnections() }
