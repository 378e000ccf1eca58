//go:build linux

package safety

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/moby/moby/client"
)

// runLabel is the label by which .ci finds what tests left in the engine.
const runLabel = "brunt.run"

// A yard is what the containers of all machines share: an image and a network.
type yard struct {
	api    *client.Client
	socket string // of the engine
	run    string // the value of the label
	image  string
	net    string
	subnet netip.Prefix
	made   atomic.Int32
}

// A box is a container that answers on port 8080.
type box struct {
	name, id, addr string
}

func newYard(ctx context.Context) (y *yard, err error) {
	y = &yard{run: "test-safety-" + strings.ToLower(rand.Text())[:8]}
	if y.api, err = client.New(client.FromEnv); err != nil {
		return nil, err
	}
	if _, err := y.api.Ping(ctx, client.PingOptions{}); err != nil {
		return nil, err
	}
	socket, local := strings.CutPrefix(y.api.DaemonHost(), "unix://")
	if !local {
		return nil, fmt.Errorf("the engine is at %s: want a socket of this machine", y.api.DaemonHost())
	}
	y.socket = socket
	program, err := os.ReadFile(victimProgram)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	files := tar.NewWriter(&b)
	_ = files.WriteHeader(&tar.Header{Name: "victim", Mode: 0o755, Size: int64(len(program))})
	_, _ = files.Write(program)
	_ = files.WriteHeader(&tar.Header{Name: "scratch", Mode: 0o777, Typeflag: tar.TypeDir})
	if err := files.Close(); err != nil {
		return nil, err
	}
	source := client.ImageImportSource{Source: &b, SourceName: "-"}
	answer, err := y.api.ImageImport(ctx, source, y.run, client.ImageImportOptions{
		Changes: []string{`ENTRYPOINT ["/victim"]`, "LABEL " + runLabel + "=" + y.run},
	})
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, answer)
	_ = answer.Close()
	y.image = y.run
	if err == nil {
		err = y.network(ctx)
	}
	if err != nil {
		y.close()
		return nil, err
	}
	return y, nil
}

// network makes a network with addresses that the engine does not give to others.
func (y *yard) network(ctx context.Context) (err error) {
	for third := range 100 {
		y.subnet = netip.MustParsePrefix(fmt.Sprintf("10.214.%d.0/24", (os.Getpid()+third)%256))
		made, fails := y.api.NetworkCreate(ctx, y.run, client.NetworkCreateOptions{
			Driver: "bridge", Labels: map[string]string{runLabel: y.run},
			IPAM: &network.IPAM{Config: []network.IPAMConfig{{Subnet: y.subnet}}},
		})
		if err = fails; err == nil {
			y.net = made.ID
			return nil
		}
	}
	return err
}

func (y *yard) close() {
	ctx := context.Background()
	all, _ := y.api.ContainerList(ctx, client.ContainerListOptions{
		All: true, Filters: client.Filters{}.Add("label", runLabel+"="+y.run),
	})
	for _, c := range all.Items {
		_, _ = y.api.ContainerRemove(ctx, c.ID, client.ContainerRemoveOptions{Force: true})
	}
	if y.net != "" {
		_, _ = y.api.NetworkRemove(ctx, y.net, client.NetworkRemoveOptions{})
	}
	_, _ = y.api.ImageRemove(ctx, y.run, client.ImageRemoveOptions{Force: true})
	_ = y.api.Close()
}

func (y *yard) newBox(name string) (*box, error) {
	a := y.subnet.Addr().As4()
	a[3] = byte(2 + y.made.Add(1)%250)
	b := &box{name: name, addr: netip.AddrFrom4(a).String()}
	return b, y.create(b)
}

// create makes and starts the container of a box.
func (y *yard) create(b *box) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	soon := 1 // second
	made, err := y.api.ContainerCreate(ctx, client.ContainerCreateOptions{
		Name:   b.name,
		Config: &container.Config{Image: y.image, StopTimeout: &soon, Labels: map[string]string{runLabel: y.run}},
		HostConfig: &container.HostConfig{
			NetworkMode:   container.NetworkMode(y.net),
			RestartPolicy: container.RestartPolicy{Name: "unless-stopped"},
			Tmpfs:         map[string]string{"/scratch": "size=16m"},
		},
		NetworkingConfig: &network.NetworkingConfig{EndpointsConfig: map[string]*network.EndpointSettings{
			y.net: {
				Aliases:    []string{"db"},
				IPAMConfig: &network.EndpointIPAMConfig{IPv4Address: netip.MustParseAddr(b.addr)},
			},
		}},
	})
	if err != nil {
		return err
	}
	b.id = made.ID
	_, err = y.api.ContainerStart(ctx, b.id, client.ContainerStartOptions{})
	return err
}

func (y *yard) remove(b *box) {
	_, _ = y.api.ContainerRemove(context.Background(), b.name, client.ContainerRemoveOptions{Force: true})
}

// again brings a box back that the program itself has ended.
func (y *yard) again(b *box) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	is, err := y.api.ContainerInspect(ctx, b.id, client.ContainerInspectOptions{})
	switch {
	case errdefs.IsNotFound(err):
		return y.create(b)
	case err != nil || is.Container.State.Running:
		return err
	}
	_, err = y.api.ContainerStart(ctx, b.id, client.ContainerStartOptions{})
	return err
}

// labelled lists what runs of brunt have left in the engine.
func (y *yard) labelled(runs []string) (left []string) {
	for _, run := range runs {
		all, err := y.api.ContainerList(context.Background(),
			client.ContainerListOptions{All: true, Filters: client.Filters{}.Add("label", runLabel+"="+run)})
		if err != nil {
			return []string{err.Error()}
		}
		for _, c := range all.Items {
			left = append(left, "container "+strings.Join(c.Names, " "))
		}
	}
	return left
}
