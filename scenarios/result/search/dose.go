package search

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"brunt/scenarios/quantity"
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
	DoseSeconds: {.001, func(f float64) string { return quantity.FormatDuration(DoseTime(f)) }, "a duration such as 2s"},
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

// DoseTime returns a dose in seconds as a duration, in whole milliseconds.
func DoseTime(f float64) time.Duration { return time.Duration(math.Round(f*1e3)) * time.Millisecond }

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
