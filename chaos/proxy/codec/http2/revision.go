package http2

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"brunt/chaos/proxy/codec/http1"

	"golang.org/x/net/http2/hpack"
)

// A Revision holds the changes to a message. The zero value changes nothing.
type Revision struct {
	http1.Draft
	target func(string) string // new value of the request's :path; nil keeps it
}

// Revise returns the revision of a message by drafts, applied in their order.
func Revise(drafts []*http1.Draft) Revision {
	if len(drafts) == 0 {
		return Revision{}
	}
	return Revision{Draft: http1.Merge(drafts), target: func(target string) string {
		for _, d := range drafts {
			target = d.Path.Target(target)
		}
		return target
	}}
}

// body returns the new body. It is empty if there is none, or if the old one stays.
func (r *Revision) body() string {
	if r.Body == nil {
		return ""
	}
	return *r.Body
}

// empties reports whether the new status allows no body.
func (r *Revision) empties(fields []hpack.HeaderField) bool {
	status := r.Status
	for _, f := range fields {
		if f.Name == ":status" && status == 0 {
			status, _ = strconv.Atoi(f.Value)
		}
	}
	if http1.BodyAllowed(status) {
		return false
	}
	if r.Status != 0 && r.Body == nil { // the new status allows no body
		r.Body = new(string)
	}
	return true
}

// revise returns the header fields after the changes.
func (r *Revision) revise(fields []hpack.HeaderField) []hpack.HeaderField {
	if r.target == nil {
		return fields
	}
	gone := func(name string) bool {
		for other := range r.Headers {
			if strings.EqualFold(name, other) || name == ":authority" && strings.EqualFold(other, "host") {
				return true
			}
		}
		return r.Body != nil && slices.ContainsFunc(http1.OfBody, func(of string) bool { return strings.EqualFold(of, name) })
	}
	var out []hpack.HeaderField
	for _, f := range fields {
		switch {
		case f.Name == ":path":
			f.Value = r.target(f.Value)
		case f.Name == ":status" && r.Status != 0:
			f.Value = strconv.Itoa(r.Status)
		case gone(f.Name):
			continue
		}
		out = append(out, f)
	}
	for _, name := range slices.Sorted(maps.Keys(r.Headers)) {
		switch v := r.Headers[name]; {
		case v == nil:
		case strings.EqualFold(name, "host"):
			at := slices.IndexFunc(out, func(f hpack.HeaderField) bool { return !strings.HasPrefix(f.Name, ":") })
			if at < 0 {
				at = len(out)
			}
			out = slices.Insert(out, at, hpack.HeaderField{Name: ":authority", Value: *v})
		default:
			out = append(out, hpack.HeaderField{Name: strings.ToLower(name), Value: strings.TrimSpace(*v)})
		}
	}
	if r.Body != nil && *r.Body != "" {
		out = append(out, hpack.HeaderField{Name: "content-length", Value: strconv.Itoa(len(*r.Body))})
	}
	return out
}
