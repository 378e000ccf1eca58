package secret

import (
	"encoding/base64"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"brunt/scenarios/syntax"
)

// Fields returns the text with every value masked that follows a secret name: the line of a header, a member of JSON
// (also of JSON within a JSON string), a parameter of a URL or a form, an element of XML, a variable of an
// environment. It also masks the password before the host of a URL.
func Fields(text string) string { return Mask(text, find(text)) }

// Spans returns the places that [Fields] masks.
func Spans(text string) []Span { return find(text) }

// Hide is Fields with one star for each character of a value.
func Hide(text string) string { return Stars(text, find(text)) }

// Values returns the values that [Fields] masks in the text and that are long enough to be masked wherever they
// appear. It returns them as written and decoded.
func Values(text string) []string {
	var out []string
	seen := map[string]bool{}
	for _, s := range find(text) {
		for _, v := range decoded(text[s.From:s.To]) {
			if IsLong(v) && !seen[v] {
				seen[v] = true
				out = append(out, v)
			}
		}
	}
	return out
}

// Of returns the secrets in the value of a secret name: the value, and the cookies and the password in it.
func Of(value string) []string {
	_, value = cutScheme(value)
	return slices.DeleteFunc(decoded(value), func(v string) bool { return !IsLong(v) })
}

// decoded returns the possible readings of a secret value.
func decoded(v string) []string {
	all := []string{v}
	if strings.Contains(v, `\`) {
		var s string
		if json.Unmarshal([]byte(`"`+v+`"`), &s) == nil {
			all = append(all, s)
		}
	}
	if strings.ContainsAny(v, "%+") {
		if s, err := url.QueryUnescape(v); err == nil {
			all = append(all, s)
		}
		if s, err := url.PathUnescape(v); err == nil {
			all = append(all, s)
		}
	}
	for one := range strings.SplitSeq(v, ";") { // cookies
		name, value, ok := strings.Cut(strings.TrimSpace(one), "=")
		if ok && !slices.Contains(cookieSettings, strings.ToLower(name)) && strings.Trim(value, "=") != "" {
			all = append(all, strings.Trim(value, `"`))
		}
	}
	if pair, err := base64.StdEncoding.DecodeString(v); err == nil {
		if _, password, ok := strings.Cut(string(pair), ":"); ok {
			all = append(all, password)
		}
	}
	return all
}

// cookieSettings are the attributes that a cookie can have.
var cookieSettings = []string{"path", "domain", "expires", "max-age", "samesite"}

// find returns the secret values in a text, in order and without overlap. Its time is proportional to the length of
// the text, because a part that was read as a value is not read again.
func find(text string) []Span {
	var out []Span
	end := 0 // of the last value
	add := func(from, to int) {
		if from = max(from, end); from >= to {
			return
		}
		end = to
		if from = afterPlaceholders(text, from, to); from < to && text[from:to] != syntax.Masked {
			out = append(out, Span{from, to})
		}
	}
	flags := strings.Contains(text, " -") || strings.HasPrefix(text, "-")
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case ' ':
			if !flags || i == 0 || !isNameByte(text[i-1]) || i < end {
				continue
			}
		case ':':
			if strings.HasPrefix(text[i:], "://") {
				from, to := userinfo(text, i+len("://"))
				add(from, to)
				continue
			}
		case '=', '>':
		default:
			continue
		}
		if i < end {
			continue
		}
		n, ok := nameBefore(text, i)
		if !ok || text[i] == ' ' && !n.flag {
			continue
		}
		for _, s := range n.values(text, i) {
			add(s.From, s.To)
		}
	}
	return out
}

// afterPlaceholders returns where a value continues after the placeholders, and the characters between them, with
// which it begins.
func afterPlaceholders(text string, from, to int) int {
	for from < to {
		end := placeholder(text, from)
		if end == from {
			return from
		}
		for from = end; from < to && !isLetter(text[from]) && !strings.HasPrefix(text[from:], "${"); {
			from++
		}
	}
	return to
}

