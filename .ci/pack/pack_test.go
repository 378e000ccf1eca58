package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/x509"
	"debug/buildinfo"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/sassoftware/go-rpmutils"
)

// hello is a program that stands for brunt on other systems.
const hello = "package main\n\nfunc main() { println(\"brunt v1.2.3\") }\n"

// laid lays programs and texts as .ci/release does. The program of this system is this package, which has modules.
func laid(t *testing.T) *release {
	t.Helper()
	dir := t.TempDir()
	r := &release{
		version: "v1.2.3", time: time.Unix(1_700_000_000, 0).UTC(), url: "https://example.invalid/shop/releases/download",
		maintainer: "A <a@example.invalid>",
		programs:   filepath.Join(dir, "programs"), texts: filepath.Join(dir, "texts"),
	}
	for name, text := range map[string]string{
		"texts/README.md": "# brunt\n", "texts/LICENSE": "Apache\n", "texts/LICENSE.k6": "AGPL\n", "texts/NOTICE.k6": "k6\n",
		"texts/man/man1/brunt.1": ".TH\n",
		"texts/vscode/package.json": `{"name": "brunt", "publisher": "brunt", "displayName": "b", "version": "1.0.0", ` +
			`"main": "./extension.js", "engines": {"vscode": "^1.75.0"}}`,
		"texts/vscode/extension.js": "exports.activate = () => {};\n",
		"texts/completions/_brunt":  "z", "texts/completions/brunt.bash": "b", "texts/completions/brunt.fish": "f",
		"texts/completions/brunt.ps1": "p",
		"hello/main.go":               hello, "hello/go.mod": "module hello\n\ngo 1.26\n",
		"part/part.go": "package brunt\n", "part/go.mod": "module brunt\n\ngo 1.26\n",
		"k6/main.go": "package main\n\nimport _ \"brunt\"\n\nfunc main() {}\n",
		"k6/go.mod":  "module brunt/cmd/brunt-k6\n\ngo 1.26\n\nreplace brunt => ../part\n\nrequire brunt v0.0.0\n",
	} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	build := func(system, arch, name, from string) {
		c := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-o",
			filepath.Join(r.programs, system+"_"+arch, name), ".")
		c.Dir = from
		c.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system, "GOARCH="+arch)
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%s %s: %v\n%s", system, name, err, out)
		}
	}
	build("linux", "amd64", "brunt", ".")
	build("linux", "amd64", "brunt-k6", filepath.Join(dir, "k6"))
	build("darwin", "arm64", "brunt", filepath.Join(dir, "hello"))
	build("windows", "amd64", "brunt.exe", filepath.Join(dir, "hello"))
	return r
}

