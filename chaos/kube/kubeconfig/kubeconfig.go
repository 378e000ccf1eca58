// Package kubeconfig opens Kubernetes clusters as kubectl does: from the files of $KUBECONFIG, or with the service
// account of the pod that brunt runs in. It is the only package that links the client library of Kubernetes, for its
// credentials.
package kubeconfig

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"brunt/chaos/kube"
	"brunt/scenarios/disk"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
)

// A NoContextError says that a kubeconfig lacks a context.
type NoContextError struct {
	Context string
	Known   []string // the contexts that it has
}

func (e NoContextError) Error() string {
	return fmt.Sprintf("the kubeconfig has no context %q; it has: %s", e.Context,
		cmp.Or(strings.Join(e.Known, ", "), "none"))
}

// mostConfig bounds a kubeconfig, in bytes.
const mostConfig = 16 << 20

// Open prepares the client of a cluster. It does not connect.
func Open(at kube.Address, o kube.Options) (*kube.Cluster, error) {
	if at.Context == kube.InCluster {
		config, err := rest.InClusterConfig()
		if err != nil {
			return nil, fmt.Errorf("the context %s: %w", kube.InCluster, err)
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
	for _, file := range append(rules.GetLoadingPrecedence(), rules.ExplicitPath) {
		if file == "" || file == os.DevNull { // no configuration
			continue
		}
		if _, err := disk.Read(file, mostConfig); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("the kubeconfig %w", disk.Named(err))
		}
	}
	overrides := &clientcmd.ConfigOverrides{CurrentContext: at.Context}
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides)
	raw, err := loader.RawConfig()
	if err != nil {
		return nil, unread(err)
	}
	if names := slices.Sorted(maps.Keys(raw.Contexts)); at.Context != "" && !slices.Contains(names, at.Context) {
		return nil, NoContextError{at.Context, names}
	}
	config, err := loader.ClientConfig()
	if clientcmd.IsEmptyConfig(err) {
		return nil, errors.New("there is no kubeconfig, and brunt does not run in a pod: name a file by KUBECONFIG")
	}
	if err != nil {
		return nil, unread(err)
	}
	if config.Proxy != nil {
		return nil, errors.New("the kubeconfig names a proxy (proxy-url), which would hide the address that brunt " +
			"connects to: remove it")
	}
	if at.Context == "" {
		at.Context = raw.CurrentContext
	}
	if at.Namespace == "" {
		if at.Namespace, _, err = loader.Namespace(); err != nil {
			return nil, unread(err)
		}
	}
	return open(at, config, o)
}

func unread(err error) error { return fmt.Errorf("read the kubeconfig: %w", err) }

// open prepares the client of the cluster that a configuration leads to.
func open(at kube.Address, config *rest.Config, o kube.Options) (*kube.Cluster, error) {
	if !strings.Contains(config.Host, "://") {
		config.Host = "https://" + config.Host
	}
	server, err := url.Parse(config.Host)
	if err != nil || server.Host == "" {
		return nil, fmt.Errorf("the kubeconfig's server %q: want a URL", config.Host)
	}
	return kube.New(at, server, o, func(dial kube.Dial) (a kube.Access, err error) {
		config.Proxy = func(*http.Request) (*url.URL, error) { return nil, nil }
		config.Dial = dial
		config.UserAgent = kube.Manager
		if a.TLS, err = rest.TLSConfigFor(config); err != nil {
			return a, unread(err)
		}
		if a.Client, err = rest.HTTPClientFor(config); err != nil {
			return a, unread(err)
		}
		a.Credentials = func(by http.RoundTripper) (http.RoundTripper,
			error,
		) {
			return rest.HTTPWrappersForConfig(config, by)
		}
		return a, nil
	})
}