// placeholder returns the end of the placeholder at from, or from if there is none. A placeholder contains no
// separator that a secret value can follow.
func placeholder(text string, from int) (end int) {
	if !strings.HasPrefix(text[from:], "${") {
		return from
	}
	for i := from + len("${"); i < len(text); i++ {
		switch text[i] {
		case '}':
			return i + 1
		case ':':
			if !strings.HasPrefix(text[i-1:], "':'") { // not as in ${base64(env.USER, ':', env.PASSWORD)}
				return from
			}
		case '=', '<', '>', '$', '"', '\n':
			return from
		}
		if strings.HasPrefix(text[i:], syntax.Ellipsis) {
			return i
		}
	}
	return from
}

// isLetter reports whether c is a letter, a digit, or a part of a character beyond ASCII.
func isLetter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c >= utf8.RuneSelf
}

// UserToken is the length in bytes from which a user without a password is a token.
const UserToken = 16

// userinfo returns the place of the password of a URL whose scheme ends at from, or of its user if that is as long as
// a token.
func userinfo(text string, from int) (begin, end int) {
	to := from
	for to < len(text) && to-from < 1<<10 && !strings.ContainsRune("/?# \t\r\n\"'<>\\", rune(text[to])) {
		to++
	}
	at := strings.LastIndexByte(text[from:to], '@')
	if at < 0 {
		return 0, 0
	}
	if colon := strings.IndexByte(text[from:from+at], ':'); colon >= 0 {
		return from + colon + 1, from + at
	}
	if at < UserToken {
		return 0, 0
	}
	return from, from + at
}

// A name is a secret name found in a text.
type name struct {
	text      string
	slashes   int  // backslashes before its quote
	quoted    bool // it is inside quotes
	firstWord bool // it is at the beginning of a line
	flag      bool // it is a flag of a command line
}

// isNameByte reports whether a name can contain c.
func isNameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' ||
		c == '[' || c == ']'
}

// nameBefore returns the secret name that ends before the separator at i.
func nameBefore(text string, i int) (n name, ok bool) {
	j := i
	for j > 0 && text[j-1] == ' ' && i-j < 2 && text[i] == ':' {
		j--
	}
	var quote byte
	if j > 0 && (text[j-1] == '"' || text[j-1] == '\'') {
		quote, n.quoted = text[j-1], true
		for j--; j > 0 && text[j-1] == '\\'; j-- {
			n.slashes++
		}
	}
	from := j
	for from > 0 && j-from <= longestName && isNameByte(text[from-1]) {
		from--
	}
	for from < j && (text[from] == '[' || text[from] == '-') { // a flag, or the beginning of a map
		n.flag = text[from] == '-'
		from++
	}
	if n.quoted && (from == 0 || text[from-1] != quote) {
		return n, false
	}
	if from > 0 && from < j && text[from-1] == '\\' { // the n of \nname belongs to the line end
		from++
	}
	n.text = text[from:j]
	if text[i] == '>' && (from == 0 || text[from-1] != '<') {
		return n, false
	}
	n.firstWord = from == 0 || strings.IndexByte("\n\"'", text[from-1]) >= 0 || from > 1 && text[from-2] == '\\'
	return n, IsName(n.text)
}

// values returns the places of the values after the name whose separator is at i.
func (n name) values(text string, i int) []Span {
	k := i + 1
	for k < len(text) && (text[k] == ' ' || text[k] == '\t') && text[i] != '>' {
		k++
	}
	if k == len(text) || text[k] == '=' || text[i] == ' ' && text[k] == '-' {
		return nil
	}
	quote := k
	for quote < len(text) && text[quote] == '\\' {
		quote++
	}
	switch {
	case text[i] == '>':
		if to := strings.IndexByte(text[k:], '<'); to >= 0 && strings.HasPrefix(text[k+to:], "</") {
			return []Span{{k, k + to}}
		}
		return nil
	case quote < len(text) && (text[quote] == '"' || text[quote] == '\''):
		return []Span{n.scheme(text, quote+1, closing(text, quote, quote-k))}
	case text[k] == '[':
		return n.list(text, k)
	case text[k] == '{':
		return nil
	case n.quoted && text[i] == ':':
		return literal(text, k)
	}
	return n.bare(text, i, k)
}