// packed packs a release into a folder of its own, and returns what is in it.
func packed(t *testing.T, r *release) map[string][]byte {
	t.Helper()
	r.out = t.TempDir()
	if err := r.pack(); err != nil {
		t.Fatal(err)
	}
	list, err := os.ReadDir(r.out)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, e := range list {
		if out[e.Name()], err = os.ReadFile(filepath.Join(r.out, e.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestPack(t *testing.T) {
	r := laid(t)
	first := packed(t, r)
	dir := r.out
	t.Run("the same bytes again", func(t *testing.T) {
		again := packed(t, r)
		for name, text := range first {
			if !bytes.Equal(text, again[name]) {
				t.Errorf("%s differs", name)
			}
		}
	})
	t.Run("all files", func(t *testing.T) {
		for _, name := range []string{
			"brunt_1.2.3_linux_amd64.tar.gz", "brunt_1.2.3_linux_amd64.deb", "brunt_1.2.3_linux_amd64.image.tar",
			"brunt_1.2.3_linux_amd64.cdx.json",
			"brunt_1.2.3_darwin_arm64.tar.gz", "brunt_1.2.3_windows_amd64.zip", "brunt-k6_1.2.3_linux_amd64.tar.gz",
			"brunt-k6_1.2.3_linux_amd64.deb", "brunt_1.2.3_linux_amd64.rpm", "brunt-k6_1.2.3_linux_amd64.rpm",
			"brunt_1.2.3_linux_amd64.apk", "brunt.rb", "brunt-vscode_1.2.3.vsix",
		} {
			if first[name] == nil || !strings.Contains(string(first["SHA256SUMS"]), "  "+name+"\n") {
				t.Errorf("%s is not made, or has no checksum", name)
			}
		}
	})
	t.Run("bill", func(t *testing.T) { checkBill(t, r, first["brunt_1.2.3_linux_amd64.cdx.json"]) })
	t.Run("bill of a module that is replaced by brunt's folder", func(t *testing.T) {
		if text := string(first["brunt-k6_1.2.3_linux_amd64.cdx.json"]); !strings.Contains(text,
			`"pkg:golang/brunt@v1.2.3"`) {
			t.Errorf("brunt is not in the bill:\n%s", text)
		}
	})
	t.Run("formula", func(t *testing.T) {
		for line := range strings.Lines(string(first["SHA256SUMS"])) {
			sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
			want := strings.HasPrefix(name, "brunt_") && strings.HasSuffix(name, ".tar.gz")
			url := `url "` + r.url + "/v1.2.3/" + name + `"` + "\n      sha256 \"" + sum + `"`
			if strings.Contains(string(first["brunt.rb"]), url) != want {
				t.Errorf("%s\n%s", url, first["brunt.rb"])
			}
		}
	})
	t.Run("image", func(t *testing.T) {
		img, err := tarball.ImageFromPath(filepath.Join(dir, "brunt_1.2.3_linux_amd64.image.tar"), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := validate.Image(img); err != nil {
			t.Error(err)
		}
		if c, err := img.ConfigFile(); err != nil || c.Architecture != "amd64" || len(c.Config.Entrypoint) != 1 ||
			!c.Created.Equal(r.time) {
			t.Errorf("%+v %v", c, err)
		}
		layers, err := img.Layers()
		if err != nil || len(layers) != 1 {
			t.Fatalf("%d layers, %v", len(layers), err)
		}
		text, err := layers[0].Uncompressed()
		if err != nil {
			t.Fatal(err)
		}
		defer text.Close()
		r := tar.NewReader(text)
		for {
			h, err := r.Next()
			if err != nil {
				t.Fatalf("there are no certificate authorities in the image: %v", err)
			}
			if h.Name != "etc/ssl/certs/ca-certificates.crt" {
				continue
			}
			pems, err := io.ReadAll(r)
			if pool := x509.NewCertPool(); err != nil || h.Mode&0o444 != 0o444 || !pool.AppendCertsFromPEM(pems) ||
				bytes.Count(pems, []byte("BEGIN")) < 100 {
				t.Errorf("%v, mode %o, %d certificates", err, h.Mode, bytes.Count(pems, []byte("BEGIN")))
			}
			return
		}
	})
	t.Run("rpm", func(t *testing.T) { checkRPM(t, first["brunt_1.2.3_linux_amd64.rpm"]) })
	t.Run("apk", func(t *testing.T) { checkAPK(t, first["brunt_1.2.3_linux_amd64.apk"]) })
	t.Run("vsix", func(t *testing.T) { checkExtension(t, first["brunt-vscode_1.2.3.vsix"]) })
	t.Run("deb", func(t *testing.T) {
		if _, err := exec.LookPath("dpkg-deb"); err != nil {
			t.Skip("no dpkg-deb here: apt-get install dpkg")
		}
		for file, want := range map[string][]string{
			"brunt_1.2.3_linux_amd64.deb": {
				"./usr/bin/brunt\n", "./usr/share/man/man1/brunt.1.gz", "completions/brunt\n",
				"/_brunt\n", "vendor_completions.d/brunt.fish", "doc/brunt/copyright", "Package: brunt\n", "Version: 1.2.3\n",
			},
			"brunt-k6_1.2.3_linux_amd64.deb": {
				"./usr/bin/brunt-k6\n", "doc/brunt-k6/LICENSE.k6", "doc/brunt-k6/NOTICE.k6",
				"Depends: brunt\n", "Architecture: amd64\n",
			},
		} {
			var said []byte
			for _, ask := range []string{"--contents", "--field"} {
				out, err := exec.Command("dpkg-deb", ask, filepath.Join(dir, file)).CombinedOutput()
				if err != nil {
					t.Fatalf("%v\n%s", err, out)
				}
				said = append(said, out...)
			}
			for _, w := range want {
				if !strings.Contains(string(said), w) {
					t.Errorf("%s: no %q in\n%s", file, w, said)
				}
			}
		}
	})
}

// checkRPM reads a package as rpm does.
func checkRPM(t *testing.T, text []byte) {
	p, err := rpmutils.ReadRpm(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if id, err := p.Header.GetNEVRA(); err != nil || id.Name != "brunt" || id.Version != "1.2.3" || id.Arch != "x86_64" {
		t.Errorf("%+v %v", id, err)
	}
	if host, err := p.Header.GetString(rpmutils.BUILDHOST); err != nil || host != "brunt.invalid" {
		t.Errorf("built on %q (%v), and the host is no part of a release", host, err)
	}
	list, err := p.Header.GetFiles()
	if err != nil {
		t.Fatal(err)
	}
	modes := map[string]int{}
	for _, f := range list {
		modes[f.Name()] = f.Mode() & 0o777
	}
	for name, mode := range map[string]int{
		"/usr/bin/brunt": 0o755, "/usr/share/man/man1/brunt.1.gz": 0o644, "/usr/share/zsh/site-functions/_brunt": 0o644,
		"/usr/share/licenses/brunt/LICENSE": 0o644, "/usr/share/doc/brunt/README.md": 0o644,
	} {
		if modes[name] != mode {
			t.Errorf("%s has the mode %o: %v", name, modes[name], modes)
		}
	}
}

// checkAPK reads a package of Alpine: archives one behind the other, each compressed.
func checkAPK(t *testing.T, text []byte) {
	unpacked, err := gzip.NewReader(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	in, names, about := tar.NewReader(unpacked), map[string]bool{}, ""
	for {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if names[h.Name] = true; h.Name == ".PKGINFO" {
			b, err := io.ReadAll(in)
			if err != nil {
				t.Fatal(err)
			}
			about = string(b)
		}
	}
	for _, want := range []string{"pkgname = brunt\n", "pkgver = 1.2.3", "arch = x86_64\n"} {
		if !strings.Contains(about, want) {
			t.Errorf("no %q in %s", want, about)
		}
	}
	if !names["usr/bin/brunt"] || !names["usr/share/licenses/brunt/LICENSE"] {
		t.Errorf("files %v", names)
	}
}

// checkExtension reads an extension as Visual Studio Code does: the manifest names the files, and the version is that of
// the release in both places.
func checkExtension(t *testing.T, text []byte) {
	in, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{}
	for _, f := range in.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if files[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
	}
	var about struct{ Version, Main string }
	if err := json.Unmarshal(files["extension/package.json"], &about); err != nil || about.Version != "1.2.3" ||
		files[path.Join("extension", about.Main)] == nil || files["[Content_Types].xml"] == nil {
		t.Errorf("%+v %v", about, err)
	}
	var manifest vsixManifest
	if err := xml.Unmarshal(files["extension.vsixmanifest"], &manifest); err != nil {
		t.Fatal(err)
	}
	if id := manifest.Metadata.Identity; id.ID != "brunt" || id.Publisher != "brunt" || id.Version != "1.2.3" {
		t.Errorf("%+v", id)
	}
	for _, f := range append(manifest.Assets, vsixFile{Path: manifest.Metadata.License}) {
		if files[f.Path] == nil {
			t.Errorf("the manifest names %s, which is not there", f.Path)
		}
	}
}

// checkBill compares a bill of materials with what the linker wrote into the program.
func checkBill(t *testing.T, r *release, text []byte) {
	var bom cdx.BOM
	if err := json.Unmarshal(text, &bom); err != nil || bom.BOMFormat != "CycloneDX" ||
		bom.Metadata.Component.Version != "v1.2.3" {
		t.Fatalf("%v\n%s", err, text)
	}
	info, err := buildinfo.ReadFile(filepath.Join(r.programs, "linux_amd64", "brunt"))
	if err != nil {
		t.Fatal(err)
	}
	if len(info.Deps) < 3 || len(*bom.Components) != len(info.Deps)+1 {
		t.Errorf("%d components for %d modules and the standard library", len(*bom.Components), len(info.Deps))
	}
	for _, m := range info.Deps {
		if !strings.Contains(string(text), `"pkg:golang/`+m.Path+"@"+m.Version+`"`) {
			t.Errorf("%s %s is not in the bill", m.Path, m.Version)
		}
	}
}

func TestStatic(t *testing.T) {
	shell, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash here")
	}
	if err := static(shell); err == nil || !strings.Contains(err.Error(), "CGO_ENABLED=0") {
		t.Errorf("a program with a loader: %v", err)
	}
}
