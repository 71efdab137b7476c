package operator

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Sample is one number that a part of the program reports about itself.
type Sample struct {
	// Name is in Prometheus' form, without the program's prefix; its unit is
	// its last word.
	Name, Help string
	// Labels are alternating names and values.
	Labels []string
	// Total says that Value only grows.
	Total bool
	Value float64
}

// Source gives the present numbers of a part of the program.
type Source func() []Sample

// Metrics collects everything that /metrics shows.
type Metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

// NewMetrics makes metrics that ask the sources at each scrape.
func NewMetrics(sources ...Source) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "kvorum_http_requests_total",
			Help: "Requests answered, by front door, route and status."}, []string{"door", "route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "kvorum_http_request_seconds",
			Help: "Time to answer a request, by front door and route.", Buckets: prometheus.ExponentialBuckets(0.001, 2.5, 11)},
			[]string{"door", "route"}),
	}
	m.registry.MustRegister(m.requests, m.seconds, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), collector(sources))
	return m
}

// Observe counts one answered request; routes are names from tables, so their
// number is bounded.
func (m *Metrics) Observe(door, route string, status int, took time.Duration) {
	m.requests.WithLabelValues(door, route, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(door, route).Observe(took.Seconds())
}

// collector asks its sources at each scrape. It describes nothing beforehand,
// which tells the registry that its names are not fixed.
type collector []Source

// Describe implements prometheus.Collector.
func (c collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c collector) Collect(out chan<- prometheus.Metric) {
	for _, source := range c {
		for _, s := range source() {
			var names, values []string
			for i := 0; i+1 < len(s.Labels); i += 2 {
				names, values = append(names, clean(s.Labels[i])), append(values, s.Labels[i+1])
			}
			kind := prometheus.GaugeValue
			if s.Total {
				kind = prometheus.CounterValue
			}
			desc := prometheus.NewDesc("kvorum_"+clean(s.Name), s.Help, names, nil)
			metric, err := prometheus.NewConstMetric(desc, kind, s.Value, values...)
			if err != nil {
				metric = prometheus.NewInvalidMetric(desc, err)
			}
			out <- metric
		}
	}
}

// clean makes a name of the form that Prometheus takes.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' {
			return r
		}
		return '_'
	}, s)
}

func (m *Metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second,
		ErrorHandling: promhttp.ContinueOnError})
}
