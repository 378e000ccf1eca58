package delivery

// A source reports sightings to a set until it is closed. After Close it reports none.
type source interface{ Close() error }

// sources lists the sources of sightings. Each function opens those that the deliveries of a set name, and sets where
// messages are seen.
func sources() []func(*Set) ([]source, error) {
	return []func(*Set) ([]source, error){
		openHooks,
	}
}
