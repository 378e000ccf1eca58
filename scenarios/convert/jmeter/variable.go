package jmeter

import (
	"cmp"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"brunt/scenarios/convert/draft"
	"brunt/scenarios/disk"
	"brunt/scenarios/syntax"
)

// collect finds the definitions in the plan. The data sets are collected last, because their file names may use the
// other definitions.
func (p *plan) collect(level []*tree, data bool) {
	for _, t := range level {
		p.collect(t.sub, data)
		if data {
			if t.tag == "CSVDataSet" {
				p.csv(t)
			}
			continue
		}
		switch t.tag {
		case "TestPlan":
			p.defined(t.arguments("TestPlan.user_defined_variables", "Arguments.arguments"))
		case "Arguments":
			p.defined(t.arguments("", "Arguments.arguments"))
		case "RandomVariableConfig":
			a, b := strings.TrimSpace(t.prop("minimumValue")), strings.TrimSpace(t.prop("maximumValue"))
			name := t.prop("variableName")
			if wholeNumber.MatchString(a) && wholeNumber.MatchString(b) && ordered(a, b) {
				p.define(name, func() draft.Text { return draft.Ref("int(" + a + "," + b + ")") })
			} else {
				p.d.Lost(t.line, "the random variable %s from %q to %q", draft.Clip(name, 40), draft.Clip(a, 40),
					draft.Clip(b, 40))
			}
		case "CounterConfig":
			p.counter(t)
		case "RegexExtractor":
			p.extracted(t.prop("RegexExtractor.refname"))
		case "BoundaryExtractor":
			p.extracted(t.prop("BoundaryExtractor.refname"))
		case "JSONPostProcessor":
			for name := range strings.SplitSeq(t.prop("JSONPostProcessor.referenceNames"), ";") {
				p.extracted(name)
			}
		}
	}
}

func (p *plan) define(name string, as func() draft.Text) {
	if name = strings.TrimSpace(name); name != "" {
		p.vars.set[name] = as
	}
}

// defined records the user's variables. A variable becomes a param when a text uses it.
func (p *plan) defined(all []*element) {
	for _, a := range all {
		name, value := a.prop("Argument.name"), a.prop("Argument.value")
		busy := false
		p.define(name, func() draft.Text {
			if busy { // it contains itself
				return draft.Lit("${" + name + "}")
			}
			busy = true
			defer func() { busy = false }()
			t := p.vars.expand(value, a.line, &p.d.Head)
			if t.Size() > mostValue {
				p.vars.lost(&p.d.Head, a.line, "the variable "+draft.Clip(name, 40)+", which is longer than a value gets")
				return draft.Lit("")
			}
			s, static := t.Static()
			switch {
			case draft.IsSecret(name) && !t.IsZero():
				return p.d.HideText(a.line, name, "the variable "+draft.Clip(name, 40), t)
			case static:
				return p.vars.param(name, s)
			}
			return t
		})
	}
}

func (p *plan) extracted(name string) {
	if name = strings.TrimSpace(name); name != "" {
		p.define(name, func() draft.Text { return draft.Ref("var." + variable(name)) })
	}
}

// variable converts the name of a JMeter variable to a valid name of the language.
func variable(name string) string {
	if syntax.IsVariable(name) {
		return name
	}
	return strings.ReplaceAll(draft.Slug(name, "v"), "-", "_")
}

// counter converts a counter to a table of numbers.
func (p *plan) counter(t *tree) {
	start, err1 := strconv.ParseInt(cmp.Or(strings.TrimSpace(t.prop("CounterConfig.start")), "0"), 10, 64)
	end, err2 := strconv.ParseInt(cmp.Or(strings.TrimSpace(t.prop("CounterConfig.end")), "1000000"), 10, 64)
	step := cmp.Or(strings.TrimSpace(t.prop("CounterConfig.incr")), "1")
	called := t.prop("CounterConfig.name")
	if err1 != nil || err2 != nil || end <= start || step != "1" || t.prop("CounterConfig.format") != "" {
		p.d.Lost(t.line, "the counter %s: brunt counts in steps of 1 from a number to a larger one, without a format",
			draft.Clip(called, 40))
		return
	}
	end = min(end, start+999_999)
	var name string
	p.define(called, func() draft.Text {
		if name == "" {
			name = draft.Unique(p.d.Data, draft.Slug(called, "counter"))
			p.d.Data.Set(name, (&draft.Node{}).Set("range", draft.Raw(fmt.Sprintf("%d..%d", start, end))))
		}
		return draft.Ref("data." + name + ".value")
	})
}

