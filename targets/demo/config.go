package demo

import "maps"

// The services by name.
const (
	storeName         = "store"
	notificationsName = "notifications"
	usersName         = "users"
	postsName         = "posts"
	gatewayName       = "gateway"
)

// Config is how SocialConnect is built: how many replicas, and which defences it
// has. The zero value is two replicas of posts and every defence on; a switch that
// is nil was not written and is on.
type Config struct {
	Posts    Scale `yaml:"posts"`    // the service with replicas
	Breaker  *bool `yaml:"breaker"`  // circuit breakers at the gateway, one for each replica that it calls
	Limiter  *bool `yaml:"limiter"`  // 100 requests a minute for each token
	Retries  *bool `yaml:"retries"`  // reads that fail are tried on another replica
	Ejection *bool `yaml:"ejection"` // replicas that fail or hang are left out of the balancer's rotation
	Timeouts *bool `yaml:"timeouts"` // of the calls that gateway and posts make
}

// Scale is the size of a service.
type Scale struct {
	Replicas int      `yaml:"replicas,min=1,max=9"` // processes; 0: 2
	Zones    []string `yaml:"zones"`                // that they stand in, in turn, for faults on a whole zone; zero is none
}

// A Service is one part of the system, for whoever starts it.
type Service struct {
	Name     string
	Replicas int               // how many processes
	Zones    []string          // that they stand in, in turn
	Links    []string          // services that it calls
	Env      map[string]string // its switches
	Ready    string            // a path that answers 200 once it can serve
	Entry    bool              // where clients go
}

// Services lists the parts in the order in which to start them: each after those
// that it calls.
func (c Config) Services() []Service {
	timeouts := map[string]string{"DEMO_TIMEOUTS": onOff(c.Timeouts)}
	defences := map[string]string{
		"DEMO_BREAKER":  onOff(c.Breaker),
		"DEMO_LIMITER":  onOff(c.Limiter),
		"DEMO_RETRIES":  onOff(c.Retries),
		"DEMO_EJECTION": onOff(c.Ejection),
	}
	maps.Copy(defences, timeouts)
	replicas := c.Posts.Replicas
	if replicas == 0 {
		replicas = 2
	}
	services := []Service{
		{Name: storeName},
		{Name: notificationsName},
		{Name: usersName},
		{Name: postsName, Replicas: replicas, Zones: c.Posts.Zones, Links: []string{storeName, notificationsName}, Env: timeouts},
		{Name: gatewayName, Links: []string{postsName, usersName}, Env: defences, Entry: true},
	}
	for i := range services {
		services[i].Ready = "/healthz"
		services[i].Replicas = max(services[i].Replicas, 1)
	}
	return services
}

func onOff(s *bool) string {
	if s == nil || *s {
		return "on"
	}
	return "off"
}
