package chaos

import (
	"fmt"
	"net"
	"strings"
)

// SelfOf returns the values of ${self.…} for a unit, by the text of the placeholder.
func SelfOf(u Unit) map[string]string {
	self := map[string]string{"self.name": u.Name()}
	if _, index, ok := SplitUnit(u.Name()); ok {
		self["self.index"] = fmt.Sprint(index)
	}
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

// FillSelf replaces each ${self.…} in a setting of a fault by its value for a unit.
func FillSelf(text string, u Unit) (string, error) {
	if !strings.Contains(text, "${self.") {
		return text, nil
	}
	for name, value := range SelfOf(u) {
		text = strings.ReplaceAll(text, "${"+name+"}", value)
	}
	if _, rest, left := strings.Cut(text, "${self."); left {
		name, _, _ := strings.Cut(rest, "}")
		return "", fmt.Errorf("%s has no value for ${self.%s}", u.Name(), name)
	}
	return text, nil
}
