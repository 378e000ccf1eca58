package syntax

import (
	"fmt"
	"strings"
	"testing"
)

func TestMistakesErr(t *testing.T) {
	var m Mistakes
	if m.Err() != nil || m.Len() != 0 {
		t.Error("no mistakes are no error")
	}
	m.Add(Pos{"b", 1, 1}, "late")
	m.Add(Pos{"a", 2, 1}, "line two")
	m.Add(Pos{"a", 1, 9}, "col nine")
	m.AddHint(Pos{"a", 1, 2}, "do so", "col two")
	m.Add(Pos{"a", 1, 9}, "col nine again")
	m.Add(Pos{"a", 1, 9}, "col nine")
	want := "a:1:2: col two; do so\na:1:9: col nine\na:1:9: col nine again\na:2:1: line two\nb:1:1: late"
	if got := m.Err().Error(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestMistakesMany(t *testing.T) {
	var m Mistakes
	for i := range 3 * maxKept {
		m.Add(Pos{"a", i + 1, 1}, "wrong")
	}
	e := m.Err().(*MistakesError)
	if m.Len() != 3*maxKept || len(e.List()) != maxShown ||
		!strings.HasSuffix(e.Error(), fmt.Sprintf("\nand %d more", 3*maxKept-maxShown)) ||
		!strings.HasSuffix(e.Explain(), "\n\nand 29800 more\n") {
		t.Errorf("%d mistakes, %d shown: %s", m.Len(), len(e.List()), e.Error()[len(e.Error())-40:])
	}
	var other Mistakes
	other.Add(Pos{"a", 1, 1}, "one")
	other.Merge(&m)
	if other.Len() != 3*maxKept+1 || len(other.list) != maxKept {
		t.Errorf("%d merged, %d kept", other.Len(), len(other.list))
	}
	m = Mistakes{}
	m.AddHint(Pos{}, strings.Repeat("é", 1000), "%s", strings.Repeat("x", 1000))
	if got := []rune(m.Err().Error()); len(got) > 2*maxMessage+20 {
		t.Errorf("a message has %d characters", len(got))
	}
	m = Mistakes{}
	m.Add(Pos{}, "known: %s", strings.Repeat("alert, ", 100))
	if got := m.Err().Error(); !strings.HasSuffix(got, "alert, "+Ellipsis) || len([]rune(got)) > maxMessage+20 {
		t.Errorf("a list ends with %q", got[len(got)-20:])
	}
}

func TestExplainMistakes(t *testing.T) {
	long := strings.Repeat("0123456789", 30)
	tests := []struct {
		name, text string
		pos        Pos
		want       string
	}{
		{"first line", "one\ntwo\n", Pos{"f", 1, 2}, " >    1 | one\n        |  ^\n      2 | two\n"},
		{"middle", "one\ntwo\nthree\n", Pos{"f", 2, 1}, "      1 | one\n >    2 | two\n        | ^\n      3 | three\n"},
		{"last line", "one\ntwo", Pos{"f", 2, 4}, "      1 | one\n >    2 | two\n        |    ^\n"},
		{"after the end", "one\n", Pos{"f", 2, 1}, "      1 | one\n >    2 | \n        | ^\n"},
		{"beyond the file", "one\n", Pos{"f", 9, 1}, ""},
		{"empty", "", Pos{"f", 1, 1}, " >    1 | \n        | ^\n"},
		{"tabs and controls", "a\tb\x1b[31m\u202e\u009bc\n", Pos{"f", 1, 3}, " >    1 | a b?[31m??c\n        |   ^\n"},
		{"beyond ASCII", "äöü: x\n", Pos{"f", 1, 4}, " >    1 | äöü: x\n        |    ^\n"},
		{"long", long + "\n", Pos{"f", 1, 5}, " >    1 | " + long[:160] + "\n        |     ^\n"},
		{
			"far in a long line", long + "\n",
			Pos{"f", 1, 250},
			" >    1 | …" + long[210:] + "\n        | " + strings.Repeat(" ", 40) + "^\n",
		},
		{"another file", "x", Pos{"g", 1, 1}, ""},
		{"no line", "x", Pos{File: "f"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var m Mistakes
			m.keep("f", tt.text)
			m.Add(tt.pos, "wrong")
			got := m.Err().(*MistakesError).Explain()
			if want := tt.pos.String() + ": wrong\n" + tt.want; got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}
