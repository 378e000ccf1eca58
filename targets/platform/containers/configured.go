package containers

// Limits are the limits that the engine was given for a container.
type Limits struct {
	CPUQuota int64                        // microseconds of processor time in each period; zero is no limit
	Memory   int64                        // bytes; zero is no limit
	Disk     map[string]map[string]uint64 // bytes per second of "read" and "write", by the path of the device
}

// An Endpoint is a container's configuration in a network, as it was requested. It has everything that is needed to
// restore it.
type Endpoint struct {
	Network  string `json:"network"` // its id
	Name     string `json:"name"`    // of the network
	Address  string `json:"address,omitempty"`
	Address6 string `json:"address6,omitempty"`
	Fixed    bool   `json:"fixed,omitempty"` // an address was requested instead of chosen by the engine
	// requested addresses; nil together with Fixed means both, as in older journals
	Asked      *Asked            `json:"asked,omitempty"`
	Device     string            `json:"device,omitempty"` // in the container, such as eth0; empty: not known
	Mac        string            `json:"mac,omitempty"`
	OwnMac     bool              `json:"own_mac,omitempty"`  // not derived from the IP address
	Priority   int               `json:"priority,omitempty"` // priority as the container's gateway
	Aliases    []string          `json:"aliases,omitempty"`
	Links      []string          `json:"links,omitempty"`
	DriverOpts map[string]string `json:"driver_opts,omitempty"`
}

// Asked holds the addresses that were requested when a container was connected to a network.
type Asked struct {
	Address   string   `json:"address,omitempty"`
	Address6  string   `json:"address6,omitempty"`
	LinkLocal []string `json:"link_local,omitempty"`
}
