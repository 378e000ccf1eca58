package process

import (
	"slices"
	"strings"
)

// loopback lists the addresses that need no proxy, because units and links are on this machine.
const loopback = "127.0.0.0/8,127.0.0.1,localhost,::1"

// direct returns an environment in which a unit reaches its links without a proxy. If the environment names a proxy,
// it adds loopback to NO_PROXY. The unit uses the proxy for all other addresses.
func direct(env []string) []string {
	values := map[string]string{}
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		values[name] = value
	}
	named := slices.ContainsFunc([]string{
		"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy",
	},
		func(name string) bool { return values[name] != "" })
	if !named {
		return env
	}
	no := values["NO_PROXY"]
	if no == "" {
		no = values["no_proxy"]
	}
	no = strings.TrimPrefix(no+","+loopback, ",")
	return append(slices.Clip(env), "NO_PROXY="+no, "no_proxy="+no)
}
