package kube

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// A Kind describes a kind of objects.
type Kind struct {
	Resource   string // as in paths, such as deployments
	Namespaced bool   // its objects are in namespaces
}

// KindOf asks the cluster for a kind of an API, such as apps/v1. If the kind does not exist, the error names those that
// do.
func (c *Cluster) KindOf(ctx context.Context, api, kind string) (Kind, error) {
	path := "/apis/" + api
	if !strings.Contains(api, "/") {
		path = "/api/" + api
	}
	var list struct {
		Resources []struct {
			Name       string `json:"name"`
			Kind       string `json:"kind"`
			Namespaced bool   `json:"namespaced"`
		} `json:"resources"`
	}
	if err := c.do(ctx, call{method: http.MethodGet, path: path}, &list); err != nil {
		if Is(err, NotFound) {
			return Kind{}, fmt.Errorf("the cluster has no API %s", api)
		}
		return Kind{}, err
	}
	var known []string
	for _, r := range list.Resources {
		if strings.Contains(r.Name, "/") { // a subresource
			continue
		}
		if r.Kind == kind {
			return Kind{r.Name, r.Namespaced}, nil
		}
		known = append(known, r.Kind)
	}
	slices.Sort(known)
	return Kind{}, fmt.Errorf("the API %s has no kind %s; it has: %s", api, kind, strings.Join(known, ", "))
}
