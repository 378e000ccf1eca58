package chaos

// ContainerID says which container is meant, between two starts: its namespaces are made
// anew by each.
type ContainerID struct {
	ID      string `json:"container"`
	Started int64  `json:"started"` // Unix nanoseconds
}

func IDOf(u Contained) ContainerID {
	id, started := u.Container()
	return ContainerID{id, started.UnixNano()}
}
