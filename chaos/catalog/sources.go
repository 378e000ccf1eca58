package catalog

import (
	"embed"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/container"
	containerfault "brunt/chaos/fault/container"
	"brunt/chaos/fault/custom"
	"brunt/chaos/fault/kubernetes"
	"brunt/chaos/fault/network"
	"brunt/chaos/fault/process"
	"brunt/chaos/fault/proxied"
	"brunt/chaos/fault/resource"
	"brunt/chaos/medium/link"
	"brunt/chaos/probe"
	"brunt/chaos/selector"
	"brunt/chaos/victim"
)

// Sources returns the source texts of the packages whose types are settings of faults, by import path.
func Sources() map[string]embed.FS {
	return map[string]embed.FS{
		"brunt/chaos":                  chaos.Source,
		"brunt/chaos/cluster":          cluster.Source,
		"brunt/chaos/container":        container.Source,
		"brunt/chaos/fault/container":  containerfault.Source,
		"brunt/chaos/fault/custom":     custom.Source,
		"brunt/chaos/fault/network":    network.Source,
		"brunt/chaos/fault/kubernetes": kubernetes.Source,
		"brunt/chaos/fault/process":    process.Source,
		"brunt/chaos/fault/proxied":    proxied.Source,
		"brunt/chaos/fault/resource":   resource.Source,
		"brunt/chaos/medium/link":      link.Source,
		"brunt/chaos/victim":           victim.Source,
		"brunt/chaos/probe":            probe.Source,
		"brunt/chaos/selector":         selector.Source,
	}
}
