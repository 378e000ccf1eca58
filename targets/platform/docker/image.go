package docker

import (
	"bytes"
	"cmp"
	"context"
	"debug/elf"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"

	"brunt/chaos/oci"
	"brunt/targets/platform/containers"

	"github.com/moby/moby/client"
)

// isLinux checks that a file is a Linux program. The error says how to build one.
func isLinux(file string) error {
	_, closes, err := oci.OpenProgram(file)
	if err != nil {
		return fmt.Errorf("%s is not a Linux program: on %s containers of brunt's own need one; build it by CGO_ENABLED=0 "+
			"GOOS=linux go build ./cmd/brunt and "+
			"name it by BRUNT_LINUX", file, runtime.GOOS)
	}
	closes()
	return nil
}

// libraryFolders are where a loader without a configuration looks for libraries, for all architectures.
var libraryFolders = []string{
	"/lib64", "/usr/lib64", "/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/lib/aarch64-linux-gnu",
	"/usr/lib/aarch64-linux-gnu", "/lib", "/usr/lib",
}

// needed returns the files that a dynamically linked program needs to start: its loader and libraries. There are none
// for a static program, which CGO_ENABLED=0 builds.
func needed(program string) ([]string, error) {
	var out []string
	seen := map[string]bool{}
	var add func(file string) error
	add = func(file string) error {
		f, closes, err := oci.OpenProgram(file)
		if err != nil {
			return err
		}
		defer closes()
		for _, p := range f.Progs {
			if p.Type != elf.PT_INTERP {
				continue
			}
			text, err := io.ReadAll(io.LimitReader(p.Open(), 4096))
			if err != nil {
				return err
			}
			if loader := strings.TrimRight(string(text), "\x00"); !seen[loader] {
				seen[loader] = true
				out = append(out, loader)
			}
		}
		names, err := f.ImportedLibraries()
		if err != nil {
			return err
		}
		for _, name := range names {
			if seen[name] {
				continue
			}
			seen[name] = true
			i := slices.IndexFunc(libraryFolders, func(dir string) bool {
				_, err := os.Stat(dir + "/" + name)
				return err == nil
			})
			if i < 0 {
				return fmt.Errorf("%s needs %s, which is in no folder of the machine's libraries; build it by CGO_ENABLED=0 go "+
					"build ./cmd/brunt", program, name)
			}
			library := libraryFolders[i] + "/" + name
			if !slices.Contains(out, library) {
				out = append(out, library)
			}
			if err := add(library); err != nil {
				return err
			}
		}
		return nil
	}
	return out, add(program)
}

// SelfPath returns the path of the program that brunt's own containers run: BRUNT_LINUX, or else this program.
func SelfPath(getenv func(string) string) (string, error) {
	file := getenv("BRUNT_LINUX")
	if file == "" {
		var err error
		if file, err = os.Executable(); err != nil {
			return "", err
		}
	}
	return file, isLinux(file)
}

// BuildSelf makes an image FROM scratch that holds one program, the libraries that it is linked with, unless it is
// static, and an empty /tmp. The image gets the name and the labels. BuildSelf returns its id. It uses no registry.
func (e *Engine) BuildSelf(ctx context.Context, name, program string, labels map[string]string) (string, error) {
	if err := e.Ping(ctx); err != nil {
		return "", err
	}
	files := oci.FileSystem{Program: program}
	if isLinux(program) == nil {
		var err error
		if files.Libraries, err = needed(program); err != nil {
			return "", err
		}
	}
	r, w := io.Pipe()
	go func() { _ = w.CloseWithError(files.Write(w)) }()
	defer r.Close() // ends the goroutine if the engine did not read to the end
	entry, _ := json.Marshal([]string{oci.Entry})
	changes := []string{"ENTRYPOINT " + string(entry)}
	for k, v := range labels {
		changes = append(changes, fmt.Sprintf("LABEL %s=%q", k, v))
	}
	out, err := e.api.ImageImport(ctx, client.ImageImportSource{Source: r, SourceName: "-"}, name,
		client.ImageImportOptions{Changes: changes})
	if err != nil {
		return "", fmt.Errorf("making an image of brunt itself: %w", err)
	}
	defer out.Close()
	return imported(out)
}

// mostProgress bounds the engine's progress messages, in bytes.
const mostProgress = 16 << 20

// imported reads the id of an image from the engine's progress messages.
func imported(r io.Reader) (string, error) {
	id := ""
	for d := json.NewDecoder(io.LimitReader(r, mostProgress)); ; {
		var line struct{ Status, Error string }
		err := d.Decode(&line)
		switch {
		case errors.Is(err, io.EOF) && id == "":
			return "", errors.New("making an image of brunt itself: the engine did not say that it has it")
		case errors.Is(err, io.EOF):
			return id, nil
		case err != nil:
			return "", fmt.Errorf("making an image of brunt itself: %w", err)
		case line.Error != "":
			return "", fmt.Errorf("making an image of brunt itself: %s", line.Error)
		}
		if line.Status != "" {
			id = line.Status
		}
	}
}

// Left lists objects in the engine with a run's label.
type Left struct {
	Containers, Networks, Images, Volumes []string // ids, and names of volumes
}

// Total returns the number of objects.
func (l Left) Total() int {
	return len(l.Containers) + len(l.Networks) + len(l.Images) + len(l.Volumes)
}

