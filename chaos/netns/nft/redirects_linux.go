package nft

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// Redirects names the chains of the thread's namespace, other than brunt's, that change the destination of connections
// from inside it.
func Redirects() (out []string, err error) {
	c, err := nftables.New()
	if err != nil {
		return nil, fmt.Errorf("opening nftables: %w", err)
	}
	chains, err := c.ListChains()
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOENT) { // a kernel without nftables, or without tables
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	outgoing := map[string]bool{} // tables that translate addresses of packets from inside
	for _, chain := range chains {
		if chain.Type == nftables.ChainTypeNAT && chain.Hooknum != nil && *chain.Hooknum == *nftables.ChainHookOutput {
			outgoing[chain.Table.Name] = true
		}
	}
	for _, chain := range chains {
		if !outgoing[chain.Table.Name] || strings.HasPrefix(chain.Table.Name, Mark) ||
			chain.Hooknum != nil && *chain.Hooknum != *nftables.ChainHookOutput {
			continue
		}
		rules, err := c.GetRules(chain.Table, chain)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(rules, redirects) {
			out = append(out, "chain "+chain.Name+" of the table "+chain.Table.Name)
		}
	}
	return out, nil
}

// redirects reports whether a rule gives a connection another destination.
func redirects(r *nftables.Rule) bool {
	for _, e := range r.Exprs {
		switch e := e.(type) {
		case *expr.Redir:
			return true
		case *expr.NAT:
			return e.Type == expr.NATTypeDestNAT
		case *expr.Target: // of iptables
			return e.Name == "REDIRECT" || e.Name == "DNAT"
		}
	}
	return false
}
