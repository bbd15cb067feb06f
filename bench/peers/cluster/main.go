// cluster measures memberlist's detection and dissemination times.
//
// It runs real memberlist nodes in one process, on loopback addresses of their own, and prints raw samples as JSON:
// how long after a crash each survivor reports the victim as gone, and how long after a change each node reports it.
// A victim is shut down without a leave and comes back under its name and address before the next repetition.
package main

import (
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"math/rand"
	"os"
	"runtime"
	"sort"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// observer is one node's view: it notes when its memberlist reports something about another node.
type observer struct {
	mutex    sync.Mutex
	meta     []byte
	left     map[string]time.Time
	joined   map[string]time.Time
	versions map[string]map[string]time.Time // node -> meta -> when first seen
}

func newObserver() *observer {
	return &observer{left: map[string]time.Time{}, joined: map[string]time.Time{},
		versions: map[string]map[string]time.Time{}}
}

func (o *observer) NotifyJoin(node *memberlist.Node) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.joined[node.Name] = time.Now()
	delete(o.left, node.Name)
}

func (o *observer) NotifyLeave(node *memberlist.Node) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	if _, known := o.left[node.Name]; !known {
		o.left[node.Name] = time.Now()
	}
	delete(o.joined, node.Name)
}

func (o *observer) NotifyUpdate(node *memberlist.Node) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	seen := o.versions[node.Name]
	if seen == nil {
		seen = map[string]time.Time{}
		o.versions[node.Name] = seen
	}
	if _, known := seen[string(node.Meta)]; !known {
		seen[string(node.Meta)] = time.Now()
	}
}

func (o *observer) NodeMeta(limit int) []byte {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	return o.meta
}
func (o *observer) NotifyMsg([]byte)                           {}
func (o *observer) GetBroadcasts(overhead, limit int) [][]byte { return nil }
func (o *observer) LocalState(join bool) []byte                { return nil }
func (o *observer) MergeRemoteState(buffer []byte, join bool)  {}

func (o *observer) leftAt(name string) (time.Time, bool) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	when, known := o.left[name]
	return when, known
}

func (o *observer) joinedAt(name string) bool {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	_, known := o.joined[name]
	return known
}

func (o *observer) versionAt(name, meta string) (time.Time, bool) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	when, known := o.versions[name][meta]
	return when, known
}

type node struct {
	name, address string
	observer      *observer
	list          *memberlist.Memberlist
}

type detection struct {
	Victim      string    `json:"victim"`
	Survivors   int       `json:"survivors"`
	FirstMs     float64   `json:"first_ms"`
	AllMs       float64   `json:"all_ms"` // -1: not all within the limit
	ObserversMs []float64 `json:"observers_ms"`
}

type dissemination struct {
	Origin  string    `json:"origin"`
	Others  int       `json:"others"`
	AllMs   float64   `json:"all_ms"` // -1: not all within the limit
	TimesMs []float64 `json:"times_ms"`
}

var (
	profile      = flag.String("profile", "lan", "base constants: lan, wan, local, or fast (lan, four times as fast)")
	nodesCount   = flag.Int("nodes", 64, "nodes in the cluster, up to 254")
	prefix       = flag.String("prefix", "", "first three numbers of the loopback addresses (default: drawn at random)")
	port         = flag.Int("port", 7946, "port of every node")
	detections   = flag.Int("detections", 3, "repetitions of the crash measurement")
	victims      = flag.Int("victims", 4, "victims at once in a repetition, each a sample")
	updates      = flag.Int("updates", 20, "repetitions of the dissemination measurement")
	metaBytes    = flag.Int("meta-bytes", 32, "bytes of metadata that an update carries")
	limit        = flag.Duration("limit", 120*time.Second, "longest wait for one repetition")
	encryptKey   = flag.String("encrypt", "", "base64 key, empty for plain packets")
	compress     = flag.Bool("compress", true, "compress packets")
	seed         = flag.Int64("seed", 1, "seed of the choice of victims and origins")
	processors   = flag.Int("processors", 0, "processors to use (0: all)")
	durations    = map[string]*time.Duration{}
	counts       = map[string]*int{}
	durationText = map[string]string{
		"probe-interval": "time between probes", "probe-timeout": "wait for a direct ack",
		"gossip-interval": "time between gossip rounds", "push-pull-interval": "time between full exchanges (0: none)",
		"gossip-to-the-dead": "time to go on gossiping to the dead", "tcp-timeout": "limit of a stream",
	}
	countText = map[string]string{
		"indirect-checks": "helpers of a failed probe", "retransmit-mult": "transmissions, times log n",
		"suspicion-mult": "shortest suspicion, times log n", "suspicion-max-mult": "longest suspicion, times the shortest",
		"gossip-nodes": "peers of a gossip round", "awareness-max": "bound of the health score", "udp-bytes": "bytes of a packet",
	}
)

