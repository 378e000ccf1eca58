package container

import (
	"brunt/chaos"
	"brunt/scenarios/syntax"
	"brunt/targets/platform/containers"
	"brunt/targets/platform/docker"
)

// Service is a service of containers that already run, from `target: {units: …}`: the containers that match all of its
// settings. They are counted when the run begins.
type Service struct {
	syntax.Place
	Container string            `yaml:"container"`  // a name or an id
	Labels    map[string]string `yaml:"labels"`     // labels that they have, all of them; an empty value is any
	Project   string            `yaml:"project"`    // project of Compose
	Service   string            `yaml:"service"`    // service of the project
	InNetwork string            `yaml:"in_network"` // network that they are in, by its name or id
	// zones of the containers, assigned in turn, for faults on a whole zone; zero is none
	Zones []string `yaml:"zones"`
}

// Query selects the containers of the service.
func (c *Service) Query() containers.Query {
	return containers.Query{
		Container: c.Container, Labels: c.Labels, Project: c.Project, Service: c.Service, Network: c.InNetwork,
	}
}

// Check notes every mistake in the settings.
func (c *Service) Check(at syntax.Pos, m *syntax.Mistakes) {
	switch {
	case c.Query().IsZero():
		m.AddHint(at, "such as {project: shop, service: db} or {container: shop-db-1}",
			"want what selects containers: container, labels, project and service, or in_network")
	case c.Service != "" && c.Project == "":
		m.Add(c.Of("service"), "a service is one of a Compose project: `project` names that")
	}
	for _, zone := range c.Zones {
		if !syntax.IsName(zone) {
			m.Add(c.Of("zones"), "%q can't name a zone: a-z, 0-9 and -, beginning with a letter", zone)
		}
	}
}

// Units returns the units of the found containers, in their order.
func (c *Service) Units(name string, engine *docker.Engine, found []containers.Container) []chaos.Unit {
	var out []chaos.Unit
	for i := range found {
		out = append(out, &Container{
			Engine: engine, Ref: found[i].Name, Of: Named{Unit: syntax.UnitName(name, i), Service: name}, Selected: c.Query(),
		})
	}
	return out
}

// Outside returns containers of an engine that brunt did not start, each with its unit. A fault may touch one as long
// as the query selects it.
func Outside(engine *docker.Engine, found []containers.Container, q containers.Query) []chaos.Found {
	var out []chaos.Found
	for _, c := range found {
		name := chaos.ContainerPrefix + c.Name
		out = append(out, chaos.Found{
			Container: c, Unit: &Container{Engine: engine, Ref: c.Name, Of: Named{Unit: name, Service: name}, Selected: q},
		})
	}
	return out
}
