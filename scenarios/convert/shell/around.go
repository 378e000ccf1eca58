package shell

import (
	"maps"
	"slices"
	"strings"

	"brunt/scenarios/convert/draft"
)

// places are programs around another one that only say where it runs, or as which user.
var places = append([]string{"sudo", "command"}, containers...)

// A runner is a program that runs the program that stands among its words.
type runner struct {
	valued []string // its options with a value in the next word, without dashes
	names  []string // its options with which it only names a program
	before int      // words between its options and the program
}

var runners = map[string]runner{
	"command": {names: []string{"v", "V"}},
	"env":     {valued: []string{"u", "unset", "C", "chdir"}},
	"exec":    {valued: []string{"a"}},
	"nice":    {valued: []string{"n", "adjustment"}},
	"nohup":   {},
	"sudo": {
		valued: []string{
			"u", "user", "g", "group", "h", "host", "p", "prompt", "C", "close-from", "D", "chdir", "R", "chroot",
			"r", "role", "t", "type", "T", "command-timeout", "U", "other-user",
		},
		names: []string{"l", "list", "e", "edit"},
	},
	"time":    {valued: []string{"f", "format", "o", "output"}},
	"timeout": {valued: []string{"k", "kill-after", "s", "signal"}, before: 1},
}

// containers are programs that run programs in containers.
var containers = []string{"docker", "docker-compose", "kubectl", "podman"}

// switches are the usual options of such programs without a value. An option that is not among them has one.
var switches = []string{
	"d", "detach", "i", "interactive", "stdin", "t", "tty", "T", "no-TTY", "P", "publish-all", "q", "quiet", "D", "debug",
	"rm", "init", "privileged", "read-only", "replace", "no-deps", "service-ports", "build", "remove-orphans", "tls",
	"tlsverify", "command", "expose", "leave-stdin-open", "insecure-skip-tls-verify",
}

// runsOthers reports whether a program runs the program that stands among its words.
func runsOthers(name string) bool {
	_, known := runners[name]
	return known || slices.Contains(containers, name)
}

// within returns the program that a program around runs, and the words after it. It returns none if the call runs no
// program of its words: `docker logs pumba`, `command -v pumba`.
func (s *script) within(outer string, words []field) []field {
	if slices.Contains(containers, outer) {
		return s.contained(outer, words)
	}
	r, known := runners[outer]
	if !known {
		return nil
	}
	words, options := operands(words, func(option string) bool { return slices.Contains(r.valued, option) })
	for _, option := range r.names {
		if _, given := options[option]; given {
			return nil
		}
	}
	for len(words) > 0 {
		if name, _, assigns := strings.Cut(words[0].text, "="); !assigns || !draft.EnvName.MatchString(name) {
			break
		}
		words = words[1:]
	}
	if len(words) > 1 && words[0].many && r.before == 0 && s.runs(words[1]) { // options or assignments
		return words[1:]
	}
	return words[min(r.before, len(words)):]
}

// runs reports whether a word names the program.
func (s *script) runs(word field) bool { return program(word.text) == s.Programs[0] }

// holdsOptions reports whether the first of the words behind `docker run` is a variable of options: more options, or
// the container and then the program, come after it.
func (s *script) holdsOptions(outer string, words []field) bool {
	if len(words) < 2 || !words[0].many {
		return false
	}
	dashed := strings.HasPrefix(words[1].text, "-")
	if outer == "kubectl" { // whose options may also stand behind the pod
		return !dashed && len(words) > 2 && words[2].text == "--"
	}
	return dashed || len(words) > 2 && s.runs(words[2])
}

// contained returns the program that runs in a container, and the words after it. It is the entry point that is given,
// the one for which the image is named, as in `docker run gaiaadm/pumba kill web`, or the one after the container.
func (s *script) contained(outer string, words []field) []field {
	takes := func(option string) bool { return !slices.Contains(switches, option) }
	words, _ = operands(words, takes)
	for len(words) > 0 && (words[0].text == "compose" || words[0].text == "container") {
		words, _ = operands(words[1:], takes)
	}
	if len(words) < 2 || words[0].text != "run" && words[0].text != "exec" {
		return nil
	}
	fromImage := words[0].text == "run"
	words, options := operands(words[1:], takes)
	for s.holdsOptions(outer, words) {
		before := options
		words, options = operands(words[1:], takes)
		maps.Copy(options, before)
	}
	if len(words) == 0 {
		return nil
	}
	image, words := words[0], words[1:]
	if outer == "kubectl" { // whose options may also stand behind the pod
		more := options
		words, options = operands(words, takes)
		maps.Copy(options, more)
		image.text = options["image"]
		_, command := options["command"]
		fromImage = fromImage && !command
	}
	entry, given := options["entrypoint"]
	if given {
		image.text = entry
	}
	instead := []string{s.Programs[0], "sh", "bash", "ash"} // programs that such an image runs if they are named
	if !fromImage || image.text == "" || !given && (program(image.text) != s.Programs[0] ||
		len(words) > 0 && slices.Contains(instead, program(words[0].text))) {
		return words
	}
	return append([]field{image}, words...)
}

// operands returns the words from the first one that is neither an option nor the value of one, and the options.
func operands(words []field, takes func(option string) bool) (rest []field, options map[string]string) {
	options = map[string]string{}
	for len(words) > 0 && strings.HasPrefix(words[0].text, "-") {
		w := words[0].text
		if words = words[1:]; w == "--" {
			break
		}
		next := func() (value string) {
			if len(words) > 0 {
				value, words = words[0].text, words[1:]
			}
			return value
		}
		if long, ok := strings.CutPrefix(w, "--"); ok {
			name, value, given := strings.Cut(long, "=")
			if !given && takes(name) {
				value = next()
			}
			options[name] = value
			continue
		}
		for i := 1; i < len(w); i++ {
			letter, value := w[i:i+1], w[i+1:]
			if !takes(letter) {
				options[letter] = ""
				continue
			}
			if value == "" {
				value = next()
			}
			options[letter] = value
			break
		}
	}
	return words, options
}
