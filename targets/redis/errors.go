package redis

import "brunt/scenarios"

// firstWords are the first words of errors, by number. Files of requests carry the numbers, so that a new word goes to
// the end.
var firstWords = [...]string{
	"other", "ERR", "WRONGTYPE", "LOADING", "READONLY", "MOVED", "ASK", "CLUSTERDOWN", "TRYAGAIN", "CROSSSLOT",
	"MASTERDOWN", "BUSY", "OOM",
	"MISCONF", "NOREPLICAS", "NOSCRIPT", "EXECABORT", "NOAUTH", "WRONGPASS", "NOPERM", "NOPROTO", "BUSYKEY", "BUSYGROUP",
	"NOGROUP", "UNBLOCKED",
	"UNKILLABLE", "NOTBUSY", "NOGOODSLAVE", "NOQUORUM", "INPROG", "IOERR", "DENIED", "STALE", "NOADDR", "REDIRECT",
	"INVALIDOBJ", "NOTREADY", "NOSUB",
}

// numbers are those of the first words; 0 is a word that is not known.
var numbers = func() map[string]int32 {
	m := map[string]int32{}
	for i, word := range firstWords {
		m[word] = int32(i)
	}
	return m
}()

// causes are those of answers that are errors.
var causes = scenarios.CauseFamily{First: 5 << 16, Name: func(number int32) string {
	if int(number) >= len(firstWords) {
		number = 0
	}
	return "error " + firstWords[number]
}}
