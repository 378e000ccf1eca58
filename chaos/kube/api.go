package kube

import (
	"encoding/json"
	"fmt"
	"time"
)

// The objects of Kubernetes that brunt reads and writes. Names and JSON are those of the API; fields that brunt does
// not need are left out. The package k8s.io/api has all of them, but costs 20 s of CPU in each cold build. Replacing an
// object that was read, with [Objects.Update], would lose the fields that are left out here: change objects with
// [Objects.Patch].

// UID identifies an object. No later object of the same name has it.
type UID string

// Time is a time of the API, in whole seconds.
type Time struct{ time.Time }

func (t Time) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return json.Marshal(t.UTC().Format(time.RFC3339))
}

// GetUID returns the identity of an object.
func (m *ObjectMeta) GetUID() UID { return m.UID }

// GetResourceVersion returns the version of an object, which changes with the object.
func (m *ObjectMeta) GetResourceVersion() string { return m.ResourceVersion }

// Controller returns the owner that controls an object, or nil.
func (m *ObjectMeta) Controller() *OwnerReference {
	for i := range m.OwnerReferences {
		if o := &m.OwnerReferences[i]; o.Controller != nil && *o.Controller {
			return o
		}
	}
	return nil
}

// Matches reports whether two taints are equal apart from their values: a node has at most one taint with a key and an
// effect.
func (t Taint) Matches(other Taint) bool { return t.Key == other.Key && t.Effect == other.Effect }

// String formats a taint as kubectl does.
func (t Taint) String() string {
	switch {
	case t.Effect == "" && t.Value == "":
		return t.Key
	case t.Effect == "":
		return fmt.Sprintf("%s=%s:", t.Key, t.Value)
	case t.Value == "":
		return fmt.Sprintf("%s:%s", t.Key, t.Effect)
	}
	return fmt.Sprintf("%s=%s:%s", t.Key, t.Value, t.Effect)
}

// IsReady reports whether a service sends connections to the endpoint. An endpoint whose condition is not known counts
// as ready, as the API asks of its readers.
func (e Endpoint) IsReady() bool { return e.Conditions.Ready == nil || *e.Conditions.Ready }

// Names and values of the API.
const (
	ClusterIPNone          = "None"
	EventTypeWarning       = "Warning"
	TaintNodeUnschedulable = "node.kubernetes.io/unschedulable"
	LabelServiceName       = "kubernetes.io/service-name"

	ParallelPodManagement PodManagementPolicyType = "Parallel"

	ResourceMetricSourceType MetricSourceType = "Resource"

	AverageValueMetricType MetricTargetType = "AverageValue"

	IndexedCompletion CompletionMode = "Indexed"

	PodFailurePolicyActionFailIndex PodFailurePolicyAction = "FailIndex"

	ReplaceFailed PodReplacementPolicy = "Failed"

	AppArmorProfileTypeUnconfined AppArmorProfileType = "Unconfined"

	ConditionFalse ConditionStatus = "False"
	ConditionTrue  ConditionStatus = "True"

	NodeReady NodeConditionType = "Ready"

	NodeSelectorOpDoesNotExist NodeSelectorOperator = "DoesNotExist"
	NodeSelectorOpNotIn        NodeSelectorOperator = "NotIn"

	Windows OSName = "windows"

	DisruptionTarget PodConditionType = "DisruptionTarget"
	PodReady         PodConditionType = "Ready"
	PodScheduled     PodConditionType = "PodScheduled"

	PodFailed    PodPhase = "Failed"
	PodPending   PodPhase = "Pending"
	PodRunning   PodPhase = "Running"
	PodSucceeded PodPhase = "Succeeded"

	ProtocolTCP Protocol = "TCP"
	ProtocolUDP Protocol = "UDP"

	PullIfNotPresent PullPolicy = "IfNotPresent"
	PullNever        PullPolicy = "Never"

	ResourceCPU    ResourceName = "cpu"
	ResourceMemory ResourceName = "memory"

	RestartPolicyNever     RestartPolicy = "Never"
	RestartPolicyOnFailure RestartPolicy = "OnFailure"

	SeccompProfileTypeRuntimeDefault SeccompProfileType = "RuntimeDefault"
	SeccompProfileTypeUnconfined     SeccompProfileType = "Unconfined"

	TaintEffectNoExecute TaintEffect = "NoExecute"

	TerminationMessageFallbackToLogsOnError TerminationMessagePolicy = "FallbackToLogsOnError"

	TolerationOpEqual  TolerationOperator = "Equal"
	TolerationOpExists TolerationOperator = "Exists"

	ScheduleAnyway UnsatisfiableConstraintAction = "ScheduleAnyway"
)

