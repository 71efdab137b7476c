package pki

import (
	"crypto/tls"
	"testing"
	"time"

	"github.com/kvorum/kvorum/internal/clock"
)

// TestWhoMayUseWhat goes through every protocol and every role.
func TestWhoMayUseWhat(t *testing.T) {
	a := must(NewAuthority(clusterA, day))
	server := endpoint(member(t, a, identity(Control, nodeOne)))
	all := []string{Raft, Peer, Images, Agents, Join}
	for _, protocol := range all {
		for _, role := range []Role{Control, Agent} {
			client := endpoint(member(t, a, identity(role, nodeTwo))).Client(protocol, Expect(Control, nodeOne))
			serr, cerr := shake(t, server.Server(all...), client)
			good := serr == nil && cerr == nil
			want := role == Control && protocol != Agents || role == Agent && protocol == Agents || protocol == Join
			if good != want {
				t.Errorf("%s on %s: server %v, client %v", role, protocol, serr, cerr)
			}
		}
		nobody := JoinClient(Token{Cluster: clusterA, Authority: a.Fingerprint()}, server.Clock)
		nobody.NextProtos, nobody.VerifyConnection = []string{protocol}, nil
		serr, cerr := shake(t, server.Server(all...), nobody)
		if good := serr == nil && cerr == nil; good != (protocol == Join) {
			t.Errorf("nobody on %s: server %v, client %v", protocol, serr, cerr)
		}
	}
}

// TestOneProtocolIsNamed: nobody is checked for one protocol and served by
// another.
func TestOneProtocolIsNamed(t *testing.T) {
	a := must(NewAuthority(clusterA, day))
	server := endpoint(member(t, a, identity(Control, nodeOne)))
	peer := endpoint(member(t, a, identity(Control, nodeTwo)))
	for _, protos := range [][]string{nil, {}, {Join, Raft}, {Raft, Join}, {Raft, Peer}, {"h2"}, {"http/1.1"}, {Images}, {"raft\x00"}} {
		c := peer.Client(Raft, Expect(Control, ""))
		c.NextProtos, c.VerifyConnection = protos, nil
		if serr, cerr := shake(t, server.Server(Raft, Peer, Join), c); serr == nil || cerr == nil {
			t.Errorf("%q was served: server %v, client %v", protos, serr, cerr)
		}
	}
}

func TestTheClientChecksTheServer(t *testing.T) {
	a, b := must(NewAuthority(clusterA, day)), must(NewAuthority(clusterA, day))
	other := must(NewAuthority(clusterB, day))
	me := member(t, a, identity(Control, nodeTwo))
	one := identity(Control, nodeOne)
	foreign := one
	foreign.Cluster = clusterB
	good := member(t, a, one)
	late := endpoint(me)
	late.Clock = clock.NewFake(day.Add(2 * time.Hour))
	revoked := endpoint(me)
	revoked.Revoked = func(serial string) bool { return serial == SerialOf(good.Certificate()) }
	rows := []struct {
		name   string
		server *Credentials
		client Endpoint
		check  func(Identity) error
		want   bool
	}{
		{"the right one", good, endpoint(me), Expect(Control, nodeOne), true},
		{"any control node", good, endpoint(me), Expect(Control, ""), true},
		{"another node than expected", good, endpoint(me), Expect(Control, nodeTwo), false},
		{"another role than expected", good, endpoint(me), Expect(Agent, nodeOne), false},
		{"an authority of the same cluster's name", member(t, b, one), endpoint(me), Expect(Control, ""), false},
		{"another cluster", member(t, other, foreign), endpoint(me), Expect(Control, ""), false},
		{"a certificate that has ended", good, late, Expect(Control, ""), false},
		{"a certificate that was taken back", good, revoked, Expect(Control, ""), false},
	}
	for _, row := range rows {
		// The server takes everybody here: the client alone is looked at.
		server := endpoint(row.server).serverFor(Join)
		server.NextProtos, server.VerifyConnection = []string{Peer}, nil
		if serr, cerr := shake(t, server, row.client.Client(Peer, row.check)); (cerr == nil) != row.want {
			t.Errorf("%s: server %v, client %v", row.name, serr, cerr)
		}
	}
	plain := endpoint(good).serverFor(Join)
	plain.NextProtos, plain.VerifyConnection = nil, nil
	if _, cerr := shake(t, plain, endpoint(me).Client(Peer, Expect(Control, ""))); cerr == nil {
		t.Error("a server that agrees on no protocol was taken")
	}
	old := endpoint(good).serverFor(Join)
	old.MinVersion, old.MaxVersion, old.NextProtos, old.VerifyConnection = tls.VersionTLS12, tls.VersionTLS12, []string{Peer}, nil
	if _, cerr := shake(t, old, endpoint(me).Client(Peer, Expect(Control, ""))); cerr == nil {
		t.Error("a server of TLS 1.2 was taken")
	}
}

