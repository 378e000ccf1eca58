package kube

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Objects gives access to the objects of one kind, in one namespace or in all. Functions such as [Pods] return it. With
// methods of [Cluster], the compiler would translate the code of all kinds in each package that knows a Cluster.
type Objects[T any] struct {
	c    *Cluster
	path string // path of the list
}

// within returns the path of the list of a kind in a namespace, or in all if the namespace is empty. group is the path
// of the kind's group and version.
func within(namespace, group, kind string) string {
	if namespace == "" {
		return group + "/" + kind
	}
	return group + "/namespaces/" + url.PathEscape(namespace) + "/" + kind
}

// Namespaces returns the namespaces of the cluster.
func Namespaces(c *Cluster) Objects[Namespace] {
	return Objects[Namespace]{c, "/api/v1/namespaces"}
}

// Nodes returns the nodes of the cluster.
func Nodes(c *Cluster) Objects[Node] { return Objects[Node]{c, "/api/v1/nodes"} }

// Pods returns the pods of a namespace, or of all if it is empty.
func Pods(c *Cluster, namespace string) Objects[Pod] {
	return Objects[Pod]{c, within(namespace, "/api/v1", "pods")}
}

// Events returns the events of a namespace.
func Events(c *Cluster, namespace string) Objects[ObjectEvent] {
	return Objects[ObjectEvent]{c, within(namespace, "/api/v1", "events")}
}

// ConfigMaps returns the config maps of a namespace.
func ConfigMaps(c *Cluster, namespace string) Objects[ConfigMap] {
	return Objects[ConfigMap]{c, within(namespace, "/api/v1", "configmaps")}
}

// Jobs returns the jobs of a namespace.
func Jobs(c *Cluster, namespace string) Objects[Job] {
	return Objects[Job]{c, within(namespace, "/apis/batch/v1", "jobs")}
}

// Deployments returns the deployments of a namespace.
func Deployments(c *Cluster, namespace string) Objects[Deployment] {
	return Objects[Deployment]{c, within(namespace, "/apis/apps/v1", "deployments")}
}

// StatefulSets returns the stateful sets of a namespace.
func StatefulSets(c *Cluster, namespace string) Objects[StatefulSet] {
	return Objects[StatefulSet]{c, within(namespace, "/apis/apps/v1", "statefulsets")}
}

// DaemonSets returns the daemon sets of a namespace.
func DaemonSets(c *Cluster, namespace string) Objects[DaemonSet] {
	return Objects[DaemonSet]{c, within(namespace, "/apis/apps/v1", "daemonsets")}
}

// Services returns the services of a namespace.
func Services(c *Cluster, namespace string) Objects[Service] {
	return Objects[Service]{c, within(namespace, "/api/v1", "services")}
}

// Slices returns the endpoint slices of a namespace: the addresses to which its services lead.
func Slices(c *Cluster, namespace string) Objects[EndpointSlice] {
	return Objects[EndpointSlice]{c, within(namespace, "/apis/discovery.k8s.io/v1", "endpointslices")}
}

// Autoscalers returns the horizontal autoscalers of a namespace.
func Autoscalers(c *Cluster, namespace string) Objects[HorizontalPodAutoscaler] {
	return Objects[HorizontalPodAutoscaler]{c, within(namespace, "/apis/autoscaling/v2", "horizontalpodautoscalers")}
}

// Roles returns the roles of a namespace.
func Roles(c *Cluster, namespace string) Objects[Role] {
	return Objects[Role]{c, within(namespace, "/apis/rbac.authorization.k8s.io/v1", "roles")}
}

// Bindings returns the role bindings of a namespace.
func Bindings(c *Cluster, namespace string) Objects[RoleBinding] {
	return Objects[RoleBinding]{c, within(namespace, "/apis/rbac.authorization.k8s.io/v1", "rolebindings")}
}

// Budgets returns the disruption budgets of a namespace.
func Budgets(c *Cluster, namespace string) Objects[PodDisruptionBudget] {
	return Objects[PodDisruptionBudget]{c, within(namespace, "/apis/policy/v1", "poddisruptionbudgets")}
}

// Evict deletes a pod as a drain of its node does. With a UID it deletes only the pod that has it. An error with the
// reason [Refused] says that a disruption budget does not allow it now.
func (c *Cluster) Evict(ctx context.Context, namespace, pod, uid string) error {
	ask := struct {
		TypeMeta
		ObjectMeta    `json:"metadata"`
		DeleteOptions *deleteOptions `json:"deleteOptions,omitempty"`
	}{
		TypeMeta:   TypeMeta{Kind: "Eviction", APIVersion: "policy/v1"},
		ObjectMeta: ObjectMeta{Name: pod, Namespace: namespace},
	}
	if uid != "" {
		ask.DeleteOptions = &deleteOptions{Preconditions: &preconditions{UID: uid}}
	}
	return c.do(ctx, call{method: http.MethodPost, path: Pods(c, namespace).at(pod) + "/eviction", body: ask}, nil)
}

