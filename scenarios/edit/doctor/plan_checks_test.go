package doctor

import "testing"

// TestAmong: which services a fault may ask for their leader, by the names in its settings.
func TestAmong(t *testing.T) {
	for _, c := range []struct {
		name  string
		named []string
		want  bool // of the service db
	}{
		{"by a zone alone", nil, true},
		{"a service", []string{"db"}, true},
		{"a unit", []string{"db[1]"}, true},
		{"another service", []string{"web"}, false},
		{"a link to it", []string{"web", "db"}, true},
		{"a link from a zone", []string{"zone/a", "web"}, true},
		{"a link to a zone", []string{"web", "zone/b"}, true},
		{"the load's link to another", []string{"load", "web"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := among(c.named, "db"); got != c.want {
				t.Errorf("db is among %v: %t, want %t", c.named, got, c.want)
			}
		})
	}
}
