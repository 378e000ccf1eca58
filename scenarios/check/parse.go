package check

import (
	"bytes"
	"fmt"

	"brunt/scenarios/budget"

	"github.com/ohler55/ojg/oj"
)

// mostDepth is how deeply the lists and maps of a document may be nested. A shorter text can't exceed it.
const mostDepth = 4 << 10

// Parse parses a text of JSON in the types of JSON. It claims the memory of the document before, and may wait for it. A
// document that is nested too deeply is an error.
func Parse(text []byte, by *budget.Claim) (any, error) {
	if len(text) > mostDepth {
		n, err := weigh(text)
		if err == nil {
			err = by.Wait(n)
		}
		if err != nil {
			return nil, err
		}
	}
	return oj.Parse(text)
}

// ParseValue is Parse for a value of an answer whose own reader bounds its size.
func ParseValue(text string) (any, error) {
	var claim budget.Claim
	defer claim.Release()
	return Parse([]byte(text), &claim)
}

// The memory of the parts of a document at most, in bytes. A list that grows has its items up to twice, and its old
// items until they are collected.
const (
	mapMemory  = 400 // with room for eight entries
	listMemory = 48
	itemMemory = 64
)

// weigh returns how much memory the document of a text of JSON takes at most, in bytes. It returns an error for one
// that is nested too deeply. It looks at the text, but does not parse it.
func weigh(text []byte) (n int, err error) {
	n = len(text) // its texts
	depth := 0
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '{':
			n += mapMemory
			depth++
		case '[':
			n += listMemory
			depth++
		case '}', ']':
			depth--
		case ',':
			n += itemMemory
		case '"':
			if i = textEnd(text, i+1); i < 0 {
				return n, nil // the parser tells what is wrong
			}
		}
		if depth > mostDepth {
			return n, &budget.Error{Text: fmt.Sprintf("the answer has lists and maps more than %d deep", mostDepth)}
		}
	}
	return n, nil
}

// textEnd returns the index of the quote that ends a text; negative: none does.
func textEnd(b []byte, from int) int {
	for {
		i := bytes.IndexByte(b[from:], '"')
		if i < 0 {
			return -1
		}
		at := from + i
		escapes := 0
		for k := at - 1; k >= from && b[k] == '\\'; k-- {
			escapes++
		}
		if from = at + 1; escapes%2 == 0 {
			return at
		}
	}
}
