package kube

import (
	"context"
	"errors"
	"fmt"
	"net/http"
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

// RolesHint ends an error that names missing rights.
const RolesHint = "`brunt rbac SCENARIO` prints the whole roles"

// Require returns an error if the caller lacks some of the rights. The error names all of them, with the lines of a
// role that grant them.
func (c *Cluster) Require(ctx context.Context, rights []Right) error {
	lack, err := c.Lacking(ctx, rights)
	if err != nil || len(lack) == 0 {
		return err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "the cluster %s does not let you:", c.Server())
	for _, m := range lack {
		fmt.Fprintf(&b, "\n  %s; this line of a role grants it: %s", m.Right, Rule(m.Right))
	}
	b.WriteString("\n" + RolesHint)
	return errors.New(b.String())
}
