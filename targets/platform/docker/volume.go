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

// CreateVolume creates a volume. It has no effect if the volume exists.
func CreateVolume(ctx context.Context, e *Engine, name string, labels map[string]string) error {
	_, err := e.api.VolumeCreate(ctx, volume.CreateOptions{Name: name, Labels: labels})
	return err
}

// RemoveVolume removes a volume. A missing volume is not an error.
func RemoveVolume(ctx context.Context, e *Engine, name string) error {
	if err := e.api.VolumeRemove(ctx, name, false); err != nil && !gone(err) {
		return err
	}
	return nil
}
