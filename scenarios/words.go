package scenarios

import (
	"fmt"
	"strings"
)

// Amount writes how many there are of what a noun names.
func Amount(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("%d %s", n, noun)
}

// ListOr lists items for people; none stands for no item.
func ListOr(items []string, none string) string {
	if len(items) == 0 {
		return none
	}
	return strings.Join(items, ", ")
}
