package config

import (
	"time"

	"github.com/kvorum/kvorum/internal/model"
)

// Span is a time.Duration that reads and writes itself as text, such as "60s".
type Span time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *Span) UnmarshalText(b []byte) error {
	d, err := time.ParseDuration(string(b))
	*s = Span(d)
	return err
}

// String gives the form that UnmarshalText reads.
func (s Span) String() string { return time.Duration(s).String() }

// D is the duration.
func (s Span) D() time.Duration { return time.Duration(s) }

// Config is every setting with its default in Default. The "usage" tags are
// the words of --help.
type Config struct {
	Node    string  `toml:"node" usage:"this node's name; the machine's host name if empty"`
	DataDir string  `toml:"data_dir" usage:"folder of everything that must outlive the process"`
	Log     Log     `toml:"log"`
	Public  Public  `toml:"public"`
	Control Control `toml:"control"`
	Agent   Agent   `toml:"agent"`
	Metrics Metrics `toml:"metrics"`
}

// Log says what is logged and how.
type Log struct {
	Level  string `toml:"level" usage:"least level that is logged: debug, info, warn or error"`
	Format string `toml:"format" usage:"text or json"`
}

// Public is the side that users see.
type Public struct {
	Listen string `toml:"listen" usage:"address of the public API, host:port"`
	URL    string `toml:"url" usage:"URL that clients reach the public API by; taken from each request if empty"`
	// MaxRequests bounds the requests under way at once.
	MaxRequests int  `toml:"max_requests" usage:"requests under way at once; further ones get 503"`
	Timeout     Span `toml:"timeout" usage:"longest time that one request may take"`
	// MaxImageBytes bounds one image.
	MaxImageBytes int64 `toml:"max_image_bytes" usage:"largest image that may be uploaded, in bytes"`
}

// Control is what a control node needs.
type Control struct {
	Listen        string `toml:"listen" usage:"address of the internal port, for control nodes and host agents, host:port"`
	Advertise     string `toml:"advertise" usage:"address that other nodes reach the internal port by, host:port; listen if empty"`
	Join          string `toml:"join" usage:"token to join a cluster with, if there is none in data_dir (kvorum operator token create --role control)"`
	Region        string `toml:"region" usage:"name of the region, used at the first start"`
	Bootstrap     bool   `toml:"bootstrap" usage:"make a new cluster of this node alone, if there is none in data_dir"`
	AdminPassword string `toml:"admin_password" usage:"password of the first user, used at the first start; made up and written to data_dir/admin-password if empty"`
	TokenLife     Span   `toml:"token_life" usage:"how long a token is valid"`
	HostLease     Span   `toml:"host_lease" usage:"how long a host's lease lasts; equal on all control nodes. One that has not renewed it for 1.7 times as long is called dead"`
	Gossip        Gossip `toml:"gossip"`
	Raft          Raft   `toml:"raft"`
}

// Raft is when the replicated log is compacted into a snapshot.
type Raft struct {
	SnapshotInterval  Span `toml:"snapshot_interval" usage:"how often a node looks whether its log is to be compacted; up to twice that"`
	SnapshotThreshold int  `toml:"snapshot_threshold" usage:"entries since the last snapshot that make a new one worth it"`
	TrailingLogs      int  `toml:"trailing_logs" usage:"entries that stay behind a snapshot, so that a node which was away needs none"`
}

// Agent is what a host agent needs.
type Agent struct {
	Join       string   `toml:"join" usage:"token to join a cluster with, if there is none in data_dir (kvorum operator token create --role agent)"`
	Control    []string `toml:"control" usage:"addresses of control nodes' internal ports, host:port, to ask before all others; found by itself if empty"`
	Listen     string   `toml:"listen" usage:"address where the control nodes reach this agent, host:port"`
	Advertise  string   `toml:"advertise" usage:"address that is told to the control nodes; listen if empty"`
	Observe    string   `toml:"observe" usage:"address of the agent's health and metrics, plain HTTP; none if empty"`
	Tunnel     string   `toml:"tunnel" usage:"IPv4 address of this host's end of the tunnels between hosts, none for no tunnels; that of advertise or listen if empty, unless it is loopback"`
	Driver     string   `toml:"driver" usage:"libvirt or sim"`
	LibvirtURI string   `toml:"libvirt_uri" usage:"libvirt connection"`
	VirtType   string   `toml:"virt_type" usage:"kvm or qemu; kvm where /dev/kvm works, if empty"`
	Zone       string   `toml:"zone" usage:"availability zone of this host"`
	VCPUs      int      `toml:"vcpus" usage:"virtual CPUs to offer; what the machine has if 0"`
	RAM        int      `toml:"ram" usage:"memory to offer, MiB; what the machine has if 0"`
	Disk       int      `toml:"disk" usage:"local disk to offer, GiB; what the folder's filesystem has if 0"`
	VCPURatio  Ratio    `toml:"vcpu_ratio" usage:"how many times the host's processors may be promised to guests, such as 4.0"`
	RAMRatio   Ratio    `toml:"ram_ratio" usage:"how many times its memory may be promised"`
	DiskRatio  Ratio    `toml:"disk_ratio" usage:"how many times its local disk may be promised"`
	Prefix     string   `toml:"prefix" usage:"first letters of every link, namespace and table that the agent makes"`
	StopWait   Span     `toml:"stop_wait" usage:"how long a guest may take to shut down before its plug is pulled"`
	ImageCache int64    `toml:"image_cache" usage:"bytes that unused images may take on this host"`
	Deny       []string `toml:"deny" usage:"ranges that guests may not reach, besides the host's own addresses"`
	DNS        []string `toml:"dns" usage:"resolvers that guests' questions are passed on to, host:port; the machine's own if empty"`
	Gossip     Gossip   `toml:"gossip"`
}

// Gossip is where a node gossips.
type Gossip struct {
	Listen    string `toml:"listen" usage:"address of the gossip port, UDP and TCP, host:port, or none for no gossip; the port after that of the node's internal port if empty"`
	Advertise string `toml:"advertise" usage:"address that other nodes reach the gossip port by, host:port; if empty, listen with the host by which they reach the internal port"`
}

// Metrics is how /metrics is guarded.
type Metrics struct {
	Token string `toml:"token" usage:"bearer token for /metrics from other machines; none may if empty"`
}

// Default gives every setting its default.
func Default() Config {
	return Config{
		DataDir: "/var/lib/kvorum",
		Log:     Log{Level: "info", Format: "text"},
		Public: Public{Listen: "127.0.0.1:8774", MaxRequests: 512, Timeout: Span(60 * time.Second),
			MaxImageBytes: 64 << 30},
		Control: Control{Listen: "127.0.0.1:8770", Region: "RegionOne", TokenLife: Span(time.Hour), HostLease: Span(10 * time.Second),
			Raft: Raft{SnapshotInterval: Span(30 * time.Second), SnapshotThreshold: 16384, TrailingLogs: 16384}},
		Agent: Agent{Listen: "127.0.0.1:8772", Observe: "127.0.0.1:8779", Driver: "libvirt",
			LibvirtURI: "qemu:///system", Prefix: "kv", StopWait: Span(60 * time.Second), ImageCache: 20 << 30,
			VCPURatio: model.DefaultVCPURatio, RAMRatio: model.DefaultRAMRatio, DiskRatio: model.DefaultDiskRatio},
	}
}
