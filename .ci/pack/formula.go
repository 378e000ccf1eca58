package main

import (
	"strings"
	"text/template"
)

// formula is a formula of Homebrew: for each system, the archive of the release.
var formula = template.Must(template.New("brunt.rb").Parse(`class Brunt < Formula
  desc "Load and chaos testing with one verdict"
  homepage "{{.Home}}"
  version "{{.Version}}"
  license "Apache-2.0"
{{range .Systems}}
  on_{{.Name}} do{{range .Archives}}
    on_{{.CPU}} do
      url "{{.URL}}"
      sha256 "{{.Sum}}"
    end{{end}}
  end
{{end}}
  def install
    bin.install "brunt"
    man1.install Dir["man/man1/*.1"]
    bash_completion.install "completions/brunt.bash" => "brunt"
    zsh_completion.install "completions/_brunt"
    fish_completion.install "completions/brunt.fish"
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/brunt version")
  end
end
`))

// formula writes brunt.rb.
func (r *release) formula(all []program) error {
	type archive struct{ CPU, URL, Sum string }
	type system struct {
		Name     string
		Archives []archive
	}
	systems := []*system{{Name: "macos"}, {Name: "linux"}}
	for _, p := range all {
		var s *system
		switch {
		case p.name != "brunt":
			continue
		case p.os == "darwin":
			s = systems[0]
		case p.os == "linux":
			s = systems[1]
		default:
			continue
		}
		file := p.release(r.version) + ".tar.gz"
		sum, err := r.sum(file)
		if err != nil {
			return err
		}
		cpu := map[string]string{"amd64": "intel", "arm64": "arm"}[p.arch]
		s.Archives = append(s.Archives, archive{cpu, r.url + "/" + r.version + "/" + file, sum})
	}
	var out strings.Builder
	home, _, _ := strings.Cut(r.url, "/releases/")
	err := formula.Execute(&out, map[string]any{
		"Home": home, "Version": strings.TrimPrefix(r.version, "v"), "Systems": systems,
	})
	if err != nil {
		return err
	}
	return r.write("brunt.rb", []byte(out.String()))
}
