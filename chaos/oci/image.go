package oci

import (
	"archive/tar"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"brunt/scenarios/disk"
)

// Entry is the path of the program in an image; it is the entrypoint.
const Entry = "/brunt"

// Folder is the directory to which a program in an image may write.
const Folder = "/tmp"

// An Image is an image FROM scratch.
type Image struct {
	Name     string            // such as brunt:v1.2.3; the registry is docker.io unless it names another
	Programs []string          // files: the same static Linux program, one for each processor
	Files    map[string][]byte // other files of the image, by path
}

// architectures are the processors that programs can be for, as images name them.
var architectures = map[elf.Machine]string{
	elf.EM_X86_64: "amd64", elf.EM_AARCH64: "arm64", elf.EM_RISCV: "riscv64", elf.EM_PPC64: "ppc64le",
	elf.EM_S390: "s390x",
}

// OpenProgram opens a program of Linux. Closes closes its file.
func OpenProgram(path string) (f *elf.File, closes func(), err error) {
	file, err := disk.Open(path)
	if err != nil {
		return nil, nil, err
	}
	if f, err = elf.NewFile(file); err != nil {
		return nil, nil, errors.Join(err, file.Close())
	}
	return f, func() { _ = file.Close() }, nil
}

// Architecture returns the processor of a static Linux program, as images name it.
func Architecture(program string) (string, error) {
	f, closes, err := OpenProgram(program)
	if err != nil {
		return "", fmt.Errorf("%s is not a program of Linux: build one by CGO_ENABLED=0 GOOS=linux go build ./cmd/brunt",
			program)
	}
	defer closes()
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP {
			return "", fmt.Errorf("%s is linked with the libraries of this machine, and an image has none of them: build it "+
				"with CGO_ENABLED=0 go build ./cmd/brunt", program)
		}
	}
	if arch := architectures[f.Machine]; arch != "" {
		return arch, nil
	}
	return "", fmt.Errorf("%s is for the processor %s, which images have no name for", program, f.Machine)
}

// Tag returns the tag of an image of a program: a version and the beginning of the program's SHA-256.
func Tag(version, program string) (string, error) {
	f, err := disk.Open(program)
	if err != nil {
		return "", err
	}
	defer f.Close()
	sum := sha256.New()
	if _, err := io.Copy(sum, f); err != nil {
		return "", err
	}
	version = strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' {
			return r
		}
		return '-'
	}, version)
	return strings.Trim(version, ".-") + "-" + hex.EncodeToString(sum.Sum(nil))[:12], nil
}

// The media types of the parts of an image.
const (
	typeIndex    = "application/vnd.oci.image.index.v1+json"
	typeManifest = "application/vnd.oci.image.manifest.v1+json"
	typeConfig   = "application/vnd.oci.image.config.v1+json"
	typeLayer    = "application/vnd.oci.image.layer.v1.tar"
)

// A part of an image, as another part refers to it.
type part struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	Platform    map[string]string `json:"platform,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// file returns the path of a part in the archive.
func (p part) file() string { return "blobs/" + strings.Replace(p.Digest, ":", "/", 1) }

// A content writes the bytes of a part.
type content func(w io.Writer) error

// An archive is an archive that is being written: its parts first, under their digests.
type archive struct {
	*tar.Writer
	seen map[string]bool
}

// Write writes the archive.
func (i Image) Write(w io.Writer) error {
	if len(i.Programs) == 0 {
		return errors.New("an image wants a program")
	}
	a := &archive{tar.NewWriter(w), map[string]bool{}}
	name := i.Name
	if first, _, found := strings.Cut(name, "/"); !found || !strings.ContainsAny(first, ".:") {
		if !found {
			name = "library/" + name
		}
		name = "docker.io/" + name
	}
	var all []part
	var old []map[string]any
	for _, program := range i.Programs {
		m, former, err := i.build(a, program)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(all, func(p part) bool { return p.Platform["architecture"] == m.Platform["architecture"] }) {
			return fmt.Errorf("two programs are for the processor %s", m.Platform["architecture"])
		}
		all = append(all, m)
		if former["RepoTags"] = []string{i.Name}; old == nil { // older engines know one processor
			old = append(old, former)
		}
	}
	top := all[0]
	if len(all) > 1 {
		var err error
		if top, err = a.object(typeIndex, map[string]any{
			"schemaVersion": 2, "mediaType": typeIndex, "manifests": all,
		}); err != nil {
			return err
		}
	}
	_, tag, _ := strings.Cut(name[strings.LastIndexByte(name, '/')+1:], ":")
	top.Annotations = map[string]string{"io.containerd.image.name": name, "org.opencontainers.image.ref.name": tag}
	for _, f := range []struct {
		name string
		text any
	}{
		{"index.json", map[string]any{"schemaVersion": 2, "mediaType": typeIndex, "manifests": []part{top}}},
		{"manifest.json", old},
		{"oci-layout", map[string]string{"imageLayoutVersion": "1.0.0"}},
	} {
		text, err := json.Marshal(f.text)
		if err != nil {
			return err
		}
		if err := a.file(f.name, int64(len(text)),
			func(w io.Writer) error { _, err := w.Write(text); return err }); err != nil {
			return err
		}
	}
	return a.Close()
}

// build writes the parts of the image for one processor. It returns the manifest, and the equivalent for older engines.
func (i Image) build(a *archive, program string) (manifest part, former map[string]any, err error) {
	arch, err := Architecture(program)
	if err != nil {
		return part{}, nil, err
	}
	layer, err := a.part(typeLayer, func(w io.Writer) error { return i.layer(w, program) })
	if err != nil {
		return part{}, nil, err
	}
	config, err := a.object(typeConfig, map[string]any{
		"architecture": arch, "os": "linux", "config": map[string]any{"Entrypoint": []string{Entry}, "WorkingDir": Folder},
		"rootfs": map[string]any{"type": "layers", "diff_ids": []string{layer.Digest}},
	})
	if err != nil {
		return part{}, nil, err
	}
	manifest, err = a.object(typeManifest, map[string]any{
		"schemaVersion": 2, "mediaType": typeManifest, "config": config, "layers": []part{layer},
	})
	manifest.Platform = map[string]string{"os": "linux", "architecture": arch}
	return manifest, map[string]any{"Config": config.file(), "Layers": []string{layer.file()}}, err
}

// object writes a part as JSON.
func (a *archive) object(mediaType string, v any) (part, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return part{}, err
	}
	return a.part(mediaType, func(w io.Writer) error { _, err := w.Write(text); return err })
}

// part writes a part. It generates the part twice, first for its digest.
func (a *archive) part(mediaType string, write content) (part, error) {
	sum, size := sha256.New(), new(counter)
	if err := write(io.MultiWriter(sum, size)); err != nil {
		return part{}, err
	}
	p := part{MediaType: mediaType, Digest: "sha256:" + hex.EncodeToString(sum.Sum(nil)), Size: int64(*size)}
	if a.seen[p.Digest] {
		return p, nil
	}
	a.seen[p.Digest] = true
	return p, a.file(p.file(), p.Size, write)
}

// file writes a file of the archive.
func (a *archive) file(name string, size int64, write content) error {
	if err := a.WriteHeader(&tar.Header{
		Typeflag: tar.TypeReg, Name: name, Mode: 0o644, Size: size, Format: tar.FormatUSTAR,
	}); err != nil {
		return err
	}
	return write(a)
}

// layer writes the file system of the image.
func (i Image) layer(w io.Writer, program string) error {
	return FileSystem{Program: program, Files: i.Files}.Write(w)
}

// A counter counts bytes.
type counter int64

func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}
