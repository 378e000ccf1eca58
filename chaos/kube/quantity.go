package kube

import (
	"fmt"
	"strconv"
	"strings"
)

// Quantity is an amount of a resource in the form of the API, such as 500m or 64Mi; see
// https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/.
type Quantity string

// Milli returns an amount of thousandths, such as of processors.
func Milli(n int64) Quantity {
	if n%1000 == 0 {
		return Quantity(strconv.FormatInt(n/1000, 10))
	}
	return Quantity(strconv.FormatInt(n, 10) + "m")
}

// binary are the suffixes of amounts of memory, each 1024 times the one before.
var binary = []string{"", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"}

// Bytes returns an amount of memory.
func Bytes(n int64) Quantity {
	i := 0
	for ; n != 0 && n%1024 == 0 && i+1 < len(binary); i++ {
		n /= 1024
	}
	return Quantity(strconv.FormatInt(n, 10) + binary[i])
}

// decimal are the suffixes of other amounts, with their powers of ten.
var decimal = map[string]int{"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}

// Float returns the amount as a number; an empty quantity is 0.
func (q Quantity) Float() (float64, error) {
	if q == "" {
		return 0, nil
	}
	number := strings.TrimRight(string(q), "numkKMGTPEi")
	suffix := string(q)[len(number):]
	exponent, known := decimal[suffix]
	if known {
		number += "e" + strconv.Itoa(exponent)
		if strings.ContainsAny(string(q), "eE") && suffix == "" { // 12e3 has an exponent instead of a suffix
			number = string(q)
		}
	}
	n, err := strconv.ParseFloat(number, 64)
	if err != nil || strings.Contains(number, "_") {
		return 0, fmt.Errorf("the quantity %q: want a number with a suffix, such as 500m or 64Mi", string(q))
	}
	if known {
		return n, nil
	}
	for i, s := range binary {
		if s == suffix {
			return n * float64(uint64(1)<<(10*i)), nil
		}
	}
	return 0, fmt.Errorf("the quantity %q: the suffix %s is unknown", string(q), suffix)
}
