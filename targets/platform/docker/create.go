package docker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"time"

	"brunt/targets/platform/containers"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/mount"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
)

// A Spec describes a container to create.
type Spec struct {
	Name         string
	Image        string
	Hostname     string
	Labels       map[string]string
	Env          []string
	Command      []string // nil: the image's
	Entrypoint   []string // nil: the image's
	Grace        time.Duration
	Health       *HealthCheck // nil: the image's
	Restart      string       // always, on-failure, unless-stopped or never
	Memory       int64        // bytes; zero: no limit
	CPUs         float64      // zero: no limit
	Capabilities []string     // added to the engine's usual ones
	// TCP ports on which it listens, each with the port of 127.0.0.1 that forwards to it; zero: none
	Ports    map[int]int
	Mounts   []Mount               // read-only
	Volumes  []Mount               // From is the name of a volume
	Tmpfs    map[string]string     // mount options of places for files in memory
	User     string                // empty: the image's
	Networks []containers.Endpoint // networks with address and aliases; at least one
}

// A Mount gives a container a folder or file of the engine's machine, or a volume.
type Mount struct {
	From string // absolute path, or name of the volume
	To   string // in the container
}

// A HealthCheck is the engine's health check of a container, run inside it.
type HealthCheck struct {
	Command []string // exit code 0 is healthy
	Every   time.Duration
	Timeout time.Duration // of one check
	Retries int           // consecutive failures until it is unhealthy
	Start   time.Duration // failures within this time after the start do not count
}

// Create creates a container and connects it to its networks. It does not start it. If there is an error although the
// container exists, it also returns the id.
func (e *Engine) Create(ctx context.Context, s Spec) (id string, err error) {
	config := &container.Config{
		Image: s.Image, Hostname: s.Hostname, ExposedPorts: network.PortSet{}, Labels: s.Labels, Env: s.Env, Cmd: s.Command,
		Entrypoint:  s.Entrypoint,
		StopTimeout: seconds(s.Grace), User: s.User,
	}
	if h := s.Health; h != nil {
		config.Healthcheck = &container.HealthConfig{
			Test: append([]string{"CMD"}, h.Command...), Interval: h.Every, Timeout: h.Timeout, Retries: h.Retries,
			StartPeriod: h.Start,
		}
	}
	first := s.Networks[0]
	host := &container.HostConfig{
		NetworkMode: container.NetworkMode(first.Network), CapAdd: s.Capabilities, PortBindings: network.PortMap{},
		Tmpfs:         s.Tmpfs,
		RestartPolicy: container.RestartPolicy{Name: policy(s.Restart)},
		Resources:     container.Resources{Memory: s.Memory, MemorySwap: s.Memory, NanoCPUs: int64(s.CPUs * 1e9)},
	}
	for p, published := range s.Ports {
		port, _ := network.PortFrom(uint16(p), network.TCP)
		config.ExposedPorts[port] = struct{}{}
		if published != 0 {
			host.PortBindings[port] = []network.PortBinding{{HostIP: loopback, HostPort: strconv.Itoa(published)}}
		}
	}
	for _, m := range s.Mounts {
		host.Mounts = append(host.Mounts, mount.Mount{Type: mount.TypeBind, Source: m.From, Target: m.To, ReadOnly: true})
	}
	for _, m := range s.Volumes {
		host.Mounts = append(host.Mounts, mount.Mount{Type: mount.TypeVolume, Source: m.From, Target: m.To})
	}
	nets := &network.NetworkingConfig{
		EndpointsConfig: map[string]*network.EndpointSettings{first.Network: settingsOf(&first)},
	}
	made, err := e.api.ContainerCreate(ctx, client.ContainerCreateOptions{
		Config: config, HostConfig: host, NetworkingConfig: nets, Name: s.Name,
	})
	if err != nil {
		return "", err
	}
	for _, ep := range s.Networks[1:] {
		o := client.NetworkConnectOptions{Container: made.ID, EndpointConfig: settingsOf(&ep)}
		if _, err := e.api.NetworkConnect(ctx, ep.Network, o); err != nil {
			return made.ID, err
		}
	}
	return made.ID, nil
}

// settingsOf returns the configuration of a new container in a network.
func settingsOf(ep *containers.Endpoint) *network.EndpointSettings {
	return &network.EndpointSettings{
		Aliases: ep.Aliases, IPAMConfig: &network.EndpointIPAMConfig{IPv4Address: addressOf(ep.Address)},
	}
}

// policy returns the engine's name for a restart policy.
func policy(restart string) container.RestartPolicyMode {
	if restart == "never" {
		return container.RestartPolicyDisabled
	}
	return container.RestartPolicyMode(restart)
}

// HasImage returns nil if the engine has an image.
func (e *Engine) HasImage(ctx context.Context, ref string) error {
	_, err := e.api.ImageInspect(ctx, ref)
	return err
}

// Fetch makes sure that the engine has an image. It pulls a missing one.
func (e *Engine) Fetch(ctx context.Context, ref string) error {
	err := e.HasImage(ctx, ref)
	if err == nil {
		return nil
	}
	if !gone(err) {
		return fmt.Errorf("the image %s: %w", ref, err)
	}
	out, err := e.api.ImagePull(ctx, ref, client.ImagePullOptions{})
	if err == nil {
		_, err = io.Copy(io.Discard, out)
		_ = out.Close()
	}
	if err == nil {
		err = e.HasImage(ctx, ref)
	}
	if err != nil {
		return fmt.Errorf("the engine has no image %s, and can't fetch it: %w; build or load it first", ref, err)
	}
	return nil
}

// networkTries is how often the creation of a network is tried, because another process may take its subnet.
const networkTries = 5

// CreateNetwork creates a bridge network with an explicit subnet, because the engine accepts fixed addresses for
// containers only there. The first address of the subnet belongs to the gateway.
//
// The engine knows which subnets are free. Therefore CreateNetwork first creates a network with a subnet of the
// engine's choice, and then replaces it by a network with that subnet.
func (e *Engine) CreateNetwork(
	ctx context.Context, name string, labels map[string]string,
) (id string, subnet netip.Prefix, err error) {
	var last error
	for range networkTries {
		made, err := e.api.NetworkCreate(ctx, name, client.NetworkCreateOptions{Driver: "bridge", Labels: labels})
		if err != nil {
			return "", subnet, err
		}
		is, err := e.api.NetworkInspect(ctx, made.ID, client.NetworkInspectOptions{})
		if err == nil {
			_, err = e.api.NetworkRemove(ctx, made.ID, client.NetworkRemoveOptions{})
		}
		if err != nil {
			return "", subnet, err
		}
		for _, c := range is.Network.IPAM.Config {
			if c.Subnet.Addr().Is4() {
				subnet = c.Subnet.Masked()
			}
		}
		if !subnet.IsValid() {
			return "", subnet, errors.New("the engine gave it no subnet")
		}
		made, err = e.api.NetworkCreate(ctx, name, client.NetworkCreateOptions{
			Driver: "bridge", Labels: labels,
			IPAM: &network.IPAM{Config: []network.IPAMConfig{{Subnet: subnet, Gateway: subnet.Addr().Next()}}},
		})
		if err == nil {
			return made.ID, subnet, nil
		}
		last, subnet = err, netip.Prefix{} // another process has taken the subnet
	}
	return "", subnet, last
}
