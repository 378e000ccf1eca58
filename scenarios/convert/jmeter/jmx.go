package jmeter

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// An element is an XML element of a JMeter plan.
type element struct {
	tag  string
	attr map[string]string
	text string
	kids []*element
	line int
	read bool // the conversion knows it
}

// A tree is an element of a plan with its children: the hashTree after it.
type tree struct {
	*element
	sub []*tree
}

// Bounds on the XML of a plan.
const (
	mostElements = 500_000
	mostDeep     = 200
)

// readJMX reads a plan. Disabled elements are apart from the others.
func readJMX(file string, source []byte) (out []*tree, disabled []*element, err error) {
	dec := xml.NewDecoder(bytes.NewReader(source))
	dec.CharsetReader = latin
	dec.Strict = true
	root := &element{tag: "top"}
	stack := []*element{root}
	count := 0
	for {
		line, _ := dec.InputPos()
		t, err := dec.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%s:%d: %w", file, line, err)
		}
		top := stack[len(stack)-1]
		switch t := t.(type) {
		case xml.StartElement:
			line, _ = dec.InputPos()
			e := &element{tag: t.Name.Local, attr: map[string]string{}, line: line}
			for _, a := range t.Attr {
				e.attr[a.Name.Local] = a.Value
			}
			if count++; count > mostElements || len(stack) > mostDeep {
				return nil, nil, fmt.Errorf("%s:%d: more than %d elements, or more than %d levels of them", file, line,
					mostElements, mostDeep)
			}
			top.kids = append(top.kids, e)
			stack = append(stack, e)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			top.text += string(t)
		}
	}
	if len(root.kids) == 0 || root.kids[0].tag != "jmeterTestPlan" {
		return nil, nil, fmt.Errorf("%s: want a plan of JMeter, which begins with <jmeterTestPlan>", file)
	}
	for _, k := range root.kids[0].kids {
		if k.tag == "hashTree" {
			out = append(out, k.trees(&disabled)...)
		}
	}
	return out, disabled, nil
}

// latin decodes ISO 8859-1, the other encoding of old plans.
func latin(charset string, r io.Reader) (io.Reader, error) {
	switch strings.ToLower(charset) {
	case "us-ascii", "ascii":
		return r, nil
	case "iso-8859-1", "latin1":
		b, err := io.ReadAll(r)
		if err != nil {
			return nil, err
		}
		out := make([]rune, len(b))
		for i, c := range b {
			out[i] = rune(c)
		}
		return strings.NewReader(string(out)), nil
	}
	return nil, fmt.Errorf("the encoding %s; save it as UTF-8", charset)
}

// trees pairs the elements of a hashTree with the hashTrees after them. It leaves out disabled elements, and adds them
// to a list.
func (e *element) trees(disabled *[]*element) []*tree {
	var out []*tree
	for i, k := range e.kids {
		if k.tag == "hashTree" {
			continue
		}
		if k.attr["enabled"] == "false" {
			*disabled = append(*disabled, k)
			continue
		}
		t := &tree{element: k}
		if i+1 < len(e.kids) && e.kids[i+1].tag == "hashTree" {
			t.sub = e.kids[i+1].trees(disabled)
		}
		out = append(out, t)
	}
	return out
}

// find returns the property with a name, or nil.
func (e *element) find(name string) *element {
	if e == nil {
		return nil
	}
	for _, k := range e.kids {
		if k.attr["name"] == name {
			k.read = true
			return k
		}
	}
	return nil
}

// prop returns the text of a property.
func (e *element) prop(name string) string {
	if p := e.find(name); p != nil {
		return p.text
	}
	return ""
}

// float returns a property of the kind whose name is an element instead of an attribute.
func (e *element) float(name string) string {
	for _, k := range e.kids {
		if k.tag != "FloatProperty" || len(k.kids) < 2 || k.kids[0].text != name {
			continue
		}
		k.skip()
		return strings.TrimSpace(k.kids[1].text)
	}
	return strings.TrimSpace(e.prop(name))
}

// skip marks an element as known, with everything in it.
func (e *element) skip() {
	e.read = true
	for _, k := range e.kids {
		k.skip()
	}
}

// dull are properties that change nothing of what is sent and judged, or only what a note names already.
var dull = []string{
	"TestPlan.comments", "TestPlan.user_define_classpath", "TestPlan.functional_mode", "TestPlan.tearDown_on_shutdown",
	"ThreadGroup.same_user_on_next_iteration", "ThreadGroup.delayedStart", "ThreadGroup.start_time",
	"ThreadGroup.end_time", "LoopController.continue_forever", "HTTPSampler.implementation", "HTTPSampler.md5",
	"HTTPSampler.concurrentDwn", "HTTPSampler.concurrentPool", "HTTPSampler.BROWSER_COMPATIBLE_MULTIPART",
	"HTTPSampler.embedded_url_re", "HTTPSampler.embedded_url_exclude_re", "Argument.metadata", "Argument.desc",
	"Assertion.custom_message", "TransactionController.includeTimers", "ThroughputController.maxThroughput",
	"ActionProcessor.target", "CookieManager.policy", "CookieManager.implementation", "stopThread",
}

// rest returns the properties with values that nothing has read.
func (e *element) rest() (out []*element) {
	for _, k := range e.kids {
		text := strings.TrimSpace(k.text)
		if !k.read && text != "" && text != "false" && !slices.Contains(dull, k.attr["name"]) {
			out = append(out, k)
		}
		out = append(out, k.rest()...)
	}
	return out
}

// known reports whether something has read a property of the element.
func (e *element) known() bool {
	return slices.ContainsFunc(e.kids, func(k *element) bool { return k.read })
}

// is reports whether a property is true.
func (e *element) is(name string) bool { return strings.TrimSpace(e.prop(name)) == "true" }

// name returns the name that the author of the plan gave the element.
func (e *element) name() string {
	if n := strings.TrimSpace(e.attr["testname"]); n != "" {
		return n
	}
	return e.tag
}

// arguments returns the elements of a collection in a property.
func (e *element) arguments(name, collection string) []*element {
	of := e
	if name != "" {
		of = e.find(name)
	}
	if c := of.find(collection); c != nil {
		return c.kids
	}
	return nil
}
