package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"carillon/config"
)

var (
	// A variable with its value: of compose.yaml and of a Secret, of a container in Kubernetes, of an image.
	composeVariable    = regexp.MustCompile(`(?m)^\s+(CARILLON_[A-Z_]+): (.*?)(?: #.*)?$`)
	kubernetesVariable = regexp.MustCompile(`(?m)^\s+- name: (CARILLON_[A-Z_]+)(?: #.*)?\n\s+value: "?(.*?)"?(?: #.*)?$`)
	imageVariable      = regexp.MustCompile(`(?m)(CARILLON_[A-Z_]+)=(\S+)`)
	anyVariable        = regexp.MustCompile(`CARILLON_[A-Z_]+`)
	placeholder        = regexp.MustCompile(`\$\{([A-Z_]+)[^}]*\}`)
)

// TestDeploymentsAreGoodConfigurations loads what the image, the compose file and the Kubernetes
// manifest set in the environment: each name is a key, and all of them together start a server.
func TestDeploymentsAreGoodConfigurations(t *testing.T) {
	read := func(file string) string {
		t.Helper()
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	image := imageVariable.FindAllStringSubmatch(read("Dockerfile"), -1)
	for file, expressions := range map[string][]*regexp.Regexp{
		"deploy/compose.yaml":    {composeVariable},
		"deploy/kubernetes.yaml": {composeVariable, kubernetesVariable},
	} {
		t.Run(file, func(t *testing.T) {
			text := read(file)
			set := map[string]string{}
			for _, v := range image {
				set[v[1]] = v[2]
			}
			for _, e := range expressions {
				for _, v := range e.FindAllStringSubmatch(text, -1) {
					set[v[1]] = placeholder.ReplaceAllStringFunc(v[2], func(of string) string {
						if strings.HasPrefix(of, "${PUBLIC_ADDRESS") {
							return "203.0.113.5"
						}
						return "0123456789012345678901234567890123456789"
					})
				}
			}
			for _, name := range anyVariable.FindAllString(text, -1) {
				if _, known := set[name]; !known {
					set[name] = "203.0.113.5" // what Kubernetes fills in
				}
			}
			var environ []string
			for name, value := range set {
				environ = append(environ, name+"="+value)
			}
			c, err := config.Load("", environ)
			if err == nil {
				err = c.Validate()
			}
			if err != nil {
				t.Fatal(err)
			}
			if c.Auth.Secret == "" || len(c.Turn.Secrets) == 0 || c.Store.URL == "" || c.Bus.URL == "" || c.HTTP.DrainSeconds == 0 {
				t.Errorf("nodes would not belong together: %+v", set)
			}
		})
	}
}

// TestComposeNamesWhatItNeeds runs the compose file through the program that reads it.
func TestComposeNamesWhatItNeeds(t *testing.T) {
	example, err := os.ReadFile("deploy/example.env")
	if err != nil {
		t.Fatal(err)
	}
	config := func(env string) (string, error) {
		t.Helper()
		file := filepath.Join(t.TempDir(), "env")
		if err := os.WriteFile(file, []byte(env), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("docker-compose", "--env-file", file, "-f", "deploy/compose.yaml", "config").CombinedOutput()
		return string(out), err
	}
	if out, err := config(string(example)); err == nil {
		t.Errorf("the example without secrets is taken:\n%s", out)
	}
	out, err := config(regexp.MustCompile(`(?m)=$`).ReplaceAllString(string(example), "=0123456789012345678901234567890123456789"))
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, service := range []string{"carillon1:", "carillon2:", "carillon3:", "caddy:", "nats:", "postgres:"} {
		if !strings.Contains(out, "\n  "+service+"\n") {
			t.Errorf("there is no service %s", service)
		}
	}
}
