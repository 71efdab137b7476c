package compute

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/kvorum/kvorum/internal/model"
)

// value tells whether an extra spec's value has its form.
type value struct {
	fits func(string) bool
	says string
}

func anyValue() value { return value{func(string) bool { return true }, ""} }

func wholeFrom(least int64) value {
	return value{func(s string) bool { n, err := strconv.ParseInt(s, 10, 64); return err == nil && n >= least },
		fmt.Sprintf("a whole number of at least %d", least)}
}

func wordOf(words ...string) value {
	return value{func(s string) bool { return slices.Contains(words, s) }, "one of " + strings.Join(words, ", ")}
}

func formOf(form string) value {
	re := regexp.MustCompile(`^(?:` + form + `)$`)
	return value{re.MatchString, "of the form " + form}
}

func yesOrNo() value {
	return value{func(s string) bool { _, ok := truthOf(s); return ok }, "a truth value"}
}

const cpuList = `\^?\d+((-\d+)?(,\^?\d+(-\d+)?)?)*`

// knownSpecs are the extra specs that mean something to a cloud of this API
// ("Extra Specs" of the administration guide), by their names without what
// comes first: hw of hw:cpu_policy. From 2.86 on what is in one of these name
// spaces must be one of them. A name space with numbers, such as resources1,
// counts as the one without.
var knownSpecs = map[string]map[string]value{
	"accel":                          {"device_profile": anyValue()},
	"aggregate_instance_extra_specs": {`.+`: anyValue()},
	"capabilities":                   {`.+`: anyValue()},
	"hw": {
		"cpu_policy": wordOf("dedicated", "shared", "mixed"), "cpu_thread_policy": wordOf("prefer", "isolate", "require"),
		"emulator_threads_policy": wordOf("isolate", "share"), "cpu_dedicated_mask": formOf(cpuList), "cpu_realtime": yesOrNo(),
		"cpu_realtime_mask": formOf(cpuList), "mem_page_size": formOf(`large|small|any|\d+([kKMGT]i?)?(b|bit|B)?`), "locked_memory": yesOrNo(),
		"numa_nodes": wholeFrom(1), `numa_cpus\.\d+`: formOf(cpuList), `numa_mem\.\d+`: wholeFrom(1),
		"pci_numa_affinity_policy": wordOf("required", "preferred", "legacy", "socket"), "cpu_sockets": wholeFrom(1), "cpu_cores": wholeFrom(1),
		"cpu_threads": wholeFrom(1), "cpu_max_sockets": wholeFrom(1), "cpu_max_cores": wholeFrom(1), "cpu_max_threads": wholeFrom(1),
		"boot_menu": yesOrNo(), "hide_hypervisor_id": yesOrNo(), "mem_encryption": yesOrNo(), "pmem": anyValue(), "pmu": yesOrNo(),
		"serial_port_count": wholeFrom(0), "tpm_model": wordOf("tpm-tis", "tpm-crb"), "tpm_version": wordOf("1.2", "2.0"),
		"watchdog_action": wordOf("none", "pause", "poweroff", "reset", "disabled"), "vif_multiqueue_enabled": yesOrNo(),
		"input_bus": wordOf("usb", "virtio"), "virtio_packed_ring": yesOrNo(), "viommu_model": wordOf("intel", "smmuv3", "virtio", "auto"),
		"ephemeral_encryption": yesOrNo(), "ephemeral_encryption_format": wordOf("luks"),
	},
	"hw_rng":          {"allowed": yesOrNo(), "rate_bytes": wholeFrom(0), "rate_period": wholeFrom(0)},
	"hw_video":        {"ram_max_mb": wholeFrom(0)},
	"os":              {"secure_boot": wordOf("required", "disabled", "optional")},
	"pci_passthrough": {"alias": anyValue()},
	"powervm":         {`.+`: anyValue()},
	"quota": {
		`(cpu|memory|disk_io|vif)_(limit|reservation|shares_share)`: wholeFrom(0), `(cpu|memory|disk_io|vif)_shares_level`: wordOf("low", "normal", "high", "custom"),
		`cpu_(shares|period|quota)`: wholeFrom(0), `disk_(read|write|total)_(bytes|iops)_sec(_max)?`: wholeFrom(0),
		`vif_(inbound|outbound)_(average|burst|peak)`: wholeFrom(0),
	},
	"resources": {`[A-Z0-9_]+`: wholeFrom(0)},
	"trait":     {`[A-Z0-9_]+`: wordOf("required", "forbidden")},
	"vmware":    {`.+`: anyValue()},
}

// bareSpecs are those that stand in no name space.
var bareSpecs = map[string]value{"hide_hypervisor_id": yesOrNo(), "group_policy": wordOf("isolate", "none")}

// offeredSpecs are those whose meaning is what every server gets anyway.
var offeredSpecs = map[string]string{"hw:cpu_policy": "shared", "hw:boot_menu": "false", "hw:mem_encryption": "false", "hw:locked_memory": "false",
	"hw:hide_hypervisor_id": "false", "hide_hypervisor_id": "false", "hw:cpu_realtime": "false", "os:secure_boot": "disabled"}

var spaceForm = regexp.MustCompile(`^(resources|trait)[A-Za-z0-9_-]*$`)

// meaning finds the rule of an extra spec. known tells whether the API gives a
// meaning to the name space that it is in, or to its name alone.
func meaning(name string) (rule value, found, known bool) {
	space, rest, spaced := strings.Cut(name, ":")
	if !spaced {
		rule, found = bareSpecs[name]
		return rule, found, found
	}
	if m := spaceForm.FindStringSubmatch(space); m != nil {
		space = m[1]
	}
	specs, known := knownSpecs[space]
	for _, form := range slices.Sorted(maps.Keys(specs)) {
		if regexp.MustCompile(`^(?:` + form + `)$`).MatchString(rest) {
			return specs[form], true, true
		}
	}
	return value{}, false, known
}

// checkSpec tells what is wrong with an extra spec, from 2.86 on; empty for
// nothing. What is in no name space of the API is a label of the
// administrator's own.
func checkSpec(name, text string) string {
	rule, found, known := meaning(name)
	switch {
	case known && !found:
		return fmt.Sprintf("extra spec '%s' does not appear to be a valid extra spec.", shorten(name))
	case found && !rule.fits(text):
		return fmt.Sprintf("extra spec '%s' is '%s', which is not %s.", shorten(name), shorten(text), rule.says)
	}
	return ""
}

// unofferedSpec names an extra spec of a flavor that asks for something which
// servers do not get here; empty for none. Labels ask for nothing.
func unofferedSpec(f *model.Flavor) string {
	for _, name := range slices.Sorted(maps.Keys(f.ExtraSpecs)) {
		_, _, known := meaning(name)
		if want, offered := offeredSpecs[name]; known && (!offered || !strings.EqualFold(want, f.ExtraSpecs[name])) {
			return name + "=" + f.ExtraSpecs[name]
		}
	}
	return ""
}
