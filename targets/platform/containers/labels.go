package containers

// Labels of containers, networks and images.
const (
	RunLabel       = "brunt.run"     // on all objects that a run creates: the name of the run
	OwnerLabel     = "brunt.owner"   // on the same objects: the user id of the run's owner
	ServiceLabel   = "brunt.service" // on containers of a run: the service
	AgentLabel     = "brunt.agent"   // on brunt's own agents: the run, or [WatchdogOf] the run
	InsideLabel    = "brunt.inside"  // on agents in the network of a container: [InsideOf] the run and the container
	BesideLabel    = "brunt.beside"  // on agents beside a brunt that runs in a container: the id of that container
	ProtectLabel   = "brunt.protect" // "true" on containers that no fault may affect
	ComposeProject = "com.docker.compose.project"
	ComposeService = "com.docker.compose.service"
	ComposeNumber  = "com.docker.compose.container-number"
)

// Names in earlier versions. Agents have these labels in addition to the new ones, so that an earlier version that
// reads a journal of this version finds them. Objects that an earlier version left are also found and removed.
const (
	OldAgentLabel = "brunt.helper" // [AgentLabel]
	OldWatchdogOf = "warden-"      // the beginning of [WatchdogOf]
)

// InsideOf returns the value of [InsideLabel] on a run's agents in the network of a container.
func InsideOf(run, container string) string { return run + "." + container }

// WatchdogOf returns the value of [AgentLabel] on containers that outlive a run to revert its faults.
func WatchdogOf(run string) string { return "watchdog-" + run }
