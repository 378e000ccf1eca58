package probe

import "testing"

// FuzzAlert reads what a Prometheus server or an Alertmanager says of an alert.
func FuzzAlert(f *testing.F) {
	for _, body := range []string{
		`{"status":"success","data":{"groups":[{"rules":[{"name":"Down","duration":60,"health":"ok","alerts":[` +
			`{"labels":{"alertname":"Down"},"state":"firing","activeAt":"2026-01-01T00:00:00Z"}]}]}]}}`,
		`{"status":"success","data":{"groups":[{"rules":[{"name":"Down","duration":1e300},null]},null]}}`,
		`[{"labels":{"alertname":"Down"},"startsAt":"2026-01-01T00:00:00Z","status":{"state":"suppressed"}},{}]`,
		`[null]`, `null`, `{}`, `[]`, ``,
	} {
		f.Add([]byte(body))
	}
	q := &AlertQuestion{labels: map[string]string{alertLabel: "Down"}}
	f.Fuzz(func(t *testing.T, body []byte) {
		if s, err := q.ruled(body); err == nil && (s.For < 0 || s.Firing && s.Pending || s.Silenced) {
			t.Errorf("by rules: %+v", s)
		}
		if s, err := q.managed(body); err == nil && (s.Silenced && !s.Firing || s.Pending) {
			t.Errorf("by alerts: %+v", s)
		}
	})
}