func baseConfig() *memberlist.Config {
	switch *profile {
	case "lan":
		return memberlist.DefaultLANConfig()
	case "wan":
		return memberlist.DefaultWANConfig()
	case "local":
		return memberlist.DefaultLocalConfig()
	case "fast":
		config := memberlist.DefaultLANConfig()
		for _, value := range []*time.Duration{&config.ProbeInterval, &config.ProbeTimeout, &config.GossipInterval,
			&config.PushPullInterval, &config.GossipToTheDeadTime} {
			*value /= 4
		}
		return config
	}
	fail("unknown profile %q", *profile)
	return nil
}

// fields names the constants of a configuration by flag.
func fields(config *memberlist.Config) (map[string]*time.Duration, map[string]*int) {
	return map[string]*time.Duration{
			"probe-interval": &config.ProbeInterval, "probe-timeout": &config.ProbeTimeout,
			"gossip-interval": &config.GossipInterval, "push-pull-interval": &config.PushPullInterval,
			"gossip-to-the-dead": &config.GossipToTheDeadTime, "tcp-timeout": &config.TCPTimeout,
		}, map[string]*int{
			"indirect-checks": &config.IndirectChecks, "retransmit-mult": &config.RetransmitMult,
			"suspicion-mult": &config.SuspicionMult, "suspicion-max-mult": &config.SuspicionMaxTimeoutMult,
			"gossip-nodes": &config.GossipNodes, "awareness-max": &config.AwarenessMaxMultiplier,
			"udp-bytes": &config.UDPBufferSize,
		}
}

func configure(member *node) *memberlist.Config {
	config := baseConfig()
	config.Name = member.name
	config.BindAddr, config.AdvertiseAddr = member.address, member.address
	config.BindPort, config.AdvertisePort = *port, *port
	config.Events, config.Delegate = member.observer, member.observer
	config.EnableCompression = *compress
	config.Logger = log.New(io.Discard, "", 0)
	if *encryptKey != "" {
		key, err := base64.StdEncoding.DecodeString(*encryptKey)
		if err != nil {
			fail("bad key: %v", err)
		}
		config.SecretKey = key
	}
	times, numbers := fields(config)
	flag.Visit(func(given *flag.Flag) {
		if value := durations[given.Name]; value != nil {
			*times[given.Name] = *value
		}
		if value := counts[given.Name]; value != nil {
			*numbers[given.Name] = *value
		}
	})
	return config
}

func fail(format string, arguments ...interface{}) {
	fmt.Fprintf(os.Stderr, "cluster: "+format+"\n", arguments...)
	os.Exit(1)
}

