package main

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// plainVersion matches the only form of a version that Visual Studio Code takes.
var plainVersion = regexp.MustCompile(`^v(\d+\.\d+\.\d+)$`)

// The parts of an extension's manifest.
type (
	vsixManifest struct {
		XMLName      xml.Name   `xml:"http://schemas.microsoft.com/developer/vsx-schema/2011 PackageManifest"`
		Version      string     `xml:"Version,attr"`
		Metadata     vsixMeta   `xml:"Metadata"`
		Installation vsixTarget `xml:"Installation>InstallationTarget"`
		Dependencies string     `xml:"Dependencies"`
		Assets       []vsixFile `xml:"Assets>Asset"`
	}
	vsixMeta struct {
		Identity    vsixIdentity   `xml:"Identity"`
		DisplayName string         `xml:"DisplayName"`
		Description string         `xml:"Description"`
		Categories  string         `xml:"Categories"`
		Properties  []vsixProperty `xml:"Properties>Property"`
		License     string         `xml:"License"`
	}
	vsixIdentity struct {
		Language  string `xml:"Language,attr"`
		ID        string `xml:"Id,attr"`
		Version   string `xml:"Version,attr"`
		Publisher string `xml:"Publisher,attr"`
	}
	vsixProperty struct {
		ID    string `xml:"Id,attr"`
		Value string `xml:"Value,attr"`
	}
	vsixTarget struct {
		ID string `xml:"Id,attr"`
	}
	vsixFile struct {
		Type        string `xml:"Type,attr"`
		Path        string `xml:"Path,attr"`
		Addressable bool   `xml:"Addressable,attr"`
	}
)

const vsixTypes = xml.Header + `<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">` +
	`<Default Extension=".json" ContentType="application/json"/><Default Extension=".js" ContentType="application/javascript"/>` +
	`<Default Extension=".vsixmanifest" ContentType="text/xml"/><Default Extension=".txt" ContentType="text/plain"/></Types>`

// extension writes the extension of Visual Studio Code, which `code --install-extension` installs. Its version is that
// of the release; a release without a tag makes 0.0.0.
func (r *release) extension() error {
	from := filepath.Join(r.texts, "vscode")
	text, err := os.ReadFile(filepath.Join(from, "package.json"))
	if err != nil {
		return err
	}
	var about struct {
		Name, Publisher, DisplayName, Description, Version, Main string
		Engines                                                  struct{ VSCode string }
	}
	if err := json.Unmarshal(text, &about); err != nil {
		return fmt.Errorf("package.json: %w", err)
	}
	version := "0.0.0"
	if m := plainVersion.FindStringSubmatch(r.version); m != nil {
		version = m[1]
	}
	written := fmt.Sprintf("%q: %q", "version", about.Version)
	if strings.Count(string(text), written) != 1 {
		return fmt.Errorf("package.json: no line %s", written)
	}
	text = []byte(strings.Replace(string(text), written, fmt.Sprintf("%q: %q", "version", version), 1))
	code, err := os.ReadFile(filepath.Join(from, about.Main))
	if err != nil {
		return err
	}
	license, err := os.ReadFile(filepath.Join(r.texts, "LICENSE"))
	if err != nil {
		return err
	}
	manifest, err := xml.MarshalIndent(vsixManifest{
		Version: "2.0.0",
		Metadata: vsixMeta{
			Identity:    vsixIdentity{"en-US", about.Name, version, about.Publisher},
			DisplayName: about.DisplayName, Description: about.Description, Categories: "Linters",
			Properties: []vsixProperty{{"Microsoft.VisualStudio.Code.Engine", about.Engines.VSCode}},
			License:    "extension/LICENSE.txt",
		},
		Installation: vsixTarget{"Microsoft.VisualStudio.Code"},
		Assets: []vsixFile{
			{"Microsoft.VisualStudio.Code.Manifest", "extension/package.json", true},
			{"Microsoft.VisualStudio.Services.Content.License", "extension/LICENSE.txt", true},
		},
	}, "", "  ")
	if err != nil {
		return err
	}
	packed, err := r.zip("", []entry{
		{"[Content_Types].xml", 0o644, []byte(vsixTypes)},
		{"extension.vsixmanifest", 0o644, append([]byte(xml.Header), manifest...)},
		{"extension/package.json", 0o644, text},
		{"extension/" + strings.TrimPrefix(about.Main, "./"), 0o644, code},
		{"extension/LICENSE.txt", 0o644, license},
	})
	if err != nil {
		return err
	}
	return r.write(fmt.Sprintf("brunt-vscode_%s.vsix", strings.TrimPrefix(r.version, "v")), packed)
}
