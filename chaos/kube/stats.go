package kube

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"time"
)

// A PodUsage is the resource use of a pod's containers together.
type PodUsage struct {
	UID, Name string        // the UID is empty if the source has none
	At        time.Time     // time of the figures, by the clock of the pod's node
	Cores     float64       // mean over the source's own window; negative: unknown
	CPU       time.Duration // used since the pod began; negative: unknown
	Memory    int64         // bytes of the working set; negative: unknown
}

// MetricsAPI is the group and version of the metrics API, which metrics-server serves.
const MetricsAPI = "metrics.k8s.io/v1beta1"

// PodMetrics asks the metrics API for the resource use of the pods of a namespace. An error with the reason [NotFound]
// says that the cluster has no such API.
func (c *Cluster) PodMetrics(ctx context.Context, namespace string) ([]PodUsage, error) {
	var list struct {
		Items []struct {
			Metadata struct {
				Name string `json:"name"`
			} `json:"metadata"`
			Timestamp  time.Time `json:"timestamp"`
			Containers []struct {
				Usage map[string]Quantity `json:"usage"`
			} `json:"containers"`
		} `json:"items"`
	}
	if err := c.do(ctx, call{method: http.MethodGet, path: within(namespace, "/apis/"+MetricsAPI, "pods")},
		&list); err != nil {
		return nil, err
	}
	var out []PodUsage
	for _, p := range list.Items {
		u := PodUsage{Name: p.Metadata.Name, At: p.Timestamp, CPU: -1}
		for _, one := range p.Containers {
			cores, err := one.Usage["cpu"].Float()
			if err != nil {
				return nil, fmt.Errorf("the processors that the pod %s uses: %w", u.Name, err)
			}
			memory, err := one.Usage["memory"].Float()
			if err != nil {
				return nil, fmt.Errorf("the memory that the pod %s uses: %w", u.Name, err)
			}
			u.Cores += cores
			u.Memory += int64(math.Ceil(memory))
		}
		out = append(out, u)
	}
	return out, nil
}

// stats are the figures of a pod or a container from the kubelet.
type stats struct {
	CPU *struct {
		Time  time.Time `json:"time"`
		Cores *uint64   `json:"usageNanoCores"`
		Used  *uint64   `json:"usageCoreNanoSeconds"`
	} `json:"cpu"`
	Memory *struct {
		WorkingSet *uint64 `json:"workingSetBytes"`
	} `json:"memory"`
}

// add adds the figures of a container to those of its pod.
func (u *PodUsage) add(s stats) {
	if s.CPU != nil && s.CPU.Cores != nil && s.CPU.Used != nil {
		u.Cores = max(0, u.Cores) + float64(*s.CPU.Cores)/1e9
		u.CPU = max(0, u.CPU) + time.Duration(*s.CPU.Used)
		if s.CPU.Time.After(u.At) {
			u.At = s.CPU.Time
		}
	}
	if s.Memory != nil && s.Memory.WorkingSet != nil {
		u.Memory = max(0, u.Memory) + int64(*s.Memory.WorkingSet)
	}
}

// NodeUsage asks the kubelet of a node, through the API server, for the resource use of the pods of a namespace on that
// node.
func (c *Cluster) NodeUsage(ctx context.Context, node, namespace string) ([]PodUsage, error) {
	var summary struct {
		Pods []struct {
			PodRef struct {
				Name      string `json:"name"`
				Namespace string `json:"namespace"`
				UID       string `json:"uid"`
			} `json:"podRef"`
			stats
			Containers []stats `json:"containers"`
		} `json:"pods"`
	}
	path := "/api/v1/nodes/" + url.PathEscape(node) + "/proxy/stats/summary"
	if err := c.do(ctx, call{method: http.MethodGet, path: path}, &summary); err != nil {
		return nil, fmt.Errorf("ask the kubelet of %s: %w", node, err)
	}
	var out []PodUsage
	for _, p := range summary.Pods {
		if p.PodRef.Namespace != namespace {
			continue
		}
		u := PodUsage{UID: p.PodRef.UID, Name: p.PodRef.Name, Cores: -1, CPU: -1, Memory: -1}
		if u.add(p.stats); u.CPU < 0 || u.Memory < 0 {
			u = PodUsage{UID: p.PodRef.UID, Name: p.PodRef.Name, Cores: -1, CPU: -1, Memory: -1}
			for _, s := range p.Containers {
				u.add(s)
			}
		}
		if u.Memory > 0 { // otherwise the kubelet has no figures of the pod yet
			out = append(out, u)
		}
	}
	return out, nil
}
