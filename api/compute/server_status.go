package compute

import (
	"maps"
	"slices"
	"strings"

	"github.com/kvorum/kvorum/internal/model"
)

// deleted is the vm_state of what is left of a deleted server.
const deleted = "deleted"

// states is what each vm_state is called (Compute API guide, "Server
// concepts"), those included that no server here gets into: a list may be
// asked for them. tasks are the tasks during which it is called otherwise.
var states = map[string]struct {
	status string
	tasks  map[string]string
}{
	model.Active: {"ACTIVE", joined(rebootTasks, resizeTasks, rebuildTasks,
		map[string]string{"updating_password": "PASSWORD", "migrating": "MIGRATING"})},
	model.Building:      {"BUILD", nil},
	model.Stopped:       {"SHUTOFF", joined(resizeTasks, rebuildTasks)},
	model.Errored:       {"ERROR", rebuildTasks},
	"resized":           {"VERIFY_RESIZE", map[string]string{"resize_reverting": "REVERT_RESIZE"}},
	"paused":            {"PAUSED", map[string]string{"migrating": "MIGRATING"}},
	"suspended":         {"SUSPENDED", nil},
	"rescued":           {"RESCUE", nil},
	deleted:             {"DELETED", nil},
	"soft-delete":       {"SOFT_DELETED", nil},
	"shelved":           {"SHELVED", nil},
	"shelved_offloaded": {"SHELVED_OFFLOADED", nil},
}

var (
	rebootTasks = map[string]string{"rebooting": "REBOOT", "reboot_pending": "REBOOT", "reboot_started": "REBOOT",
		"rebooting_hard": "HARD_REBOOT", "reboot_pending_hard": "HARD_REBOOT", "reboot_started_hard": "HARD_REBOOT"}
	resizeTasks  = map[string]string{"resize_prep": "RESIZE", "resize_migrating": "RESIZE", "resize_migrated": "RESIZE", "resize_finish": "RESIZE"}
	rebuildTasks = map[string]string{"rebuilding": "REBUILD", "rebuild_block_device_mapping": "REBUILD", "rebuild_spawning": "REBUILD"}
)

func joined(all ...map[string]string) map[string]string {
	out := map[string]string{}
	for _, m := range all {
		maps.Copy(out, m)
	}
	return out
}

// status is the one word that users see for a server's states.
func status(s *model.Server) string {
	st, known := states[s.VMState]
	if !known {
		return "UNKNOWN"
	}
	if word := st.tasks[s.TaskState]; word != "" {
		return word
	}
	return st.status
}

// isStatus tells whether the API has such a word, in any case.
func isStatus(word string) bool {
	word = strings.ToUpper(word)
	for _, st := range states {
		if st.status == word || slices.Contains(slices.Collect(maps.Values(st.tasks)), word) {
			return true
		}
	}
	return word == "UNKNOWN"
}

// hasProgress are the statuses that show a progress.
var hasProgress = []string{"ACTIVE", "BUILD", "REBUILD", "RESIZE", "VERIFY_RESIZE", "MIGRATING"}

// progress is all or nothing: hosts do not tell.
func progress(s *model.Server) int {
	if s.VMState == model.Active {
		return 100
	}
	return 0
}
