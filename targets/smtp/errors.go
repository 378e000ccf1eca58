package smtp

import (
	"strconv"

	"brunt/scenarios"
)

// Codes of replies that brunt tells apart.
const (
	ready       = 220
	okay        = 250
	goOn        = 334 // of AUTH
	startMail   = 354
	closing     = 421 // the server ends the connection
	firstRefuse = 400
	firstFinal  = 500 // the same mail is refused again
)

// causes are the causes of replies that refuse, by their codes.
var causes = scenarios.CauseFamily{First: 0x62 << 16, Name: func(code int32) string {
	return "status " + strconv.Itoa(int(code))
}}

// codeOf reads the code of a reply that refuses.
func codeOf(text string) (int32, bool) {
	n, err := strconv.ParseUint(text, 10, 10)
	return int32(n), err == nil && n >= firstRefuse && n < 600
}
