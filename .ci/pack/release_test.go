package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"debug/macho"
	"debug/pe"
	"flag"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// The suite `.ci/full release` gives these. Each is a folder that .ci/release has written, from one commit.
var (
	made      = flag.String("made", "", "a release")
	again     = flag.String("again", "", "the same release, made once more in another folder")
	published = flag.String("published", "", "the module proxy that .ci/release --module has written")
	scenario  = flag.String("scenario", "", "the folder of the quickstart")
)

// one returns the only file of the release that matches.
func one(t *testing.T, pattern string) string {
	t.Helper()
	if *made == "" {
		t.Skip("no release is given: .ci/full release")
	}
	found, err := filepath.Glob(filepath.Join(*made, pattern))
	if err != nil || len(found) != 1 {
		t.Fatalf("%s: %v %v", pattern, found, err)
	}
	return found[0]
}

func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// here is this system, as names of packages have it.
var here = runtime.GOOS + "_" + runtime.GOARCH

// quickstart runs the quickstart by a command that has /work, and checks what it says.
func quickstart(t *testing.T, command ...string) {
	t.Helper()
	version := run(t, command[0], append(command[1:], "version")...)
	if name := filepath.Base(one(t, "brunt_*_"+here+".tar.gz")); !strings.HasPrefix(version,
		"brunt v"+strings.Split(name, "_")[1]+"\n") {
		t.Errorf("%s says %s", name, version)
	}
	c := exec.Command(command[0], append(command[1:], "run", "/work/scenario.yaml", "-o", "/work/out")...)
	out, err := c.CombinedOutput()
	// A busy machine may turn the verdict: that all of it ran is what counts.
	if code := c.ProcessState.ExitCode(); !slices.Contains([]int{0, 3, 5, 8}, code) ||
		!strings.Contains(string(out), "/work/out/report.html") {
		t.Errorf("%v\n%s", err, out)
	}
	if left := run(t, command[0], append(command[1:], "status")...); !strings.Contains(left, "othing") {
		t.Error(left)
	}
}

