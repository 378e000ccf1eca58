package convert_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"testing"

	"brunt/scenarios/convert"
	"brunt/scenarios/convert/converttest"
	"brunt/scenarios/convert/draft"
	"brunt/scenarios/suite"
	"brunt/scenarios/syntax"
)

var update = flag.Bool("update", false, "write testdata/*.want")

// sources are the files of testdata whose scenarios are kept, with their formats.
var sources = converttest.Golden

// source reads a file of testdata as a user would convert it there.
func source(t testing.TB, name string) ([]byte, draft.Options) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return b, draft.Options{Kind: sources[name], File: name, From: "testdata", To: "testdata"}
}

// TestConvert compares the scenario and the notes with NAME.want.
func TestConvert(t *testing.T) {
	for _, name := range draft.SortedKeys(sources) {
		t.Run(name, func(t *testing.T) {
			b, o := source(t, name)
			made, err := convert.Convert(b, o)
			if err != nil {
				t.Fatal(err)
			}
			var got strings.Builder
			got.WriteString(made.Text)
			got.WriteString("-- said --\n")
			for _, n := range made.Notes {
				got.WriteString(n.String() + "\n")
			}
			file := filepath.Join("testdata", name+".want")
			if *update {
				if err := os.WriteFile(file, []byte(got.String()), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want, err := os.ReadFile(file); err != nil || string(want) != got.String() {
				t.Errorf("%s is not what is made of %s now: go test ./scenarios/convert -update and look at the difference (%v)",
					file, name, err)
			}
			if again, err := convert.Convert(b, o); err != nil || again.Text != made.Text {
				t.Error("a second time it is another")
			}
		})
	}
}

// TestConvert_NoSecret checks that the secrets of the sources are not written.
func TestConvert_NoSecret(t *testing.T) {
	secrets := []string{
		"geheim", "YW5uOmdlaGVpbQ", "k-1234", "eyJ.abc", "it's me", "sid=1234", "open-sesame", "an-old-secret",
		"YW5uOmFuLW9sZC1zZWNyZXQ",
	}
	for path, kind := range converttest.Sources(t, "testdata") {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		said := says(kind, string(b))
		for _, s := range secrets {
			if strings.Contains(said, s) {
				t.Errorf("%s: %q was written down", path, s)
			}
		}
	}
}

// TestConvert_NoSecretIn checks places that the files of testdata lack: a secret there becomes an
// environment variable, and the text beside it is unchanged.
func TestConvert_NoSecretIn(t *testing.T) {
	body := func(doc string) string {
		return "curl http://127.0.0.1:8080/ -H 'Content-Type: application/json' -d '" + doc + "'"
	}
	plan := func(value string) string {
		return `<jmeterTestPlan version="1.2"><hashTree><TestPlan/><hashTree><ThreadGroup><stringProp ` +
			`name="ThreadGroup.num_threads">1</stringProp></ThreadGroup><hashTree>` +
			`<HTTPSamplerProxy><boolProp name="HTTPSampler.postBodyRaw">true</boolProp><elementProp name="HTTPsampler.Arguments" ` +
			`elementType="Arguments"><collectionProp name="Arguments.arguments">` +
			`<elementProp name="" elementType="HTTPArgument"><stringProp name="Argument.value">` + value +
			`</stringProp></elementProp></collectionProp></elementProp>` +
			`<stringProp name="HTTPSampler.domain">127.0.0.1</stringProp><stringProp name="HTTPSampler.path">/</stringProp><stringProp ` +
			`name="HTTPSampler.method">POST</stringProp></HTTPSamplerProxy><hashTree/>` +
			`</hashTree></hashTree></hashTree></jmeterTestPlan>`
	}
	collection := func(request string) string {
		return `{"info": {"name": "a"}, "variable": [{"key": "admin", "value": "geheim"}],
			"item": [{"name": "b", "request": {"method": "GET", ` + request + `}}]}`
	}
	for _, c := range []struct{ name, kind, source, secret, want string }{
		{
			"a number", "curl", body(`{"user": "ann", "pin": 4711, "n": 1.50}`), "4711",
			`{"user": "ann", "pin": ${env.PIN}, "n": 1.50}`,
		},
		{"a negative number, deep", "curl", body(`{"a": [{"otp": -4.711e3}]}`), "711e3", `"otp": ${env.OTP}}`},
		{"a list of numbers", "curl", body(`{"secrets": [4711, 4712], "n": 1}`), "471", `"secrets": ${env.SECRETS}, "n": 1`},
		{
			"lists in a list", "curl", body(`{"secrets": [[4711], ["]", 4712]], "n": 1}`), "471",
			`{"secrets": ${env.SECRETS}, "n": 1}`,
		},
		{"a list without an end", "curl", body(`{"n": 1, "secrets": [4711, "`), "4711", `{"n": 1, "secrets": ${env.SECRETS}`},
		{"an element of XML", "curl", body(`<a x="1"><pin>4711</pin><n>1</n></a>`), "4711", `<pin>${env.PIN}</pin><n>1</n>`},
		{
			"a field of a form that comes twice", "curl", "curl http://127.0.0.1:8080/ -d 'n=1&pin=4711&n=2'", "4711",
			`n=1&pin=${env.PIN}&n=2`,
		},
		{
			"a list of texts that stays a text", "curl", body(`{"secret": ["a]4711"], "pin": 1}`), "4711",
			`"secret": ${env.SECRET}`,
		},
		{
			"a text with an escape in a body that stays a text", "curl", body(`{"password": "47\"11", "pin": 1}`), `"11`,
			`"password": "${env.PASSWORD}"`,
		},
		{"a number beside a variable", "jmeter", plan(`{"id": "${__UUID()}", "pin": 4711}`), "4711", `"pin": ${env.PIN}`},
		{
			"the default of __P", "jmeter", plan(`{"password": "${__P(shop.password,open-sesame)}"}`), "open-sesame",
			"${env.SHOP_PASSWORD}",
		},
		{
			"the default of __property", "jmeter", plan(`{"password": "${__property(shop.password,,open-sesame)}"}`),
			"open-sesame", "${env.SHOP_PASSWORD}",
		},
		{
			"headers of sessions and keys", "curl",
			"curl -H 'Session: geheim-1' -H 'X-Session: geheim-2' -H 'X-Session-Count: 5' " +
				"-H 'Ocp-Apim-Subscription-Key: geheim-3' http://127.0.0.1:8080/",
			"geheim", `X-Session: "${env.X_SESSION}", X-Session-Count: "5", Ocp-Apim-Subscription-Key: "${env.OCP_`,
		},
		{
			"a URL in a header", "vegeta", "GET http://127.0.0.1:8080/\n" +
				"Referer: http://127.0.0.1/a?token=geheim-1&b=2\n", "geheim",
			`Referer: "http://127.0.0.1/a?token=${env.TOKEN}&b=2"`,
		},
		{
			"a password behind a variable", "curl",
			"curl -u \"$U:geheim-1\" -b \"a=geheim-2; b=$B\" http://127.0.0.1:8080/", "geheim",
			`Cookie: "a=${env.COOKIE_A}; b=${env.B}"}, auth: {basic: {user: "${env.U}", password: "${env.PASSWORD}"}`,
		},
		{
			"an argument of a GET", "jmeter", strings.NewReplacer("POST", "GET", "true", "false").Replace(
				plan(`geheim</stringProp><stringProp name="Argument.name">pwd`)), "geheim", `get: "/?pwd=${env.PASSWORD}"`,
		},
		{
			"a header beside a variable", "curl", "curl -H \"Authorization: Bearer geheim$Z\" -H \"X-Api-Key: ${Z}geheim\" " +
				"-b \"$N=geheim; c=${N}geheim\" http://127.0.0.1:8080/",
			"geheim", `Authorization: "Bearer ${env.AUTHORIZATION}", X-Api-Key: "${env.X_API_KEY}", ` +
				`Cookie: "${env.N}=${env.COOKIE}; c=${env.COOKIE_C}"`,
		},
		{
			"a scheme and a name beside variables", "curl",
			"curl -H \"Authorization: Token token=$Z:$Y\" http://127.0.0.1:8080/", "SECRET",
			`"Token token=${env.Z}:${env.Y}"`,
		},
		{
			"a field of JSON beside a variable", "curl", "curl http://127.0.0.1:8080/ -d " +
				`"{\"password\": \"geheim$Z\", \"pin\": ${Z}4711, \"token\": \"$Z\"}"`,
			"4711", `{"password": "${env.PASSWORD}", "pin": ${env.PIN}, "token": "${env.Z}"}`,
		},
		{
			"a field of XML beside a variable", "curl", "curl http://127.0.0.1:8080/ -d \"<a><pwd>geheim$Z</pwd></a>\"",
			"geheim", "<a><pwd>${env.PASSWORD}</pwd></a>",
		},
		{
			"a field of a form beside a variable", "curl", "curl http://127.0.0.1:8080/ -d \"a=1&pwd=${Z}geheim&b=$Z\"",
			"geheim", "a=1&pwd=${env.PASSWORD}&b=${env.Z}",
		},
		{
			"parts beside variables", "curl",
			"curl http://127.0.0.1:8080/ -F \"pwd=${Z}geheim-1\" -F 'token=geheim-2;type=text/plain'",
			"geheim", "{pwd: \"${env.PASSWORD}\", token: {text: \"${env.TOKEN}\", type: text/plain}}",
		},
		{
			"a parameter beside a variable", "curl",
			"curl \"http://127.0.0.1:8080/?token=${Z}geheim&a=1\" -u \"$U:geheim$Z\"",
			"geheim", `get: "/?token=${env.TOKEN}&a=1", auth: {basic: {user: "${env.U}", password: "${env.PASSWORD}"}`,
		},
		{
			"a secret beside a variable of its name", "curl",
			"curl -d token=geheim http://127.0.0.1:8080/\ncurl -d \"token=$TOKEN\" http://127.0.0.1:8080/",
			"geheim", `form: {token: "${env.TOKEN_2}"}`,
		},
		{
			"a mutation of GraphQL", "curl", body(`{"query": "mutation { login(password: \"geheim\") { id } }"}`),
			"geheim", `{query: "mutation { login(password: "${env.PASSWORD}") { id } }"}`,
		},
		{
			"an element of XML with an attribute", "curl",
			body(`<a><wsse:Password Type="http://a/b">geheim</wsse:Password><n x="/"/>1</a>`),
			"geheim", `<a><wsse:Password Type="http://a/b">${env.WSSE_PASSWORD}</wsse:Password><n x="/"/>1</a>`,
		},
		{
			"passwords that curl asks for", "curl", "curl -u ann:geheim http://127.0.0.1:8080/\n" +
				"curl -u ann http://127.0.0.1:8080/\ncurl -u bob http://127.0.0.1:8080/",
			"geheim", `{user: bob, password: "${env.PASSWORD_3}"}`,
		},
		{
			"a variable of the shell", "curl", "API_KEY=geheim-1 PASS=geheim-2\nTOKEN=geheim-3\n" +
				"curl \"http://127.0.0.1:8080/?key=$API_KEY\" -d note=$PASS -d \"token=$TOKEN\"\n" +
				"TOKEN=geheim-4\ncurl http://127.0.0.1:8080/ -d \"token=$TOKEN\"",
			"geheim", `body: "note=${env.PASS}&token=${env.TOKEN}"`,
		},
		{
			"a variable with a second value", "curl", "TOKEN=geheim-3\nTOKEN=geheim-4\nTOKEN=geheim-4\n" +
				"curl http://127.0.0.1:8080/ -d \"token=$TOKEN\"", "geheim", `form: {token: "${env.TOKEN}"}`,
		},
		{
			"a file of secrets in a variable", "curl", "TOKEN_FILE=geheime.txt\ncurl http://127.0.0.1:8080/ -d @$TOKEN_FILE",
			"TOKEN_FILE", `body: {file: geheime.txt}`,
		},
		{"a token as a user", "curl", "curl -u geheim-0123456789: http://127.0.0.1:8080/", "geheim", `user: "${env.USER}"`},
		{
			"an argument beside a function", "jmeter", plan(`{"password": "geheim${__UUID()}"}`), "geheim",
			`"password": "${env.PASSWORD}${uuid()}"`,
		},
		{
			"a raw argument with a name, and an argument of a function", "jmeter",
			plan(`${__base64Encode(geheim-1)}</stringProp></elementProp><elementProp name="">` +
				`<stringProp name="Argument.name">pwd</stringProp>` +
				`<stringProp name="Argument.value">geheim-2${__UUID()}`), "geheim-2", "${env.PASSWORD}${uuid()}",
		},
		{
			"a short param beside a secret", "jmeter", plan(`{"password": "geheim${__P(env,dev)}"}`), "geheim",
			"env: dev",
		},
		{
			"secrets made of variables", "postman", collection(`"auth": {"type": "bearer", "bearer": [{"key": "token",
			"value": "{{admin}}"}]}, "url": "http://127.0.0.1:8080/?token=geheim-2{{q}}"`), "geheim",
			`get: "/?token=${env.TOKEN}${env.Q}", name: b, headers: {Authorization: "Bearer ${admin}"}`,
		},
		{
			"the value of a param that is secret", "postman", collection(`"header": [{"key": "X-Api-Key",
			"value": "{{admin}}"}], "url": "http://127.0.0.1:8080/"`), "geheim", `admin: "${env.ADMIN}"`,
		},
		{
			"a password beside others in a query", "curl",
			"curl -G -d pwd=geheim-1 -d oldpwd=geheim-2 http://127.0.0.1:8080/a", "geheim",
			`get: "/a?pwd=${env.PASSWORD}&oldpwd=${env.OLDPASSWORD}"`,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			made, err := convert.Convert([]byte(c.source), draft.Options{Kind: c.kind, File: "a", From: ".", To: "."})
			if err != nil {
				t.Fatal(err)
			}
			got := strings.ReplaceAll(made.Text, `\"`, `"`) // the body is a YAML string
			if strings.Contains(got, c.secret) || !strings.Contains(got, c.want) {
				t.Errorf("want %s and no %s in\n%s", c.want, c.secret, made.Text)
			}
			for _, s := range made.Secrets {
				if !strings.Contains(got, "${env."+s.Env+"}") {
					t.Errorf("%s is asked for and read nowhere in\n%s", s.Env, made.Text)
				}
			}
		})
	}
}

// TestConvert_Notes checks that every comment on a lost part has a note.
func TestConvert_Notes(t *testing.T) {
	comment := regexp.MustCompile(`# not carried over(?: \(line (\d+)\))?: (.*)`)
	for name := range sources {
		b, o := source(t, name)
		made, err := convert.Convert(b, o)
		if err != nil {
			t.Fatal(err)
		}
		var said strings.Builder
		for _, n := range made.Notes {
			said.WriteString(n.String() + "\n")
		}
		for _, m := range comment.FindAllStringSubmatch(made.Text, -1) {
			if m[1] != "" && !strings.Contains(said.String(), name+":"+m[1]+": "+m[2]) {
				t.Errorf("%s: %q is not reported with its line", name, m[0])
			}
		}
	}
}

func TestConvert_Refuses(t *testing.T) {
	tests := []struct{ name, kind, text, want string }{
		{"another format", "jmetr", "", `unknown format "jmetr"; did you mean "jmeter"?`},
		{"nothing", "vegeta", "# only a comment\n", "no request is in it"},
		{"no target", "vegeta", "hello\n", `x:1: want a target such as GET http`},
		{"no URL", "vegeta", "\nGET /relative\n", `x:2: "/relative" is not a URL of http or https`},
		{"broken JSON", "vegeta", "{\"method\":\"GET\",\"url\":\"http://a/\"}\n{\"method\": 1}", "x:2: want a target of vegeta: its field method"},
		{"no recording", "har", `{"a": 1}`, "want a recording (HAR), with log.entries in it"},
		{"a list", "har", `[1]`, "x:1: this is not the JSON of a recording"},
		{"half a recording", "har", "{\"log\":\n{\"entries\":[{", "x:2: unexpected EOF"},
		{"nothing recorded", "har", `{"log":{"entries":[]}}`, "no request is in it"},
		{"Swagger 2", "openapi", "swagger: '2.0'\npaths: {}\n", "a Swagger 2 document is not converted"},
		{"no document", "openapi", "a: 1\n", "want a document of OpenAPI 3"},
		{"no operation", "openapi", "openapi: 3.0.0\npaths: {}\n", "no request is in it"},
		{
			"a file elsewhere", "openapi", "openapi: 3.0.0\npaths: {/a: {$ref: '../../secret.yaml'}}\n",
			"only files beside the document are read",
		},
		{
			"a URL", "openapi", "openapi: 3.0.0\npaths: {/a: {$ref: 'http://127.0.0.1:1/secret.yaml'}}\n",
			"only files beside the document are read",
		},
		{
			"a wrong type", "openapi", "openapi: 3.0.0\npaths: {/a: {get: {parameters: 5}}}\n",
			"x:2: /paths/~1a/get/parameters is of the type int",
		},
		{"no YAML", "openapi", "openapi: 3.0.0\n  paths: x\n", "x:2:"},
		{"no exchange", "har", `{"log":{"entries":[{"request":5}]}}`, "no request is in it"},
		{"a list of no collection", "postman", "[]", "want a collection of Postman 2.1"},
		{"an old collection", "postman", `{"requests": []}`, "this is a collection of version 1"},
		{"no plan", "jmeter", "<html/>", "want a plan of JMeter"},
		{"half a plan", "jmeter", "<jmeterTestPlan>\n<hashTree>", "x:2: XML syntax error"},
		{
			"no thread group", "jmeter", "<jmeterTestPlan><hashTree><TestPlan/><hashTree/></hashTree></jmeterTestPlan>",
			"no request is in it",
		},
		{"no command", "curl", "wget http://127.0.0.1/\n", "no command curl is in it"},
		{"a command without a URL", "curl", "curl -v\n", "no request is in it"},
		{
			"no toxic", "toxiproxy", `[{"name": "a", "listen": ":1", "upstream": "b:1"}]`,
			"no fault is in it that a scenario could make",
		},
		{"an open bracket", "chaos-mesh", "apiVersion: chaos-mesh.org/v1alpha1\nspec: {", "x:2"},
		{"a second document with a mistake", "openslo", "apiVersion: openslo/v1\nkind: Service\n---\napiVersion: [\n", "x:4"},
		{"no disruptor", "disruptor", "export default function () { f() }", "no fault is in it"},
		{"no script", "disruptor", "export {", "reading the script: x: Line 1"},
		{"no objective", "openslo", "apiVersion: openslo/v1\nkind: Service\n", "no SLO is in it"},
		{"no OpenSLO", "openslo", "a: 1\n", "x:1: want a document of OpenSLO"},
		{
			"an open quote", "curl", "curl 'http://127.0.0.1/\n",
			"reading the command: x:1:6: reached EOF without closing quote",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			made, err := convert.Convert([]byte(tt.text), draft.Options{Kind: tt.kind, File: "x", From: t.TempDir()})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %+v, %v; want %q", made, err, tt.want)
			}
		})
	}
}

