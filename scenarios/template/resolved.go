package template

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"brunt/scenarios/disk"
	"brunt/scenarios/syntax"
)

// maxValue is the largest size of a file whose text is a value, in bytes.
const maxValue = 16 << 20

// Resolved is a resolved template that can be stored. Each secret in it is replaced by its source, and is read again
// when the text is opened.
type Resolved []ResolvedPart

// A ResolvedPart is a part of the text: literal text, or the source of a secret.
type ResolvedPart struct {
	Text string `json:"text,omitempty"`
	Env  string `json:"env,omitempty"`  // the variable that holds the secret
	File string `json:"file,omitempty"` // the path of the file that holds the secret
	In   string `json:"in,omitempty"`   // the place in the text, which decides how the secret is escaped
	Call string `json:"call,omitempty"` // a function of secrets: base64, hex or sha256
	// its arguments
	Args Resolved `json:"args,omitempty"`
}

// escapePlaces are the names of the places in a resolved template for which values are escaped.
var escapePlaces = []string{
	escNone: "", escBase: "host", escPath: "path", escQuery: "query", escHeader: "header",
	escInJSON: "text in json", escJSON: "json",
}

// Resolve fills in the template for it, without its secrets.
func (t *Template) Resolve(it *Iter) (Resolved, error) {
	var out Resolved
	for i := range t.Pieces {
		p := &t.Pieces[i]
		switch kind, name, _ := strings.Cut(p.show, "."); {
		case p.call != nil || p.ref != nil && p.ref.Kind == syntax.RefCall && p.ref.HasSecret():
			args, err := resolveArguments(cmp.Or(p.call, p.ref), it)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", cmp.Or(p.call, p.ref), err)
			}
			out = append(out, ResolvedPart{Call: cmp.Or(p.call, p.ref).Name, Args: args, In: escapePlaces[p.esc]})
		case p.ref != nil:
			text, err := it.append(nil, p.ref, p.esc)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", p.ref, err)
			}
			out = append(out, ResolvedPart{Text: string(text)})
		case p.show == "":
			out = append(out, ResolvedPart{Text: string(p.lit)})
		case kind == "env":
			out = append(out, ResolvedPart{Env: name, In: escapePlaces[p.esc]})
		default:
			path, err := filepath.Abs(p.path)
			if err != nil {
				return nil, err
			}
			out = append(out, ResolvedPart{File: path, In: escapePlaces[p.esc]})
		}
	}
	return out, nil
}

// resolveArguments fills in the arguments of a function for it, without their secrets.
func resolveArguments(call *syntax.Ref, it *Iter) (Resolved, error) {
	var out Resolved
	for _, a := range call.Args {
		inner := a.Call
		if a.Ref != nil && a.Ref.Kind == syntax.RefCall {
			inner = a.Ref
		}
		kind, name, _ := strings.Cut(a.Secret, ".")
		switch {
		case inner != nil:
			args, err := resolveArguments(inner, it)
			if err != nil {
				return nil, err
			}
			out = append(out, ResolvedPart{Call: inner.Name, Args: args})
		case a.Ref != nil:
			text, err := it.append(nil, a.Ref, escNone)
			if err != nil {
				return nil, err
			}
			out = append(out, ResolvedPart{Text: string(text)})
		case a.Secret == "":
			out = append(out, ResolvedPart{Text: a.Text})
		case kind == "env":
			out = append(out, ResolvedPart{Env: name})
		default:
			path, err := filepath.Abs(a.Path)
			if err != nil {
				return nil, err
			}
			out = append(out, ResolvedPart{File: path})
		}
	}
	return out, nil
}

// Open returns the text. It reads the secrets again from their sources, and adds them to secrets.
func (s Resolved) Open(secrets *Secrets) (string, error) { return s.open(secrets, false) }

// open returns the text. Within means that it is an argument of a function.
func (s Resolved) open(secrets *Secrets, within bool) (string, error) {
	var out []byte
	for _, p := range s {
		value := ""
		switch {
		case p.Call != "":
			in, err := p.Args.open(secrets, true)
			if err != nil {
				return "", err
			}
			value = string(syntax.AppendCall(nil, p.Call, []byte(in), within))
		case p.Env != "":
			v, ok := os.LookupEnv(p.Env)
			if !ok {
				return "", fmt.Errorf("the environment variable %s is not set, and its earlier value was not recorded", p.Env)
			}
			value = v
		case p.File != "":
			b, err := disk.Read(p.File, maxValue)
			if err != nil {
				return "", err
			}
			value = withoutNewline(string(b))
		default:
			out = append(out, p.Text...)
			continue
		}
		in := slices.Index(escapePlaces, p.In)
		if in < 0 {
			return "", fmt.Errorf("%q is not a place that a value is escaped for", p.In)
		}
		secrets.Add(value)
		out = appendEscaped(out, value, escape(in), false)
	}
	return string(out), nil
}
