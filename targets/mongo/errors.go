package mongo

import (
	"cmp"
	"fmt"
	"strconv"

	"brunt/scenarios"
	"brunt/targets"
	"brunt/targets/mongo/codes"
)

// Codes of errors that brunt itself tells apart.
const (
	shutdownInProgress  = 91
	primarySteppedDown  = 189
	legacyNotPrimary    = 10058
	notWritablePrimary  = 10107
	interruptedShutdown = 11600
	interruptedChange   = 11602
	notPrimaryNoOK      = 13435
	notPrimaryOr        = 13436
	unknownError        = 8
	otherCode           = codes.Most + 1 // a code that has no place in a cause
)

// temporary are the codes after which a good answer may follow.
var temporary = map[int32]bool{
	6: true, 7: true, 24: true, 46: true, 50: true, 64: true, 89: true, 91: true, 94: true, 100: true, 112: true,
	133: true, 134: true, 189: true, 216: true, 246: true, 262: true, 9001: true, 10058: true, 10107: true, 11600: true,
	11602: true, 13435: true, 13436: true, 13388: true,
}

// moved reports whether a code says that another server may take the command now. Then the connection is given up.
func moved(code int32) bool {
	switch code {
	case shutdownInProgress, primarySteppedDown, legacyNotPrimary, notWritablePrimary, interruptedShutdown,
		interruptedChange, notPrimaryNoOK, notPrimaryOr:
		return true
	}
	return false
}

// causes are the causes of answers that are errors, by their codes.
var causes = scenarios.CauseFamily{First: 0x61 << 16, Name: func(code int32) string {
	if code == otherCode {
		return "error other"
	}
	return "error " + codes.Name(code)
}}

// refusal is an error that an answer tells; the zero value: it tells no error.
type refusal struct {
	code int32
	text string
}

// refusalIn returns the error in an answer: of the command, of a write, or of its write concern. An answer with `ok: 1`
// may have one of the last two.
func refusalIn(doc []byte) (r refusal) {
	switch {
	case number(doc, "ok") != 1:
		return refusalOf(doc, "")
	case nested(doc, "writeErrors") != nil:
		items(nested(doc, "writeErrors"), func(one []byte) {
			if r.code == 0 {
				r = refusalOf(one, "")
			}
		})
	}
	if concern := nested(doc, "writeConcernError"); r.code == 0 && concern != nil {
		r = refusalOf(concern, "the write concern is not met: ")
	}
	return r
}

// refusalOf returns the error that a document describes. What stands before its text.
func refusalOf(doc []byte, what string) refusal {
	code := integer(doc, "code")
	r := refusal{code: int32(code)}
	switch {
	case code == 0:
		r.code = unknownError
	case code < 0 || code > codes.Most:
		r.code = otherCode
	}
	name := cmp.Or(text(doc, "codeName"), codes.Names[r.code], strconv.FormatInt(code, 10))
	r.text = what + name + ": " + targets.Clip(text(doc, "errmsg"), 300)
	return r
}

// err returns the error of a connection that is refused; nil: it is not refused.
func (r refusal) err(what string) error {
	if r.code == 0 {
		return nil
	}
	return &targets.Error{Cause: causes.Cause(r.code), Text: fmt.Sprintf("%s is refused: %s", what, r.text)}
}
