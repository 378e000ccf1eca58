package pods

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/chaos/kube/kubeconfig"
	"brunt/chaos/kube/kubetest"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/run/workers"
	"brunt/scenarios/suite"
)

// settings are of one worker, which joins within a time.
func settings(join time.Duration) Settings {
	return Settings{Run: "20260101-000000-abcd", Image: "brunt:test", Workers: scenarios.Workers{
		Count: 1, On: "kubernetes", Namespace: "default", CPU: 1.5, Memory: 1 << 30, Join: quantity.Duration(join),
		Patience: quantity.Duration(30 * time.Second),
		Spread:   "zone", Nodes: map[string]string{"pool": "load"}, Tolerate: []string{"dedicated=load:NoSchedule"},
	}}
}

func open(t *testing.T, s *kubetest.Server, user string) *kube.Cluster {
	t.Helper()
	c, err := kubeconfig.Open(kube.Address{Kubeconfig: s.Kubeconfig(t, user)}, kube.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// onJob calls do once with the Job that a run makes.
func onJob(t *testing.T, c *kube.Cluster, do func(*kube.Job)) {
	go func() {
		_ = kube.Jobs(c, "default").Watch(t.Context(), kube.Query{}, func(e kube.Event[kube.Job]) bool {
			do(&e.Object)
			return false
		})
	}()
}

// TestHirer has one worker join, and its pod deleted later: the conversation ends with the reason, and the Job is
// deleted.
func TestHirer(t *testing.T) {
	s := kubetest.Start(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	_ = free.Close()
	s.Ports = map[int]string{port: address}
	c := open(t, s, "")
	served := make(chan error, 1)
	pod := &kube.Pod{
		ObjectMeta: kube.ObjectMeta{Name: "pod-0", Labels: map[string]string{labelIndex: "0"}},
		Spec:       kube.PodSpec{NodeName: "n1", Containers: []kube.Container{{Name: container}}},
	}
	onJob(t, c, func(job *kube.Job) {
		args := job.Spec.Template.Spec.Containers[0].Args
		w := Served{Listen: address, Run: job.Labels[cluster.RunLabel], Patience: time.Second, First: time.Minute}
		for i, a := range args {
			if a == "--key" {
				w.Key = args[i+1]
			}
		}
		pod.Labels[cluster.RunLabel] = w.Run
		if _, err := kube.Pods(c, "default").Create(t.Context(), pod, false); err != nil {
			t.Error(err)
		}
		served <- w.Serve(t.Context(), func(_ context.Context, in io.Reader, out io.Writer) error {
			_,
				err := io.Copy(out, in)
			return err
		})
	})
	h := New(open(t, s, ""), settings(30*time.Second))
	posts, err := h.Hire(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	p := posts[0]
	if p.Name() != "pod pod-0 on n1" {
		t.Errorf("it is named %q", p.Name())
	}
	word := make([]byte, 4)
	if _, err := p.Write([]byte("word")); err != nil {
		t.Error(err)
	}
	if _, err := io.ReadFull(p, word); err != nil || string(word) != "word" {
		t.Errorf("%q, %v", word, err)
	}
	if err := kube.Pods(c, "default").Delete(t.Context(), "pod-0", kube.Deletion{}); err != nil {
		t.Error(err)
	}
	if _, err := p.Read(word); err == nil || err.Error() != "the pod was deleted" {
		t.Errorf("after the deletion: %v", err)
	}
	<-p.Ended()
	if err := p.Why(); err == nil || err.Error() != "the pod was deleted" {
		t.Errorf("it ended by %v", err)
	}
	if err := <-served; err == nil {
		t.Error("a worker whose run is gone ends in order")
	}
	if err := h.Dismiss(); err != nil {
		t.Error(err)
	}
	if jobs, err := kube.Jobs(c, "default").List(t.Context(), kube.Query{}); err != nil || len(jobs) > 0 {
		t.Errorf("%d jobs are left, %v", len(jobs), err)
	}
}

// hireFails has workers that do not join, and returns the error and how long it took.
func hireFails(t *testing.T, c *kube.Cluster, join time.Duration) (string, time.Duration) {
	t.Helper()
	h := New(c, settings(join))
	began := time.Now()
	posts, err := h.Hire(t.Context(), 1)
	if err == nil {
		t.Fatalf("%d workers joined", len(posts))
	}
	took := time.Since(began)
	if err := h.Dismiss(); err != nil {
		t.Error(err)
	}
	return err.Error(), took
}

// TestHirer_Missing: what a worker waits for is named, at once where waiting does not help.
func TestHirer_Missing(t *testing.T) {
	s := kubetest.Start(t)
	c := open(t, s, "")
	if err, took := hireFails(t, open(t, s, ""),
		time.Second); err != "0 workers of 1 joined within 1s; worker 1: there is no pod yet" || took < time.Second {
		t.Errorf("%s after %s", err, took)
	}
	onJob(t, c, func(job *kube.Job) {
		e := &kube.ObjectEvent{
			ObjectMeta: kube.ObjectMeta{Name: "e1"}, InvolvedObject: kube.ObjectReference{UID: job.UID},
			Type: kube.EventTypeWarning, Reason: "FailedCreate",
			Message: "pods \"x\" is forbidden: exceeded quota: small",
		}
		if _, err := kube.Events(c, "default").Create(t.Context(), e, false); err != nil {
			t.Error(err)
		}
	})
	want := "worker 1 of 1 can't run: FailedCreate: pods \"x\" is forbidden: exceeded quota: small"
	if err, took := hireFails(t, open(t, s, ""), time.Minute); err != want || took > 20*time.Second {
		t.Errorf("%s after %s", err, took)
	}
	s.Deny("guest")
	err, _ := hireFails(t, open(t, s, "guest"), time.Minute)
	table := strings.Join(strings.Fields(err), " ")
	for _, want := range []string{
		"verbs resource namespace for create, delete jobs.batch default the workers list, watch, delete pods default the " +
			"workers get, create pods/portforward default the workers list events default the workers",
		"`brunt rbac SCENARIO` prints the roles",
	} {
		if !strings.Contains(table, want) {
			t.Errorf("no %q in\n%s", want, err)
		}
	}
	over, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	onJob(t, c, func(*kube.Job) { cancel(enough) })
	h := New(open(t, s, ""), settings(time.Minute))
	if _, err := h.Hire(over, 1); !errors.Is(err, enough) {
		t.Errorf("an interrupted hire: %v", err)
	}
	if err := h.Dismiss(); err != nil {
		t.Error(err)
	}
	suite.Until(t, "no Job is left", func() bool {
		jobs, err := kube.Jobs(c, "default").List(t.Context(), kube.Query{})
		return err == nil && len(jobs) == 0
	})
}

var _ workers.Hirer = (*Hirer)(nil)

func TestReasons(t *testing.T) {
	waitingFor := func(reason, message string) kube.Pod {
		return kube.Pod{Status: kube.PodStatus{Phase: kube.PodPending, ContainerStatuses: []kube.ContainerStatus{{
			Name: container, State: kube.ContainerState{Waiting: &kube.ContainerStateWaiting{Reason: reason, Message: message}},
		}}}}
	}
	ended := func(code int32, reason, message string) kube.Pod {
		return kube.Pod{Status: kube.PodStatus{Phase: kube.PodFailed, ContainerStatuses: []kube.ContainerStatus{{
			Name: container, State: kube.ContainerState{Terminated: &kube.ContainerStateTerminated{
				ExitCode: code, Reason: reason, Message: message,
			}},
		}}}}
	}
	unscheduled := kube.Pod{Status: kube.PodStatus{Conditions: []kube.PodCondition{{
		Type: kube.PodScheduled, Status: kube.ConditionFalse, Reason: "Unschedulable",
		Message: "0/1 nodes are available: 1 Insufficient cpu.",
	}}}}
	evicted := ended(137, "Error", "")
	evicted.Status.Conditions = []kube.PodCondition{{
		Type: kube.DisruptionTarget, Status: kube.ConditionTrue, Reason: "EvictionByEvictionAPI",
		Message: "Eviction API: evicting",
	}}
	for _, c := range []struct {
		name string
		pod  kube.Pod
		ends bool
		want string
		sure bool
	}{
		{name: "unscheduled", pod: unscheduled, want: "not scheduled: 0/1 nodes are available: 1 Insufficient cpu."},
		{
			name: "pulled in vain", pod: waitingFor("ImagePullBackOff", "Back-off  pulling\nimage"),
			want: "ImagePullBackOff: Back-off pulling image",
		},
		{name: "never pulled", pod: waitingFor("ErrImageNeverPull", ""), want: "ErrImageNeverPull", sure: true},
		{name: "being made", pod: kube.Pod{Spec: kube.PodSpec{NodeName: "n1"}}, want: "its container is being made on n1"},
		{name: "in order", pod: ended(0, "Completed", ""), ends: true},
		{name: "out of memory", pod: ended(137, "OOMKilled", ""), ends: true, want: "OOMKilled"},
		{name: "an error", pod: ended(1, "Error", "brunt: no"), ends: true, want: "exit code 1: brunt: no"},
		{name: "evicted", pod: evicted, ends: true, want: "EvictionByEvictionAPI: Eviction API: evicting: exit code 137"},
		{
			name: "gone", pod: kube.Pod{Status: kube.PodStatus{Phase: kube.PodRunning}}, ends: true,
			want: "the pod was deleted",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, sure := "", false
			if !c.ends {
				got, sure = waiting(&c.pod)
			} else if err := ending(&c.pod); err != nil {
				got = err.Error()
			}
			if got != c.want || sure != c.sure {
				t.Errorf("got %q, %v, want %q, %v", got, sure, c.want, c.sure)
			}
		})
	}
}

// TestServed_Key refuses what is no key.
func TestServed_Key(t *testing.T) {
	for _, key := range []string{"", "zz", "00"} {
		if err := (Served{Key: key, Listen: "127.0.0.1:0"}).Serve(t.Context(), nil); err == nil ||
			!strings.Contains(err.Error(), "the key") {
			t.Errorf("%q: %v", key, err)
		}
	}
}
