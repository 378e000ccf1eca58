package docker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"brunt/targets/platform/containers"
	"brunt/targets/platform/procgroup"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"
)

// Agents are the agent containers that brunt starts in one engine, and the image of brunt that they share. The image
// is made once for each engine.
type Agents struct {
	e *Engine

	mu    sync.Mutex
	image string // id; empty until it is made
}

// Agents returns the agents in the engine.
func (e *Engine) Agents() *Agents { return &e.agents }

// An AgentSpec describes an agent container. The agent runs brunt's own program with rights that brunt lacks, while
// brunt holds its input open.
type AgentSpec struct {
	Run     string   // name of the run
	Command []string // arguments of brunt
	Network string   // container whose network it shares; empty: none
	HostPID bool     // it sees all processes of the engine's machine
	Cgroups bool     // it may write the machine's control groups
	// container whose image, program and Mounts the agent reuses; the agent may then outlive the run; empty: an image
	// of brunt
	Beside  string
	Reaches bool // with Beside: it is connected to the networks of that container
	// the only capabilities that it has, such as NET_ADMIN; an engine that does not know BPF grants SYS_ADMIN instead
	Caps   []string
	Mounts []string // paths of the engine's machine, in the format of docker's -v

	// limit between the end of its input and its removal, in addition to the time that the engine needs; zero: none
	EndsWithin time.Duration
}

// Start starts an agent container. Closing the result ends the agent's input, and waits until the engine has removed
// the container.
func (a *Agents) Start(ctx context.Context, s AgentSpec) (io.ReadWriteCloser, error) {
	config := &container.Config{
		Cmd: s.Command, Labels: agentLabels(s.Run), StopSignal: "SIGTERM",
		OpenStdin: true, StdinOnce: true, AttachStdin: true, AttachStdout: true, AttachStderr: true,
	}
	host := &container.HostConfig{
		AutoRemove: true, ReadonlyRootfs: true, CapDrop: []string{"ALL"}, CapAdd: s.Caps, NetworkMode: "none",
		Binds:         s.Mounts,
		RestartPolicy: container.RestartPolicy{Name: container.RestartPolicyDisabled},
		// The engine's default seccomp filter allows bpf(2) only with all capabilities.
		SecurityOpt: []string{"no-new-privileges", "seccomp=unconfined"},
	}
	var err error
	if s.Beside == "" {
		config.Image, err = a.makeImage(ctx, s.Run)
	} else {
		err = a.beside(ctx, s, config, host)
	}
	if err != nil {
		return nil, err
	}
	if s.Network != "" {
		config.Labels[containers.InsideLabel] = containers.InsideOf(s.Run, s.Network)
		host.NetworkMode = container.NetworkMode("container:" + s.Network)
	}
	if s.HostPID {
		host.PidMode = "host"
	}
	if s.Cgroups {
		host.Binds = append(slices.Clone(s.Mounts), "/sys/fs/cgroup:/sys/fs/cgroup")
		host.CgroupnsMode = container.CgroupnsModeHost
	}
	spec := client.ContainerCreateOptions{Config: config, HostConfig: host}
	made, err := a.e.api.ContainerCreate(ctx, spec)
	if i := slices.Index(s.Caps, "BPF"); i >= 0 && err != nil && strings.Contains(err.Error(), "unknown capability") {
		host.CapAdd = slices.Concat(s.Caps[:i], []string{"SYS_ADMIN"}, s.Caps[i+1:])
		made, err = a.e.api.ContainerCreate(ctx, spec)
	}
	if gone(err) && s.Beside == "" { // the image was removed meanwhile
		a.mu.Lock()
		a.image = ""
		a.mu.Unlock()
		if config.Image, err = a.makeImage(ctx, s.Run); err != nil {
			return nil, err
		}
		made, err = a.e.api.ContainerCreate(ctx, spec)
	}
	if err != nil {
		return nil, fmt.Errorf("making an agent container: %w", err)
	}
	var pipe *agentPipe
	if s.Reaches {
		err = a.joinAll(ctx, made.ID, s.Beside)
	}
	if err == nil {
		pipe, err = a.attach(ctx, made.ID, s.EndsWithin)
	}
	if err == nil {
		err = a.e.Start(ctx, made.ID)
	}
	if err != nil {
		if pipe != nil {
			pipe.stream.Close()
		}
		return nil, errors.Join(fmt.Errorf("starting an agent container: %w", err),
			a.e.Remove(context.WithoutCancel(ctx), made.ID))
	}
	return pipe, nil
}

