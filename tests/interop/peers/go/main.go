// Command peer is a TChannel service or client on tchannel-go; the contract is in ../README.md.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
)

func main() {
	if len(os.Args) < 2 {
		exitWithUsage("no role")
	}
	flags := readFlags(os.Args[2:])
	switch role := os.Args[1]; role {
	case "server":
		serve(flags)
	case "client":
		converse()
	default:
		exitWithUsage(fmt.Sprintf("unknown role %q", role))
	}
}

func exitWithUsage(why string) {
	fmt.Fprintf(os.Stderr, "%s: say server or client\n", why)
	os.Exit(2)
}

func readFlags(words []string) map[string]string {
	flags := map[string]string{"listen": "127.0.0.1:0"}
	for i := 0; i+1 < len(words); i += 2 {
		flags[strings.TrimPrefix(words[i], "--")] = words[i+1]
	}
	return flags
}

// eachLine returns when stdin closes.
func eachLine(handle func(line string)) {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 64<<20)
	for lines.Scan() {
		handle(lines.Text())
	}
}
