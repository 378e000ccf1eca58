// Package codes has the codes of MongoDB's errors, with their names.
package codes

import (
	"strconv"
	"strings"
)

// Most is the highest code that brunt tells apart. Those of places in the server's source are higher.
const Most = 0xfffe

// Names are the names of errors by their codes, from
// https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml. A server adds the name to an error of a
// command, but not to one of a write.
var Names = map[int32]string{
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

// Name returns the name of a code, or its number if brunt knows no name.
func Name(code int32) string {
	if name := Names[code]; name != "" {
		return name
	}
	return strconv.Itoa(int(code))
}

// Parse reads a code by name or number, and reports whether it is one.
func Parse(text string) (code int32, ok bool) {
	if n, err := strconv.ParseUint(text, 10, 16); err == nil {
		return int32(n), n > 0 && n <= Most
	}
	for code, name := range Names {
		if strings.EqualFold(name, text) {
			return code, true
		}
	}
	return 0, false
}