// beside makes an agent use the image of another container. That image exists, and does not need to be removed.
func (a *Agents) beside(ctx context.Context, s AgentSpec, config *container.Config, host *container.HostConfig) error {
	i, err := a.e.inspect(ctx, s.Beside)
	if err != nil {
		return failed("inspecting", s.Beside, err)
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	config.Image, config.Entrypoint, config.User = i.Image, []string{program}, i.Config.User
	// The user may need its groups and the machine's labels, for example to use the engine's socket.
	host.GroupAdd = i.HostConfig.GroupAdd
	for _, o := range i.HostConfig.SecurityOpt {
		if strings.HasPrefix(o, "label=") || strings.HasPrefix(o, "label:") {
			host.SecurityOpt = append(host.SecurityOpt, o)
		}
	}
	if s.Reaches {
		host.NetworkMode, host.ExtraHosts = i.HostConfig.NetworkMode, i.HostConfig.ExtraHosts
		host.DNS, host.DNSOptions, host.DNSSearch = i.HostConfig.DNS, i.HostConfig.DNSOptions, i.HostConfig.DNSSearch
	}
	// It has no label of the run, because containers with that label are removed while this agent still reverts
	// faults.
	config.Labels = map[string]string{
		containers.AgentLabel: containers.WatchdogOf(s.Run), containers.OldAgentLabel: containers.OldWatchdogOf + s.Run,
		containers.BesideLabel: s.Beside,
	}
	return nil
}

// joinAll connects a container that has not been started yet to all networks of another container.
func (a *Agents) joinAll(ctx context.Context, id, other string) error {
	has, err := a.e.Inspect(ctx, id)
	if err != nil {
		return err
	}
	want, err := a.e.Inspect(ctx, other)
	if err != nil || want.Shares != "" {
		return err
	}
	for _, n := range want.Networks {
		// Before it is started, a container lists its networks by the names that were given, without ids.
		if slices.ContainsFunc(has.Networks, func(h containers.Network) bool {
			return h.Name == n.Name ||
				h.Name == n.ID && n.ID != ""
		}) {
			continue
		}
		if err := a.e.Connect(ctx, id, containers.Endpoint{Network: cmp.Or(n.ID, n.Name)}); err != nil {
			return err
		}
	}
	return nil
}

// agentLabels returns the labels of a run's agents and of their image.
func agentLabels(run string) map[string]string {
	return map[string]string{
		containers.AgentLabel: run, containers.OldAgentLabel: run,
		containers.RunLabel: run, containers.OwnerLabel: strconv.Itoa(os.Geteuid()),
	}
}

// Binds returns the mounts, in the format of docker's -v, that give another container the files that this container,
// given by id, has at some paths. Files in its image need no mount.
func (e *Engine) Binds(ctx context.Context, id string, paths ...string) ([]string, error) {
	i, err := e.inspect(ctx, id)
	if err != nil {
		return nil, failed("inspecting", id, err)
	}
	var out []string
	for _, m := range i.Mounts {
		at := strings.TrimSuffix(m.Destination, "/")
		if !slices.ContainsFunc(paths, func(p string) bool { return p == at || strings.HasPrefix(p, at+"/") }) {
			continue
		}
		from := m.Source
		if m.Name != "" {
			from = m.Name
		}
		bind := from + ":" + m.Destination
		if !m.RW {
			bind += ":ro"
		}
		out = append(out, bind)
	}
	return out, nil
}

// agentPipe is the input and output of an agent.
type agentPipe struct {
	e      *Engine
	id     string
	stream client.HijackedResponse
	out    *io.PipeReader
	said   *procgroup.Tail // its standard error
	ends   time.Duration   // how long it may take after its input has ended

	ending sync.Once     // ends the input once
	over   chan struct{} // closed when the wait for its removal has ended
	stays  error         // why it may not have been removed; valid after over
}

// mostSaid is how many bytes of an agent's output a message about its failure quotes.
const mostSaid = 400

func (a *Agents) attach(ctx context.Context, id string, ends time.Duration) (*agentPipe, error) {
	all := url.Values{"stream": {"1"}, "stdin": {"1"}, "stdout": {"1"}, "stderr": {"1"}}
	conn, output, err := a.e.upgrade(ctx, path.Join("containers", id, "attach"), all, "")
	if err != nil {
		return nil, err
	}
	stream := client.HijackedResponse{Conn: conn, Reader: output}
	r, w := io.Pipe()
	p := &agentPipe{
		e: a.e, id: id, stream: stream, out: r, said: &procgroup.Tail{Most: mostSaid}, ends: ends, over: make(chan struct{}),
	}
	go func() { // ends with the stream
		_, err := stdcopy.StdCopy(w, p.said, stream.Reader)
		if errors.Is(err, net.ErrClosed) { // this process closed it, because the agent has ended
			err = nil
		}
		if words := strings.TrimSpace(p.said.String()); err == nil && words != "" {
			err = errors.New("the agent says: " + words)
		}
		_ = w.CloseWithError(err)
	}()
	return p, nil
}

// ID returns the id of the agent's container.
func (p *agentPipe) ID() string { return p.id }

func (p *agentPipe) Read(b []byte) (int, error) { return p.out.Read(b) }

func (p *agentPipe) Write(b []byte) (int, error) { return p.stream.Conn.Write(b) }

// CloseWrite ends the agent's input.
func (p *agentPipe) CloseWrite() error {
	p.ending.Do(func() { go p.await() })
	return p.stream.CloseWrite()
}

// removedWithin is how long the engine may take to remove an agent that has ended.
const removedWithin = 10 * time.Second

// await waits until the engine has removed the agent, and closes its output a moment later. An engine may keep the
// output open forever, which would block a reader.
func (p *agentPipe) await() {
	defer close(p.over)
	ctx, cancel := context.WithTimeout(context.Background(), p.ends+removedWithin)
	defer cancel()
	wait := p.e.api.ContainerWait(ctx, p.id, client.ContainerWaitOptions{Condition: container.WaitConditionRemoved})
	select {
	case <-wait.Result:
	case err := <-wait.Error:
		if err != nil && !gone(err) {
			p.stays = err
			return
		}
	}
	const words = time.Second // time for the last output
	time.AfterFunc(words, p.stream.Close)
}

func (p *agentPipe) Close() error {
	_ = p.CloseWrite()
	<-p.over
	defer p.stream.Close()
	defer p.out.Close()
	if p.stays == nil {
		return nil
	}
	return p.e.Remove(context.Background(), p.id) // by force
}

// Prepare makes the image of agents in advance, so that the first agent starts as fast as later ones.
func (a *Agents) Prepare(ctx context.Context, run string) error {
	_, err := a.makeImage(ctx, run)
	return err
}

// makeImage makes the image of agents once.
func (a *Agents) makeImage(ctx context.Context, run string) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.image != "" {
		return a.image, nil
	}
	has, err := a.e.api.ImageList(ctx,
		client.ImageListOptions{Filters: client.Filters{}.Add("label", containers.AgentLabel+"="+run)})
	if err == nil && len(has.Items) > 0 { // the brunt of the run made it; this process is its watchdog
		a.image = has.Items[0].ID
		return a.image, nil
	}
	program, err := SelfPath(os.Getenv)
	if err != nil {
		return "", fmt.Errorf("an agent container: %w", err)
	}
	id, err := a.e.BuildSelf(ctx, "brunt-agent-"+strings.ToLower(run), program, agentLabels(run))
	if err != nil {
		return "", err
	}
	a.image = id
	return id, nil
}

// Forget removes the image of a run's agents if there is no agent. It is for a process that made the image for a
// single undo, without a journal entry.
func (a *Agents) Forget(ctx context.Context, run string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	left, err := a.e.Labelled(ctx, containers.AgentLabel, run)
	if err != nil || len(left.Containers) > 0 {
		return err
	}
	a.image = ""
	var errs []error
	for _, id := range left.Images {
		_, err := a.e.api.ImageRemove(ctx, id, client.ImageRemoveOptions{PruneChildren: true})
		if err != nil && !gone(err) && !errdefs.IsConflict(err) { // a conflict means that the image is in use again
			errs = append(errs, fmt.Errorf("removing the image of agents: %w", err))
		}
	}
	return errors.Join(errs...)
}

// RemoveInside removes the remaining agents of a run in the network of a container.
func (a *Agents) RemoveInside(ctx context.Context, run, container string) (Left, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.e.RemoveLabelled(ctx, containers.InsideLabel, containers.InsideOf(run, container))
}

// Remove removes the remaining agents of a run in the engine, and their image.
func (a *Agents) Remove(ctx context.Context, run string) (Left, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.image = ""
	return a.e.RemoveLabelled(ctx, containers.AgentLabel, run)
}
