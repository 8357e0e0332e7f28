package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// block is a sample in the document: a marker and the code that follows it.
var block = regexp.MustCompile("(?s)<!-- sample ([a-z_.]+) -->\n(```json\n.*?```\n)?")

// protocol is the text of PROTOCOL.md with every sample as its file has it. A sample that
// the document does not show is an error, so no message goes undocumented.
func protocol(root string) (string, error) {
	text, err := os.ReadFile(filepath.Join(root, protocolFile))
	if err != nil {
		return "", err
	}
	shown := map[string]bool{}
	var failed error
	out := block.ReplaceAllStringFunc(string(text), func(old string) string {
		name := block.FindStringSubmatch(old)[1]
		shown[name] = true
		code, err := sample(root, name)
		if err != nil {
			failed = err
		}
		return fmt.Sprintf("<!-- sample %s -->\n```json\n%s```\n", name, code)
	})
	files, err := filepath.Glob(filepath.Join(root, samplesDir, "*.json"))
	if err != nil {
		return "", err
	}
	for _, file := range files {
		if name := strings.TrimSuffix(filepath.Base(file), ".json"); !shown[name] {
			failed = fmt.Errorf("%s does not show the sample %s", protocolFile, name)
		}
	}
	return out, failed
}

// sample writes each frame of a sample on a line of its own, as it is on the wire.
func sample(root, name string) (string, error) {
	data, err := os.ReadFile(filepath.Join(root, samplesDir, name+".json"))
	if err != nil {
		return "", err
	}
	var exchange struct{ Request, Answer json.RawMessage }
	if err := json.Unmarshal(data, &exchange); err != nil {
		return "", fmt.Errorf("sample %s: %w", name, err)
	}
	lines := []json.RawMessage{data}
	if exchange.Request != nil {
		lines = []json.RawMessage{exchange.Request, exchange.Answer}
	}
	var out bytes.Buffer
	for _, line := range lines {
		if err := json.Compact(&out, line); err != nil {
			return "", fmt.Errorf("sample %s: %w", name, err)
		}
		out.WriteByte('\n')
	}
	return out.String(), nil
}
