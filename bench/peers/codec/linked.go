package main

import (
	"bytes"
	"io"
	"net"
	"time"
	_ "unsafe" // for go:linkname

	"github.com/hashicorp/go-msgpack/codec"
	"github.com/hashicorp/memberlist"
)

// memberlist keeps its codec and its rules to itself. These declarations link to the originals, so that what is timed is
// memberlist's own code; linked.s makes the compiler accept them without bodies. The structs below have the same fields in the
// same order as the originals, which both the wire format and the calls with a slice or pointer rely on.

//go:linkname encode github.com/hashicorp/memberlist.encode
func encode(kind uint8, in interface{}) (*bytes.Buffer, error)

//go:linkname decode github.com/hashicorp/memberlist.decode
func decode(buf []byte, out interface{}) error

//go:linkname makeCompoundMessage github.com/hashicorp/memberlist.makeCompoundMessage
func makeCompoundMessage(messages [][]byte) *bytes.Buffer

//go:linkname decodeCompoundMessage github.com/hashicorp/memberlist.decodeCompoundMessage
func decodeCompoundMessage(buf []byte) (truncated int, parts [][]byte, err error)

//go:linkname compressPayload github.com/hashicorp/memberlist.compressPayload
func compressPayload(input []byte) (*bytes.Buffer, error)

//go:linkname decompressPayload github.com/hashicorp/memberlist.decompressPayload
func decompressPayload(message []byte) ([]byte, error)

//go:linkname encryptPayload github.com/hashicorp/memberlist.encryptPayload
func encryptPayload(version uint8, key []byte, message []byte, data []byte, out *bytes.Buffer) error

//go:linkname decryptPayload github.com/hashicorp/memberlist.decryptPayload
func decryptPayload(keys [][]byte, message []byte, data []byte) ([]byte, error)

//go:linkname readRemoteState github.com/hashicorp/memberlist.(*Memberlist).readRemoteState
func readRemoteState(list *memberlist.Memberlist, in io.Reader, decoder *codec.Decoder) (bool, []nodeState, []byte, error)

//go:linkname mergeState github.com/hashicorp/memberlist.(*Memberlist).mergeState
func mergeState(list *memberlist.Memberlist, remote []nodeState)

//go:linkname ingestPacket github.com/hashicorp/memberlist.(*Memberlist).ingestPacket
func ingestPacket(list *memberlist.Memberlist, packet []byte, from net.Addr, timestamp time.Time)

//go:linkname handleAlive github.com/hashicorp/memberlist.(*Memberlist).handleAlive
func handleAlive(list *memberlist.Memberlist, message []byte, from net.Addr)

const (
	pingKind     = 0
	ackKind      = 2
	aliveKind    = 4
	pushPullKind = 6
)

type ping struct {
	SeqNo      uint32
	Node       string
	SourceAddr []byte `codec:",omitempty"`
	SourcePort uint16 `codec:",omitempty"`
	SourceNode string `codec:",omitempty"`
}

type ack struct {
	SeqNo   uint32
	Payload []byte
}

type alive struct {
	Incarnation uint32
	Node        string
	Addr        []byte
	Port        uint16
	Meta        []byte
	Vsn         []uint8
}

type pushPullHeader struct {
	Nodes        int
	UserStateLen int
	Join         bool
}

type nodeState struct {
	Name        string
	Addr        []byte
	Port        uint16
	Meta        []byte
	Incarnation uint32
	State       int
	Vsn         []uint8
}
