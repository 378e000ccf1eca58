package reporterstest

import "regexp"

var tips = regexp.MustCompile(`(?s)<span class="tip" role="tooltip">.*?</code></span>`)

// WithoutTips is a page without the explanations of terms, which show when one points at a term.
func WithoutTips(page string) string { return tips.ReplaceAllString(page, "") }
