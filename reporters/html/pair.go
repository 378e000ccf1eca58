package html

import "brunt/reporters/words"

// pair is a figure with its name.
func pair(name, value string) words.Pair { return words.Pair{Name: name, Value: value} }
