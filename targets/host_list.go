package targets

import "strings"

// HostList returns, for a URL with a comma-separated list of hosts as other clients accept it, how to write it in a
// scenario. It is "" for other URLs.
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
