package targets_test

import (
	"reflect"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/targets"
)

// TestSelection_Spoken: the client of a load of several protocols tells what each of them used.
func TestSelection_Spoken(t *testing.T) {
	set := targets.NewSet(nil, idle("b"), idle("aaa"))
	var calls []scenarios.Call
	for _, kind := range []string{"b", "aaa"} {
		call, _ := set.Compile(syntax.Block{Kind: kind}, targets.Scope{}, &syntax.Mistakes{})
		calls = append(calls, call)
	}
	client, err := set.Select(calls...).Client(targets.Options{})
	if err != nil {
		t.Fatal(err)
	}
	want := targets.Spoken{Versions: []string{"1.0", "aaa", "b"}, Waits: 4, Streams: 3}
	if got := client.Spoken(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
