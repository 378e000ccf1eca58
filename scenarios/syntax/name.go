package syntax

import (
	"maps"
	"regexp"
	"slices"
)

var namePattern = regexp.MustCompile(`^[a-z][a-z0-9-]*$`)

// reserved are the names of phases and pseudo-steps, and incident, because objectives use these names.
var reserved = map[string]bool{
	"run": true, "baseline": true, "warmup": true, "recovery": true, "iteration": true, "incident": true,
}

// NameRule tells users which names [IsName] accepts.
const NameRule = "a name is made of a-z, 0-9 and -, begins with a letter, and is none of run, baseline, warmup, " +
	"recovery, iteration, incident"

// IsName reports whether s is a valid name of a load, a fault or a service: a-z, 0-9 and -,
// beginning with a letter, and not reserved for a phase.
func IsName(s string) bool { return namePattern.MatchString(s) && !reserved[s] }

// IsVariable reports whether s is a valid name of a variable for ${var.…}: letters, digits, _ and
// -, beginning with a letter or _.
func IsVariable(s string) bool { return varPattern.MatchString(s) }

// VariableSchema is the schema of the names of variables.
func VariableSchema() Schema { return Schema{"pattern": varPattern.String()} }

// NameSchema is the schema of the names of loads, faults, services, params and
// tables.
func NameSchema() Schema {
	var taken []any
	for _, name := range slices.Sorted(maps.Keys(reserved)) {
		taken = append(taken, name)
	}
	return Schema{"pattern": namePattern.String(), "not": Schema{"enum": taken}}
}
