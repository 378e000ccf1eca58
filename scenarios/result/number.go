package result

import (
	"encoding/json"
	"math"
	"strconv"
	"time"
)

// Num is a float64 that is null in JSON when it is infinite or unknown.
type Num float64

// NaN is the unknown number.
var NaN = Num(math.NaN())

// MarshalJSON implements [json.Marshaler] with at most nine digits after the
// point: nanoseconds.
func (n Num) MarshalJSON() ([]byte, error) {
	f := float64(n)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, math.Round(f*1e9)/1e9, 'f', -1, 64), nil
}

func (n *Num) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*n = NaN
		return nil
	}
	var f float64
	if err := json.Unmarshal(b, &f); err != nil {
		return err
	}
	*n = Num(f)
	return nil
}

// Known reports whether n is a finite number.
func (n Num) Known() bool { return !math.IsNaN(float64(n)) && !math.IsInf(float64(n), 0) }

// D returns seconds as a duration, to the nanosecond.
func (n Num) D() time.Duration { return time.Duration(math.Round(float64(n) * 1e9)) }

// Sec returns d in seconds.
func Sec(d time.Duration) Num { return Num(d.Seconds()) }
