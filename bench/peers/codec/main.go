// codec times memberlist's own code for the work starling does per message: decode, encode, judge, encrypt, compress.
//
// It prints JSON: {"name": nanoseconds per item}, the fastest of several rounds. Names ending in _per_node are divided by the
// number of nodes in the message, alives_* by the number of alive messages. The time is the CPU time of the whole process, so
// garbage collection counts and other programs do not.
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"reflect"
	"regexp"
	"sort"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/go-msgpack/codec"
	"github.com/hashicorp/memberlist"
)

var (
	part    = flag.String("part", "", "run only these parts: messages, push_pulls, lzw, ciphers, lanes, table, memory (comma separated; all but memory)")
	only    = flag.String("only", "", "run only what matches this regular expression")
	rounds  = flag.Int("rounds", 5, "rounds of each measurement")
	round   = flag.Duration("round", 100*time.Millisecond, "shortest time of a round")
	members = flag.Int("members", 1000000, "size of the table of memory")
	address = flag.String("address", "127.0.0.1", "loopback address to bind the nodes to")
	results = map[string]float64{}
	pattern *regexp.Regexp
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "codec:", err)
		os.Exit(1)
	}
}

// cpu is the CPU time this process has used.
func cpu() time.Duration {
	var usage syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// least is the round that other work on the machine disturbed least.
func least(samples []float64) float64 {
	sort.Float64s(samples)
	return samples[0]
}

// measure runs an operation often enough for each round, and keeps the fastest round.
func measure(name string, operation func()) { measureMany(name, 1, operation) }

// measureMany does the same for an operation that does its work `divisor` times.
func measureMany(name string, divisor int, operation func()) {
	if !pattern.MatchString(name) {
		return
	}
	operation()
	times := 1
	for {
		began := cpu()
		for i := 0; i < times; i++ {
			operation()
		}
		took := cpu() - began
		if took >= *round/4 {
			times = int(float64(times)*float64(*round)/float64(took)) + 1
			break
		}
		times *= 2
	}
	samples := []float64{}
	for r := 0; r < *rounds; r++ {
		began := cpu()
		for i := 0; i < times; i++ {
			operation()
		}
		samples = append(samples, float64((cpu()-began).Nanoseconds())/float64(times*divisor))
	}
	results[name] = least(samples)
}

// measureOnce times an operation that cannot be repeated on the same object; prepare makes a fresh one for each round.
func measureOnce(name string, divisor int, prepare func() func()) {
	if !pattern.MatchString(name) {
		return
	}
	samples := []float64{}
	for r := 0; r < *rounds; r++ {
		operation := prepare()
		began := cpu()
		operation()
		samples = append(samples, float64((cpu()-began).Nanoseconds())/float64(divisor))
	}
	results[name] = least(samples)
}

// quietNode is a real memberlist node that does nothing on its own.
func quietNode() *memberlist.Memberlist { return nodeWith(func(*memberlist.Config) {}) }

func nodeWith(change func(*memberlist.Config)) *memberlist.Memberlist {
	config := memberlist.DefaultLANConfig()
	config.Name = "bench"
	config.BindAddr, config.AdvertiseAddr = *address, *address
	config.BindPort, config.AdvertisePort = 0, 0
	config.ProbeInterval, config.GossipInterval, config.PushPullInterval = 0, 0, 0
	config.Logger = log.New(io.Discard, "", 0)
	change(config)
	list, err := memberlist.Create(config)
	check(err)
	return list
}

func version() []uint8 { return []uint8{1, 5, 2, 2, 5, 5} }

func meta() []byte { return bytes.Repeat([]byte("m"), 32) }

func aliveOf(number int, incarnation uint32) alive {
	return alive{Incarnation: incarnation, Node: fmt.Sprintf("node-%06d", number),
		Addr: []byte{10, byte(number >> 16), byte(number >> 8), byte(number)}, Port: 7946, Meta: meta(), Vsn: version()}
}

func stateOf(number int) nodeState {
	from := aliveOf(number, 1)
	return nodeState{Name: from.Node, Addr: from.Addr, Port: from.Port, Meta: from.Meta, Incarnation: 1, Vsn: from.Vsn}
}

func encoded(kind uint8, message interface{}) []byte {
	buffer, err := encode(kind, message)
	check(err)
	return buffer.Bytes()
}

func messages() {
	onePing := ping{SeqNo: 123456, Node: "node-000042", SourceAddr: []byte{10, 0, 0, 1}, SourcePort: 7946, SourceNode: "node-000001"}
	oneAck := ack{SeqNo: 123456}
	oneAlive := aliveOf(42, 7)
	for name, message := range map[string]struct {
		kind  uint8
		value interface{}
		fresh func() interface{}
	}{
		"ping":  {pingKind, &onePing, func() interface{} { return new(ping) }},
		"ack":   {ackKind, &oneAck, func() interface{} { return new(ack) }},
		"alive": {aliveKind, &oneAlive, func() interface{} { return new(alive) }},
	} {
		message := message
		measure(name+"_encode", func() {
			_, err := encode(message.kind, message.value)
			check(err)
		})
		bytes := encoded(message.kind, message.value)[1:]
		back := message.fresh()
		check(decode(bytes, back))
		if !reflect.DeepEqual(back, message.value) {
			check(fmt.Errorf("%s does not survive encoding", name))
		}
		measure(name+"_decode", func() { check(decode(bytes, message.fresh())) })
	}

	members := []alive{}
	for number := 0; number < 20; number++ {
		members = append(members, aliveOf(number, 1))
	}
	join := func() []byte {
		parts := make([][]byte, 0, len(members))
		for number := range members {
			parts = append(parts, encoded(aliveKind, &members[number]))
		}
		return makeCompoundMessage(parts).Bytes()
	}
	measure("compound_20_alives_encode", func() { join() })
	compound := join()[1:]
	measure("compound_20_alives_decode", func() {
		_, parts, err := decodeCompoundMessage(compound)
		check(err)
		for _, part := range parts {
			var one alive
			check(decode(part[1:], &one))
		}
	})
}

// pushPullStream is what follows the type byte of a push/pull.
func pushPullStream(nodes int) []byte {
	var buffer bytes.Buffer
	encoder := codec.NewEncoder(&buffer, &codec.MsgpackHandle{})
	check(encoder.Encode(&pushPullHeader{Nodes: nodes}))
	for number := 0; number < nodes; number++ {
		state := stateOf(number)
		check(encoder.Encode(&state))
	}
	return buffer.Bytes()
}

func pushPulls() {
	for _, nodes := range []int{1000, 100000} {
		nodes := nodes
		stream := pushPullStream(nodes)
		reader := quietNode()
		read := func() []nodeState {
			in := bytes.NewReader(stream)
			_, states, _, err := readRemoteState(reader, in, codec.NewDecoder(in, &codec.MsgpackHandle{}))
			check(err)
			if len(states) != nodes {
				check(fmt.Errorf("read %d of %d nodes", len(states), nodes))
			}
			return states
		}
		prefix := fmt.Sprintf("push_pull_%d", nodes)
		states := make([]nodeState, nodes)
		for number := range states {
			states[number] = stateOf(number)
		}
		measureOnce(prefix+"_encode_per_node", nodes, func() func() {
			return func() {
				var buffer bytes.Buffer
				encoder := codec.NewEncoder(&buffer, &codec.MsgpackHandle{})
				check(encoder.Encode(&pushPullHeader{Nodes: nodes}))
				for number := range states {
					check(encoder.Encode(&states[number]))
				}
			}
		})
		measureOnce(prefix+"_decode_per_node", nodes, func() func() { return func() { read() } })
		var list *memberlist.Memberlist
		fresh := func() {
			if list != nil {
				check(list.Shutdown())
			}
			list = quietNode()
		}
		measureOnce(prefix+"_decode_and_merge_new_per_node", nodes, func() func() {
			fresh()
			return func() { mergeState(list, read()) }
		})
		if list == nil {
			fresh()
			mergeState(list, read())
		}
		if seen := list.NumMembers(); seen != nodes+1 {
			check(fmt.Errorf("%d members after merging %d", seen, nodes))
		}
		measureOnce(prefix+"_decode_and_merge_known_per_node", nodes, func() func() {
			return func() { mergeState(list, read()) }
		})
		check(list.Shutdown())
		check(reader.Shutdown())
	}
}

func lzw() {
	for _, size := range []int{1400, 65536} {
		plain := pushPullStream(size/80 + 1)[:size]
		packed, err := compressPayload(plain)
		check(err)
		message := packed.Bytes()[1:]
		back, err := decompressPayload(message)
		check(err)
		if !bytes.Equal(back, plain) {
			check(fmt.Errorf("compression does not survive"))
		}
		measure(fmt.Sprintf("lzw_compress_%d", size), func() {
			_, err := compressPayload(plain)
			check(err)
		})
		measure(fmt.Sprintf("lzw_decompress_%d", size), func() {
			_, err := decompressPayload(message)
			check(err)
		})
	}
}

func ciphers() {
	for _, keyBytes := range []int{16, 32} {
		key := make([]byte, keyBytes)
		_, err := rand.Read(key)
		check(err)
		for _, size := range []int{64, 512, 1400} {
			plain := make([]byte, size)
			name := fmt.Sprintf("aes%d_gcm_%%s_%d", keyBytes*8, size)
			var sealed bytes.Buffer
			check(encryptPayload(1, key, plain, nil, &sealed))
			measure(fmt.Sprintf(name, "encrypt"), func() {
				var out bytes.Buffer
				check(encryptPayload(1, key, plain, nil, &out))
			})
			measure(fmt.Sprintf(name, "decrypt"), func() {
				back, err := decryptPayload([][]byte{key}, sealed.Bytes(), nil)
				check(err)
				if len(back) != size {
					check(fmt.Errorf("decrypted %d bytes", len(back)))
				}
			})
		}
	}
}

func main() {
	flag.Parse()
	var err error
	pattern, err = regexp.Compile(*only)
	check(err)
	for _, one := range []struct {
		name string
		run  func()
	}{{"messages", messages}, {"push_pulls", pushPulls}, {"lzw", lzw}, {"ciphers", ciphers}, {"lanes", lanes}, {"table", table}, {"memory", memory}} {
		if *part == "" && one.name != "memory" || strings.Contains(","+*part+",", ","+one.name+",") {
			one.run()
		}
	}
	encoder := json.NewEncoder(os.Stdout)
	encoder.SetIndent("", "  ")
	check(encoder.Encode(results))
}
