package syntax

import (
	"reflect"
	"strings"
	"testing"
)

func TestSplitPlaceholders(t *testing.T) {
	lit := func(s string) Part { return Part{Text: s} }
	ref := func(r Ref) Part { return Part{Ref: &r} }
	tests := []struct {
		text string
		want []Part
	}{
		{"", nil},
		{"plain $ text { }", []Part{lit("plain $ text { }")}},
		{"${rate}", []Part{ref(Ref{Text: "rate", Name: "rate"})}},
		{"a${x-1}b", []Part{lit("a"), ref(Ref{Text: "x-1", Name: "x-1"}), lit("b")}},
		{"$${rate}", []Part{lit("${rate}")}},
		{"$$${rate}", []Part{lit("$"), ref(Ref{Text: "rate", Name: "rate"})}},
		{"$$$${rate}", []Part{lit("$${rate}")}},
		{"$$ a$", []Part{lit("$$ a$")}},
		{"${a}${b}", []Part{ref(Ref{Text: "a", Name: "a"}), ref(Ref{Text: "b", Name: "b"})}},
		{"${env.X_1}", []Part{ref(Ref{Text: "env.X_1", Kind: RefEnv, Name: "X_1"})}},
		{"${file./etc/a b.txt}", []Part{ref(Ref{Text: "file./etc/a b.txt", Kind: RefFile, Name: "/etc/a b.txt"})}},
		{"${data.users}", []Part{ref(Ref{Text: "data.users", Kind: RefData, Name: "users"})}},
		{"${data.users.first name}", []Part{ref(Ref{Text: "data.users.first name", Kind: RefData, Name: "users", Col: "first name"})}},
		{"${var.Token_1}", []Part{ref(Ref{Text: "var.Token_1", Kind: RefVar, Name: "Token_1"})}},
		{"${unit.posts[12].addr}", []Part{ref(Ref{Text: "unit.posts[12].addr", Kind: RefUnit, Name: "posts", Col: "addr", Index: 12})}},
		{"${unit.gateway.url}", []Part{ref(Ref{Text: "unit.gateway.url", Kind: RefUnit, Name: "gateway", Col: "url"})}},
		{"${link.store.port}", []Part{ref(Ref{Text: "link.store.port", Kind: RefLink, Name: "store", Col: "port"})}},
		{"${self.port}", []Part{ref(Ref{Text: "self.port", Kind: RefSelf, Name: "self", Col: "port"})}},
		{"${int(1,50)}", []Part{ref(Ref{Text: "int(1,50)", Kind: RefInt, Min: 1, Max: 50})}},
		{"${int( -5 , -5 )}", []Part{ref(Ref{Text: "int( -5 , -5 )", Kind: RefInt, Min: -5, Max: -5})}},
		{
			"${int(-9223372036854775808,9223372036854775807)}",
			[]Part{ref(Ref{Text: "int(-9223372036854775808,9223372036854775807)", Kind: RefInt, Min: -1 << 63, Max: 1<<63 - 1})},
		},
		{"${uuid()}", []Part{ref(Ref{Text: "uuid()", Kind: RefUUID})}},
		{"${uuid(seeded)}", []Part{ref(Ref{Text: "uuid(seeded)", Kind: RefUUID, Name: "seeded"})}},
		{"${now()}", []Part{ref(Ref{Text: "now()", Kind: RefNow})}},
		{"${now(ms)}", []Part{ref(Ref{Text: "now(ms)", Kind: RefNow, Name: "ms"})}},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got, wrong := SplitPlaceholders(tt.text)
			if wrong != nil || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %v, %v", got, wrong)
			}
			if back := unsplit(got); back != tt.text {
				t.Errorf("written as %s", back)
			}
		})
	}
}

// TestSplitPlaceholders_Wrong checks that parsing continues after an invalid placeholder, within bounds.
func TestSplitPlaceholders_Wrong(t *testing.T) {
	parts, wrong := SplitPlaceholders("a${foo()}b${x}${}${y}${un")
	var said []string
	for _, e := range wrong {
		said = append(said, e.Text)
	}
	if got := strings.Join(said, " | "); got != "foo() |  | un" {
		t.Errorf("wrong are %s", got)
	}
	if got := unsplit(parts); got != "ab${x}${y}" {
		t.Errorf("left is %s", got)
	}
	if _, wrong := SplitPlaceholders(strings.Repeat("${}", 10*mostWrong)); len(wrong) != mostWrong {
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
		parts, wrong := SplitPlaceholders(s)
		for _, e := range wrong {
			if len(e.Err.Error()) > 1000 || !strings.Contains(s, "${"+e.Text) {
				t.Errorf("%q: the message is too long, or of what is not there: %q: %v", s, e.Text, e.Err)
			}
		}
		if len(wrong) > mostWrong {
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
		text := unsplit(parts)
		again, wrong := SplitPlaceholders(text)
		if wrong != nil || !reflect.DeepEqual(again, parts) {
			t.Errorf("%q is written %q and read as %v: %v", s, text, again, wrong)
		}
		if !strings.Contains(s, "$") && text != s {
			t.Errorf("%q is written %q", s, text)
		}
	})
}
