package syntax_test

import (
	"reflect"
	"strings"
	"testing"

	"brunt/scenarios/syntax"
)

func TestSplitPlaceholders(t *testing.T) {
	lit := func(s string) syntax.Part { return syntax.Part{Text: s} }
	ref := func(r syntax.Ref) syntax.Part { return syntax.Part{Ref: &r} }
	tests := []struct {
		text string
		want []syntax.Part
	}{
		{"", nil},
		{"plain $ text { }", []syntax.Part{lit("plain $ text { }")}},
		{"${rate}", []syntax.Part{ref(syntax.Ref{Text: "rate", Name: "rate"})}},
		{"a${x-1}b", []syntax.Part{lit("a"), ref(syntax.Ref{Text: "x-1", Name: "x-1"}), lit("b")}},
		{"$${rate}", []syntax.Part{lit("${rate}")}},
		{"$$${rate}", []syntax.Part{lit("$"), ref(syntax.Ref{Text: "rate", Name: "rate"})}},
		{"$$$${rate}", []syntax.Part{lit("$${rate}")}},
		{"$$ a$", []syntax.Part{lit("$$ a$")}},
		{"${a}${b}", []syntax.Part{ref(syntax.Ref{Text: "a", Name: "a"}), ref(syntax.Ref{Text: "b", Name: "b"})}},
		{"${env.X_1}", []syntax.Part{ref(syntax.Ref{Text: "env.X_1", Kind: syntax.RefEnv, Name: "X_1"})}},
		{
			"${file./etc/a b.txt}",
			[]syntax.Part{ref(syntax.Ref{Text: "file./etc/a b.txt", Kind: syntax.RefFile, Name: "/etc/a b.txt"})},
		},
		{"${data.users}", []syntax.Part{ref(syntax.Ref{Text: "data.users", Kind: syntax.RefData, Name: "users"})}},
		{
			"${data.users.first name}",
			[]syntax.Part{ref(syntax.Ref{
				Text: "data.users.first name", Kind: syntax.RefData, Name: "users", Col: "first name",
			})},
		},
		{"${var.Token_1}", []syntax.Part{ref(syntax.Ref{Text: "var.Token_1", Kind: syntax.RefVar, Name: "Token_1"})}},
		{
			"${unit.posts[12].addr}",
			[]syntax.Part{ref(syntax.Ref{
				Text: "unit.posts[12].addr", Kind: syntax.RefUnit, Name: "posts", Col: "addr", Index: 12,
			})},
		},
		{
			"${unit.gateway.url}",
			[]syntax.Part{ref(syntax.Ref{Text: "unit.gateway.url", Kind: syntax.RefUnit, Name: "gateway", Col: "url"})},
		},
		{
			"${link.store.port}",
			[]syntax.Part{ref(syntax.Ref{Text: "link.store.port", Kind: syntax.RefLink, Name: "store", Col: "port"})},
		},
		{"${self.port}", []syntax.Part{ref(syntax.Ref{Text: "self.port", Kind: syntax.RefSelf, Name: "self", Col: "port"})}},
		{"${int(1,50)}", []syntax.Part{ref(syntax.Ref{Text: "int(1,50)", Kind: syntax.RefInt, Min: 1, Max: 50})}},
		{"${int( -5 , -5 )}", []syntax.Part{ref(syntax.Ref{Text: "int( -5 , -5 )", Kind: syntax.RefInt, Min: -5, Max: -5})}},
		{
			"${int(-9223372036854775808,9223372036854775807)}",
			[]syntax.Part{ref(syntax.Ref{
				Text: "int(-9223372036854775808,9223372036854775807)", Kind: syntax.RefInt, Min: -1 << 63, Max: 1<<63 - 1,
			})},
		},
		{"${uuid()}", []syntax.Part{ref(syntax.Ref{Text: "uuid()", Kind: syntax.RefUUID})}},
		{"${uuid(seeded)}", []syntax.Part{ref(syntax.Ref{Text: "uuid(seeded)", Kind: syntax.RefUUID, Name: "seeded"})}},
		{"${now()}", []syntax.Part{ref(syntax.Ref{Text: "now()", Kind: syntax.RefNow})}},
		{"${now(ms)}", []syntax.Part{ref(syntax.Ref{Text: "now(ms)", Kind: syntax.RefNow, Name: "ms"})}},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got, wrong := syntax.SplitPlaceholders(tt.text)
			if wrong != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %v, %v", got, wrong)
			}
			if back := syntax.Unsplit(got); back != tt.text {
				t.Errorf("written as %s", back)
			}
		})
	}
}

// TestSplitPlaceholders_Wrong checks that parsing continues after an invalid placeholder, within bounds.
func TestSplitPlaceholders_Wrong(t *testing.T) {
	parts, wrong := syntax.SplitPlaceholders("a${foo()}b${x}${}${y}${un")
	var said []string
	for _, e := range wrong {
		said = append(said, e.Text)
	}
	if got := strings.Join(said, " | "); got != "foo() |  | un" {
		t.Errorf("wrong are %s", got)
	}
	if got := syntax.Unsplit(parts); got != "ab${x}${y}" {
		t.Errorf("left is %s", got)
	}
	if _, wrong := syntax.SplitPlaceholders(strings.Repeat("${}", 10*syntax.MostWrong)); len(wrong) != syntax.MostWrong {
		t.Errorf("%d mistakes in one text", len(wrong))
	}
}

// FuzzPlaceholder checks that no text breaks the parser, and that joining the parts gives the text again.
func FuzzPlaceholder(f *testing.F) {
	for _, s := range []string{
		"${rate}", "$${x}", "$$${x}$$", "a${env.X}b", "${int(1,50)}", "${data.users.id}", "${unit.posts[1].addr}", "${",
		"${}", "}${a${b}}", "${int(9223372036854775808,1)}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		parts, wrong := syntax.SplitPlaceholders(s)
		for _, e := range wrong {
			if len(e.Err.Error()) > 1000 || !strings.Contains(s, "${"+e.Text) {
				t.Errorf("%q: the message is too long, or of what is not there: %q: %v", s, e.Text, e.Err)
			}
		}
		if len(wrong) > syntax.MostWrong {
			t.Errorf("%d mistakes", len(wrong))
		}
		if wrong != nil {
			return
		}
		for _, p := range parts {
			if r := p.Ref; r != nil && (r.Min > r.Max || r.Index < 0 || r.Index > 9999) {
				t.Errorf("%q: %+v", s, r)
			}
		}
		text := syntax.Unsplit(parts)
		again, wrong := syntax.SplitPlaceholders(text)
		if wrong != nil || !reflect.DeepEqual(again, parts) {
			t.Errorf("%q is written %q and read as %v: %v", s, text, again, wrong)
		}
		if !strings.Contains(s, "$") && text != s {
			t.Errorf("%q is written %q", s, text)
		}
	})
}

// TestForms: each form parses to its kind and says what it is, and each kind that authors can write has a form.
func TestForms(t *testing.T) {
	formed := map[syntax.RefKind]bool{syntax.RefRecorded: true} // which authors can't write
	for _, f := range syntax.Forms() {
		formed[f.Kind] = true
		if ref, err := syntax.ParseRef(f.Example); err != nil || ref.Kind != f.Kind {
			t.Errorf("%s: %+v, %v", f.Name, ref, err)
		}
		if !strings.HasPrefix(f.About, "${") || !strings.HasSuffix(f.About, ".") {
			t.Errorf("%s: %s", f.Name, f.About)
		}
	}
	for kind := range syntax.RefKinds {
		if !formed[kind] {
			t.Errorf("kind %d has no form", kind)
		}
	}
}
