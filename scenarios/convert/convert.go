// Package convert writes scenarios from the files of other tools: target files of vegeta, recordings
// of browsers (HAR), OpenAPI documents, plans of JMeter, commands of curl and scripts of k6.
//
//	text -Convert-> the Converter of its format -> draft.Draft: steps, loads, data -> Scenario
//	                                                  |
//	                                                  notes: what cannot be carried over
//
// The result is a scenario like any other, for people to continue with: block by block, with
// comments. What cannot be carried over becomes a comment at its place and a [draft.Note] with the line
// of the source. No secret is written down: the value of an Authorization or Cookie header, and fields
// named password and the like, become ${env.NAME}.
//
// A foreign text is never taken for the language of scenarios: what looks like a placeholder in it is
// escaped, and no text can break out of its comment or its line.
//
// To add a format, add a package with a [draft.Converter], and a line to [Converters].
package convert

import (
	"cmp"
	"fmt"
	"slices"

	"brunt/scenarios/convert/curl"
	"brunt/scenarios/convert/draft"
	"brunt/scenarios/convert/har"
	"brunt/scenarios/convert/jmeter"
	"brunt/scenarios/convert/k6"
	"brunt/scenarios/convert/openapi"
	"brunt/scenarios/convert/vegeta"
	"brunt/scenarios/syntax"
)

// Converters lists the formats that are read.
func Converters() []draft.Converter {
	return []draft.Converter{
		curl.Converter(),
		har.Converter(),
		jmeter.Converter(),
		k6.Converter(),
		openapi.Converter(),
		vegeta.Converter(),
	}
}

// Kinds lists the names of the formats that are read.
func Kinds() []string { return names(Converters()) }

func names(of []draft.Converter) []string {
	var out []string
	for _, c := range of {
		out = append(out, c.Name)
	}
	slices.SortFunc(out, cmp.Compare[string])
	return out
}

// maxSource is how long a source may be, in bytes.
const maxSource = 256 << 20

// Convert makes a scenario of a source in one of the formats of [Converters].
func Convert(source []byte, o draft.Options) (*draft.Scenario, error) {
	return convertWith(Converters(), source, o)
}

// convertWith makes a scenario of a source in one of the formats of a list.
func convertWith(list []draft.Converter, source []byte, o draft.Options) (*draft.Scenario, error) {
	i := slices.IndexFunc(list, func(c draft.Converter) bool { return c.Name == o.Kind })
	if i < 0 {
		return nil, fmt.Errorf("unknown format %q; %s", o.Kind, syntax.DidYouMean(o.Kind, names(list)))
	}
	if len(source) > maxSource {
		return nil, fmt.Errorf("%s has more than %d MiB", o.File, maxSource>>20)
	}
	return list[i].Scenario(source, o)
}
