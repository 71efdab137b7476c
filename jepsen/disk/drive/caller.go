package drive

import (
	"os"
	"strconv"
	"strings"
)

// sigkill is SIGKILL's bit in a mask of signals.
const sigkill = 1 << (9 - 1)

// doomed tells whether a thread is gone or about to die by SIGKILL. The kernel
// itself (0) never is.
func doomed(thread uint32) bool {
	if thread == 0 {
		return false
	}
	b, err := os.ReadFile("/proc/" + strconv.FormatUint(uint64(thread), 10) + "/status")
	if err != nil {
		return os.IsNotExist(err)
	}
	return doomedBy(string(b))
}

// doomedBy reads that from the text of /proc/PID/status.
func doomedBy(status string) bool {
	for line := range strings.Lines(status) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		value = strings.TrimSpace(value)
		switch name {
		case "State":
			if strings.HasPrefix(value, "Z") || strings.HasPrefix(value, "X") {
				return true
			}
		case "SigPnd", "ShdPnd":
			if mask, err := strconv.ParseUint(value, 16, 64); err == nil && mask&sigkill != 0 {
				return true
			}
		}
	}
	return false
}
