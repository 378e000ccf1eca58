package scenarios

import (
	"fmt"
	"strings"
	"testing"
)

func TestPos(t *testing.T) {
	for _, c := range []struct {
		pos  Pos
		want string
	}{
		{Pos{"a.yaml", 3, 7}, "a.yaml:3:7"},
		{Pos{File: "--set rate"}, "--set rate"},
		{Pos{}, "scenario"},
	} {
		if got := c.pos.String(); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

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
	if m.Len() != 3*maxKept || len(e.List()) != maxShown || !strings.HasSuffix(e.Error(), fmt.Sprintf("\nand %d more", 3*maxKept-maxShown)) || !strings.HasSuffix(e.Explain(), "\n\nand 29800 more\n") {
		t.Errorf("%d mistakes, %d shown: %s", m.Len(), len(e.List()), e.Error()[len(e.Error())-40:])
	}
	var other Mistakes
	other.Add(Pos{"a", 1, 1}, "one")
	other.merge(&m)
	if other.Len() != 3*maxKept+1 || len(other.list) != maxKept {
		t.Errorf("%d merged, %d kept", other.Len(), len(other.list))
	}
	m = Mistakes{}
	m.AddHint(Pos{}, strings.Repeat("é", 1000), "%s", strings.Repeat("x", 1000))
	if got := []rune(m.Err().Error()); len(got) > 2*maxMessage+20 {
		t.Errorf("a message has %d characters", len(got))
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
		{"far in a long line", long + "\n", Pos{"f", 1, 250}, " >    1 | …" + long[210:] + "\n        | " + strings.Repeat(" ", 40) + "^\n"},
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

func TestDidYouMean(t *testing.T) {
	kinds := []string{"constant-arrival-rate", "ramping-arrival-rate", "spike", "network.latency", "get", "id", "x"}
	many := make([]string, 30)
	for i := range many {
		many[i] = fmt.Sprintf("candidate-%d", i)
	}
	known := "known are constant-arrival-rate, get, id, network.latency, ramping-arrival-rate, spike, x"
	tests := []struct {
		word string
		from []string
		want string
	}{
		{"spkie", kinds, `did you mean "spike"?`},
		{"Spike", kinds, `did you mean "spike"?`},
		{"constant-arival-rate", kinds, `did you mean "constant-arrival-rate"?`},
		{"constant", kinds, `did you mean "constant-arrival-rate"?`},
		{"latency", kinds, `did you mean "network.latency"?`},
		{"rate", kinds, `did you mean "constant-arrival-rate"?`},
		{"gte", kinds, `did you mean "get"?`},
		{"ge", kinds, `did you mean "get"?`},
		{"di", kinds, `did you mean "id"?`},
		{"y", kinds, known},
		{"post", kinds, known},
		{"", kinds, known},
		{"zebra", many, ""},
		{"zebra", nil, ""},
		{"zebra", []string{"b", "a", "b"}, "known are a, b"},
		{strings.Repeat("a", 100), kinds, known},
	}
	for _, tt := range tests {
		if got := DidYouMean(tt.word, tt.from); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.word, got, tt.want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0},
		{"a", "", 1},
		{"", "abc", 3},
		{"abc", "abc", 0},
		{"abc", "abd", 1},
		{"abc", "acb", 1},
		{"abc", "ab", 1},
		{"abc", "xabc", 1},
		{"kitten", "sitting", 3},
		{"ca", "abc", 3},
	} {
		if got := distance(c.a, c.b); got != c.want || distance(c.b, c.a) != c.want {
			t.Errorf("%s to %s is %d, want %d", c.a, c.b, got, c.want)
		}
	}
}
