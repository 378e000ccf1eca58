package catalog

import (
	"embed"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/container"
	"brunt/chaos/fault/clock"
	containerfault "brunt/chaos/fault/container"
	"brunt/chaos/fault/custom"
	"brunt/chaos/fault/dns"
	"brunt/chaos/fault/node"
	"brunt/chaos/fault/packet"
	"brunt/chaos/fault/pod"
	"brunt/chaos/fault/process"
	"brunt/chaos/fault/proxied"
	"brunt/chaos/fault/resource"
	"brunt/chaos/fault/workload"
	"brunt/chaos/link"
	"brunt/chaos/probe"
	"brunt/chaos/selector"
	"brunt/chaos/victim"
)

// Sources are the texts of the packages whose types are settings of faults, by import path.
func Sources() map[string]embed.FS {
	return map[string]embed.FS{
		"brunt/chaos":                 chaos.Source,
		"brunt/chaos/cluster":         cluster.Source,
		"brunt/chaos/container":       container.Source,
		"brunt/chaos/fault/clock":     clock.Source,
		"brunt/chaos/fault/container": containerfault.Source,
		"brunt/chaos/fault/custom":    custom.Source,
		"brunt/chaos/fault/dns":       dns.Source,
		"brunt/chaos/fault/node":      node.Source,
		"brunt/chaos/fault/packet":    packet.Source,
		"brunt/chaos/fault/pod":       pod.Source,
		"brunt/chaos/fault/process":   process.Source,
		"brunt/chaos/fault/proxied":   proxied.Source,
		"brunt/chaos/fault/resource":  resource.Source,
		"brunt/chaos/fault/workload":  workload.Source,
		"brunt/chaos/link":            link.Source,
		"brunt/chaos/victim":          victim.Source,
		"brunt/chaos/probe":           probe.Source,
		"brunt/chaos/selector":        selector.Source,
	}
}
