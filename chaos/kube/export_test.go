package kube

import "context"

// Pages sets how many objects of a list come at a time.
func (c *Cluster) Pages(of int) { c.page = of }

// Follow watches from a version on, once, until the API server ends it or do returns false.
func (o Objects[T]) Follow(ctx context.Context, version string, do func(Event[T]) bool) error {
	w := &watcher[T]{Objects: o, do: do, known: map[string]T{}}
	_, err := w.follow(ctx, version)
	return err
}
