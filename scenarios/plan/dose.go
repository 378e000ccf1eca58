package plan

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/chaos/catalog"
	"brunt/chaos/selector"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// A DoseUnit is what a dose counts.
type DoseUnit string

// The units of doses.
const (
	DoseSeconds DoseUnit = "seconds"
	DoseShare   DoseUnit = "share" // 0 to 1
	DoseBytes   DoseUnit = "bytes"
	DoseRate    DoseUnit = "bytes/s"
	DoseCount   DoseUnit = "count"  // a whole number, such as of units
	DoseNumber  DoseUnit = "number" // such as of processors
)

// doseUnits says for each unit how a dose is written in a scenario, and its smallest step.
var doseUnits = map[DoseUnit]struct {
	step   float64
	format func(float64) string
	such   string
}{
	DoseSeconds: {.001, func(f float64) string { return quantity.FormatDuration(doseTime(f)) }, "a duration such as 2s"},
	DoseShare: {
		.001, func(f float64) string { return quantity.FormatShare(math.Round(f*1e6) / 1e6) },
		"a share such as 50%",
	},
	DoseBytes: {1, func(f float64) string { return quantity.Size(math.Round(f)).String() }, "a size such as 64MiB"},
	DoseRate:  {125, func(f float64) string { return quantity.Bandwidth(f).String() }, "a bandwidth such as 10Mbit/s"},
	DoseCount: {1, func(f float64) string { return strconv.Itoa(int(math.Round(f))) }, "a whole number such as 3"},
	DoseNumber: {
		.01, func(f float64) string { return strconv.FormatFloat(math.Round(f*100)/100, 'f', -1, 64) },
		"a number such as 1.5",
	},
}

func doseTime(f float64) time.Duration { return time.Duration(math.Round(f*1e3)) * time.Millisecond }

// Known reports whether this version knows the unit.
func (u DoseUnit) Known() bool { return doseUnits[u].format != nil }

// Format formats a dose as a scenario writes it.
func (u DoseUnit) Format(dose float64) string { return doseUnits[u].format(dose) }

// Step returns the smallest difference of doses that a search up to a dose makes.
func (u DoseUnit) Step(to float64) float64 {
	step := doseUnits[u].step
	if u == DoseBytes || u == DoseRate { // round numbers of KiB or kbit, not of bytes
		for step*1000 < to {
			step *= map[DoseUnit]float64{DoseBytes: 1024, DoseRate: 10}[u]
		}
		for step > doseUnits[u].step && step*100 > to {
			step /= 2
		}
	}
	return step
}

// A Dose is a number, share or duration of a fault, which a search varies.
type Dose struct {
	Fault string   `json:"fault" mask:"-"`           // the name in the scenario; FAULT.STEP for a step of a group
	Key   string   `json:"key" mask:"-"`             // of the fault's kind, or `for`
	Kind  string   `json:"kind" mask:"-"`            // of the fault
	Unit  DoseUnit `json:"unit" mask:"-"`            // of the doses
	Eases bool     `json:"eases,omitempty" mask:"-"` // a larger value does less harm
}

// Name names the setting: FAULT.KEY.
func (s Dose) Name() string { return s.Fault + "." + s.Key }

// ParseDose reads a dose as a scenario writes it. Places are not known, so an error says what is wanted.
func (s Dose) ParseDose(text string) (float64, error) {
	var f float64
	var err error
	switch s.Unit {
	case DoseSeconds:
		var d time.Duration
		d, err = quantity.ParseDuration(text)
		f = d.Seconds()
	case DoseShare:
		f, err = quantity.ParseShare(text)
	case DoseBytes:
		var n int64
		n, err = quantity.ParseSize(text)
		f = float64(n)
	case DoseRate:
		f, err = quantity.ParseBandwidth(text)
	case DoseCount:
		var n int
		n, err = strconv.Atoi(text)
		f = float64(n)
	case DoseNumber:
		f, err = strconv.ParseFloat(text, 64)
	}
	if err != nil || f < 0 || math.IsNaN(f) || math.IsInf(f, 0) {
		return 0, fmt.Errorf("%q: %s counts %s; write %s", text, s.Name(), s.Unit, doseUnits[s.Unit].such)
	}
	return f, nil
}

