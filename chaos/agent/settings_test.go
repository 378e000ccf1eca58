package agent_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"brunt/chaos"
	"brunt/chaos/agent"
	"brunt/chaos/catalog"
	"brunt/chaos/fault/resource"
	"brunt/chaos/selector"
)

// TestSettings checks for every fault that an agent injects that its settings reach the agent unchanged.
func TestSettings(t *testing.T) {
	n := 0
	for kind, fresh := range catalog.Kinds() {
		if d, _ := catalog.Find(kind); d.Agent == nil {
			continue
		}
		n++
		t.Run(kind, func(t *testing.T) {
			sent := fresh()
			v := reflect.ValueOf(sent).Elem()
			fill(v)
			settings, err := agent.SettingsOf(sent, unit{})
			if err != nil {
				t.Fatal(err)
			}
			if v.FieldByName("Selector").FieldByName("Service").String() != "s" {
				t.Error("the fault itself was changed")
			}
			got := fresh()
			if err := json.Unmarshal(settings, got); err != nil {
				t.Fatal(err)
			}
			v.FieldByName("Selector").Set(reflect.ValueOf(selector.Selector{Unit: "web[1]"}))
			if r := v.FieldByName("OnRestart"); r.IsValid() {
				r.SetZero()
			}
			if !reflect.DeepEqual(got, sent) {
				t.Errorf("%s: got %+v; want %+v", settings, got, sent)
			}
		})
	}
	if n < 10 {
		t.Errorf("%d kinds; want the 11 that agents inject", n)
	}
}

// unit is web[1], which has an address.
type unit struct{ chaos.Unit }

func (unit) Name() string { return "web[1]" }

func (unit) Traits() chaos.UnitTraits {
	return chaos.UnitTraits{Addr: func() string { return "10.0.0.5:80" }}
}

// TestSettings_Self checks that an agent gets the values of placeholders that name the unit.
func TestSettings_Self(t *testing.T) {
	settings, err := agent.SettingsOf(&resource.DiskFill{Path: "/data/${self.index}/${self.host}"}, unit{})
	if err != nil || !strings.Contains(string(settings), `"/data/1/10.0.0.5"`) {
		t.Errorf("%s, %v", settings, err)
	}
	if settings, err := agent.SettingsOf(&resource.DiskFill{Path: "/${self.index}"}, nameless{}); err == nil {
		t.Errorf("%s without an index", settings)
	}
}

// nameless is a process that is no unit of a service.
type nameless struct{ unit }

func (nameless) Name() string { return "pid 7" }

// fill sets every exported field to a value other than zero.
func fill(v reflect.Value) {
	if !v.CanSet() {
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for _, field := range v.Fields() {
			fill(field)
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.String:
		v.SetString("s")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64, reflect.Int32:
		v.SetInt(7)
	case reflect.Float64:
		v.SetFloat(0.3)
	}
}
