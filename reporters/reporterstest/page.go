package reporterstest

import "regexp"

var tips = regexp.MustCompile(`(?s)<span class="tip" role="tooltip">.*?</code></span>`)

// WithoutTips returns a page without the tooltips that explain terms.
func WithoutTips(page string) string { return tips.ReplaceAllString(page, "") }
