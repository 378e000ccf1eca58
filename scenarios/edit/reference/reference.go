package reference

import (
	"cmp"
	"embed"
	"fmt"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"brunt/chaos"
	faultcatalog "brunt/chaos/catalog"
	"brunt/chaos/selector"
	"brunt/scenarios/judge"
	"brunt/scenarios/result"
	"brunt/scenarios/secret"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

//go:embed topics/*.md
var topics embed.FS

// Sources are the inputs of a reference. The schemas are JSON texts.
type Sources struct {
	Scenario, Policy, Drill, Result, Event []byte

	Comments  syntax.Describer  // describes the settings of endpoints, which no schema has; it may be nil
	Faults    []string          // kinds of faults in the scenario's schema
	ExitCodes [][3]string       // code, verdict and meaning, by precedence
	Formats   map[string]string // formats of reports, with descriptions
	Converted [][3]string       // formats that `brunt convert` reads: the name, its source, and the result
	Commands  []string          // names that the caller explains itself: the commands of brunt
}

// A Reference holds all entries that can be explained.
type Reference struct {
	entries   map[string]*entry // those that New made
	index     *index            // nil: the reference is one that New made
	executors int               // number of executors
	from      Sources
}

// New makes a reference. An error names the schema that can't be read.
func New(from Sources) (*Reference, error) {
	r := &Reference{entries: map[string]*entry{}, from: from}
	executors := map[string]string{}
	for _, s := range []struct {
		prefix string
		text   []byte
	}{
		{"", from.Scenario}, {"policy", from.Policy}, {"drill", from.Drill}, {"result", from.Result}, {"event", from.Event},
	} {
		texts, err := readSchema(s.text, s.prefix, from, r.entries)
		if err != nil {
			return nil, err
		}
		maps.Copy(executors, texts)
	}
	for _, e := range r.of("fault") {
		if d, ok := faultcatalog.Find(title(e)); ok {
			e.On, e.Systems, e.Example = d.On.String(), d.Systems(), d.Sample("NAME")
			r.dropPacketKeys(e, d.On)
		}
	}
	r.executors = len(executors)
	for name, text := range executors {
		e := &entry{Path: name, Sort: "executor", Text: sentence(text, true)}
		for key := range r.all() {
			if x := r.entries[key]; strings.HasPrefix(key, "load.") && slices.Contains(x.Only, name) &&
				len(x.Only) < r.executors-1 {
				e.Keys = append(e.Keys, key)
			}
		}
		r.put(e)
	}
	r.putProtocols()
	for _, c := range from.Converted {
		r.put(&entry{Path: "converter." + c[0], Sort: "converter", Text: fmt.Sprintf("Reads %s: %s.", c[1], c[2])})
	}
	for name, text := range from.Formats {
		r.put(&entry{Path: "format." + name, Sort: "format", Text: text})
	}
	for _, f := range syntax.Forms() {
		r.put(&entry{Path: "placeholder." + f.Name, Sort: "placeholder", Text: f.About})
	}
	for _, name := range slo.MetricNames() {
		r.put(&entry{Path: "metric." + name, Sort: "metric", Text: metricText(name)})
	}
	for _, row := range from.ExitCodes {
		for code := range strings.SplitSeq(row[0], ", ") {
			text := fmt.Sprintf("%s: %s.", row[1], row[2])
			if e := r.entries[code]; e != nil { // it is the code of another verdict as well
				text = e.Text + " Or " + text
			}
			r.put(&entry{Path: code, Sort: "exit code", Text: text})
		}
	}
	for _, t := range result.Terms() {
		r.put(&entry{Path: "term." + t.Name, Sort: "term", Text: t.Text})
	}
	return r, r.readTopics()
}

// dropPacketKeys removes the keys that select packets from a kind of fault that acts on links but not on packets.
// Both kinds share their settings, and a scenario's check refuses these keys for it.
func (r *Reference) dropPacketKeys(e *entry, on chaos.On) {
	if on&chaos.OnLinks == 0 || on&(chaos.OnPackets|chaos.OnContainers) != 0 {
		return
	}
	e.Keys = slices.DeleteFunc(e.Keys, func(key string) bool {
		drop := slices.Contains(selector.PacketKeys(), strings.TrimPrefix(key, e.Path+"."))
		if drop {
			delete(r.entries, key)
		}
		return drop
	})
}

func (r *Reference) put(e *entry) { r.entries[e.Path] = e }

func (r *Reference) readTopics() error {
	files, err := topics.ReadDir("topics")
	if err != nil {
		return err
	}
	var formats strings.Builder
	for _, f := range r.from.Converted {
		formats.WriteString(row(f[1], f[2]))
	}
	lists := strings.NewReplacer(secretNames, strings.Join(append(secret.Words(), secret.WholeNames()...), ", "),
		convertFormats+"\n", formats.String(),
		shortestGiven, strconv.Itoa(secret.ShortestGiven), shortest, strconv.Itoa(secret.Shortest), shortestDigits,
		strconv.Itoa(secret.ShortestDigits),
		ofRequests+"\n", adjustmentRows(judge.OfRequests()), ofFaults+"\n", adjustmentRows(judge.OfFaults()))
	for _, f := range files {
		b, err := topics.ReadFile(path.Join("topics", f.Name()))
		if err != nil {
			return err
		}
		name := strings.TrimSuffix(f.Name(), ".md")
		r.put(&entry{Path: "topic." + name, Sort: "topic", Text: lists.Replace(string(b))})
	}
	return nil
}

// adjustmentRows writes the rows of a table of adjustments.
func adjustmentRows(list []judge.Adjustment) string {
	var out strings.Builder
	for _, a := range list {
		out.WriteString(row(a.Name, a.Counts, a.Changed))
	}
	return out.String()
}

// Placeholders in topics, which are replaced by a list or a number.
const (
	secretNames    = "{{secret names}}" // the names that make a value secret
	convertFormats = "{{formats}}"      // rows of the formats that `brunt convert` reads
	shortestGiven  = "{{secret bytes, given}}"
	shortest       = "{{secret bytes}}"
	shortestDigits = "{{secret digits}}"
	ofRequests     = "{{request adjustments}}" // rows of the adjustments of objectives
	ofFaults       = "{{fault adjustments}}"
)

// lists maps names to the sort of entries that they list.
var lists = map[string]string{
	"faults": "fault", "executors": "executor", "metrics": "metric", "terms": "term", "glossary": "term",
	"topics":     "topic",
	"exit-codes": "exit code", "formats": "format", "protocols": "protocol", "converters": "converter",
	"placeholders": "placeholder",
}

// An unknownError reports a query without an entry.
type unknownError struct{ Query, Hint string }

func (e *unknownError) Error() string {
	return strings.TrimRight(fmt.Sprintf("nothing is known of %q; %s", e.Query,
		cmp.Or(e.Hint, "`brunt explain` lists what is")), "; ")
}

// Explain returns the text for a query. A query is a path of keys or its end, a kind of fault, an executor, a metric,
// an exit code, a protocol, a converter, a term, a topic, or the name of a list of them. A term may be written as
// separate words: "in flight" is in-flight, and "CPU, mean" is cpu-mean. The error is an [unknownError].
func (r *Reference) Explain(query string) (string, error) {
	query = strings.ToLower(strings.Trim(strings.TrimSpace(query), "."))
	if query == "" {
		return r.overview(), nil
	}
	var b strings.Builder
	if sort, ok := lists[query]; ok {
		r.list(&b, sort)
		return b.String(), nil
	}
	found := r.find(query)
	if len(found) == 0 {
		found = r.find(strings.NewReplacer(", ", "-", " ", "-").Replace(query))
	}
	if parts := strings.Split(query, "."); len(found) == 0 && len(parts) > 2 { // the second is a name of the author's
		if e := r.entry(strings.Join(slices.Delete(parts, 1, 2), ".")); e != nil {
			found = []*entry{e}
		}
	}
	switch {
	case len(found) == 0:
		return "", &unknownError{Query: query, Hint: cmp.Or(syntax.Elsewhere(query),
			syntax.Elsewhere(query+"s"), syntax.DidYouMean(query, r.Names()))}
	case len(found) > maxWhole:
		for _, e := range found { // the page shows only its first sentence, and refers to here
			if e.Sort == "term" {
				r.write(&b, e)
				b.WriteString("\n")
			}
		}
		found = slices.DeleteFunc(found, func(e *entry) bool { return e.Sort == "term" })
		more := "several"
		for _, of := range meant {
			if e := r.entry(of + "." + query); e != nil {
				r.write(&b, e)
				b.WriteString("\n")
				found, more = slices.DeleteFunc(found, func(o *entry) bool { return o.Path == e.Path }), "other"
				break
			}
		}
		fmt.Fprintf(&b, "%s is a key in %s places:\n\n", query, more)
		r.table(&b, r.together(found), "")
		return b.String(), nil
	}
	for i, e := range found {
		if i > 0 {
			b.WriteString("\n")
		}
		r.write(&b, e)
	}
	return b.String(), nil
}

// meant are the places of a key that is in many, the one that is meant most often first.
var meant = []string{"step", "load", "target", "scenario"}

// maxWhole is the maximum number of entries that are written in full. More are shown as a list.
const maxWhole = 4

// find returns the entries that a name selects: those with this path, or else those whose path ends in it. A term, a
// metric and a key may share a name.
func (r *Reference) find(query string) []*entry {
	var found []*entry
	for _, prefix := range []string{"", "chaos.", "term.", "metric.", "topic.", "format.", "protocol.", "converter."} {
		if e := r.entry(prefix + query); e != nil {
			found = append(found, e)
		}
	}
	if e := r.entry("load." + query); e != nil && len(found) == 1 && found[0].Sort == "metric" {
		return append(found, e)
	}
	if slices.ContainsFunc(found, func(e *entry) bool { return e.Sort != "protocol" && e.Sort != "converter" }) {
		return found
	}
	for _, t := range result.Terms() {
		if slices.Contains(t.Also, query) {
			found = append(found, r.entry("term."+t.Name))
		}
	}
	if m := metricOf(query); m != "" {
		if e := r.entry("metric." + m); e != nil {
			found = append(found, e)
		}
	}
	if len(found) > 0 {
		return found
	}
	for p := range r.all() {
		if strings.HasSuffix(p, "."+query) {
			found = append(found, r.entry(p))
		}
	}
	return found
}

// together merges entries with the same text in several faults into one entry of chaos.FAULT.
func (r *Reference) together(found []*entry) []*entry {
	var out []*entry
	at := map[string]int{} // index in out, by path and text
	for _, e := range found {
		same := *e
		for _, kind := range r.from.Faults {
			if rest, ok := strings.CutPrefix(e.Path, "chaos."+kind+"."); ok {
				same.Path = "chaos.FAULT." + rest
			}
		}
		key := same.Path + "\n" + e.Text
		if i, ok := at[key]; ok {
			out[i] = &same
			continue
		}
		at[key] = len(out)
		out = append(out, e)
	}
	return out
}

// Names lists the queries that Explain answers, which are whole paths, their ends and the names of lists, and the
// commands.
func (r *Reference) Names() []string {
	seen := map[string]bool{}
	for _, name := range r.from.Commands {
		seen[name] = true
	}
	for p := range r.all() {
		_, short, _ := strings.Cut(p, ".")
		for _, name := range []string{p, short, p[strings.LastIndexByte(p, '.')+1:]} {
			if name != "" {
				seen[name] = true
			}
		}
	}
	for name := range lists {
		seen[name] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// of lists the entries of one sort, ordered by path.
func (r *Reference) of(sort string) []*entry {
	var out []*entry
	for p, is := range r.all() {
		if is == sort {
			out = append(out, r.entry(p))
		}
	}
	return out
}

// topKeys lists the keys of a scenario that are below no other.
func (r *Reference) topKeys() []*entry {
	var out []*entry
	for p, sort := range r.all() {
		if !strings.Contains(p, ".") && sort == "key" {
			out = append(out, r.entry(p))
		}
	}
	return out
}

// below returns the entries of an entry's keys.
func (r *Reference) below(e *entry) []*entry {
	out := make([]*entry, len(e.Keys))
	for i, p := range e.Keys {
		out[i] = r.entry(p)
	}
	return out
}
