package stack

import (
	"slices"
	"strings"
)

// loopback is what no proxy is for: units and links are on this machine.
const loopback = "127.0.0.0/8,127.0.0.1,localhost,::1"

// direct gives an environment in which no proxy stands between a unit and its links:
// where it names one, its NO_PROXY names loopback as well. A unit still goes by the
// proxy to everywhere else.
func direct(env []string) []string {
	values := map[string]string{}
	for _, e := range env {
		name, value, _ := strings.Cut(e, "=")
		values[name] = value
	}
	named := slices.ContainsFunc([]string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"}, func(name string) bool { return values[name] != "" })
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
