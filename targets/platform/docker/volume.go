package docker

import (
	"context"
	"fmt"

	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/volume"
	"github.com/docker/docker/client"
)

// volumes lists the volumes that a filter selects, by name.
func volumes(ctx context.Context, api client.APIClient, f filters.Args) ([]string, error) {
	vs, err := api.VolumeList(ctx, volume.ListOptions{Filters: f})
	if err != nil {
		return nil, fmt.Errorf("listing volumes: %w", err)
	}
	var out []string
	for _, v := range vs.Volumes {
		if v != nil {
			out = append(out, v.Name)
		}
	}
	return out, nil
}

// CreateVolume creates a volume. It has no effect if the volume exists. A size in bytes limits its files, which are
// then in memory: the engine's driver has no other limit on each filesystem. Zero is no limit.
func CreateVolume(ctx context.Context, e *Engine, name string, labels map[string]string, size int64) error {
	o := volume.CreateOptions{Name: name, Labels: labels}
	if size > 0 {
		o.DriverOpts = map[string]string{"type": "tmpfs", "device": "tmpfs", "o": fmt.Sprintf("size=%d", size)}
	}
	_, err := e.api.VolumeCreate(ctx, o)
	return err
}

// RemoveVolume removes a volume. A missing volume is not an error.
func RemoveVolume(ctx context.Context, e *Engine, name string) error {
	if err := e.api.VolumeRemove(ctx, name, false); err != nil && !gone(err) {
		return err
	}
	return nil
}
