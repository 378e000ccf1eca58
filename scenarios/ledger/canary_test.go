package ledger

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"testing"
)

// TestCanary: an id that no write has is of the shape of those that writes have, and no guess among a few.
func TestCanary(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 8))
	series := func(format string, first, n int) (ids []string) {
		for i := range n {
			ids = append(ids, fmt.Sprintf(format, first+i))
		}
		return ids
	}
	uuids := func(format string) (ids []string) {
		for range 50 {
			ids = append(ids, fmt.Sprintf(format, random.Uint32(), random.Uint32()&0xffff, random.Uint32()&0xfff, 0x8000|
				random.Uint32()&0x3fff, random.Uint64()&0xffffffffffff))
		}
		return ids
	}
	for _, c := range []struct {
		name string
		ids  []string
		want string
	}{
		{"UUIDs of version 4", uuids("%08x-%04x-4%03x-%04x-%012x"), `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$`},
		{"with a prefix", uuids("user/%08X-%04X-4%03X-%04X-%012X"), `^user/[0-9A-F]{8}-[0-9A-F]{4}-4[0-9A-F]{3}-[0-9A-F]{4}-[0-9A-F]{12}$`},
		{"numbers", series("%d", 95, 20), `^[1-9][0-9]{12}$`},
		{"one number", series("%d", 7, 1), `^[1-9][0-9]{12}$`},
		{"long numbers", series("%d", 1234567890123450, 50), `^123[0-9]{13}$`},
		{"padded numbers", series("%016d", 1, 99), `^0000[0-9]{12}$|^000[0-9]{13}$`},
		{"short names", series("ab-%d", 1, 9), `^[a-z]{2}-[0-9]{10}$`},
		{"letters alone", []string{"zebra"}, `^[a-z]{9}$`},
		{"no letter and no digit", []string{"--"}, `^--[0-9]{13}$`},
		{"none", nil, `^never-written$`},
	} {
		t.Run(c.name, func(t *testing.T) {
			seen := map[string]bool{}
			for range 100 {
				id := canary(c.ids, random)
				if !regexp.MustCompile(c.want).MatchString(id) {
					t.Fatalf("%q is not like %q, want %s", id, c.ids[:min(2, len(c.ids))], c.want)
				}
				if seen[id] && c.ids != nil || slices.Contains(c.ids, id) {
					t.Fatalf("%q is no new id", id)
				}
				seen[id] = true
			}
		})
	}
}
