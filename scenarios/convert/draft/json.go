package draft

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
)

// Bounds on a body that is written as YAML; a larger one stays a text.
const (
	mostLevels = 24
	mostKeys   = 1000
)

var errNoYAML = errors.New("no YAML stands for it")

// json converts a JSON document to YAML. Keys keep their order, and numbers their form. It returns false if the
// language can't express the document: a key occurs twice or could be read as a placeholder, or a number is a secret,
// which can't be because values of the environment are texts.
func (d *Builder) json(r *Request, doc string) (*Node, bool) {
	dec := json.NewDecoder(bytes.NewReader([]byte(doc)))
	dec.UseNumber()
	before := *d
	before.secrets = maps.Clone(d.secrets)
	n, err := d.jsonValue(r, dec, "", 0)
	if err == nil && (n.Fields != nil || n.Items != nil) {
		if _, err := dec.Token(); err == io.EOF {
			return n, true
		}
	}
	*d = before // the body stays a text, whose secrets are hidden again
	return nil, false
}

// WrongType says which field of a JSON document has a value of a type that is not read. It reports false for another
// error.
func WrongType(err error) (text string, ok bool) {
	var wrong *json.UnmarshalTypeError
	if !errors.As(err, &wrong) {
		return "", false
	}
	if wrong.Field == "" {
		return "it is a JSON " + wrong.Value, true
	}
	return "its field " + wrong.Field + " is a JSON " + wrong.Value, true
}

func (d *Builder) jsonValue(r *Request, dec *json.Decoder, name string, level int) (*Node, error) {
	t, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch t := t.(type) {
	case nil:
		return Raw("null"), nil
	case bool:
		if t {
			return Raw("true"), nil
		}
		return Raw("false"), nil
	case json.Number:
		if r.Vary != nil {
			if text, ok := r.Vary(name, t.String(), true); ok {
				return Str(text), nil
			}
		}
		if r.hides(name) {
			return nil, errNoYAML
		}
		return Raw(t.String()), nil
	case string:
		return Str(d.Field(r, name, t)), nil
	case json.Delim:
		if level == mostLevels {
			return nil, errNoYAML
		}
		n := new(Node)
		if t == '[' {
			n.Items = []*Node{}
		}
		for dec.More() {
			if t == '[' {
				item, err := d.jsonValue(r, dec, name, level+1)
				if err != nil {
					return nil, err
				}
				n.Items = append(n.Items, item)
				continue
			}
			k, err := dec.Token()
			if err != nil {
				return nil, err
			}
			key, _ := k.(string)
			if !IsKey(key) || n.Get(key) != nil || len(n.Fields) == mostKeys {
				return nil, errNoYAML
			}
			v, err := d.jsonValue(r, dec, key, level+1)
			if err != nil {
				return nil, err
			}
			n.Fields = append(n.Fields, field{key, v})
		}
		_, err := dec.Token()
		return n, err
	}
	return nil, errNoYAML
}
