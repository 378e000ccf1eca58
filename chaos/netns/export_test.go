package netns

// Actions exports the list of actions to external tests.
func Actions() []Action { return actions() }
