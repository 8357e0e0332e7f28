// Command gen writes what follows from the Go types of the wire protocol: the TypeScript
// types in web/sdk/wire.gen.ts, and the samples in docs/PROTOCOL.md.
//
// For the types, tygo translates the packages refusal, chat, call and wire; this
// command joins them into one module, makes a union of every string type that has
// constants, so that TypeScript checks its values, and adds the maps from method and
// notification to what they carry.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

const (
	typesFile    = "web/sdk/wire.gen.ts"
	protocolFile = "docs/PROTOCOL.md"
	samplesDir   = "wire/testdata"
)

func main() {
	if err := write(); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func write() error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	types, err := typeScript()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, typesFile), []byte(types), 0o644); err != nil {
		return err
	}
	protocol, err := protocol(root)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, protocolFile), []byte(protocol), 0o644)
}

// moduleRoot is the folder above that holds go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no go.mod above the working directory")
		}
		dir = filepath.Dir(dir)
	}
}
