package kube

import (
	"encoding/json"
	"strconv"
)

// IntOrString is a number or a text, such as a port or its name.
type IntOrString struct {
	Int  int32
	Text string // empty: Int is the value
}

// FromInt returns the number n.
func FromInt(n int) IntOrString { return IntOrString{Int: int32(n)} }

// String returns the text, or the number in digits.
func (v IntOrString) String() string {
	if v.Text != "" {
		return v.Text
	}
	return strconv.Itoa(int(v.Int))
}

func (v IntOrString) MarshalJSON() ([]byte, error) {
	if v.Text != "" {
		return json.Marshal(v.Text)
	}
	return json.Marshal(v.Int)
}

func (v *IntOrString) UnmarshalJSON(b []byte) error {
	*v = IntOrString{}
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &v.Text)
	}
	return json.Unmarshal(b, &v.Int)
}
