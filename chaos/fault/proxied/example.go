package proxied

import (
	"regexp"
	"regexp/syntax"
	"strings"
	"unicode/utf8"
)

// example returns a short text that a pattern matches, or "" if it finds none.
func example(re *regexp.Regexp) string {
	tree, err := syntax.Parse(re.String(), syntax.Perl)
	if err != nil {
		return ""
	}
	var b strings.Builder
	exemplify(&b, tree)
	if s := b.String(); re.MatchString(s) {
		return s
	}
	return ""
}

// longExample bounds the characters of an example: {1000} in {1000} is a valid pattern.
const longExample = 2000

func exemplify(b *strings.Builder, re *syntax.Regexp) {
	times := 1
	switch re.Op {
	case syntax.OpLiteral:
		for _, r := range re.Rune {
			b.WriteRune(r)
		}
		return
	case syntax.OpCharClass:
		b.WriteRune(oneOf(re.Rune))
		return
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('x')
		return
	case syntax.OpStar, syntax.OpQuest:
		return
	case syntax.OpRepeat:
		times = re.Min
	case syntax.OpAlternate:
		exemplify(b, re.Sub[0])
		return
	}
	for range times {
		for _, sub := range re.Sub {
			if b.Len() < longExample {
				exemplify(b, sub)
			}
		}
	}
}

// oneOf returns a character of a class, which is given as pairs of first and last character. It prefers a letter or a
// digit.
func oneOf(class []rune) rune {
	for _, plain := range []rune{'a', '1', 'A', '-', '/'} {
		for i := 0; i+1 < len(class); i += 2 {
			if class[i] <= plain && plain <= class[i+1] {
				return plain
			}
		}
	}
	if len(class) == 0 {
		return utf8.RuneError
	}
	return class[0]
}