// Labelled lists the objects that a run has created in the engine, and the volumes, networks and containers that
// Compose has created for it in a project named after the run. For [containers.AgentLabel] it includes objects with
// the label of an earlier version.
func (e *Engine) Labelled(ctx context.Context, label, value string) (Left, error) {
	if err := e.Ping(ctx); err != nil {
		return Left{}, err
	}
	left, err := labelled(ctx, e.api, label, value)
	if err != nil || label != containers.AgentLabel {
		return left, err
	}
	old, err := labelled(ctx, e.api, containers.OldAgentLabel, value)
	return Left{
		Containers: union(left.Containers, old.Containers), Networks: union(left.Networks, old.Networks),
		Images: union(left.Images, old.Images), Volumes: union(left.Volumes, old.Volumes),
	}, err
}

// union returns the elements of a or b, sorted and without duplicates.
func union(a, b []string) []string {
	out := slices.Concat(a, b)
	slices.Sort(out)
	return slices.Compact(out)
}

func labelled(ctx context.Context, api client.APIClient, label, value string) (Left, error) {
	var left Left
	f := client.Filters{}.Add("label", strings.TrimSuffix(label+"="+value, "="))
	cs, err := api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: f})
	if err != nil {
		return left, fmt.Errorf("listing containers: %w", err)
	}
	for _, c := range cs.Items {
		left.Containers = append(left.Containers, c.ID)
	}
	ns, err := api.NetworkList(ctx, client.NetworkListOptions{Filters: f})
	if err != nil {
		return left, fmt.Errorf("listing networks: %w", err)
	}
	for _, n := range ns.Items {
		left.Networks = append(left.Networks, n.ID)
	}
	is, err := api.ImageList(ctx, client.ImageListOptions{Filters: f})
	if err != nil {
		return left, fmt.Errorf("listing images: %w", err)
	}
	for _, i := range is.Items {
		left.Images = append(left.Images, i.ID)
	}
	left.Volumes, err = volumes(ctx, api, f)
	return left, err
}

// Runs lists the runs that have objects in the engine, each with the owner according to the labels.
func (e *Engine) Runs(ctx context.Context) (map[string]string, error) {
	if err := e.Ping(ctx); err != nil {
		return nil, err
	}
	out := map[string]string{}
	note := func(labels map[string]string) {
		if run := labels[containers.RunLabel]; run != "" {
			out[run] = cmp.Or(out[run], labels[containers.OwnerLabel])
		}
	}
	f := client.Filters{}.Add("label", containers.RunLabel)
	cs, err := e.api.ContainerList(ctx, client.ContainerListOptions{All: true, Filters: f})
	if err != nil {
		return nil, fmt.Errorf("listing containers: %w", err)
	}
	for _, c := range cs.Items {
		note(c.Labels)
	}
	ns, err := e.api.NetworkList(ctx, client.NetworkListOptions{Filters: f})
	if err != nil {
		return nil, fmt.Errorf("listing networks: %w", err)
	}
	for _, n := range ns.Items {
		note(n.Labels)
	}
	is, err := e.api.ImageList(ctx, client.ImageListOptions{Filters: f})
	if err != nil {
		return nil, fmt.Errorf("listing images: %w", err)
	}
	for _, i := range is.Items {
		note(i.Labels)
	}
	vs, err := e.api.VolumeList(ctx, client.VolumeListOptions{Filters: f})
	if err != nil {
		return nil, fmt.Errorf("listing volumes: %w", err)
	}
	for _, v := range vs.Items {
		note(v.Labels)
	}
	return out, nil
}

// RemoveLabelled removes the objects with a label: first the containers, then the objects that they used.
func (e *Engine) RemoveLabelled(ctx context.Context, label, value string) (Left, error) {
	left, err := e.Labelled(ctx, label, value)
	if err != nil {
		return left, err
	}
	var errs []error
	for _, id := range left.Containers {
		errs = append(errs, e.Remove(ctx, id))
	}
	for _, id := range left.Networks {
		errs = append(errs, e.RemoveNetwork(ctx, id))
	}
	for _, id := range left.Images {
		errs = append(errs, e.RemoveImage(ctx, id))
	}
	for _, name := range left.Volumes {
		if _, err := e.api.VolumeRemove(ctx, name, client.VolumeRemoveOptions{Force: true}); err != nil && !gone(err) {
			errs = append(errs, fmt.Errorf("removing volume %s: %w", name, err))
		}
	}
	return left, errors.Join(errs...)
}

// RemoveImage removes an image. A missing image is not an error.
func (e *Engine) RemoveImage(ctx context.Context, id string) error {
	_, err := e.api.ImageRemove(ctx, id, client.ImageRemoveOptions{Force: true, PruneChildren: true})
	if err != nil && !gone(err) {
		return fmt.Errorf("removing image %s: %w", short(strings.TrimPrefix(id, "sha256:")), err)
	}
	return nil
}

// logTail is the number of bytes of a container's output that are read.
const logTail = 4 << 10

// Tail returns the end of a container's output.
func (e *Engine) Tail(ctx context.Context, id string) string {
	out, err := e.api.ContainerLogs(ctx, id, client.ContainerLogsOptions{ShowStdout: true, ShowStderr: true, Tail: "20"})
	if err != nil {
		return ""
	}
	defer out.Close()
	var text bytes.Buffer
	demultiplex(&text, io.LimitReader(out, 64<<10))
	b := text.Bytes()
	if len(b) > logTail {
		b = b[len(b)-logTail:]
	}
	return strings.TrimSpace(string(b))
}

// Digests lists the registry digests of an image: name@sha256:…. An image that was built locally
// and never pushed has none.
func (e *Engine) Digests(ctx context.Context, id string) ([]string, error) {
	if err := e.Ping(ctx); err != nil {
		return nil, err
	}
	i, err := e.api.ImageInspect(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("inspecting image %s: %w", id, err)
	}
	return i.RepoDigests, nil
}