func TestJoinClientTrustsTheTokenAlone(t *testing.T) {
	a, b := must(NewAuthority(clusterA, day)), must(NewAuthority(clusterA, day))
	token := must(NewToken(clusterA, a.Fingerprint(), []string{"127.0.0.1:8770"}))
	elsewhere := token
	elsewhere.Cluster = clusterB
	good := member(t, a, identity(Control, nodeOne))
	bare := endpoint(good).serverFor(Join)
	bare.Certificates[0].Certificate = bare.Certificates[0].Certificate[:1]
	// The authority is shown, as everybody has seen it, but the leaf is not from it.
	posing := endpoint(member(t, b, identity(Control, nodeOne))).serverFor(Join)
	posing.Certificates[0].Certificate[1] = a.Certificate().Raw
	rows := []struct {
		name   string
		server *tls.Config
		token  Token
		now    time.Time
		want   bool
	}{
		{"the right cluster", endpoint(good).Server(Join), token, day, true},
		{"another authority", endpoint(member(t, b, identity(Control, nodeOne))).Server(Join), token, day, false},
		{"an agent that poses as a control node", endpoint(member(t, a, identity(Agent, nodeOne))).Server(Join), token, day, false},
		{"a token of another cluster", endpoint(good).Server(Join), elsewhere, day, false},
		{"a certificate that has ended", endpoint(good).Server(Join), token, day.Add(2 * time.Hour), false},
		{"a server that does not show the authority", bare, token, day, false},
		{"a server that shows the authority and has nothing of it", posing, token, day, false},
	}
	for _, row := range rows {
		serr, cerr := shake(t, row.server, JoinClient(row.token, clock.NewFake(row.now)))
		if (cerr == nil) != row.want {
			t.Errorf("%s: server %v, client %v", row.name, serr, cerr)
		}
	}
}

// TestNoSessionIsResumed: each connection is checked for itself, also when the
// client would rather go on with an old session.
func TestNoSessionIsResumed(t *testing.T) {
	a := must(NewAuthority(clusterA, day))
	server := endpoint(member(t, a, identity(Control, nodeOne))).Server(Peer)
	client := endpoint(member(t, a, identity(Control, nodeTwo))).Client(Peer, Expect(Control, nodeOne))
	client.ClientSessionCache, client.ServerName = tls.NewLRUClientSessionCache(4), "one"
	verify, resumed := client.VerifyConnection, false
	client.VerifyConnection = func(s tls.ConnectionState) error { resumed = resumed || s.DidResume; return verify(s) }
	for range 3 {
		if serr, cerr := shake(t, server, client); serr != nil || cerr != nil {
			t.Fatalf("server %v, client %v", serr, cerr)
		}
	}
	if resumed {
		t.Error("a session was resumed")
	}
}

// TestAnotherClusterUnderTheSameKey: a certificate that the authority's key
// signed for another cluster, as a copy of this one would, is not good here.
func TestAnotherClusterUnderTheSameKey(t *testing.T) {
	a := must(NewAuthority(clusterA, day))
	copied := &Authority{cluster: clusterB, cert: a.cert, key: a.key}
	who := Identity{Cluster: clusterB, Role: Control, ID: nodeTwo, Name: "n-2"}
	key := must(NewKey())
	cert := must(copied.Sign(must(NewRequest(key, who)), who, day, time.Hour))
	if _, err := NewCredentials(key, cert.Raw, a.cert.Raw); err == nil {
		t.Error("taken for credentials")
	}
	foreign := &Credentials{}
	foreign.now.Store(&material{key: key, cert: cert, ca: a.cert, who: who, trusted: endpoint(member(t, a, identity(Control, nodeOne))).Credentials.now.Load().trusted})
	mine := endpoint(member(t, a, identity(Control, nodeOne)))
	takesAll := endpoint(foreign).Client(Peer, Expect(Control, ""))
	takesAll.VerifyConnection = nil
	if serr, cerr := shake(t, mine.Server(Peer), takesAll); serr == nil || cerr == nil {
		t.Errorf("as a client: server %v, client %v", serr, cerr)
	}
	server := endpoint(foreign).serverFor(Join)
	server.NextProtos, server.VerifyConnection = []string{Peer}, nil
	if _, cerr := shake(t, server, mine.Client(Peer, Expect(Control, ""))); cerr == nil {
		t.Error("as a server")
	}
	server.NextProtos = []string{Join}
	if _, cerr := shake(t, server, JoinClient(Token{Cluster: clusterA, Authority: a.Fingerprint()}, mine.Clock)); cerr == nil {
		t.Error("as a server for joining")
	}
}

func TestGossipKeys(t *testing.T) {
	key := must(NewGossipKey())
	agents, again := must(AgentsGossipKey(key)), must(AgentsGossipKey(key))
	if len(key) != 32 || len(agents) != 32 || string(agents) != string(again) || string(agents) == string(key) {
		t.Errorf("%x gives %x and %x", key, agents, again)
	}
}
