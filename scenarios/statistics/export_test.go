package statistics

// The wager behind the bounds, for tests of its level.
var (
	NewWager   = newWager
	ShareAbove = shareAbove
	ShareBelow = shareBelow
)
