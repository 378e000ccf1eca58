package convert

import (
	"net/url"
	"path/filepath"
	"regexp"
	"strings"

	"brunt/scenarios/convert/draft"
)

// inScript matches literal HTTP URLs in a script.
var inScript = regexp.MustCompile(`https?://[A-Za-z0-9_.:\[\]-]+`)

// k6Converter returns the converter for k6 scripts.
func k6Converter() draft.Converter {
	return draft.Converter{
		Name: "k6", Source: "a k6 script", Convert: k6Convert,
		Doc: "a load that runs it as it is, to which faults can be added",
	}
}

// k6Convert makes a scenario that runs the script unchanged, with its own scenarios, checks and
// thresholds. The user adds faults by hand.
func k6Convert(d *draft.Builder, source []byte) error {
	n := 0
	for line := range strings.Lines(string(source)) {
		n++
		if code := strings.TrimSpace(line); strings.HasPrefix(code, "//") || strings.HasPrefix(code, "*") ||
			strings.HasPrefix(code, "import ") {
			continue
		}
		for _, found := range inScript.FindAllString(line, -1) {
			u, err := url.Parse(found)
			if err != nil || !draft.IsWeb(u) {
				continue
			}
			if d.Origin != "" && draft.OriginOf(u) != d.Origin {
				d.Tell(n, "the script names %s as well", draft.OriginOf(u))
			}
			d.At(u)
			d.Reach(u)
		}
	}
	name := draft.Slug(strings.TrimSuffix(filepath.Base(d.O.File), filepath.Ext(d.O.File)), "script")
	load := (&draft.Node{Block: true}).Set("k6", draft.Plain(d.Beside(filepath.Base(d.O.File))))
	load.Say("The script runs in k6 with its own scenarios, checks and thresholds; `rate`, `vus` and `duration` beside " +
		"k6 override its options.")
	d.Load.Set(name, load)
	return nil
}
