package reference

import (
	"reflect"
	"testing"
)

// TestReference_Index: a reference that is read from an index answers as the one that the index was made of.
func TestReference_Index(t *testing.T) {
	made := newReference(t)
	text, err := made.Index()
	if err != nil {
		t.Fatal(err)
	}
	r := read(string(text), made.from)
	for path, sort := range made.all() {
		want, got := made.entry(path), r.entry(path)
		if got == nil {
			t.Fatalf("the index has no %s", path)
		}
		if len(want.Texts) == 1 { // it is the Text
			want.Texts = nil
		}
		if !reflect.DeepEqual(got, want) || got.Sort != sort {
			t.Errorf("%s: %+v, want %+v", path, got, want)
		}
	}
	if r.entry("load.rat") != nil || r.entry("") != nil || r.executors != made.executors {
		t.Errorf("%d executors, want %d", r.executors, made.executors)
	}
	for _, query := range append(made.Names(), "", "no such key") {
		want, wantErr := made.Explain(query)
		got, err := r.Explain(query)
		if got != want || (err == nil) != (wantErr == nil) || err != nil && err.Error() != wantErr.Error() {
			t.Errorf("explain %q: %v\n%s\nwant: %v\n%s", query, err, got, wantErr, want)
		}
	}
	if want, _ := made.Outline(nil); len(want.Keys) == 0 {
		t.Error("the outline has no keys")
	} else if got, _ := r.Outline(nil); !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
}
