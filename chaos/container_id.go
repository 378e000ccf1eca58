package chaos

// ContainerID identifies a container between two starts: each start creates new namespaces.
type ContainerID struct {
	ID      string `json:"container"`
	Started int64  `json:"started"` // Unix nanoseconds
}

func IDOf(u Contained) ContainerID {
	id, started := u.Container()
	return ContainerID{id, started.UnixNano()}
}
