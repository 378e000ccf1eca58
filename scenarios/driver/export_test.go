package driver

// NewRetryClients is for tests.
var NewRetryClients = newRetryClients
