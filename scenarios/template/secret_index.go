package template

import (
	"slices"
	"strings"

	"brunt/scenarios/secret"
)

// A formIndex finds the encodings of secrets in a text in one pass, whatever their number. A filter on the first
// three bytes leaves few places to compare.
type formIndex struct {
	count  map[string]int      // how many secrets have an encoding
	heads  map[string][]string // encodings by their first three bytes, the longest first
	filter []uint64            // bits by the hash of three bytes; the bit of a removed encoding stays for a while
	gone   int                 // heads removed since the filter was built
}

// goneAtMost is how many heads may be removed before the filter is rebuilt.
const goneAtMost = 1024

// filterBits is the number of bits of the filter, a power of two.
const filterBits = 1 << 16

func filterBit(a, b, c byte) uint32 {
	return (uint32(a) | uint32(b)<<8 | uint32(c)<<16) * 0x9E3779B1 >> 16
}

func (x *formIndex) add(form string) {
	if x.count == nil {
		x.count, x.heads, x.filter = map[string]int{}, map[string][]string{}, make([]uint64, filterBits/64)
	}
	if x.count[form]++; x.count[form] > 1 {
		return
	}
	head := form[:shortestSecret]
	list := x.heads[head]
	i, _ := slices.BinarySearchFunc(list, form, func(have, want string) int { return len(want) - len(have) })
	x.heads[head] = slices.Insert(list, i, form)
	x.admit(head)
}

// admit lets texts with this head pass the filter.
func (x *formIndex) admit(head string) {
	bit := filterBit(head[0], head[1], head[2])
	x.filter[bit/64] |= 1 << (bit % 64)
}

func (x *formIndex) remove(form string) {
	if x.count[form]--; x.count[form] > 0 {
		return
	}
	delete(x.count, form)
	head := form[:shortestSecret]
	if x.heads[head] = slices.DeleteFunc(x.heads[head],
		func(f string) bool { return f == form }); len(x.heads[head]) == 0 {
		delete(x.heads, head)
		x.gone++
	}
	if x.gone < goneAtMost {
		return
	}
	x.gone = 0
	clear(x.filter)
	for head := range x.heads {
		x.admit(head)
	}
}

// mask masks every encoding in the text. Encodings that overlap are masked together.
func (x *formIndex) mask(text string) string { return secret.Mask(text, x.spans(text)) }

// spans returns the places of encodings in the text, in order and without overlap.
func (x *formIndex) spans(text string) []secret.Span {
	var out []secret.Span
	for i := 0; i+shortestSecret <= len(text); i++ {
		bit := filterBit(text[i], text[i+1], text[i+2])
		if x.filter[bit/64]&(1<<(bit%64)) == 0 {
			continue
		}
		for _, f := range x.heads[text[i:i+shortestSecret]] {
			if !strings.HasPrefix(text[i:], f) {
				continue
			}
			if last := len(out) - 1; last >= 0 && i < out[last].To {
				out[last].To = max(out[last].To, i+len(f))
			} else {
				out = append(out, secret.Span{From: i, To: i + len(f)})
			}
			break
		}
	}
	return out
}

// longestCut is the maximum length of the beginning of a secret before an ellipsis, in bytes.
const longestCut = 2000

// cutOff returns how many bytes at the end of text are the beginning of a secret that is cut off there.
func (x *formIndex) cutOff(text string) int {
	for i := max(0, len(text)-longestCut); i+shortestSecret <= len(text); i++ {
		bit := filterBit(text[i], text[i+1], text[i+2])
		if x.filter[bit/64]&(1<<(bit%64)) == 0 {
			continue
		}
		for _, f := range x.heads[text[i:i+shortestSecret]] {
			if len(f) > len(text)-i && strings.HasPrefix(f, text[i:]) {
				return len(text) - i
			}
		}
	}
	return 0
}

// holdBack returns how many bytes at the end of text may be the beginning of a secret that continues in the next
// text.
func (x *formIndex) holdBack(text string) int {
	most := x.cutOff(text)
	for n := min(shortestSecret-1, len(text)); n > most; n-- {
		for head := range x.heads {
			if strings.HasPrefix(head, text[len(text)-n:]) {
				return n
			}
		}
	}
	return most
}
