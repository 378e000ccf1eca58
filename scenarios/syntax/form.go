package syntax

import (
	"slices"
	"strings"
)

// A Form is one form of placeholder.
type Form struct {
	Name    string // of the list that `brunt explain placeholders` prints
	Kind    RefKind
	Example string // between ${ and }
	About   string // what its value is, in sentences that begin with the placeholder
}

// Forms lists the forms of placeholders that authors can write.
func Forms() []Form { return slices.Clone(forms) }

// forms are the forms of placeholders. A placeholder of another form is a mistake, so that a new one needs its row
// here.
var forms = []Form{
	{"param", RefParam, "rate", "${NAME} is a param of the scenario; --set NAME=VALUE overrides it."},
	{"env", RefEnv, "env.TOKEN", "${env.NAME} is a variable of the environment of brunt; reports mask it."},
	{"file", RefFile, "file.key.pem", "${file.PATH} is the text of a file beside the scenario; reports mask it."},
	{
		"data", RefData, "data.users.id",
		"${data.TABLE.COLUMN} is a value of the row of a table of `data` that the iteration has.",
	},
	{
		"var", RefVar, "var.token",
		"${var.NAME} is the value that an earlier step extracts by extract: {NAME: \"$.path\"}.",
	},
	{
		"unit", RefUnit, "unit.posts.url",
		"${unit.SERVICE.url} is the URL of a unit of the target, ${unit.SERVICE[1].addr} the host:port of its second " +
			"replica; there are addr, host, port and url. Faults on links do not act on what goes there.",
	},
	{
		"link", RefLink, "link.store.url",
		"${link.SERVICE.url} is where a process of the target reaches another one, through the link on which faults act: " +
			"env: {STORE_URL: \"${link.store.url}\"}; there are addr, host, port and url.",
	},
	{
		"self", RefSelf, "self.port",
		"${self.port} is of the unit itself, in the settings of a process, in a question to a unit and in the `path` of a " +
			"fault; there are " + strings.Join(OfSelf[:len(OfSelf)-1], ", ") + " and " + OfSelf[len(OfSelf)-1] + ".",
	},
	{"int", RefInt, "int(1,50)", "${int(1,50)} is a whole number drawn for each use, from 1 to 50."},
	{
		"uuid", RefUUID, "uuid()",
		"${uuid()} is a UUID drawn for each use; ${uuid(seeded)} depends on the seed alone.",
	},
	{
		"now", RefNow, "now()",
		"${now()} is the time of the use; ${now(unix)} is it in seconds, ${now(ms)} in milliseconds.",
	},
	{
		"base64", RefCall, "base64(env.USER, ':', env.PASSWORD)",
		"${base64(env.USER, ':', env.PASSWORD)} encodes placeholders and quoted texts, one after the other.",
	},
	{"hex", RefCall, "hex(var.id)", "${hex(var.id)} is a value in hexadecimal digits."},
	{
		"sha256", RefCall, "sha256(data.users.name)",
		"${sha256(data.users.name)} is the digest of a value in hexadecimal digits; base64(sha256(…)) encodes its bytes.",
	},
	{
		"ledger.id", RefLedger, LedgerPlaceholder,
		"${ledger.id} is a UUID that brunt draws for each write of the `ledger`, and that the write sends.",
	},
	{
		"id", RefParam, "id",
		"${id} is the id of a write, in `read` of the `ledger`: read: {get: \"/posts/${id}\"}.",
	},
	{
		"consistency.value", RefLedger, ConsistencyPlaceholder,
		"${consistency.value} is a value that brunt draws for each write of `consistency`, and that the write sends.",
	},
	{
		"delivery.id", RefLedger, DeliveryPlaceholder,
		"${delivery.id} is an id that brunt draws for each message of `deliveries`, and that the step sends.",
	},
	{
		"message.id", RefMessage, messagePlaceholder,
		"${message.id} is a number that brunt draws for each message of a stream; in `expect` it tells the answer.",
	},
	{
		"request", RefRequest, "request.path",
		"${request.PART} is a part of the request that a `sign` block signs; there are " + strings.Join(ofRequest, ", ") + ".",
	},
	{"trace.id", RefTrace, TracePlaceholder, "${trace.id} is the id of a trace, in `link` of `trace`."},
}

// spaces are the names before the dot of a placeholder, and functions those before its parenthesis.
var spaces, functions = begins("."), begins("(")

// begins lists what comes before sep in the examples that hold it: the spaces of names, or the functions.
func begins(sep string) []string {
	var out []string
	for _, f := range forms {
		i := strings.IndexAny(f.Example, ".(")
		if i >= 0 && f.Example[i:i+1] == sep && !slices.Contains(out, f.Example[:i]) {
			out = append(out, f.Example[:i])
		}
	}
	return out
}

// examples shows all forms of placeholders.
func examples() string {
	var out []string
	for _, f := range forms {
		out = append(out, "${"+f.Example+"}")
	}
	return strings.Join(out, ", ")
}
