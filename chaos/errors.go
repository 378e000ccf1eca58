package chaos

import (
	"errors"
	"slices"
	"strings"
)

// JoinErrors joins errors into one that prints on one line. An error that says the same as one before it is left out.
func JoinErrors(errs ...error) error {
	var all oneLine
	for _, err := range errs {
		if err != nil && !slices.ContainsFunc(all, func(e error) bool { return e.Error() == err.Error() }) {
			all = append(all, err)
		}
	}
	switch len(all) {
	case 0:
		return nil
	case 1:
		return all[0]
	}
	return all
}

type oneLine []error

func (l oneLine) Unwrap() []error { return l }

func (l oneLine) Error() string {
	var out []string
	for _, err := range l {
		out = append(out, err.Error())
	}
	return strings.Join(out, "; ")
}

// ErrNoAnswer says that a probe was not answered in time. It shows neither an effect nor that one is over: on a busy
// machine a probe of what works may be silent too.
var ErrNoAnswer = errors.New("a probe is silent")

// ErrNoEffect says that a fault was injected and that its effect was not seen at the target.
var ErrNoEffect = errors.New("it has no effect")

// ErrHolderEnded says that the process which held a fault has ended, and the fault with it, while its unit may live:
// the fault can be injected again.
var ErrHolderEnded = errors.New("what held it has ended, and the fault with it")

// ErrRestarted says that a restart gave a container back everything the fault had taken from it.
var ErrRestarted = errors.New("the container was started again, and has everything that it had at first")
