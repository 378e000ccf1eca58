package main

import (
	"bytes"
	"encoding/json"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// image writes the image of a program: an archive of an OCI layout, with the manifest.json besides that older engines
// read, so that `docker load`, `podman load` and skopeo take it.
func (r *release) image(p program, in []entry) error {
	img, err := r.build(p, in)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "brunt-image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	name := p.name + ":" + strings.TrimPrefix(r.version, "v")
	at, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	names := layout.WithAnnotations(map[string]string{
		"io.containerd.image.name": "docker.io/library/" + name, "org.opencontainers.image.ref.name": name,
	})
	if err := at.AppendImage(img, names, layout.WithPlatform(v1.Platform{OS: p.os, Architecture: p.arch})); err != nil {
		return err
	}
	m, err := img.Manifest()
	if err != nil {
		return err
	}
	blob := func(h v1.Hash) string { return "blobs/" + h.Algorithm + "/" + h.Hex }
	old := tarball.Manifest{{Config: blob(m.Config.Digest), RepoTags: []string{name}}}
	for _, l := range m.Layers {
		old[0].Layers = append(old[0].Layers, blob(l.Digest))
	}
	text, err := json.Marshal(old)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "manifest.json"), text, 0o600); err != nil {
		return err
	}
	all, err := below(dir)
	if err != nil {
		return err
	}
	out, err := r.tar("", all)
	if err != nil {
		return err
	}
	return r.write(p.release(r.version)+".image.tar", out)
}

// build makes the image: one layer with the program, its licences and the certificate authorities.
func (r *release) build(p program, in []entry) (v1.Image, error) {
	files := []entry{{p.file(), 0o755, in[0].text}, {rootsFile, 0o644, roots()}}
	for _, e := range in[1:] {
		if e.path == "LICENSE" || e.path == "THIRD-PARTY.txt" {
			files = append(files, e)
		}
	}
	text, err := r.tar("", files)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(text)),
			nil
	}, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	img := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	made := v1.Time{Time: r.time}
	img, err = mutate.Append(img, mutate.Addendum{
		Layer: layer, MediaType: types.OCILayer, History: v1.History{Created: made, CreatedBy: "brunt"},
	})
	if err != nil {
		return nil, err
	}
	c, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	c = c.DeepCopy()
	c.OS, c.Architecture, c.Created = p.os, p.arch, made
	c.Config.Entrypoint, c.Config.WorkingDir = []string{"/" + p.file()}, "/work"
	c.Config.Labels = map[string]string{
		"org.opencontainers.image.version": r.version, "org.opencontainers.image.licenses": "Apache-2.0",
	}
	return mutate.ConfigFile(img, c)
}

// below reads all files of a folder, in order.
func below(dir string) ([]entry, error) {
	var out []entry
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		rel, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		text, err := os.ReadFile(path)
		out = append(out, entry{filepath.ToSlash(rel), 0o644, text})
		return err
	})
	return out, err
}