// root makes a root that has the quickstart in /work and /dev/null, and else nothing.
func root(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{"work", "proc", "tmp", "dev"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	run(t, "mknod", "-m", "666", filepath.Join(dir, "dev", "null"), "c", "1", "3")
	text, err := os.ReadFile(filepath.Join(*scenario, "scenario.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "work", "scenario.yaml"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// within runs a program of a root there, with a /proc that ends with it.
func within(root, program string) []string {
	return []string{
		"unshare", "--mount", "--pid", "--fork", "--mount-proc=" + filepath.Join(root, "proc"), "chroot", root, program,
	}
}

func TestRelease_SameBytes(t *testing.T) {
	one(t, "SHA256SUMS")
	if out := run(t, "diff", "-rq", *made, *again); out != "" {
		t.Error(out)
	}
	c := exec.Command("sha256sum", "--strict", "-c", "SHA256SUMS")
	c.Dir = *again
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

func TestRelease_Archive(t *testing.T) {
	file := one(t, "brunt_*_"+here+".tar.gz")
	dir := root(t)
	run(t, "tar", "-C", dir, "--strip-components=1", "-xzf", file)
	quickstart(t, within(dir, "/brunt")...)
}

func TestRelease_Deb(t *testing.T) {
	debs := []string{one(t, "brunt_*_"+here+".deb"), one(t, "brunt-k6_*_"+here+".deb")}
	dir := root(t)
	for _, d := range []string{"info", "updates", "triggers"} {
		if err := os.MkdirAll(filepath.Join(dir, "var/lib/dpkg", d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "var/lib/dpkg/status"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, "dpkg", "--root="+dir, "--log=/dev/null", "-i", debs[0], debs[1])
	for _, name := range []string{
		"share/man/man1/brunt-run.1.gz", "share/bash-completion/completions/brunt", "share/doc/brunt-k6/NOTICE.k6",
	} {
		if _, err := os.Stat(filepath.Join(dir, "usr", name)); err != nil {
			t.Error(err)
		}
	}
	k6 := within(dir, "/usr/bin/brunt-k6")
	if out := run(t, k6[0], append(k6[1:], "version")...); !strings.Contains(out, "AGPL-3.0") {
		t.Error(out)
	}
	quickstart(t, within(dir, "/usr/bin/brunt")...)
	run(t, "dpkg", "--root="+dir, "--log=/dev/null", "-r", "brunt-k6", "brunt")
	if _, err := os.Stat(filepath.Join(dir, "usr/bin/brunt")); err == nil {
		t.Error("brunt is there after its package was removed")
	}
}

func TestRelease_Image(t *testing.T) {
	file := one(t, "brunt_*_"+here+".image.tar")
	if out, err := exec.Command("docker", "version").CombinedOutput(); err != nil {
		t.Skipf("no Docker engine answers: %v\n%s", err, out)
	}
	loaded := run(t, "docker", "load", "-i", file)
	_, name, ok := strings.Cut(strings.TrimSpace(loaded), "Loaded image: ")
	if !ok {
		t.Fatal(loaded)
	}
	t.Cleanup(func() { run(t, "docker", "rmi", name) })
	quickstart(t, "docker", "run", "--rm", "-v", filepath.Join(root(t), "work")+":/work", name)
}

// brew runs a formula as Homebrew does, as far as ours goes: it takes the archive of this system from the release, and
// installs it below a prefix.
const brew = `
require "digest"; require "fileutils"; require "pathname"
PREFIX, RELEASE, CPU, SYSTEM = Pathname.new(ARGV[1]), ARGV[2], ARGV[3], ARGV[4]
class Pathname
  def install(*what)
    mkpath
    what.flatten.each { |w| (w.is_a?(Hash) ? w : { w => File.basename(w) }).each { |from, to| FileUtils.cp(from, self + to) } }
  end
end
class Formula
  class << self
    attr_reader :chosen
    %i[desc homepage license].each { |m| define_method(m) { |_| } }
    def version(v) = @version = v
    def url(u) = @url = u
    def sha256(s) = @chosen = [@url, s]
    def on(here) = (yield if here)
    def on_macos(&b) = on(SYSTEM == "darwin", &b)
    def on_linux(&b) = on(SYSTEM == "linux", &b)
    def on_arm(&b) = on(CPU == "arm64", &b)
    def on_intel(&b) = on(CPU == "amd64", &b)
    def test; end
  end
  def bin = PREFIX + "bin"
  def man1 = PREFIX + "share/man/man1"
  def bash_completion = PREFIX + "etc/bash_completion.d"
  def zsh_completion = PREFIX + "share/zsh/site-functions"
  def fish_completion = PREFIX + "share/fish/vendor_completions.d"
end
load ARGV[0]
url, sum = Brunt.chosen
file = File.join(RELEASE, File.basename(url))
abort "checksum of #{file}" unless Digest::SHA256.file(file).hexdigest == sum
Dir.chdir(PREFIX) do
  system("tar", "--strip-components=1", "-xzf", file) or abort
  Brunt.new.install
end
`

func TestRelease_Formula(t *testing.T) {
	formula := one(t, "brunt.rb")
	if _, err := exec.LookPath("ruby"); err != nil {
		t.Skip("no ruby here: apt-get install ruby")
	}
	script := filepath.Join(t.TempDir(), "brew.rb")
	if err := os.WriteFile(script, []byte(brew), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "ruby", "-c", formula)
	dir := root(t)
	run(t, "ruby", script, formula, dir, *made, runtime.GOARCH, runtime.GOOS)
	for _, name := range []string{
		"share/man/man1/brunt-run.1", "etc/bash_completion.d/brunt", "share/zsh/site-functions/_brunt",
	} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	quickstart(t, within(dir, "/bin/brunt")...)
}

// TestRelease_Systems checks that the programs of systems that this machine can't run are for those.
func TestRelease_Systems(t *testing.T) {
	for arch, cpu := range map[string]macho.Cpu{"amd64": macho.CpuAmd64, "arm64": macho.CpuArm64} {
		for _, name := range []string{"brunt", "brunt-k6"} {
			f, err := os.Open(one(t, name+"_*_darwin_"+arch+".tar.gz"))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			z, err := gzip.NewReader(f)
			if err != nil {
				t.Fatal(err)
			}
			in := tar.NewReader(z)
			h, err := in.Next()
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(in)
			if err != nil {
				t.Fatal(err)
			}
			if m, err := macho.NewFile(bytes.NewReader(text)); err != nil || m.Cpu != cpu || h.Mode&0o111 == 0 {
				t.Errorf("%s of darwin/%s: %v", h.Name, arch, err)
			}
		}
	}
	for arch, machine := range map[string]uint16{
		"amd64": pe.IMAGE_FILE_MACHINE_AMD64, "arm64": pe.IMAGE_FILE_MACHINE_ARM64,
	} {
		z, err := zip.OpenReader(one(t, "brunt_*_windows_"+arch+".zip"))
		if err != nil {
			t.Fatal(err)
		}
		defer z.Close()
		f, err := z.File[0].Open()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(f)
		if err != nil {
			t.Fatal(err)
		}
		if p, err := pe.NewFile(bytes.NewReader(text)); err != nil || p.Machine != machine ||
			!strings.HasSuffix(z.File[0].Name, "/brunt.exe") {
			t.Errorf("%s of windows/%s: %v", z.File[0].Name, arch, err)
		}
	}
}
