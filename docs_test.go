package main

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"

	"carillon/config"
)

var tomlBlock = regexp.MustCompile("(?ms)^```toml\n(.*?)^```")

// TestEveryConfigurationInTheDocsWorks loads each block of TOML in README.md and docs/ as serve
// loads a file. One that begins with "# carillon.toml" is a whole configuration and valid as
// it stands; the others are parts, valid beside a key that signs tokens.
func TestEveryConfigurationInTheDocsWorks(t *testing.T) {
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := 0
	for _, page := range append(pages, "README.md") {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for i, found := range tomlBlock.FindAllStringSubmatch(string(text), -1) {
			blocks++
			t.Run(fmt.Sprintf("%s, block %d", page, i+1), func(t *testing.T) { loadBlock(t, found[1]) })
		}
	}
	if blocks < 5 {
		t.Errorf("found %d blocks: the pages have another form than this test knows", blocks)
	}
	t.Run("config.example.toml", func(t *testing.T) {
		c, err := config.Load("config.example.toml", nil)
		if err == nil {
			err = c.Validate()
		}
		if err != nil {
			t.Error(err)
		}
	})
}

func loadBlock(t *testing.T, text string) {
	t.Helper()
	const key = "0123456789012345678901234567890123456789"
	var environ []string
	whole := strings.HasPrefix(text, "# carillon.toml")
	if !whole {
		environ = []string{"CARILLON_AUTH_KEYS=site=" + key}
	}
	file := filepath.Join(t.TempDir(), "carillon.toml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(text, `"…"`, `"`+key+`"`)), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := config.Load(file, environ)
	if err == nil {
		err = c.Validate()
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if !whole {
		return
	}
	for key, address := range map[string]string{"http.listen": c.HTTP.Listen, "media.listen": c.Media.Listen} {
		if netip.MustParseAddrPort(address).Addr().IsLoopback() {
			t.Errorf("%s is %s: others could not call\n%s", key, address, text)
		}
	}
}

var testInText = regexp.MustCompile("`((?:Test|Fuzz)[A-Z][A-Za-z0-9]*|web/[a-z/]+\\.test\\.ts)`")

// TestThreatsNameTestsThatExist looks up each test that docs/THREATS.md and SECURITY.md name, so
// that no row there says more than is proved.
func TestThreatsNameTestsThatExist(t *testing.T) {
	functions := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	var files []string
	for _, pattern := range []string{"*_test.go", "*/*_test.go", "*/*/*_test.go"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range declared.FindAllStringSubmatch(string(text), -1) {
			functions[found[1]] = true
		}
	}
	named := 0
	for _, page := range []string{"docs/THREATS.md", "SECURITY.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range testInText.FindAllStringSubmatch(string(text), -1) {
			named++
			if _, err := os.Stat(found[1]); err != nil && !functions[found[1]] {
				t.Errorf("%s names %s, which is no test", page, found[1])
			}
		}
	}
	if named < 50 {
		t.Errorf("found %d tests: the pages name them in another form than this test knows", named)
	}
}

var keyInText = regexp.MustCompile("`([a-z]+(?:\\.[a-z_]+)+)(?: = [^`]*)?`")

// TestKeysThatTheDocsNameExist looks up each `table.key` of the pages for operators and site
// developers in config.example.toml.
func TestKeysThatTheDocsNameExist(t *testing.T) {
	text, err := os.ReadFile("config.example.toml")
	if err != nil {
		t.Fatal(err)
	}
	var tables map[string]any
	if err := toml.Unmarshal(text, &tables); err != nil {
		t.Fatal(err)
	}
	named := 0
	for _, page := range []string{"README.md", "docs/EMBEDDING.md", "docs/OPERATING.md"} {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, found := range keyInText.FindAllStringSubmatch(string(text), -1) {
			path := strings.Split(found[1], ".")
			if _, isTable := tables[path[0]].(map[string]any); !isTable || path[1] == "secret" && path[0] != "ice" {
				continue // a name of something else, such as the file turn.secret
			}
			named++
			if !hasKey(tables, path) {
				t.Errorf("%s names %s, which is no key", page, found[1])
			}
		}
	}
	if named < 20 {
		t.Errorf("found %d keys: the pages name them in another form than this test knows", named)
	}
}

func hasKey(table map[string]any, path []string) bool {
	value, found := table[path[0]]
	if !found || len(path) == 1 {
		return found
	}
	inner, isTable := value.(map[string]any)
	return isTable && hasKey(inner, path[1:])
}
