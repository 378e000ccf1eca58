package docker

import (
	"context"
	"fmt"

	"github.com/moby/moby/client"
)

// volumes lists the volumes that a filter selects, by name.
func volumes(ctx context.Context, api client.APIClient, f client.Filters) ([]string, error) {
	vs, err := api.VolumeList(ctx, client.VolumeListOptions{Filters: f})
	if err != nil {
		return nil, fmt.Errorf("listing volumes: %w", err)
	}
	var out []string
	for _, v := range vs.Items {
		out = append(out, v.Name)
	}
	return out, nil
}

// CreateVolume creates a volume. It has no effect if the volume exists. A size in bytes limits its files, which are
// then in memory: the engine's driver has no other limit on each filesystem. Zero is no limit.
func CreateVolume(ctx context.Context, e *Engine, name string, labels map[string]string, size int64) error {
	o := client.VolumeCreateOptions{Name: name, Labels: labels}
	if size > 0 {
		o.DriverOpts = map[string]string{"type": "tmpfs", "device": "tmpfs", "o": fmt.Sprintf("size=%d", size)}
	}
	_, err := e.api.VolumeCreate(ctx, o)
	return err
}

// RemoveVolume removes a volume. A missing volume is not an error.
func RemoveVolume(ctx context.Context, e *Engine, name string) error {
	if _, err := e.api.VolumeRemove(ctx, name, client.VolumeRemoveOptions{}); err != nil && !gone(err) {
		return err
	}
	return nil
}
