package plan

import (
	"reflect"
	"slices"
	"strings"

	"brunt/chaos/catalog"
	"brunt/chaos/selector"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result/search"
	"brunt/scenarios/syntax"
)

// noDose lists settings that are numbers or durations, and no amount of harm.
var noDose = []string{"pid", "status", "timeout", "grace", "on_restart"}

// dosesOf lists the settings of a kind of fault that are doses, with their units, in the order of their fields.
func dosesOf(kind string) (list []search.Dose) {
	d, ok := catalog.Find(kind)
	if !ok {
		return nil
	}
	fault := d.New()
	for _, key := range syntax.Keys(fault) {
		unit := doseUnitOf(syntax.TypeOf(fault, key))
		if unit == "" || slices.Contains(noDose, key) {
			continue
		}
		list = append(list, search.Dose{Key: key, Kind: kind, Unit: unit, Eases: slices.Contains(d.Eases, key)})
	}
	if !d.OneShot() {
		list = append(list, search.Dose{Key: "for", Kind: kind, Unit: search.DoseSeconds})
	}
	return list
}

// doseUnitOf returns the unit of the values of a type; empty if it is not a dose.
func doseUnitOf(t reflect.Type) search.DoseUnit {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t {
	case reflect.TypeFor[quantity.Duration]():
		return search.DoseSeconds
	case reflect.TypeFor[quantity.Share]():
		return search.DoseShare
	case reflect.TypeFor[quantity.Size]():
		return search.DoseBytes
	case reflect.TypeFor[quantity.Bandwidth]():
		return search.DoseRate
	case reflect.TypeFor[selector.Pick](), reflect.TypeFor[int]():
		return search.DoseCount
	case reflect.TypeFor[float64](), reflect.TypeFor[quantity.Processors]():
		return search.DoseNumber
	}
	return ""
}

// FindDose returns the setting of a fault of a scenario. The error is a [scenarios.UsageError] that names the faults
// of the scenario, or the doses of the kind.
func FindDose(sc *scenarios.Scenario, fault, key string) (search.Dose, error) {
	place := placeOf(sc, fault)
	if place == nil {
		names := faultNames(sc)
		if len(names) == 0 {
			return search.Dose{}, scenarios.Usagef("%s has no fault under `chaos`, so that there is no dose to vary",
				sc.Name)
		}
		return search.Dose{}, scenarios.Usagef("no fault %q; %sthe scenario has %s", fault, hinted(fault, names),
			strings.Join(names, ", "))
	}
	list := dosesOf(place.block.Kind)
	for _, s := range list {
		if s.Key == key {
			s.Fault = fault
			if key == "for" && *place.lasts == 0 {
				return search.Dose{}, scenarios.Usagef("%s has no `for`: it lasts as long as its stage or its group; give "+
					"it one", fault)
			}
			return s, nil
		}
	}
	if len(list) == 0 {
		return search.Dose{}, scenarios.Usagef("%s is a %s, which has no dose", fault, place.block.Kind)
	}
	var known []string
	for _, s := range list {
		known = append(known, s.Key)
	}
	return search.Dose{}, scenarios.Usagef("%q is no dose of %s; %sa %s has %s", key, fault, hinted(key, known),
		place.block.Kind, strings.Join(known, ", "))
}

// hinted returns the hint on the nearest name with a semicolon, before a list of all; empty if no name is near.
func hinted(word string, known []string) string {
	near := syntax.Nearest(word, known)
	if near == "" {
		return ""
	}
	return syntax.Suggestion(near) + "; "
}

// A faultPlace is where a scenario says what a fault is.
type faultPlace struct {
	fault *scenarios.Fault // the fault, or the group of the step
	block *syntax.Block
	lasts *quantity.Duration
}

// placeOf finds a fault by its name, or a step of a group by FAULT.STEP; nil if there is none.
func placeOf(sc *scenarios.Scenario, name string) *faultPlace {
	for i := range sc.Faults {
		f := &sc.Faults[i]
		if f.Name == name && len(f.Steps) == 0 {
			return &faultPlace{f, &f.Block, &f.For}
		}
		for j := range f.Steps {
			if s := &f.Steps[j]; scenarios.StepName(f.Name, s.Name) == name {
				return &faultPlace{f, &s.Block, &s.For}
			}
		}
	}
	return nil
}

// faultNames lists the faults and the steps of groups.
func faultNames(sc *scenarios.Scenario) (names []string) {
	for _, f := range sc.Faults {
		for _, s := range f.Steps {
			names = append(names, scenarios.StepName(f.Name, s.Name))
		}
		if len(f.Steps) == 0 {
			names = append(names, f.Name)
		}
	}
	return names
}

// FaultOf returns the fault of a setting in a scenario, or the group of the step.
func FaultOf(sc *scenarios.Scenario, s search.Dose) *scenarios.Fault {
	return placeOf(sc, s.Fault).fault
}

// SetDose writes a dose of a setting into a scenario.
func SetDose(sc *scenarios.Scenario, s search.Dose, dose float64) {
	place := placeOf(sc, s.Fault)
	if s.Key == "for" {
		*place.lasts = quantity.Duration(search.DoseTime(dose))
		return
	}
	node := &syntax.Node{Kind: syntax.String, Value: s.Unit.Format(dose), Pos: place.block.Pos}
	if s.Unit == search.DoseCount || s.Unit == search.DoseNumber {
		node.Kind = syntax.Number
	}
	with := &syntax.Node{Kind: syntax.Map, Pos: place.block.Pos}
	if old := place.block.With; old != nil {
		with = old.Without(func(key string) bool { return key == s.Key })
		if given := old.Get(s.Key); given != nil {
			node.Pos = given.Pos
		}
	}
	with.Fields = append(slices.Clone(with.Fields), syntax.Field{Key: s.Key, Pos: node.Pos, Value: node})
	place.block.With = with
}
