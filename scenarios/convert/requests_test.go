package convert_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"brunt/scenarios/convert"
	"brunt/scenarios/convert/converttest"
	"brunt/scenarios/convert/draft"
)

// TestConvert_Requests checks that requests are sent as their source says, byte for byte, or that a note says what is
// another.
func TestConvert_Requests(t *testing.T) {
	plan := func(name string) string {
		b, err := os.ReadFile(filepath.Join("testdata", "jmeter", name+".jmx"))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	// element returns an element of a plan with its properties, each key=value, and what is below it.
	element := func(tag, below string, properties ...string) string {
		var out strings.Builder
		out.WriteString("<" + tag + ` testname="it" guiclass="HttpDefaultsGui">`)
		for _, property := range properties {
			key, value, _ := strings.Cut(property, "=")
			out.WriteString(`<stringProp name="` + key + `">` + value + `</stringProp>`)
		}
		return out.String() + "</" + tag + "><hashTree>" + below + "</hashTree>"
	}
	list := func(tag, name string, properties ...string) string {
		row := strings.Replace(element("elementProp", "", properties...), "<hashTree></hashTree>", "", 1)
		return "<" + tag + ` testname="it"><collectionProp name="` + name + `">` + row + "</collectionProp></" + tag +
			"><hashTree/>"
	}
	// within adds properties to the first element of a part of a plan.
	within := func(part, properties string) string {
		head, rest, _ := strings.Cut(part, ">")
		return head + ">" + properties + rest
	}
	arguments := func(name, value string) string {
		return `<elementProp name="HTTPsampler.Arguments"><collectionProp name="Arguments.arguments"><elementProp name="">` +
			`<stringProp name="Argument.name">` + name + `</stringProp><stringProp name="Argument.value">` + value +
			`</stringProp></elementProp></collectionProp></elementProp>`
	}
	groups := func(below ...string) string {
		return "<jmeterTestPlan><hashTree><TestPlan/><hashTree>" + strings.Join(below, "") +
			"</hashTree></hashTree></jmeterTestPlan>"
	}
	sampler := func(below string, properties ...string) string {
		return element("HTTPSamplerProxy", below, append(properties, "HTTPSampler.domain=127.0.0.1")...)
	}
	group := func(below ...string) string { return groups(element("ThreadGroup", strings.Join(below, ""))) }
	extractor := func(properties ...string) string {
		return group(sampler(element("RegexExtractor", "", append(properties, "RegexExtractor.refname=v")...)))
	}
	credentials := list("AuthManager", "AuthManager.auth_list", "Authorization.url=http://127.0.0.1:80/a",
		"Authorization.username=ann", "Authorization.password=x")
	entries := 0
	recording := func(more, path string, status int, kind string) string {
		begin := ","
		if entries++; entries%3 == 1 {
			begin = `{"log": {"entries": [`
		}
		return begin + fmt.Sprintf(`{%s "request": {"method": "GET", "url": "http://127.0.0.1:1%s"}, "response": {"status": %d, `+
			`"content": {"mimeType": %q}}}`, more, path, status, kind)
	}
	parameter := func(name, style, explode, example string) string {
		return "{name: " + name + ", in: path, required: true, style: " + style + ", explode: " + explode + ", example: " + example + "}"
	}
	document := func(path, links string, parameters ...string) string {
		return "openapi: 3.0.0\ninfo: {title: a, version: '1'}\nservers: [{url: 'http://127.0.0.1:1'}]\npaths:\n  '" + path +
			"':\n    get:\n      parameters: [" + strings.Join(parameters, ", ") + "]\n      callbacks: {done: {}}\n" +
			"      responses: {'200': {description: ok" + links + "}}\n"
	}
	body := func(kind, example, encoding string) string {
		return "openapi: 3.0.0\ninfo: {title: a, version: '1'}\nservers: [{url: 'http://127.0.0.1:1'}]\npaths:\n  /a:\n" +
			"    post:\n      requestBody:\n        content:\n          " + kind + ":\n            schema: {type: object, " +
			"properties: {f: {type: string, format: binary}}}\n            example: {" + example + "}\n            encoding: {" +
			encoding + "}\n      responses: {'200': {description: ok}}\n"
	}
	for _, c := range []struct {
		name, kind, source string
		want               []string
		no                 string
	}{
		{"another host", "curl", "curl -H 'Host: b.test' http://127.0.0.1:1/", []string{"headers: {Host: b.test}"}, ""},
		{"the host of the URL", "curl", "curl -H 'Host: 127.0.0.1:1' http://127.0.0.1:1/", nil, "Host"},
		{"another port", "curl", "curl -H 'Host: 127.0.0.1' http://127.0.0.1:1/", []string{"headers: {Host: 127.0.0.1}"}, ""},
		{
			"another host of a target", "vegeta", "GET http://127.0.0.1:1/\nHost: b.test\n",
			[]string{"headers: {Host: b.test}"},
			"",
		},
		{
			"headers of a target", "vegeta", "GET http://127.0.0.1:1/\nX-A: 1\nConnection: close\nX-A: 2\n",
			[]string{"source:3: the header Connection", "source:4: the header X-A comes twice"},
			"",
		},
		{"another host of a plan", "jmeter", plan("host"), []string{"headers: {Host: other.example.com}"}, ""},
		{
			"a header of the connection", "curl", "curl -H 'Connection: close' http://127.0.0.1:1/",
			[]string{"the header Connection: brunt sets it"},
			"",
		},
		{
			"the charset of a part", "curl", "curl -F 'a=hi;type=text/plain; charset=utf-8' http://127.0.0.1:1/",
			[]string{`multipart: {a: {text: hi, type: "text/plain; charset=utf-8"}}`},
			"hi;type",
		},
		{
			"a part as curl reads it", "curl", `curl -F 'a=hi;x;filename=c.csv;type=text/csv;header=no' -F 'b="c;d"' http://127.0.0.1:1/`,
			[]string{`a: {text: hi, name: c.csv, type: "text/csv;header=no"}, b: "c;d"`},
			";x",
		},
		{"fields by name", "curl", "curl -d 'a=1&b=x+y' http://127.0.0.1:1/", []string{`form: {a: "1", b: x y}`}, "body:"},
		{
			"fields in another order", "curl", "curl -d 'b=1&a=2' http://127.0.0.1:1/",
			[]string{`body: "b=1&a=2"`, "Content-Type: application/x-www-form-urlencoded"},
			"form:",
		},
		{
			"another encoding", "curl", "curl -d 'a=x%20y' http://127.0.0.1:1/", []string{"body: a=x%20y,"}, "form:",
		},
		{
			"the charset of a form", "curl",
			"curl -H 'Content-Type: application/x-www-form-urlencoded; charset=utf-8' -d a=1 http://127.0.0.1:1/",
			[]string{"body: a=1,", "application/x-www-form-urlencoded; charset=utf-8"},
			"form:",
		},
		{
			"the charset of JSON", "curl",
			"curl -H 'Content-Type: application/json; charset=utf-8' -d '{\"a\": 1}' http://127.0.0.1:1/",
			[]string{"json: {a: 1}", `Content-Type: "application/json; charset=utf-8"`},
			"",
		},
		{
			"a file without a type", "vegeta", "POST http://127.0.0.1:1/\n@order.json\n",
			[]string{"that no Content-Type is sent"},
			"Content-Type:",
		},
		{
			"the standard input", "curl", "curl --data @- http://127.0.0.1:1/",
			[]string{"post: /", "the standard input as a body"},
			"get: /",
		},
		{"a range without an end", "curl", "curl --range 600 http://127.0.0.1:1/", []string{"Range: bytes=600-"}, ""},
		{
			"parameters", "curl", "curl --url-query 'a=b c' --url-query +d=%20 --url-query e@f http://127.0.0.1:1/",
			[]string{"get: \"/?a=b+c&d=%20\"", "--url-query of a file"},
			"",
		},
		{
			"parts of a plan", "jmeter",
			group(sampler("", "HTTPSampler.method=POST", "HTTPSampler.DO_MULTIPART_POST=true",
				"HTTPSampler.ipSource=192.0.2.1",
				"HTTPSampler.proxyPort=3128", "HTTPSampler.md5=true") + within(sampler("", "HTTPSampler.method=POST",
				"HTTPSampler.DO_MULTIPART_POST=true"), `<elementProp name="HTTPsampler.Arguments"><collectionProp `+
				`name="Arguments.arguments"><elementProp name="a"><stringProp name="Argument.name">a</stringProp><stringProp `+
				`name="Argument.value">{}</stringProp><stringProp name="HTTPArgument.content_type">application/json`+
				`</stringProp></elementProp></collectionProp></elementProp>`)),
			[]string{
				"a: {text: \"{}\", type: application/json}", `HTTPSampler.ipSource 192.0.2.1 of "it"`,
				`HTTPSampler.proxyPort 3128 of "it"`,
			},
			"md5",
		},
		{
			"an assertion beside the status", "jmeter",
			group(sampler(within(element("ResponseAssertion", "", "Assertion.test_field=Assertion.response_data",
				"Assertion.test_type=16", "Assertion.assume_success=true", "Assertion.scope=all"),
				`<collectionProp name="Asserion.test_strings"><stringProp name="1">hi</stringProp></collectionProp>`))),
			[]string{`check: {body: "~ hi"}`, `that the status does not count for "it"`, `Assertion.scope of "it"`},
			"",
		},
		{
			"counters and random numbers", "jmeter",
			group(element("CounterConfig", "", "CounterConfig.name=n", "CounterConfig.incr=5"),
				element("RandomVariableConfig", "", "variableName=r", "minimumValue=a", "maximumValue=9"),
				element("CounterConfig", "", "CounterConfig.name=m", "CounterConfig.per_user=true"), sampler("")),
			[]string{
				"the counter n: brunt counts in steps of 1", "the random variable r from",
				`CounterConfig.per_user true of "it"`,
			},
			"",
		},
		{
			"elements that are disabled", "jmeter",
			group(strings.Replace(sampler(""), "testname", `enabled="false" testname`, 1),
				strings.Replace(element("ResultCollector", ""), "testname", `enabled="false" testname`, 1), sampler("")),
			[]string{`HTTPSamplerProxy "it", which is disabled`},
			"ResultCollector",
		},
		{
			"new users", "jmeter",
			groups(element("ThreadGroup", sampler(""), "ThreadGroup.same_user_on_next_iteration=false")),
			[]string{`that each iteration of "it" is by a new user`},
			"",
		},
		{"a parameter without equals", "jmeter", plan("query"), []string{"?q=a+b&bare&n=1"}, ""},
		{"a form of a plan", "jmeter", plan("form"), []string{`body: "z=a+b&a=1&bare"`}, ""},
		{
			"a form with a variable", "jmeter", plan("form-variable"),
			[]string{"form: {z: \"${uuid()}\", a: \"1\"}", "the order of the form"},
			"",
		},
		{
			"a timeout of what runs once, with a ramp", "jmeter",
			groups(element("ThreadGroup", element("OnceOnlyController", sampler("", "HTTPSampler.response_timeout=500"))+
				sampler("", "HTTPSampler.response_timeout=500"), "ThreadGroup.ramp_time=30", "LoopController.loops=1")),
			[]string{"timeout: 500ms", "init:"},
			"",
		},
		{
			"numbers as brunt refuses them", "jmeter",
			groups(list("Arguments", "Arguments.arguments", "Argument.name=n", "Argument.value= 007 "),
				element("ThreadGroup", sampler(""), "ThreadGroup.num_threads=${n}", "ThreadGroup.delay=${n}",
					"ThreadGroup.duration=9", "ThreadGroup.scheduler=true")),
			[]string{"vus: 7", "start: 7s"},
			"",
		},
		{
			"less than an arrival", "jmeter",
			groups(element("a.ArrivalsThreadGroup", sampler(""), "TargetLevel=1", "RampUp=1", "Unit=S")),
			[]string{"less than one arrival"},
			"",
		},
		{
			"timeouts of the defaults", "jmeter",
			group(element("ConfigTestElement", "", "HTTPSampler.response_timeout=${__P(t,2000)}",
				"HTTPSampler.connect_timeout=300", "HTTPSampler.proxyHost=p.test", "HTTPSampler.contentEncoding=UTF-16"),
				sampler("")),
			[]string{
				"the encoding UTF-16", `timeout: "${t}ms"`, "t: 2000", "the timeout of connecting, 300ms",
				"the proxy p.test",
			},
			"",
		},
		{
			"timeouts that differ", "jmeter",
			group(sampler("", "HTTPSampler.response_timeout=20000"), sampler("", "HTTPSampler.response_timeout=500")),
			[]string{"timeout: 20s", "the different timeouts of samplers"},
			"",
		},
		{
			"encodings", "jmeter",
			group(list("Arguments", "Arguments.arguments", "Argument.name=q", "Argument.value=x&amp;y"),
				sampler("", "HTTPSampler.path=/${__urlencode(a b&amp;c)}/${__urlencode(${q})}/${__escapeHtml(d)}/"+
					"${__escapeHtml(&lt;)}")),
			[]string{
				`get: "/a+b%26c/${q}/d/&lt;"`,
			},
			"the encoding of",
		},
		{
			"encodings in a form and in bodies", "jmeter",
			group(list("Arguments", "Arguments.arguments", "Argument.name=q", "Argument.value=x&amp;y"),
				within(sampler("", "HTTPSampler.method=POST"), arguments("a", "${__urlencode(${q})}")),
				within(sampler("", "HTTPSampler.method=POST", "HTTPSampler.postBodyRaw=true"),
					arguments("", "${__urlencode(${q}!)}&amp;x=1")),
				sampler("", "HTTPSampler.path=/${__escapeHtml(${q})}")),
			[]string{
				`form: {a: "${q}"}`, "the encoding of ${__urlencode(…)}", "the encoding of ${__escapeHtml(…)}",
			},
			"the encoding of ${__urlencode(${q})}",
		},
		{
			"a setup", "jmeter",
			groups(element("SetupThreadGroup", element("ConstantTimer", "", "ConstantTimer.delay=5")+
				sampler("", "HTTPSampler.response_timeout=500"), "ThreadGroup.num_threads=3"),
				element("ThreadGroup", sampler(""))),
			[]string{"the threads and loops of", "its steps have 10s each", "the pauses of"},
			"timeout:",
		},
		{
			"a match of several", "jmeter", extractor("RegexExtractor.regex=a(b)", "RegexExtractor.match_number=-1"),
			[]string{"match -1 of the extractor", `v: "~ a(b)"`},
			"",
		},
		{
			"a match at random", "jmeter", extractor("RegexExtractor.regex=a(b)", "RegexExtractor.match_number=0"),
			[]string{"a match at random"},
			"",
		},
		{
			"the second group", "jmeter", extractor("RegexExtractor.regex=(a|x)(b+)", "RegexExtractor.template=$2$"),
			[]string{`v: "~ [ax](b+)"`},
			"the extractor",
		},
		{
			"all of a match", "jmeter", extractor("RegexExtractor.regex=a(b)", "RegexExtractor.template=$0$"),
			[]string{`v: "~ (a(b))"`},
			"",
		},
		{
			"a default value", "jmeter", extractor("RegexExtractor.regex=a", "RegexExtractor.default=none", "Sample.scope=all"),
			[]string{"the default value of the extractor", "searches (all)"},
			"",
		},
		{"no cookies", "jmeter", group(sampler("")), []string{"that no cookie is kept"}, ""},
		{
			"cookies", "jmeter",
			group(
				strings.Replace(list("CookieManager", "CookieManager.cookies"), "<elementProp testname", `<elementProp name="sid" a`, 1),
				element("CookieManager", "", "CookieManager.clearEachIteration=true"), sampler("")),
			[]string{"cookies: iteration", "the cookie sid"},
			"that no cookie is kept",
		},
		{
			"cookies that are kept", "jmeter",
			group(element("CookieManager", "", "CookieManager.clearEachIteration=false"), sampler("")), nil, "cookies:",
		},
		{
			"rows of each thread", "jmeter",
			group(element("CSVDataSet", "", "filename=order.json", "variableNames=a,b", "shareMode=shareMode.thread",
				"recycle=false", "fileEncoding=UTF-16"), sampler("", "HTTPSampler.path=/${a}")),
			[]string{"each thread takes for itself", "the end with the rows", "the quotes in", "UTF-16"},
			"",
		},
		{
			"a column twice", "jmeter",
			group(element("CSVDataSet", "", "filename=order.json", "variableNames=a,a"), sampler("", "HTTPSampler.path=/${a}")),
			[]string{"the data set"},
			"columns",
		},
		{
			"connections that are closed", "jmeter", group(sampler("", "HTTPSampler.use_keepalive=false")),
			[]string{"connections: {keep_alive: off}"},
			"",
		},
		{
			"connections that are closed by some", "jmeter", group(sampler("", "HTTPSampler.use_keepalive=false"), sampler("")),
			[]string{"1 sampler of 2 close"},
			"keep_alive",
		},
		{
			"credentials of a place", "jmeter",
			group(credentials, sampler("", "HTTPSampler.path=/ab"), sampler("", "HTTPSampler.path=/${__UUID()}")),
			[]string{"auth: {basic: {user: ann", "the credentials of http://127.0.0.1:80/a"},
			"",
		},
		{
			"credentials of another place", "jmeter",
			group(credentials, sampler("", "HTTPSampler.path=/b"), sampler("", "HTTPSampler.port=8080", "HTTPSampler.path=/a")),
			nil,
			"auth:",
		},
		{
			"the arguments of functions", "jmeter",
			group(sampler("", "HTTPSampler.path=/${__base64Encode(geheim)}/${__escapeHtml(${__UUID()}geheim)}")),
			[]string{"the function ${__base64Encode(…)}", "the encoding of ${__escapeHtml(…)}"},
			"(geheim)} source",
		},
		{
			"controllers of steps elsewhere", "jmeter", group(element("IncludeController", ""),
				element("ModuleController", ""), element("CriticalSectionController", sampler(""))),
			[]string{
				`IncludeController "it": the steps that it takes from elsewhere`,
				`ModuleController "it": the steps that it takes from elsewhere`, `that one thread at a time is in "it"`,
			},
			"done each time",
		},
		{
			"a transaction as one sample", "jmeter",
			group(element("TransactionController", sampler(""), "TransactionController.parent=true")),
			[]string{"as one sample"},
			"",
		},
		{
			"a set and a range", "curl", "curl 'http://127.0.0.1:1/{a,b}/[08-10]' 'http://127.0.0.1:1/[a-e:2]'",
			[]string{"get: /a/08,", "get: /a/10,", "get: /b/09,", "get: /a,", "get: /c,", "get: /e,"},
			"%7B",
		},
		{
			"a range of many", "curl", "curl 'http://127.0.0.1:1/[1-500]?a={1,2}'",
			[]string{`get: "/${int(1,500)}?a=1"`, "one is drawn at random", `get: "/${int(1,500)}?a=2"`},
			"",
		},
		{"no globs", "curl", "curl -g 'http://127.0.0.1:1/{a,b}[1-2]'", []string{"/%7Ba,b%7D[1-2]"}, ""},
		{
			"pauses", "curl", "sleep 9\ncurl http://127.0.0.1:1/a\nsleep 1.5\ncurl http://127.0.0.1:1/b\nsleep $N\n",
			[]string{"think: 1.5s", "a pause whose time only the shell knows"},
			"9s",
		},
		{
			"loops", "curl", "for i in a b; do for n in $(seq 2); do curl http://127.0.0.1:1/$i/$n; done; done\n" +
				"for i in $L; do curl http://127.0.0.1:1/$i; done\nwhile true; do curl http://127.0.0.1:1/w; done\n" +
				"for i in {1..99}; do curl http://127.0.0.1:1/$i; done\n",
			[]string{
				"get: /a/1,", "get: /a/2,", "get: /b/2,", "a loop: its commands run once", "/${env.i}", "a loop with a condition",
				"a loop of 99 turns", "get: /1,",
			},
			"",
		},
		{
			"conditions", "curl", "if [ -n \"$A\" ]; then curl http://127.0.0.1:1/a; else curl http://127.0.0.1:1/b; fi\n" +
				"curl http://127.0.0.1:1/c || curl http://127.0.0.1:1/d\ncase $A in *) curl http://127.0.0.1:1/e;; esac\n" +
				"curl http://127.0.0.1:1/f &\n",
			[]string{"the condition of an if", "only if the one before fails", "the choice of a case", "side by side"},
			"",
		},
		{
			"functions", "curl", "post() {\n  local it=$1\n  curl -d \"$2\" \"http://127.0.0.1:1/$it\"\n}\nit=b\n" +
				"all() { curl \"$@\"; }\npost orders a=1\npost users b=2 &\nall -I http://127.0.0.1:1/$it\nnever() { :; }\n",
			[]string{
				"{post: /orders, form: {a: \"1\"}", "{post: /users, form: {b: \"2\"}", "head: /b,",
				"source:10: the function never: nothing calls it", "source:8: commands side by side",
			},
			"get: /",
		},
		{
			"a function without an end", "curl", "f() { curl http://127.0.0.1:1/; f; f; }\nf\n",
			[]string{"source:1: a call of the function f: there are too many"},
			"",
		},
		{
			"requests side by side", "curl", "curl -Z http://127.0.0.1:1/a http://127.0.0.1:1/b\ncurl -Z http://127.0.0.1:1/c\n",
			[]string{"# not carried over (line 1): commands side by side", "get: /b"},
			"(line 2)",
		},
		{
			"headers without a value", "curl", "curl -H 'X-A;' -H 'X-B:' -H 'Connection: keep-alive' http://127.0.0.1:1/\n",
			[]string{`headers: {X-A: ""}`},
			"Connection",
		},
		{
			"dots in a path", "curl",
			"curl 'http://127.0.0.1:1/a/../u?q=/a/../b' http://127.0.0.1:1/a/./b//../c/.. 127.0.0.1:1/../../x\n" +
				"curl http://127.0.0.1:1/v/%2e%2e/..b/... http://127.0.0.1:1/$A/../y/./z http://127.0.0.1:1/k/../$B#/../f\n" +
				"curl -G -d d=1 http://127.0.0.1:1#e\n",
			[]string{
				"get: \"/u?q=/a/../b\",", "get: /a/b/,", "get: /x,", "get: /v/%2e%2e/..b/...,", "get: \"/${env.A}/../y/./z\",",
				"get: \"/${env.B}\",", "get: \"/?d=1\",",
				"source:2: that curl removes the dots of \"http://127.0.0.1:1/${env.A}/../y/./z\": a variable",
			},
			"(line 1)",
		},
		{
			"dots behind a host of a variable", "curl", "curl $BASE/a/../u $BASE/../w\n",
			[]string{"get: /u,", "get: /../w,", "source:1: that curl removes the dots of \"${env.BASE}/../w\": a variable"},
			"",
		},
		{
			"a path as it is", "curl", "curl --path-as-is http://127.0.0.1:1/a/../u http://127.0.0.1:1/$A/../y\n",
			[]string{"get: /a/../u,", "get: \"/${env.A}/../y\","},
			"not carried over",
		},
		{
			"no type of a body", "curl", "curl -H 'Content-Type;' http://127.0.0.1:1/a\n" +
				"curl -H 'Content-Type;' -d b=1 http://127.0.0.1:1/b\n" +
				"curl -H 'Content-Type:' -d c=1 http://127.0.0.1:1/c\n" +
				"curl -H 'content-type;' -d @order.json http://127.0.0.1:1/d\n" +
				"curl -H 'Content-Type:' -d @order.json http://127.0.0.1:1/e\n",
			[]string{
				"{get: /a, headers: {Content-Type: \"\"}", "{post: /b, body: b=1, headers: {Content-Type: \"\"}",
				"{post: /c, body: c=1, redirects",
				"{post: /d, body: {file: order.json}, headers: {Content-Type: \"\"}",
				"{post: /e, body: {file: order.json}, redirects",
				"[source:5: that no Content-Type is sent",
			},
			"(line 4)",
		},
		{
			"a function for curl", "curl", "curl() { command curl -H 'X-A: 1' \"$@\"; }\ncurl -u $B http://127.0.0.1:1/a\n" +
				"$DIR/curl http://127.0.0.1:1/b\n",
			[]string{"{get: /a, headers: {X-A: \"1\"}", "source:2: a password in ${env.B}", "get: /b,"},
			"[source:1",
		},
		{
			"functions that others call", "curl", "last() { curl http://127.0.0.1:1/$1; }\ntrap last EXIT\n" +
				"curl -d all http://127.0.0.1:1/a\nall() { curl http://127.0.0.1:1/b; }\n",
			[]string{
				"source:1: when the function last is called: only the shell knows", "source:1: a word that only the shell knows: $1",
				"source:4: the function all: nothing calls it",
			},
			"get: /b",
		},
		{
			"arguments of functions", "curl", "get() {\n  local a=$1 b=$2\n  shift 2\n  curl \"$@\" http://127.0.0.1:1/$a/$b\n}\n" +
				"get x y -I\nset -- m n\ncurl http://127.0.0.1:1/$2\nget $M\nfor i in $(seq 3 $#); do get z $i; done\n",
			[]string{"head: /x/y,", "get: /n,", "source:4: a word that only the shell knows: $@ is in it"},
			"get: /z",
		},
		{
			"parts of variables", "curl", "N=3 P=a.b\nfor i in $(seq $N); do curl http://127.0.0.1:1/$((i + 1)).${P%.*}; done\n" +
				"curl http://127.0.0.1:1/${Q%/}/c\ncurl -d \"${Q:0:3}\" http://127.0.0.1:1/d\ncurl http://127.0.0.1:1/e/$((Q + 1))\n" +
				"curl -d \"${Q%Q*}\" http://127.0.0.1:1/f\ncurl -d \"${Q:+x}\" http://127.0.0.1:1/g\n" +
				"curl http://127.0.0.1:1/h/$(($(id -u) + 1))\n",
			[]string{
				"get: /4.a,", "get: \"/${env.Q}/c\"", "source:4: a word that only the shell knows: $(…)",
				"source:5: a word that only the shell knows: $(…)", "source:6: a word that only the shell knows: $(…)",
				"source:7: a word that only the shell knows: $(…)", "source:8: a word that only the shell knows: $(…)",
				"source:3: that the shell removes a part of the variable Q",
			},
			"\ue000",
		},
		{
			"bodies and URLs that only the shell knows", "curl", "curl -d \"$(cat a.json)\" http://127.0.0.1:1/a\n" +
				"curl --json \"{\\\"at\\\": \\\"$(date)\\\"}\" http://127.0.0.1:1/b\n" +
				"curl -F \"a=$(id)\" http://127.0.0.1:1/c\n" +
				"curl \"http://127.0.0.1:1/d/$(id)\"\ncurl -A \"a $(id)\" http://127.0.0.1:1/e\n",
			[]string{
				"source:1: a word that only the shell knows: $(…)", "{post: /a, body: \"\"", "source:2: a word that only",
				"{post: /b, json: {at: \"\"}",
				"source:3: a word", "{post: /c, multipart: {a: \"\"}",
				"source:4: a request to a URL that only the shell knows", "{get: /e, redirects",
			},
			"a part without",
		},
		{
			"processes as files", "curl", "diff <(curl http://127.0.0.1:1/a) <(curl http://127.0.0.1:1/b)\n" +
				"curl -d @- http://127.0.0.1:1/c < <(curl http://127.0.0.1:1/d)\ncurl -T <(id) http://127.0.0.1:1/e\n",
			[]string{
				"{get: /a,", "{get: /b,", "{post: /c, body: \"\"", "{get: /d,", "source:2: the standard input as a body",
				"{get: /e,",
				"source:3: a word that only the shell knows",
			},
			"",
		},
		{
			"a proxy of the environment", "curl", "export https_proxy=http://p.test:1\ncurl http://127.0.0.1:1/a\n",
			[]string{"# not carried over (line 1): the variable https_proxy, in which programs find their proxy"},
			"",
		},
		{
			"bodies through a pipe", "curl", "echo \"{\\\"a\\\": \\\"$A\\\"}\" | curl --json @- http://127.0.0.1:1/a\n" +
				"cat order.json | curl -d @- http://127.0.0.1:1/b\n" +
				"cat <<EOF | curl --data-binary @- http://127.0.0.1:1/c\nhi\nEOF\n" +
				"printf '%s' x=1 | timeout 5 curl -d @- http://127.0.0.1:1/d\n" +
				"echo hi | jq . | curl -d @- http://127.0.0.1:1/e\necho $(id) | curl -d @- http://127.0.0.1:1/f\n" +
				"cat <a.json | curl -d @- http://127.0.0.1:1/g\n" +
				"echo hi | while true; do curl -d @- http://127.0.0.1:1/h; done\n" +
				"N=\n$N | curl http://127.0.0.1:1/i\n",
			[]string{
				"{post: /a, body: \"{\\\"a\\\": \\\"${env.A}\\\"}\\n\"", "{post: /b, body: {file: order.json}",
				"{post: /c, body: \"hi\\n\"", "{post: /d, form: {x: \"1\"}",
				"source:7: the standard input as a body", "source:8: a word that only the shell knows", "{post: /f, body: \"\"",
				"{post: /g, body: {file: a.json}", "source:10: the standard input as a body",
			},
			"(line 2)",
		},
		{
			"loops over files, and a trap", "curl", "for f in *.json; do curl -d @$f http://127.0.0.1:1/$f; done\n" +
				"for f in 'a*'; do curl http://127.0.0.1:1/$f; done\ntrap 'curl http://127.0.0.1:1/b' EXIT\n" +
				"trap 'rm -f x' EXIT\n",
			[]string{
				"[source:1: a loop: its commands run once", "post: \"/${env.f}\"",
				"source:1: a body of the file \"@${env.f}\"", "get: \"/a*\"",
				"source:3: the program trap",
			},
			"line 4",
		},
		{
			"lists", "curl", "H=(-H \"X-A: $A\" -H 'X-B: 2')\nH+=(-I)\ncurl \"${H[@]}\" http://127.0.0.1:1/a\n" +
				"P=(b c)\nfor p in \"${P[@]}\"; do curl http://127.0.0.1:1/$p; done\n" +
				"curl http://127.0.0.1:1/d/${P[1]}/${#P[@]}\n" +
				"curl \"${Q[@]}\" http://127.0.0.1:1/e\nP[0]=x\ncurl http://127.0.0.1:1/f ${P[@]}\nU=http://127.0.0.1:1\n" +
				"U+=/g\ncurl $U\n" +
				"f() {\n  local -a P=(h)\n  P+=(i)\n  for p in ${P[@]}; do curl $U/$p; done\n}\nf\nR=(-d \"$(id)\" -A b)\n" +
				"curl \"${R[@]}\" http://127.0.0.1:1/j\n" +
				"curl -A ${U/#http/x} http://127.0.0.1:1/k\ncurl ${R[@]/%/c} http://127.0.0.1:1/l\n",
			[]string{
				"{head: /a, headers: {X-A: \"${env.A}\", X-B: \"2\"}", "get: /b,", "get: /c,", "get: /d/c/2,",
				"get: /e,", "source:8: the value of the variable P",
				"source:9: a word that only the shell knows: $(…)", "get: /f,", "get: /g,", "get: /g/h,", "get: /g/i,",
				"source:20: a word that only the shell knows: $(…)", "{post: /j, body: \"\", headers: {User-Agent: b,",
				"source:7: a word that only the shell knows: $(…) is in it source:8:", "source:21: a word that only",
				"{get: /k, redirects", "source:22: a word that only",
				"{get: /l, redirects",
			},
			"get: \"${",
		},
		{
			"defaults of variables", "curl", "B=${B:-http://127.0.0.1:1} P=p\necho ${E:-x}\n" +
				"curl -d \"${N:=1}\" $B/i/${P:-k}\n",
			[]string{
				"source:1: the default of the variable B", "source:3: the default of the variable N", "post: /i/p",
			},
			"variable P",
		},
		{
			"choices without a command", "curl", "if [ -z \"$1\" ]; then echo usage; exit 1; fi\ncurl http://127.0.0.1:1/\n" +
				"[ -n \"$A\" ] || A=b\ncurl http://127.0.0.1:1/$A\n",
			[]string{"get: /b", "[source:3: that a command runs only if the one before fails"},
			"line 1",
		},
		{
			"parameters of a script", "curl", "curl http://127.0.0.1:1/\ncurl -d \"$1\" http://127.0.0.1:1/a\nx=$2\n" +
				"curl http://127.0.0.1:1/$x\ncurl http://127.0.0.1:1/b/$?\ncurl -d @- http://127.0.0.1:1/c <<<$!\n",
			[]string{
				"source:2: a word that only the shell knows: $1 is in it", "source:3: the value of the variable x",
				"/${env.x}", "source:5: a word that only the shell knows: $? is in it",
				"post: /c,",
			},
			"get: /b",
		},
		{
			"programs around curl", "curl", "timeout 5 curl http://127.0.0.1:1/a\nsudo -u me curl http://127.0.0.1:1/b\n" +
				"C='curl -I'; $C http://127.0.0.1:1/c\nenv A=1 /usr/bin/curl http://127.0.0.1:1/d\n" +
				"http_proxy=p.test curl http://127.0.0.1:1/e\n",
			[]string{
				"get: /a,", "source:1: the program timeout around curl", "get: /b,", "source:2: the program sudo", "head: /c,",
				"get: /d,", "source:4: the program env", "source:5: the variable http_proxy for one command", "get: /e,",
			},
			"",
		},
		{
			"options of docker in a variable", "curl", "docker exec $OPTS web curl http://127.0.0.1:1/a\n" +
				"docker run --rm $OPTS --network n curlimages/curl:8 curl http://127.0.0.1:1/b\n" +
				"kubectl exec $OPTS web -- curl http://127.0.0.1:1/c\nkubectl exec $POD -- curl http://127.0.0.1:1/d\n" +
				"docker exec $C curl http://127.0.0.1:1/e\nsudo $OPTS curl http://127.0.0.1:1/f\n" +
				"docker run $A $B curlimages/curl curl http://127.0.0.1:1/g\ntimeout $T curl http://127.0.0.1:1/h\n",
			[]string{
				"get: /a", "get: /b", "get: /c", "get: /d", "get: /e", "get: /f", "get: /h",
				"source:1: the program docker around curl", "source:7: the program docker",
			},
			"http://curl",
		},
		{
			"programs that run curl elsewhere", "curl", "docker run --entrypoint curl img http://127.0.0.1:1/a\n" +
				"docker run -it --rm --name curl -v /a:/b curlimages/curl:8 -I http://127.0.0.1:1/b\n" +
				"kubectl exec -it -n shop deploy/curl -c app -- curl http://127.0.0.1:1/c\n" +
				"kubectl run curl --image=curlimages/curl -it --rm -- -I http://127.0.0.1:1/d\n" +
				"docker compose -f c.yaml exec -T web curl http://127.0.0.1:1/e\nsudo -u curl curl http://127.0.0.1:1/f\n" +
				"sudo -Eu me timeout -k 2 5 nice -n 5 env -u B A=1 curl http://127.0.0.1:1/g\n" +
				"docker run --entrypoint=/usr/bin/curl curl/curl curl://127.0.0.1 http://127.0.0.1:1/h\n" +
				"podman run curlimages/curl curl http://127.0.0.1:1/i\nsudo docker exec $IT curl http://127.0.0.1:1/j\n",
			[]string{
				"{get: /a,", "{head: /b,", "{get: /c,", "{head: /d,", "{get: /e,", "{get: /f,", "{get: /g,", "{get: /h,",
				"{get: /i,",
				"{get: /j,", "source:7: the program timeout around curl", "source:7: the program nice around curl",
				"source:7: the program env around curl", "source:7: the program sudo around curl",
				"source:8: a request to \"curl://127.0.0.1\"", "source:10: the program sudo docker around curl",
			},
			"get: \"http://",
		},
		{
			"programs that name curl", "curl", "curl http://127.0.0.1:1/\nsudo snap install curl jq\nsudo -u curl id\n" +
				"docker exec curl id\ndocker run --name curl img id\ndocker run --entrypoint sh curlimages/curl -c id\n" +
				"docker run -it curlimages/curl sh\nkubectl run curl --image=busybox -- id\ntimeout 5 grep curl log\n" +
				"env which curl\ncommand -v curl\ndocker logs -f curl\nsudo -l curl id\n" +
				"kubectl run curl --image=curlimages/curl --command -- id\n",
			[]string{
				"[source:2: the program sudo source:3: the program sudo source:4: the program docker " +
					"source:5: the program docker " +
					"source:6: the program docker source:7: the program docker source:8: the program kubectl " +
					"source:9: the program timeout " +
					"source:10: the program env source:11: the program command source:12: the program docker " +
					"source:13: the program sudo " +
					"source:14: the program kubectl]",
			},
			"get: \"http://",
		},
		{
			"other programs", "curl", "curl http://127.0.0.1:1/\nseq 9 | xargs -I{} curl http://127.0.0.1:1/{}\n" +
				"eval \"curl http://127.0.0.1:1/\"\nwget http://127.0.0.1:1/\n$IT http://127.0.0.1:1/\n((i++))\n" +
				"echo done | jq .\n[ -n \"$A\" ] && curl http://127.0.0.1:1/a\n",
			[]string{
				"source:2: the program seq", "source:2: the program xargs", "source:3: the program eval",
				"source:4: the program wget",
				"source:5: a program whose name only the shell knows", "source:6: a command that calculates",
				"only if the one before succeeds",
			},
			"the program echo",
		},
		{
			"variables", "curl", "export BASE=http://127.0.0.1:1\nid=$(curl -s $BASE/a | jq -r .id)\nat=$BASE/$N\n" +
				"curl $at/$id\n",
			[]string{
				"get: /a,",
				"source:2: the value of the variable id, which only the shell knows; `extract` takes one from an answer",
				"get: \"/${env.N}/${env.id}\"",
			},
			"env.BASE",
		},
		{
			"a method, a file and a part of variables", "curl", "curl -X \"$M\" http://127.0.0.1:1/a\n" +
				"curl -d @\"$P\" http://127.0.0.1:1/b\ncurl -F f=@\"$F\" -F \"t=$T;type=text/csv\" http://127.0.0.1:1/c\n" +
				"curl -F f=<\"$F\" http://127.0.0.1:1/f\n" +
				"curl -T \"$U\" http://127.0.0.1:1/d\ncurl -o \"$O\" http://127.0.0.1:1/e/$E\n",
			[]string{
				"source:1: the curl option --request, with a variable", "get: /a", "post: /b",
				`source:2: a body of the file "@${env.P}", with a variable of the shell: it is empty here`,
				"source:3: the part f, with a variable of the shell", `t: {text: "${env.T}", type: text/csv}`,
				"post: /f", "source:5: the curl option --upload-file, with a variable", "put: /d",
				"source:3: the shell's variable T is read", "source:6: the shell's variable E is read",
			},
			"variable M holds",
		},
		{
			"variables that may hold more", "curl", "curl -u \"$U\" -b \"$C\" http://127.0.0.1:1/\n" +
				"curl --data-urlencode \"$N@a\" http://127.0.0.1:1/\n" +
				"curl --data-urlencode \"q=$Q\" http://127.0.0.1:1/\ncurl -G --data-urlencode \"q=$R\" http://127.0.0.1:1/\n",
			[]string{
				"source:1: a password in ${env.U}", "source:1: cookies of a file, if ${env.C} names one",
				"source:2: --data-urlencode of a file",
				"source:3: the percent-encoding of a variable in the data of --data-urlencode",
				`# not carried over (line 3): the percent-encoding`, `- {get: "/?q=${env.R}"`,
			},
			"(line 4)",
		},
		{
			"no command curl", "curl", "\nwget http://127.0.0.1:1/\n",
			[]string{"source:2: the program wget", "no command curl"},
			"",
		},
		{
			"bodies from elsewhere", "curl", "curl -T - http://127.0.0.1:1/a <<< hi\ncurl -T - http://127.0.0.1:1/b\n" +
				"curl --data-urlencode a@b.txt http://127.0.0.1:1/c\n" +
				"curl -F 'f=@\"/a b;c.txt\";type=text/plain' http://127.0.0.1:1/d\n",
			[]string{
				"put: /a, body: \"hi\\n\"", "put: /b", "source:2: the standard input as a body", "post: /c",
				"source:3: --data-urlencode of a file",
				"{file: \"/a b;c.txt\", type: text/plain}",
			},
			"{get:",
		},
		{
			"the standard input of a file", "curl", "curl -d @- http://127.0.0.1:1/ < order.json; curl -T - http://127.0.0.1:1/ < a.b\n" +
				"curl -d @- http://127.0.0.1:1/ <<< hi",
			[]string{"body: {file: order.json}", "put: /", "body: {file: a.b}", "body: hi"},
			"the standard input as a body",
		},
		{
			"addresses that are not all valid", "curl", "curl --resolve h.test:80:10.0.0.1,bad http://127.0.0.1:1/",
			[]string{"source:1: --resolve h.test:80:10.0.0.1,bad"},
			"guard:",
		},
		{
			"options that brunt lacks", "curl", "curl --pass geheim --proxy-pass \"$X\" http://127.0.0.1:1/",
			[]string{"source:1: the curl option --pass source:", "source:1: the curl option --proxy-pass, with a variable"},
			"***",
		},
		{
			"options of one command", "curl",
			"curl -k -m 2 --http1.1 https://127.0.0.1:1/; curl -m 2 https://127.0.0.1:1/ -x http://127.0.0.1:2; curl -m 2 https://127.0.0.1:1/ -x http://127.0.0.1:3",
			[]string{"timeout: 2s", "--insecure, which not all", "--http1.1, which not all", "--proxy, which not all"},
			"insecure_skip",
		},
		{
			"options of all commands", "curl", "curl -k https://127.0.0.1:1/ --next -k https://127.0.0.1:1/; curl -k https://127.0.0.1:1/",
			[]string{"insecure_skip_verify: true"},
			"",
		},
		{
			"options that brunt has in part", "curl", "curl --http1.0 --location-trusted --resolve a.test:80:127.0.0.1,[::1] " +
				"http://a.test/",
			[]string{
				"--http1.0: brunt sends HTTP/1.1", "that --location-trusted sends credentials", `"a.test:80": "127.0.0.1,::1"`,
			},
			"",
		},
		{
			"redirects", "curl", "curl -L http://127.0.0.1:1/; curl -L --max-redirs 3 http://127.0.0.1:1/; curl -L --max-redirs 0 http://127.0.0.1:1/",
			[]string{"redirects: 50", "redirects: 3", "redirects: 0"},
			"",
		},
		{
			"what the cache answered", "har", recording(`"_fromCache": "disk",`, "/a", 200, "text/html") + recording("", "/b", 304, "") +
				recording("", "/c", 200, "text/html") + "]}}",
			[]string{"1 request that the browser's cache answered", "that the browser had the answer already (304)", "get: /b", "get: /c"},
			"get: /a",
		},
		{
			"a pause before a request that is lost", "har", `{"log": {"entries": [
			{"startedDateTime": "2024-05-01T10:00:00Z", "time": 0, "request": {"method": "GET",
			"url": "http://127.0.0.1:1/a"}, "response": {"status": 200}},
			{"startedDateTime": "2024-05-01T10:00:04Z", "request": {"method": "LINK", "url": "http://127.0.0.1:1/b"},
			"response": {"status": 200}}, {"startedDateTime": "2024-05-01T10:00:04Z", "request": {"method": "GET",
			"url": "data:text/plain,a"}, "response": {"status": 200}},
			{"startedDateTime": "2024-05-01T10:00:05Z", "request": {"method": "PUT", "url": "http://127.0.0.1:1/c",
			"headers": [{"name": "If-Match", "value": "x"}]}, "response": {"status": 200}}]}}`,
			[]string{
				"{think: 4s}", "{think: 1s}", "put: /c, headers: {If-Match: x}", "1 request that a browser makes by itself",
			},
			"which is not a URL",
		},
		{
			"streams", "har", recording("", "/a", 200, "text/event-stream; charset=utf-8") + recording("", "/b", 101, "") +
				recording("", "/c", 200, "text/html") + "]}}",
			[]string{"a stream of events from /a", "a WebSocket to 127.0.0.1:1/b"},
			"get: /a",
		},
		{
			"styles of paths", "openapi", document("/{l}/{L}/{m}/{M}/{o}/{O}/{s}/{n}", "", parameter("l", "label", "false", "[1, 2]"),
				parameter("L", "label", "true", "[1, 2]"), parameter("m", "matrix", "false", "[1, 2]"),
				parameter("M", "matrix", "true", "[1, 2]"), parameter("o", "matrix", "true", "{a: 1, b: x/y}"),
				parameter("O", "simple", "true", "{a: 1, b: 2}"), parameter("s", "simple", "false", "{a: 1, b: 2}"),
				parameter("n", "matrix", "false", "5")),
			[]string{"/.1,2/.1.2/;m=1,2/;M=1;M=2/;a=1;b=x%2Fy/a=1,b=2/a,1,b,2/;n=5"},
			"",
		},
		{
			"parts by their encoding", "openapi", body("multipart/form-data", "m: {a: 4}, l: [1, 2], f: x, g: y, h: z",
				"f: {contentType: image/png}, g: {contentType: 'text/plain, text/csv', headers: {X-A: {schema: {}}}}, "+
					"h: {contentType: 'image/*'}"),
			[]string{
				`m: {text: "{\"a\":4}", type: application/json}`, `l: ["1", "2"]`, "name: f.bin, type: image/png}",
				"g: {text: \"y\", type: text/plain}", "the types of the field g: text/plain, text/csv",
				"the headers of the field g: X-A",
				"h: z", "the types of the field h: image/*",
			},
			"octet-stream",
		},
		{
			"fields by their encoding", "openapi", body("application/x-www-form-urlencoded",
				"a: [1, 2], b: [1, 2], c: {d: 4}, e: {d: 4}, f: x/y",
				"a: {style: pipeDelimited, explode: false}, c: {contentType: application/json}, "+
					"e: {style: deepObject}, f: {allowReserved: true}"),
			[]string{
				"a=1%7C2&b=1&b=2&c=%7B%22d%22%3A4%7D&e%5Bd%5D=4&f=x%2Fy", "allowReserved of the field f",
			},
			"",
		},
		{
			"links and callbacks", "openapi", document("/a", ", links: {next: {operationId: b}}"),
			[]string{"the links of the answer 200 to other operations: next", "the callbacks of the server: done"},
			"",
		},
		{
			"a script with a WebSocket", "k6",
			"g('http://shop.test/');\nws.connect('wss://ws.shop.test/', f)\nexport default f",
			[]string{"source:2: the script names https://ws.shop.test as well", "load: [shop.test, ws.shop.test]"},
			"",
		},
		{
			"a script with options", "k6", "export const options = {hosts: {'shop.test': '192.0.2.1:8080', x: f()}, thresholds: {checks: ['rate>0.9']}};\n" +
				"export function handleSummary() {}\nexport default function () { const options = 5; g('http://shop.test/') }",
			[]string{"[shop.test, \"192.0.2.1:8080\"]", "handleSummary is not called", "the address of the host x"},
			"slo:",
		},
		{
			"a script with options that are computed", "k6", "export const options = JSON.parse(open('o.json'));\nexport default function () {}",
			[]string{"options are not a literal", "slo:"},
			"",
		},
		{"a script with types", "k6.ts", "export default function (): void {}", []string{"a script with types: its options are not read"}, ""},
		{"calls of a disruptor with types", "disruptor.ts", "const a: number = 1;", []string{"brunt reads no TypeScript"}, ""},
		{"bytes", "k6", "\x00\x01export", []string{"want a script of k6, which is a text"}, ""},
		{"no script", "k6", "hello world", []string{"reading the script"}, ""},
		{"a script without an export", "k6", "const a = 1;", []string{"with an export that k6 runs"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			kind, ending, _ := strings.Cut(c.kind, ".")
			made, said := saysOf(draft.Options{Kind: kind, File: strings.TrimSuffix("source."+ending, ".")}, c.source)
			for _, want := range c.want {
				if !strings.Contains(said, want) {
					t.Errorf("no %s in\n%s", want, said)
				}
			}
			if made != nil && kind != "k6" { // whose script is a file
				if _, err := converttest.Parse(made.Text); err != nil {
					t.Errorf("%v in\n%s", err, made.Text)
				}
			}
			if made, _, _ := strings.Cut(said, "[source"); c.no != "" && strings.Contains(made, c.no) {
				t.Errorf("%s in\n%s", c.no, made)
			}
		})
	}
}

// TestConvert_Correlates checks that values of answers that later requests send are variables, and no others.
func TestConvert_Correlates(t *testing.T) {
	for _, c := range []struct {
		file string
		want []string
		no   []string
	}{
		{
			"login",
			[]string{
				"extract: {id: $.user.id, token: $.token}", "get: \"/users/${var.id}/orders?limit=2\"",
				"name: \"GET /users/{id}/orders\"", `Authorization: "Bearer ${var.token}"`, `extract: {id_2: "$[1].id"}`,
				`json: {order: "${var.id_2}", user: "${var.id}"}`,
			},
			[]string{"tok-5f1c9a7e2b", "${env.", "limit=${"},
		},
		{
			"created",
			[]string{`put: "/carts/${var.id}?version=${var.version}"`, `delete: "/carts/${var.id}"`},
			[]string{"9f0d3c52", "X-Request-Id"},
		},
		{"csrf", []string{`form: {csrf_token: "${var.csrf_token}", user: ann}`, "csrf_token: \"~ <input"}, nil},
		{"header-token", []string{"X-Auth-Token: header X-Auth-Token", `X-Auth-Token: "${var.X-Auth-Token}"`}, nil},
		{"other-hosts", []string{`target: {url: "https://shop.example.com"}`}, []string{"ocsp.example.net/"}},
		{"no-page", []string{`target: {url: "https://shop.example.com"}`}, nil},
		{"loose", []string{"get: /old", "Range: bytes=0-9"}, nil},
	} {
		t.Run(c.file, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join("testdata", "har", c.file+".har"))
			if err != nil {
				t.Fatal(err)
			}
			made, err := convert.Convert(b, draft.Options{Kind: "har", File: "source"})
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range c.want {
				if !strings.Contains(made.Text, want) {
					t.Errorf("no %s in\n%s", want, made.Text)
				}
			}
			for _, no := range c.no {
				if strings.Contains(made.Text, no) {
					t.Errorf("%s in\n%s", no, made.Text)
				}
			}
		})
	}
}

// TestConvert_Environment checks that an environment gives the values of a collection's variables, and no secrets.
func TestConvert_Environment(t *testing.T) {
	read := func(name string) []byte {
		b, err := os.ReadFile(filepath.Join("testdata", "postman", name))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	o := draft.Options{
		Kind: "postman", File: "source", Environment: filepath.Join("testdata", "staging.postman_environment.json"),
	}
	made, err := convert.Convert(read("unknown-host.json"), o)
	if err != nil {
		t.Fatal(err)
	}
	if want := `target: {url: "http://127.0.0.1:9090"}`; !strings.Contains(made.Text, want) {
		t.Errorf("no %s in\n%s", want, made.Text)
	}
	if made, err = convert.Convert(read("auth-basic.json"), o); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(made.Text, "password: \"${env.PW}\"") || strings.Contains(made.Text, "open-sesame") {
		t.Errorf("the password is not from the environment:\n%s", made.Text)
	}
	o.Environment = filepath.Join("testdata", "order.json")
	if _, err = convert.Convert(read("auth-basic.json"), o); err == nil ||
		!strings.Contains(err.Error(), "want an environment of Postman") {
		t.Errorf("got %v", err)
	}
}