// TestConvert_Large checks that parts that do not fit into a scenario are left out with a note.
func TestConvert_Large(t *testing.T) {
	var wide, long strings.Builder
	for i := range 20_000 {
		fmt.Fprintf(&wide, "GET http://127.0.0.1:8080/items/%d\n", i)
	}
	for i := range 40 {
		fmt.Fprintf(&long, "GET http://127.0.0.1:8080/%d/%s\n", i, strings.Repeat("x", 20_000))
	}
	for name, source := range map[string]string{"many": wide.String(), "long": long.String()} {
		t.Run(name, func(t *testing.T) {
			made, err := convert.Convert([]byte(source), draft.Options{Kind: "vegeta", File: "x"})
			if err != nil {
				t.Fatal(err)
			}
			sc, err := converttest.Parse(made.Text)
			if err != nil {
				t.Fatal(err)
			}
			steps, all := len(sc.Loads[0].Mix), strings.Count(source, "\n")
			reported := fmt.Sprintf("x: %d more steps: a scenario has no room for them", all-steps)
			if steps < 15 || steps == all || made.Notes[0].String() != reported {
				t.Errorf("%d of %d steps, and said is %q, want %q", steps, all, made.Notes, reported)
			}
		})
	}
}

// TestConvert_Bombs checks that plans that expand without end are read quickly.
func TestConvert_Bombs(t *testing.T) {
	arg := func(name, value string) string {
		return `<elementProp name="x"><stringProp name="Argument.name">` + name +
			`</stringProp><stringProp name="Argument.value">` + value + `</stringProp></elementProp>`
	}
	var laughs, nest strings.Builder
	laughs.WriteString(arg("v0", "${__UUID}"+strings.Repeat("x", 1000)))
	for i := range 60 {
		laughs.WriteString(arg(fmt.Sprintf("v%d", i+1), fmt.Sprintf("${v%d}${v%d}", i, i)))
	}
	get := `<HTTPSamplerProxy><stringProp name="HTTPSampler.path">/${v60}</stringProp></HTTPSamplerProxy><hashTree/>`
	for range 40 {
		nest.WriteString(`<LoopController><stringProp name="LoopController.loops">20</stringProp></LoopController><hashTree>`)
	}
	nest.WriteString(get + strings.Repeat(`</hashTree>`, 40))
	plan := `<jmeterTestPlan><hashTree><TestPlan><elementProp name="TestPlan.user_defined_variables"><collectionProp name="Arguments.arguments">` +
		laughs.String() +
		`</collectionProp></elementProp></TestPlan><hashTree><ThreadGroup testname="g"/><hashTree>` + nest.String() +
		`</hashTree></hashTree></hashTree></jmeterTestPlan>`
	made, err := convert.Convert([]byte(plan), draft.Options{Kind: "jmeter", File: "x"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := converttest.Parse(made.Text); err != nil {
		t.Error(err)
	}
	if n := strings.Count(made.Text, "get: "); n < 1 || n > 100 {
		t.Errorf("%d steps", n)
	}
}

// TestConverter_Words checks that words after -- are read as those of a script, also behind a program such as docker.
func TestConverter_Words(t *testing.T) {
	for _, c := range []struct {
		kind, want string
		words      []string
	}{
		{"curl", `body: "user=it's"`, []string{"curl", "-d", "user=it's", "http://127.0.0.1:1/"}},
		{
			"toxiproxy", "network.latency",
			strings.Fields("docker run -d --name tp x/toxiproxy-cli:2 toxic add -t latency -a latency=9 db"),
		},
		{"toxiproxy", "network.latency", strings.Fields("docker exec tp /toxiproxy-cli toxic add -t latency -a latency=9 db")},
		{"curl", "/$a", []string{"curl", "http://127.0.0.1:1/$a"}},
	} {
		by, err := convert.Find(c.kind)
		if err != nil {
			t.Fatal(err)
		}
		source, err := by.Words(c.words)
		if err != nil {
			t.Fatal(err)
		}
		if said := says(c.kind, string(source)); !strings.Contains(said, c.want) {
			t.Errorf("%q: no %s in\n%s", c.words, c.want, said)
		}
	}
}

// TestConvert_DropsInvalid checks that a comment stands for a fault that brunt refuses.
func TestConvert_DropsInvalid(t *testing.T) {
	const toxics = "toxiproxy-cli toxic add -t latency -n slow-a -a latency=9 a\n" +
		"toxiproxy-cli toxic add -t latency -n slow-b -a latency=9 b\n"
	made, err := convert.Convert([]byte(toxics), draft.Options{
		Kind: "toxiproxy", File: "source", Validate: func(made *draft.Scenario) (out []syntax.Mistake) {
			for i, line := range strings.Split(made.Text, "\n") {
				if strings.Contains(line, "slow-b: ") {
					out = append(out, syntax.Mistake{Pos: syntax.Pos{Line: i + 1}, What: "not that"})
				}
			}
			return out
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := "# not carried over (line 2): b-slow-b makes no valid fault: not that\n"
	if !strings.Contains(made.Text, want) || !strings.Contains(made.Text, "slow-a: ") ||
		strings.Contains(made.Text, "slow-b: ") {
		t.Errorf("no %s in, or not the other fault alone:\n%s", want, made.Text)
	}
}

// TestConvert_ShellBombs checks that scripts whose functions, variables and braces multiply words take little memory.
func TestConvert_ShellBombs(t *testing.T) {
	long := strings.Repeat("x", 100)
	for name, source := range map[string]string{
		"an argument twice":   "f() { CALL/$1; f \"$1$1\"; }\nf " + long + "\n",
		"all arguments twice": "f() { CALL \"$@\"; f \"$@\" \"$@\"; }\nf a b\n",
		"braces":              "CALL" + strings.Repeat("{1..99}", 5) + long + "\n",
		"a part in place":     "a=" + strings.Repeat(long, 600) + "\nCALL/${a//x/$a}\n",
	} {
		for kind, call := range map[string]string{
			"curl": "curl http://127.0.0.1:1", "toxiproxy": "toxiproxy-cli toxic add -t latency a",
		} {
			t.Run(kind+"/"+name, func(t *testing.T) {
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				_, said := saysOf(draft.Options{Kind: kind, File: "source"}, strings.ReplaceAll("CALL\n"+source, "CALL", call))
				runtime.ReadMemStats(&after)
				if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 100 && !suite.Race {
					t.Errorf("it takes %d MiB", took)
				}
				if !regexp.MustCompile(`only the shell knows|a variable or a command of the shell`).MatchString(said) {
					t.Errorf("no note says that a word is lost in\n%.2000s", said)
				}
			})
		}
	}
}

func FuzzConvert(f *testing.F) {
	kinds := convert.Kinds()
	for path, kind := range converttest.Sources(f, "testdata") {
		b, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(byte(slices.Index(kinds, kind)), b)
	}
	f.Fuzz(func(t *testing.T, kind byte, b []byte) {
		if len(b) > 64<<10 {
			return
		}
		made, err := convert.Convert(b, draft.Options{
			Kind: kinds[int(kind)%len(kinds)], File: "source", From: "testdata/nowhere",
		})
		if err != nil {
			return
		}
		// Data is read from files that do not exist; a k6 script has no steps.
		if _, err := converttest.Parse(made.Text); err != nil && !strings.Contains(err.Error(), "data") &&
			!strings.Contains(made.Text, "k6:") {
			t.Fatalf("%v\n%s", err, made.Text)
		}
	})
}

// TestConverters_Described: each says what it reads and what becomes of it, for the help and the reference.
func TestConverters_Described(t *testing.T) {
	for _, c := range convert.Converters() {
		if c.Source == "" || c.Doc == "" || strings.HasSuffix(c.Doc, ".") {
			t.Errorf("%s: %q, %q", c.Name, c.Source, c.Doc)
		}
	}
}

// TestConverter_Toy checks that a format is one converter and one line of the list: a list of
// URLs, one per line, becomes a valid scenario.
func TestConverter_Toy(t *testing.T) {
	toy := draft.Converter{Name: "urls", Convert: func(d *draft.Builder, source []byte) error {
		steps := draft.List()
		for line := range strings.Lines(string(source)) {
			steps.Items = append(steps.Items, (&draft.Node{}).Set("get", draft.Plain(strings.TrimSpace(line))))
		}
		d.Load.Set("urls", d.Arrivals("1/s", "lines of the file").Set("flow", steps))
		return nil
	}}
	list := append(convert.Converters(), toy)
	made, err := convert.ConvertWith(list, []byte("http://127.0.0.1:8080/a\nhttp://127.0.0.1:8080/b\n"),
		draft.Options{Kind: "urls", File: "list.txt"})
	if err != nil {
		t.Fatal(err)
	}
	sc, err := converttest.Parse(strings.Replace(made.Text, "target:", "target: {url: \"http://127.0.0.1:8080\"}\n#", 1))
	if err != nil {
		t.Fatalf("%v\n%s", err, made.Text)
	}
	if len(sc.Loads) != 1 || sc.Loads[0].Name != "urls" || len(sc.Loads[0].Flow) != 2 {
		t.Errorf("%+v\n%s", sc.Loads, made.Text)
	}
	if _, err := convert.ConvertWith(list, nil, draft.Options{Kind: "urrls"}); err == nil ||
		!strings.Contains(err.Error(), `did you mean "urls"?`) {
		t.Errorf("got %v", err)
	}
	if _, err := convert.Convert(nil, draft.Options{Kind: "urls"}); err == nil {
		t.Error("the list of all formats has the toy")
	}
}
