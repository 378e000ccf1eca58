package oci_test

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"brunt/chaos/oci"
	"brunt/scenarios/suite"
)

// program builds a program of Linux that prints what is in a file.
func program(t *testing.T, arch string) string {
	t.Helper()
	dir := t.TempDir()
	source := filepath.Join(dir, "main.go")
	text := "package main\nimport (\"fmt\"; \"os\")\nfunc main() { b, err := os.ReadFile(\"/etc/word\"); " +
		"fmt.Print(string(b), err, os.Args[1:]) }\n"
	if err := os.WriteFile(source, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "program")
	cmd := exec.Command("go", "build", "-o", out, source)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return out
}

// archive writes an image, and returns it and its files.
func archive(t *testing.T, i oci.Image) ([]byte, map[string][]byte) {
	t.Helper()
	var out bytes.Buffer
	if err := i.Write(&out); err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for r := tar.NewReader(bytes.NewReader(out.Bytes())); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out.Bytes(), files
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
}

// TestImage_Parts: each part has the digest by which another refers to it, and the same input gives the same bytes.
func TestImage_Parts(t *testing.T) {
	i := oci.Image{
		Name: "brunt:v1", Programs: []string{program(t, "amd64"), program(t, "arm64")},
		Files: map[string][]byte{"/etc/word": []byte("word")},
	}
	text, files := archive(t, i)
	if again, _ := archive(t, i); !bytes.Equal(text, again) {
		t.Error("the same image has other bytes")
	}
	for name, text := range files {
		sum := sha256.Sum256(text)
		if digest, is := strings.CutPrefix(name, "blobs/sha256/"); is && digest != hex.EncodeToString(sum[:]) {
			t.Errorf("%s has another digest", name)
		}
	}
	type index struct {
		Manifests []struct {
			Digest      string
			Size        int
			Platform    struct{ Architecture string }
			Annotations map[string]string
		}
	}
	var top, all index
	if err := json.Unmarshal(files["index.json"], &top); err != nil || len(top.Manifests) != 1 {
		t.Fatalf("%v: %s", err, files["index.json"])
	}
	if name := top.Manifests[0].Annotations["io.containerd.image.name"]; name != "docker.io/library/brunt:v1" {
		t.Errorf("it is named %q", name)
	}
	blob := files["blobs/"+strings.Replace(top.Manifests[0].Digest, ":", "/", 1)]
	if err := json.Unmarshal(blob, &all); err != nil || len(all.Manifests) != 2 || len(blob) != top.Manifests[0].Size {
		t.Fatalf("%v: %s", err, blob)
	}
	if a, b := all.Manifests[0].Platform.Architecture,
		all.Manifests[1].Platform.Architecture; a != "amd64" || b != "arm64" {
		t.Errorf("it is for %s and %s", a, b)
	}
}

// TestImage_Engine has Docker's engine load an image and run it.
func TestImage_Engine(t *testing.T) {
	suite.Needs(t, suite.Programs("docker"), suite.Docker)
	name := "brunt-oci-test:v1"
	text, _ := archive(t, oci.Image{
		Name: name, Programs: []string{program(t, runtime.GOARCH)}, Files: map[string][]byte{"/etc/word": []byte("word")},
	})
	load := exec.Command("docker", "load")
	load.Stdin = bytes.NewReader(text)
	if out, err := load.CombinedOutput(); err != nil || !strings.Contains(string(out), name) {
		t.Fatalf("%v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("docker", "rmi", "-f", name).Run() })
	if out, err := exec.Command("docker", "run", "--rm", "--read-only", "--user", "65532", name,
		"argument").CombinedOutput(); err != nil ||
		string(out) != "word<nil> [argument]" {
		t.Errorf("%v: %s", err, out)
	}
}

// TestImage_Mistakes has programs that no image can hold.
func TestImage_Mistakes(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("#!/bin/sh\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	one := program(t, "amd64")
	for _, c := range []struct {
		name     string
		programs []string
		want     string
	}{
		{"none", nil, "wants a program"},
		{"a script", []string{text}, "is not a program of Linux"},
		{"missing", []string{text + "x"}, "is not a program of Linux"},
		{"twice", []string{one, one}, "two programs are for the processor amd64"},
		{"dynamic", []string{"/bin/sh"}, "linked with the libraries"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.name == "dynamic" && runtime.GOOS != "linux" {
				t.Skip("the shell of this system is no program of Linux")
			}
			if err := (oci.Image{Name: "a:b", Programs: c.programs}).Write(io.Discard); err == nil ||
				!strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	if tag, err := oci.Tag("v1.2.3+dirty (x)", one); err != nil || !strings.HasPrefix(tag, "v1.2.3-dirty--x-") ||
		strings.ContainsAny(tag, "+() ") {
		t.Errorf("%q, %v", tag, err)
	}
}
