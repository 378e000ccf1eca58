package redis

import "brunt/scenarios"

// firstWords are the first words of errors, by number. Stored files of requests contain the numbers, so a new word
// must be added at the end.
var firstWords = [...]string{
	"other", "ERR", "WRONGTYPE", "LOADING", "READONLY", "MOVED", "ASK", "CLUSTERDOWN", "TRYAGAIN", "CROSSSLOT",
	"MASTERDOWN", "BUSY", "OOM",
	"MISCONF", "NOREPLICAS", "NOSCRIPT", "EXECABORT", "NOAUTH", "WRONGPASS", "NOPERM", "NOPROTO", "BUSYKEY", "BUSYGROUP",
	"NOGROUP", "UNBLOCKED",
	"UNKILLABLE", "NOTBUSY", "NOGOODSLAVE", "NOQUORUM", "INPROG", "IOERR", "DENIED", "STALE", "NOADDR", "REDIRECT",
	"INVALIDOBJ", "NOTREADY", "NOSUB",
}

// numbers maps first words to their numbers; 0 stands for an unknown word.
var numbers = func() map[string]int32 {
	m := map[string]int32{}
	for i, word := range firstWords {
		m[word] = int32(i)
	}
	return m
}()

// causes are the causes of answers that are errors.
var causes = scenarios.CauseFamily{First: 5 << 16, Name: func(number int32) string {
	if int(number) >= len(firstWords) {
		number = 0
	}
	return "error " + firstWords[number]
}}
