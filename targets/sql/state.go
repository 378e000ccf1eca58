package sql

import (
	"strings"

	"brunt/scenarios"
)

// stateDigits are the characters of a SQLSTATE, in the order of their values.
const stateDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// State returns the number of a SQLSTATE, which has five digits or capital letters. For any other text it returns the
// number of XX000.
func State(code string) (number int32) {
	if len(code) != 5 {
		code = "XX000"
	}
	for i := range len(code) {
		digit := strings.IndexByte(stateDigits, code[i])
		if digit < 0 {
			return State("")
		}
		number = number*int32(len(stateDigits)) + int32(digit)
	}
	return number
}

// States are the causes of errors that a SQLSTATE names, by the numbers of [State].
func States() scenarios.CauseFamily {
	return scenarios.CauseFamily{First: 1 << 30, Bits: 26, Name: func(number int32) string {
		return "error " + nameState(number)
	}}
}

// nameState returns the SQLSTATE with a number.
func nameState(number int32) string {
	var code [5]byte
	for i := range code {
		code[len(code)-1-i] = stateDigits[number%int32(len(stateDigits))]
		number /= int32(len(stateDigits))
	}
	return string(code[:])
}
