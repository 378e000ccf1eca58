package kube

import (
	"context"
	"net/http"
	"strings"

	authv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A Right is leave to do something with the objects of one kind.
type Right struct {
	Verb      string
	Group     string // empty: the core group
	Resource  string // such as pods, or pods/portforward
	Namespace string // empty: the objects of the cluster
	Name      string // of the only object that is meant; empty: all
}

// May asks the cluster whether the caller has a right. Reason says why, where the cluster tells it.
func (c *Cluster) May(ctx context.Context, r Right) (allowed bool, reason string, err error) {
	resource, sub, _ := strings.Cut(r.Resource, "/")
	ask := authv1.SelfSubjectAccessReview{
		TypeMeta: metav1.TypeMeta{Kind: "SelfSubjectAccessReview", APIVersion: "authorization.k8s.io/v1"},
		Spec: authv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authv1.ResourceAttributes{
			Verb: r.Verb, Group: r.Group, Resource: resource, Subresource: sub, Namespace: r.Namespace, Name: r.Name,
		}},
	}
	var answer authv1.SelfSubjectAccessReview
	if err := c.do(ctx, call{method: http.MethodPost, path: "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body: ask}, &answer); err != nil {
		return false, "", err
	}
	return answer.Status.Allowed, clean(answer.Status.Reason), nil
}
