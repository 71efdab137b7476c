//go:build faults

package main

import (
	"fmt"
	"os"

	"github.com/kvorum/kvorum/internal/failpoint"
)

// A build for the fault harness takes its orders from the first moment on.
func init() {
	if err := failpoint.Listen(); err != nil {
		fmt.Fprintln(os.Stderr, "kvorum:", err)
		os.Exit(1)
	}
}
