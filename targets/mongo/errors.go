package mongo

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"brunt/scenarios"
	"brunt/targets"
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
	otherCode           = 0xffff // a code that has no place in a cause
)

// codes are the names of errors, from
// https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml. A server adds the name to an error of a
// command, but not to one of a write. Codes keep their meaning for ever.
var codes = map[int32]string{
	1: "InternalError", 2: "BadValue", 4: "NoSuchKey", 6: "HostUnreachable", 7: "HostNotFound", 8: "UnknownError",
	9: "FailedToParse", 11: "UserNotFound", 13: "Unauthorized", 14: "TypeMismatch", 15: "Overflow", 16: "InvalidLength",
	17: "ProtocolError", 18: "AuthenticationFailed", 20: "IllegalOperation", 22: "InvalidBSON", 24: "LockTimeout",
	26: "NamespaceNotFound", 27: "IndexNotFound", 28: "PathNotViable", 30: "InvalidPath", 31: "RoleNotFound",
	40: "ConflictingUpdateOperators", 43: "CursorNotFound", 46: "LockBusy", 47: "NoMatchingDocument",
	48: "NamespaceExists", 50: "MaxTimeMSExpired", 52: "DollarPrefixedFieldName", 53: "InvalidIdField",
	55: "InvalidDBRef", 56: "EmptyFieldName", 57: "DottedFieldName", 59: "CommandNotFound", 61: "ShardKeyNotFound",
	63: "StaleShardVersion", 64: "WriteConcernFailed", 65: "MultipleErrorsOccurred", 66: "ImmutableField",
	67: "CannotCreateIndex", 68: "IndexAlreadyExists", 70: "ShardNotFound", 71: "ReplicaSetNotFound",
	72: "InvalidOptions", 73: "InvalidNamespace", 74: "NodeNotFound", 76: "NoReplicationEnabled",
	79: "UnknownReplWriteConcern", 85: "IndexOptionsConflict", 86: "IndexKeySpecsConflict", 89: "NetworkTimeout",
	90: "CallbackCanceled", 91: "ShutdownInProgress", 93: "InvalidReplicaSetConfig", 94: "NotYetInitialized",
	95: "NotSecondary", 96: "OperationFailed", 100: "UnsatisfiableWriteConcern", 107: "LockFailed", 112: "WriteConflict",
	115: "CommandNotSupported", 117: "ConflictingOperationInProgress", 118: "NamespaceNotSharded",
	121: "DocumentValidationFailure", 123: "NotAReplicaSet", 125: "CommandFailed", 133: "FailedToSatisfyReadPreference",
	134: "ReadConcernMajorityNotAvailableYet", 136: "CappedPositionLost", 143: "CursorInUse", 146: "ExceededMemoryLimit",
	148: "ReadConcernMajorityNotEnabled", 166: "CommandNotSupportedOnView", 167: "OptionNotSupportedOnView",
	168: "InvalidPipelineOperator", 175: "QueryPlanKilled", 189: "PrimarySteppedDown", 216: "ElectionInProgress",
	225: "TransactionTooOld", 237: "CursorKilled", 238: "NotImplemented", 239: "SnapshotTooOld", 241: "ConversionFailure",
	246: "SnapshotUnavailable", 251: "NoSuchTransaction", 256: "TransactionCommitted", 257: "TransactionTooLarge",
	262: "ExceededTimeLimit", 263: "OperationNotSupportedInTransaction", 286: "ChangeStreamHistoryLost",
	292: "QueryExceededMemoryLimitNoDiskUseAllowed", 391: "ReauthenticationRequired", 9001: "SocketException",
	10058: "LegacyNotPrimary", 10107: "NotWritablePrimary", 10334: "BSONObjectTooLarge", 11000: "DuplicateKey",
	11600: "InterruptedAtShutdown", 11601: "Interrupted", 11602: "InterruptedDueToReplStateChange", 13388: "StaleConfig",
	13435: "NotPrimaryNoSecondaryOk", 13436: "NotPrimaryOrSecondary", 14031: "OutOfDiskSpace",
}

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
	return "error " + codeName(code)
}}

// codeName returns the name of a code, or its number if brunt knows none.
func codeName(code int32) string {
	if name := codes[code]; name != "" {
		return name
	}
	return strconv.Itoa(int(code))
}

// codeOf reads a code by name or number.
func codeOf(text string) (int32, bool) {
	if n, err := strconv.ParseUint(text, 10, 16); err == nil {
		return int32(n), n > 0 && n < otherCode
	}
	for code, name := range codes {
		if strings.EqualFold(name, text) {
			return code, true
		}
	}
	return 0, false
}

// refusal is an error that an answer tells; the zero value is none.
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
	case code < 0 || code >= otherCode:
		r.code = otherCode
	}
	name := cmp.Or(text(doc, "codeName"), codes[r.code], strconv.FormatInt(code, 10))
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
