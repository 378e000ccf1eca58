package casefile

// Open is [open].
var Open = open
