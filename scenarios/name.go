package scenarios

// IsName tells whether s can name a load, a fault or a service: a-z, 0-9 and -,
// beginning with a letter, and none of the words that phases have taken.
func IsName(s string) bool { return namePattern.MatchString(s) && !reserved[s] }

// Holds tells whether pos is the place of n or of something below it.
func (n *Node) Holds(pos Pos) bool {
	if n.Pos == pos {
		return true
	}
	for _, f := range n.Fields {
		if f.Value.Holds(pos) {
			return true
		}
	}
	for _, item := range n.Items {
		if item.Holds(pos) {
			return true
		}
	}
	return false
}

// Literal is a text that stands as it is, placeholders or not.
func Literal(s string) TextTemplate {
	var t TextTemplate
	t.literal(s)
	return t
}
