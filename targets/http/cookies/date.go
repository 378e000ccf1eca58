package cookies

import (
	"strconv"
	"strings"
	"time"
)

// parseDate parses the date of a cookie, whose parts may stand in any order (RFC 6265, section 5.1.1).
func parseDate(text string) (time.Time, bool) {
	var clock, day, month, year string
	for _, word := range strings.FieldsFunc(text, func(r rune) bool {
		return r <= '/' || r > ':' && r <= '@' || r > 'Z' && r < 'a' || r > 'z' && r <= '~'
	}) {
		n := len(strings.TrimRight(word, "0123456789:"))
		switch lower := strings.ToLower(word); {
		case clock == "" && n == 0 && strings.Count(word, ":") == 2:
			clock = word
		case day == "" && n == 0 && len(word) <= 2:
			day = word
		case month == "" && len(word) >= 3 && monthOf(lower[:3]) > 0:
			month = lower[:3]
		case year == "" && n == 0 && (len(word) == 2 || len(word) == 4):
			year = word
		}
	}
	at, err := time.Parse("15:4:5", clock)
	d, _ := strconv.Atoi(day)
	y, _ := strconv.Atoi(year)
	if y < 70 {
		y += 2000
	} else if y < 100 {
		y += 1900
	}
	date := time.Date(y, monthOf(month), d, at.Hour(), at.Minute(), at.Second(), 0, time.UTC)
	return date, err == nil && year != "" && month != "" && date.Day() == d && y >= 1601
}

const months = "janfebmaraprmayjunjulaugsepoctnovdec"

// monthOf returns the month of its first three letters; 0: none has them.
func monthOf(letters string) time.Month {
	if i := strings.Index(months, letters); i >= 0 && i%3 == 0 && len(letters) == 3 {
		return time.Month(i/3 + 1)
	}
	return 0
}
