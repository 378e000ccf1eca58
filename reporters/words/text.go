package words

import "strings"

// A Style is the emphasis of a part of a text.
type Style string

// The styles.
const (
	Plain  Style = ""
	Strong Style = "strong" // a name or a figure that a reader looks for
	Code   Style = "code"   // a command, a header or a setting, to be copied as it is
)

// A Span is a part of a text in one style. It is clean: see [Clean].
type Span struct {
	Text  string
	Style Style
}

// A Text is a text for people, in parts.
type Text []Span

// String returns the text without styles.
func (t Text) String() string {
	var b strings.Builder
	for _, s := range t {
		b.WriteString(s.Text)
	}
	return b.String()
}

// say returns the text with more plain words at its end.
func (t Text) say(words string) Text { return t.add(words, Plain) }

// strong returns the text with a name or a figure at its end.
func (t Text) strong(words string) Text { return t.add(words, Strong) }

// code returns the text with a command or a setting at its end.
func (t Text) code(words string) Text { return t.add(words, Code) }

func (t Text) add(words string, style Style) Text {
	if words == "" {
		return t
	}
	return append(t[:len(t):len(t)], Span{words, style})
}
