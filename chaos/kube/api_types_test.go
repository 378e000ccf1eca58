package kube_test

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"

	"brunt/chaos/kube"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// TestQuantity compares the amounts of quantities with those that the library of Kubernetes reads.
func TestQuantity(t *testing.T) {
	for _, q := range []string{
		"0", "1", "-3", "0.5", ".5", "1.5Gi", "123456789n", "12u", "250m", "3k", "2M", "4G", "5T", "6P", "1E", "7Ki", "8Mi",
		"9Gi", "1Ti", "1Pi", "2Ei",
		"12e3", "12E3", "1.5e-3", "", "x", "1x", "1iK", "1mm", "1 Mi", "--1", "0x10", "1_000", "inf", "NaN", "infinity", "1e",
		"1KiB",
	} {
		got, err := kube.Quantity(q).Float()
		want, wrong := resource.ParseQuantity(q)
		switch {
		case q == "": // of a map that has none
			if got != 0 || err != nil {
				t.Errorf("none: %v, %v", got, err)
			}
		case (err != nil) != (wrong != nil):
			t.Errorf("%q: %v; the library says %v", q, err, wrong)
		case err == nil && math.Abs(got-want.AsApproximateFloat64()) > 1e-9*math.Abs(got):
			t.Errorf("%q is %v; want %v", q, got, want.AsApproximateFloat64())
		}
	}
	for _, n := range []int64{0, 1, 999, 1000, 1001, 1024, 1500, 2000, 1 << 20, 3 << 30, 1<<30 + 1, 1 << 60, 250_000} {
		for _, q := range []struct {
			ours kube.Quantity
			want *resource.Quantity
		}{
			{kube.Milli(n), resource.NewMilliQuantity(n, resource.DecimalSI)},
			{kube.Bytes(n), resource.NewQuantity(n, resource.BinarySI)},
		} {
			if is, err := resource.ParseQuantity(string(q.ours)); err != nil || is.Cmp(*q.want) != 0 {
				t.Errorf("%d is written as %s, which is %s, %v; want %s", n, q.ours, is.String(), err, q.want)
			}
		}
	}
}

// TestSelector compares random selectors with those of the library of Kubernetes: what they match, how they are
// written, and which are wrong.
func TestSelector(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	keys, values := []string{"app", "tier", "zone"}, []string{"a", "b", "c"}
	operators := []kube.LabelSelectorOperator{
		kube.LabelSelectorIn, kube.LabelSelectorNotIn, kube.LabelSelectorExists, kube.LabelSelectorDoesNotExist, "Gt",
	}
	some := func() map[string]string {
		m := map[string]string{}
		for _, k := range keys {
			if random.IntN(2) == 0 {
				m[k] = values[random.IntN(len(values))]
			}
		}
		return m
	}
	matched := 0
	for range 5000 {
		ours := kube.LabelSelector{MatchLabels: some()}
		for range random.IntN(3) {
			r := kube.LabelSelectorRequirement{
				Key: keys[random.IntN(len(keys))], Operator: operators[random.IntN(len(operators))],
			}
			for range random.IntN(3) {
				r.Values = append(r.Values, values[random.IntN(len(values))])
			}
			ours.MatchExpressions = append(ours.MatchExpressions, r)
		}
		text, err := json.Marshal(ours)
		if err != nil {
			t.Fatal(err)
		}
		var theirs metav1.LabelSelector
		if err := json.Unmarshal(text, &theirs); err != nil {
			t.Fatal(err)
		}
		want, wrong := metav1.LabelSelectorAsSelector(&theirs)
		got, err := ours.Selector()
		if (err != nil) != (wrong != nil) {
			t.Fatalf("%s: %v; the library says %v", text, err, wrong)
		}
		if err != nil {
			continue
		}
		again, err := labels.Parse(got.String())
		if err != nil {
			t.Fatalf("%s is written as %q: %v", text, got, err)
		}
		for range 10 {
			of := some()
			is := got.Matches(of)
			if is != want.Matches(labels.Set(of)) || is != again.Matches(labels.Set(of)) {
				t.Fatalf("%s, written as %q, matches %v: %v", text, got, of, is)
			}
			if is {
				matched++
			}
		}
	}
	if matched < 1000 {
		t.Errorf("only %d labels matched", matched)
	}
	var none *kube.LabelSelector
	if s, err := none.Selector(); err != nil || s.Matches(some()) || s.Matches(nil) {
		t.Errorf("no selector matches: %v", err)
	}
	if s, err := new(kube.LabelSelector).Selector(); err != nil || !s.Matches(nil) {
		t.Errorf("an empty selector does not match: %v", err)
	}
}

// TestIntOrString compares the JSON of numbers and texts with that of the library of Kubernetes.
func TestIntOrString(t *testing.T) {
	for _, text := range []string{`80`, `"http"`, `"25%"`, `0`, `-1`, `99999999999`, `1.5`, `true`, `{}`} {
		var ours kube.IntOrString
		var theirs intstr.IntOrString
		err, wrong := json.Unmarshal([]byte(text), &ours), json.Unmarshal([]byte(text), &theirs)
		if (err != nil) != (wrong != nil) {
			t.Errorf("%s: %v; the library says %v", text, err, wrong)
		}
		if err != nil {
			continue
		}
		if back, err := json.Marshal(ours); err != nil || string(back) != text || ours.String() != theirs.String() {
			t.Errorf("%s is %s, and written as %s, %v; want %s", text, ours, back, err, theirs.String())
		}
	}
}
