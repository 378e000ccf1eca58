package syntax

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
)

// functionPattern matches a function of a placeholder and its arguments.
var functionPattern = regexp.MustCompile(`(?s)^(base64|hex|sha256)\((.*)\)$`)

// arguments parses the arguments of a function: placeholders without ${ and }, and texts in quotes.
func (r *Ref) arguments(text string) error {
	for _, arg := range splitArguments(text) {
		arg = strings.TrimSpace(arg)
		if n := len(arg); n >= 2 && (arg[0] == '\'' || arg[0] == '"') && arg[n-1] == arg[0] {
			r.Args = append(r.Args, Part{Text: arg[1 : n-1], Filled: true, Kind: String})
			continue
		}
		ref, err := ParseRef(arg)
		if err != nil {
			return fmt.Errorf("%s: %q is neither a placeholder without ${ } nor a text in quotes; such as ${%s(env.USER, "+
				"':', env.PASSWORD)}", r, Clip(arg, 40), r.Name)
		}
		r.Args = append(r.Args, Part{Ref: ref})
	}
	return nil
}

// splitArguments splits text at the commas outside of quotes and parentheses.
func splitArguments(text string) []string {
	var out []string
	from, depth, quote := 0, 0, byte(0)
	for i := range len(text) {
		switch c := text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '(':
			depth++
		case c == ')':
			depth--
		case c == ',' && depth == 0:
			out = append(out, text[from:i])
			from = i + 1
		}
	}
	return append(out, text[from:])
}

// Leaves lists the placeholders that the value depends on: r itself, or those of a function's
// arguments, at any depth.
func (r *Ref) Leaves() []*Ref {
	if r.Kind != RefCall {
		return []*Ref{r}
	}
	var out []*Ref
	for _, a := range r.Args {
		if a.Ref != nil {
			out = append(out, a.Ref.Leaves()...)
		}
	}
	return out
}

// HasSecret reports whether an argument of the function is a secret.
func (r *Ref) HasSecret() bool {
	for _, a := range r.Args {
		if a.Secret != "" || a.Ref != nil && a.Ref.HasSecret() {
			return true
		}
	}
	return false
}

// AppendCall appends the value of a function for the bytes in. If the call is an argument of another function, the
// value of sha256 is its 32 bytes, so that base64(sha256(x)) is the value that headers such as Digest need.
func AppendCall(dst []byte, name string, in []byte, within bool) []byte {
	switch name {
	case "base64":
		return base64.StdEncoding.AppendEncode(dst, in)
	case "hex":
		return hex.AppendEncode(dst, in)
	}
	sum := sha256.Sum256(in)
	if within {
		return append(dst, sum[:]...)
	}
	return hex.AppendEncode(dst, sum[:])
}

// AppendArguments appends the bytes of a function's arguments. Value appends the value of a placeholder.
func (r *Ref) AppendArguments(dst []byte, value func(dst []byte, ref *Ref) ([]byte, error)) ([]byte, error) {
	for _, a := range r.Args {
		call := a.Call
		if a.Ref != nil && a.Ref.Kind == RefCall {
			call = a.Ref
		}
		var err error
		switch {
		case call != nil:
			var in []byte
			if in, err = call.AppendArguments(nil, value); err == nil {
				dst = AppendCall(dst, call.Name, in, true)
			}
		case a.Ref == nil:
			dst = append(dst, a.Text...)
		default:
			dst, err = value(dst, a.Ref)
		}
		if err != nil {
			return dst, err
		}
	}
	return dst, nil
}
