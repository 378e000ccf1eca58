package convert

import (
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
)

// inScript finds URLs of HTTP that a script writes out.
var inScript = regexp.MustCompile(`https?://[A-Za-z0-9_.:\[\]-]+`)

// k6 makes a scenario that runs the script as it is: it keeps its own scenarios, checks
// and thresholds. Faults are added to it by hand.
func k6(d *draft, source []byte) error {
	n := 0
	for line := range strings.Lines(string(source)) {
		n++
		if code := strings.TrimSpace(line); strings.HasPrefix(code, "//") || strings.HasPrefix(code, "*") || strings.HasPrefix(code, "import ") {
			continue
		}
		for _, found := range inScript.FindAllString(line, -1) {
			u, err := url.Parse(found)
			if err != nil || !isWeb(u) {
				continue
			}
			if d.origin != "" && originOf(u) != d.origin {
				d.tell(n, "the script names %s as well", originOf(u))
			}
			d.at(u)
			d.reach(u)
		}
	}
	name := slug(strings.TrimSuffix(filepath.Base(d.o.File), filepath.Ext(d.o.File)), "script")
	load := (&node{block: true}).set("k6", plain(d.beside(filepath.Base(d.o.File))))
	load.say("The script runs in k6 with its own scenarios, checks and thresholds; `rate`, `vus` and `duration` beside k6 override its options.")
	d.load.set(name, load)
	return nil
}