// A Query selects objects; its zero value selects all.
type Query struct {
	Labels string // a selector, such as app=web
	Fields string // a selector, such as spec.nodeName=n1
}

func (q Query) values() url.Values {
	v := url.Values{}
	if q.Labels != "" {
		v.Set("labelSelector", q.Labels)
	}
	if q.Fields != "" {
		v.Set("fieldSelector", q.Fields)
	}
	return v
}

// Get reads an object.
func (o Objects[T]) Get(ctx context.Context, name string) (*T, error) {
	out := new(T)
	return out, o.c.do(ctx, call{method: http.MethodGet, path: o.at(name)}, out)
}

func (o Objects[T]) at(name string) string { return o.path + "/" + url.PathEscape(name) }

// listOf is a page of a list.
type listOf[T any] struct {
	Metadata struct {
		ResourceVersion string `json:"resourceVersion"`
		Continue        string `json:"continue"` // token for the next page; empty: this is the last one
	} `json:"metadata"`
	Items []T `json:"items"`
}

// List reads all objects that a query selects.
func (o Objects[T]) List(ctx context.Context, q Query) ([]T, error) {
	out, _, err := o.list(ctx, q)
	return out, err
}

// list reads all objects that a query selects, and the version of the list.
func (o Objects[T]) list(ctx context.Context, q Query) (out []T, version string, err error) {
	v := q.values()
	v.Set("limit", strconv.Itoa(o.c.page))
	for {
		var page listOf[T]
		if err := o.c.do(ctx, call{method: http.MethodGet, path: o.path, query: v}, &page); err != nil {
			return nil, "", err
		}
		out = append(out, page.Items...)
		if page.Metadata.Continue == "" {
			return out, page.Metadata.ResourceVersion, nil
		}
		v.Set("continue", page.Metadata.Continue)
	}
}

// Create creates an object, and returns it as the cluster stored it. With dry, the cluster only admits it: quotas,
// policies and defaults apply, and nothing is stored.
func (o Objects[T]) Create(ctx context.Context, object *T, dry bool) (*T, error) {
	out := new(T)
	return out, o.c.do(ctx, call{method: http.MethodPost, path: o.path, query: dryRun(dry), body: object}, out)
}

func dryRun(dry bool) url.Values {
	if dry {
		return url.Values{"dryRun": {"All"}}
	}
	return nil
}

// A Change is an operation of a JSON patch (RFC 6902).
type Change struct {
	Op    string `json:"op"` // test, add, replace or remove
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

// Patch changes an object: all changes or none. An error with the reason [Invalid] says that a test in the patch
// failed.
func (o Objects[T]) Patch(ctx context.Context, name string, changes ...Change) (*T, error) {
	out := new(T)
	return out, o.c.do(ctx, call{
		method: http.MethodPatch, path: o.at(name), body: changes, as: "application/json-patch+json",
	}, out)
}

// Update replaces an object. An error with the reason [Conflict] says that it changed since it was read.
func (o Objects[T]) Update(ctx context.Context, name string, object *T) (*T, error) {
	out := new(T)
	return out, o.c.do(ctx, call{method: http.MethodPut, path: o.at(name), body: object}, out)
}

// A Deletion says how an object is deleted.
type Deletion struct {
	UID   string        // delete only the object with this UID; empty: any of the name
	Grace time.Duration // time for its processes to end, in whole seconds; zero: the object's own
	Now   bool          // its processes are killed at once
}

// Delete deletes an object, and the objects that it owns.
func (o Objects[T]) Delete(ctx context.Context, name string, d Deletion) error {
	return o.c.do(ctx, call{method: http.MethodDelete, path: o.at(name), body: d.options()}, nil)
}

type deleteOptions struct {
	TypeMeta
	GracePeriodSeconds *int64         `json:"gracePeriodSeconds,omitempty"`
	Preconditions      *preconditions `json:"preconditions,omitempty"`
	PropagationPolicy  string         `json:"propagationPolicy,omitempty"`
}

// preconditions identify the only object to delete.
type preconditions struct {
	UID string `json:"uid"`
}

func (d Deletion) options() *deleteOptions {
	opts := &deleteOptions{TypeMeta: TypeMeta{Kind: "DeleteOptions", APIVersion: "v1"}, PropagationPolicy: "Background"}
	if d.UID != "" {
		opts.Preconditions = &preconditions{UID: d.UID}
	}
	if seconds := int64(d.Grace / time.Second); d.Now || seconds > 0 {
		opts.GracePeriodSeconds = &seconds
	}
	return opts
}