// csv makes a table of a CSV data set. If both the plan and the file name the columns, the names in the file are
// used.
func (p *plan) csv(t *tree) {
	d := p.d
	file, _ := p.vars.known(p.vars.expand(t.prop("filename"), t.line, &d.Head))
	var names []string
	for n := range strings.SplitSeq(t.prop("variableNames"), ",") {
		if n = strings.TrimSpace(n); n != "" {
			names = append(names, n)
		}
	}
	name := draft.Clip(file, 60)
	separator := strings.ReplaceAll(cmp.Or(t.prop("delimiter"), ","), `\t`, "\t")
	twice := len(slices.Compact(slices.Sorted(slices.Values(names)))) < len(names)
	if file == "" || len([]rune(separator)) != 1 || twice {
		d.LoseAt(&d.Head, t.line, "the data set %q: of a file %q, with the separator %q and the variables %q",
			draft.Clip(t.name(), 60), name, draft.Clip(separator, 10), draft.Clip(strings.Join(names, ","), 60))
		return
	}
	if share := strings.TrimPrefix(strings.TrimSpace(t.prop("shareMode")), "shareMode."); share != "" && share != "all" {
		d.LoseAt(&d.Head, t.line, "the rows of %q that each %s takes for itself; here all loads take them in turn", name,
			draft.Clip(share, 40))
	}
	if code := strings.TrimSpace(t.prop("fileEncoding")); code != "" && !strings.EqualFold(code, "UTF-8") {
		d.LoseAt(&d.Head, t.line, "the encoding %s of %q: brunt reads UTF-8", draft.Clip(code, 20), name)
	}
	if head := headOf(d, file); !t.is("quotedData") && strings.Contains(head, `"`) {
		d.LoseAt(&d.Head, t.line, "the quotes in %q as a part of values: here they enclose values", name)
	}
	if t.prop("recycle") == "false" {
		d.LoseAt(&d.Head, t.line, "the end with the rows of %q; here they begin again (`pick: unique` takes each once)",
			name)
	}
	skips := len(names) == 0 || t.is("ignoreFirstLine")
	columns := names
	if skips {
		if found := firstLine(d, file, separator); found != nil {
			columns = found
			if len(names) == 0 {
				names = found
			}
		}
	}
	key := draft.Unique(d.Data, draft.Slug(strings.TrimSuffix(filepath.Base(filepath.FromSlash(file)),
		filepath.Ext(file)), "data"))
	used := false
	table := (&draft.Node{}).Set("csv", draft.Plain(d.Beside(file)))
	if !skips {
		all := draft.List()
		for _, c := range columns {
			all.Items = append(all.Items, draft.Plain(c))
		}
		table.Set("columns", all)
	}
	if separator != "," {
		table.Set("separator", draft.Plain(separator))
	}
	for i, n := range names {
		if i >= len(columns) || strings.ContainsAny(columns[i], "{}") {
			continue
		}
		p.define(n, func() draft.Text {
			if !used {
				used = true
				d.Data.Set(key, table)
			}
			return draft.Ref("data." + key + "." + columns[i])
		})
	}
}

// firstLine returns the names in the first line of a data file, or nothing.
func firstLine(d *draft.Builder, file, separator string) (out []string) {
	line, _, _ := strings.Cut(headOf(d, file), "\n")
	if line == "" {
		return nil
	}
	for c := range strings.SplitSeq(strings.TrimSpace(line), separator) {
		out = append(out, strings.Trim(strings.TrimSpace(c), `"`))
	}
	return out
}

// headOf returns the begin of a data file; nothing if it can't be read.
func headOf(d *draft.Builder, file string) string {
	path := filepath.FromSlash(strings.ReplaceAll(file, `\`, "/"))
	if !filepath.IsAbs(path) {
		path = filepath.Join(d.O.From, path)
	}
	f, err := disk.Open(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	b := make([]byte, mostHead)
	n, _ := f.Read(b)
	return strings.TrimPrefix(string(b[:n]), "\ufeff")
}