// noDose lists settings that are numbers or durations, and no amount of harm.
var noDose = []string{"pid", "status", "timeout", "grace", "on_restart"}

// dosesOf lists the settings of a kind of fault that are doses, with their units, in the order of their fields.
func dosesOf(kind string) (list []Dose) {
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
		list = append(list, Dose{Key: key, Kind: kind, Unit: unit, Eases: slices.Contains(d.Eases, key)})
	}
	if !d.OneShot() {
		list = append(list, Dose{Key: "for", Kind: kind, Unit: DoseSeconds})
	}
	return list
}

// doseUnitOf returns the unit of the values of a type; empty if they are no doses.
func doseUnitOf(t reflect.Type) DoseUnit {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch t {
	case reflect.TypeFor[quantity.Duration]():
		return DoseSeconds
	case reflect.TypeFor[quantity.Share]():
		return DoseShare
	case reflect.TypeFor[quantity.Size]():
		return DoseBytes
	case reflect.TypeFor[quantity.Bandwidth]():
		return DoseRate
	case reflect.TypeFor[selector.Pick](), reflect.TypeFor[int]():
		return DoseCount
	case reflect.TypeFor[float64](), reflect.TypeFor[quantity.Processors]():
		return DoseNumber
	}
	return ""
}

// doseKeys names doses.
func doseKeys(list []Dose) string {
	var names []string
	for _, s := range list {
		names = append(names, s.Key)
	}
	return strings.Join(names, ", ")
}

// FindDose returns the setting of a fault of a scenario. The error is a [scenarios.UsageError] that names the faults
// of the scenario, or the doses of the kind.
func FindDose(sc *scenarios.Scenario, fault, key string) (Dose, error) {
	place := placeOf(sc, fault)
	if place == nil {
		names := faultNames(sc)
		if len(names) == 0 {
			return Dose{}, scenarios.Usagef("%s has no fault under `chaos`, so that there is no dose to vary", sc.Name)
		}
		return Dose{}, scenarios.Usagef("no fault %q; %sthe scenario has %s", fault, hinted(fault, names),
			strings.Join(names, ", "))
	}
	list := dosesOf(place.block.Kind)
	for _, s := range list {
		if s.Key == key {
			s.Fault = fault
			if key == "for" && *place.lasts == 0 {
				return Dose{}, scenarios.Usagef("%s has no `for`: it lasts as long as its stage or its group; give it one",
					fault)
			}
			return s, nil
		}
	}
	if len(list) == 0 {
		return Dose{}, scenarios.Usagef("%s is a %s, which has no dose", fault, place.block.Kind)
	}
	var known []string
	for _, s := range list {
		known = append(known, s.Key)
	}
	return Dose{}, scenarios.Usagef("%q is no dose of %s; %sa %s has %s", key, fault, hinted(key, known),
		place.block.Kind, doseKeys(list))
}

// hinted returns a hint with a semicolon; empty if there is none.
func hinted(word string, known []string) string {
	hint := syntax.DidYouMean(word, known)
	if hint == "" {
		return ""
	}
	return hint + "; "
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

// Of returns the fault in a scenario, or the group of the step.
func (s Dose) Of(sc *scenarios.Scenario) *scenarios.Fault { return placeOf(sc, s.Fault).fault }

// Set writes a dose into the scenario.
func (s Dose) Set(sc *scenarios.Scenario, dose float64) {
	place := placeOf(sc, s.Fault)
	if s.Key == "for" {
		*place.lasts = quantity.Duration(doseTime(dose))
		return
	}
	node := &syntax.Node{Kind: syntax.String, Value: s.Unit.Format(dose), Pos: place.block.Pos}
	if s.Unit == DoseCount || s.Unit == DoseNumber {
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
