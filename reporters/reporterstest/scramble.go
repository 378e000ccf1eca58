package reporterstest

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
	"unicode"

	"brunt/scenarios/result"
)

// sentences are the fields of a result that hold sentences for people.
var sentences = []string{
	"Reason", "Note", "Notes", "Evidence", "GoneEvidence", "Limits", "SlowerUntold", "Unreported", "DetectNote", "Text",
	"RoleSaid", "Hypothesis",
}

// Scrambled is what each letter and digit of a scrambled sentence is.
const Scrambled = 'z'

// Scramble returns two copies of a result, as files keep it. In the second no sentence says anything: its letters and
// digits are [Scrambled], at the same places. The texts of objectives stay: they are written in a language, and are
// names.
func Scramble(t testing.TB, r *result.Result) (plain, scrambled *result.Result) {
	t.Helper()
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	plain, scrambled = new(result.Result), new(result.Result)
	for _, to := range []*result.Result{plain, scrambled} {
		if err := json.Unmarshal(b, to); err != nil {
			t.Fatal(err)
		}
		to.Events = slices.Clone(r.Events)
	}
	scramble(reflect.ValueOf(scrambled).Elem(), false)
	return plain, scrambled
}

func scramble(v reflect.Value, in bool) {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			scramble(v.Elem(), in)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			scramble(v.Index(i), in)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			f := v.Type().Field(i)
			written := v.Type() == reflect.TypeFor[result.ObjectiveResult]() && f.Name == "Text"
			if f.IsExported() && f.Name != "Asked" && !written {
				scramble(v.Field(i), slices.Contains(sentences, f.Name))
			}
		}
	case reflect.String:
		if in && v.CanSet() {
			v.SetString(strings.Map(func(c rune) rune {
				if unicode.IsLetter(c) || unicode.IsDigit(c) {
					return Scrambled
				}
				return c
			}, v.String()))
		}
	}
}
