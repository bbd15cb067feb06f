package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand"
	"net"
	"time"

	"github.com/hashicorp/memberlist"
)

// What a starling lane does in its turns, done by a real memberlist node.
//
// Pings go through ingestPacket and come out as acks at the transport, which drops them: like starling's figure, everything but
// the system calls. Alives are taken from their compound and given to handleAlive, the function that decodes and applies one;
// memberlist itself has a channel and a goroutine between the two, which are left out in its favour.

// deaf is a transport that drops what it is given and receives nothing.
type deaf struct {
	packets chan *memberlist.Packet
	streams chan net.Conn
	sent    int
}

func (d *deaf) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	return net.IPv4(127, 0, 0, 1), 7946, nil
}

func (d *deaf) WriteTo([]byte, string) (time.Time, error) {
	d.sent++
	return time.Now(), nil
}

func (d *deaf) PacketCh() <-chan *memberlist.Packet { return d.packets }

func (d *deaf) StreamCh() <-chan net.Conn { return d.streams }

func (d *deaf) DialTimeout(string, time.Duration) (net.Conn, error) { return nil, fmt.Errorf("deaf") }

func (d *deaf) Shutdown() error { return nil }

const (
	alivesPerPacket = 20
	packetsPerTurn  = 32
	wideIncarnation = 0x10000 // the smallest one written in four bytes
)

var sender = &net.UDPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 7946}

func pings(name string, key []byte) {
	transport := &deaf{packets: make(chan *memberlist.Packet), streams: make(chan net.Conn)}
	list := nodeWith(func(config *memberlist.Config) {
		config.Transport, config.EnableCompression = transport, false
		if key != nil {
			ring, err := memberlist.NewKeyring(nil, key)
			check(err)
			config.Keyring = ring
		}
	})
	defer list.Shutdown()
	packets := [][]byte{}
	for number := 0; number < packetsPerTurn; number++ {
		packet := encoded(pingKind, &ping{SeqNo: 123456 + uint32(number), Node: "bench", SourceAddr: []byte{10, 0, 0, 1},
			SourcePort: 7946, SourceNode: "node-000001"})
		if key != nil {
			var sealed bytes.Buffer
			check(encryptPayload(1, key, packet, nil, &sealed))
			packet = sealed.Bytes()
		}
		packets = append(packets, packet)
	}
	buffer := make([]byte, 2048)
	turn := func() {
		for _, packet := range packets {
			// Opening a packet overwrites it.
			ingestPacket(list, buffer[:copy(buffer, packet)], sender, time.Now())
		}
	}
	turn()
	if transport.sent != packetsPerTurn {
		check(fmt.Errorf("%d of %d pings answered", transport.sent, packetsPerTurn))
	}
	measureMany(name, packetsPerTurn, turn)
}

// alivePackets are the bodies of compounds of 20 alives that together name members first..first+count-1 once, in a random order.
func alivePackets(first, count int, incarnation uint32) [][]byte {
	packets := [][]byte{}
	parts := [][]byte{}
	for _, number := range rand.New(rand.NewSource(7)).Perm(count) {
		one := aliveOf(first+number, incarnation)
		parts = append(parts, encoded(aliveKind, &one))
		if len(parts) == alivesPerPacket {
			packets = append(packets, makeCompoundMessage(parts).Bytes()[1:])
			parts = parts[:0]
		}
	}
	return packets
}

func apply(list *memberlist.Memberlist, packet []byte) {
	_, parts, err := decodeCompoundMessage(packet)
	check(err)
	for _, part := range parts {
		handleAlive(list, part[1:], sender)
	}
}

func nodeKnowing(packets [][]byte) *memberlist.Memberlist {
	list := quietNode()
	for _, packet := range packets {
		apply(list, packet)
	}
	if list.NumMembers() != len(packets)*alivesPerPacket+1 {
		check(fmt.Errorf("%d members after %d packets", list.NumMembers(), len(packets)))
	}
	return list
}

func known(members int) {
	packets := alivePackets(0, members, wideIncarnation)
	list := nodeKnowing(packets)
	defer list.Shutdown()
	next := 0
	measureMany(fmt.Sprintf("alives_known_%d", members), alivesPerPacket, func() {
		apply(list, packets[next])
		next = (next + 1) % len(packets)
	})
	// News: each packet says more than all before it.
	places := make([][]int, len(packets))
	mark := []byte("Incarnation\xce")
	for i, packet := range packets {
		for at := bytes.Index(packet, mark); at >= 0; {
			at += len(mark)
			places[i] = append(places[i], at)
			further := bytes.Index(packet[at:], mark)
			if further < 0 {
				break
			}
			at += further
		}
		if len(places[i]) != alivesPerPacket {
			check(fmt.Errorf("%d incarnations in a packet", len(places[i])))
		}
	}
	incarnation := uint32(wideIncarnation)
	measureMany(fmt.Sprintf("alives_newer_%d", members), alivesPerPacket, func() {
		incarnation++
		for _, at := range places[next] {
			binary.BigEndian.PutUint32(packets[next][at:], incarnation)
		}
		apply(list, packets[next])
		next = (next + 1) % len(packets)
	})
}

func strangers(members int) {
	before := alivePackets(0, members, 1)
	fresh := alivePackets(members, members, 1)
	var list *memberlist.Memberlist
	measureOnce(fmt.Sprintf("alives_new_%d", members), members, func() func() {
		if list != nil {
			check(list.Shutdown())
		}
		list = nodeKnowing(before)
		return func() {
			for _, packet := range fresh {
				apply(list, packet)
			}
		}
	})
	if list != nil {
		check(list.Shutdown())
	}
}

func lanes() {
	pings("lane_turn_32_pings_per_packet", nil)
	pings("lane_turn_32_pings_sealed_per_packet", append([]byte{1, 2, 3}, make([]byte, 13)...))
	same := alivePackets(0, alivesPerPacket, 1)
	list := nodeKnowing(same)
	measure("compound_20_alives_decode_and_apply_known", func() { apply(list, same[0]) })
	check(list.Shutdown())
	for _, members := range []int{10000, 100000} {
		known(members)
		strangers(members)
	}
}
