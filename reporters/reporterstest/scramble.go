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

// sentences lists the fields of a result that hold sentences for readers.
var sentences = []string{
	"Reason", "Note", "Notes", "Evidence", "GoneEvidence", "Limits", "SlowerUntold", "Unreported", "DetectNote", "Text",
	"RoleSaid", "Hypothesis",
}

// Scrambled replaces each letter and digit of a scrambled sentence.
const Scrambled = 'z'

// Scramble returns two copies of a result, in the form that files keep. In the second copy all letters and digits of
// sentences are replaced by [Scrambled], so that the sentences carry no information. The texts of objectives stay:
// they follow a grammar, and serve as names.
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