// closing returns the end of the quote at open, before which there are slashes backslashes. If the text is cut, its
// end is returned. Inside quotes with n backslashes, a backslash is written as 2(n+1) of them, so the closing quote
// has n more than a multiple of that. A quote with fewer backslashes ends the enclosing text.
func closing(text string, open, slashes int) int {
	run := 0
	for i := open + 1; i < len(text); i++ {
		switch {
		case text[i] == '\\':
			run++
			continue
		case text[i] == text[open] && run < slashes:
			return i - run
		case text[i] == text[open] && run%(2*(slashes+1)) == slashes:
			return i - slashes
		}
		run = 0
	}
	return len(text)
}

// list returns the values of a list: each quoted item, the text between them, and a list without quotes, as Go prints
// it, as one value.
func (n name) list(text string, from int) []Span {
	var out []Span
	begin := from + 1 // beginning of text without quotes
	bare := func(to int) {
		for begin < to && strings.IndexByte(", \t\r\n\\", text[begin]) >= 0 {
			begin++
		}
		end := to
		for end > begin && strings.IndexByte(", \t\r\n\\", text[end-1]) >= 0 {
			end--
		}
		if begin < end {
			out = append(out, n.scheme(text, begin, end))
		}
	}
	for i := begin; i < len(text); i++ {
		switch text[i] {
		case ']':
			bare(i)
			return out
		case '"', '\'':
			slashes := 0
			for text[i-1-slashes] == '\\' {
				slashes++
			}
			bare(i)
			end := closing(text, i, slashes)
			out = append(out, n.scheme(text, i+1, end))
			i = min(end+slashes, len(text)-1)
			begin = i + 1
		}
	}
	bare(len(text))
	return out
}

// literal returns the place of a JSON number.
func literal(text string, from int) []Span {
	to := from
	for to < len(text) && (text[to] >= '0' && text[to] <= '9' || strings.IndexByte("-+.eE", text[to]) >= 0) {
		to++
	}
	if to == from {
		return nil
	}
	return []Span{{from, to}}
}

// bare returns the place of a value without quotes.
func (n name) bare(text string, i, from int) []Span {
	ends := "&;, \t\r\n\"'<>)]}|`\\"
	low := strings.ToLower(n.text)
	header := text[i] == ':' && n.firstWord
	if header && (strings.Contains(low, "cookie") || strings.Contains(low, "authorization")) {
		ends = "\r\n\"'`\\"
	}
	to := from
	if scheme, _ := cutScheme(text[from:min(len(text), from+longestName)]); scheme != "" {
		to += len(scheme)
	}
	from = to
	for to < len(text) && strings.IndexByte(ends, text[to]) < 0 && !strings.HasPrefix(text[to:], syntax.Ellipsis) {
		to++
	}
	value := strings.TrimRight(text[from:to], " ")
	if text[i] == ':' && !header && !isRandom(value) && !strings.Contains(low, "authorization") {
		return nil // prose: "invalid token: expired"
	}
	return []Span{{from, from + len(value)}}
}

// scheme leaves out the word before credentials, such as Bearer.
func (n name) scheme(text string, from, to int) Span {
	if word, _ := cutScheme(text[from:to]); word != "" {
		from += len(word)
	}
	return Span{from, to}
}

// schemes are the words that can precede credentials.
var schemes = []string{"bearer ", "basic ", "digest ", "token ", "apikey ", "negotiate ", "aws4-hmac-sha256 "}

// cutScheme splits credentials into the scheme, including its blank, and the rest.
func cutScheme(value string) (scheme, rest string) {
	for _, s := range schemes {
		if len(value) > len(s) && strings.EqualFold(value[:len(s)], s) {
			return value[:len(s)], value[len(s):]
		}
	}
	return "", value
}

// isRandom reports whether a word in a sentence looks like a secret.
func isRandom(word string) bool {
	const long = 20
	return len(word) >= long || len(word) >= Shortest && strings.ContainsAny(word, "0123456789")
}
