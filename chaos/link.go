package chaos

import (
	"brunt/chaos/proxy"
)

// A Link is the way from one unit to another, or from the load to its target, with
// brunt's proxy on it.
type Link struct {
	From  string // a unit, or LoadName
	To    string // a unit, or TargetName
	Proxy *proxy.Proxy
}

// Name is from->to.
func (l *Link) Name() string { return l.From + "->" + l.To }
