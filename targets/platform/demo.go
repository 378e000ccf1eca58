package platform

import (
	"time"

	"brunt/scenarios"
	"brunt/scenarios/template"
	"brunt/targets/demo"
)

// socialConnect is the built-in system SocialConnect.
type socialConnect struct {
	demo.Config `yaml:",inline"`

	Liveness *bool `yaml:"liveness"` // on Kubernetes, a pod that does not answer for 10 s is restarted; off by default
}

var _ Builder = (*socialConnect)(nil)

// demoGrace is how long SocialConnect may take to shut down.
const demoGrace = 3 * time.Second

func (d *socialConnect) Spec(self []string) Spec {
	var spec Spec
	for _, s := range d.Services() {
		svc := Service{
			Name: s.Name, Replicas: s.Replicas, Zones: s.Zones, Links: s.Links, Env: map[string]template.Text{},
			Ready: scenarios.Ready{Get: s.Ready}, Restart: "always", Delay: defaultRestartDelay, Grace: demoGrace,
			Liveness: d.Liveness != nil && *d.Liveness,
		}
		if !d.Supervised() {
			svc.Restart = "never"
		}
		for _, arg := range append(append([]string{}, self...), "demo-service", s.Name) {
			svc.Command = append(svc.Command, template.Literal(arg))
		}
		for name, value := range s.Env {
			svc.Env[name] = template.Literal(value)
		}
		if s.Entry {
			spec.Entry = s.Name
		}
		spec.Services = append(spec.Services, svc)
	}
	return spec
}
