package draft

import (
	"slices"
	"strings"
)

// SendForm sends the fields of a form: the bytes of whole if it has no placeholder. Else brunt fills in and escapes the
// placeholders, and sends the fields by name.
func (d *Builder) SendForm(r *Request, parts []Part, whole Text) {
	r.Body.Sent = true
	if text, static := whole.Static(); static {
		r.Body.Text = Lit(text)
		if r.ContentType() == nil {
			r.Headers = append(r.Headers, Header{Name: "Content-Type", Value: Lit("application/x-www-form-urlencoded")})
		}
		return
	}
	if !slices.IsSortedFunc(parts, func(a, b Part) int { return strings.Compare(a.Name, b.Name) }) {
		d.LoseAt(&r.Above, r.Line, "the order of the form: brunt sends the fields by name")
	}
	form := new(Node)
	for _, p := range parts {
		if !IsKey(p.Name) || form.Get(p.Name) != nil {
			d.LoseAt(&r.Above, r.Line, "the parameter %q, which comes twice or has no name", Clip(p.Name, 40))
			continue
		}
		form.Set(p.Name, Str(d.FieldText(r, p.Name, p.Text)))
	}
	r.Body.Form = form
}
