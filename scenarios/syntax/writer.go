package syntax

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
)

// WriteYAML writes a map or a list as YAML, with its texts passed through mask, which masks secrets.
func WriteYAML(n *Node, mask func(string) string) string {
	w := yamlWriter{mask: mask}
	w.node(n, 0)
	return w.String()
}

// yamlWriter writes nodes as YAML that all parsers read alike: block style, and quotes around
// ambiguous texts.
type yamlWriter struct {
	strings.Builder
	mask func(string) string
}

// node writes a map or a list, with its lines indented by indent blanks. The first line is already begun.
func (w *yamlWriter) node(n *Node, indent int) {
	begin := ""
	next := strings.Repeat(" ", indent)
	for _, f := range n.Fields {
		w.WriteString(begin + w.key(f.Key) + ":")
		w.value(f.Value, indent+2, false)
		begin = next
	}
	for _, item := range n.Items {
		w.WriteString(begin + "-")
		w.value(item, indent+2, true)
		begin = next
	}
}

// value writes the value after a key or after the dash of an item.
func (w *yamlWriter) value(n *Node, indent int, item bool) {
	switch {
	case n.Kind == Map && len(n.Fields) == 0:
		w.WriteString(" {}\n")
	case n.Kind == List && len(n.Items) == 0:
		w.WriteString(" []\n")
	case n.Kind == Map && item: // its first key follows the dash
		w.WriteByte(' ')
		w.node(n, indent)
	case n.Kind == Map || n.Kind == List:
		w.WriteString("\n" + strings.Repeat(" ", indent))
		w.node(n, indent)
	default:
		w.WriteString(" " + w.scalar(n, indent) + "\n")
	}
}

func (w *yamlWriter) key(s string) string {
	if s = w.mask(s); plainKey.MatchString(s) && isPlain(s) {
		return s
	}
	return quoted(s)
}

var plainKey = regexp.MustCompile(`^[A-Za-z$][A-Za-z0-9_.$/-]*$`)

func (w *yamlWriter) scalar(n *Node, indent int) string {
	text := n.Value
	switch n.Kind {
	case Null:
		return "null"
	case Bool:
		text = strings.ToLower(text)
	case String:
		if n.Parts != nil {
			text = w.parts(n.Parts)
		}
	}
	masked := w.mask(text)
	switch {
	case masked == text && n.Kind != String:
		return text
	case isPlain(masked):
		return masked
	case isBlock(masked):
		return block(masked, indent)
	}
	return quoted(masked)
}

// parts writes a text with its placeholders, and masks the literal text.
func (w *yamlWriter) parts(parts []Part) string {
	out := make([]Part, len(parts))
	for i, p := range parts {
		if p.Ref == nil && p.Secret == "" {
			p.Text = w.mask(p.Text)
		}
		out[i] = p
	}
	return unsplit(out)
}

// isPlain reports whether every parser reads s, without quotes, as that text.
func isPlain(s string) bool {
	if PlainKind(s) != String || strings.ContainsAny(s[:1], "-?:,[]{}#&*!|>'\"%@`<=. ") || strings.HasSuffix(s, " ") ||
		strings.HasSuffix(s, ":") {
		return false
	}
	switch strings.ToLower(s) { // YAML 1.1 reads these as true and false
	case "y", "n", "yes", "no":
		return false
	}
	return !strings.Contains(s, "<<") && !strings.Contains(s, ": ") && !strings.Contains(s, " #") &&
		strings.IndexFunc(s, unprintable) < 0
}

// YAMLText writes s on one line so that every YAML parser reads it as the text s, also inside { } and [ ].
func YAMLText(s string) string {
	if isPlain(s) && plainAnywhere.MatchString(s) {
		return s
	}
	return quoted(s)
}

// plainAnywhere matches texts that need no quotes anywhere.
var plainAnywhere = regexp.MustCompile(`^[A-Za-z0-9_/$][A-Za-z0-9_/$.=+%@-]*(?: [A-Za-z0-9_/$.=+%@-]+)*$`)

func unprintable(r rune) bool { return !unicode.IsPrint(r) || r == 0xfeff }

// isBlock reports whether s can be written as a block of lines.
func isBlock(s string) bool {
	if !strings.Contains(s, "\n") || strings.HasPrefix(s, " ") || strings.HasPrefix(s, "\n") ||
		strings.Contains(s, "\n\n") ||
		strings.HasSuffix(s, " ") || strings.Contains(s, " \n") {
		return false
	}
	return strings.IndexFunc(strings.ReplaceAll(s, "\n", ""), unprintable) < 0
}

func block(s string, indent int) string {
	head := "|"
	if !strings.HasSuffix(s, "\n") {
		head = "|-"
	}
	margin := "\n" + strings.Repeat(" ", indent)
	return head + margin + strings.ReplaceAll(strings.TrimSuffix(s, "\n"), "\n", margin)
}

func quoted(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case !unprintable(r):
			b.WriteRune(r)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		case r < 0x10000:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			fmt.Fprintf(&b, `\U%08x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
