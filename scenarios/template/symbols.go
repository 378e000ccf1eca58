package template

import (
	"fmt"
	"strings"

	"brunt/scenarios/secret"
	"brunt/scenarios/syntax"
)

// Symbols numbers the variables and the tables that placeholders name, so that values are found by index at run time.
type Symbols struct {
	vars  []string
	slots map[string]int
	uses  []Use
	// slots of variables that are extracted from a place with a secret name
	secret map[int]bool
}

// A Use is a placeholder with its place.
type Use struct {
	Ref *syntax.Ref
	Pos syntax.Pos
}

// Uses lists every placeholder whose value is known only at run time.
func (s *Symbols) Uses() []Use { return s.uses }

func (s *Symbols) bind(r *syntax.Ref, pos syntax.Pos) {
	if r.Kind == syntax.RefVar {
		r.Slot = s.Var(r.Name)
	}
	s.uses = append(s.uses, Use{r, pos})
}

// Var returns the slot of the variable name, and adds it if it is new.
func (s *Symbols) Var(name string) int {
	if i, ok := s.slots[name]; ok {
		return i
	}
	if s.slots == nil {
		s.slots = map[string]int{}
	}
	s.slots[name] = len(s.vars)
	s.vars = append(s.vars, name)
	return len(s.vars) - 1
}

// Hide makes the values of a variable secret, whatever its name.
func (s *Symbols) Hide(slot int) {
	if s.secret == nil {
		s.secret = map[int]bool{}
	}
	s.secret[slot] = true
}

// Secret lists the slots of variables whose values are secret, by their names or by Hide. A nil s has none.
func (s *Symbols) Secret() []int {
	if s == nil {
		return nil
	}
	var out []int
	for i, name := range s.vars {
		if s.secret[i] || secret.IsName(name) {
			out = append(out, i)
		}
	}
	return out
}

// Vars lists the variables in the order of their slots.
func (s *Symbols) Vars() []string { return s.vars }

// such shows the form of a column of the table, for messages.
func (t *Table) such() string {
	switch {
	case t.bad || len(t.Columns) == 0:
		return ""
	case len(t.Columns) == 1:
		return fmt.Sprintf("its column is `%s`: ${data.%s.%s}", syntax.Clip(t.Columns[0], 40), t.Name,
			syntax.Clip(t.Columns[0], 40))
	}
	return fmt.Sprintf("such as ${data.%s.%s}; its columns are %s", t.Name, syntax.Clip(t.Columns[0], 40),
		syntax.Clip(strings.Join(t.Columns, ", "), 200))
}

// BindTables resolves the table and column of every ${data.…}.
func (s *Symbols) BindTables(tables []*Table, m *syntax.Mistakes) {
	slots := map[string]int{}
	var names []string
	for i, t := range tables {
		slots[t.Name] = i
		names = append(names, t.Name)
	}
	for _, u := range s.uses {
		r := u.Ref
		if r.Kind != syntax.RefData {
			continue
		}
		pos := m.Within(u.Pos, "${"+r.Text+"}")
		i, ok := slots[r.Name]
		if !ok {
			hint := syntax.DidYouMean(r.Name, names)
			if len(names) == 0 {
				hint = "tables are declared under `data:`"
			}
			m.AddHint(pos, hint, "%s: there is no data %q", r, syntax.Clip(r.Name, 40))
			continue
		}
		t := tables[i]
		if r.Col == "" {
			m.AddHint(pos, t.such(), "%s: want ${data.NAME.COLUMN}", r)
			continue
		}
		r.Slot, r.ColSlot = i, t.Column(r.Col)
		if r.ColSlot < 0 && !t.bad {
			m.AddHint(pos, syntax.DidYouMean(r.Col, t.Columns), "data %q has no column %q", t.Name, syntax.Clip(r.Col, 40))
		}
	}
}
