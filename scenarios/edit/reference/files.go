package reference

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"brunt/scenarios/slo"
)

// An Example is a folder of examples/, as their page lists it.
type Example struct{ Folder, Title, Text string }

// generated stands at the top of each page.
const generated = "<!-- Generated from the code by `go test ./cmd/brunt -run Reference -update`. Do not edit. -->\n"

// Files returns the pages of the repository, by their paths in it.
func (r *Reference) Files(examples []Example) (map[string]string, error) {
	drills, err := drillsTable()
	if err != nil {
		return nil, err
	}
	return map[string]string{
		"scenarios/README.md": r.page("Scenarios: the language, the verdict and the commands",
			"One file names the target, the load, the faults and the objectives. `brunt explain PATH` prints any "+
				"part of this page and more.",
			r.topic("language"), r.keys("Keys of a scenario", ""), r.executorsTable(), r.keys("Keys of a load", "load"),
			r.keys("Keys of a step", "step"),
			r.metricsTable(), r.topic("mistakes"), r.exitCodes(), r.topic("why-invalid"), r.topic("counted-again"),
			r.topic("plans"),
			r.keys("Keys of a policy", "policy"),
			r.topic("drills"), r.keys("Keys of a drill", "drill"),
			r.topic("convert"), r.topic("your-fault"), r.topic("k6"), r.topic("gate"), r.topic("suggest"), r.topic("find"), r.topic("tolerate"),
			r.topic("cookies"), r.topic("live"),
			r.glossaryTable(), r.topic("statistics"),
			r.topic("speed")),
		"chaos/README.md": r.page("Faults",
			"brunt injects a fault, verifies it at its target, holds it, takes it back and verifies that it is gone. "+
				"`brunt explain KIND` prints the settings of a kind.",
			r.topic("safety"), r.faultsTable(), r.topic("selecting"), r.timing(), r.topic("own-tools"), r.topic("platforms"),
			r.faultKeys()),
		"targets/README.md": r.page("Targets and protocols",
			"A target is a URL, the built-in system, processes or containers that brunt starts, or a Compose "+
				"file.",
			r.keys("Keys of a target", "target"), r.protocolsTable(), r.keys("A process", "target.processes"),
			r.topic("processes"),
			r.keys("A container", "target.containers"), r.topic("containers"),
			r.keys("Connections of a load", "load.connections"), r.keys("TLS", "target.tls"), r.keys("Identity: auth", "auth"),
			r.keys("Signatures: sign", "sign")),
		"reporters/README.md": r.page("Reports",
			"A run ends in one verdict and a folder of files. Reporters read only `result.json`, so that a report can be "+
				"drawn again.",
			r.topic("files"), r.formatsTable(), r.topic("secrets"), r.topic("evidence"), r.glossaryTable()),
		"examples/README.md": examplesPage(examples) + "\n" + drills,
	}, nil
}

// page joins the title, the introduction and the sections of a page. Empty sections are left out.
func (r *Reference) page(title, about string, sections ...string) string {
	var out strings.Builder
	out.WriteString(generated + "\n# " + title + "\n\n" + about + "\n")
	for _, s := range sections {
		if s != "" {
			out.WriteString("\n" + strings.TrimRight(s, "\n") + "\n")
		}
	}
	return out.String()
}

// topic returns a topic as a section.
func (r *Reference) topic(name string) string { return "#" + r.entries["topic."+name].Text }

// row writes a row of a table of Markdown.
func row(cells ...string) string {
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(strings.Join(strings.Fields(c), " "), "|", `\|`)
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}

// head writes the title of a section and the head of its table.
func head(title string, columns ...string) string {
	return "## " + title + "\n\n" + row(columns...) + strings.Repeat("|---", len(columns)) + "|\n"
}

// keys returns a section on the keys below a path. An empty path is the scenario itself.
func (r *Reference) keys(title, path string) string {
	var below []*entry
	if path == "" {
		for _, e := range r.of("key") {
			if !strings.Contains(e.Path, ".") && e.Path != "step" {
				below = append(below, e)
			}
		}
	} else if e := r.entries[path]; e != nil {
		below = r.below(e)
	}
	if len(below) == 0 {
		return ""
	}
	return head(title, "key", "", "value") + r.keyRows(below, path)
}

func (r *Reference) keyRows(below []*entry, path string) string {
	var b strings.Builder
	for _, e := range below {
		text := e.Text
		if e.Must {
			text = strings.TrimPrefix(text+"; required", "; ")
		} else if n := len(e.MustOf); n > 0 && n < r.executors-1 {
			text += "; required by " + strings.Join(e.MustOf, ", ")
		}
		b.WriteString(row("`"+e.name(path)+"`", text, code(e.Forms)))
	}
	return b.String()
}

// code writes the forms of a value as code, except for words such as "a list".
func code(forms []string) string {
	var out []string
	for _, f := range forms {
		switch f {
		case "a list", "text", "a number", "a whole number", "on or off", "true or false", "a step":
			out = append(out, f)
		default:
			out = append(out, "`"+f+"`")
		}
	}
	return strings.Join(out, ", ")
}

