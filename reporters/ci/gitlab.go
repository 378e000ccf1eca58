package ci

import (
	"io"
	"strings"

	"brunt/reporters"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
)

// GitLab writes metrics.txt for GitLab's metrics report (artifacts:reports:metrics), in the text format of
// OpenMetrics. A merge request shows these figures beside those of its target branch.
type GitLab struct{}

var _ reporters.Reporter = GitLab{}

func (GitLab) Format() reporters.Format {
	return reporters.Format{
		Name:  "gitlab",
		About: "Metrics in the text form of OpenMetrics, for GitLab's metrics report.",
	}
}

func (GitLab) Report(w io.Writer, r *result.Result) error {
	reg := prometheus.NewRegistry()
	gauge := func(name, help string, labels ...string) func(n result.Num, values ...string) {
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "brunt_" + name, Help: help}, labels)
		reg.MustRegister(v)
		return func(n result.Num, values ...string) {
			if !n.Known() {
				return // an unknown or infinite value cannot be compared
			}
			for i := range values {
				values[i] = strings.ToValidUTF8(words.Clean(values[i]), "�")
			}
			v.WithLabelValues(values...).Set(float64(n))
		}
	}
	requests := gauge("requests", "Requests of the judged load.", "load", "step")
	rates := gauge("requests_per_second", "Requests of the judged load, by the second.", "load", "step")
	errors := gauge("error_ratio", "Share of the requests that were errors or skipped.", "load", "step")
	times := gauge("response_seconds", "Response times of good answers.", "load", "step", "quantile")
	measured := gauge("objective_measured", "What an objective was judged by.", "objective", "phase")
	held := gauge("objective_held", "1 where the objective held.", "objective", "phase")
	recovered := gauge("fault_recover_seconds", "From injection to recovery.", "fault")
	code := gauge("exit_code", "Exit code of the run.")
	list := words.PhaseRows(r, func(c *result.Cell) bool {
		return c.Phase.Kind == slo.RunPhase && c.Count > 0 &&
			c.Step != "iteration"
	})
	for i := range list {
		c := &list[i].All
		all := func() []string { return []string{c.Load, c.Step} }
		requests(result.Num(c.Count), all()...)
		rates(c.Rate, all()...)
		errors(result.Num(float64(list[i].Bad)/float64(c.Count)), all()...)
		good := &list[i].Ok.Response
		times(good.P50, c.Load, c.Step, "0.5")
		times(good.P95, c.Load, c.Step, "0.95")
		times(good.P99, c.Load, c.Step, "0.99")
	}
	for i := range r.Objectives {
		o := &r.Objectives[i]
		is := result.Num(0)
		if o.Verdict == scenarios.Pass {
			is = 1
		}
		held(is, words.ObjectiveTitle(o), o.Phase.String())
		measured(o.Measured, words.ObjectiveTitle(o), o.Phase.String())
	}
	for i := range r.Faults {
		if f := &r.Faults[i]; !f.NoOutage() {
			recovered(f.Recover, f.Name)
		}
	}
	code(result.Num(r.ExitCode))
	families, err := reg.Gather()
	if err != nil {
		return err
	}
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToOpenMetrics(w, f); err != nil {
			return err
		}
	}
	_, err = expfmt.FinalizeOpenMetrics(w)
	return err
}
