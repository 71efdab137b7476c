package raftnode

import (
	"sort"
	"strings"
	"sync"

	"github.com/hashicorp/go-metrics"
)

// MetricKind says how a Metric's numbers are to be read.
type MetricKind uint8

// The kinds of metrics.
const (
	Gauge   MetricKind = iota // Sum is the last value
	Counter                   // Sum is the total of all increments
	Sample                    // Count observations that add up to Sum; times are in ms
)

// Metric is one series that raft, its stores or gossip reported.
type Metric struct {
	// Name is in dotted form, as "raft.fsm.apply".
	Name string
	// Labels are alternating names and values.
	Labels []string
	// Kind says what the numbers mean.
	Kind MetricKind
	// Count is how often something was reported.
	Count uint64
	// Sum is the value.
	Sum float64
}

// maxSeries bounds Metrics; what raft and its stores report is some dozens
// and a few for each peer, and each gossip pool some dozens more.
const maxSeries = 1024

// Metrics collects what raft, and Serf with it, report through the metrics
// library that they share. It implements that library's sink.
type Metrics struct {
	mu      sync.Mutex
	series  map[string]*Metric
	dropped uint64
}

// CollectMetrics starts to collect from all nodes of this process. The
// library is global, so the last call wins; call it once, at the start.
func CollectMetrics() (*Metrics, error) {
	m := &Metrics{series: map[string]*Metric{}}
	cfg := metrics.DefaultConfig("")
	cfg.EnableHostname = false
	cfg.EnableRuntimeMetrics = false
	if _, err := metrics.NewGlobal(cfg, m); err != nil {
		return nil, err
	}
	return m, nil
}

// All gives a copy of every series, sorted by name and labels, and how many
// reports were dropped because there were too many series.
func (m *Metrics) All() (all []Metric, dropped uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	keys := make([]string, 0, len(m.series))
	for k := range m.series {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		all = append(all, *m.series[k])
	}
	return all, m.dropped
}

func (m *Metrics) report(kind MetricKind, key []string, val float64, labels []metrics.Label) {
	name := strings.Join(key, ".")
	id := name
	for _, l := range labels {
		id += "\x00" + l.Name + "\x00" + l.Value
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.series[id]
	if s == nil {
		if len(m.series) >= maxSeries {
			m.dropped++
			return
		}
		s = &Metric{Name: name, Kind: kind}
		for _, l := range labels {
			s.Labels = append(s.Labels, l.Name, l.Value)
		}
		m.series[id] = s
	}
	s.Count++
	if kind == Gauge {
		s.Sum = val
	} else {
		s.Sum += val
	}
}

// SetGauge implements metrics.MetricSink.
func (m *Metrics) SetGauge(key []string, val float32) { m.report(Gauge, key, float64(val), nil) }

// SetGaugeWithLabels implements metrics.MetricSink.
func (m *Metrics) SetGaugeWithLabels(key []string, val float32, labels []metrics.Label) {
	m.report(Gauge, key, float64(val), labels)
}

// SetPrecisionGauge implements metrics.PrecisionGaugeMetricSink.
func (m *Metrics) SetPrecisionGauge(key []string, val float64) { m.report(Gauge, key, val, nil) }

// SetPrecisionGaugeWithLabels implements metrics.PrecisionGaugeMetricSink.
func (m *Metrics) SetPrecisionGaugeWithLabels(key []string, val float64, labels []metrics.Label) {
	m.report(Gauge, key, val, labels)
}

// EmitKey implements metrics.MetricSink.
func (m *Metrics) EmitKey(key []string, val float32) { m.report(Sample, key, float64(val), nil) }

// IncrCounter implements metrics.MetricSink.
func (m *Metrics) IncrCounter(key []string, val float32) { m.report(Counter, key, float64(val), nil) }

// IncrCounterWithLabels implements metrics.MetricSink.
func (m *Metrics) IncrCounterWithLabels(key []string, val float32, labels []metrics.Label) {
	m.report(Counter, key, float64(val), labels)
}

// AddSample implements metrics.MetricSink.
func (m *Metrics) AddSample(key []string, val float32) { m.report(Sample, key, float64(val), nil) }

// AddSampleWithLabels implements metrics.MetricSink.
func (m *Metrics) AddSampleWithLabels(key []string, val float32, labels []metrics.Label) {
	m.report(Sample, key, float64(val), labels)
}