func (r *Reference) executorsTable() string {
	var out strings.Builder
	out.WriteString(head("Executors", "executor", "", "settings of its own"))
	for _, e := range r.of("executor") {
		var keys []string
		for _, k := range e.Keys {
			keys = append(keys, "`"+strings.TrimPrefix(k, "load.")+"`")
		}
		out.WriteString(row("`"+e.Path+"`", e.Text, strings.Join(keys, " ")))
	}
	return out.String()
}

func (r *Reference) metricsTable() string {
	var out strings.Builder
	out.WriteString(head("Metrics of objectives", "metric", ""))
	for _, name := range slo.MetricNames() {
		out.WriteString(row("`"+name+"`", metricText(name)))
	}
	return out.String()
}

func (r *Reference) exitCodes() string {
	var out strings.Builder
	out.WriteString(head("Verdicts and exit codes", "exit code", "verdict", ""))
	for _, x := range r.from.ExitCodes {
		verdict := x[1]
		if verdict == "-" {
			verdict = "–"
		}
		out.WriteString(row(x[0], verdict, x[2]))
	}
	return out.String() + "\nWhere several apply, the first in this table counts.\n"
}

func (r *Reference) formatsTable() string {
	if len(r.from.Formats) == 0 {
		return ""
	}
	var out strings.Builder
	out.WriteString(head("Formats", "`--format`", ""))
	for _, name := range slices.Sorted(maps.Keys(r.from.Formats)) {
		out.WriteString(row("`"+name+"`", r.from.Formats[name]))
	}
	return out.String()
}

func (r *Reference) glossaryTable() string {
	var out strings.Builder
	out.WriteString(head("Terms of a report", "term", ""))
	for _, e := range r.of("term") {
		out.WriteString(row("**"+title(e)+"**", e.Text))
	}
	return out.String()
}

func (r *Reference) faultsTable() string {
	var out strings.Builder
	out.WriteString(head("Kinds of faults", "kind", "", "acts on", "systems"))
	for _, e := range r.of("fault") {
		out.WriteString(row(fmt.Sprintf("[`%s`](#%s)", title(e), strings.ReplaceAll(title(e), ".", "")), e.Text, e.On,
			e.Systems))
	}
	return out.String()
}

// timing returns a section on the keys that every fault has besides its kind.
func (r *Reference) timing() string {
	var below []*entry
	for _, e := range r.below(r.entries["chaos"]) {
		if e.Sort == "key" {
			below = append(below, e)
		}
	}
	return head("When a fault is in", "key", "", "value") + r.keyRows(below, "chaos")
}

// faultKeys returns a section for each kind of fault, with the settings that only it has. Settings that select units
// and links are listed once, in a table of their own.
func (r *Reference) faultKeys() string {
	times, faults := map[string]int{}, r.of("fault")
	text := func(e *entry, fault *entry) string { return e.name(fault.Path) + "\n" + e.Text }
	for _, f := range faults {
		for _, e := range r.below(f) {
			times[text(e, f)]++
		}
	}
	var b strings.Builder
	b.WriteString("## Settings of each kind\n")
	kinds := map[string][]string{} // that have a shared setting
	for _, f := range faults {
		var own []*entry
		var also []string
		for _, e := range r.below(f) {
			key := text(e, f)
			if times[key] < 4 {
				own = append(own, e)
				continue
			}
			kinds[key] = append(kinds[key], title(f))
			name := "`" + e.name(f.Path) + "`"
			if e.Must {
				name += " (required)"
			}
			also = append(also, name)
		}
		fmt.Fprintf(&b, "\n### %s\n\n%s\n", title(f), period(f.Text))
		if len(own) > 0 {
			b.WriteString("\n| key | | value |\n|---|---|---|\n" + r.keyRows(own, f.Path))
		}
		if len(also) > 0 {
			b.WriteString("\nAlso, as many kinds: " + strings.Join(also, " ") + "\n")
		}
	}
	b.WriteString("\n" + head("Settings that many kinds share", "key", "", "kinds"))
	for _, key := range slices.Sorted(maps.Keys(kinds)) {
		name, about, _ := strings.Cut(key, "\n")
		b.WriteString(row("`"+name+"`", about, r.families(kinds[key])))
	}
	return b.String()
}

// families lists kinds of faults. If all kinds of a family are among them, they are written as one, such as
// network.*.
func (r *Reference) families(kinds []string) string {
	family := func(kind string) string {
		first, _, _ := strings.Cut(kind, ".")
		return first
	}
	whole := map[string]bool{}
	for _, e := range r.of("fault") {
		of := family(title(e))
		all, known := whole[of]
		whole[of] = (all || !known) && slices.Contains(kinds, title(e))
	}
	var out []string
	for _, k := range kinds {
		if of := family(k); whole[of] && of != k {
			k = of + ".*"
		}
		if k = "`" + k + "`"; !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	return strings.Join(out, " ")
}

// examplesPage lists the examples, each with the title and the first paragraph of its page.
func examplesPage(examples []Example) string {
	var out strings.Builder
	out.WriteString(generated +
		"\n# Examples\n\nEach numbered example runs from the root of the repository as it is; tests run all of them. " +
		"`brunt.schema.json` is the JSON Schema of scenarios.\n\n")
	out.WriteString("| | | |\n|---|---|---|\n")
	for _, e := range examples {
		out.WriteString(row(fmt.Sprintf("[%s](%s)", e.Folder, e.Folder), e.Title, e.Text))
	}
	return out.String()
}
