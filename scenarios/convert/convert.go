// Package convert writes scenarios from the files of other tools: of loads, such as recordings of
// browsers (HAR), collections of Postman and plans of JMeter; of faults, such as toxics of toxiproxy and
// manifests of Chaos Mesh; and of objectives (OpenSLO).
//
//	text -Convert-> the Converter of its format -> draft.Builder: steps, loads, data, faults -> Scenario
//	                                                  |
//	                                                  notes: what cannot be converted
//
// The result is a normal scenario for people to edit: in block style, with comments. A part that
// cannot be converted becomes a comment at its place and a [draft.Note] with the line of the
// source. No secret is written: the value of an Authorization or Cookie header, and of fields
// such as password, becomes ${env.NAME}.
//
// Text of the source is never interpreted as the language of scenarios: text that looks like a
// placeholder is escaped, and no text can break out of its comment or its line.
//
// To add a format, add a package with a [draft.Converter], and a line to [Converters].
package convert

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"brunt/scenarios/convert/chaosmesh"
	"brunt/scenarios/convert/curl"
	"brunt/scenarios/convert/disruptor"
	"brunt/scenarios/convert/draft"
	"brunt/scenarios/convert/har"
	"brunt/scenarios/convert/jmeter"
	"brunt/scenarios/convert/openapi"
	"brunt/scenarios/convert/postman"
	"brunt/scenarios/foreign"
	"brunt/scenarios/syntax"
)

// Converters lists the supported formats.
func Converters() []draft.Converter {
	return []draft.Converter{
		chaosmesh.Converter(),
		curl.Converter(),
		disruptor.Converter(),
		grpcConverter(),
		har.Converter(),
		jmeter.Converter(),
		k6Converter(),
		openapi.Converter(),
		openSLOConverter(),
		postman.Converter(),
		toxiproxyConverter(),
		vegetaConverter(),
	}
}

// Kinds lists the names of the supported formats.
func Kinds() []string { return names(Converters()) }

func names(of []draft.Converter) []string {
	var out []string
	for _, c := range of {
		out = append(out, c.Name)
	}
	slices.SortFunc(out, cmp.Compare[string])
	return out
}

// maxSource is the maximum length of a source, in bytes.
const maxSource = 256 << 20

// Convert converts a source in one of the formats of [Converters] to a scenario.
func Convert(source []byte, o draft.Options) (*draft.Scenario, error) {
	return convertWith(Converters(), source, o)
}

// convertWith converts a source in one of the formats of a list to a scenario.
func convertWith(list []draft.Converter, source []byte, o draft.Options) (*draft.Scenario, error) {
	c, err := find(list, o.Kind)
	if err != nil {
		return nil, err
	}
	if len(source) > maxSource {
		return nil, fmt.Errorf("%s has more than %d MiB", o.File, maxSource>>20)
	}
	made, err := c.Scenario(source, o)
	if err == nil {
		return made, nil
	}
	if other := foreign.Answer(source, o.Kind); other != "" {
		return nil, fmt.Errorf("%s: %s", o.File, other)
	}
	return made, err
}

// Find returns the converter of a format.
func Find(kind string) (draft.Converter, error) { return find(Converters(), kind) }

func find(list []draft.Converter, kind string) (draft.Converter, error) {
	i := slices.IndexFunc(list, func(c draft.Converter) bool { return c.Name == kind })
	if other := foreign.AnswerTo(kind); i < 0 && other != "" {
		return draft.Converter{}, errors.New(other)
	}
	if i < 0 {
		return draft.Converter{}, fmt.Errorf("unknown format %q; %s", kind, syntax.DidYouMean(kind, names(list)))
	}
	return list[i], nil
}
