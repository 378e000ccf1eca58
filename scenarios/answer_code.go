package scenarios

import (
	"slices"
	"strconv"
	"strings"
)

// grpcStatuses are the names of the status codes of gRPC, by number.
var grpcStatuses = [...]string{
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS",
	"PERMISSION_DENIED", "RESOURCE_EXHAUSTED",
	"FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
	"UNAUTHENTICATED",
}

// GRPCStatus returns the name of a status code of gRPC, or the number of one without a name.
func GRPCStatus(code int) string {
	if code >= 0 && code < len(grpcStatuses) {
		return grpcStatuses[code]
	}
	return strconv.Itoa(code)
}

// GRPCCode returns the code of a status by its name, in upper or lower case.
func GRPCCode(name string) (code int, known bool) {
	code = slices.IndexFunc(grpcStatuses[:], func(s string) bool { return strings.EqualFold(s, name) })
	return max(0, code), code >= 0
}

// GRPCStatuses lists the names of the status codes of gRPC, by number.
func GRPCStatuses() []string { return slices.Clone(grpcStatuses[:]) }

// redisErrors are the first words of the errors of Redis, by number. Files of requests carry the numbers, so that a
// new word goes to the end.
var redisErrors = [...]string{
	"other", "ERR", "WRONGTYPE", "LOADING", "READONLY", "MOVED", "ASK", "CLUSTERDOWN", "TRYAGAIN", "CROSSSLOT",
	"MASTERDOWN", "BUSY", "OOM",
	"MISCONF", "NOREPLICAS", "NOSCRIPT", "EXECABORT", "NOAUTH", "WRONGPASS", "NOPERM", "NOPROTO", "BUSYKEY", "BUSYGROUP",
	"NOGROUP", "UNBLOCKED",
	"UNKILLABLE", "NOTBUSY", "NOGOODSLAVE", "NOQUORUM", "INPROG", "IOERR", "DENIED", "STALE", "NOADDR", "REDIRECT",
	"INVALIDOBJ", "NOTREADY", "NOSUB",
}

// redisNumbers are the numbers of the words.
var redisNumbers = func() map[string]int32 {
	m := map[string]int32{}
	for i, word := range redisErrors {
		m[word] = int32(i)
	}
	return m
}()

// RedisNumber returns the number of an error of Redis by its first word; 0 is one that is not known.
func RedisNumber(word []byte) int32 { return redisNumbers[string(word)] }

// RedisError is the cause of an answer that is an error; number is that of its first word.
func RedisError(number int32) Cause { return redisCause | Cause(number&0xffff) }

// redisWord returns the first word of the errors with a number.
func redisWord(number int) string {
	if number < len(redisErrors) {
		return redisErrors[number]
	}
	return redisErrors[0]
}

// stateDigits are the characters of a SQLSTATE, in the order of their values.
const stateDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

// SQLState returns the number of a SQLSTATE, which has five digits and capitals; a text that is none has the number of
// XX000.
func SQLState(code string) (number int32) {
	if len(code) != 5 {
		code = "XX000"
	}
	for i := range len(code) {
		digit := strings.IndexByte(stateDigits, code[i])
		if digit < 0 {
			return SQLState("")
		}
		number = number*int32(len(stateDigits)) + int32(digit)
	}
	return number
}

// SQLStateError is the cause of an answer that is an error with a SQLSTATE; number is that of [SQLState].
func SQLStateError(number int32) Cause { return sqlStateCause | Cause(number)&^sqlStateCause }

// MySQLError is the cause of an answer that is an error of MySQL.
func MySQLError(number int32) Cause { return mysqlCause | Cause(number&0xffff) }

// sqlState returns the SQLSTATE with a number.
func sqlState(number int32) string {
	var code [5]byte
	for i := range code {
		code[len(code)-1-i] = stateDigits[number%int32(len(stateDigits))]
		number /= int32(len(stateDigits))
	}
	return string(code[:])
}
