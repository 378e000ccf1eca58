package chaos

import (
	"brunt/chaos/proxy"
)

// A Link is the connection from one unit to another, or from the load to its target, through brunt's
// proxy.
type Link struct {
	From  string // a unit, or LoadName
	To    string // a unit, or TargetName
	Proxy *proxy.Proxy
}

// Name returns from->to.
func (l *Link) Name() string { return l.From + "->" + l.To }
