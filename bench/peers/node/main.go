// node is one memberlist node that does nothing but answer, for programs that measure how fast it does.
//
//	node ADDRESS PORT NAME     prints "ready" when it listens; ends when standard input does
package main

import (
	"fmt"
	"io"
	"log"
	"os"
	"strconv"

	"github.com/hashicorp/memberlist"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: node ADDRESS PORT NAME")
		os.Exit(2)
	}
	port, err := strconv.Atoi(os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
		os.Exit(2)
	}
	config := memberlist.DefaultLANConfig()
	config.Name = os.Args[3]
	config.BindAddr, config.AdvertiseAddr = os.Args[1], os.Args[1]
	config.BindPort, config.AdvertisePort = port, port
	config.EnableCompression = false
	config.Logger = log.New(io.Discard, "", 0)
	list, err := memberlist.Create(config)
	if err != nil {
		fmt.Fprintln(os.Stderr, "node:", err)
		os.Exit(1)
	}
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
	list.Shutdown()
}