// Objects of the API, and their parts.
type (
	DaemonSet struct {
		TypeMeta
		ObjectMeta `json:"metadata"`
		Spec       DaemonSetSpec   `json:"spec"`
		Status     DaemonSetStatus `json:"status"`
	}

	DaemonSetSpec struct {
		Selector *LabelSelector `json:"selector"`
	}

	DaemonSetStatus struct {
		DesiredNumberScheduled int32 `json:"desiredNumberScheduled"`
	}

	Deployment struct {
		TypeMeta
		ObjectMeta `json:"metadata"`
		Spec       DeploymentSpec `json:"spec"`
	}

	DeploymentSpec struct {
		Replicas *int32         `json:"replicas,omitempty"`
		Selector *LabelSelector `json:"selector"`
	}

	StatefulSet struct {
		TypeMeta
		ObjectMeta `json:"metadata"`
		Spec       StatefulSetSpec `json:"spec"`
	}

	StatefulSetSpec struct {
		Replicas            *int32                  `json:"replicas,omitempty"`
		Selector            *LabelSelector          `json:"selector"`
		Template            PodTemplateSpec         `json:"template"`
		ServiceName         string                  `json:"serviceName"`
		PodManagementPolicy PodManagementPolicyType `json:"podManagementPolicy,omitempty"`
	}

	CrossVersionObjectReference struct {
		Kind       string `json:"kind"`
		Name       string `json:"name"`
		APIVersion string `json:"apiVersion,omitempty"`
	}

	HorizontalPodAutoscaler struct {
		TypeMeta
		ObjectMeta `json:"metadata"`
		Spec       HorizontalPodAutoscalerSpec   `json:"spec"`
		Status     HorizontalPodAutoscalerStatus `json:"status"`
	}

	HorizontalPodAutoscalerSpec struct {
		ScaleTargetRef CrossVersionObjectReference `json:"scaleTargetRef"`
		MinReplicas    *int32                      `json:"minReplicas,omitempty"`
		MaxReplicas    int32                       `json:"maxReplicas"`
		Metrics        []MetricSpec                `json:"metrics,omitempty"`
	}

	HorizontalPodAutoscalerStatus struct {
		LastScaleTime   *Time          `json:"lastScaleTime,omitempty"`
		CurrentReplicas int32          `json:"currentReplicas,omitempty"`
		DesiredReplicas int32          `json:"desiredReplicas"`
		CurrentMetrics  []MetricStatus `json:"currentMetrics"`
	}

	MetricSpec struct {
		Type     MetricSourceType      `json:"type"`
		Resource *ResourceMetricSource `json:"resource,omitempty"`
	}

	MetricStatus struct {
		Resource *ResourceMetricStatus `json:"resource,omitempty"`
	}

	MetricTarget struct {
		Type               MetricTargetType `json:"type"`
		AverageValue       *Quantity        `json:"averageValue,omitempty"`
		AverageUtilization *int32           `json:"averageUtilization,omitempty"`
	}

	MetricValueStatus struct {
		AverageUtilization *int32 `json:"averageUtilization,omitempty"`
	}

	ResourceMetricSource struct {
		Name   ResourceName `json:"name"`
		Target MetricTarget `json:"target"`
	}

	ResourceMetricStatus struct {
		Name    ResourceName      `json:"name"`
		Current MetricValueStatus `json:"current"`
	}

	Job struct {
		TypeMeta
		ObjectMeta `json:"metadata"`
		Spec       JobSpec `json:"spec"`
	}

	JobSpec struct {
		Parallelism             *int32                `json:"parallelism,omitempty"`
		Completions             *int32                `json:"completions,omitempty"`
		ActiveDeadlineSeconds   *int64                `json:"activeDeadlineSeconds,omitempty"`
		PodFailurePolicy        *PodFailurePolicy     `json:"podFailurePolicy,omitempty"`
		BackoffLimit            *int32                `json:"backoffLimit,omitempty"`
		BackoffLimitPerIndex    *int32                `json:"backoffLimitPerIndex,omitempty"`
		MaxFailedIndexes        *int32                `json:"maxFailedIndexes,omitempty"`
		Template                PodTemplateSpec       `json:"template"`
		TTLSecondsAfterFinished *int32                `json:"ttlSecondsAfterFinished,omitempty"`
		CompletionMode          *CompletionMode       `json:"completionMode,omitempty"`
		PodReplacementPolicy    *PodReplacementPolicy `json:"podReplacementPolicy,omitempty"`
	}

	PodFailurePolicy struct {
		Rules []PodFailurePolicyRule `json:"rules"`
	}

	PodFailurePolicyOnPodConditionsPattern struct {
		Type   PodConditionType `json:"type"`
		Status ConditionStatus  `json:"status"`
	}

	PodFailurePolicyRule struct {
		Action          PodFailurePolicyAction                   `json:"action"`
		OnPodConditions []PodFailurePolicyOnPodConditionsPattern `json:"onPodConditions,omitempty"`
	}

	Affinity struct {
		NodeAffinity *NodeAffinity `json:"nodeAffinity,omitempty"`
	}

	AppArmorProfile struct {
		Type AppArmorProfileType `json:"type"`
	}

	Capabilities struct {
		Add  []Capability `json:"add,omitempty"`
		Drop []Capability `json:"drop,omitempty"`
	}

	ConfigMap struct {
		TypeMeta
		ObjectMeta `json:"metadata"`
		Data       map[string]string `json:"data,omitempty"`
	}

	Container struct {
		Name                     string                   `json:"name"`
		Image                    string                   `json:"image,omitempty"`
		Args                     []string                 `json:"args,omitempty"`
		Ports                    []ContainerPort          `json:"ports,omitempty"`
		Env                      []EnvVar                 `json:"env,omitempty"`
		Resources                ResourceRequirements     `json:"resources"`
		VolumeMounts             []VolumeMount            `json:"volumeMounts,omitempty"`
		LivenessProbe            *Probe                   `json:"livenessProbe,omitempty"`
		ReadinessProbe           *Probe                   `json:"readinessProbe,omitempty"`
		TerminationMessagePolicy TerminationMessagePolicy `json:"terminationMessagePolicy,omitempty"`
		ImagePullPolicy          PullPolicy               `json:"imagePullPolicy,omitempty"`
		SecurityContext          *SecurityContext         `json:"securityContext,omitempty"`
	}

	ContainerPort struct {
		ContainerPort int32    `json:"containerPort"`
		Protocol      Protocol `json:"protocol,omitempty"`
	}

	ContainerState struct {
		Waiting    *ContainerStateWaiting    `json:"waiting,omitempty"`
		Running    *ContainerStateRunning    `json:"running,omitempty"`
		Terminated *ContainerStateTerminated `json:"terminated,omitempty"`
	}

	ContainerStateRunning struct {
		StartedAt Time `json:"startedAt,omitzero"`
	}

	ContainerStateTerminated struct {
		ExitCode    int32  `json:"exitCode"`
		Signal      int32  `json:"signal,omitempty"`
		Reason      string `json:"reason,omitempty"`
		Message     string `json:"message,omitempty"`
		FinishedAt  Time   `json:"finishedAt,omitzero"`
		ContainerID string `json:"containerID,omitempty"`
	}

	ContainerStateWaiting struct {
		Reason  string `json:"reason,omitempty"`
		Message string `json:"message,omitempty"`
	}

	ContainerStatus struct {
		Name                 string         `json:"name"`
		State                ContainerState `json:"state"`
		LastTerminationState ContainerState `json:"lastState"`
		RestartCount         int32          `json:"restartCount"`
		ContainerID          string         `json:"containerID,omitempty"`
	}

	EmptyDirVolumeSource struct{}

	EnvVar struct {
		Name      string        `json:"name"`
		Value     string        `json:"value,omitempty"`
		ValueFrom *EnvVarSource `json:"valueFrom,omitempty"`
	}

	EnvVarSource struct {
		FieldRef     *ObjectFieldSelector `json:"fieldRef,omitempty"`
		SecretKeyRef *SecretKeySelector   `json:"secretKeyRef,omitempty"`
	}

	ObjectEvent struct {
		TypeMeta
		ObjectMeta     `json:"metadata"`
		InvolvedObject ObjectReference `json:"involvedObject"`
		Reason         string          `json:"reason,omitempty"`
		Message        string          `json:"message,omitempty"`
		LastTimestamp  Time            `json:"lastTimestamp,omitzero"`
		Count          int32           `json:"count,omitempty"`
		Type           string          `json:"type,omitempty"`
		EventTime      Time            `json:"eventTime,omitzero"`
		Series         *EventSeries    `json:"series,omitempty"`
	}

	EventSeries struct {
		Count            int32 `json:"count,omitempty"`
		LastObservedTime Time  `json:"lastObservedTime,omitzero"`
	}

	HTTPGetAction struct {
		Path string      `json:"path,omitempty"`
		Port IntOrString `json:"port"`
	}

	HostIP struct {
		IP string `json:"ip"`
	}

	HostPathVolumeSource struct {
		Path string `json:"path"`
	}

	Namespace struct {
		TypeMeta
		ObjectMeta `json:"metadata"`
	}

	Node struct {
		TypeMeta
		ObjectMeta `json:"metadata"`
		Spec       NodeSpec   `json:"spec"`
		Status     NodeStatus `json:"status"`
	}

	// A LocalObjectReference names an object of the same namespace.
	LocalObjectReference struct {
		Name string `json:"name,omitempty"`
	}

	NodeAffinity struct {
		PreferredDuringSchedulingIgnoredDuringExecution []PreferredSchedulingTerm `json:"preferredDuringSchedulingIgnoredDuringExecution,omitempty"`
	}

	NodeCondition struct {
		Type    NodeConditionType `json:"type"`
		Status  ConditionStatus   `json:"status"`
		Reason  string            `json:"reason,omitempty"`
		Message string            `json:"message,omitempty"`
	}

	NodeSelectorRequirement struct {
		Key      string               `json:"key"`
		Operator NodeSelectorOperator `json:"operator"`
		Values   []string             `json:"values,omitempty"`
	}

	NodeSelectorTerm struct {
		MatchExpressions []NodeSelectorRequirement `json:"matchExpressions,omitempty"`
	}

	NodeSpec struct {
		Unschedulable bool    `json:"unschedulable,omitempty"`
		Taints        []Taint `json:"taints,omitempty"`
	}

	NodeStatus struct {
		Conditions []NodeCondition `json:"conditions,omitempty"`
		NodeInfo   NodeSystemInfo  `json:"nodeInfo"`
	}

	NodeSystemInfo struct {
		Architecture string `json:"architecture"`
	}

	ObjectFieldSelector struct {
		FieldPath string `json:"fieldPath"`
	}

	ObjectReference struct {
		Kind string `json:"kind,omitempty"`
		Name string `json:"name,omitempty"`
		UID  UID    `json:"uid,omitempty"`
	}

	Pod struct {
		TypeMeta
		ObjectMeta `json:"metadata"`
		Spec       PodSpec   `json:"spec"`
		Status     PodStatus `json:"status"`
	}

	PodCondition struct {
		Type               PodConditionType `json:"type"`
		Status             ConditionStatus  `json:"status"`
		LastTransitionTime Time             `json:"lastTransitionTime,omitzero"`
		Reason             string           `json:"reason,omitempty"`
		Message            string           `json:"message,omitempty"`
	}

	PodIP struct {
		IP string `json:"ip"`
	}

	PodOS struct {
		Name OSName `json:"name"`
	}

	PodSecurityContext struct {
		RunAsUser      *int64          `json:"runAsUser,omitempty"`
		RunAsGroup     *int64          `json:"runAsGroup,omitempty"`
		RunAsNonRoot   *bool           `json:"runAsNonRoot,omitempty"`
		FSGroup        *int64          `json:"fsGroup,omitempty"`
		SeccompProfile *SeccompProfile `json:"seccompProfile,omitempty"`
	}

	PodSpec struct {
		Volumes                       []Volume                   `json:"volumes,omitempty"`
		Containers                    []Container                `json:"containers"`
		RestartPolicy                 RestartPolicy              `json:"restartPolicy,omitempty"`
		TerminationGracePeriodSeconds *int64                     `json:"terminationGracePeriodSeconds,omitempty"`
		ActiveDeadlineSeconds         *int64                     `json:"activeDeadlineSeconds,omitempty"`
		NodeSelector                  map[string]string          `json:"nodeSelector,omitempty"`
		ImagePullSecrets              []LocalObjectReference     `json:"imagePullSecrets,omitempty"`
		ServiceAccountName            string                     `json:"serviceAccountName,omitempty"`
		AutomountServiceAccountToken  *bool                      `json:"automountServiceAccountToken,omitempty"`
		NodeName                      string                     `json:"nodeName,omitempty"`
		HostNetwork                   bool                       `json:"hostNetwork,omitempty"`
		HostPID                       bool                       `json:"hostPID,omitempty"`
		SecurityContext               *PodSecurityContext        `json:"securityContext,omitempty"`
		Affinity                      json.RawMessage            `json:"affinity,omitempty"` // an [Affinity]
		Tolerations                   []Toleration               `json:"tolerations,omitempty"`
		RuntimeClassName              *string                    `json:"runtimeClassName,omitempty"`
		EnableServiceLinks            *bool                      `json:"enableServiceLinks,omitempty"`
		TopologySpreadConstraints     []TopologySpreadConstraint `json:"topologySpreadConstraints,omitempty"`
		OS                            *PodOS                     `json:"os,omitempty"`
	}

	PodStatus struct {
		Phase             PodPhase          `json:"phase,omitempty"`
		Conditions        []PodCondition    `json:"conditions,omitempty"`
		Message           string            `json:"message,omitempty"`
		Reason            string            `json:"reason,omitempty"`
		HostIPs           []HostIP          `json:"hostIPs,omitempty"`
		PodIP             string            `json:"podIP,omitempty"`
		PodIPs            []PodIP           `json:"podIPs,omitempty"`
		ContainerStatuses []ContainerStatus `json:"containerStatuses,omitempty"`
	}

	PodTemplateSpec struct {
		ObjectMeta `json:"metadata"`
		Spec       PodSpec `json:"spec"`
	}

	PreferredSchedulingTerm struct {
		Weight     int32            `json:"weight"`
		Preference NodeSelectorTerm `json:"preference"`
	}

	Probe struct {
		ProbeHandler
		TimeoutSeconds   int32 `json:"timeoutSeconds,omitempty"`
		PeriodSeconds    int32 `json:"periodSeconds,omitempty"`
		FailureThreshold int32 `json:"failureThreshold,omitempty"`
	}

	ProbeHandler struct {
		HTTPGet   *HTTPGetAction   `json:"httpGet,omitempty"`
		TCPSocket *TCPSocketAction `json:"tcpSocket,omitempty"`
	}

	ResourceRequirements struct {
		Limits   ResourceList `json:"limits,omitempty"`
		Requests ResourceList `json:"requests,omitempty"`
	}

	SELinuxOptions struct {
		Type string `json:"type,omitempty"`
	}

	SeccompProfile struct {
		Type SeccompProfileType `json:"type"`
	}

	SecurityContext struct {
		Capabilities             *Capabilities    `json:"capabilities,omitempty"`
		Privileged               *bool            `json:"privileged,omitempty"`
		SELinuxOptions           *SELinuxOptions  `json:"seLinuxOptions,omitempty"`
		RunAsUser                *int64           `json:"runAsUser,omitempty"`
		RunAsGroup               *int64           `json:"runAsGroup,omitempty"`
		RunAsNonRoot             *bool            `json:"runAsNonRoot,omitempty"`
		ReadOnlyRootFilesystem   *bool            `json:"readOnlyRootFilesystem,omitempty"`
		AllowPrivilegeEscalation *bool            `json:"allowPrivilegeEscalation,omitempty"`
		SeccompProfile           *SeccompProfile  `json:"seccompProfile,omitempty"`
		AppArmorProfile          *AppArmorProfile `json:"appArmorProfile,omitempty"`
	}

	// A SecretKeySelector names a value of a Secret.
	SecretKeySelector struct {
		LocalObjectReference
		Key string `json:"key"`
	}

	Service struct {
		TypeMeta
		ObjectMeta `json:"metadata"`
		Spec       ServiceSpec `json:"spec"`
	}

	ServicePort struct {
		Protocol   Protocol    `json:"protocol,omitempty"`
		Port       int32       `json:"port"`
		TargetPort IntOrString `json:"targetPort"`
	}

	ServiceSpec struct {
		Ports                    []ServicePort     `json:"ports,omitempty"`
		Selector                 map[string]string `json:"selector,omitempty"`
		ClusterIP                string            `json:"clusterIP,omitempty"`
		ClusterIPs               []string          `json:"clusterIPs,omitempty"`
		PublishNotReadyAddresses bool              `json:"publishNotReadyAddresses,omitempty"`
	}

	TCPSocketAction struct {
		Port IntOrString `json:"port"`
	}

	Taint struct {
		Key    string      `json:"key"`
		Value  string      `json:"value,omitempty"`
		Effect TaintEffect `json:"effect"`
	}

	Toleration struct {
		Key      string             `json:"key,omitempty"`
		Operator TolerationOperator `json:"operator,omitempty"`
		Value    string             `json:"value,omitempty"`
		Effect   TaintEffect        `json:"effect,omitempty"`
	}

	TopologySpreadConstraint struct {
		MaxSkew           int32                         `json:"maxSkew"`
		TopologyKey       string                        `json:"topologyKey"`
		WhenUnsatisfiable UnsatisfiableConstraintAction `json:"whenUnsatisfiable"`
		LabelSelector     *LabelSelector                `json:"labelSelector,omitempty"`
	}

	Volume struct {
		Name string `json:"name"`
		VolumeSource
	}

	VolumeMount struct {
		Name      string `json:"name"`
		MountPath string `json:"mountPath"`
	}

	VolumeSource struct {
		HostPath *HostPathVolumeSource `json:"hostPath,omitempty"`
		EmptyDir *EmptyDirVolumeSource `json:"emptyDir,omitempty"`
	}

	Endpoint struct {
		Addresses  []string           `json:"addresses"`
		Conditions EndpointConditions `json:"conditions"`
		TargetRef  *ObjectReference   `json:"targetRef,omitempty"`
	}

	EndpointConditions struct {
		Ready       *bool `json:"ready,omitempty"`
		Terminating *bool `json:"terminating,omitempty"`
	}

	EndpointPort struct {
		Protocol *Protocol `json:"protocol,omitempty"`
		Port     *int32    `json:"port,omitempty"`
	}

	EndpointSlice struct {
		TypeMeta
		ObjectMeta `json:"metadata"`
		Endpoints  []Endpoint     `json:"endpoints"`
		Ports      []EndpointPort `json:"ports"`
	}

	PodDisruptionBudget struct {
		TypeMeta
		ObjectMeta `json:"metadata"`
		Spec       PodDisruptionBudgetSpec   `json:"spec"`
		Status     PodDisruptionBudgetStatus `json:"status"`
	}

	PodDisruptionBudgetSpec struct {
		MinAvailable *IntOrString   `json:"minAvailable,omitempty"`
		Selector     *LabelSelector `json:"selector,omitempty"`
	}

	PodDisruptionBudgetStatus struct {
		CurrentHealthy int32 `json:"currentHealthy"`
	}

	PolicyRule struct {
		Verbs           []string `json:"verbs"`
		APIGroups       []string `json:"apiGroups,omitempty"`
		Resources       []string `json:"resources,omitempty"`
		ResourceNames   []string `json:"resourceNames,omitempty"`
		NonResourceURLs []string `json:"nonResourceURLs,omitempty"`
	}

	Role struct {
		TypeMeta
		ObjectMeta `json:"metadata"`
		Rules      []PolicyRule `json:"rules"`
	}

	RoleBinding struct {
		TypeMeta
		ObjectMeta `json:"metadata"`
		RoleRef    RoleRef   `json:"roleRef"`
		Subjects   []Subject `json:"subjects,omitempty"`
	}

	RoleRef struct {
		APIGroup string `json:"apiGroup"`
		Kind     string `json:"kind"`
		Name     string `json:"name"`
	}

	ObjectMeta struct {
		Name                       string            `json:"name,omitempty"`
		GenerateName               string            `json:"generateName,omitempty"`
		Namespace                  string            `json:"namespace,omitempty"`
		UID                        UID               `json:"uid,omitempty"`
		ResourceVersion            string            `json:"resourceVersion,omitempty"`
		CreationTimestamp          Time              `json:"creationTimestamp,omitzero"`
		DeletionTimestamp          *Time             `json:"deletionTimestamp,omitempty"`
		DeletionGracePeriodSeconds *int64            `json:"deletionGracePeriodSeconds,omitempty"`
		Labels                     map[string]string `json:"labels,omitempty"`
		Annotations                map[string]string `json:"annotations,omitempty"`
		OwnerReferences            []OwnerReference  `json:"ownerReferences,omitempty"`
	}

	OwnerReference struct {
		Controller *bool  `json:"controller,omitempty"`
		APIVersion string `json:"apiVersion"`
		Kind       string `json:"kind"`
		Name       string `json:"name"`
		UID        UID    `json:"uid"`
	}

	TypeMeta struct {
		Kind       string `json:"kind,omitempty"`
		APIVersion string `json:"apiVersion,omitempty"`
	}
)

// Types of fields.
type (
	PodManagementPolicyType       string
	MetricSourceType              string
	MetricTargetType              string
	CompletionMode                string
	PodFailurePolicyAction        string
	PodReplacementPolicy          string
	AppArmorProfileType           string
	Capability                    string
	ConditionStatus               string
	NodeConditionType             string
	NodeSelectorOperator          string
	OSName                        string
	PodConditionType              string
	PodPhase                      string
	Protocol                      string
	PullPolicy                    string
	ResourceList                  map[ResourceName]Quantity
	ResourceName                  string
	RestartPolicy                 string
	SeccompProfileType            string
	TaintEffect                   string
	TerminationMessagePolicy      string
	TolerationOperator            string
	UnsatisfiableConstraintAction string
)
