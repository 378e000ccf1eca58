package probe_test

import (
	"testing"

	"brunt/chaos/probe"
	"brunt/scenarios/template"
)

// TestCommand_String: a command can be pasted into a shell; a placeholder stays as it is written.
func TestCommand_String(t *testing.T) {
	c := &probe.Command{}
	for _, word := range []string{
		"pg_ctl", "promote", "--mode=fast", "[a]", "{b,c}", "wow!", "it's", "${unit.dir}", "a ${unit.dir}", "",
	} {
		c.Args = append(c.Args, template.Literal(word))
	}
	const want = `pg_ctl promote --mode=fast '[a]' '{b,c}' 'wow!' 'it'\''s' ${unit.dir} 'a ${unit.dir}' ''`
	if got := c.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
