package kube

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// A Right is the permission to do something with the objects of one kind.
type Right struct {
	Verb      string
	Group     string // empty: the core group
	Resource  string // such as pods, or pods/portforward
	Namespace string // empty: objects that are in no namespace
	Name      string // name of the only object; empty: all
}

// May asks the cluster whether the caller has a right. reason is the cluster's explanation, if it gives one.
func (c *Cluster) May(ctx context.Context, r Right) (allowed bool, reason string, err error) {
	resource, sub, _ := strings.Cut(r.Resource, "/")
	type review struct {
		TypeMeta
		Spec struct {
			Attributes map[string]string `json:"resourceAttributes"`
		} `json:"spec"`
		Status struct {
			Allowed bool   `json:"allowed"`
			Reason  string `json:"reason"`
		} `json:"status"`
	}
	ask, answer := review{TypeMeta: TypeMeta{Kind: "SelfSubjectAccessReview", APIVersion: "authorization.k8s.io/v1"}},
		review{}
	ask.Spec.Attributes = map[string]string{
		"verb": r.Verb, "group": r.Group, "resource": resource, "subresource": sub, "namespace": r.Namespace, "name": r.Name,
	}
	if err := c.do(ctx, call{
		method: http.MethodPost, path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body: ask,
	}, &answer); err != nil {
		return false, "", err
	}
	return answer.Status.Allowed, clean(answer.Status.Reason), nil
}

// A MissingRight is a right that the caller lacks.
type MissingRight struct {
	Right
	Why string // explanation of the cluster; may be empty
}

// Lacking asks the cluster for each right, and returns the rights that the caller lacks.
func (c *Cluster) Lacking(ctx context.Context, rights []Right) (out []MissingRight, err error) {
	for _, r := range rights {
		may, why, err := c.May(ctx, r)
		if err != nil {
			return nil, err
		}
		if !may {
			out = append(out, MissingRight{r, why})
		}
	}
	return out, nil
}

// A LackingError names the rights that the caller lacks, and what each is for.
type LackingError struct {
	Server  string
	Missing []Use
}

// Error is a table of the rights.
func (e LackingError) Error() string {
	return fmt.Sprintf("the cluster %s does not let you:\n%s\n`brunt rbac SCENARIO` prints the roles that grant this",
		e.Server, strings.Join(UseTable(e.Missing), "\n"))
}

// Explain says what the missing rights are for, where some uses name them.
func (e LackingError) Explain(uses []Use) LackingError {
	e.Missing = slices.Clone(e.Missing)
	for i, m := range e.Missing {
		for _, u := range uses {
			if u.Right == m.Right {
				e.Missing[i].For = u.For
			}
		}
	}
	return e
}

// Require returns a [LackingError] if the caller lacks some of the rights.
func (c *Cluster) Require(ctx context.Context, rights []Right) error {
	lack, err := c.Lacking(ctx, rights)
	if err != nil || len(lack) == 0 {
		return err
	}
	e := LackingError{Server: c.Server()}
	for _, m := range lack {
		e.Missing = append(e.Missing, Use{Right: m.Right})
	}
	return e
}

// AdmitsPod asks the cluster, by a dry run, whether it would accept a pod in a namespace: a Job is accepted where its
// pods are not, such as beyond a LimitRange or a quota. The account of the pod need not exist yet. known is false if
// the caller may not make pods there, so that the cluster does not say.
func (c *Cluster) AdmitsPod(ctx context.Context, namespace string, labels map[string]string, spec PodSpec) (
	known bool, err error,
) {
	no := false
	spec.ServiceAccountName, spec.AutomountServiceAccountToken = "", &no
	_, err = Pods(c, namespace).Create(ctx, &Pod{
		ObjectMeta: ObjectMeta{GenerateName: "brunt-", Labels: labels}, Spec: spec,
	}, true)
	if Is(err, Forbidden) {
		if may, _, merr := c.May(ctx, Right{Verb: "create", Resource: "pods", Namespace: namespace}); merr == nil && !may {
			return false, nil
		}
	}
	return err == nil || Answered(err), err
}
