package targets

import "strings"

// HostList returns how a URL is written that has a list of hosts with commas, which other clients take; "" is none.
func HostList(text string) string {
	scheme, rest, _ := strings.Cut(text, "://")
	end := len(rest)
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		end = i
	}
	before := ""
	if i := strings.LastIndexByte(rest[:end], '@'); i >= 0 {
		before = "USER:PASSWORD@"
		rest, end = rest[i+1:], end-i-1
	}
	hosts := strings.Split(rest[:end], ",")
	if len(hosts) == 1 {
		return ""
	}
	path, _, _ := strings.Cut(rest[end:], "?")
	return scheme + "://" + before + hosts[0] + path + "?addr=" + strings.Join(hosts[1:], "&addr=")
}
