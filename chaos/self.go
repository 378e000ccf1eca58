package chaos

import (
	"fmt"
	"net"
	"strings"
)

// SelfOf returns the values of ${self.…} for a unit, by the text of the placeholder.
func SelfOf(u Unit) map[string]string {
	self := nameOf(u)
	addr := ""
	if now := u.Traits().Addr; now != nil {
		addr = now()
	}
	if addr == "" {
		return self
	}
	self["self.addr"], self["self.url"] = addr, "http://"+addr
	if host, port, err := net.SplitHostPort(addr); err == nil {
		self["self.host"], self["self.port"] = host, port
	}
	return self
}

// nameOf returns the values of ${self.…} that are known of every unit.
func nameOf(u Unit) map[string]string {
	self := map[string]string{"self.name": u.Name()}
	if _, index, ok := SplitUnit(u.Name()); ok {
		self["self.index"] = fmt.Sprint(index)
	}
	return self
}

// FillSelf replaces each ${self.…} in a setting of a fault by its value for a unit. A unit on another
// machine has no address in it, as brunt reaches that unit by an address of this machine.
func FillSelf(text string, u Unit) (string, error) {
	if !strings.Contains(text, "${self.") {
		return text, nil
	}
	self := nameOf(u)
	if u.Traits().Node == nil {
		self = SelfOf(u)
	}
	for name, value := range self {
		text = strings.ReplaceAll(text, "${"+name+"}", value)
	}
	if _, rest, left := strings.Cut(text, "${self."); left {
		name, _, _ := strings.Cut(rest, "}")
		return "", fmt.Errorf("%s has no value for ${self.%s}", u.Name(), name)
	}
	return text, nil
}