func start(member *node, contact string) {
	list, err := memberlist.Create(configure(member))
	if err != nil {
		fail("%s: %v", member.name, err)
	}
	member.list = list
	if contact == "" {
		return
	}
	for attempt := 0; ; attempt++ {
		_, err = list.Join([]string{contact})
		if err == nil {
			return
		}
		if attempt == 5 {
			fail("%s cannot join: %v", member.name, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// wait polls until done; false if the limit passed first.
func wait(done func() bool) bool {
	for end := time.Now().Add(*limit); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if done() {
			return true
		}
	}
	return false
}

func settled(members []*node) bool {
	for _, member := range members {
		if member.list.NumMembers() != len(members) {
			return false
		}
	}
	return true
}

func milliseconds(since, when time.Time) float64 {
	return float64(when.Sub(since).Microseconds()) / 1000
}

func measureDetections(members []*node, random *rand.Rand) []detection {
	samples := []detection{}
	for repetition := 0; repetition < *detections; repetition++ {
		// A random moment between two probe ticks.
		time.Sleep(time.Duration(random.Int63n(int64(baseConfig().ProbeInterval) + 1)))
		chosen := map[int]bool{}
		for len(chosen) < *victims {
			chosen[random.Intn(len(members))] = true
		}
		survivors := []*node{}
		dead := []*node{}
		for index, member := range members {
			if chosen[index] {
				dead = append(dead, member)
			} else {
				survivors = append(survivors, member)
			}
		}
		killed := map[string]time.Time{}
		for _, victim := range dead {
			killed[victim.name] = time.Now()
			victim.list.Shutdown()
		}
		wait(func() bool {
			for _, victim := range dead {
				for _, survivor := range survivors {
					if _, known := survivor.observer.leftAt(victim.name); !known {
						return false
					}
				}
			}
			return true
		})
		for _, victim := range dead {
			sample := detection{Victim: victim.name, Survivors: len(survivors), FirstMs: -1, AllMs: -1, ObserversMs: []float64{}}
			for _, survivor := range survivors {
				if when, known := survivor.observer.leftAt(victim.name); known {
					sample.ObserversMs = append(sample.ObserversMs, milliseconds(killed[victim.name], when))
				}
			}
			sort.Float64s(sample.ObserversMs)
			if seen := len(sample.ObserversMs); seen > 0 {
				sample.FirstMs = sample.ObserversMs[0]
				if seen == len(survivors) {
					sample.AllMs = sample.ObserversMs[seen-1]
				}
			}
			samples = append(samples, sample)
		}
		for _, victim := range dead {
			victim.observer = newObserver()
			start(victim, fmt.Sprintf("%s:%d", survivors[0].address, *port))
		}
		back := wait(func() bool {
			for _, victim := range dead {
				for _, survivor := range survivors {
					if !survivor.observer.joinedAt(victim.name) {
						return false
					}
				}
			}
			return settled(members)
		})
		if !back {
			fail("the victims of repetition %d did not come back", repetition)
		}
	}
	return samples
}

func measureDisseminations(members []*node, random *rand.Rand) []dissemination {
	samples := []dissemination{}
	for repetition := 0; repetition < *updates; repetition++ {
		// A random moment between two gossip ticks.
		time.Sleep(time.Duration(random.Int63n(int64(baseConfig().GossipInterval) + 1)))
		origin := members[random.Intn(len(members))]
		meta := fmt.Sprintf("%0*d", *metaBytes, repetition+1)
		origin.observer.mutex.Lock()
		origin.observer.meta = []byte(meta)
		origin.observer.mutex.Unlock()
		began := time.Now()
		updated := make(chan error, 1)
		go func() { updated <- origin.list.UpdateNode(*limit) }()
		wait(func() bool {
			for _, member := range members {
				if _, known := member.observer.versionAt(origin.name, meta); !known && member != origin {
					return false
				}
			}
			return true
		})
		sample := dissemination{Origin: origin.name, Others: len(members) - 1, AllMs: -1, TimesMs: []float64{}}
		for _, member := range members {
			if when, known := member.observer.versionAt(origin.name, meta); known && member != origin {
				sample.TimesMs = append(sample.TimesMs, milliseconds(began, when))
			}
		}
		sort.Float64s(sample.TimesMs)
		if seen := len(sample.TimesMs); seen == len(members)-1 {
			sample.AllMs = sample.TimesMs[seen-1]
		}
		samples = append(samples, sample)
		<-updated
	}
	return samples
}

func main() {
	for name, text := range durationText {
		durations[name] = flag.Duration(name, 0, text+" (default: the profile's)")
	}
	for name, text := range countText {
		counts[name] = flag.Int(name, 0, text+" (default: the profile's)")
	}
	flag.Parse()
	if *nodesCount < 2 || *nodesCount > 254 || *victims >= *nodesCount {
		fail("2 to 254 nodes, and fewer victims than nodes")
	}
	if *processors > 0 {
		runtime.GOMAXPROCS(*processors)
	}
	if *prefix == "" {
		now := rand.New(rand.NewSource(time.Now().UnixNano()))
		*prefix = fmt.Sprintf("127.%d.%d", 16+now.Intn(230), 1+now.Intn(250))
	}
	random := rand.New(rand.NewSource(*seed))
	rand.Seed(time.Now().UnixNano())

	members := []*node{}
	for number := 1; number <= *nodesCount; number++ {
		member := &node{name: fmt.Sprintf("node-%03d", number), address: fmt.Sprintf("%s.%d", *prefix, number),
			observer: newObserver()}
		contact := ""
		if number > 1 {
			contact = fmt.Sprintf("%s.1:%d", *prefix, *port)
		}
		start(member, contact)
		members = append(members, member)
	}
	if !wait(func() bool { return settled(members) }) {
		counts := []int{}
		for _, member := range members {
			counts = append(counts, member.list.NumMembers())
		}
		fail("the cluster did not come together; members seen by each: %v", counts)
	}

	used := configure(members[0])
	times, numbers := fields(used)
	constants := map[string]interface{}{"compress": used.EnableCompression, "encrypted": used.SecretKey != nil}
	for name, value := range times {
		constants[name+"-ms"] = float64(value.Microseconds()) / 1000
	}
	for name, value := range numbers {
		constants[name] = *value
	}
	result := map[string]interface{}{
		"nodes": *nodesCount, "profile": *profile, "constants": constants, "victims_at_once": *victims,
		"implementation": "memberlist 0.2.2, " + runtime.Version(), "processors": runtime.GOMAXPROCS(0),
	}
	result["disseminations"] = measureDisseminations(members, random)
	result["detections"] = measureDetections(members, random)
	for _, member := range members {
		member.list.Shutdown()
	}
	json.NewEncoder(os.Stdout).Encode(result)
}
